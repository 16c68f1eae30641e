"""Every legal name fits Azure's limits, stays the same for ever, and is no other environment's."""

from __future__ import annotations

import ast
import inspect
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

import settings
from components import naming
from components.naming import Names
from components.observability import activity
from tests.stackfiles import ROOT, shipped, steady

WORKLOADS = st.from_regex(naming.WORKLOAD, fullmatch=True)
ENVIRONMENTS = st.from_regex(naming.ENVIRONMENT, fullmatch=True)
NAMES = st.builds(Names, WORKLOADS, ENVIRONMENTS, st.uuids().map(str), st.integers(1, 99))
LONGEST = Names("a" * 12, "b" * 10, "ffffffff-ffff-ffff-ffff-ffffffffffff", 99)
HYPHENS = Names("w1", "a-b-c-d-e", "00000000-0000-0000-0000-000000000000", 1)
SHORTEST = Names("ab", "cd", "00000000-0000-0000-0000-000000000000", 1)


@dataclass(frozen=True)
class Limit:
    """What Microsoft publishes for one kind of resource: learn.microsoft.com, "Naming rules and restrictions"."""

    shortest: int
    longest: int
    characters: str
    """Of a regular expression's set."""
    first: str = "A-Za-z0-9"
    last: str = "A-Za-z0-9"
    never: str | None = None

    def takes(self, name: str) -> bool:
        return (
            self.shortest <= len(name) <= self.longest
            and re.fullmatch(rf"[{self.characters}]+", name) is not None
            and re.match(rf"[{self.first}]", name) is not None
            and re.search(rf"[{self.last}]\Z", name) is not None
            and (self.never is None or self.never not in name)
        )


def without(refused: str) -> dict[str, str]:
    """Everything but these and control characters, with no space and no full stop last."""
    kept = rf"^\x00-\x1f{refused}"
    return {"characters": kept, "first": kept, "last": f"{kept}. "}


ALNUM = "A-Za-z0-9"
DOTTED = {"characters": "A-Za-z0-9._-", "last": "A-Za-z0-9_"}
AZURE = {
    # 90 by itself; overlay networking copies it into a node label of 63.
    "resource_group": Limit(1, 63, r"A-Za-z0-9().\-_", first=r"A-Za-z0-9()\-_.", last=r"A-Za-z0-9()\-_"),
    "node_resource_group": Limit(1, 63, r"A-Za-z0-9().\-_", first=r"A-Za-z0-9()\-_.", last=r"A-Za-z0-9()\-_"),
    "virtual_network": Limit(2, 63, **DOTTED),
    "subnet": Limit(1, 63, **DOTTED),
    "network_security_group": Limit(1, 80, **DOTTED),
    "nat_gateway": Limit(1, 80, **DOTTED),
    "public_ip_address": Limit(1, 80, **DOTTED),
    "private_endpoint": Limit(2, 64, **DOTTED),
    "virtual_network_peering": Limit(1, 80, **DOTTED),
    "virtual_network_link": Limit(1, 80, **DOTTED),
    "cluster": Limit(1, 63, "A-Za-z0-9_-"),
    "dns_prefix": Limit(1, 54, "A-Za-z0-9-"),
    "identity": Limit(3, 128, "A-Za-z0-9_-", last="A-Za-z0-9_-"),
    "registry": Limit(5, 50, ALNUM),
    "ci_vault": Limit(3, 24, "A-Za-z0-9-", first="A-Za-z", never="--"),
    "workload_vault": Limit(3, 24, "A-Za-z0-9-", first="A-Za-z", never="--"),
    "key_vault": Limit(3, 24, "A-Za-z0-9-", first="A-Za-z", never="--"),
    "storage_account": Limit(3, 24, "a-z0-9", first="a-z0-9", last="a-z0-9"),
    "workspace": Limit(4, 63, "A-Za-z0-9-"),
    "diagnostic_setting": Limit(1, 260, "A-Za-z0-9_-"),
    "lock": Limit(1, 90, r"A-Za-z0-9().\-_", last=r"A-Za-z0-9()\-_"),
    "metrics_workspace": Limit(4, 63, "A-Za-z0-9-"),
    # Not in that table: the lengths to which Microsoft's own templates of container insights and metrics cut them.
    "data_collection_endpoint": Limit(3, 44, "A-Za-z0-9-"),
    "data_collection_rule": Limit(3, 64, "A-Za-z0-9-"),
    # 30 by the service's own interface; its page of the portal takes 23.
    "grafana": Limit(2, 23, "A-Za-z0-9-", first="A-Za-z"),
    "dashboard": Limit(2, 30, "A-Za-z0-9-", first="A-Za-z"),
    "application_insights": Limit(1, 260, **without(r"%&\\?/")),
    "action_group": Limit(1, 260, **without(r":<>+/&%\\?")),
    # Of log alerts and of activity-log alerts, whatever either refuses.
    "alert": Limit(1, 260, **without(r"*<>%{}&:\\?/#+@")),
    "deployment": Limit(1, 64, r"A-Za-z0-9_().\-", first=r"A-Za-z0-9_().\-", last=r"A-Za-z0-9_().\-"),
    # Published for neither; the length of the workspace's name serves the one, that of an alert the other.
    "saved_search": Limit(1, 63, "A-Za-z0-9-"),
    "security_export": Limit(1, 260, "A-Za-z0-9._-"),
    # Of the references of their own services: dev centers, managed DevOps pools, managed identities.
    "dev_center": Limit(3, 26, "A-Za-z0-9._-"),
    "dev_center_project": Limit(3, 63, "A-Za-z0-9._-"),
    "agent_pool": Limit(3, 44, "A-Za-z0-9.-"),
    "federated_credential": Limit(3, 120, "A-Za-z0-9_-", last="A-Za-z0-9_-"),
}
GLOBAL = ("registry", "ci_vault", "workload_vault", "grafana", "agent_pool", "storage_account", "key_vault")
"""What is unique in all of Azure, not just in its resource group."""


