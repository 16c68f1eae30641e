"""A new environment is written from typed settings: with ranges, names and owners that nobody else has, as a file that
reads like those that ship, and only once it is known to work."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import settings
from operations import environment
from operations.environment import answer, asking, ranges, writing
from operations.environment.asking import Wanted
from operations.environment.drafting import draft
from operations.environment.tree import Note, sections
from operations.errors import OperationsError
from rehearsal import preview
from rehearsal.console import Console
from rehearsal.errors import RehearsalError
from settings import Settings
from tests.stackfiles import PREFIX, ROOT, STACKS, Config, edited, shipped, steady
from validation import stackfile
from validation.checks import placeholders


def parsed(stack: str, config: Config) -> Settings:
    return settings.parse(stack, config, rehearsal=True)


def shipped_environments(**edits: Mapping[str, Any]) -> dict[str, Settings]:
    """The shipped environments, each edited if asked."""
    return {stack: parsed(stack, edited(shipped(stack), edits.get(stack, {}))) for stack in STACKS}


def drafted(
    environments: Mapping[str, Settings] | None = None, name: str = "qa", source: str = "staging", **more: str
) -> tuple[Settings, dict[str, str]]:
    """A new environment and what is said of its keys."""
    wanted = Wanted(name, source, **more)
    found = environments or shipped_environments()
    asking.judge(wanted, found)
    new, notes = draft(wanted, found)
    return new, {note.path: note.text for note in notes}


def refusal(name: str = "qa", source: str = "staging", **more: Any) -> str:
    environments = more.pop("environments", None)
    with pytest.raises(OperationsError) as raised:
        drafted(environments, name, source, **more)
    return str(raised.value)


class TestWhatANewEnvironmentSharesAndOwns:
    def test_it_is_like_the_one_it_is_made_from_but_for_what_is_there_once(self) -> None:
        new, _ = drafted()
        said, source = sections(new), sections(shipped_environments()["staging"])
        differing = {key for key in {*said, *source} if said.get(key) != source.get(key)}
        assert differing == {"stacks", "network", "registry", "vaults", "defender", "delivery"}
        assert said["stacks"] == {"delivery": "staging", "registry": "staging"}
        assert said["network"] == {**source["network"], "addressSpace": "10.20.16.0/20"}
        assert said["vaults"] == {"workload": source["vaults"]["workload"]}
        assert said["defender"] == {"plans": "existing"}
        assert said["delivery"] == {"organization": source["delivery"]["organization"]}

    def test_one_made_from_a_further_one_leans_on_the_same_owners(self) -> None:
        environments = shipped_environments()
        environments["qa"], _ = drafted(environments)
        new, _ = drafted(environments, "uat", "qa")
        assert (new.stacks.delivery, new.stacks.registry) == ("staging", "staging")
        assert new.network.address_space == "10.20.32.0/20"

    def test_plans_of_a_subscription_that_nobody_owns_are_left_as_they_were(self) -> None:
        environments = shipped_environments(staging={"defender": {"plans": "none"}})
        assert drafted(environments)[0].defender.plans == "none"

    def test_no_two_environments_have_a_name_in_common(self) -> None:
        environments = shipped_environments(staging={"names": {"cluster": "aks-of-the-estate"}, "generation": 3})
        new, notes = drafted(environments)
        assert "names" in notes
        assert new.generation == 1
        mine, theirs = ({name for _, _, name in each.planned_names.all()} for each in (new, environments["staging"]))
        assert {name for name in mine & theirs if "staging" in name} == set()
        assert new.planned_names.cluster == "aks-shop-qa"

    def test_exceptions_are_copied_and_called_into_question(self) -> None:
        said = [{"rule": "registry-sku", "reason": "It moves.", "until": "2027-06-30"}]
        new, notes = drafted(shipped_environments(staging={"exceptions": said}))
        assert [each.rule for each in new.exceptions] == ["registry-sku"]
        assert "exceptions" in notes

    def test_an_own_registry_that_no_pipeline_fills_is_said_to_stay_empty(self) -> None:
        new, notes = drafted(registry="own")
        assert new.registry == shipped_environments()["staging"].registry
        assert new.stacks.registry is None
        assert "No pipeline fills it" in notes["registry"]


class TestProductionFromNonproduction:
    def test_it_gets_what_production_demands(self) -> None:
        new, notes = drafted(name="prod-us", tier="production", registry="own")
        assert new.production
        assert min(pool.min_nodes for pool in (new.cluster.system_pool, *new.cluster.user_pools.values())) == 2
        assert (new.cluster.access, new.cluster.reachable, new.cluster.run_command) == ("private", False, False)
        assert new.vaults.workload.access == "private"
        assert (new.registry.access, new.registry.soft_delete_days) == ("private", 30) if new.registry else False
        assert (new.agents.kind, new.delivery.approvers) == (
            "managed",
            shipped("prod")["aks-cicd:delivery"]["approvers"],
        )
        assert new.stacks.promotes_from == "staging"
        assert new.logs.daily_cap_gb is None
        assert new.warnings == ()
        assert {"cluster.systemPool.minNodes", "cluster.access", "agents.kind", "delivery.approvers"} <= notes.keys()

    def test_it_shares_the_registry_of_production_where_there_is_one(self) -> None:
        new, _ = drafted(name="prod-us", tier="production")
        assert (new.registry, new.stacks.registry, new.stacks.registry_private) == (None, "prod", True)

    def test_the_first_of_all_has_a_registry_of_its_own_and_placeholders_for_what_only_a_person_knows(self) -> None:
        environments = {"staging": shipped_environments()["staging"]}
        new, notes = drafted(environments, "live", tier="production")
        assert new.registry is not None
        assert new.stacks.promotes_from == "staging"
        said = {f"{problem.key}" for problem in placeholders("aks-cicd", sections(new))}
        assert {"aks-cicd:delivery.approvers", "aks-cicd:agents.servicePrincipalId"} <= said
        assert {"delivery.approvers", "agents.servicePrincipalId"} <= notes.keys()

    def test_one_without_a_service_level_and_zones_gets_both(self) -> None:
        edits = {"cluster.sku": "Free", "cluster.zones": [], "network.egress": "loadBalancer"}
        new, _ = drafted(shipped_environments(staging=edits), "prod-us", tier="production")
        assert (new.cluster.sku, new.cluster.zones, new.network.egress) == ("Standard", ("1", "2", "3"), "natGateway")

    def test_nonproduction_from_production_waits_for_nobody(self) -> None:
        new, notes = drafted(name="pre", source="prod", tier="nonproduction")
        assert (new.delivery.approvers, new.stacks.promotes_from, new.stacks.registry) == (None, None, "staging")
        assert {"delivery.approvers", "delivery.gates"} <= notes.keys()


class TestAnotherRegion:
    def test_what_belongs_to_a_region_is_not_taken_along(self) -> None:
        api = (
            "/subscriptions/00000000-0000-0000-0000-000000000030/resourceGroups/rg-hub-dns/providers/Microsoft.Network/"
            "privateDnsZones/privatelink.westeurope.azmk8s.io"
        )
        environments = shipped_environments(prod={"network.privateDnsZones.apiServer": api})
        new, notes = drafted(environments, "prod-uk", "prod", region="ukwest", registry="own")
        assert new.azure.location == "ukwest"
        assert new.cluster.zones == ()
        assert (new.registry.zone_redundant if new.registry else None) is False
        assert new.monitoring.grafana.zone_redundant is False
        assert new.network.private_dns_zones.api_server is None
        assert new.network.hub is not None
        assert "resourceGroups/example" in str(new.network.hub.route_table_id)
        assert {"cluster.zones", "network.hub.routeTableId", "network.privateDnsZones.apiServer"} <= notes.keys()

    def test_an_existing_workspace_stays_where_it_is(self) -> None:
        workspace = (
            "/subscriptions/00000000-0000-0000-0000-000000000030/resourceGroups/rg/providers/"
            "Microsoft.OperationalInsights/workspaces/log-estate"
        )
        environments = shipped_environments(staging={"logs": {"workspaceId": workspace}})
        new, _ = drafted(environments, region="northeurope")
        assert new.logs.location == "westeurope"
        environments = shipped_environments(staging={"logs": {"workspaceId": workspace, "location": "northeurope"}})
        new, _ = drafted(environments, region="northeurope")
        assert new.logs.location is None

    def test_a_registry_is_not_replicated_to_where_it_is(self) -> None:
        edits = {"registry": {"access": "private", "replicas": ["northeurope", "uksouth"]}}
        new, _ = drafted(shipped_environments(prod=edits), "prod-eu", "prod", region="northeurope", registry="own")
        assert new.registry is not None
        assert new.registry.replicas == ("uksouth",)


class TestTheAddressRange:
    @pytest.mark.parametrize(
        ("after", "used", "free"),
        [
            ("10.20.0.0/20", ["10.20.0.0/20"], "10.20.16.0/20"),
            ("10.20.0.0/20", ["10.20.0.0/20", "10.20.20.0/24"], "10.20.32.0/20"),
            ("10.20.0.0/20", ["10.20.0.0/14"], "10.24.0.0/20"),
            ("10.240.0.0/12", ["10.240.0.0/12"], "10.0.0.0/12"),
            ("192.168.0.0/16", ["192.168.0.0/16"], "10.0.0.0/16"),
            ("100.64.0.0/16", ["100.64.0.0/16", "10.0.0.0/16"], "10.1.0.0/16"),
            ("10.0.0.0/12", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], None),
        ],
    )
    def test_is_the_next_of_the_same_size_that_nobody_uses(self, after: str, used: list[str], free: str | None) -> None:
        assert ranges.next_free(after, map(IPv4Network, used)) == free

    @steady(200)
    @given(st.integers(12, 24), st.lists(st.tuples(st.integers(0, 2**24 - 1), st.integers(10, 28)), max_size=12))
    def test_never_overlaps_with_one_that_is_taken(self, prefix: int, others: list[tuple[int, int]]) -> None:
        used = [IPv4Network(((10 << 24) + offset, length), strict=False) for offset, length in others]
        found = ranges.next_free(f"10.16.0.0/{prefix}" if prefix > 11 else "10.0.0.0/8", used)
        assert found is None or not [each for each in used if each.overlaps(IPv4Network(found))]
        assert found is None or IPv4Network(found).prefixlen == prefix

    def test_leaves_alone_what_lies_behind_a_hub_and_inside_clusters(self) -> None:
        edits: dict[str, Mapping[str, Any]] = {
            "staging": {"network.podRange": "10.32.0.0/16", "network.addressSpace": "10.31.240.0/20"},
            "prod": {"network.hub.addressSpaces": ["10.0.0.0/16", "10.33.0.0/16"]},
        }
        assert drafted(shipped_environments(**edits))[0].network.address_space == "10.34.0.0/20"

    def test_that_is_nowhere_free_is_a_message(self) -> None:
        inside = {"addressSpace": "100.64.0.0/18", "podRange": "100.65.0.0/16", "serviceRange": "100.66.0.0/16"}
        everything = {"hub.addressSpaces": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}
        edit = {f"network.{key}": value for key, value in {**inside, **everything}.items()}
        environments = shipped_environments(prod=edit)
        said = refusal(environments=environments)
        assert said.count("allowed:") == 1
        assert "a private range of the size of 10.20.0.0/20 is free" in said


class TestTheFile:
    @pytest.mark.parametrize("stack", STACKS)
    def test_of_a_shipped_environment_is_written_as_it_ships(self, stack: str, tmp_path: Path) -> None:
        """Same keys in the same order, same quotes, same lines: all but the comments."""
        text = writing.render(parsed(stack, shipped(stack)), (), ())
        ships = (ROOT / f"Pulumi.{stack}.yaml").read_text()
        kept = [line for line in ships.splitlines() if not line.lstrip().startswith("#")]
        assert [line.replace('"', "") for line in text.splitlines()] == [line.replace('"', "") for line in kept]

    @pytest.mark.parametrize("stack", STACKS)
    def test_is_read_by_the_engine_as_it_was_meant(self, stack: str, tmp_path: Path) -> None:
        path = tmp_path / f"Pulumi.{stack}.yaml"
        path.write_text(writing.render(parsed(stack, shipped(stack)), ("heading",), (Note("cluster.access", "why"),)))
        assert stackfile.read(path) == stackfile.read(ROOT / f"Pulumi.{stack}.yaml")

    @pytest.mark.parametrize(
        "value", ["4711", "08:15", "1e3", "yes", "off", "null", "~", "0x1f", "2027-06-30", "1_000", "-.5", "a: b", "#x"]
    )
    def test_keeps_text_that_looks_like_something_else(self, value: str, tmp_path: Path) -> None:
        path = tmp_path / "Pulumi.staging.yaml"
        path.write_text(writing.render(parsed("staging", edited(shipped("staging"), {"tags.odd": value})), (), ()))
        assert stackfile.read(path)["aks-cicd:tags"]["odd"] == value
        assert yaml.safe_load(path.read_text())["config"]["aks-cicd:tags"]["odd"] == value

    def test_says_beside_a_value_why_it_is_so(self) -> None:
        new, _ = drafted(name="prod-us", tier="production", registry="own")
        wanted = Wanted("prod-us", "staging", tier="production", registry="own")
        _, notes = draft(wanted, shipped_environments())
        lines = writing.render(new, answer.heading(new, shipped_environments()["staging"]), notes).splitlines()
        at = lines.index("    # Microsoft-hosted agents cannot reach a private API server.")
        assert lines[at + 1] == "    kind: managed"
        assert max(map(len, lines)) <= 120
        assert lines[0].startswith("# prod-us: a production environment, made from `staging`.")


ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ""}, "NAME = not set\n    allowed: 2 to 10 lower-case letters"),
    "an illegal name": ({"name": "QA"}, 'NAME = "QA"\n    allowed: 2 to 10 lower-case letters'),
    "a path for a name": ({"name": "../x"}, "NAME = "),
    "a name that is too long": ({"name": "production1"}, 'NAME = "production1"\n    allowed: 2 to 10'),
    "the source's name": ({"name": "staging"}, 'NAME = "staging"\n    allowed: another name than staging'),
    "the name of a stage": ({"name": "record"}, 'NAME = "record"\n    allowed: a name that no stage of cd has'),
    "an unknown source": ({"source": "stagging"}, "did you mean staging?"),
    "no source": ({"source": ""}, "FROM = not set\n    allowed: a stack that has a file: prod, staging"),
    "an unknown region": ({"region": "westeurop"}, "did you mean westeurope?"),
    "no region after all": ({"region": ""}, "REGION = not set"),
    "an unknown tier": ({"tier": "prod"}, "did you mean production?"),
    "an unknown kind of registry": ({"registry": "mine"}, "allowed: own or shared"),
    "a result that cannot be written": ({"json": "/nowhere/at/all.json"}, "make the directory first"),
}


class TestBadInput:
    @pytest.mark.parametrize("case", ASKED)
    def test_gets_one_message_that_tells_how_to_mend_it(self, case: str) -> None:
        asked, says = ASKED[case]
        said = refusal(**{"name": "qa", "source": "staging", **asked})
        assert says in said
        assert said.count("mend:") == 1

    def test_all_of_it_is_told_at_once(self) -> None:
        said = refusal(name="QA", source="nowhere", region="mars", tier="x", registry="y")
        assert [said.count(f"{key} = ") for key in ("NAME", "FROM", "REGION", "TIER", "REGISTRY")] == [1] * 5

    def test_a_registry_is_not_shared_with_the_other_tier(self) -> None:
        environments = {"staging": shipped_environments()["staging"]}
        said = refusal("live", environments=environments, tier="production", registry="shared")
        assert "the registry of staging is of the other tier" in said

    def test_a_registry_to_share_must_be_the_only_one(self) -> None:
        environments = shipped_environments()
        environments["prod-eu"], _ = drafted(environments, "prod-eu", "prod", registry="own")
        said = refusal("prod-us", environments=environments, tier="production", registry="shared")
        assert "prod and prod-eu have one" in said
        assert drafted(environments, "prod-us", tier="production")[0].registry is not None

    def test_stages_that_are_there_already_are_reserved(self) -> None:
        stages = yaml.safe_load((ROOT / "pipelines/templates/environments.yml").read_text())["stages"]
        assert {stage["stage"] for stage in stages if "stage" in stage} == asking.RESERVED


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's program and stack files, with a build directory of their own."""
    for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py"):
        shutil.copy(path, tmp_path)
    for linked in (".ci", ".tools", "components", "pipelines", "tools", "workload"):
        (tmp_path / linked).symlink_to(ROOT / linked)
    return tmp_path


