"""What GitHub writes into the token of a run: issuer and subject, by repository and environment.

A repository has one form of subject, and a job that names an environment gets that environment's. A subject that no
environment has is one that GitHub never issues.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.cloud.github.kinds import ENVIRONMENT, REPOSITORY
from rehearsal.cloud.world import World

ISSUER: Final = "https://token.actions.githubusercontent.com"


def issued(world: World) -> Iterator[str]:
    """The subjects of all environments."""
    prefixes = {
        found.name.lower(): str(found.outputs.get("subject"))
        for found in world.delivery.values()
        if found.type_ == REPOSITORY
    }
    for found in world.delivery.values():
        prefix = prefixes.get(str(found.inputs.get("repository")).lower())
        if found.type_ == ENVIRONMENT and prefix:
            yield f"{prefix}:environment:{found.name}"