def purposes() -> list[tuple[str, str]]:
    """Kinds of names with the purposes that the program makes them for: those in its text, and those in its data."""
    kinds = [what for what, _, _ in LONGEST.all() if callable(getattr(Names, what))]
    used = set()
    for path in (ROOT / "components").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr in kinds:
                used |= {(call.func.attr, said.value) for said in call.args if isinstance(said, ast.Constant)}
    seen = ROOT / "components" / "observability"
    for kind, file in (("alert", "log_alerts.yaml"), ("saved_search", "saved_queries.yaml")):
        used |= {(kind, entry["name"]) for entry in yaml.safe_load((seen / "data" / file).read_text())}
    used |= {("alert", name) for name in activity.GUARDED}
    used |= {("dashboard", path.stem) for path in (seen / "dashboards").glob("*.json")}
    return sorted((kind, str(purpose)) for kind, purpose in used)


class TestEveryLegalCombinationFits:
    @steady(150)
    @given(NAMES)
    @example(LONGEST)
    @example(HYPHENS)
    @example(SHORTEST)
    def test_no_name_is_a_misfit(self, names: Names) -> None:
        assert names.misfits() == ()

    @steady(150)
    @given(NAMES)
    @example(LONGEST)
    @example(HYPHENS)
    @example(SHORTEST)
    def test_every_name_meets_the_limits_that_microsoft_publishes(self, names: Names) -> None:
        assert not [(what, name) for what, _, name in names.all() if not AZURE[what].takes(name)]

    def test_no_kind_of_name_escapes_the_test_of_its_length(self) -> None:
        own = {name for name, _ in inspect.getmembers(Names) if not name.startswith("_")}
        apart = {"all", "misfits", "hash", "role_assignment", "generation"}
        assert own - apart == {what for what, _, _ in LONGEST.all()} == AZURE.keys()

    @pytest.mark.parametrize(("kind", "purpose"), purposes())
    def test_no_purpose_in_use_is_longer_than_the_one_whose_length_is_tested(self, kind: str, purpose: str) -> None:
        tested = next(name for what, _, name in LONGEST.all() if what == kind)
        assert len(getattr(LONGEST, kind)(purpose)) <= len(tested)

    @steady(100)
    @given(ENVIRONMENTS)
    def test_the_pattern_of_an_environment_gives_short_names_without_double_hyphens(self, name: str) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", name)
        assert 2 <= len(name) <= 10
        assert "--" not in name

    @steady(100)
    @given(WORKLOADS)
    def test_the_pattern_of_a_workload_gives_short_plain_names(self, name: str) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9]{1,11}", name)

    @pytest.mark.parametrize(
        "name", ["a", "-ab", "ab-", "a--b", "Ab", "a_b", "1ab", "abcdefghijk", "a-bcdefghij", "abcdefghi-", "ab\n"]
    )
    def test_no_other_environment_is_legal(self, name: str) -> None:
        assert not re.fullmatch(naming.ENVIRONMENT, name)

    @pytest.mark.parametrize("name", ["ab", "a-b", "a1", "a-b-c-d-ef", "a-b-c-d-e", "abcdefghij", "q-1"])
    def test_these_environments_are_legal(self, name: str) -> None:
        assert re.fullmatch(naming.ENVIRONMENT, name)

    @pytest.mark.parametrize("name", ["a", "a-b", "Ab", "a_b", "1ab", "abcdefghijklm", "ab\n", ""])
    def test_no_other_workload_is_legal(self, name: str) -> None:
        assert not re.fullmatch(naming.WORKLOAD, name)