def files(project: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in project.iterdir() if path.is_file()}


@pytest.fixture
def rehearsed_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The draft is read and planned, and no engine is started: following docs/new-environment.md starts one."""

    def previewed(root: Path, name: str, draft_file: Path, *_: object) -> Any:
        return preview.plan(root, [name], {name: draft_file})

    monkeypatch.setattr(environment, "_previewed", previewed)


class TestTheDoor:
    @pytest.mark.usefixtures("rehearsed_in_words")
    def test_writes_one_file_and_tells_people_and_pipelines_what_it_has_done(self, project: Path) -> None:
        before, shown = files(project), io.StringIO()
        wanted = Wanted("qa", "staging", json=str(project / "qa.json"))
        environment.create(project, wanted, Console(shown)).tell(Console(shown))
        after = files(project)
        assert after.keys() - before.keys() == {"Pulumi.qa.yaml", "qa.json"}
        assert {name: text for name, text in after.items() if name in before} == before
        told, text = json.loads(after["qa.json"]), shown.getvalue()
        assert (told["file"], told["addressSpace"], told["order"]) == (
            "Pulumi.qa.yaml",
            "10.20.16.0/20",
            ["staging", "qa"],
        )
        assert told["leansOn"] == {"delivery": "staging", "promotesFrom": None, "registry": "staging"}
        assert told["names"]["cluster"] == "aks-shop-qa"
        assert told["releaseLine"] == "{ key: qa, after: staging, approvers: false }"
        keys = [each["key"] for each in told["placeholders"]]
        assert "aks-cicd:azure.subscriptionId" in keys
        assert all(key.removeprefix(PREFIX) in text for key in keys)
        assert told["next"][0].startswith("Replace the placeholders in Pulumi.qa.yaml")
        with pytest.raises(OperationsError, match="nothing is overwritten"):
            environment.create(project, Wanted("qa", "staging", region="northeurope"), Console(io.StringIO()))
        assert files(project) == after

    def test_leaves_nothing_behind_where_the_preview_fails(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = files(project)

        def fail(*_: object) -> None:
            raise RehearsalError("the engine found something")

        monkeypatch.setattr(environment, "_previewed", fail)
        with pytest.raises(RehearsalError, match="found something"):
            environment.create(project, Wanted("qa", "staging", json=str(project / "qa.json")), Console(io.StringIO()))
        assert files(project) == before

    @pytest.mark.usefixtures("rehearsed_in_words")
    def test_says_that_a_file_is_there_as_it_would_write_it(self, project: Path) -> None:
        first = environment.create(project, Wanted("qa", "staging"), Console(io.StringIO()))
        again = environment.create(project, Wanted("qa", "staging"), Console(io.StringIO()))
        assert (first.unchanged, again.unchanged) == (False, True)

    def test_refuses_a_name_that_is_taken(self, project: Path) -> None:
        with pytest.raises(OperationsError, match=r"Pulumi\.staging\.yaml is there already, and prod leans on it"):
            environment.create(project, Wanted("staging", "prod"), Console(io.StringIO()))
        with pytest.raises(OperationsError, match=r"Pulumi\.prod\.yaml is there already"):
            environment.create(project, Wanted("prod", "staging"), Console(io.StringIO()))
