"""The report says what a person looks for, in names rather than ids, and the same text every time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from rehearsal import report
from rehearsal.details import details, public_endpoint
from rehearsal.graph import Graph, Resource
from rehearsal.report import Names

SUBSCRIPTION = "/subscriptions/0000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-one"
REGISTRY_ID = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/acrone"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:staging::aks-cicd::{type_}::{name}"


STACK = urn("pulumi:pulumi:Stack", "aks-cicd-staging")


def component(capability: str, name: str, parent: str = STACK) -> dict[str, Any]:
    type_ = f"aks-cicd:{capability}"
    return {"urn": urn(type_, name), "type": type_, "custom": False, "parent": parent}


def resource(type_: str, name: str, parent: str = STACK, **state: Any) -> dict[str, Any]:
    return {"urn": urn(type_, name), "type": type_, "custom": True, "parent": parent, "id": f"/{name}", **state}


def export(*states: dict[str, Any]) -> dict[str, Any]:
    stack = {"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False}
    return {"version": 3, "deployment": {"resources": [stack, *states]}}


def one(type_: str, **properties: Any) -> Resource:
    return Graph.of(export(resource(type_, "it", outputs=properties))).resources[0]


DELIVERY = component("identity:Identities", "identities")
ACCESS = component("registry:Registry", "registry")
NESTED = component("registry:Rules", "rules", ACCESS["urn"])
ESTATE = (
    DELIVERY,
    ACCESS,
    NESTED,
    resource("pulumi:providers:azure-native", "default"),
    resource(
        "azure-native:managedidentity/v20230131:UserAssignedIdentity",
        "promote",
        DELIVERY["urn"],
        outputs={"name": "id-promote", "principalId": "AAAA-1"},
    ),
    resource(
        "azure-native:containerregistry:Registry",
        "images",
        ACCESS["urn"],
        protect=True,
        outputs={"name": "acrone", "sku": {"name": "Premium"}, "loginServer": "acrone.azurecr.io"},
    ),
    resource(
        "azure-native:authorization:ManagementLockByScope",
        "lock",
        ACCESS["urn"],
        outputs={"name": "keep", "level": "CanNotDelete", "scope": REGISTRY_ID},
    ),
    resource(
        "azure-native:authorization:RoleAssignment",
        "import",
        NESTED["urn"],
        outputs={
            "principalId": "aaaa-1",
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"{SUBSCRIPTION}/roleDefinitions/importer",
            "scope": REGISTRY_ID,
        },
    ),
    resource(
        "azure-native:authorization:RoleAssignment",
        "operators",
        NESTED["urn"],
        outputs={
            "principalId": "bbbb-2",
            "principalType": "Group",
            "roleDefinitionId": f"{SUBSCRIPTION}/roleDefinitions/reader",
            "scope": GROUP,
        },
    ),
    resource(
        "kubernetes:core/v1:Secret",
        "token",
        inputs={"metadata": {"name": "token", "namespace": "apps"}, "data": SECRET},
        retainOnDelete=True,
    ),
    resource("azure-native:network:Subnet", "old", delete=True),
)


def rendered(*states: dict[str, Any]) -> tuple[str, str]:
    whole = export(*states)
    names = Names.of([whole], lambda id_: id_.rsplit("/", 1)[-1].title())
    return report.tree(whole, names), report.render(report.summary(whole, names, ["look\nhere"]))


class TestTheTree:
    def test_shows_every_resource_below_its_component_and_no_other(self) -> None:
        tree, _ = rendered(*ESTATE)
        lines = [" ".join(line.split()) for line in tree.splitlines()]
        assert lines == [
            "├─ identities aks-cicd:identity:Identities",
            "│ └─ UserAssignedIdentity id-promote",
            "├─ registry aks-cicd:registry:Registry",
            "│ ├─ rules aks-cicd:registry:Rules",
            "│ │ ├─ RoleAssignment Importer → id-promote @ acrone",
            "│ │ └─ RoleAssignment Reader → group bbbb-2 @ resource group rg-one",
            "│ ├─ ManagementLockByScope keep CanNotDelete",
            "│ └─ Registry acrone Premium, public (protected)",
            "└─ Secret apps/token (kept on destroy)",
        ]

    def test_and_the_summary_do_not_depend_on_the_order_in_which_the_engine_was_ready(self) -> None:
        expected = rendered(*ESTATE)
        shuffled = list(ESTATE)
        for seed in range(10):
            random.Random(seed).shuffle(shuffled)
            assert rendered(*shuffled) == expected

    def test_shows_no_sealed_value(self) -> None:
        tree, summary = rendered(*ESTATE)
        assert "v1:x" not in tree + summary


class TestTheSummary:
    def test_answers_what_a_reviewer_asks_first(self) -> None:
        _, summary = rendered(*ESTATE)
        sections = {block.splitlines()[0]: block.splitlines()[1:] for block in summary.split("\n\n")}
        told = {title: [" ".join(line.split()) for line in lines] for title, lines in sections.items()}
        assert told == {
            "Resources (6)": ["(no component) 1", "identities 1", "registry 4"],
            "Reachable from the internet": ["Registry acrone.azurecr.io"],
            "Role grants": [
                "group bbbb-2 Reader resource group rg-one",
                "id-promote Importer acrone",
            ],
            "Protected, locked, or kept on destroy": [
                "kept on destroy Secret apps/token",
                "lock CanNotDelete keep @ acrone",
                "protected Registry acrone",
            ],
            "Warnings": ["- look", "here"],
        }

    def test_says_none_where_there_is_none(self) -> None:
        assert rendered()[1].count("none") == 4

    def test_names_principals_of_earlier_stacks_too(self) -> None:
        names = Names.of([export(*ESTATE), export()])
        assert names.principals == {"aaaa-1": "id-promote"}


class TestWhatTheInternetReaches:
    """Azure leaves open what nobody closed, so an absent property counts as public."""

    @pytest.mark.parametrize(
        ("type_", "open_", "closed", "host"),
        [
            (
                "containerservice:ManagedCluster",
                {"fqdn": "aks.example"},
                {"apiServerAccessProfile": {"enablePrivateCluster": True}},
                "aks.example",
            ),
            (
                "containerregistry:Registry",
                {"loginServer": "acr.example"},
                {"publicNetworkAccess": "Disabled"},
                "acr.example",
            ),
            (
                "keyvault:Vault",
                {"properties": {"vaultUri": "kv.example"}},
                {"properties": {"publicNetworkAccess": "disabled"}},
                "kv.example",
            ),
        ],
    )
    def test_is_listed_unless_it_is_closed(
        self, type_: str, open_: dict[str, Any], closed: dict[str, Any], host: str
    ) -> None:
        assert public_endpoint(one(f"azure-native:{type_}", **open_)) == host
        assert public_endpoint(one(f"azure-native:{type_}", **{**open_, **closed})) == ""

    @pytest.mark.parametrize(
        ("type_", "properties"),
        [
            ("containerservice:ManagedCluster", {"apiServerAccessProfile": {"authorizedIPRanges": ["192.0.2.0/24"]}}),
            ("containerregistry:Registry", {"networkRuleSet": {"defaultAction": "Deny"}}),
            ("keyvault:Vault", {"properties": {"networkAcls": {"defaultAction": "Deny"}}}),
        ],
    )
    def test_is_marked_where_only_listed_addresses_get_through(self, type_: str, properties: dict[str, Any]) -> None:
        assert public_endpoint(one(f"azure-native:{type_}", **properties)) == "it (listed addresses only)"


@pytest.mark.parametrize(
    ("type_", "properties", "told"),
    [
        (
            "containerservice:ManagedCluster",
            {
                "kubernetesVersion": "1.34",
                "sku": {"tier": "Standard"},
                "apiServerAccessProfile": {"authorizedIPRanges": ["10.0.0.0/8"]},
                "agentPoolProfiles": [{"name": "sys", "vmSize": "D4", "count": 2, "availabilityZones": ["1", "2"]}],
            },
            "Kubernetes 1.34, tier Standard, API server public, from 10.0.0.0/8, pool sys: D4 2 nodes zones 1 2",
        ),
        (
            "containerservice:AgentPool",
            {"mode": "User", "vmSize": "D8", "enableAutoScaling": True, "minCount": 2, "maxCount": 9},
            "User, D8 2–9 nodes",
        ),
        (
            "containerregistry:Registry",
            {
                "sku": {"name": "Premium"},
                "publicNetworkAccess": "Disabled",
                "policies": {
                    "retentionPolicy": {"status": "disabled", "days": 7},
                    "softDeletePolicy": {"status": "enabled", "retentionDays": 30},
                },
            },
            "Premium, private, soft delete 30 d",
        ),
        ("keyvault:Vault", {"properties": {}}, "public, no purge protection"),
        ("containerregistry:Registry", {"networkRuleSet": {"defaultAction": "Deny"}}, "restricted"),
        ("network:Subnet", {"addressPrefix": "10.1.0.0/24"}, "10.1.0.0/24"),
        (
            "operationalinsights:Workspace",
            {"retentionInDays": 90, "workspaceCapping": {"dailyQuotaGb": 5}},
            "retention 90 d, cap 5 GB a day",
        ),
        ("unknown:Thing", {"a": 1}, ""),
    ],
)
def test_details_are_the_properties_that_matter(type_: str, properties: dict[str, Any], told: str) -> None:
    assert details(one(f"azure-native:{type_}", **properties)) == told


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        (SUBSCRIPTION, "subscription 0000"),
        (GROUP, "resource group rg-one"),
        (REGISTRY_ID, "acrone"),
        ("", ""),
    ],
)
def test_a_scope_is_named_by_what_it_is(scope: str, name: str) -> None:
    assert report.scope_name(scope) == name