class TestARuleRefusesWhatAzureRefuses:
    """An override is the user's own text: the rules must not let through what Azure's would not."""

    @pytest.mark.parametrize("what", naming.OVERRIDABLE)
    @steady(150)
    @given(name=st.text(alphabet="aZ9-_.()/ é٣", min_size=1, max_size=70))
    @example(name="a" * 24)
    @example(name="a" * 25)
    @example(name="a" * 50)
    @example(name="a" * 51)
    @example(name="a" * 63)
    @example(name="a" * 64)
    @example(name="kv--a")
    @example(name="vnet.")
    def test_an_accepted_override_meets_the_published_limits(self, what: str, name: str) -> None:
        refused = {misfit.what for misfit in replace(SHORTEST, overrides={what: name}).misfits()}
        assert refused <= {what}
        assert what in refused or AZURE[what].takes(name)

    @pytest.mark.parametrize("kind", naming.RULES)
    def test_a_rule_is_said_in_words(self, kind: str) -> None:
        assert re.fullmatch(r"[a-z][\w ,.()-]+", naming.RULES[kind].words)


class TestNamesAreStable:
    @steady(100)
    @given(NAMES)
    def test_equal_arguments_give_equal_names(self, names: Names) -> None:
        again = Names(names.workload, names.environment, names.subscription_id, names.generation)
        assert list(again.all()) == list(names.all())
        assert again.role_assignment("x") == names.role_assignment("x")

    @steady(50)
    @given(NAMES)
    def test_the_case_of_a_subscription_id_makes_no_difference(self, names: Names) -> None:
        shouted = replace(names, subscription_id=names.subscription_id.upper())
        assert list(shouted.all()) == list(names.all())
        assert shouted.role_assignment("x") == names.role_assignment("x")

    @pytest.mark.parametrize(
        ("stack", "pinned"),
        [
            (
                "staging",
                {
                    "resource_group": "rg-shop-staging",
                    "node_resource_group": "rg-shop-staging-nodes",
                    "virtual_network": "vnet-shop-staging",
                    "cluster": "aks-shop-staging",
                    "registry": "crshopstagingueigw7",
                    "ci_vault": "kv-ci-staging-ueigw7",
                    "workload_vault": "kv-app-staging-ueigw7",
                    "workspace": "log-shop-staging",
                    "dns_prefix": "aks-shop-staging",
                    "diagnostic_setting": "to-log-analytics",
                    "nat_gateway": "ng-shop-staging",
                    "virtual_network_link": "link-shop-staging",
                    "subnet": "snet-private-endpoints",
                    "network_security_group": "nsg-shop-staging-private-endpoints",
                    "public_ip_address": "pip-shop-staging-private-endpoints",
                    "private_endpoint": "pep-shop-staging-private-endpoints",
                    "virtual_network_peering": "peer-shop-staging-private-endpoints",
                    "identity": "id-shop-staging-private-endpoints",
                    "lock": "lock-shop-staging-private-endpoints",
                    "metrics_workspace": "amw-shop-staging",
                    "grafana": "amg-staging-ueigw7",
                    "application_insights": "appi-shop-staging",
                    "action_group": "ag-shop-staging",
                    "security_export": "export-shop-staging",
                    "data_collection_endpoint": "dce-shop-staging-delivery",
                    "data_collection_rule": "dcr-shop-staging-containers",
                    "alert": "alert-shop-staging-registry-access-from-outside",
                    "saved_search": "query-shop-staging-deployment-frequency",
                    "deployment": "deploy-shop-staging-log-table-plans",
                    "dashboard": "staging-supply-chain",
                    "dev_center": "dc-shop-staging",
                    "dev_center_project": "dcp-shop-staging",
                    "agent_pool": "agents-shop-staging-ueigw7",
                    "storage_account": "stshopueigw7",
                    "key_vault": "kv-key-staging-ueigw7",
                    "federated_credential": "connection-dashboards-staging",
                },
            ),
            (
                "prod",
                {
                    "resource_group": "rg-shop-prod",
                    "node_resource_group": "rg-shop-prod-nodes",
                    "virtual_network": "vnet-shop-prod",
                    "cluster": "aks-shop-prod",
                    "registry": "crshopprod7a4oy4",
                    "ci_vault": "kv-ci-prod-7a4oy4",
                    "workload_vault": "kv-app-prod-7a4oy4",
                    "workspace": "log-shop-prod",
                    "dns_prefix": "aks-shop-prod",
                    "diagnostic_setting": "to-log-analytics",
                    "nat_gateway": "ng-shop-prod",
                    "virtual_network_link": "link-shop-prod",
                    "subnet": "snet-private-endpoints",
                    "network_security_group": "nsg-shop-prod-private-endpoints",
                    "public_ip_address": "pip-shop-prod-private-endpoints",
                    "private_endpoint": "pep-shop-prod-private-endpoints",
                    "virtual_network_peering": "peer-shop-prod-private-endpoints",
                    "identity": "id-shop-prod-private-endpoints",
                    "lock": "lock-shop-prod-private-endpoints",
                    "metrics_workspace": "amw-shop-prod",
                    "grafana": "amg-prod-7a4oy4",
                    "application_insights": "appi-shop-prod",
                    "action_group": "ag-shop-prod",
                    "security_export": "export-shop-prod",
                    "data_collection_endpoint": "dce-shop-prod-delivery",
                    "data_collection_rule": "dcr-shop-prod-containers",
                    "alert": "alert-shop-prod-registry-access-from-outside",
                    "saved_search": "query-shop-prod-deployment-frequency",
                    "deployment": "deploy-shop-prod-log-table-plans",
                    "dashboard": "prod-supply-chain",
                    "dev_center": "dc-shop-prod",
                    "dev_center_project": "dcp-shop-prod",
                    "agent_pool": "agents-shop-prod-7a4oy4",
                    "storage_account": "stshop7a4oy4",
                    "key_vault": "kv-key-prod-7a4oy4",
                    "federated_credential": "connection-dashboards-prod",
                },
            ),
        ],
    )
    def test_a_release_renames_nothing(self, stack: str, pinned: dict[str, str]) -> None:
        """Azure renames no resource: whoever changes one of these replaces it in every environment that exists,
        registry, vaults and clusters with all that they hold. A new kind of name is added here; none is changed."""
        names = settings.parse(stack, shipped(stack), rehearsal=True).planned_names
        assert {what: name for what, _, name in names.all()} == pinned

    @pytest.mark.parametrize(
        ("stack", "pinned"),
        [("staging", "53746226-9074-5991-97f0-bbf9c2ed809a"), ("prod", "7b8412e1-2bee-529e-ab3b-aa44570387bf")],
    )
    def test_a_release_renames_no_role_assignment(self, stack: str, pinned: str) -> None:
        """A role assignment of another name is another role assignment: every grant would be replaced."""
        names = settings.parse(stack, shipped(stack), rehearsal=True).planned_names
        assert names.role_assignment("kubelet-pulls") == pinned


