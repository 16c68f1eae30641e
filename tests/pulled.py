"""Both shipped environments, taken from the push model to the pull model: once for the whole session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearsal.run import Run
from tests.environments import environments
from tests.stackfiles import STACKS, Config, edited, shipped

if TYPE_CHECKING:
    from tests.conftest import StandingStacks

CONFIGS: Mapping[str, Config] = {
    "staging": edited(shipped("staging"), {"delivery.model": "pull"}),
    # Where its network is reached, as its second run is made.
    "prod": edited(shipped("prod"), {"delivery.model": "pull", "cluster.reachable": True}),
}
ENVIRONMENTS = environments(CONFIGS)


@dataclass(frozen=True)
class Switched:
    """What the engine did when an environment that pushes was told to pull."""

    preview: Run
    update: Run
    again: Run | None
    """A preview right after the update, where nothing is different in the other."""
    export: Mapping[str, Any]


def switch(standing: StandingStacks, directory: Path) -> dict[str, Switched]:
    with standing.opened(directory) as (rehearsal, cloud):
        cloud.kubernetes.inside_network = True
        found: dict[str, Switched] = {}
        for stack in STACKS:
            rehearsal.configure(stack, CONFIGS[stack])
            preview, update = rehearsal.preview(stack), rehearsal.update(stack)
            again = rehearsal.preview(stack) if stack == STACKS[0] else None
            found[stack] = Switched(preview, update, again, rehearsal.export(stack))
        return found
