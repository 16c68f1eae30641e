"""The tables of cases as resources and stacks that rules can judge; what their fields mean stands in the files."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies.model import Resource, Stack

HERE = Path(__file__).parent
Edit = Mapping[str, Any]


def _node(properties: Any, path: str, *, make: bool) -> tuple[Any, str]:
    """What holds the last part of a dotted path, and that part."""
    *above, last = path.split(".")
    for part in above:
        properties = properties.setdefault(part, {}) if make else properties[part]
    return properties, last


def _set(properties: dict[str, Any], values: Mapping[str, Any]) -> None:
    for path, value in values.items():
        node, last = _node(properties, path, make=True)
        node[last] = value


def _remove(properties: dict[str, Any], paths: Iterable[str]) -> None:
    for path in paths:
        node, last = _node(properties, path, make=False)
        del node[last]


# ---------------------------------------------------------------- single resources


@dataclass(frozen=True)
class ResourceCase:
    """One resource and what is found wrong with it."""

    rule: str
    type: str
    properties: Mapping[str, Any]
    says: tuple[str, ...]
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


def _resource_cases(raw: Mapping[str, Any]) -> Iterator[ResourceCase]:
    yield ResourceCase(raw["rule"], raw["type"], raw["base"], (), "base")
    for word in ("passes", "fails"):
        for number, edit in enumerate(raw.get(word, ())):
            properties = copy.deepcopy(raw["base"])
            _remove(properties, edit.get("remove", ()))
            _set(properties, edit.get("set", {}))
            says = tuple(edit.get("says", ()))
            assert bool(says) == (word == "fails"), raw["rule"]
            yield ResourceCase(raw["rule"], edit.get("type", raw["type"]), properties, says, f"{word} {number}")


def resource_cases() -> list[ResourceCase]:
    raw = yaml.safe_load((HERE / "resources.yaml").read_text("utf-8"))
    return [case for one in raw for case in _resource_cases(one)]


# ---------------------------------------------------------------- stacks


@dataclass(frozen=True)
class StackCase:
    """One stack and what is found wrong with it, by logical name."""

    rule: str
    resources: Mapping[str, Mapping[str, Any]]
    says: Mapping[str, tuple[str, ...]]
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"

    def stack(self, *, ids: bool = True) -> Stack:
        """As an export has it, or without ids as the engine tells it."""
        return Stack(self._resource(name, ids) for name in self.resources)

    def _urn(self, name: str) -> str:
        return f"urn:pulumi:test::aks-cicd::{self.resources[name]['type']}::{name}"

    def _id(self, name: str) -> str:
        raw = self.resources[name]
        group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Test"
        default = f"{group}/things/{name}" if raw["type"].startswith("azure-native:") else f"id-of-{name}"
        return str(raw.get("id", default))

    def _resource(self, name: str, ids: bool) -> Resource:
        raw = self.resources[name]
        made_from: dict[str, frozenset[str]] = {}
        properties = {}
        for key, value in raw["says"].items():
            properties[key], sources = self._resolved(value)
            if sources:
                made_from[key] = sources
        return Resource(
            urn=self._urn(name),
            type=raw["type"],
            properties=properties,
            inputs=properties,
            id=self._id(name) if ids else "",
            protect=raw.get("protect", False),
            delete_first=raw.get("first", False),
            after=frozenset(map(self._urn, raw.get("after", ()))),
            made_from=made_from,
        )

    def _resolved(self, value: Any) -> tuple[Any, frozenset[str]]:
        """A value with its references answered, and the URNs that they lead to."""
        if isinstance(value, Mapping):
            pairs = {key: self._resolved(one) for key, one in value.items()}
            return {key: one for key, (one, _) in pairs.items()}, frozenset().union(*(s for _, s in pairs.values()))
        if isinstance(value, list):
            items = [self._resolved(one) for one in value]
            return [one for one, _ in items], frozenset().union(*(s for _, s in items))
        if not isinstance(value, str):
            return value, frozenset()
        sources: set[str] = set()

        def answer(found: re.Match[str]) -> str:
            name, path = found.groups()
            if name not in self.resources:
                return "gone"
            sources.add(self._urn(name))
            if path is None:
                return self._id(name)
            node, last = _node(self.resources[name]["says"], path, make=False)
            return str(node[last])

        return re.sub(r"\{([\w-]+)(?::([\w.]+))?\}", answer, value), frozenset(sources)


def _edited(stack: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    resources: dict[str, Any] = copy.deepcopy({**stack, **edit.get("add", {})})
    for name, values in edit.get("set", {}).items():
        _set(resources[name]["says"], values)
    for name, paths in edit.get("remove", {}).items():
        _remove(resources[name]["says"], paths)
    for name, options in edit.get("options", {}).items():
        resources[name].update(options)
    for name, gone in edit.get("forget", {}).items():
        resources[name]["after"] = [one for one in resources[name]["after"] if one not in gone]
    for name in edit.get("without", ()):
        del resources[name]
        for other in resources.values():
            other["after"] = [one for one in other.get("after", ()) if one != name]
    return resources


def _stack_cases(raw: Mapping[str, Any]) -> Iterator[StackCase]:
    yield StackCase(raw["rule"], raw["stack"], {}, "base")
    for word in ("passes", "fails"):
        for number, edit in enumerate(raw.get(word, ())):
            says = {name: tuple(words) for name, words in edit.get("says", {}).items()}
            assert bool(says) == (word == "fails"), raw["rule"]
            yield StackCase(raw["rule"], _edited(raw["stack"], edit), says, f"{word} {number}")


def stack_cases() -> list[StackCase]:
    raw = yaml.safe_load((HERE / "stacks.yaml").read_text("utf-8"))
    return [case for one in raw for case in _stack_cases(one)]
