"""The drawing shows everything, marks what matters, and stays legible, whatever the exports hold."""

from __future__ import annotations

import pickle
import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from typing import Any, cast

import pytest

from rehearsal import topology
from rehearsal.exposure import PUBLIC, public_endpoint
from rehearsal.graph import Graph
from rehearsal.topology import paint
from rehearsal.topology.layout import scene
from rehearsal.topology.nodes import Access
from rehearsal.topology.reading import estate
from rehearsal.topology.scene import FONTS, Badge, Box, Icon, Line, Rect, Scene, Text
from rehearsal.topology.text import SEPARATOR, fitted, width
from tests.conftest import Rehearsed
from tests.rehearsal.estates import (
    HOSTILE,
    LONG,
    Exports,
    added,
    borrowing,
    by_load_balancer,
    component_of_the_future,
    one,
    restricted,
    states,
    without,
)
from tests.rehearsal.estates import VARIANTS as ESTATES
from tests.rehearsal.ways import WAYS

VARIANTS = {**ESTATES, **WAYS}
Placed = Text | Badge | Icon | Box
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Drawing:
    """A variant, drawn once for all tests that only look at it. `before` is what the exports were, as bytes."""

    exports: Exports
    before: bytes
    picture: Scene
    svg: str


@pytest.fixture(scope="module")
def kept(rehearsed: Mapping[str, Rehearsed]) -> bytes:
    return pickle.dumps({stack: dict(found.export) for stack, found in rehearsed.items()})


@pytest.fixture
def shipped(kept: bytes) -> Exports:
    """Fresh each time, so that a test may change it."""
    return fresh(kept)


@pytest.fixture(scope="module")
def drawings(kept: bytes) -> Callable[[str], Drawing]:
    @cache
    def draw(variant: str) -> Drawing:
        shipped = fresh(kept)
        exports = VARIANTS[variant](shipped["staging"], shipped["prod"])
        before = pickle.dumps(exports)
        picture = drawn(exports)
        return Drawing(exports, before, picture, paint.svg(picture))

    return draw


@pytest.fixture(params=VARIANTS)
def drawing(request: pytest.FixtureRequest, drawings: Callable[[str], Drawing]) -> Drawing:
    """Each variant in turn, for invariants that hold in all."""
    return drawings(request.param)


@pytest.fixture
def picture(drawing: Drawing) -> Scene:
    return drawing.picture


def fresh(kept: bytes) -> Exports:
    return cast(Exports, pickle.loads(kept))


def drawn(exports: Mapping[str, Any]) -> Scene:
    return scene(estate(exports))


def boxes(picture: Scene) -> Iterator[Box]:
    for top in picture.boxes:
        yield from top.all()


def named(picture: Scene, name: str) -> Box:
    """The one box with this name on its face."""
    (found,) = [box for box in boxes(picture) if any(t.style == "name" and t.whole == name for t in box.texts)]
    return found


def words(picture: Scene) -> str:
    return "\n".join(ET.fromstring(paint.svg(picture)).itertext())


def on(box: Box) -> set[str]:
    """What stands on a box itself: whole lines, and each fact of a line."""
    lines = {text.whole for text in box.texts} | {badge.text.whole for badge in box.badges}
    return lines | {fact for line in lines for fact in line.split(SEPARATOR)}


def access(box: Box) -> str:
    """The word that says who reaches it; empty on boxes that have no end point."""
    (word,) = on(box) & {each.word for each in Access} or {""}
    return word


def connects(line: Line, left: Rect, right: Rect) -> bool:
    (x, y), (end_x, end_y) = line.points[0], line.points[-1]
    starts = x == left.right and left.y <= y <= left.bottom
    return starts and end_x == right.x and right.y <= end_y <= right.bottom


