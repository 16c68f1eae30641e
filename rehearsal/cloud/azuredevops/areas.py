"""All kinds and functions of Azure DevOps that the stand-in knows, from the module of each area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rehearsal.cloud.azuredevops import (
    authorizations,
    endpoints,
    functions,
    gates,
    identities,
    permissions,
    pipelines,
    policies,
    projects,
    repositories,
    variables,
)
from rehearsal.cloud.azuredevops.kinds import DevOpsKind

KINDS: Final[Mapping[str, DevOpsKind]] = {
    kind.token: kind
    for area in (
        projects,
        repositories,
        pipelines,
        authorizations,
        policies,
        endpoints,
        gates,
        identities,
        permissions,
        variables,
    )
    for kind in area.KINDS
}

INVOKES: Final = functions.INVOKES
