"""The pull model inside the cluster: Flux fetches what the workload is from the repository of configuration.

AKS brings Flux as an extension and keeps it up to date. It signs in to Azure Repos with a token of an identity of its
own, by workload identity: there is no secret. Multi-tenancy is enforced, so what it applies, it applies as a service
account of the workload's namespace, which may write the kinds of objects that an application has, there and nowhere
else: no secret, no role, no quota, nothing of another namespace.

Two parts come one after the other: what is released, until it serves; then its acceptance tests, a Job that tells by
its end whether the release is good. Both are pruned: what leaves the folder leaves the cluster.

Source and parts are objects in the cluster and not Azure's `fluxConfigurations`: in the API version of the SDK those
can sign in to Azure Repos by a password or a key alone, and choose by themselves whom they apply as. So they are left
out where the API server is not reached, as all else in the cluster is.

What it does not do: it says nothing of what the identity may read (`components.delivery.configuration`). `suspend` is
nobody's here, so that an operator who sets it is not overruled by the next `up`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_azure_native.kubernetesconfiguration import Extension, ScopeArgs, ScopeClusterArgs
from pulumi_azure_native.managedidentity import FederatedIdentityCredential, UserAssignedIdentity
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs, Role, RoleBinding, RoleRefArgs, SubjectArgs

from components.placement import InCluster, Placement

FLUX_NAMESPACE = "flux-system"
"""Where the extension always is."""
SOURCE_CONTROLLER = f"system:serviceaccount:{FLUX_NAMESPACE}:source-controller"
"""What reads repositories; the only part of Flux that needs to be somebody outside the cluster."""
AUDIENCE = "api://AzureADTokenExchange"

SOURCE = "configuration"
RELEASE, ACCEPTANCE = "release", "acceptance"
PARTS = (RELEASE, ACCEPTANCE)
"""The parts of an environment, one after the other; folders in its folder too."""
APPLIER = "release-applier"

SYNC = "1m"
"""Between two looks at the repository: a release waits for one at most."""
AGAIN = "5m"
"""Between two comparisons of the cluster with what was fetched: a change by hand lasts as long at most."""
TIMEOUTS = {RELEASE: "10m", ACCEPTANCE: "20m"}
"""How long a part may take until it counts as failed; those of the push model."""

WRITES = ("create", "delete", "get", "list", "patch", "update", "watch")
READS = ("get", "list", "watch")


def settings(client_id: str, tenant_id: str) -> dict[str, str]:
    """Of the extension. Parts of Flux that nobody here uses are off: each would be one more way in."""
    return {
        "helm-controller.enabled": "false",
        "image-automation-controller.enabled": "false",
        "image-reflector-controller.enabled": "false",
        "multiTenancy.enforce": "true",
        "workloadIdentity.azureClientId": client_id,
        "workloadIdentity.azureTenantId": tenant_id,
        "workloadIdentity.enable": "true",
    }


def rules() -> list[dict[str, Any]]:
    """What the applier may do in the namespace: the kinds that an application is made of, and see how they fare."""
    written = {
        "": ["configmaps", "services"],
        "apps": ["deployments"],
        "autoscaling": ["horizontalpodautoscalers"],
        "batch": ["jobs"],
        "networking.k8s.io": ["networkpolicies"],
        "policy": ["poddisruptionbudgets"],
    }
    seen = {"": ["events", "pods"], "apps": ["replicasets"]}
    return [
        {"api_groups": [group], "resources": resources, "verbs": list(verbs)}
        for kinds, verbs in ((written, WRITES), (seen, READS))
        for group, resources in kinds.items()
    ]


def source(url: str) -> dict[str, Any]:
    """Where Flux fetches from. The provider makes it sign in as the extension's identity."""
    return {"url": url, "ref": {"branch": "main"}, "provider": "azure", "interval": SYNC, "timeout": "60s"}


