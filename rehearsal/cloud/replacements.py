"""Which changes replace a resource, by property path.

Three sources, in this order: what addresses the resource (its name, parents, group or scope), its location,
and the properties that the azure-native provider marks as force-new, which each kind lists as `force_new`
with a word on how that is known. What only the service refuses is not here: that is `fixed` of a kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.cloud.kinds import Kind
from rehearsal.cloud.values import differences

_INDEX = re.compile(r"\[\d+\]")


def changed(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[str]:
    """The paths at which two sets of inputs differ. Names of the engine's own (`__defaults`) do not count."""
    return (path for path in differences(olds, news) if not path.startswith("__"))


def touches(path: str, root: str) -> bool:
    """Whether a change at `path` changes what `root` names; `[*]` in a root stands for any list index.

    A whole block that comes or goes touches what lies in it. A whole list element does not: it is another
    element then, not a changed one.
    """
    plain = _INDEX.sub("[*]", path)
    return (
        plain == root
        or plain.startswith((f"{root}.", f"{root}["))
        or (root.startswith(f"{plain}.") and plain[-1] != "]")
    )


def replaces(kind: Kind, path: str) -> bool:
    roots = (*kind.addressing, *(("location",) if kind.located else ()), *kind.force_new)
    return any(touches(path, root) for root in roots)
