"""Deployments of templates, as far as they set tables that a workspace has from its first day.

The provider refuses to create such a table, and cannot import it in the run that makes its workspace. A template
is judged resource by resource, by the rules of the type that it sets. A deployment that goes leaves behind what it
has set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azure import tables
from rehearsal.cloud.checks import check_parents
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.names import check_name
from rehearsal.cloud.values import lookup, text

_HOLDS: Final = next(kind for kind in tables.KINDS if kind.token == tables.TABLE)


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
        type_, name, properties = text(block, "type"), text(block, "name"), block.get("properties")
        refuse_unless(
            type_ is None or type_.lower() == _HOLDS.arm_type.lower(),
            "InvalidTemplate",
            f"The stand-in deploys {_HOLDS.arm_type}, not '{type_}'.",
        )
        if name is None or properties is UNKNOWN:
            continue
        refuse_unless(
            name.count("/") == len(_HOLDS.path) - 1,
            "InvalidTemplate",
            f"Deployment template validation failed: the name '{name}' must have {len(_HOLDS.path)} segments.",
        )
        inputs = {
            "resourceGroupName": request.inputs.get("resourceGroupName"),
            **(properties if isinstance(properties, Mapping) else {}),
            **dict(zip(_HOLDS.path, name.split("/"), strict=True)),
        }
        yield Request(
            kind=_HOLDS,
            id=_HOLDS.identify(inputs, request.subscription),
            name=str(inputs[_HOLDS.name_input]),
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
