"""One environment of the delivery system, top to bottom as the architecture; `settings` says what is wanted."""

from pathlib import Path

import pulumi
from pulumi import ResourceOptions
from pulumi_azure_native import Provider
from pulumi_azure_native.resources import ResourceGroup
from pulumi_azuredevops import Provider as DevOpsProvider

import contract
from components import naming
from components.cluster import Cluster, ClusterArgs, NodePool, Window
from components.defender import Defender, DefenderArgs
from components.delivery import (
    DeliveryEnvironment,
    DeliveryEnvironmentArgs,
    DeliveryHome,
    DeliveryHomeArgs,
    ExtensionsArgs,
    Facts,
    GitHubRepository,
    ManagedAgents,
    ManagedAgentsArgs,
    Promotion,
    Seeds,
    Subscription,
    seeded,
    wanted_project,
)
from components.delivery.pipelines import CD, CI, PR
from components.naming import DeliveryNames
from components.network import Network, NetworkArgs, Peering
from components.observability import NotificationsArgs, Objectives, Observability, ObservabilityArgs
from components.observability.logs import Logs, LogsArgs
from components.placement import Placement
from components.protection import Locks, LocksArgs
from components.registry import BorrowedRegistry, BorrowedRegistryArgs, RegistryArgs, TierRegistry
from components.vault import SecretStore, VaultArgs
from components.workload import Quota, Telemetry, Workload, WorkloadArgs
from settings import Vault, load

ROOT = Path(__file__).parent

settings = load()
for warning in settings.warnings:
    pulumi.warn(warning)

# The stacks that this one leans on: they are up, and they fit.
upstream = {stack: contract.read(stack, settings.expects(stack)) for stack in settings.leans_on}

# Where everything goes.
azure = Provider("azure", subscription_id=settings.azure.subscription_id, tenant_id=settings.azure.tenant_id)
devops = DevOpsProvider("azure-devops", org_service_url=settings.delivery.organization)
inside = ResourceOptions(providers=[azure, devops])
names = settings.planned_names
tags = naming.tags(settings.workload, settings.stack, settings.tier, settings.tags)
group = ResourceGroup(
    "environment",
    resource_group_name=names.resource_group,
    location=settings.azure.location,
    tags=tags,
    opts=ResourceOptions(provider=azure, protect=settings.production),
)
place = Placement(names, group.name, settings.azure.location, tags, protect=settings.production)

# What all logs go to.
logs = Logs("logs", LogsArgs(place, **settings.logs.model_dump()), inside)

# The network: ranges, guards, the way out, the way to what is private.
network = Network(
    "network",
    NetworkArgs(
        place,
        address_space=settings.network.address_space,
        subnets=settings.subnets,
        egress=settings.network.egress,
        zones=settings.egress_zones,
        workspace_id=logs.workspace_id,
        hub=Peering(**settings.network.hub.model_dump()) if settings.network.hub else None,
        private_zones=settings.private_zones,
        service_endpoints=settings.service_endpoints,
    ),
    inside,
)


def vault(name: str, physical_name: str, wanted: Vault) -> SecretStore:
    """The CI vault and the workload vault are two instances of one component."""
    return SecretStore(
        name,
        VaultArgs(
            place,
            physical_name=physical_name,
            tenant_id=settings.azure.tenant_id,
            access=wanted.access,
            soft_delete_days=wanted.soft_delete_days,
            workspace_id=logs.workspace_id,
            allowed_ranges=wanted.allowed_ranges,
            allowed_subnet_ids=(network.subnet_ids["nodes"],),
            link=network.private_links.get("vault"),
        ),
        inside,
    )


# Secrets: what the workload reads and, where delivery lives, what only CI reads.
workload_vault = vault("workload-vault", names.workload_vault, settings.vaults.workload)
ci_vault = vault("ci-vault", names.ci_vault, settings.vaults.ci) if settings.vaults.ci else None

# Images: a registry of the environment's own, or the one of the stack that it leans on.
registry: TierRegistry | None = None
if settings.registry:
    registry = TierRegistry(
        "registry",
        RegistryArgs(
            place,
            access=settings.registry.access,
            workspace_id=logs.workspace_id,
            allowed_ranges=network.admitting(settings.registry.allowed_ranges),
            untagged_retention_days=settings.registry.untagged_retention_days,
            soft_delete_days=settings.registry.soft_delete_days,
            zone_redundant=settings.registry.zone_redundant,
            replicas=settings.registry.replicas,
            link=network.private_links.get("registry"),
        ),
        inside,
    )
images = contract.registry_facts(registry, upstream.get(settings.stacks.registry or ""))
if settings.stacks.registry_private:
    BorrowedRegistry(
        "registry", BorrowedRegistryArgs(place, images["id"], link=network.private_links["registry"]), inside
    )

