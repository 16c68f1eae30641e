"""A cluster with a vault, as small as the stand-in takes them, and the workload's place in it."""

from __future__ import annotations

from typing import Any

from pulumi import ResourceOptions
from pulumi_azure_native import containerservice as aks

from components.placement import Placement
from components.vault import SecretStore, VaultArgs
from components.workload import Quota, Telemetry, Workload, WorkloadArgs
from tests.declared import SUBSCRIPTION, TENANT, WORKSPACE

COMPONENT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-logs/providers/Microsoft.Insights/components/appi-shop"
CONNECTION = "InstrumentationKey=00000000-0000-0000-0000-000000000009;IngestionEndpoint=https://in.example/"
RULES = (
    'kube_pod_info{job="kube-state-metrics"} * on (pod) kube_statefulset_metadata_generation{job="kube-state-metrics"}',
    'rate(node_cpu_seconds_total{mode="idle", job="node"}[5m])',
    'sum(rate(http_requests_total{code=~"5.."}[5m])) / job:http_requests:rate5m{job="shop"}',
)


def cluster(
    place: Placement, *, private: bool = False, addons: bool = True, opts: ResourceOptions | None = None
) -> aks.ManagedCluster:
    """A cluster with Entra ID and no local accounts; `addons` bring the kinds of secrets and pod monitors."""
    access = aks.ManagedClusterAPIServerAccessProfileArgs(enable_private_cluster=True) if private else None
    return aks.ManagedCluster(
        "cluster",
        resource_name_=place.names.cluster,
        resource_group_name=place.resource_group,
        location=place.location,
        dns_prefix=place.names.dns_prefix,
        identity=aks.ManagedClusterIdentityArgs(type=aks.ResourceIdentityType.SYSTEM_ASSIGNED),
        disable_local_accounts=True,
        enable_rbac=True,
        aad_profile=aks.ManagedClusterAADProfileArgs(managed=True, enable_azure_rbac=True, tenant_id=TENANT),
        oidc_issuer_profile=aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
        security_profile=aks.ManagedClusterSecurityProfileArgs(
            workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True)
        ),
        addon_profiles={"azureKeyvaultSecretsProvider": aks.ManagedClusterAddonProfileArgs(enabled=addons)},
        azure_monitor_profile=aks.ManagedClusterAzureMonitorProfileArgs(
            metrics=aks.ManagedClusterAzureMonitorProfileMetricsArgs(enabled=addons)
        ),
        api_server_access_profile=access,
        agent_pool_profiles=[
            aks.ManagedClusterAgentPoolProfileArgs(name="system", mode="System", count=2, vm_size="Standard_D4ds_v5")
        ],
        opts=opts,
    )


def workload(place: Placement, of: aks.ManagedCluster, opts: ResourceOptions | None = None, **wanted: Any) -> Workload:
    """The workload of a cluster; `wanted` replaces arguments by name."""
    vault = SecretStore(
        "workload-vault",
        VaultArgs(place, place.names.workload_vault, TENANT, "public", soft_delete_days=30, workspace_id=WORKSPACE),
        opts,
    )
    given: dict[str, Any] = {
        "namespace": "shop",
        "service_account": "shop-api",
        "secrets": ("database-url", "payment-key"),
        "quota": Quota(cpu="4", memory="8Gi", pods=20),
        "reachable": True,
        "tenant_id": TENANT,
        "cluster": of,
        "cluster_name": of.name,
        "oidc_issuer": of.oidc_issuer_profile.apply(lambda found: found.issuer_url if found else ""),
        "vault_id": vault.id,
        "vault_name": vault.name,
        "telemetry": Telemetry(COMPONENT, CONNECTION),
        "rules": RULES,
    }
    return Workload("workload", WorkloadArgs(place, **(given | wanted)), opts)