class TestEverythingIsThere:
    def test_every_resource_is_named(self, drawing: Drawing) -> None:
        text = words(drawing.picture)
        for export in drawing.exports.values():
            for resource in Graph.of(export).resources:
                names = [resource.logical_name, topology.text.clean(resource.name)]
                assert any(name in text for name in names), resource.urn

    def test_without_any_one_resource_the_picture_is_another(self, shipped: Exports) -> None:
        for stack, export in shipped.items():
            whole = drawn({stack: export})
            seeds = [each for each in states(export) if each["type"].endswith(":GitRepositoryFile")]
            for state in states(export):
                if state["type"].startswith(("pulumi:providers:", "pulumi:pulumi:Stack")) and not state.get("external"):
                    continue
                # Files that a repository was seeded with are told by their number: of them one is enough.
                if state in seeds[1:]:
                    continue
                left = [each for each in states(export) if each is not state]
                assert drawn({stack: {"deployment": {"resources": left}}}) != whole, state["urn"]

    def test_pools_say_size_range_and_zones(self, shipped: Exports) -> None:
        facts = on(next(box for box in boxes(drawn(shipped)) if box.role == "pool" and "batch" in on(box)))
        assert "Standard_E8ds_v5 · 2–8 nodes · zones 1 2 3" in facts

    def test_a_cluster_that_answers_with_all_its_pools_shows_none_twice(self, shipped: Exports) -> None:
        before = drawn(shipped)
        cluster = one(shipped["prod"], "ManagedCluster", "cluster")["outputs"]
        cluster["agentPoolProfiles"].append({"name": "apps", "vnetSubnetID": "/elsewhere"})
        assert len(list(boxes(drawn(shipped)))) == len(list(boxes(before)))

    def test_subnets_say_range_guard_and_way_out(self, shipped: Exports) -> None:
        picture = drawn({"staging": shipped["staging"]})
        assert {"10.20.0.0/21", "NSG", "NAT gateway"} <= on(named(picture, "snet-nodes"))

    def test_a_subnet_without_a_guard_says_so(self, shipped: Exports) -> None:
        del one(shipped["staging"], "Subnet", "nodes-subnet")["outputs"]["networkSecurityGroup"]
        del one(shipped["staging"], "Subnet", "nodes-subnet")["inputs"]["networkSecurityGroup"]
        assert "NO NSG" in on(named(drawn({"staging": shipped["staging"]}), "snet-nodes"))

    def test_a_component_without_a_picture_is_counted(self, shipped: Exports) -> None:
        picture = drawn({"staging": added(shipped["staging"], *component_of_the_future("staging", 3))})
        assert {"3 resources", "1 × Kind0", "1 × Kind1", "1 × Kind2"} <= on(named(picture, "things"))

    def test_a_component_without_resources_is_still_there(self, shipped: Exports) -> None:
        empty = component_of_the_future("staging", 0)[:1]
        picture = drawn({"staging": added(shipped["staging"], *empty)})
        assert "0 resources" in on(named(picture, "things"))


