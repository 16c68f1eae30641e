"""What happens to a resource is told on the box that stands for it, whichever that is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from rehearsal import topology
from rehearsal.graph import Graph
from rehearsal.topology import Fate, Mark
from rehearsal.topology.layout import scene
from rehearsal.topology.marks import marked
from rehearsal.topology.reading import estate
from rehearsal.topology.scene import Box
from tests.conftest import Rehearsed

Exports = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def exports(rehearsed: Mapping[str, Rehearsed]) -> Exports:
    return {stack: each.export for stack, each in rehearsed.items()}


def boxes(exports: Exports, marks: Mapping[str, Mark]) -> Iterator[Box]:
    shown = estate(exports)
    for top in marked(scene(shown), shown, marks).boxes:
        yield from top.all()


def urn(exports: Exports, stack: str, end: str) -> str:
    return next(each.urn for each in Graph.of(exports[stack]).resources if each.urn.endswith(end))


def tabs(exports: Exports, **fates: Fate) -> dict[str, tuple[str, str]]:
    """Name of the box, its fate and its tab; `fates` are by the end of a URN of `prod`, with `__` for `::`."""
    marks = {
        (found := urn(exports, "prod", end.replace("__", "::").replace("_", "-"))): Mark(fate, found)
        for end, fate in fates.items()
    }
    return {_name(box): (box.fate, box.tab.text.whole) for box in boxes(exports, marks) if box.tab}


def _name(box: Box) -> str:
    return next(text.content for text in box.texts if text.style in ("name", "environment"))


def test_every_resource_of_the_shipped_stacks_can_be_marked(exports: Exports) -> None:
    marks = {
        each.urn: Mark(Fate.CHANGED, each.urn)
        for export in exports.values()
        for each in Graph.of(export).resources
        if each.custom
    }

    told = {line for box in boxes(exports, marks) for line in box.tooltip.splitlines() if line.startswith("~ changed")}

    assert {f"~ changed: {each}" for each in marks} == told


def test_nothing_is_marked_without_a_change(exports: Exports) -> None:
    assert [box for box in boxes(exports, {}) if box.tab or box.fate] == []
    plain = topology.draw(exports)
    assert 'class="tab' not in plain


def test_the_border_is_that_of_the_thing_itself(exports: Exports) -> None:
    assert tabs(exports, AgentPool__pool_apps=Fate.REPLACED) == {"apps": ("replaced", "± replaced")}


def test_a_part_that_goes_does_not_look_like_the_thing(exports: Exports) -> None:
    """A gate is drawn as a badge of the environment, a lock as a sign of what it locks."""
    found = tabs(exports, CheckApproval__environment_approval=Fate.GONE, Workspace__workspace=Fate.CHANGED)

    assert found["prod"] == ("changed", "of it − 1 gone")
    assert found["log-shop-prod"] == ("changed", "~ changed")


def test_a_box_that_stands_for_many_counts(exports: Exports) -> None:
    found = tabs(
        exports,
        RoleAssignment__kubelet_pulls=Fate.NEW,
        RoleAssignment__control_plane_joins_nodes=Fate.GONE,
        RoleAssignment__control_plane_assigns_kubelet=Fate.GONE,
    )

    assert found == {"cluster": ("changed", "of it − 2 gone, + 1 new")}


def test_what_has_no_box_is_told_by_its_environment(exports: Exports) -> None:
    assert tabs(exports, ResourceGroup__environment=Fate.CHANGED) == {"prod": ("changed", "of it ~ 1 changed")}


def test_the_inline_picture_brings_no_style_and_no_second_id(exports: Exports) -> None:
    svg = topology.inline(exports, {urn(exports, "prod", "AgentPool::pool-apps"): Mark(Fate.REPLACED, "apps")})

    assert svg.startswith("<svg ")
    assert "<style" not in svg
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert 'class="tab replaced"' in svg
    assert "± replaced: apps" in svg
    for fate in Fate:
        assert f".tab.{fate} > rect" in topology.STYLE
        assert f".marked.{fate} > rect" in topology.STYLE
