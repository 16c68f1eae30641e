"""What every application finds in its cluster: an identity, a namespace with its limits, and a way for its telemetry.

The platform owns what a deployer may not write: the namespace and its pod security, quota, network policies, the
service account with its identity, the secrets it mounts, and what is scraped and logged. The application's chart
refers to these by name. What each object says stands in `plan`, the collectors' settings in `collectors`, the way to
the API server in `access`.

What it does not do: it deploys no application, grants no pipeline anything, and holds no secret. Where the API server
cannot be reached, the in-cluster half is left out with a warning; the identity and its rights are made all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.managedidentity import FederatedIdentityCredential, UserAssignedIdentity
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ConfigMap, LimitRange, Namespace, ResourceQuota, ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.access import grant
from components.placement import InCluster
from components.workload import access, collectors, plan
from components.workload.plan import Quota, Telemetry, WorkloadArgs

__all__ = ["Quota", "Telemetry", "Workload", "WorkloadArgs"]

UNREACHABLE = (
    "aks-cicd:cluster.reachable is false: the namespace, service account, quota, network policies, secrets and "
    "monitors of the workload are left out, and nothing can be deployed yet. Set it to true and run `pulumi up` "
    "again from where the API server can be reached, such as an agent inside the network."
)


class Workload(ComponentResource):
    """One application's place in one cluster."""

    namespace: str
    service_account: str
    client_id: Output[str]
    """Of the workload's identity."""
    principal_id: Output[str]
    inside: InCluster | None
    """Where others declare objects in the namespace, once all of it stands. None where the API server is not
    reached."""

    def __init__(self, name: str, args: WorkloadArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:workload:Workload", name, None, opts)
        self._args = args
        self.namespace, self.service_account = args.namespace, args.service_account
        identity = self._identity()
        self.client_id, self.principal_id = identity.client_id, identity.principal_id
        self.inside = None
        if args.reachable:
            provider = args.provider or self._connect()
            self._declare(provider)
            self.inside = InCluster(provider, args.cluster, after=(self,))
        else:
            pulumi.warn(UNREACHABLE, self)
        self.register_outputs({"namespace": self.namespace, "clientId": self.client_id})

    def _identity(self) -> UserAssignedIdentity:
        """Who the application is to Azure, that its service account may sign in as it, and what it may do."""
        args, place = self._args, self._args.place
        identity = UserAssignedIdentity(
            "workload",
            resource_name_=place.names.identity("workload"),
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            opts=ResourceOptions(parent=self),
        )
        FederatedIdentityCredential(
            "workload-signs-in",
            federated_identity_credential_resource_name="service-account",
            resource_name_=identity.name,
            resource_group_name=place.resource_group,
            issuer=args.oidc_issuer,
            subject=plan.subject(args),
            audiences=[plan.AUDIENCE],
            opts=ResourceOptions(parent=self),
        )
        rights = {"workload-reads-secrets": ("Key Vault Secrets User", args.vault_id)}
        if args.telemetry:
            rights["workload-publishes-telemetry"] = ("Monitoring Metrics Publisher", args.telemetry.component_id)
        for purpose, (role, scope) in rights.items():
            grant(purpose, role, to=identity.principal_id, on=scope, names=place.names, parent=self)
        return identity

    def _connect(self) -> Provider:
        args = self._args
        return access.connect(
            "cluster-objects",
            resource_group=args.place.resource_group,
            cluster_name=args.cluster_name,
            tenant_id=args.tenant_id,
            login=args.login,
            parent=self,
        )

    def _declare(self, provider: Provider) -> None:
        """Everything inside the cluster. Whoever deletes the cluster needs no way into it to delete this."""
        args = self._args
        namespace = Namespace(
            "namespace",
            metadata={"name": args.namespace, "labels": plan.namespace_labels()},
            # It takes the application with it.
            opts=ResourceOptions(parent=self, provider=provider, deleted_with=args.cluster, protect=args.place.protect),
        )
        within = ResourceOptions(parent=self, provider=provider, deleted_with=args.cluster, depends_on=[namespace])
        self._limit(within)
        self._equip(within)
        collected = {collectors.METRICS: collectors.metrics(args.rules), collectors.LOGS: collectors.logs()}
        for name, data in collected.items():
            ConfigMap(
                name,
                metadata={"name": name, "namespace": collectors.NAMESPACE},
                data=data,
                opts=ResourceOptions(parent=self, provider=provider, deleted_with=args.cluster),
            )

    def _limit(self, opts: ResourceOptions) -> None:
        """What bounds every pod of the namespace."""
        ResourceQuota("quota", metadata=self._named("workload"), spec=plan.quota(self._args.quota), opts=opts)
        LimitRange("limits", metadata=self._named("workload"), spec=plan.limits(), opts=opts)
        for name, spec in plan.network_policies().items():
            NetworkPolicy(name, metadata=self._named(name), spec=spec, opts=opts)

    def _equip(self, opts: ResourceOptions) -> None:
        """What the application's chart refers to by name, and what looks at its pods."""
        args = self._args
        ServiceAccount(
            "service-account",
            metadata=self._named(args.service_account, {"azure.workload.identity/client-id": self.client_id}),
            # The identity's token is mounted beside it; nothing in an application calls the API server.
            automount_service_account_token=False,
            opts=opts,
        )
        if args.secrets:
            CustomResource(
                "secrets",
                api_version="secrets-store.csi.x-k8s.io/v1",
                kind="SecretProviderClass",
                metadata=self._named(plan.SECRETS),
                spec=Output.all(args.vault_name, self.client_id).apply(
                    lambda known: plan.secret_provider(args, known[0], known[1])
                ),
                opts=opts,
            )
        CustomResource(
            "pod-monitor",
            api_version="azmonitoring.coreos.com/v1",
            kind="PodMonitor",
            metadata=self._named("workload"),
            spec=plan.pod_monitor(),
            opts=opts,
        )
        connection_string = args.telemetry.connection_string if args.telemetry else None
        ConfigMap(
            "telemetry",
            metadata=self._named(plan.TELEMETRY),
            data=Output.all(args.cluster_name, self.client_id, connection_string).apply(
                lambda known: plan.telemetry(args, *known)
            ),
            opts=opts,
        )

    def _named(self, name: str, annotations: Mapping[str, Input[str]] | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(name=name, namespace=self._args.namespace, annotations=annotations)