class TestConnections:
    @pytest.mark.parametrize("what", ["workload-vault", "registry"])
    def test_what_is_private_is_connected_to_its_end_point(self, what: str, shipped: Exports) -> None:
        picture = drawn(shipped)
        point = one(shipped["prod"], "PrivateEndpoint", f"{what}-endpoint")
        target = point["outputs"]["privateLinkServiceConnections"][0]["privateLinkServiceId"].rsplit("/")[-1]
        left, right = named(picture, point["outputs"]["name"]), named(picture, target)
        assert any(line.role == "private" and connects(line, left.rect, right.rect) for line in picture.lines)
        assert "PRIVATE" in on(right)

    def test_the_kubelets_pull_from_their_registry(self, shipped: Exports) -> None:
        picture = drawn(shipped)
        for stack in ("staging", "prod"):
            nodes = next(box for box in boxes(picture) if box.role == "cluster" and f"aks-shop-{stack}" in on(box))
            registry = named(picture, one(shipped[stack], "Registry", "registry")["outputs"]["name"])
            assert any(line.role == "pull" and connects(line, nodes.rect, registry.rect) for line in picture.lines)

    def test_a_grant_to_somebody_else_is_no_pull_of_the_kubelets(self, shipped: Exports) -> None:
        one(shipped["staging"], "RoleAssignment", "kubelet-pulls")["outputs"]["principalId"] = "somebody"
        frame_lines = [line for line in drawn({"staging": shipped["staging"]}).lines if line.role == "pull"]
        assert len(frame_lines) == 1, "the legend's sample alone"

    def test_a_borrowed_registry_is_marked_as_the_lenders(self, shipped: Exports) -> None:
        picture = drawn({"staging": shipped["staging"], "qa": borrowing(shipped["staging"])})
        name = one(shipped["staging"], "Registry", "registry")["outputs"]["name"]
        (lent,) = [box for box in boxes(picture) if name in on(box) and "foreign" in box.role]
        assert "owned by staging" in on(lent)
        assert any(line.role == "pull" and line.points[-1][0] == lent.rect.x for line in picture.lines)
        assert "qa reads the contract of staging and pulls its images" in words(picture)

    def test_logs_are_one_line_with_their_number(self, shipped: Exports) -> None:
        picture = drawn({"prod": shipped["prod"]})
        count = sum(each["type"].endswith(":DiagnosticSetting") for each in states(shipped["prod"]))
        (line,) = [line for line in picture.lines if line.role == "logs" and line.label]
        assert line.label
        assert line.label.whole == f"{count} logs"

    def test_prod_leans_on_staging(self, shipped: Exports) -> None:
        picture = drawn(shipped)
        frames = {box.key: box.rect for box in picture.boxes if box.role == "environment"}
        (line,) = [line for line in picture.lines if line.role == "contract" and line.label]
        assert frames["prod"].x < line.points[0][0] < frames["prod"].right
        assert frames["staging"].x < line.points[-1][0] < frames["staging"].right
        assert line.points[-1][1] == frames["staging"].y

    def test_what_leaves_by_the_hub_leads_to_the_hub(self, shipped: Exports) -> None:
        picture = drawn(shipped)
        hub = named(picture, "vnet-hub").rect
        ways = [
            line for line in picture.lines if line.points[-1][1] == hub.y and hub.x < line.points[-1][0] < hub.right
        ]
        assert {line.role for line in ways} == {"peering", "egress"}
        (out,) = [line for line in ways if line.role == "egress"]
        assert len(out.branches) == 1, "nodes and agents leave, nothing else does"

    def test_neighbours_on_one_hub_share_its_box(self, shipped: Exports) -> None:
        exports = VARIANTS["six stacks"](shipped["staging"], shipped["prod"])
        picture = drawn({name: exports[name] for name in ("prod", "prodeu")})
        assert "prodeu leaves by route table rt-to-hub" in words(picture)
        assert named(picture, "vnet-hub")

    @pytest.mark.parametrize("way", ["NAT gateway", "Load balancer"])
    def test_what_leaves_crosses_into_the_internet(self, way: str, shipped: Exports) -> None:
        staging = by_load_balancer(shipped["staging"]) if way == "Load balancer" else shipped["staging"]
        picture = drawn({"staging": staging})
        (gateway,) = [box for box in boxes(picture) if box.role == "egress"]
        (internet,) = [box for box in boxes(picture) if box.role == "internet"]
        assert way in on(gateway)
        ends = [line.points[-1][0] for line in picture.lines if line.points[0][0] == gateway.rect.right]
        assert any(internet.rect.x < x < internet.rect.right for x in ends)


