"""Landscapes with one thing wrong: what the engine left behind of the shipped stacks, edited as a change of the program
would have changed it. Each shows that an invariant is caught when it is broken.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests import roles
from tests.environments import Environments, environments
from tests.graph import Landscape
from tests.stackfiles import STACKS, shipped

Invariant = Callable[[Landscape, Environments], list[str]]

SHIPPED = environments({stack: shipped(stack) for stack in STACKS})


class Broken:
    """Exports that may be edited, each a copy from the first time that it is asked for. A resource is named by its
    class and its logical name."""

    def __init__(self, exports: Mapping[str, Mapping[str, Any]]) -> None:
        self.exports: dict[str, Any] = dict(exports)
        self._copied: set[str] = set()

    def find(self, stack: str, cls: str, name: str) -> dict[str, Any]:
        found = [
            each
            for each in self._resources(stack)
            if each["type"].rpartition(":")[2] == cls and each["urn"].rpartition("::")[2] == name
        ]
        assert len(found) == 1, f"{len(found)} resources {cls} {name} in {stack}"
        one: dict[str, Any] = found[0]
        return one

    def names(self, stack: str, cls: str) -> list[str]:
        """Logical names of all resources of a class."""
        urns = [each["urn"] for each in self._resources(stack) if each["type"].rpartition(":")[2] == cls]
        return sorted(urn.rpartition("::")[2] for urn in urns)

    def say(self, stack: str, cls: str, name: str, /, **inputs: Any) -> None:
        """Other inputs; `a__b` is `b` below `a`, and None takes it out."""
        for path, value in inputs.items():
            *above, last = path.split("__")
            node = self.find(stack, cls, name)["inputs"]
            for key in above:
                node = node[key]
            if value is None:
                node.pop(last, None)
            else:
                node[last] = value

    def mark(self, stack: str, cls: str, name: str, /, **options: Any) -> None:
        """Other options, as the state calls them."""
        self.find(stack, cls, name).update(options)

    def drop(self, stack: str, cls: str, name: str) -> None:
        self._resources(stack).remove(self.find(stack, cls, name))

    def add(self, stack: str, like: tuple[str, str], name: str, /, **inputs: Any) -> None:
        """One more resource, like one that there is."""
        added = pickle.loads(pickle.dumps(self.find(stack, *like)))
        added["urn"] = f"{added['urn'].rpartition('::')[0]}::{name}"
        added["id"] = f"{added['id']}-{name}"
        self._resources(stack).append(added)
        self.say(stack, like[0], name, **inputs)

    def grant(self, role: str, to: str, on: str) -> None:
        """One more role assignment: a role by its name, to `<stack>/<identity>`, on `<stack>/<resource>`."""
        guid = next(guid for guid, known in roles.BUILT_IN.items() if known.name == role)
        landscape = Landscape(self.exports)
        principals = {name: id for id, name in landscape.principals.items()}
        ids = {name: id for id, name in landscape.ids.items()}
        self.add(
            on.partition("/")[0],
            ("RoleAssignment", "kubelet-pulls"),
            f"{to}-{role}".replace("/", "-"),
            principalId=principals[to],
            roleDefinitionId=f"/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/{guid}",
            scope=ids[on],
        )

    def forget(self, stack: str, cls: str, name: str, urns_with: str) -> None:
        """Dependencies on resources whose URN holds a text."""
        raw = self.find(stack, cls, name)
        raw["dependencies"] = [urn for urn in raw.get("dependencies", ()) if urns_with not in urn]
        raw["propertyDependencies"] = {
            key: [urn for urn in urns or () if urns_with not in urn]
            for key, urns in raw.get("propertyDependencies", {}).items()
        }

    def _resources(self, stack: str) -> list[dict[str, Any]]:
        if stack not in self._copied:
            self.exports[stack] = pickle.loads(pickle.dumps(self.exports[stack]))
            self._copied.add(stack)
        found: list[dict[str, Any]] = self.exports[stack]["deployment"]["resources"]
        return found


@dataclass(frozen=True)
class Breach:
    """An edit, the invariant that it breaks, and what is then said, among other things."""

    what: str
    invariant: Invariant
    edit: Callable[[Broken], None]
    said: str

    def __str__(self) -> str:
        return self.what

    def must_be_found(self, exports: Mapping[str, Mapping[str, Any]], environments: Environments = SHIPPED) -> None:
        broken = Broken(exports)
        self.edit(broken)
        findings = self.invariant(Landscape(broken.exports), environments)
        assert any(self.said in each for each in findings), findings
