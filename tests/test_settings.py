"""Whoever errs in a stack file reads key, value, what is allowed and how to mend it, for all mistakes at once."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

import settings
from components.delivery.checks import DAYS, PRODUCTION, BusinessHours, Gates
from policies import Exemption
from settings import Settings, SettingsError
from tests.stackfiles import STACKS, Config, edited, shipped


@dataclass(frozen=True)
class Bad:
    """One entry of bad_settings.yaml, which tells what the fields mean."""

    name: str
    of: str
    says: str
    set: Mapping[str, Any]
    remove: tuple[str, ...]
    stack: str
    real: bool

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Bad:
        assert entry.keys() <= {"name", "of", "says", "set", "remove", "stack", "real"}, entry["name"]
        return cls(
            entry["name"],
            entry["of"],
            entry["says"],
            entry.get("set", {}),
            tuple(entry.get("remove", ())),
            entry.get("stack", "staging" if entry["of"] == "nothing" else entry["of"]),
            entry.get("real", False),
        )

    @property
    def config(self) -> Config:
        return edited({} if self.of == "nothing" else shipped(self.of), self.set, self.remove)


TABLE = [Bad.read(entry) for entry in yaml.safe_load(Path(__file__).with_name("bad_settings.yaml").read_text())]


def parse(stack: str, new: Mapping[str, Any] | None = None, gone: tuple[str, ...] = ()) -> Settings:
    """A shipped stack file with an edit, in a rehearsal."""
    return settings.parse(stack, edited(shipped(stack), new or {}, gone), rehearsal=True)


def refused(stack: str, config: Mapping[str, Any], *, rehearsal: bool = True) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        settings.parse(stack, config, rehearsal=rehearsal)
    return raised.value


class TestABadSettingTellsHowToMendIt:
    @pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
    def test_exactly_the_expected_problems_are_reported_in_these_words(self, bad: Bad) -> None:
        said = str(refused(bad.stack, bad.config, rehearsal=not bad.real))
        heading, _, problems = said.partition("\n")
        count = bad.says.count("\n  allowed: ")
        assert textwrap.dedent(problems) == bad.says
        assert heading == f"Pulumi.{bad.stack}.yaml has {count} problem{'s' if count > 1 else ''}:"

    def test_every_entry_of_the_table_has_a_name_of_its_own(self) -> None:
        assert len({bad.name for bad in TABLE}) == len(TABLE) >= 160

    def test_no_message_shows_a_regular_expression(self) -> None:
        assert not [bad.name for bad in TABLE for sign in ("(?", "\\d", "\\w", "[a-z]", "A-Z") if sign in bad.says]

    def test_problems_stand_in_the_order_of_the_sections(self) -> None:
        sections = [*Settings.model_fields]
        for bad in TABLE:
            problems = refused(bad.stack, bad.config, rehearsal=not bad.real).problems
            found = [problem.key.removeprefix("aks-cicd:").split(".")[0].split("[")[0] for problem in problems]
            known = [sections.index(section) for section in found if section in sections]
            assert known == sorted(known), bad.name

    def test_pulumi_prints_the_message_without_a_traceback(self) -> None:
        assert isinstance(refused("staging", {}), pulumi.RunError)

    def test_a_long_value_is_cut(self) -> None:
        error = refused("staging", edited(shipped("staging"), {"workload": "x" * 5000}))
        assert len(str(error)) < 500


class TestWhatShipsIsLegal:
    @pytest.mark.parametrize("stack", STACKS)
    def test_the_shipped_file_works_in_a_rehearsal_as_it_is(self, stack: str) -> None:
        assert settings.parse(stack, shipped(stack), rehearsal=True).stack == stack

    def test_production_ships_without_a_warning(self) -> None:
        assert parse("prod").warnings == ()

    def test_staging_ships_with_its_one_known_warning(self) -> None:
        assert parse("staging").warnings == (
            "The API server answers the whole internet, Entra ID alone guards it (aks-cicd:cluster.authorizedRanges).",
        )


class TestExceptionsFromThePolicyPack:
    def test_they_reach_the_pack_as_they_are_said(self) -> None:
        said = {"rule": "registry-sku", "resource": "registry", "reason": "It moves.", "until": "2027-06-30"}
        assert parse("prod", {"exceptions": [said]}).exemptions == (Exemption(**said),)

    def test_without_one_the_pack_gets_none(self) -> None:
        assert parse("prod").exemptions == ()


WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000030/resourceGroups/rg-logs"
    "/providers/Microsoft.OperationalInsights/workspaces/log-central"
)
ZONE = (
    "/subscriptions/00000000-0000-0000-0000-000000000030/resourceGroups/rg-dns"
    "/providers/Microsoft.Network/privateDnsZones/privatelink.example"
)
METRICS = "monitoring.metricsLocation"
ZONED = "registry.zoneRedundant"
REDUNDANT = "monitoring.grafana.zoneRedundant"
LENT = {"delivery": "dev", "registry": "dev"}
CONNECTION = "00000000-0000-0000-0000-0000000000c1"
ON_GITHUB = {"repository": "contoso/shop", "connectionId": CONNECTION}
OWNED = ("registry", "vaults.ci", "delivery.home")
MANAGED = {"kind": "managed", "servicePrincipalId": "00000000-0000-0000-0000-0000000000d1"}
RESTRICTED = {"access": "restricted", "allowedRanges": ["203.0.113.0/24"]}
OPEN = {
    "cluster.access": "public",
    "cluster.zones": [],
    "cluster.upgrades.channel": "none",
    "vaults.workload.access": "public",
    "registry.access": "public",
    "registry.softDeleteDays": 0,
    "defender.plans": "none",
}
NEEDLESS = {"vaults.workload.access": "network.privateDnsZones", "defender.plans": "defender.contacts"}
"""What must leave the file with the value of `OPEN` for a key."""


class TestWhatIsAllowedButWeakerIsSaid:
    @pytest.mark.parametrize(
        ("key", "word"),
        [
            ("cluster.access", "The production API server is public"),
            ("cluster.access", "The API server answers the whole internet"),
            ("cluster.zones", "does not spread over zones"),
            ("cluster.upgrades.channel", "Nobody upgrades Kubernetes"),
            ("vaults.workload.access", "A production vault is public"),
            ("registry.access", "The production registry is public"),
            ("registry.softDeleteDays", "is gone at once"),
            ("defender.plans", "Nobody scans images"),
        ],
    )
    def test_each_weakness_of_production_is_a_warning_that_names_its_key(self, key: str, word: str) -> None:
        loose = {name: value for name, value in OPEN.items() if name == key}
        gone = (NEEDLESS[key],) if key in NEEDLESS else ()
        said = [warning for warning in parse("prod", loose, gone).warnings if word in warning]
        assert len(said) == 1
        assert "aks-cicd:" in said[0]

    def test_an_environment_with_all_of_them_has_all_warnings(self) -> None:
        assert len(parse("prod", OPEN, tuple(NEEDLESS.values())).warnings) == 8

    def test_plans_that_nobody_owns_are_said_of_nonproduction_too(self) -> None:
        without = parse("staging", {"defender": {"plans": "none"}}).warnings
        assert [word for word in without if "aks-cicd:defender.plans" in word]


class TestFormsThatMeanTheSame:
    @pytest.mark.parametrize(
        ("key", "as_set_by_the_cli", "value"),
        [
            ("generation", "2", 2),
            ("cluster.runCommand", "true", True),
            ("cluster.zones", [1, 2], ["1", "2"]),
            ("cluster.systemPool.maxNodes", "4", 4),
            ("logs.dailyCapGb", "5", 5),
            ("monitoring.objectives.availabilityPercent", "99.9", 99.9),
            ("monitoring.objectives.latencyPercent", 99, 99.0),
            ("monitoring.traceSamplingPercent", "10", 10),
            ("monitoring.grafana.zoneRedundant", "true", True),
            ("namespace.quota.cpu", 8, "8"),
            ("azure.tenantId", "0F8B0F3C-6D0E-4E6F-9A8E-3F6D8F2B7C11", "0f8b0f3c-6d0e-4e6f-9a8e-3f6d8f2b7c11"),
        ],
    )
    def test_a_value_may_be_written_as_the_command_line_writes_it(
        self, key: str, as_set_by_the_cli: Any, value: Any
    ) -> None:
        assert parse("staging", {key: as_set_by_the_cli}) == parse("staging", {key: value})

    @pytest.mark.parametrize("key", ["stacks", "tags", "names", "namespace"])
    def test_an_empty_mapping_is_the_same_as_none(self, key: str) -> None:
        gone = (key,) if f"aks-cicd:{key}" in shipped("staging") else ()
        assert parse("staging", {key: {}}) == parse("staging", gone=gone)

    @pytest.mark.parametrize("key", ["logs", "monitoring", "alerts", "defender"])
    def test_an_empty_mapping_of_a_section_that_must_stand_is_as_bad_as_none(self, key: str) -> None:
        empty = refused("staging", edited(shipped("staging"), {key: {}}))
        assert str(empty) == str(refused("staging", edited(shipped("staging"), {}, (key,))))

    def test_an_objective_keeps_the_number_that_was_written(self) -> None:
        assert isinstance(parse("staging", {"monitoring.objectives.latencyPercent": 99}).objectives["latency"], float)

    def test_keys_of_other_programs_are_left_alone(self) -> None:
        config = shipped("staging")
        assert settings.parse("staging", {**config, "azure-native:location": "x"}, rehearsal=True) == parse("staging")

    @pytest.mark.parametrize("size", ["Standard_E8-4ds_v5", "Standard_NC24ads_A100_v4", "Standard_L8s_v3"])
    def test_sizes_with_fewer_cores_or_an_accelerator_are_sizes(self, size: str) -> None:
        pool = {"vmSize": size, "minNodes": 1, "maxNodes": 2, "osDisk": "managed"}
        assert parse("staging", {"cluster.userPools.apps": pool}).cluster.user_pools["apps"].vm_size == size


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pulumi's config as the engine hands it over: text, or JSON for what is structured."""

    def hand_over(stack: str, config: Config) -> None:
        texts = {
            key: json.dumps(value) if isinstance(value, dict | list) else str(value) for key, value in config.items()
        }
        monkeypatch.setattr("pulumi.runtime.config.CONFIG", _Fixed(texts))
        monkeypatch.delenv("PULUMI_CONFIG", raising=False)
        monkeypatch.setattr(pulumi, "get_stack", lambda: stack)

    return hand_over