class TestWhatWatches:
    def test_stands_in_one_group_with_its_counts_and_who_is_told(self, shipped: Exports) -> None:
        group = named(drawn({"prod": shipped["prod"]}), "Watched by")
        told = {fact for box in group.all() for fact in on(box)}
        assert {"Log workspace", "Metrics workspace", "Application Insights", "Grafana", "Defender for Cloud"} <= told
        assert {"38 on metrics", "7 on logs", "8 on the activity log", "4 measures of delivery"} <= told
        assert {"e-mail on-call", "e-mail platform-team", "webhook on-call-channel"} <= told
        assert "plans Containers, KeyVaults" in told

    def test_metrics_go_from_the_nodes_to_their_workspace(self, shipped: Exports) -> None:
        picture = drawn(shipped)
        for stack in ("staging", "prod"):
            nodes = next(box for box in boxes(picture) if box.role == "cluster" and f"aks-shop-{stack}" in on(box))
            target = named(picture, f"amw-shop-{stack}")
            assert any(line.role == "metrics" and connects(line, nodes.rect, target.rect) for line in picture.lines)

    def test_no_association_no_metrics(self, shipped: Exports) -> None:
        association = one(shipped["prod"], "DataCollectionRuleAssociation", "metrics-of-cluster")
        states(shipped["prod"]).remove(association)
        lines = [line for line in drawn({"prod": shipped["prod"]}).lines if line.role == "metrics"]
        assert len(lines) == 1, "the legend's sample alone"

    def test_no_address_of_a_webhook_is_in_the_picture(self, shipped: Exports) -> None:
        group = one(shipped["prod"], "ActionGroup", "operators")
        for side in ("inputs", "outputs"):
            group[side]["webhookReceivers"] = [{"name": "chat", "serviceUri": "https://chat.example/tr0ub4dor"}]
        svg = topology.draw(shipped)
        assert "webhook chat" in svg
        assert "tr0ub4dor" not in svg

    def test_alerts_that_tell_nobody_are_warned_of(self, shipped: Exports) -> None:
        group = one(shipped["prod"], "ActionGroup", "operators")
        for side in ("inputs", "outputs"):
            group[side] |= {"webhookReceivers": [], "emailReceivers": []}
        told = {badge.text.whole for box in boxes(drawn(shipped)) for badge in box.badges if badge.role == "warning"}
        assert {"NO ONE IS TOLD OF 53", "NO RECEIVERS"} <= told

    def test_plans_of_another_stack_are_not_shown_as_own(self, shipped: Exports) -> None:
        defender = [each for each in states(shipped["prod"]) if each["type"].endswith((":Pricing", ":SecurityContact"))]
        for each in defender:
            states(shipped["prod"]).remove(each)
        assert "plans owned elsewhere" in words(drawn({"prod": shipped["prod"]}))

    def test_without_anything_that_watches_there_is_no_group(self, shipped: Exports) -> None:
        bare = shipped["staging"]
        for component in ("observability:Observability", "observability:Logs", "defender:Defender"):
            bare = without(bare, f"aks-cicd:{component}")
        kept = [each for each in states(bare) if not each["type"].endswith(":DiagnosticSetting")]
        assert "Watched by" not in words(drawn({"staging": {"deployment": {"resources": kept}}}))


class TestInTheCluster:
    def test_a_namespace_is_one_box_with_counts(self, shipped: Exports) -> None:
        picture = drawn({"staging": shipped["staging"]})
        cluster = next(box for box in boxes(picture) if box.role == "cluster")
        (shop,) = [box for box in cluster.children if "shop" in on(box)]
        assert {"pod security restricted", "5 network policies", "quota", "service account"} <= on(shop)

    def test_objects_without_a_cluster_are_counted_with_their_component(self, shipped: Exports) -> None:
        picture = drawn({"staging": without(shipped["staging"], "aks-cicd:cluster:Cluster")})
        assert "5 × NetworkPolicy" in on(named(picture, "workload"))


