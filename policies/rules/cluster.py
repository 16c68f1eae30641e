"""Clusters: who signs in, who reaches the API server, what runs beside the workload, who upgrades."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import Properties, Resource, Stack, get, production
from policies.rule import ADVISORY, MANDATORY, on_resource, on_stack

CLUSTER = "containerservice:ManagedCluster"
WINDOWS = ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
"""The maintenance windows that AKS knows by name: of the cluster, and of its nodes' images."""


ADMISSION = {
    "policyDefinitions/febd0533-8e55-448f-b837-bd0e06f16469": "images of foreign registries",
    "policySetDefinitions/42b8ef37-b724-4e24-bbc8-7a7708edfe00": "pods beyond the restricted Pod Security standard",
}
"""What must be refused in every cluster, by the built-in definition that does."""


@on_resource(
    "cluster-local-accounts",
    CLUSTER,
    severity=MANDATORY,
    reason="A local account is a certificate that nobody can take back and that no log ties to a person.",
    remedy="Set disableLocalAccounts.",
    psrule=("Azure.AKS.LocalAccounts",),
    cis=("5.5.1",),
)
def no_local_accounts(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "disableLocalAccounts") is not True:
        yield "local accounts are on"


@on_resource(
    "cluster-entra-id",
    CLUSTER,
    severity=MANDATORY,
    reason="People and pipelines sign in with Entra ID, and Azure's roles say what they may do: one list, one log.",
    remedy="Set enableRBAC, and managed and enableAzureRBAC of aadProfile.",
    psrule=("Azure.AKS.ManagedAAD", "Azure.AKS.AzureRBAC", "Azure.AKS.UseRBAC"),
    cis=("5.5.1", "5.5.2"),
)
def entra_id_and_azures_roles(type_: str, cluster: Properties) -> Iterator[str]:
    for path, words in (
        ("aadProfile.managed", "Entra ID does not sign people in"),
        ("aadProfile.enableAzureRBAC", "Azure's roles do not count"),
        ("enableRBAC", "Kubernetes' own roles do not count"),
    ):
        if get(cluster, path) is not True:
            yield words


@on_resource(
    "cluster-workload-identity",
    CLUSTER,
    severity=MANDATORY,
    reason="Without it a pod needs a secret, or takes the identity of its node.",
    remedy="Enable oidcIssuerProfile and securityProfile.workloadIdentity.",
)
def pods_sign_in_as_themselves(type_: str, cluster: Properties) -> Iterator[str]:
    for path in ("oidcIssuerProfile.enabled", "securityProfile.workloadIdentity.enabled"):
        if get(cluster, path) is not True:
            yield f"{path} is off"


@on_resource(
    "cluster-public-access",
    CLUSTER,
    severity=ADVISORY,
    reason="A public API server of production can be tried from everywhere.",
    remedy="Set aks-cicd:cluster.access to private.",
    cis=("5.4.1", "5.4.2"),
)
def production_is_private(type_: str, cluster: Properties) -> Iterator[str]:
    if not production(cluster):
        return
    if get(cluster, "apiServerAccessProfile.enablePrivateCluster") is not True:
        yield "its API server is public"
    elif get(cluster, "apiServerAccessProfile.enablePrivateClusterPublicFQDN") is not False:
        yield "its private address stands in public DNS"


@on_resource(
    "cluster-authorized-ranges",
    CLUSTER,
    severity=ADVISORY,
    reason="A public API server of production that takes connections from everywhere is guarded by Entra ID alone.",
    remedy="Set aks-cicd:cluster.authorizedRanges.",
    psrule=("Azure.AKS.AuthorizedIPs",),
    cis=("5.4.1",),
)
def production_knows_its_clients(type_: str, cluster: Properties) -> Iterator[str]:
    public = get(cluster, "apiServerAccessProfile.enablePrivateCluster") is not True
    if production(cluster) and public and not get(cluster, "apiServerAccessProfile.authorizedIPRanges"):
        yield "its API server answers the whole internet"


@on_resource(
    "cluster-defender-sensor",
    CLUSTER,
    severity=MANDATORY,
    reason="Without the sensor nobody sees an attack on what runs; without its workspace named, Azure makes one.",
    remedy="Enable securityProfile.defender and name its workspace.",
    psrule=("Azure.AKS.DefenderProfile",),
)
def defender_watches(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "securityProfile.defender.securityMonitoring.enabled") is not True:
        yield "the Defender sensor is off"
    elif not get(cluster, "securityProfile.defender.logAnalyticsWorkspaceResourceId"):
        yield "the Defender sensor has no workspace"


@on_resource(
    "cluster-image-cleaner",
    CLUSTER,
    severity=MANDATORY,
    reason="Images that nobody runs any more stay on the nodes with all their vulnerabilities.",
    remedy="Enable securityProfile.imageCleaner.",
)
def old_images_are_cleaned(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "securityProfile.imageCleaner.enabled") is not True:
        yield "the image cleaner is off"


@on_resource(
    "cluster-azure-policy",
    CLUSTER,
    severity=MANDATORY,
    reason="The estate's policies for Kubernetes would have no effect in this cluster.",
    remedy="Enable the add-on azurepolicy.",
    psrule=("Azure.AKS.AzurePolicyAddOn",),
)
def azure_policy_counts(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "addonProfiles.azurepolicy.enabled") is not True:
        yield "the Azure Policy add-on is off"