@dataclass(frozen=True)
class _Fixed:
    config: dict[str, str]

    def get(self) -> dict[str, str]:
        return self.config


class TestTheEnginesConfigIsReadLikeTheFile:
    @pytest.mark.parametrize("stack", STACKS)
    def test_load_in_a_rehearsal_gives_what_the_file_says(self, stack: str, engine: Any) -> None:
        engine(stack, {**shipped(stack), "aks-cicd:generation": 3})
        with settings.rehearsal():
            assert settings.load() == parse(stack, {"generation": 3})

    def test_load_outside_a_rehearsal_refuses_placeholders(self, engine: Any) -> None:
        engine("prod", shipped("prod"))
        with pytest.raises(SettingsError, match="reserved placeholder"):
            settings.load()

    def test_a_rehearsal_ends_with_its_block_even_when_that_fails(self, engine: Any) -> None:
        engine("prod", shipped("prod"))
        with pytest.raises(ZeroDivisionError), settings.rehearsal():
            raise ZeroDivisionError
        with pytest.raises(SettingsError):
            settings.load()

    @pytest.mark.parametrize("text", ["", "{", "[1", "}"])
    def test_text_that_is_no_json_is_a_problem_and_no_traceback(self, text: str, engine: Any) -> None:
        engine("staging", {**shipped("staging"), "aks-cicd:agents": text})
        with settings.rehearsal(), pytest.raises(SettingsError, match="a mapping with the key kind"):
            settings.load()


