"""The cluster, what watches it, and the workload's place in it."""

from __future__ import annotations

from pulumi_azure_native.resources import ResourceGroup

from components.cluster import Cluster, ClusterArgs, NodePool, Window
from components.cluster.admission import AdmissionArgs
from components.cluster.signatures import SignatureAuditArgs
from components.network import Network
from components.observability import NotificationsArgs, Objectives, Observability, ObservabilityArgs
from components.observability.logs import Logs
from components.placement import Placement
from components.vault import SecretStore
from components.workload import Quota, Telemetry, Workload, WorkloadArgs
from contract import Images
from settings import Settings


def cluster(settings: Settings, place: Placement, network: Network, images: Images, logs: Logs) -> ClusterArgs:
    wanted = settings.cluster
    return ClusterArgs(
        place,
        version=wanted.version,
        tier=wanted.sku,
        access=wanted.access,
        authorized_ranges=network.admitting(wanted.authorized_ranges),
        admin_groups=wanted.admin_groups,
        tenant_id=settings.azure.tenant_id,
        zones=wanted.zones,
        system_pool=NodePool(**wanted.system_pool.model_dump()),
        user_pools={name: NodePool(**pool.model_dump()) for name, pool in wanted.user_pools.items()},
        upgrade_channel=wanted.upgrades.channel,
        upgrade_window=Window(**wanted.upgrades.window.model_dump()),
        node_os_channel=wanted.upgrades.node_os_channel,
        node_os_window=Window(**wanted.upgrades.node_os_window.model_dump()),
        image_cleaner_hours=wanted.image_cleaner_hours,
        run_command=wanted.run_command,
        egress=settings.network.egress,
        pod_range=settings.network.pod_range,
        service_range=settings.network.service_range,
        virtual_network_id=network.id,
        nodes_subnet_id=network.subnet_ids["nodes"],
        api_server_subnet_id=network.subnet_ids.get("api-server"),
        api_server_zone_id=settings.network.private_dns_zones.api_server,
        registry_id=images.id,
        workspace_id=logs.workspace_id,
        after=tuple(network.way_out),
    )


def admission(settings: Settings, place: Placement, cluster: Cluster, images: Images) -> AdmissionArgs:
    return AdmissionArgs(place, cluster.id, images.login_server, effect=settings.cluster.admission)


def signature_audit(
    settings: Settings, place: Placement, cluster: Cluster, images: Images, workload: Workload
) -> SignatureAuditArgs:
    assert settings.signing, "only where images are signed"
    return SignatureAuditArgs(
        place,
        cluster_id=cluster.id,
        oidc_issuer=cluster.oidc_issuer,
        registry_id=images.id,
        certificates=settings.signing.certificates,
        subject=settings.signing.subject,
        inside=workload.inside,
    )


def observability(
    settings: Settings, place: Placement, group: ResourceGroup, cluster: Cluster, logs: Logs
) -> ObservabilityArgs:
    wanted = settings.monitoring
    return ObservabilityArgs(
        place,
        subscription_id=settings.azure.subscription_id,
        resource_group_id=group.id,
        logs=logs,
        existing_log_workspace_id=settings.logs.workspace_id,
        receivers=NotificationsArgs(place, settings.alerts.emails, settings.alerts.webhooks),
        operators=settings.cluster.admin_groups,
        cluster_id=cluster.id,
        cluster_name=place.names.cluster,
        private_cluster=settings.cluster.access == "private",
        metrics_location=settings.metrics_location,
        objectives=Objectives(**settings.objectives),
        sampling_percent=wanted.trace_sampling_percent,
        gate_hours=wanted.gate_hours,
        closed_to=settings.registry_clients,
        grafana_version=wanted.grafana.version,
        grafana_zone_redundant=wanted.grafana.zone_redundant,
        dashboards_in_portal=wanted.dashboards_in_portal,
        pulls=settings.pulls,
    )


def workload(
    settings: Settings, place: Placement, cluster: Cluster, vault: SecretStore, observability: Observability
) -> WorkloadArgs:
    wanted = settings.namespace
    return WorkloadArgs(
        place,
        namespace=wanted.name or settings.workload,
        service_account=wanted.service_account,
        secrets=wanted.secrets,
        quota=Quota(**wanted.quota.model_dump()),
        reachable=settings.cluster.reachable,
        tenant_id=settings.azure.tenant_id,
        cluster=cluster,
        cluster_name=cluster.name,
        oidc_issuer=cluster.oidc_issuer,
        vault_id=vault.id,
        vault_name=vault.name,
        telemetry=Telemetry(observability.telemetry.id, observability.telemetry.connection_string),
        rules=observability.expressions,
    )