# The cluster that runs the workload.
cluster = Cluster(
    "cluster",
    ClusterArgs(
        place,
        version=settings.cluster.version,
        tier=settings.cluster.sku,
        access=settings.cluster.access,
        authorized_ranges=network.admitting(settings.cluster.authorized_ranges),
        admin_groups=settings.cluster.admin_groups,
        tenant_id=settings.azure.tenant_id,
        zones=settings.cluster.zones,
        system_pool=NodePool(**settings.cluster.system_pool.model_dump()),
        user_pools={name: NodePool(**pool.model_dump()) for name, pool in settings.cluster.user_pools.items()},
        upgrade_channel=settings.cluster.upgrades.channel,
        upgrade_window=Window(**settings.cluster.upgrades.window.model_dump()),
        node_os_channel=settings.cluster.upgrades.node_os_channel,
        node_os_window=Window(**settings.cluster.upgrades.node_os_window.model_dump()),
        image_cleaner_hours=settings.cluster.image_cleaner_hours,
        run_command=settings.cluster.run_command,
        egress=settings.network.egress,
        pod_range=settings.network.pod_range,
        service_range=settings.network.service_range,
        virtual_network_id=network.id,
        nodes_subnet_id=network.subnet_ids["nodes"],
        api_server_subnet_id=network.subnet_ids.get("api-server"),
        api_server_zone_id=settings.network.private_dns_zones.api_server,
        registry_id=images["id"],
        workspace_id=logs.workspace_id,
        after=tuple(network.way_out),
    ),
    inside,
)

# What watches it, and who is told.
observability = Observability(
    "observability",
    ObservabilityArgs(
        place,
        subscription_id=settings.azure.subscription_id,
        resource_group_id=group.id,
        logs=logs,
        existing_log_workspace_id=settings.logs.workspace_id,
        receivers=NotificationsArgs(place, settings.alerts.emails, settings.alerts.webhooks),
        operators=settings.cluster.admin_groups,
        cluster_id=cluster.id,
        cluster_name=names.cluster,
        private_cluster=settings.cluster.access == "private",
        metrics_location=settings.metrics_location,
        objectives=Objectives(**settings.objectives),
        sampling_percent=settings.monitoring.trace_sampling_percent,
        gate_hours=settings.monitoring.gate_hours,
        closed_to=settings.registry_clients,
        grafana_version=settings.monitoring.grafana.version,
        grafana_zone_redundant=settings.monitoring.grafana.zone_redundant,
        dashboards_in_portal=settings.monitoring.dashboards_in_portal,
    ),
    inside,
)

# The workload's place in the cluster: what the platform owns and a deployer may not write.
workload = Workload(
    "workload",
    WorkloadArgs(
        place,
        namespace=settings.namespace.name or settings.workload,
        service_account=settings.namespace.service_account,
        secrets=settings.namespace.secrets,
        quota=Quota(**settings.namespace.quota.model_dump()),
        reachable=settings.cluster.reachable,
        tenant_id=settings.azure.tenant_id,
        cluster=cluster,
        cluster_name=cluster.name,
        oidc_issuer=cluster.oidc_issuer,
        vault_id=workload_vault.id,
        vault_name=workload_vault.name,
        telemetry=Telemetry(observability.telemetry.id, observability.telemetry.connection_string),
        rules=observability.expressions,
    ),
    inside,
)

# Where delivery lives: in this stack, or in the one that it leans on.
subscription = Subscription(
    settings.azure.tenant_id,
    settings.azure.subscription_id,
    settings.azure.subscription_name or settings.azure.subscription_id,
)


def seeds(repository: str) -> Seeds:
    return seeded(ROOT, repository) if wanted and wanted.seed else Seeds({})


delivery: DeliveryHome | None = None
if wanted := settings.delivery.home:
    assert registry, "where delivery lives, CI has a registry"
    assert ci_vault, "and a vault; the settings see to it"
    delivery = DeliveryHome(
        "delivery",
        DeliveryHomeArgs(
            place,
            project=wanted_project(**wanted.project.model_dump()),
            platform=seeds(DeliveryNames.PLATFORM_REPOSITORY),
            application=GitHubRepository(**wanted.github.model_dump())
            if wanted.github
            else seeds(DeliveryNames.APPLICATION_REPOSITORY),
            subscription=subscription,
            registry_id=registry.id,
            ci_vault_id=ci_vault.id,
            run_records_id=observability.records.collection_rule_id,
            reviewers=wanted.reviewers,
            branches_known=settings.delivery.protection_known,
            extensions=ExtensionsArgs(wanted.extensions),
        ),
        inside,
    )
home = contract.delivery_home(delivery, upstream.get(settings.stacks.delivery or ""))