DIFFER: dict[str, Callable[[Names, Names], Names]] = {
    "subscription": lambda names, other: replace(names, subscription_id=other.subscription_id),
    "workload": lambda names, other: replace(names, workload=other.workload),
    "environment": lambda names, other: replace(names, environment=other.environment),
    "generation": lambda names, other: replace(names, generation=other.generation),
}


class TestEnvironmentsDoNotShareNames:
    @pytest.mark.parametrize("by", DIFFER)
    @steady(100)
    @given(names=NAMES, other=NAMES)
    def test_what_differs_in_one_thing_shares_no_global_name(self, by: str, names: Names, other: Names) -> None:
        changed = DIFFER[by](names, other)
        assume(changed != names)
        for what in GLOBAL:
            assert getattr(changed, what) != getattr(names, what)
        assert changed.role_assignment("x") != names.role_assignment("x")

    def test_environments_that_differ_in_a_hyphen_share_no_registry(self) -> None:
        assert replace(SHORTEST, environment="qa-1").registry != replace(SHORTEST, environment="qa1").registry

    def test_a_raised_generation_renames_nothing_but_what_is_globally_unique(self) -> None:
        before = {what: name for what, _, name in SHORTEST.all()}
        after = {what: name for what, _, name in replace(SHORTEST, generation=2).all()}
        assert {what for what in before if before[what] != after[what]} == {*GLOBAL}

    @steady(100)
    @given(NAMES)
    def test_the_two_vaults_of_an_environment_differ(self, names: Names) -> None:
        assert names.ci_vault != names.workload_vault


