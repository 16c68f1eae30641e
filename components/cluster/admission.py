"""What the cluster lets in: Azure Policy's rules on pods, enforced by the add-on at the API server.

Only images of the tier's own registry, and only pods that keep the restricted Pod Security standard: the same that the
workload's namespace demands by its label, and here for every namespace that is not the system's. So a namespace that
somebody adds later is held to it too.

What it does not do: it judges no image by what is in it, and it is no role of anybody: an assignment without identity
can change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.authorization import (
    NonComplianceMessageArgs,
    ParameterValuesValueArgs,
    PolicyAssignment,
)

from components.placement import Placement

ALLOWED_IMAGES = "/providers/Microsoft.Authorization/policyDefinitions/febd0533-8e55-448f-b837-bd0e06f16469"
"""Kubernetes cluster containers should only use allowed images."""
RESTRICTED_PODS = "/providers/Microsoft.Authorization/policySetDefinitions/42b8ef37-b724-4e24-bbc8-7a7708edfe00"
"""Kubernetes cluster pod security restricted standards for Linux-based workloads."""

SYSTEM_NAMESPACES = ("azure-arc", "flux-system", "gatekeeper-system", "kube-system")
"""What Azure runs there comes from Azure's own registry, and some of it needs the node."""


@dataclass(frozen=True)
class AdmissionArgs:
    place: Placement
    cluster_id: Input[str]
    registry_login_server: Input[str]
    """Where all images come from."""
    effect: Literal["deny", "audit"]
    """Whether a pod that breaks a rule is refused, or reported."""


def images_of(login_server: str) -> str:
    """The regular expression that images of one registry match, and no others: a name that ends in the registry's, or
    goes on after it, is another registry."""
    return f"^{re.escape(login_server)}/.+$"


def parameters(effect: str, **more: Any) -> Mapping[str, ParameterValuesValueArgs]:
    said = {"effect": effect, "excludedNamespaces": list(SYSTEM_NAMESPACES), **more}
    return {name: ParameterValuesValueArgs(value=value) for name, value in said.items()}


class Admission(ComponentResource):
    """The rules of one cluster."""

    def __init__(self, name: str, args: AdmissionArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:cluster:Admission", name, None, opts)
        own = Output.from_input(args.registry_login_server).apply(images_of)
        title = "Images come from the tier's own registry"
        self._assign(args, "allowed-images", ALLOWED_IMAGES, title, allowedContainerImagesRegex=own)
        self._assign(args, "restricted-pods", RESTRICTED_PODS, "Pods keep the restricted Pod Security standard")
        self.register_outputs({})

    def _assign(self, args: AdmissionArgs, name: str, definition: str, title: str, **more: Any) -> None:
        PolicyAssignment(
            name,
            policy_assignment_name=name,
            scope=args.cluster_id,
            policy_definition_id=definition,
            display_name=title,
            enforcement_mode="Default",
            parameters=parameters(args.effect, **more),
            non_compliance_messages=[NonComplianceMessageArgs(message=f"{title}; see docs/supply-chain.md.")],
            opts=ResourceOptions(parent=self),
        )
