"""The bootstrap on the engine, in the backend of the stacks that it reads: the first day, and once both are up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bootstrap.conditions import state_of, writes_only
from bootstrap.store import rules
from rehearsal.cloud.conditions import Asked, allows
from tests.bootstrap.test_conditions import assigning, on_blob
from tests.conftest import STACKS, Bootstrapped, Rehearsed, StandingStacks
from tests.graph import ROLE_ASSIGNMENT, Graph, Landscape, Resource
from tests.infrastructure import BOOTSTRAP
from tests.roles import role


class TestTheFirstDay:
    def test_it_makes_what_state_needs_and_nothing_in_azure_devops(self, bootstrapped: Bootstrapped) -> None:
        graph = Graph(bootstrapped.alone)
        assert graph.devops == []
        assert {each.cls for each in graph.azure} == {
            "BlobContainer",
            "BlobServiceProperties",
            "DiagnosticSetting",
            "Key",
            "ManagementLockByScope",
            "ResourceGroup",
            "RoleAssignment",
            "StorageAccount",
            "Vault",
            "Workspace",
        }

    def test_a_second_run_changes_nothing(self, bootstrapped: Bootstrapped) -> None:
        assert bootstrapped.first_again.quiet

    def test_its_state_moves_into_another_backend_and_nothing_changes(self, bootstrapped: Bootstrapped) -> None:
        assert bootstrapped.moved.quiet

    def test_it_says_where_state_goes_and_what_seals_it(self, bootstrapped: Bootstrapped) -> None:
        said = bootstrapped.first.outputs
        assert re.fullmatch(r"azblob://state\?storage_account=stshop[a-z2-7]{6}", said["backend"])
        # With its version: a newer key does not open what this one has sealed.
        sealing = r"azurekeyvault://kv-key-bootstrap-[a-z2-7]{6}\.vault\.azure\.net/keys/state/[0-9a-f]{32}"
        assert re.fullmatch(sealing, said["secretsProvider"])


class TestOnceTheEnvironmentsAreUp:
    def test_it_only_adds(self, bootstrapped: Bootstrapped) -> None:
        assert {op for op, count in bootstrapped.second.changes.items() if count} == {"create", "same"}

    def test_a_second_run_changes_nothing(self, bootstrapped: Bootstrapped) -> None:
        assert bootstrapped.second_again.quiet

    def test_what_others_have_to_grant_is_told(self, bootstrapped: Bootstrapped) -> None:
        asked = bootstrapped.second.outputs["askedOfOthers"]
        assert [*asked] == ["prod"]
        assert {each["scope"].rpartition("/")[2]: each["role"] for each in asked["prod"]["grants"]} == {
            "rt-to-hub": "Network Contributor",
            "vnet-hub": "Network Contributor",
            "privatelink.vaultcore.azure.net": "Private DNS Zone Contributor",
        }


class TestTheStorage:
    @pytest.fixture
    def graph(self, bootstrapped: Bootstrapped) -> Graph:
        return Graph(bootstrapped.alone)

    def test_only_tokens_open_it(self, graph: Graph) -> None:
        said = graph.one("storage:StorageAccount").inputs
        assert {
            "allowSharedKeyAccess": False,
            "allowBlobPublicAccess": False,
            "isLocalUserEnabled": False,
            "allowCrossTenantReplication": False,
            "enableHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_2",
        }.items() <= said.items()
        assert graph.one("storage:BlobContainer").inputs["publicAccess"] == "None"

    def test_what_is_overwritten_or_deleted_can_be_brought_back(self, graph: Graph) -> None:
        service = graph.one("storage:BlobServiceProperties")
        kept = {"enabled": True, "days": 30}
        assert service.inputs["isVersioningEnabled"] is True
        assert service.inputs["deleteRetentionPolicy"] == service.inputs["containerDeleteRetentionPolicy"] == kept
        assert service.urn in graph.waits_for(graph.one("storage:BlobContainer"))

    def test_nobody_deletes_storage_or_key(self, graph: Graph) -> None:
        locked = {graph.named(each.inputs["scope"]) for each in graph.of("authorization:ManagementLockByScope")}
        assert locked == {"state", "key-vault"}

    def test_no_version_of_the_key_expires(self, graph: Graph) -> None:
        policy = graph.one("keyvault:Key").inputs["properties"]
        assert "expires" not in policy["attributes"]
        assert "attributes" not in policy["rotationPolicy"]
        triggers = [each["trigger"] for each in policy["rotationPolicy"]["lifetimeActions"]]
        assert triggers == [{"timeAfterCreate": "P1Y"}]

    def test_who_reads_and_writes_state_is_logged(self, graph: Graph) -> None:
        told = {
            graph.named(each.inputs["resourceUri"]): {one["category"] for one in each.inputs["logs"]}
            for each in graph.of("monitor:DiagnosticSetting")
        }
        assert told["state-service"] == {"StorageRead", "StorageWrite", "StorageDelete"}
        assert "AuditEvent" in told["key-vault"]

    @pytest.mark.parametrize(
        ("cidr", "taken"),
        [
            ("198.51.100.7/32", ["198.51.100.7"]),
            ("198.51.100.6/31", ["198.51.100.6", "198.51.100.7"]),
            ("198.51.100.0/24", ["198.51.100.0/24"]),
        ],
    )
    def test_ranges_are_written_as_its_firewall_takes_them(self, cidr: str, taken: list[str]) -> None:
        assert rules([cidr]) == taken


def test_each_stack_is_kept_where_its_own_identity_may_write(standing: StandingStacks) -> None:
    """What the engine has really written for each stack, held against the conditions."""
    kept = standing.place / "state"
    written = [path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()]
    for stack in STACKS:
        own = {path for path in written if f"/aks-cicd/{stack}" in path}
        condition = writes_only(state_of("aks-cicd", stack))
        assert {f".pulumi/stacks/aks-cicd/{stack}.json"} < own
        assert {path for path in written if allows(condition, on_blob("write", path))} == own


class TestWhatAnUpdateTouchesIsWhereItsIdentityMayGo:
    @pytest.fixture(params=STACKS)
    def stack(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def landscape(self, rehearsed: Mapping[str, Rehearsed], bootstrapped: Bootstrapped) -> Landscape:
        exports = {stack: run.export for stack, run in rehearsed.items()}
        return Landscape({**exports, BOOTSTRAP: bootstrapped.export})

    def test_everything_lies_in_its_group_or_is_allowed_by_name(self, stack: str, landscape: Landscape) -> None:
        granted = [*_grants(landscape, stack)]
        beyond = [
            f"{each.name} ({each.id})"
            for each in landscape.graphs[stack].azure
            if each.raw.get("custom") and not any(_covers(grant, each) for grant in granted)
        ]
        assert beyond == []

    def test_what_it_refers_to_elsewhere_is_asked_for(
        self, stack: str, landscape: Landscape, bootstrapped: Bootstrapped
    ) -> None:
        graph = landscape.graphs[stack]
        group = graph.one("resources:ResourceGroup").id.lower()
        told = bootstrapped.second.outputs.get("askedOfOthers", {}).get(stack, {"grants": []})
        asked = {each["scope"].lower() for each in told["grants"]}
        others = {each.id.lower() for _, each in landscape.of("containerregistry:Registry")}
        foreign = {
            found.lower()
            for each in graph.azure
            for found in _ids(each.inputs)
            if "/providers/" in found and not found.lower().startswith(group)
        }
        known = {each for each in foreign if "/roledefinitions/" in each or each in others}
        nodes = {each for each in foreign if "/resourcegroups/rg-shop-" in each and "-nodes/" in each}
        assert {each for each in foreign - known - nodes if not any(each.startswith(one) for one in asked)} == set()


def _grants(landscape: Landscape, stack: str) -> Iterator[Resource]:
    """What the identity that applies a stack has been granted."""
    for of, each in landscape.of(ROLE_ASSIGNMENT):
        if of == BOOTSTRAP and landscape.principals.get(each.inputs["principalId"]) == f"{BOOTSTRAP}/apply-{stack}":
            yield each


def _covers(grant: Resource, each: Resource) -> bool:
    """Whether a grant lets somebody make this resource."""
    inside = f"{each.id.lower()}/".startswith(f"{grant.inputs['scope'].lower()}/")
    name, condition = role(grant.inputs["roleDefinitionId"]).name, grant.inputs.get("condition")
    if each.kind == ROLE_ASSIGNMENT:
        guid = each.inputs["roleDefinitionId"].rpartition("/")[2]
        handed_on = condition and allows(condition, assigning("write", guid))
        return inside and name == "Role Based Access Control Administrator" and bool(handed_on)
    if each.cls.startswith("ManagementLock"):
        return inside and name == "Locks Contributor"
    if each.type.startswith("azure-native:security:") and "/resourcegroups/" not in each.id.lower():
        return inside and name == "Security Admin"
    return inside and name == "Contributor"


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.lower().startswith("/subscriptions/"):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _ids(inner)


def test_a_plan_that_is_not_let_in_is_refused_by_its_own_condition() -> None:
    """A request that says nothing of its path is no request for one's own state."""
    assert not allows(writes_only(state_of("aks-cicd", "prod")), Asked(on_blob("write", "").action, {}))
