"""Extensions of a cluster: what AKS brings into it and keeps up to date.

Only Flux is known. An extension lies below the cluster, and three inputs say below which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azure.cluster import CLUSTER
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.world import Resource, World

EXTENSION: Final = "azure-native:kubernetesconfiguration:Extension"
FLUX: Final = "microsoft.flux"
_OF_AKS: Final = {"clusterRp": "Microsoft.ContainerService", "clusterResourceName": "managedClusters"}
_BOOLEANS: Final = re.compile(r"(.*-controller\.enabled|multiTenancy\.enforce|workloadIdentity\.enable)")
_SETTINGS: Final = re.compile(
    r"(fluxconfig-agent|fluxconfig-controller|helm-controller|image-automation-controller|image-reflector-controller"
    r"|kustomize-controller|notification-controller|source-controller)\..+|multiTenancy\.enforce|useKubeletIdentity"
    r"|workloadIdentity\.(enable|azureClientId|azureTenantId)"
)


@dataclass(frozen=True)
class _OfCluster(Kind):
    """What lies below a cluster that three inputs name."""

    def identify(self, inputs: Mapping[str, Any], subscription: str) -> str:
        def said(key: str) -> str:
            value = inputs.get(key)
            return value if isinstance(value, str) else "unknown"

        cluster = arm.resource_id(
            arm.group_id(subscription, said("resourceGroupName")),
            f"{said('clusterRp')}/{said('clusterResourceName')}",
            [said("clusterName")],
        )
        return arm.resource_id(cluster, self.arm_type, [said(self.name_input)])

    @property
    def addressing(self) -> tuple[str, ...]:
        return ("resourceGroupName", *_OF_AKS, "clusterName", *self.path)


def flux_of(world: World, cluster: Resource) -> Resource | None:
    """The Flux of a cluster, where it has one."""
    return next(
        (
            found
            for found in world.of_type(EXTENSION)
            if arm.within(found.id, cluster.id) and str(found.inputs.get("extensionType")).lower() == FLUX
        ),
        None,
    )


def _of_a_managed_cluster(request: Request) -> None:
    for key, wanted in _OF_AKS.items():
        refuse_unless(
            request.may_be(key, wanted), "InvalidParameter", f"{key} is '{request.get(key)}'; for AKS it is {wanted}."
        )


def _known_type(request: Request) -> None:
    said = str(request.get("extensionType", FLUX))
    refuse_unless(
        said.lower() == FLUX, "ExtensionTypeRegistrationGetFailed", f"The extension type {said} is not known."
    )


def _version(request: Request) -> None:
    refuse_unless(
        not request.given("version") or request.may_be("autoUpgradeMinorVersion", False),
        "InvalidParameter",
        "version is given only where autoUpgradeMinorVersion is false.",
    )


def _scope(request: Request) -> None:
    namespace = request.get("scope.cluster.releaseNamespace", "flux-system")
    refuse_unless(
        not request.given("scope.namespace") and namespace == "flux-system",
        "InvalidParameter",
        f"Flux is installed for the whole cluster, into flux-system, and not into {namespace}.",
    )


def _settings(request: Request) -> None:
    for key, value in dict(request.get("configurationSettings", {})).items():
        refuse_unless(
            _SETTINGS.fullmatch(key) is not None,
            "InvalidParameter",
            f"configurationSettings: {key} is no setting of Flux.",
        )
        refuse_unless(
            value is UNKNOWN or isinstance(value, str),
            "InvalidParameter",
            f"configurationSettings: {key} is {value!r}; every value is a text.",
        )
        refuse_unless(
            value is UNKNOWN or not _BOOLEANS.fullmatch(key) or value in ("true", "false"),
            "InvalidParameter",
            f"configurationSettings: {key} is '{value}'; allowed are true and false.",
        )


def _workload_identity(request: Request) -> None:
    """It needs the cluster's webhook and issuer, and an identity that there is."""
    settings = dict(request.get("configurationSettings", {}))
    if settings.get("workloadIdentity.enable") != "true":
        return
    cluster = request.world.find(arm.parent_of(arm.parent_of(request.id)))
    if cluster is None:
        cluster = next((one for one in request.world.of_type(CLUSTER) if arm.within(request.id, one.id)), None)
    on = cluster is not None and bool(
        (cluster.inputs.get("oidcIssuerProfile") or {}).get("enabled")
        and ((cluster.inputs.get("securityProfile") or {}).get("workloadIdentity") or {}).get("enabled")
    )
    refuse_unless(on, "ExtensionOperationFailed", "Workload identity is not enabled on the cluster.")
    client = settings.get("workloadIdentity.azureClientId")
    known = {
        found.outputs.get("clientId")
        for found in request.world.of_type("azure-native:managedidentity:UserAssignedIdentity")
    }
    refuse_unless(
        client in known, "ExtensionOperationFailed", f"workloadIdentity.azureClientId is {client}: no identity has it."
    )


def _one_flux(request: Request) -> None:
    for found in request.world.of_type(EXTENSION):
        refuse_unless(
            arm.same(found.id, request.id) or arm.parent_of(found.id).lower() != arm.parent_of(request.id).lower(),
            "ExtensionOperationFailed",
            f"The cluster has Flux already, as {found.id}.",
        )


def _cluster_is_there(request: Request) -> None:
    clusters = [found.id for found in request.world.of_type(CLUSTER)]
    refuse_unless(
        any(arm.within(request.id, id) for id in clusters),
        "ParentResourceNotFound",
        f"The cluster of {request.id} could not be found.",
    )


def _extension(request: Request) -> dict[str, Any]:
    return {
        "currentVersion": "1.20.3",
        "provisioningState": "Succeeded",
        "isSystemExtension": False,
        "configurationProtectedSettings": {},
    }


KINDS: Final = (
    _OfCluster(
        token=EXTENSION,
        arm_type="Microsoft.KubernetesConfiguration/extensions",
        path=("extensionName",),
        located=False,
        required=("clusterRp", "clusterResourceName", "clusterName", "extensionType"),
        compute=_extension,
        shape=(_of_a_managed_cluster, _known_type, _version, _scope, _settings),
        world=(_cluster_is_there, _workload_identity, _one_flux),
        fixed={"extensionType": "InvalidParameter", "scope": "InvalidParameter"},
    ),
)
