"""Deployments of templates, as far as they set tables that a workspace has from its first day.

The provider refuses to create such a table, and cannot import it in the run that makes its workspace. A template
is judged resource by resource, by the rules of the type that it sets. A deployment that goes leaves behind what it
has set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azure import tables
from rehearsal.cloud.checks import check_parents
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.names import check_name
from rehearsal.cloud.values import lookup, text

_NESTED: Final = "microsoft.resources/deployments"
_HOLDS: Final[dict[str, Kind]] = {kind.arm_type.lower(): kind for kind in tables.KINDS if len(kind.path) > 1}


def _template_is_whole(request: Request) -> None:
    # What Azure allows here would delete everything in the group that the template does not name.
    refuse_unless(
        request.may_be("properties.mode", "Incremental"),
        "InvalidDeployment",
        f"Deployment {request.name}: mode '{request.get('properties.mode')}' is not Incremental.",
    )
    for key in ("$schema", "contentVersion", "resources"):
        refuse_unless(
            lookup(request.inputs, f"properties.template.{key}") is not None,
            "InvalidTemplate",
            f"Deployment template validation failed: '{key}' is missing.",
        )
    for block in request.blocks("properties.template.resources"):
        for key in ("type", "apiVersion", "name"):
            refuse_unless(
                lookup(block, key) is not None,
                "InvalidTemplate",
                f"Deployment template validation failed: a resource lacks '{key}'.",
            )


def _resources(request: Request) -> Iterator[Request]:
    """What the template sets, each as the request that its own type would see."""
    for block in request.blocks("properties.template.resources"):
        if (text(block, "type") or "").lower() == _NESTED:
            yield from _resources(_nested(request, block))
        elif (made := _resource(request, block)) is not None:
            yield made


def _nested(request: Request, block: Mapping[str, Any]) -> Request:
    """A deployment within the deployment, which may go to another subscription and group."""
    subscription = text(block, "subscriptionId") or request.subscription
    refuse_unless(
        request.world.knows_subscription(subscription),
        "SubscriptionNotFound",
        f"The subscription '{subscription}' could not be found.",
    )
    inputs = {
        "resourceGroupName": block.get("resourceGroup", request.inputs.get("resourceGroupName")),
        "properties": block.get("properties", {}),
    }
    inner = replace(request, name=str(block.get("name")), subscription=subscription, inputs=inputs)
    _template_is_whole(inner)
    return inner


def _resource(request: Request, block: Mapping[str, Any]) -> Request | None:
    type_, name, properties = text(block, "type"), text(block, "name"), block.get("properties")
    kind = _HOLDS.get((type_ or "").lower())
    refuse_unless(
        type_ is None or kind is not None,
        "InvalidTemplate",
        f"The stand-in deploys {' and '.join(each.arm_type for each in _HOLDS.values())}, not '{type_}'.",
    )
    if kind is None or name is None or properties is UNKNOWN:
        return None
    refuse_unless(
        name.count("/") == len(kind.path) - 1,
        "InvalidTemplate",
        f"Deployment template validation failed: the name '{name}' must have {len(kind.path)} segments.",
    )
    inputs = {
        "resourceGroupName": request.inputs.get("resourceGroupName"),
        **(properties if isinstance(properties, Mapping) else {}),
        **dict(zip(kind.path, name.split("/"), strict=True)),
    }
    return Request(
        kind=kind,
        id=kind.identify(inputs, request.subscription),
        name=str(inputs[kind.name_input]),
        subscription=request.subscription,
        inputs=inputs,
        world=request.world,
    )


def _each_is_valid(request: Request) -> None:
    for resource in _resources(request):
        check_name(resource.kind.arm_type, resource.name)
        for rule in resource.kind.shape:
            rule(resource)


def _each_has_a_parent(request: Request) -> None:
    for resource in _resources(request):
        check_parents(resource)


def _deployment(request: Request) -> dict[str, Any]:
    given = request.get("properties", {})
    return {"properties": dict(given) | {"provisioningState": "Succeeded"}}


KINDS: Final = (
    Kind(
        token="azure-native:resources:Deployment",
        arm_type="Microsoft.Resources/deployments",
        path=("deploymentName",),
        located=False,
        required=("properties",),
        compute=_deployment,
        shape=(_template_is_whole, _each_is_valid),
        world=(_each_has_a_parent,),
    ),
)
