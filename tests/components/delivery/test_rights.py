"""What each identity of the pipelines may do: a closed list."""

from __future__ import annotations

from typing import Any

from components.access import ROLES, role_name
from components.delivery import Promotion, rights
from tests.deliveries import (
    CLUSTER,
    GRAFANA,
    METRICS,
    RECORDS,
    REGISTRY,
    SOURCE,
    VAULT,
    Delivered,
    environment,
    home,
)

IMPORTER = "Container Registry Data Importer and Data Reader"


def granted(found: Delivered) -> set[tuple[str, str, str]]:
    """Who (logical name of an identity), which role, on what."""
    cloud = found.azure.cloud.resources.values()
    who = {each.outputs["principalId"]: each.name for each in cloud if each.type_.endswith("UserAssignedIdentity")}
    return {
        (
            who[inputs["principalId"]].rpartition("-")[2],
            role_name(inputs["roleDefinitionId"]),
            inputs["scope"],
        )
        for inputs in found.azure.of("authorization:RoleAssignment").values()
    }


CI = {
    ("ci", "AcrPush", REGISTRY),
    ("ci", "Key Vault Secrets User", VAULT),
    ("ci", "Monitoring Metrics Publisher", RECORDS),
}
DEPLOY = {
    ("deploy", "Azure Kubernetes Service Cluster User Role", CLUSTER),
    ("deploy", "Azure Kubernetes Service RBAC Writer", f"{CLUSTER}/namespaces/shop"),
    ("deploy", "Monitoring Data Reader", METRICS),
    ("deploy", "Monitoring Metrics Publisher", RECORDS),
}
PROMOTE = {("promote", IMPORTER, SOURCE), ("promote", IMPORTER, REGISTRY)}


def test_ci_pushes_reads_its_vault_and_writes_records_and_may_nothing_else() -> None:
    assert granted(home()) == CI


def test_production_deploys_and_promotes_by_two_identities_and_may_nothing_else() -> None:
    assert granted(environment()) == CI | DEPLOY | PROMOTE


def test_an_environment_without_promotion_has_nobody_who_imports() -> None:
    assert granted(environment(production=False, promotion=None)) == CI | DEPLOY


def test_dashboards_are_edited_by_an_identity_of_their_own() -> None:
    published = {("dashboards", "Grafana Editor", GRAFANA)}
    assert granted(environment(grafana_id=GRAFANA)) == CI | DEPLOY | PROMOTE | published


def test_who_promotes_cannot_push_and_who_deploys_cannot_reach_a_registry() -> None:
    promotion: Any = rights.promote(source_registry_id="a", target_registry_id="b")
    assert {right.role for right in promotion.values()} == {IMPORTER}
    deploying: Any = rights.deploy(cluster_id="c", namespace="n", metrics_workspace_id="m", run_records_id="r")
    assert not [right.role for right in deploying.values() if "Acr" in right.role or "Registry" in right.role]


def test_every_right_is_a_role_that_the_program_grants() -> None:
    everything: list[Any] = [
        rights.ci(registry_id="a", vault_id="b", run_records_id="c"),
        rights.deploy(cluster_id="c", namespace="n", metrics_workspace_id="m", run_records_id="r"),
        rights.promote(source_registry_id="a", target_registry_id="b"),
        rights.dashboards(grafana_id="g"),
    ]
    purposes = [purpose for each in everything for purpose in each]
    assert len(purposes) == len(set(purposes))
    assert {right.role for each in everything for right in each.values()} <= ROLES.keys()


def test_every_grant_says_that_it_is_for_an_identity() -> None:
    found = environment(promotion=Promotion(SOURCE, REGISTRY)).azure.of("authorization:RoleAssignment")
    assert {inputs["principalType"] for inputs in found.values()} == {"ServicePrincipal"}