@on_stack(
    "cluster-admission",
    severity=MANDATORY,
    reason="A namespace that somebody adds could run any image, with any right on the node.",
    remedy="Assign both policies to the cluster, and set aks-cicd:cluster.admission to deny.",
    cis=("5.1.4",),
)
def foreign_pods_are_refused(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for cluster in stack.of(CLUSTER):
        for definition, what in ADMISSION.items():
            own = [
                one
                for one in stack.of("authorization:PolicyAssignment")
                if str(one.get("policyDefinitionId")).endswith(definition)
                and stack.linked(one, "scope", CLUSTER) is cluster
            ]
            if not own:
                yield cluster, f"nothing refuses {what}"
            for one in own:
                if one.get("parameters.effect.value") != "deny" or one.get("enforcementMode") == "DoNotEnforce":
                    yield one, f"{what} are reported, not refused"


@on_resource(
    "cluster-network-policy",
    CLUSTER,
    severity=MANDATORY,
    reason="Network policies would be accepted and have no effect: every pod could reach every other.",
    remedy="Set networkPolicy and networkDataplane to cilium.",
    psrule=("Azure.AKS.NetworkPolicy",),
    cis=("5.4.4",),
)
def network_policies_count(type_: str, cluster: Properties) -> Iterator[str]:
    for key in ("networkPolicy", "networkDataplane"):
        if (found := get(cluster, f"networkProfile.{key}")) != "cilium":
            yield f"{key} is {found}"


@on_resource(
    "cluster-secret-store",
    CLUSTER,
    severity=MANDATORY,
    reason="Pods read secrets from the vault, and see a renewed one without a new release.",
    remedy="Enable the add-on azureKeyvaultSecretsProvider with enableSecretRotation.",
    psrule=("Azure.AKS.SecretStore", "Azure.AKS.SecretStoreRotation"),
    cis=("4.5.2",),
)
def secrets_come_from_the_vault(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "addonProfiles.azureKeyvaultSecretsProvider.enabled") is not True:
        yield "secrets cannot be mounted from a vault"
    elif get(cluster, "addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation") != "true":
        yield "mounted secrets are not renewed"


@on_resource(
    "cluster-identity",
    CLUSTER,
    severity=MANDATORY,
    reason="Control plane and kubelet have identities of their own, whose rights stand in the closed list.",
    remedy="Set identity to UserAssigned and name the kubelet's in identityProfile.",
    psrule=("Azure.AKS.ManagedIdentity",),
)
def identities_are_its_own(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "servicePrincipalProfile"):
        yield "it uses a service principal, which has a secret"
    if get(cluster, "identity.type") != "UserAssigned":
        yield f"the control plane's identity is {get(cluster, 'identity.type')}"
    if not get(cluster, "identityProfile.kubeletidentity"):
        yield "Azure chooses the kubelet's identity"


@on_resource(
    "cluster-locked-nodes",
    CLUSTER,
    severity=MANDATORY,
    reason="Nodes that somebody changes behind AKS's back are lost with the next upgrade, or break it.",
    remedy="Set nodeResourceGroupProfile.restrictionLevel to ReadOnly.",
)
def nobody_touches_the_nodes(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "nodeResourceGroupProfile.restrictionLevel") != "ReadOnly":
        yield "the group of its nodes is not locked"


@on_resource(
    "cluster-service-level",
    CLUSTER,
    severity=MANDATORY,
    reason="Nobody answers for the API server of a free cluster.",
    remedy="Set aks-cicd:cluster.sku to Standard or Premium.",
    psrule=("Azure.AKS.UptimeSLA",),
)
def production_has_a_service_level(type_: str, cluster: Properties) -> Iterator[str]:
    if production(cluster) and get(cluster, "sku.tier") not in ("Standard", "Premium"):
        yield f"its tier is {get(cluster, 'sku.tier')}"


@on_resource(
    "cluster-upgrades",
    CLUSTER,
    severity=ADVISORY,
    reason="A cluster that nobody upgrades falls out of support within a year.",
    remedy="Set aks-cicd:cluster.upgrades.channel to patch, stable or rapid.",
    psrule=("Azure.AKS.AutoUpgrade",),
)
def kubernetes_is_upgraded(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "autoUpgradeProfile.upgradeChannel") in (None, "none"):
        yield "nobody upgrades Kubernetes"


@on_resource(
    "cluster-node-os-upgrades",
    CLUSTER,
    severity=ADVISORY,
    reason="Nodes without security updates stay open to what everybody knows.",
    remedy="Set aks-cicd:cluster.upgrades.nodeOsChannel to NodeImage or SecurityPatch.",
    psrule=("Azure.AKS.NodeAutoUpgrade",),
)
def nodes_are_updated(type_: str, cluster: Properties) -> Iterator[str]:
    if get(cluster, "autoUpgradeProfile.nodeOSUpgradeChannel") not in ("NodeImage", "SecurityPatch"):
        yield "nobody updates the nodes' operating system within the window"


@on_stack(
    "cluster-maintenance-windows",
    severity=MANDATORY,
    reason="Without a window AKS upgrades when it likes, at noon if need be.",
    remedy=f"Declare the maintenance configurations {' and '.join(WINDOWS)}.",
    psrule=("Azure.AKS.MaintenanceWindow",),
)
def upgrades_have_their_time(stack: Stack) -> Iterator[tuple[Resource, str]]:
    windows = stack.of("containerservice:MaintenanceConfiguration")
    for cluster in stack.of(CLUSTER):
        own = {
            one.get("configName") or one.get("name") or one.name
            for one in windows
            if stack.linked(one, "resourceName", CLUSTER) is cluster
        }
        yield from ((cluster, f"it has no window {name}") for name in WINDOWS if name not in own)
