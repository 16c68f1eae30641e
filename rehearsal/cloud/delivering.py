"""Both platforms that delivery can live on: Azure DevOps and GitHub, as one service with the kinds of both.

A program uses one of them. What lives there is kept together, because to everybody else it is one thing: where the
pipelines are, and who may be whom in Azure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azuredevops.areas import INVOKES
from rehearsal.cloud.azuredevops.areas import KINDS as OF_AZURE_DEVOPS
from rehearsal.cloud.azuredevops.kinds import DevOpsKind, refuse_unless, same
from rehearsal.cloud.azuredevops.service import DevOps
from rehearsal.cloud.github import environments, repositories

OF_GITHUB: Final[Mapping[str, DevOpsKind]] = {
    kind.token: kind for area in (repositories, environments) for kind in area.KINDS
}
KINDS: Final[Mapping[str, DevOpsKind]] = {**OF_AZURE_DEVOPS, **OF_GITHUB}

__all__ = ["INVOKES", "KINDS", "OF_AZURE_DEVOPS", "OF_GITHUB", "Delivering"]


class Delivering(DevOps):
    """The service of both. `configure` judges the provider of Azure DevOps, `configure_github` that of GitHub."""

    kinds = KINDS

    def configure_github(self, configuration: Mapping[str, Any]) -> None:
        """The provider must lead to the owner of the repositories."""
        owner = configuration.get("owner")
        if owner is UNKNOWN:
            return
        refuse_unless(bool(owner), "InvalidConfiguration", "owner: the organisation on GitHub is required")
        with self._lock:
            home = self._there.owner
            refuse_unless(
                not home or same(owner, home), "404", f"404 Not Found: the token sees {home}, and not {owner}"
            )
            self._there.owner = str(owner)