class TestRoleAssignments:
    @steady(100)
    @given(NAMES, st.text(max_size=30), st.text(max_size=30))
    def test_a_name_is_a_guid_of_its_purpose(self, names: Names, one: str, other: str) -> None:
        assume(one != other)
        assert str(uuid.UUID(names.role_assignment(one))) == names.role_assignment(one)
        assert names.role_assignment(one) != names.role_assignment(other)


class TestOverrides:
    @pytest.mark.parametrize("what", naming.OVERRIDABLE)
    def test_an_override_wins_and_touches_no_other_name(self, what: str) -> None:
        before = {kind: name for kind, _, name in SHORTEST.all()}
        after = {kind: name for kind, _, name in replace(SHORTEST, overrides={what: "legacy1"}).all()}
        assert after == before | {what: "legacy1"}

    def test_what_settings_may_override_is_what_names_take(self) -> None:
        assert settings.Overrides.model_fields.keys() == naming.OVERRIDABLE.keys()

    def test_an_empty_override_is_none(self) -> None:
        assert replace(SHORTEST, overrides={"cluster": ""}).cluster == SHORTEST.cluster


class TestTags:
    def test_the_programs_own_tags_win_over_the_estates(self) -> None:
        own = {"tier": "gold", "owner": "platform-team"}
        assert naming.tags("shop", "prod", "production", own) == {
            "environment": "prod",
            "managed-by": "pulumi",
            "owner": "platform-team",
            "tier": "production",
            "workload": "shop",
        }

    @steady(50)
    @given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5)))
    def test_their_order_does_not_depend_on_the_file(self, own: dict[str, str]) -> None:
        one = naming.tags("shop", "prod", "production", own)
        assert list(one) == list(naming.tags("shop", "prod", "production", dict(reversed(own.items())))) == sorted(one)
