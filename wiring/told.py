"""What other stacks may know of this one: the facts of its contract."""

from __future__ import annotations

from typing import Any

from components.delivery import DeliveryHome
from components.delivery.github import GitHubHome
from settings import Settings
from wiring.made import Made


def told(settings: Settings, made: Made, delivery: DeliveryHome | GitHubHome | None) -> dict[str, Any]:
    """The fields of `contract.Contract`, outputs among them."""
    return {
        "environment": settings.stack,
        "tier": settings.tier,
        "workload": settings.workload,
        "resource_group": made.group.name,
        "registry": vars(made.images),
        "cluster": {"id": made.cluster.id, "name": made.cluster.name, "oidc_issuer": made.cluster.oidc_issuer},
        "network": {
            "id": made.network.id,
            "address_space": settings.network.address_space,
            "hub_id": settings.hub_id,
        },
        "workload_vault": {"id": made.workload_vault.id, "uri": made.workload_vault.uri},
        "ci_vault": {"id": made.ci_vault.id, "uri": made.ci_vault.uri} if made.ci_vault else None,
        "signing": {"subject": settings.signing.subject} if settings.signing else None,
        "log_workspace_id": made.logs.workspace_id,
        "metrics_workspace_id": made.observability.metrics.workspace_id,
        "metrics_query_endpoint": made.observability.metrics.query_endpoint,
        "grafana_endpoint": made.observability.grafana.endpoint,
        "run_records": made.observability.records.facts,
        "defender_plans_of": settings.defender_plans_of,
        "delivery": _delivery(settings, delivery) if isinstance(delivery, DeliveryHome) else None,
        "github": delivery.told if isinstance(delivery, GitHubHome) else None,
    }


def _delivery(settings: Settings, delivery: DeliveryHome) -> dict[str, Any]:
    return {
        "organization": settings.organization,
        "project_id": delivery.project_id,
        "project_name": delivery.project_name,
        "pipelines": delivery.pipelines,
        "repositories": delivery.repository_ids,
    }
