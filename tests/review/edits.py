"""Edits of stack exports, as a change to the program or its settings would make them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

Export = dict[str, Any]
State = dict[str, Any]
Edit = Callable[[Export], None]


def edited(export: Mapping[str, Any], edit: Edit) -> Export:
    changed: Export = copy.deepcopy(dict(export))
    edit(changed)
    return changed


def resources(export: Mapping[str, Any]) -> list[State]:
    found: list[State] = export["deployment"]["resources"]
    return found


def the(export: Mapping[str, Any], type_: str, name: str = "") -> State:
    """The one resource of a type (its last part) and a logical name; the first of the type without one."""
    found = [
        each
        for each in resources(export)
        if each["type"].rpartition(":")[2] == type_ and (not name or each["urn"].rpartition("::")[2] == name)
    ]
    assert found, f"no {type_} {name} in the export"
    return found[0]


def setting(type_: str, name: str, **paths: Any) -> Edit:
    """Sets inputs; `__` in a keyword stands for a dot, None removes."""

    def edit(export: Export) -> None:
        place = the(export, type_, name)["inputs"]
        for path, value in paths.items():
            *above, last = path.split("__")
            here = place
            for key in above:
                here = here.setdefault(key, {})
            assert here.get(last) != value, f"{path} is {value} already"
            if value is None:
                del here[last]
            else:
                here[last] = value

    return edit


def without(type_: str, name: str = "") -> Edit:
    return lambda export: resources(export).remove(the(export, type_, name))


def adding(type_: str, name: str, like: str, **inputs: Any) -> Edit:
    """Another resource like one that is there, under a new logical name."""

    def edit(export: Export) -> None:
        new = copy.deepcopy(the(export, type_, like))
        new["urn"] = f"{new['urn'].rpartition('::')[0]}::{name}"
        new["id"] = f"{new['id']}-{name}"
        new["created"] = "2026-01-01T00:00:00Z"
        new["inputs"] |= inputs
        resources(export).append(new)

    return edit


def marked(type_: str, name: str, **marks: Any) -> Edit:
    return lambda export: the(export, type_, name).update(marks)


def both(*edits: Edit) -> Edit:
    def edit(export: Export) -> None:
        for each in edits:
            each(export)

    return edit


def renamed(type_: str, old: str, new: str, *, alias: bool = False, anew: bool = False) -> Edit:
    """Another logical name: with the alias named in the state, or by the entry that the engine kept, or neither."""

    def edit(export: Export) -> None:
        state = the(export, type_, old)
        was = state["urn"]
        state["urn"] = f"{was.rpartition('::')[0]}::{new}"
        for each in resources(export):
            if each.get("parent") == was:
                each["parent"] = state["urn"]
        if alias:
            state["aliases"] = [was]
        if alias or anew:
            state["created"] = "2026-01-01T00:00:00Z"

    return edit
