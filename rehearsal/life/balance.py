"""What the engine believes to exist, held against what the cloud holds: after every act, both must be the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.cloud import Cloud, byhand
from rehearsal.graph import ENGINES_OWN

Export = Mapping[str, Any]
Key = tuple[str, str]
"""Type and id; ids of ARM in lower case."""


@dataclass(frozen=True)
class Balance:
    """Nothing in any of these is as it should be."""

    orphans: tuple[str, ...]
    """In the cloud, and no stack knows them: they cost money, and hold their names."""
    ghosts: tuple[str, ...]
    """In a stack's state, and not in the cloud."""
    duplicates: tuple[str, ...]
    """In the states twice."""
    pending: tuple[str, ...]
    """Operations of which the engine does not know the end."""

    @property
    def even(self) -> bool:
        return not (self.orphans or self.ghosts or self.duplicates or self.pending)

    def __str__(self) -> str:
        found = {
            "orphans": self.orphans,
            "only in the state": self.ghosts,
            "twice in the state": self.duplicates,
            "pending": self.pending,
        }
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in found.items() if names) or "even"


def weigh(exports: Iterable[Export], cloud: Cloud, stays: Iterable[str] = ()) -> Balance:
    """Holds the states of all stacks on a cloud against it. `stays` are ids of what was left in it on purpose."""
    exports = list(exports)
    known = Counter(key for export in exports for key in _known(export))
    held = {_key(thing.resource.type_, thing.resource.id) for thing in byhand.things(cloud)}
    left = {id.lower() for id in stays}
    return Balance(
        orphans=tuple(sorted(_shown(key) for key in held - known.keys() if key[1].lower() not in left)),
        ghosts=tuple(sorted(_shown(key) for key in known.keys() - held)),
        duplicates=tuple(sorted(_shown(key) for key, times in known.items() if times > 1 and not _in_a_cluster(key))),
        pending=tuple(
            f"{operation['resource']['urn'].rsplit('::', 1)[-1]} ({operation['type']})"
            for export in exports
            for operation in export["deployment"].get("pending_operations") or []
        ),
    )


def _known(export: Export) -> Iterator[Key]:
    for state in export["deployment"].get("resources") or []:
        if state.get("custom") and not state["type"].startswith(ENGINES_OWN):
            yield _key(state["type"], str(state.get("id", "")))


def _in_a_cluster(key: Key) -> bool:
    """Ids of objects are unique within their cluster only."""
    return key[0].startswith("kubernetes:")


def _key(type_: str, id: str) -> Key:
    return type_, id.lower() if id.startswith("/subscriptions/") else id


def _shown(key: Key) -> str:
    return f"{key[1]} ({key[0].rsplit(':', 1)[-1]})"
