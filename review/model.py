"""A change to one stack, whatever it was read from: one resource after the other, with what differs.

Only what the program declares is compared (inputs). What the cloud answers (outputs) gives names and nothing else,
except where the engine itself says that the cloud has drifted from what is declared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rehearsal.graph import Graph, Resource
from rehearsal.report import Names
from review.values import Difference

__all__ = ["Change", "Changes", "Difference", "Op"]


class Op(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RENAME = "rename"
    NONE = "none"


@dataclass(frozen=True)
class Change:
    """What happens to one resource. The sides hold what is declared; a side that does not exist is None."""

    op: Op
    component: str
    """Names of the components around it, outermost first: `releases/environment`."""
    before: Resource | None
    after: Resource | None
    differences: tuple[Difference, ...] = ()
    was: str = ""
    """The component and name that it had, where the program calls it otherwise now."""

    @property
    def resource(self) -> Resource:
        side = self.after or self.before
        assert side is not None, "a change has a side"
        return side

    @property
    def kind(self) -> str:
        return self.resource.kind

    @property
    def place(self) -> str:
        """What the program calls it: `cluster/ManagedCluster.cluster`."""
        own = f"{self.resource.short_type}.{self.resource.logical_name}"
        return f"{self.component}/{own}" if self.component else own

    @property
    def told(self) -> str:
        """Type, and the name that a person knows it by."""
        return f"{self.resource.short_type} {self.resource.name}"


@dataclass(frozen=True)
class Changes:
    """All that happens to one stack, in the order of components; resources that stay as they are, are left out."""

    stack: str
    project: str
    changes: tuple[Change, ...]
    names: Names
    unchanged: int = 0
    before: Graph = field(default_factory=lambda: Graph(()))
    after: Graph = field(default_factory=lambda: Graph(()))
    sealed: int = 0
    """Secrets on both sides that nobody has compared: here they are sealed, and no engine had them."""
    waiting: tuple[Change, ...] = ()
    """What changes only if the update of something else answers another value than before."""
    exceptions: Mapping[str, str] = field(default_factory=dict)
    """Policy exceptions that were not there before, or reach further: what is excepted, and the reason given."""
    abandoned: int = 0
    """Resources of a stack whose file goes: they stay in the cloud, and nobody manages them."""
    states: tuple[Mapping[str, Any], ...] = ()
    """What there is afterwards, and what goes: for the picture."""

    @property
    def counts(self) -> Mapping[Op, int]:
        """Of resources that the cloud has, and of names: a component is nothing but a name."""
        return Counter(change.op for change in self.changes if change.resource.custom or change.op is Op.RENAME)

    def of(self, *ops: Op) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.op in ops)