class TestWhatFacesTheInternet:
    def test_is_marked_by_word_and_by_a_globe_on_the_border(self, drawing: Drawing) -> None:
        for stack, export in drawing.exports.items():
            opened = [each for each in Graph.of(export).resources if each.custom and public_endpoint(each)]
            (frame,) = [box for box in drawing.picture.boxes if box.key == stack]
            border = [icon.rect for icon in drawing.picture.icons if icon.x + 6 == frame.rect.right]
            levels = {rect.y for rect in border if frame.rect.y < rect.y < frame.rect.bottom}
            marked = [box for box in frame.all() if access(box) not in ("", "PRIVATE")]
            assert all(any(box.rect.y < y < box.rect.bottom for y in levels) for box in marked)
            assert len(levels) == len(marked)
            for each in opened:
                # The end points of a collection are part of the workspace that they lead to.
                if each.short_type != "PublicIPAddress":
                    assert [box.key for box in marked if box.key == each.urn or each.name in box.tooltip], each.urn

    def test_nothing_private_is_marked_as_public(self, drawing: Drawing) -> None:
        opened = {
            each.urn
            for export in drawing.exports.values()
            for each in Graph.of(export).of_kind(*PUBLIC)
            if public_endpoint(each)
        }
        assert {box.key for box in boxes(drawing.picture) if access(box) not in ("", "PRIVATE")} <= opened

    def test_of_production_takes_tokens_of_entra_id_only(self, shipped: Exports) -> None:
        picture = drawn({"prod": shipped["prod"]})
        kinds = ("Workspace", "AzureMonitorWorkspace", "Component", "Grafana")
        urns = {each["urn"] for each in states(shipped["prod"]) if each["type"].rsplit(":", 1)[-1] in kinds}
        assert {box.key for box in boxes(picture) if access(box) == "PUBLIC, ENTRA ID"} == urns
        assert not [box.key for box in boxes(picture) if access(box) == "PUBLIC"]

    @pytest.mark.parametrize(
        ("type_", "name", "keys"),
        [
            ("Workspace", "workspace", {"features": {"disableLocalAuth": False}}),
            ("Component", "application-insights", {"disableLocalAuth": False}),
            ("Grafana", "grafana", {"properties": {"apiKey": "Enabled"}}),
        ],
    )
    def test_takes_more_than_tokens_where_keys_are_on(
        self, type_: str, name: str, keys: dict[str, Any], shipped: Exports
    ) -> None:
        state = one(shipped["prod"], type_, name)
        for side in ("inputs", "outputs"):
            state[side] |= keys
        picture = drawn({"prod": shipped["prod"]})
        assert [box.key for box in boxes(picture) if access(box) == "PUBLIC"] == [state["urn"]]

    def test_an_open_end_point_of_a_closed_workspace_is_not_hidden_by_it(self, shipped: Exports) -> None:
        state = one(shipped["prod"], "AzureMonitorWorkspace", "metrics-workspace")
        state["outputs"]["publicNetworkAccess"] = "Disabled"
        (box,) = [box for box in boxes(drawn({"prod": shipped["prod"]})) if box.key == state["urn"]]
        assert access(box) == "PUBLIC, ENTRA ID"
        endpoint = one(shipped["prod"], "DataCollectionEndpoint", "metrics-endpoint")
        endpoint["outputs"]["networkAcls"] = {"publicNetworkAccess": "Disabled"}
        (box,) = [box for box in boxes(drawn({"prod": shipped["prod"]})) if box.key == state["urn"]]
        assert access(box) == "PRIVATE"

    def test_an_allow_list_is_told_apart_from_the_whole_internet(self, shipped: Exports) -> None:
        picture = drawn({"staging": restricted(shipped["staging"])})
        assert sum("RESTRICTED" in on(box) for box in boxes(picture)) == 3

    def test_a_kind_without_a_picture_that_faces_the_internet_has_a_box_on_the_border(self, shipped: Exports) -> None:
        picture = drawn({"staging": added(shipped["staging"], *component_of_the_future("staging", 1))})
        assert "PUBLIC" in on(named(picture, "pip-things"))


