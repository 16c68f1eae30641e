"""What retiring a stack would take, from its state alone: what is lost, soft-deleted or left, and what guards it.

Pure planning; nothing here asks a cloud. A state knows what this program made: data that people added is named by what
holds it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from rehearsal.graph import Graph, Resource

TABLE: Final = Path(__file__).with_name("retire_losses.yaml")
LOCK: Final = "azure-native:authorization:ManagementLockByScope"
_SEED: Final = "azuredevops:index/gitRepositoryFile:GitRepositoryFile"
_REPOSITORY: Final = "azuredevops:index/git:Git"
_REFERENCE: Final = "pulumi:pulumi:StackReference"

Export = Mapping[str, Any]


@dataclass(frozen=True)
class Loss:
    """One resource that holds data. `until` is the last day that its service keeps it, None if it is gone at once."""

    name: str
    kind: str
    what: str
    until: datetime.date | None = None
    named: bool = False
    """Whether its name stays taken until then."""
    back: str = ""
    purge: str = ""


@dataclass(frozen=True)
class Retirement:
    """What one stack's end means."""

    stack: str
    losses: tuple[Loss, ...]
    stays: tuple[str, ...]
    """What the engine forgets without deleting it, on purpose."""
    locks: tuple[str, ...]
    """URNs of delete locks that this program made."""
    protected: tuple[str, ...]
    """URNs that Pulumi refuses to delete."""
    deletes: int
    """How many resources go."""


def plan(stack: str, export: Export, today: datetime.date) -> Retirement:
    """What retiring a stack of this state would mean if it were done today."""
    graph = Graph.of(export)
    real = [resource for resource in graph.resources if resource.custom]
    goes = [resource for resource in real if not resource.retained]
    return Retirement(
        stack,
        losses=tuple(_losses(goes, today)),
        stays=tuple(_stays(real)),
        locks=tuple(resource.urn for resource in real if resource.type == LOCK),
        protected=tuple(resource.urn for resource in graph.resources if resource.protected),
        deletes=len(goes),
    )


def leaning(stack: str, exports: Mapping[str, Export]) -> tuple[str, ...]:
    """Those of the other stacks, by the state of each, that read this one."""
    return tuple(name for name, export in sorted(exports.items()) if name != stack and stack in _read_by(export))


def holds_data(type_: str) -> bool:
    """Whether what a resource of this type holds is lost with it."""
    return type_ in _table()


def is_up(export: Export) -> bool:
    """Whether there is anything to retire."""
    return any(resource.custom for resource in Graph.of(export).resources)


def _read_by(export: Export) -> set[str]:
    """The stacks that a state refers to; a reference names organisation, project and stack."""
    states = export["deployment"].get("resources") or []
    names = ((state.get("inputs") or {}).get("name", "") for state in states if state["type"] == _REFERENCE)
    return {str(name).rsplit("/", 1)[-1] for name in names}


@cache
def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table


def _losses(resources: Sequence[Resource], today: datetime.date) -> Iterator[Loss]:
    for resource in resources:
        line = _table().get(resource.type)
        if line is None:
            continue
        kept = line.get("kept", 0)
        days = int(resource.get(kept, 0) if isinstance(kept, str) else kept)
        names = {"name": resource.name, "group": resource.get("resourceGroupName", "")}
        yield Loss(
            resource.name,
            resource.short_type,
            line["lost"],
            today + datetime.timedelta(days=days) if days else None,
            bool(line.get("named")),
            line.get("back", "").format(**names),
            line.get("purge", "").format(**names),
        )


def _stays(resources: Sequence[Resource]) -> Iterator[str]:
    repositories = any(resource.type == _REPOSITORY for resource in resources)
    for resource in resources:
        # Files go with their repository, retained or not.
        if resource.retained and not (resource.type == _SEED and repositories):
            yield f"{resource.name} ({resource.short_type})"