class TestWhatFollowsFromTheSettings:
    """Values that the program reads from the settings instead of from the file."""

    def test_a_subnet_exists_only_for_what_needs_it(self) -> None:
        assert [*parse("staging").subnets] == ["nodes", "private-endpoints"]
        assert [*parse("prod").subnets] == ["nodes", "agents", "private-endpoints", "api-server"]
        assert [*parse("staging", {"vaults.workload.access": "public"}).subnets] == ["nodes"]

    def test_switching_to_private_moves_no_subnet(self) -> None:
        before = parse("prod", {"cluster.access": "public", "agents.kind": "hosted"}).subnets
        after = parse("prod").subnets
        assert before.items() < after.items()

    def test_a_named_subnet_is_the_one_that_is_used(self) -> None:
        assert parse("prod", {"network.subnets.agents": "10.30.40.0/24"}).subnets["agents"] == "10.30.40.0/24"

    def test_private_zones_are_those_of_private_things_with_the_ids_that_the_file_names(self) -> None:
        zones = parse("prod").private_zones
        assert zones["registry"] is None
        assert str(zones["vault"]).endswith("/privatelink.vaultcore.azure.net")
        assert [*parse("staging").private_zones] == ["vault"]
        assert parse("prod", {"registry.access": "public"}).private_zones.keys() == {"vault"}

    def test_a_restricted_vault_needs_the_service_endpoint(self) -> None:
        restricted = {"vaults.workload": {"access": "restricted", "allowedRanges": ["203.0.113.0/24"]}}
        assert parse("staging", restricted).service_endpoints == ("Microsoft.KeyVault",)
        assert parse("staging").service_endpoints == ()

    def test_the_egress_address_uses_all_zones_of_the_region_whatever_the_cluster_uses(self) -> None:
        assert parse("staging", {"cluster.zones": []}).egress_zones == ("1", "2", "3")
        assert parse("staging", {"cluster.zones": [], "azure.location": "westus"}).egress_zones == ()

    def test_production_leans_on_staging_once_and_staging_on_nobody(self) -> None:
        assert parse("prod").leans_on == ("staging",)
        assert parse("staging").leans_on == ()
        assert parse("staging").delivery.home
        assert not parse("prod").delivery.home

    def test_a_lender_of_a_registry_must_be_of_the_same_tier_and_the_others_nonproduction(self) -> None:
        second = parse("prod", {"stacks": {"delivery": "staging", "registry": "prod-eu"}}, ("registry",))
        assert second.leans_on == ("staging", "prod-eu")
        assert second.expects("prod-eu").tier == "production"
        assert second.expects("staging").tier == "nonproduction"
        assert second.expects("staging").address_space == "10.30.0.0/18"
        assert second.expects("staging").hub_id == second.hub_id

    def test_an_override_names_the_resource(self) -> None:
        assert parse("staging", {"names.cluster": "aks-legacy"}).planned_names.cluster == "aks-legacy"

    def test_the_estate_that_must_exist_is_told_by_its_ids(self) -> None:
        estate = parse("prod").existing
        assert {name.rpartition("/")[2] for name in estate.resource_ids} == {
            "vnet-hub",
            "rt-to-hub",
            "privatelink.vaultcore.azure.net",
        }
        assert estate.groups == {"00000000-0000-0000-0000-0000000000a2", "00000000-0000-0000-0000-0000000000a3"}
        assert estate.service_principals == {"00000000-0000-0000-0000-0000000000d1"}

    def test_only_a_project_that_has_an_id_exists_already(self) -> None:
        own = parse("staging").existing
        assert (own.organization, own.project, own.github) == ("https://dev.azure.com/example", None, None)
        new = {"delivery.home.project.id": CONNECTION, "delivery.home.github": ON_GITHUB}
        there = parse("staging", new).existing
        assert there.project
        assert there.github
        assert (there.project.id, there.github.connection_id) == (CONNECTION, CONNECTION)

    def test_gates_stand_unless_switched_off_and_days_are_those_of_the_checks(self) -> None:
        assert parse("staging").gates == Gates()
        gates = parse("prod", {"delivery.gates.approval": False, "delivery.gates.approvalHours": "24"}).gates
        assert (gates.approval, gates.branch_control, gates.approval_hours) == (False, True, 24)
        assert gates.business_hours == BusinessHours("08:00", "17:00", "W. Europe Standard Time", DAYS[:5])

    def test_every_gate_that_is_switched_off_is_a_warning(self) -> None:
        off = {f"delivery.gates.{gate}": False for gate in ("approval", "branchControl", "exclusiveLock")}
        said = " ".join(parse("prod", {**off, "delivery.gates.requiredTemplate": False}).warnings)
        assert all(f"gate {gate} " in said for gate in PRODUCTION)

    def test_a_workspace_that_exists_belongs_to_the_estate_with_its_subscription(self) -> None:
        estate = parse("staging", {"logs": {"workspaceId": WORKSPACE}}).existing
        assert WORKSPACE in estate.resource_ids
        assert estate.subscription_ids == {
            "00000000-0000-0000-0000-000000000010",
            "00000000-0000-0000-0000-000000000030",
        }

    def test_objectives_are_ratios_and_seconds(self) -> None:
        assert parse("staging").objectives == pytest.approx(
            {"availability": 0.99, "latency": 0.95, "latency_threshold_seconds": 0.5}
        )

    def test_metrics_and_grafana_lie_beside_the_rest_unless_another_region_is_named(self) -> None:
        assert parse("staging").metrics_location == "westeurope"
        elsewhere = parse("staging", {"monitoring.metricsLocation": "northeurope"})
        assert (elsewhere.metrics_location, elsewhere.azure.location) == ("northeurope", "westeurope")

    def test_only_a_stack_that_manages_the_plans_owns_those_of_its_subscription(self) -> None:
        assert parse("prod").defender_plans_of == "00000000-0000-0000-0000-000000000020"
        assert parse("prod").expects("staging").defender_plans_of == "00000000-0000-0000-0000-000000000020"
        for plans in ("existing", "none"):
            other = parse("prod", {"defender": {"plans": plans}})
            assert other.defender_plans_of is None
            assert other.expects("staging").defender_plans_of is None

    def test_an_id_in_capitals_belongs_to_the_estate_too(self) -> None:
        shouted = parse("prod").network.hub
        assert shouted is not None
        new = {"network.hub.virtualNetworkId": shouted.virtual_network_id.upper()}
        assert shouted.virtual_network_id.upper() in parse("prod", new).existing.resource_ids