def part(name: str, folder: str, namespace: str) -> dict[str, Any]:
    """One part: a folder, applied until it serves, and pruned."""
    spec: dict[str, Any] = {
        "sourceRef": {"kind": "GitRepository", "name": SOURCE},
        "path": f"./{folder}/{name}",
        "interval": AGAIN,
        "retryInterval": SYNC,
        "timeout": TIMEOUTS[name],
        "prune": True,
        # Of everything that it applies: a deployment serves, a job has ended well.
        "wait": True,
        "force": False,
        "serviceAccountName": APPLIER,
        "targetNamespace": namespace,
        # An environment that goes back to the push model keeps what runs.
        "deletionPolicy": "Orphan",
    }
    if name == ACCEPTANCE:
        # Flux waits until the other one has applied the same commit and serves.
        spec["dependsOn"] = [{"name": RELEASE}]
    return spec


@dataclass(frozen=True)
class GitopsArgs:
    place: Placement
    tenant_id: str
    cluster_name: Input[str]
    oidc_issuer: Input[str]
    repository_url: Input[str]
    folder: str
    """Of the environment, in the repository."""
    namespace: str
    """Of the workload."""
    inside: InCluster | None
    """Where objects in the namespace are declared; None where the API server is not reached."""


class Gitops(ComponentResource):
    """Flux in one cluster, following one folder."""

    principal_id: Output[str]
    """Of the identity that it reads the repository as."""

    def __init__(self, name: str, args: GitopsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:gitops:Gitops", name, None, opts)
        self._args, place = args, args.place
        own = ResourceOptions(parent=self)
        identity = UserAssignedIdentity(
            "flux",
            resource_name_=place.names.identity("flux"),
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            opts=own,
        )
        self.principal_id = identity.principal_id
        credential = FederatedIdentityCredential(
            "flux-signs-in",
            federated_identity_credential_resource_name="source-controller",
            resource_name_=identity.name,
            resource_group_name=place.resource_group,
            issuer=args.oidc_issuer,
            subject=SOURCE_CONTROLLER,
            audiences=[AUDIENCE],
            opts=own,
        )
        extension = Extension(
            "flux-extension",
            extension_name="flux",
            resource_group_name=place.resource_group,
            cluster_rp="Microsoft.ContainerService",
            cluster_resource_name="managedClusters",
            cluster_name=args.cluster_name,
            extension_type="microsoft.flux",
            # The service chooses the version.
            auto_upgrade_minor_version=True,
            release_train="Stable",
            scope=ScopeArgs(cluster=ScopeClusterArgs(release_namespace=FLUX_NAMESPACE)),
            configuration_settings=identity.client_id.apply(lambda client: settings(client, args.tenant_id)),
            opts=own,
        )
        if args.inside:
            self._follow(args.inside, [extension, credential])
        self.register_outputs({"principalId": self.principal_id})

    def _follow(self, inside: InCluster, flux: list[Resource]) -> None:
        args = self._args
        applier = ServiceAccount(
            "applier",
            metadata=self._named(APPLIER),
            automount_service_account_token=False,
            opts=self._within(inside, []),
        )
        role = Role(
            "applier-role",
            metadata=self._named(APPLIER),
            rules=[PolicyRuleArgs(**rule) for rule in rules()],
            opts=self._within(inside, []),
        )
        binding = RoleBinding(
            "applier-binding",
            metadata=self._named(APPLIER),
            role_ref=RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=APPLIER),
            subjects=[SubjectArgs(kind="ServiceAccount", name=APPLIER, namespace=args.namespace)],
            opts=self._within(inside, [applier, role]),
        )
        # The kinds of these come with the extension.
        before: list[Resource] = [*flux, binding]
        fetched = CustomResource(
            SOURCE,
            api_version="source.toolkit.fluxcd.io/v1",
            kind="GitRepository",
            metadata=self._named(SOURCE),
            spec=Output.from_input(args.repository_url).apply(source),
            opts=self._within(inside, before),
        )
        before.append(fetched)
        for name in PARTS:
            followed = CustomResource(
                name,
                api_version="kustomize.toolkit.fluxcd.io/v1",
                kind="Kustomization",
                metadata=self._named(name),
                spec=part(name, args.folder, args.namespace),
                opts=self._within(inside, before),
            )
            before.append(followed)

    def _within(self, inside: InCluster, after: list[Resource]) -> ResourceOptions:
        return ResourceOptions(
            parent=self,
            provider=inside.provider,
            deleted_with=inside.cluster,
            depends_on=[*inside.after, *after],
        )

    def _named(self, name: str) -> ObjectMetaArgs:
        return ObjectMetaArgs(name=name, namespace=self._args.namespace)
