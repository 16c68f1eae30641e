"""How checks of combinations are written and run.

A check is a generator of problems. It names the sections that it needs as its parameters and runs when those are
valid, so that one bad section does not hide a bad combination of others. Nothing is raised.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from validation.problems import Problem, below

if TYPE_CHECKING:
    from settings import Cluster, Pool

Check = Callable[..., Iterator[Problem]]
_CHECKS: list[Check] = []
_PREFIX = "aks-cicd:"


def check(function: Check) -> Check:
    _CHECKS.append(function)
    return function


def run(sections: Mapping[str, Any]) -> list[Problem]:
    """All problems of all checks whose sections are there."""
    found: list[Problem] = []
    for function in _CHECKS:
        needed = inspect.signature(function).parameters
        if needed.keys() <= sections.keys():
            found += function(**{name: sections[name] for name in needed})
    return found


def problem(key: str, value: Any, allowed: str, mend: str) -> Problem:
    return Problem(_PREFIX + key, value, allowed, mend)


def pools(cluster: Cluster) -> Iterator[tuple[str, Pool]]:
    yield "cluster.systemPool", cluster.system_pool
    for name, pool in cluster.user_pools.items():
        yield below("cluster.userPools", name), pool


def as_said(section: BaseModel) -> Any:
    """A section as it stands in the file."""
    return section.model_dump(mode="json", by_alias=True, exclude_unset=True)


def camel(name: str) -> str:
    head, *rest = re.split(r"[_-]", name)
    return head + "".join(part.capitalize() for part in rest)