class TestCombinationsThatAreLegal:
    """Neighbours of what the table refuses: a check that grows too strict goes red here."""

    @pytest.mark.parametrize(
        ("stack", "new", "gone"),
        [
            ("staging", {"cluster.authorizedRanges": ["203.0.113.0/24"], "agents": MANAGED}, ()),
            ("staging", {"registry.access": "private", "vaults.ci.access": "private", "agents": MANAGED}, ()),
            ("staging", {"network.egress": "loadBalancer"}, ()),
            ("staging", {"network.addressSpace": "10.20.0.0/24"}, ()),
            ("staging", {"network.serviceRange": "10.245.0.0/27"}, ()),
            ("staging", {"network.podRange": "10.244.0.0/20"}, ()),
            ("staging", {"logs": {"workspaceId": WORKSPACE}}, ()),
            ("staging", {"registry.replicas": ["northeurope"]}, ()),
            ("staging", {"cluster.sku": "Free"}, ()),
            ("staging", {"names": {"ciVault": "kv-one", "workloadVault": "kv-two"}}, ()),
            ("prod", {"network.egress": "natGateway"}, ("network.hub.routeTableId",)),
            ("prod", {"registry.softDeleteDays": 0, "registry.replicas": ["northeurope"]}, ()),
            ("prod", {"network.hub.addressSpaces": ["10.0.0.0/12", "10.0.0.0/16"]}, ()),
            ("prod", {"network.subnets": {"nodes": "10.30.0.0/19", "agents": "10.30.32.0/28"}}, ()),
            ("prod", {"azure.location": "westus", "cluster.zones": []}, (ZONED, REDUNDANT)),
            ("prod", {"azure.location": "westus", "cluster.zones": [], METRICS: "uksouth"}, (ZONED,)),
            ("prod", {METRICS: "northcentralus", REDUNDANT: False}, ()),
            ("staging", {METRICS: "westeurope"}, ()),
            ("staging", {"logs": {"workspaceId": WORKSPACE, "location": "northeurope"}}, ()),
            ("staging", {"logs.basicTables": ["AKSControlPlane", "ContainerLogV2"]}, ()),
            ("staging", {"logs": {"retentionDays": 730, "dailyCapGb": 1}}, ()),
            ("staging", {"monitoring": {"grafana": {"version": "13"}}}, ()),
            ("staging", {"monitoring.objectives": {"availabilityPercent": 94, "latencyPercent": 99.999}}, ()),
            ("staging", {"monitoring.objectives.latencyMilliseconds": 5, "monitoring.gateHours": 47}, ()),
            ("staging", {"monitoring.objectives.latencyMilliseconds": 10_000, "monitoring.gateHours": 1}, ()),
            ("staging", {"monitoring.traceSamplingPercent": 1, "monitoring.dashboardsInPortal": True}, ()),
            ("staging", {"alerts": {"webhooks": {"channel": "https://hooks.contoso.example/5f2a?sig=x"}}}, ()),
            ("staging", {"alerts": {"emails": {"Platform team 2": "platform-team@contoso.example"}}}, ()),
            ("prod", {"alerts.emails": {}}, ()),
            ("prod", {"defender": {"plans": "existing"}}, ()),
            ("staging", {"defender": {"plans": "none"}}, ()),
            ("staging", {"names": {"grafana": "amg-" + "a" * 19, "metricsWorkspace": "amw-legacy"}}, ()),
            ("staging", {"namespace": {"name": "shop-front", "quota": {"cpu": "500m", "memory": "512Mi"}}}, ()),
            ("prod", {"network.egress": "natGateway", "registry": RESTRICTED}, ("network.hub.routeTableId",)),
            ("prod", {"network.hub.egressAddresses": ["203.0.113.7"], "registry": RESTRICTED}, ()),
            ("prod", {"network.privateDnsZones.apiServer": ZONE, "network.privateDnsZones.registry": ZONE}, ()),
            ("prod", {"cluster.systemPool.vmSize": "Standard_NC8ds_v4", "cluster.systemPool.osDiskGb": 1024}, ()),
            ("staging", {"stacks": LENT}, OWNED),
            ("staging", {"stacks": LENT, "azure.location": "westus", "cluster.zones": []}, OWNED),
            ("staging", {"stacks": LENT, "network.egress": "loadBalancer"}, OWNED),
            ("prod", {"cluster.systemPool.osDisk": "managed", "cluster.systemPool.vmSize": "Standard_D4s_v5"}, ()),
            ("staging", {"delivery.home.project": {"name": "Shop", "services": ["boards", "artifacts"]}}, ()),
            ("staging", {"delivery.home.project.id": CONNECTION, "delivery.home.github": ON_GITHUB}, ()),
            ("staging", {"delivery.home": {"project": {"name": "Läden 2"}, "extensions": [], "seed": False}}, ()),
            ("staging", {"delivery.organization": "https://dev.azure.com/c"}, ()),
            ("prod", {"delivery.gates": {"approval": False}}, ("delivery.approvers",)),
            ("prod", {"delivery.gates.businessHours": {"start": "00:00", "end": "23:59", "days": ["Sunday"]}}, ()),
            ("prod", {"agents.maximum": 11, "network.subnets.agents": "10.30.32.0/28"}, ()),
        ],
    )  # fmt: skip
    def test_it_is_accepted(self, stack: str, new: Mapping[str, Any], gone: tuple[str, ...]) -> None:
        assert parse(stack, new, gone).stack == stack
