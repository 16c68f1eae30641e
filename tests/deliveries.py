"""Runs parts of the Azure DevOps side under mocks that answer as the stand-in does, options of resources included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from pulumi import Resource, ResourceOptions

from components.delivery import (
    DeliveryEnvironment,
    DeliveryEnvironmentArgs,
    DeliveryHome,
    DeliveryHomeArgs,
    DeliveryProjectArgs,
    ExistingProject,
    Facts,
    Gates,
    Home,
    Promotion,
    Seeds,
    Subscription,
)
from components.placement import Placement
from rehearsal.cloud import Estate
from rehearsal.cloud.answers import Existing
from tests.declared import GROUP, SERVICE, SUBSCRIPTION, TENANT, Declared, declared, opened

ELSEWHERE = "8d7e6f00-1111-4222-8333-444455556666"


def id_of(type_: str, name: str, subscription: str = SUBSCRIPTION) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/rg-there/providers/{type_}/{name}"


REGISTRY = id_of("Microsoft.ContainerRegistry/registries", "crshoptest")
SOURCE = id_of("Microsoft.ContainerRegistry/registries", "crshopelsewhere", ELSEWHERE)
VAULT = id_of("Microsoft.KeyVault/vaults", "kv-ci-test")
RECORDS = id_of("Microsoft.Insights/dataCollectionRules", "dcr-records")
CLUSTER = id_of("Microsoft.ContainerService/managedClusters", "aks-shop-test")
METRICS = id_of("Microsoft.Monitor/accounts", "amw-shop-test")
GRAFANA = id_of("Microsoft.Dashboard/grafana", "amg-test")
NETWORK = id_of("Microsoft.Network/virtualNetworks", "vnet-shop-test")
SUBNET = f"{NETWORK}/subnets/snet-agents"
EXISTING = (REGISTRY, SOURCE, VAULT, RECORDS, CLUSTER, METRICS, GRAFANA, NETWORK, SUBNET)

PROJECT = "5a4b3c00-1111-4222-8333-444455556666"
CONNECTION = "4a3b2c00-1111-4222-8333-444455556666"
"""A project that exists, and a connection to GitHub in it."""

SEEDS = Seeds({"pipelines/pr.yml": "pr", "pipelines/ci.yml": "ci", "docs/how.md": "text"})
FACTS = Facts(
    registry_login_server="crshoptest.azurecr.io",
    registry_id=REGISTRY,
    cluster_name="aks-shop-test",
    resource_group="rg-test",
    namespace="shop",
    service_account="workload",
    workload_vault_uri="https://kv-app-test.vault.azure.net/",
    log_workspace_id="/workspaces/log-shop-test",
    metrics_query_endpoint="https://amw.prometheus.monitor.azure.com",
    run_records_endpoint="https://dce.ingest.monitor.azure.com",
    run_records_rule="dcr-0",
    grafana_endpoint="https://amg.grafana.azure.com",
)
CONNECTED = Subscription(TENANT, SUBSCRIPTION, "Shop")


@dataclass(frozen=True)
class Asked:
    """One registration as the program asked for it."""

    kind: str
    """The class: `CheckApproval`."""
    name: str
    options: ResourceOptions


@dataclass(frozen=True)
class Delivered:
    """What was registered, on both sides."""

    azure: Declared
    asked: tuple[Asked, ...]

    def of(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Inputs of all resources of a class of Azure DevOps, by logical name."""
        return {
            each.name: opened(each.inputs)
            for each in self.azure.registered
            if each.typ.startswith("azuredevops:") and each.typ.rpartition(":")[2] == kind
        }

    def one(self, kind: str) -> Mapping[str, Any]:
        (found,) = self.of(kind).values()
        return found

    def ids(self, kind: str) -> dict[str, str]:
        """Ids that the stand-in gave, by the physical name."""
        made = self.azure.cloud.devops.resources.values()
        return {each.name: each.id for each in made if each.type_.rpartition(":")[2] == kind}

    def options(self, kind: str, name: str | None = None) -> list[ResourceOptions]:
        return [each.options for each in self.asked if each.kind == kind and name in (None, each.name)]


@contextmanager
def _overheard(asked: list[Asked]) -> Iterator[None]:
    """Mocks know nothing of options; the constructor that all resources share does."""
    original = Resource.__init__

    def listen(self: Resource, t: str, name: str, *args: Any, **more: Any) -> None:
        original(self, t, name, *args, **more)
        given = more.get("opts", args[2] if len(args) > 2 else None)
        asked.append(Asked(t.rpartition(":")[2], name, given or ResourceOptions()))

    with patch.object(Resource, "__init__", listen):
        yield


def there() -> Estate:
    """What exists in Azure before a delivery system does, for runs on the engine."""
    return Estate(
        tenant_id=TENANT,
        subscriptions=frozenset({SUBSCRIPTION, ELSEWHERE}),
        resource_ids=frozenset(EXISTING),
        groups=frozenset({GROUP}),
        users=frozenset(),
        service_principals=frozenset({SERVICE}),
    )


def delivered(
    build: Callable[[Placement], object], *, protect: bool = False, existing: Iterable[Existing] = ()
) -> Delivered:
    asked: list[Asked] = []
    with _overheard(asked):
        found = declared(build, *EXISTING, protect=protect, delivery=existing)
    return Delivered(found, tuple(asked))


def home_args(place: Placement, **wanted: Any) -> DeliveryHomeArgs:
    given: dict[str, Any] = {
        "project": DeliveryProjectArgs("Shop"),
        "platform": SEEDS,
        "application": Seeds({"app/main.py": "print()"}),
        "subscription": CONNECTED,
        "registry_id": REGISTRY,
        "ci_vault_id": VAULT,
        "run_records_id": RECORDS,
        **wanted,
    }
    return DeliveryHomeArgs(place, **given)


def environment_args(place: Placement, home: Home, **wanted: Any) -> DeliveryEnvironmentArgs:
    given: dict[str, Any] = {
        "production": True,
        "gates": Gates(),
        "approver_group_id": GROUP,
        "subscription": CONNECTED,
        "facts": FACTS,
        "cluster_id": CLUSTER,
        "namespace": "shop",
        "metrics_workspace_id": METRICS,
        "run_records_id": RECORDS,
        "promotion": Promotion(SOURCE, REGISTRY),
        **wanted,
    }
    return DeliveryEnvironmentArgs(place, home, **given)


def home(**wanted: Any) -> Delivered:
    """The home of delivery, by itself."""
    return delivered(lambda place: DeliveryHome("delivery", home_args(place, **wanted)))


def in_an_existing_project(**wanted: Any) -> Delivered:
    """The home of delivery in a project that somebody else owns, with a connection to GitHub."""
    there = (Existing("project", PROJECT, "Shop"), Existing("endpoint", CONNECTION, "github", PROJECT))
    own = {"project": ExistingProject(PROJECT, "Shop"), **wanted}
    return delivered(lambda place: DeliveryHome("delivery", home_args(place, **own)), existing=there)


def environment(*, protect: bool = True, **wanted: Any) -> Delivered:
    """An environment beside the home that it needs; production with promotion, unless said otherwise."""

    def build(place: Placement) -> None:
        lent = DeliveryHome("delivery", home_args(place)).home
        DeliveryEnvironment("delivery-environment", environment_args(place, lent, **wanted))

    return delivered(build, protect=protect)