class TestGuards:
    def test_a_lock_and_protection_have_signs_of_their_own(self, shipped: Exports) -> None:
        picture = drawn({"prod": shipped["prod"]})
        vault = named(picture, one(shipped["prod"], "Vault", "workload-vault")["outputs"]["name"])
        nodes = next(box for box in boxes(picture) if box.role == "cluster")
        assert "padlock locked" in {icon.kind for icon in vault.icons}
        assert "padlock" in {icon.kind for icon in nodes.icons}

    def test_a_lock_on_the_whole_group_is_shown_with_the_environment(self, shipped: Exports) -> None:
        group = one(shipped["staging"], "ResourceGroup", "environment")
        type_ = "azure-native:authorization:ManagementLockAtResourceGroupLevel"
        lock = {
            "urn": f"urn:pulumi:staging::aks-cicd::{type_}::group-lock",
            "type": type_,
            "custom": True,
            "id": f"{group['id']}/providers/Microsoft.Authorization/locks/group-lock",
        }
        picture = drawn({"staging": added(shipped["staging"], lock)})
        (frame,) = [box for box in picture.boxes if box.role == "environment"]
        assert [icon.kind for icon in frame.icons] == ["padlock locked"]
        assert "group-lock" in frame.tooltip

    def test_what_nobody_guards_has_no_padlock(self, shipped: Exports) -> None:
        picture = drawn({"staging": shipped["staging"]})
        shown = [box for box in boxes(picture) if box.role != "legend"]
        padlocked = {box.key for box in shown if any(icon.kind.startswith("padlock") for icon in box.icons)}
        assert padlocked <= {each["urn"] for each in states(shipped["staging"]) if each.get("protect")}


class TestLegibility:
    def test_no_two_sibling_boxes_overlap(self, picture: Scene) -> None:
        for siblings in (picture.boxes, *(box.children for box in boxes(picture))):
            for one_, other in combinations(siblings, 2):
                assert not one_.rect.overlaps(other.rect), (one_.key, other.key)

    def test_boxes_lie_in_their_boxes_and_in_the_picture(self, picture: Scene) -> None:
        paper = Rect(0, 0, picture.width, picture.height)
        for box in boxes(picture):
            assert paper.holds(box.rect), box.key
            assert all(box.rect.holds(child.rect) for child in box.children), box.key

    def test_text_fits_its_box(self, picture: Scene) -> None:
        for box in boxes(picture):
            marks: tuple[Placed, ...] = (*box.texts, *box.badges, *box.icons)
            for inner in marks:
                assert box.rect.holds(inner.rect), (box.key, inner)
            for badge in box.badges:
                assert badge.rect.holds(badge.text.rect), badge

    def test_nothing_in_a_box_lies_on_something_else_in_it(self, picture: Scene) -> None:
        for box in boxes(picture):
            inside: tuple[Placed, ...] = (*box.texts, *box.badges, *box.icons, *box.children)
            for one_, other in combinations(inside, 2):
                assert not one_.rect.overlaps(other.rect), (box.key, one_, other)

    def test_the_words_on_lines_lie_on_no_box_and_on_no_other_words(self, picture: Scene) -> None:
        labels = [line.label for line in picture.lines if line.label]
        inside = [box for box in boxes(picture) if box.role not in ("environment", "way")]
        for label in labels:
            assert not [box.key for box in inside if box.rect.overlaps(label.rect)], label
        for one_, other in combinations((*labels, *picture.texts), 2):
            assert not one_.rect.overlaps(other.rect), (one_, other)

    def test_no_two_lines_lie_on_one_another(self, picture: Scene) -> None:
        pieces = [(n, piece) for n, line in enumerate(picture.lines) for piece in pairwise(line.points)]
        for (n, one_), (m, other) in combinations(pieces, 2):
            if n != m:
                assert not _along(one_, other), (picture.lines[n], picture.lines[m])

    def test_what_is_cut_says_the_whole_when_pointed_at(self) -> None:
        text = Text.fit(0, 0, "name", LONG, 100)
        assert text.content != LONG
        assert text.whole == LONG
        assert text.content[:5] == LONG[:5]
        assert text.content[-3:] == LONG[-3:]

    def test_a_cut_text_never_takes_more_than_its_room(self) -> None:
        for room in range(0, 400, 7):
            assert width(fitted(LONG, room, 12), 12) <= room

    def test_shipped_environments_suit_a_landscape_page(self, shipped: Exports) -> None:
        picture = drawn(shipped)
        assert 1.2 < picture.width / picture.height < 1.7