# Machines inside the network that pipelines run on.
agents: ManagedAgents | None = None
if settings.agents.kind == "managed" and settings.agents.service_principal_id:
    agents = ManagedAgents(
        "agents",
        ManagedAgentsArgs(
            place,
            organization_url=settings.delivery.organization,
            project_id=home.project_id,
            project_name=home.project_name,
            network_id=network.id,
            subnet_id=network.subnet_ids["agents"],
            service_principal_id=settings.agents.service_principal_id,
            # Where delivery lives, what is built runs there too; elsewhere releases alone do.
            pipelines={name: home.pipelines[name] for name in ((PR, CI, CD) if delivery else (CD,))},
            vm_size=settings.agents.vm_size,
            maximum=settings.agents.maximum,
        ),
        inside,
    )

# What delivery has in this environment: its gates, who deploys and promotes, what a release must know.
source = upstream.get(settings.stacks.promotes_from or "")
releases = DeliveryEnvironment(
    "releases",
    DeliveryEnvironmentArgs(
        place,
        home,
        production=settings.production,
        gates=settings.gates,
        approver_group_id=settings.delivery.approvers,
        subscription=subscription,
        facts=Facts(
            registry_login_server=images["login_server"],
            registry_id=images["id"],
            cluster_name=cluster.name,
            resource_group=group.name,
            namespace=workload.namespace,
            service_account=workload.service_account,
            workload_vault_uri=workload_vault.uri,
            log_workspace_id=logs.workspace_id,
            metrics_query_endpoint=observability.metrics.query_endpoint,
            run_records_endpoint=observability.records.ingestion_endpoint,
            run_records_rule=observability.records.immutable_id,
            grafana_endpoint=observability.grafana.endpoint,
            source_registry_id=source.registry.id if source else None,
            source_login_server=source.registry.login_server if source else None,
            ci_vault_name=ci_vault.name if ci_vault else None,
            agent_pool=agents.name if agents else None,
        ),
        cluster_id=cluster.id,
        namespace=workload.namespace,
        metrics_workspace_id=observability.metrics.workspace_id,
        run_records_id=observability.records.collection_rule_id,
        promotion=Promotion(source.registry.id, images["id"]) if source else None,
        grafana_id=observability.grafana.id,
        ci_reads_facts=delivery is not None,
        branches_known=settings.delivery.protection_known,
    ),
    inside,
)

# What Defender for Cloud watches and finds.
defender: Defender | None = None
if settings.defender.plans != "none":
    defender = Defender(
        "defender",
        DefenderArgs(
            place,
            subscription_id=settings.azure.subscription_id,
            owns_plans=settings.defender.plans == "managed",
            contacts=settings.defender.contacts,
            contact_is_there=settings.generation > 1,
            resource_group_id=group.id,
            workspace_id=logs.workspace_id,
            workspace_location=logs.location,
            own_workspace=settings.logs.workspace_id is None,
        ),
        inside,
    )

# In production, nobody deletes what holds state; the locks come last and go first.
if settings.production:
    guarded: dict[str, pulumi.Input[str]] = {
        "workload-vault": workload_vault.id,
        **({"registry": registry.id} if registry else {}),
    }
    if not settings.logs.workspace_id:
        guarded["log-workspace"] = logs.workspace_id
    parts = (logs, network, workload_vault, registry, cluster, observability, workload, agents, releases, defender)
    Locks("locks", LocksArgs(names, guarded, after=[part for part in parts if part]), inside)

# What other stacks may know.
contract.publish(
    environment=settings.stack,
    tier=settings.tier,
    workload=settings.workload,
    resource_group=group.name,
    registry=images,
    cluster={"id": cluster.id, "name": cluster.name, "oidc_issuer": cluster.oidc_issuer},
    network={"id": network.id, "address_space": settings.network.address_space, "hub_id": settings.hub_id},
    workload_vault={"id": workload_vault.id, "uri": workload_vault.uri},
    ci_vault={"id": ci_vault.id, "uri": ci_vault.uri} if ci_vault else None,
    log_workspace_id=logs.workspace_id,
    metrics_workspace_id=observability.metrics.workspace_id,
    metrics_query_endpoint=observability.metrics.query_endpoint,
    grafana_endpoint=observability.grafana.endpoint,
    run_records=observability.records.facts,
    defender_plans_of=settings.defender_plans_of,
    delivery={
        "organization": settings.delivery.organization,
        "project_id": delivery.project_id,
        "project_name": delivery.project_name,
        "pipelines": delivery.pipelines,
        "repositories": delivery.repository_ids,
    }
    if delivery
    else None,
)
# What people still do by hand: the line of an environment in `release.yml`, and the rules of a branch on GitHub.
if agents:
    pulumi.export("agentPool", agents.name)
if delivery and delivery.on_github:
    pulumi.export("onGitHub", delivery.on_github)
