"""The picture shows the way from a pull request to production as the exports prove it, and what is missing on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from rehearsal.graph import Graph
from rehearsal.topology import paint
from rehearsal.topology.layout import scene
from rehearsal.topology.nodes import Node, Way
from rehearsal.topology.reading import estate
from rehearsal.topology.scene import Box, Line, Point, Rect, Scene
from rehearsal.topology.stack import Stack as Drawn
from rehearsal.topology.way import way
from tests.conftest import Rehearsed
from tests.rehearsal.delivered import Stack, prod, staging

LINKS = {
    ("run", "application", "ci", "a push to main"),
    ("images", "ci", "nonproduction registry", "pushes"),
    ("run", "ci", "cd", "its end on main"),
    ("run", "cd", "staging", "deploys"),
    ("images", "nonproduction registry", "promote-prod", "reads"),
    ("run", "cd", "promote-prod", "promotes"),
    ("images", "promote-prod", "production registry", "imports"),
    ("images", "production registry", "prod", "pulls"),
    ("run", "cd", "prod", "deploys"),
}


@pytest.fixture
def home() -> Stack:
    return staging()


@pytest.fixture
def production() -> Stack:
    return prod()


def read(*stacks: Stack) -> Way:
    found = way({stack.name: Drawn(stack.name, Graph.of(stack.export)) for stack in stacks})
    assert found
    return found


def links(found: Way) -> set[tuple[str, str, str, str]]:
    names = {station.key: station.name for station in found.stations}
    return {(each.kind, names[each.sources[0]], names[each.target], each.label) for each in found.links}


def station(found: Way, name: str) -> Node:
    """The box with this name, wherever it lies."""
    (box,) = [node for top in found.stations for node in top.all() if node.name == name]
    return box


def gates(found: Way, name: str) -> set[str]:
    return set(station(found, name).badges)


class TestTheStations:
    def test_stand_in_the_order_in_which_a_change_passes_them(self, home: Stack, production: Stack) -> None:
        assert [each.name for each in read(home, production).stations] == [
            "application",
            "ci",
            "nonproduction registry",
            "cd",
            "staging",
            "promote-prod",
            "production registry",
            "prod",
            "platform",
        ]

    def test_are_tied_by_what_the_exports_prove(self, home: Stack, production: Stack) -> None:
        assert links(read(home, production)) == LINKS

    @pytest.mark.parametrize(
        ("stack", "resource", "gone"),
        [
            ("staging", "application-cd", ("run", "ci", "cd")),
            ("staging", "p-ci-AcrPush-crone", ("images", "ci", "nonproduction registry")),
            ("prod", "environment-7-for-3", ("run", "cd", "prod")),
            ("prod", "endpoint-e-promote-prod-for-3", ("run", "cd", "promote-prod")),
            (
                "prod",
                "p-promote-prod-Container Registry Data Importer and Data Reader-crone",
                ("images", "nonproduction registry", "promote-prod"),
            ),
            (
                "prod",
                "p-promote-prod-Container Registry Data Importer and Data Reader-crtwo",
                ("images", "promote-prod", "production registry"),
            ),
            ("prod", "p-nodes-AcrPull-crtwo", ("images", "production registry", "prod")),
        ],
    )
    def test_are_not_tied_without_the_proof(
        self, stack: str, resource: str, gone: tuple[str, str, str], home: Stack, production: Stack
    ) -> None:
        {"staging": home, "prod": production}[stack].drop(resource)
        assert gone not in {each[:3] for each in links(read(home, production))}

    def test_a_right_of_the_nodes_that_is_no_pull_ties_nothing(self, home: Stack, production: Stack) -> None:
        production.drop("p-nodes-AcrPull-crtwo")
        production.grant("p-nodes", "Reader", production.find("crtwo")["id"])
        assert not [each for each in links(read(home, production)) if each[3] == "pulls"]

    def test_a_pipeline_that_a_push_does_not_start_is_not_tied_to_its_repository(self, home: Stack) -> None:
        home.find("application-ci")["outputs"]["content"] = "trigger: none"
        assert not [each for each in links(read(home)) if each[1] == "application"]

    def test_a_pipeline_whose_yaml_nobody_has_read_is_tied_without_a_word(self, home: Stack) -> None:
        home.drop("application-ci")
        assert ("run", "application", "ci", "") in links(read(home))

    def test_of_one_stack_alone_show_what_is_lent_as_such(self, production: Stack) -> None:
        found = read(production)
        assert [each.name for each in found.stations if "foreign" in each.role] == ["pipeline 3", "registry"]
        assert ("run", "pipeline 3", "prod", "deploys") in links(found)

    def test_a_repository_on_github_is_guarded_there(self, home: Stack) -> None:
        home.find("ci")["outputs"]["repository"] |= {"repoType": "GitHub", "repoId": "contoso/shop"}
        found = read(home)
        assert station(found, "contoso/shop").facts == ("guarded there, not here",)
        assert ("run", "contoso/shop", "ci", "") in links(found)

    def test_a_release_whose_yaml_nobody_has_read_is_tied_to_nothing_that_starts_it(self, home: Stack) -> None:
        home.drop("application-cd")
        assert not [each for each in links(read(home)) if each[2] == "cd"]

    def test_there_is_no_way_without_anything_of_delivery(self) -> None:
        bare = Stack("staging", "nonproduction")
        assert way({"staging": Drawn("staging", Graph.of(bare.export))}) is None


class TestGates:
    @pytest.mark.parametrize(("target", "name"), [("7", "prod"), ("e-promote-prod", "promote-prod")])
    @pytest.mark.parametrize(
        ("check", "sign", "missing"),
        [
            ("Approval", "approval: approvers-prod", "NO APPROVAL"),
            ("BranchControl", "main only", "NO BRANCH CONTROL"),
            ("ExclusiveLock", "one at a time", "NO EXCLUSIVE LOCK"),
            ("RequiredTemplate", "template release.yml", "NO REQUIRED TEMPLATE"),
        ],
    )
    def test_one_that_production_lacks_is_a_warning_where_it_should_stand(
        self, target: str, name: str, check: str, sign: str, missing: str, home: Stack, production: Stack
    ) -> None:
        before = gates(read(home, production), name)
        assert sign in before
        production.drop(f"{target}-{check}")
        assert gates(read(home, production), name) == before - {sign} | {missing}

    def test_business_hours_are_shown_and_not_missed(self, home: Stack, production: Stack) -> None:
        assert "Mon–Wed 08:00–17:00" in gates(read(home, production), "prod")
        production.drop("7-BusinessHours")
        assert not [word for word in gates(read(home, production), "prod") if word.startswith("NO ")]

    def test_of_a_connection_are_shown_where_they_are_not_those_of_its_environment(
        self, home: Stack, production: Stack
    ) -> None:
        assert station(read(home, production), "by deploy-prod").badges == ()
        production.drop("e-deploy-prod-Approval")
        assert {"NO APPROVAL", "main only"} <= gates(read(home, production), "by deploy-prod")

    def test_nonproduction_misses_its_branch_control_alone(self, home: Stack) -> None:
        assert gates(read(home), "staging") == {"one at a time", "NO BRANCH CONTROL"}
        assert gates(read(home), "by ci") == {"main only"}


class TestWhatElseIsTold:
    def test_who_a_pipeline_is_and_what_that_may_do(self, home: Stack, production: Stack) -> None:
        found = read(home, production)
        assert station(found, "by ci").aside == "id-ci"
        assert station(found, "by ci").facts == ("pushes images", "writes rows of Runs_CL")
        assert station(found, "by deploy-prod").facts == ("writes in namespace shop",)
        assert station(found, "promote-prod").facts == (
            "may read and import images",
            "of crone ← staging",
            "of crtwo",
            "for cd",
        )

    def test_a_right_that_a_promotion_has_beyond_its_own_is_told(self, home: Stack, production: Stack) -> None:
        production.grant("p-promote-prod", "AcrPull", "/subscriptions/0001")
        assert "pulls images ← no stack at hand" in station(read(home, production), "promote-prod").facts

    def test_a_connection_that_others_may_use_says_whom_it_is_for(self, home: Stack, production: Stack) -> None:
        production.allow(2, "endpoint", "e-deploy-prod")
        assert "for cd, ci" in station(read(home, production), "by deploy-prod").facts

    def test_what_every_pipeline_may_release_to_is_shown_as_that(self, home: Stack, production: Stack) -> None:
        production.allow(None, "environment", "7")
        found = read(home, production)
        assert ("run", "EVERY PIPELINE", "prod", "deploys") in links(found)
        assert "for EVERY PIPELINE, cd" in station(found, "prod").facts

    def test_a_connection_that_signs_in_as_somebody_unknown_says_so(self, home: Stack, production: Stack) -> None:
        production.drop("id-deploy-prod")
        box = station(read(home, production), "by deploy-prod")
        assert (box.aside, box.facts) == ("NOBODY THAT IS KNOWN", ("may do nothing",))

    @pytest.mark.parametrize(("policy", "missing"), [("built", "NO BUILD"), ("reviewed", "NO REVIEW")])
    def test_a_branch_that_is_not_held_to_a_policy_is_a_warning(self, policy: str, missing: str, home: Stack) -> None:
        assert gates(read(home), "application") == set()
        home.find(f"application-{policy}")["outputs"]["blocking"] = False
        assert gates(read(home), "application") == {missing}


class TestOfTheShippedStacks:
    def test_carries_everything_of_delivery(self, rehearsed: Mapping[str, Rehearsed]) -> None:
        picture = drawn(rehearsed)
        left = {text.whole for box in boxes(picture) if box.role == "more" for text in box.texts}
        assert "cluster" in left
        assert not left & {"delivery", "delivery-environment", "agents"}

    def test_has_every_gate_of_production(self, rehearsed: Mapping[str, Rehearsed]) -> None:
        found = estate({stack: run.export for stack, run in rehearsed.items()}).way
        assert found
        for name in ("prod", "promote-prod"):
            assert {"approval: approvers-prod", "main only", "one at a time", "template release.yml"} <= gates(
                found, name
            )
        assert not [word for top in found.stations for node in top.all() for word in node.badges if word[:3] == "NO "]

    def test_agents_stand_in_the_subnet_that_they_run_in(self, rehearsed: Mapping[str, Rehearsed]) -> None:
        subnets = [box for box in boxes(drawn(rehearsed)) if box.role == "subnet"]
        homes = [box for box in subnets if any(child.role == "agents" for child in box.children)]
        assert [text.whole for home in homes for text in home.texts if text.style == "name"] == ["snet-agents"]


class TestTheLines:
    @pytest.fixture(params=["by hand", "shipped", "production alone", "many"])
    def picture(self, request: pytest.FixtureRequest) -> tuple[Scene, Way]:
        variants: dict[str, Callable[[], Mapping[str, Mapping[str, Any]]]] = {
            "by hand": lambda: {"staging": staging().export, "prod": prod().export},
            "shipped": lambda: {stack: run.export for stack, run in request.getfixturevalue("rehearsed").items()},
            "production alone": lambda: {"prod": prod().export},
            "many": lambda: {"staging": _many().export, "prod": prod().export},
        }
        found = estate(variants[request.param]())
        assert found.way
        return scene(found), found.way

    def test_each_leads_from_its_source_to_its_target(self, picture: tuple[Scene, Way]) -> None:
        shown, found = picture
        places = {box.key: box.rect for box in boxes(shown)}
        drawn_ends = [(line.role, line.points[0], end) for line in shown.lines for end in ends(line)]
        for link in found.links:
            source, target = places[link.sources[0]], places[link.target]
            met = [end for end in drawn_ends if end[0] == link.kind and at(source, end[1]) and at(target, end[2])]
            assert len(met) == 1, link

    def test_no_other_line_pretends_to_be_on_the_way(self, picture: tuple[Scene, Way]) -> None:
        shown, found = picture
        (column,) = [box.rect for box in shown.boxes if box.role == "way"]
        lines = [line for line in shown.lines if line.role in ("run", "images") and column.y < line.points[0][1]]
        inside = [line for line in lines if line.points[0][1] < column.bottom]
        assert sum(len(ends(line)) for line in inside) == len(found.links)

    def test_none_runs_through_a_station(self, picture: tuple[Scene, Way]) -> None:
        shown, _ = picture
        (column,) = [box for box in shown.boxes if box.role == "way"]
        for line in shown.lines:
            for piece in (each for ways in (line.points, *line.forks) for each in pairwise(ways)):
                assert not [box.key for box in column.children if through(box.rect, piece)], line

    def test_all_stay_within_the_column(self, picture: tuple[Scene, Way]) -> None:
        shown, _ = picture
        (column,) = [box.rect for box in shown.boxes if box.role == "way"]
        for line in (each for each in shown.lines if each.role in ("run", "images")):
            points = [*line.points, *(point for fork in line.forks for point in fork)]
            if points[0][1] < column.bottom:
                assert all(column.x < x < column.right for x, _ in points)

    def test_tracks_of_different_sources_are_apart(self, picture: tuple[Scene, Way]) -> None:
        shown, _ = picture
        upright = [
            (n, piece)
            for n, line in enumerate(shown.lines)
            for ways in (line.points, *line.forks)
            for piece in pairwise(ways)
        ]
        for n, one in upright:
            for m, other in upright:
                assert n >= m or not along(one, other), (shown.lines[n], shown.lines[m])

    def test_those_that_lead_farthest_run_outermost(self, picture: tuple[Scene, Way]) -> None:
        shown, _ = picture
        (column,) = [box.rect for box in shown.boxes if box.role == "way"]
        middle = (column.x + column.right) / 2
        for role in ("run", "images"):
            railed = [line for line in shown.lines if line.role == role and len(line.points) == 4]
            reach = sorted(
                (abs(line.points[-1][1] - line.points[0][1]), abs(line.points[1][0] - middle)) for line in railed
            )
            assert [far for _, far in reach] == sorted(far for _, far in reach)

    def test_every_end_has_a_head(self, picture: tuple[Scene, Way]) -> None:
        shown, _ = picture
        heads = sum(len(ends(line)) for line in shown.lines if line.head)
        assert paint.svg(shown).count("<polygon") == heads


def _many() -> Stack:
    """A second pipeline that builds, and one that may release too."""
    stack = staging()
    stack.pipeline("ci-two", 5, "application")
    stack.allow(5, "endpoint", "e-ci")
    stack.pipeline("cd-two", 6, "platform")
    stack.allow(6, "environment", "7")
    return stack


def drawn(rehearsed: Mapping[str, Rehearsed]) -> Scene:
    return scene(estate({stack: run.export for stack, run in rehearsed.items()}))


def boxes(picture: Scene) -> Iterator[Box]:
    for top in picture.boxes:
        yield from top.all()


def ends(line: Line) -> list[Point]:
    return [line.points[-1], *(fork[-1] for fork in line.forks)]


def at(rect: Rect, point: Point) -> bool:
    """Whether a point lies on the border of a box."""
    x, y = point
    upright = x in (rect.x, rect.right) and rect.y <= y <= rect.bottom
    return upright or (y in (rect.y, rect.bottom) and rect.x <= x <= rect.right)


def through(rect: Rect, piece: tuple[Point, Point]) -> bool:
    (x1, y1), (x2, y2) = piece
    across = max(min(x1, x2), rect.x) < min(max(x1, x2), rect.right) or (x1 == x2 and rect.x < x1 < rect.right)
    down = max(min(y1, y2), rect.y) < min(max(y1, y2), rect.bottom) or (y1 == y2 and rect.y < y1 < rect.bottom)
    return across and down


def along(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether two level or two upright pieces share more than a point."""
    for on, across in ((0, 1), (1, 0)):
        if one[0][across] == one[1][across] == other[0][across] == other[1][across]:
            first, second = (sorted((piece[0][on], piece[1][on])) for piece in (one, other))
            return max(first[0], second[0]) < min(first[1], second[1])
    return False