def _along(one_: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Whether two level or two upright pieces share more than a point."""
    for along, across in ((0, 1), (1, 0)):
        if one_[0][across] == one_[1][across] == other[0][across] == other[1][across]:
            first, second = (sorted((piece[0][along], piece[1][along])) for piece in (one_, other))
            return bool(max(first[0], second[0]) < min(first[1], second[1]))
    return False


class TestTheFile:
    def test_is_the_same_in_whatever_order_the_engine_keeps_its_resources(self, drawing: Drawing) -> None:
        exports = fresh(drawing.before)
        for export in exports.values():
            random.Random(1).shuffle(export["deployment"].get("resources") or [])
        assert topology.draw(exports) == drawing.svg

    def test_changes_no_export(self, drawing: Drawing) -> None:
        assert drawing.exports == fresh(drawing.before)

    def test_is_well_formed_and_fetches_and_runs_nothing(self, drawing: Drawing) -> None:
        root = ET.fromstring(drawing.svg)
        known = {
            "svg",
            "title",
            "desc",
            "style",
            "g",
            "rect",
            "text",
            "path",
            "circle",
            "ellipse",
            "polyline",
            "polygon",
        }
        for element in root.iter():
            assert element.tag.removeprefix(SVG) in known
            assert not [name for name in element.attrib if "href" in name or name.startswith("on")]
        style = root.findtext(f"{SVG}style", "")
        assert not re.search(r"url\(|@import|@font-face", style)

    def test_hostile_names_stay_text(self, shipped: Exports) -> None:
        svg = topology.draw(VARIANTS["hostile names"](shipped["staging"], shipped["prod"]))
        assert "<script" not in svg
        assert not set("\x00\u202e") & set(svg)
        assert topology.text.clean(HOSTILE) in "".join(ET.fromstring(svg).itertext())

    def test_no_secret_is_in_it(self, shipped: Exports) -> None:
        secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hunter2"'}
        one(shipped["staging"], "Vault", "ci-vault")["outputs"]["name"] = secret
        assert "hunter2" not in topology.draw(shipped)

    def test_is_told_to_who_does_not_see_it(self, drawing: Drawing) -> None:
        root = ET.fromstring(drawing.svg)
        assert root.get("role") == "img"
        labels = {element.get("id"): element.text for element in root.iter() if element.get("id")}
        assert all(labels[id_] for id_ in root.get("aria-labelledby", "").split())
        for group in root.iter(f"{SVG}g"):
            assert group.findtext(f"{SVG}title"), group.attrib

    def test_every_kind_of_line_and_sign_is_in_the_legend(self, picture: Scene) -> None:
        (legend,) = [box for box in picture.boxes if box.key == "legend"]
        samples = {line.role for line in picture.lines if legend.rect.y < line.points[0][1]}
        drawn_lines = {line.role for line in picture.lines if not line.role.startswith("open ")}
        signs = {icon.kind for box in boxes(picture) for icon in box.icons} | {icon.kind for icon in picture.icons}
        assert drawn_lines <= samples
        assert signs <= {icon.kind for icon in legend.icons}

    def test_letters_have_the_size_that_they_were_measured_with(self, shipped: Exports) -> None:
        style = ET.fromstring(topology.draw(shipped)).findtext(f"{SVG}style", "")
        for name, (size, bold) in FONTS.items():
            css = Text(0, 0, name, "", "").css
            rule = re.search(rf"\.{css}\b[^{{}}]*{{([^}}]*font-size[^}}]*)}}", style)
            assert rule
            assert f"font-size: {size}px" in rule[1]
            assert ("font-weight: 700" in rule[1]) == bold

    def test_adapts_to_dark_screens_and_to_paper(self, shipped: Exports) -> None:
        style = ET.fromstring(topology.draw(shipped)).findtext(f"{SVG}style", "")
        assert "@media screen and (prefers-color-scheme: dark)" in style
        assert "size: A4 landscape" in style
