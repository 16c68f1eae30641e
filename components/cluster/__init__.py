"""An AKS cluster: its identities and what they may do, the cluster, its pools, when it may upgrade, what it logs.

The control plane and the kubelets have an identity each, made here, so that their rights can be granted before the
cluster needs them. The kubelets pull from the registry of their own tier and nothing else. What each block of the
cluster says stands in `profiles`.

What it does not do: it puts nothing into the cluster, and it grants no pipeline or workload anything.
"""

from __future__ import annotations

from pulumi import ComponentResource, Output, Resource, ResourceOptions
from pulumi_azure_native.containerservice import AgentPool, MaintenanceConfiguration, ManagedCluster
from pulumi_azure_native.managedidentity import UserAssignedIdentity
from pulumi_azure_native.monitor import DiagnosticSetting, DiagnosticsLogSettingsArgs

from components.access import grant
from components.cluster import profiles
from components.cluster.profiles import ClusterArgs, NodePool, Window
from components.naming import stable_hash

__all__ = ["Cluster", "ClusterArgs", "NodePool", "Window"]

LOGGED = (
    "cloud-controller-manager",
    "cluster-autoscaler",
    "csi-azuredisk-controller",
    "guard",
    "kube-apiserver",
    "kube-audit-admin",
    "kube-controller-manager",
    "kube-scheduler",
)
"""Categories of the control plane's logs. `kube-audit-admin` leaves out reads, which are most of `kube-audit`."""


class Cluster(ComponentResource):
    """One cluster. `oidc_issuer` is what workload identities are federated with."""

    id: Output[str]
    name: Output[str]
    oidc_issuer: Output[str]
    host: Output[str]
    """Host name of the API server; it resolves to a private address when the cluster is private."""
    kubelet_principal_id: Output[str]

    def __init__(self, name: str, args: ClusterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:cluster:Cluster", name, None, opts)
        self._args = args
        control_plane = self._identity("control-plane")
        kubelet = self._identity("kubelet")
        rights = self._grant(control_plane, kubelet)
        cluster = self._cluster(control_plane, kubelet, after=[*rights, *args.after])
        for purpose, pool in sorted(args.user_pools.items()):
            self._pool(cluster, purpose, pool)
        for schedule, window in profiles.schedules(args).items():
            self._window(cluster, schedule, window)
        DiagnosticSetting(
            "cluster-diagnostics",
            name=args.place.names.diagnostic_setting,
            resource_uri=cluster.id,
            workspace_id=args.workspace_id,
            logs=[DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in LOGGED],
            # Tables of their own (AKSAuditAdmin, AKSControlPlane) instead of one for all of Azure.
            log_analytics_destination_type="Dedicated",
            opts=ResourceOptions(parent=self),
        )
        self.id, self.name = cluster.id, cluster.name
        self.oidc_issuer = cluster.oidc_issuer_profile.apply(lambda found: found.issuer_url if found else "")
        self.host = cluster.private_fqdn if args.access == "private" else cluster.fqdn
        self.kubelet_principal_id = kubelet.principal_id
        self.register_outputs({"id": self.id, "host": self.host, "oidcIssuer": self.oidc_issuer})

    def _identity(self, purpose: str) -> UserAssignedIdentity:
        place = self._args.place
        return UserAssignedIdentity(
            purpose,
            resource_name_=place.names.identity(purpose),
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            opts=ResourceOptions(parent=self),
        )

    def _grant(self, control_plane: UserAssignedIdentity, kubelet: UserAssignedIdentity) -> list[Resource]:
        """What both identities may do. The control plane needs its rights before the cluster is made; the kubelets'
        right comes with them, so that the first pod does not wait for it to spread (up to five minutes)."""
        args, names = self._args, self._args.place.names
        needed: list[Resource] = [
            grant(
                "control-plane-assigns-kubelet",
                "Managed Identity Operator",
                to=control_plane.principal_id,
                on=kubelet.id,
                names=names,
                parent=self,
            ),
            grant(
                "kubelet-pulls",
                "AcrPull",
                to=kubelet.principal_id,
                on=args.registry_id,
                names=names,
                parent=self,
            ),
        ]
        for purpose, (role, scope) in profiles.network_rights(args).items():
            needed.append(grant(purpose, role, to=control_plane.principal_id, on=scope, names=names, parent=self))
        return needed

    def _cluster(
        self, control_plane: UserAssignedIdentity, kubelet: UserAssignedIdentity, after: list[Resource]
    ) -> ManagedCluster:
        args, place = self._args, self._args.place
        cluster = ManagedCluster(
            "cluster",
            resource_name_=place.names.cluster,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            sku=profiles.sku(args),
            kubernetes_version=args.version,
            dns_prefix=place.names.dns_prefix,
            node_resource_group=place.names.node_resource_group,
            node_resource_group_profile=profiles.LOCKED_NODE_GROUP,
            identity=profiles.identity(control_plane.id),
            identity_profile=profiles.kubelet(kubelet.id, kubelet.client_id, kubelet.principal_id),
            aad_profile=profiles.directory(args),
            enable_rbac=True,
            disable_local_accounts=True,
            oidc_issuer_profile=profiles.OIDC,
            security_profile=profiles.security(args),
            agent_pool_profiles=[profiles.system_pool(args)],
            network_profile=profiles.network(args),
            api_server_access_profile=profiles.api_server(args),
            addon_profiles=profiles.addons(args),
            azure_monitor_profile=profiles.METRICS,
            auto_upgrade_profile=profiles.upgrades(args),
            opts=ResourceOptions(
                parent=self,
                protect=place.protect,
                depends_on=after,
                ignore_changes=profiles.changed_by_azure(args),
            ),
        )
        for group in args.admin_groups:
            grant(
                f"admins-{stable_hash(group)}-fetch-credentials",
                "Azure Kubernetes Service Cluster User Role",
                to=group,
                on=cluster.id,
                names=place.names,
                kind="Group",
                parent=self,
            )
        return cluster

    def _pool(self, cluster: ManagedCluster, name: str, pool: NodePool) -> AgentPool:
        args = self._args
        return AgentPool(
            f"pool-{name}",
            agent_pool_name=name,
            resource_name_=cluster.name,
            resource_group_name=args.place.resource_group,
            **profiles.pool(args, pool),
            mode="User",
            type="VirtualMachineScaleSets",
            node_labels=dict(sorted(pool.labels.items())) or None,
            node_taints=list(pool.taints) or None,
            opts=ResourceOptions(parent=self, ignore_changes=profiles.pool_changed_by_azure(args)),
        )

    def _window(self, cluster: ManagedCluster, schedule: str, window: Window) -> MaintenanceConfiguration:
        return MaintenanceConfiguration(
            schedule,
            config_name=schedule,
            resource_name_=cluster.name,
            resource_group_name=self._args.place.resource_group,
            maintenance_window=profiles.window(window),
            opts=ResourceOptions(parent=self),
        )
