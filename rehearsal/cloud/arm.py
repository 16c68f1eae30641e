"""Azure Resource Manager ids: building, taking apart and comparing them. Ids are compared without case."""

from __future__ import annotations

import re
from typing import Final

GUID: Final = re.compile(r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")

_SHAPE: Final = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)"
    r"(/resourceGroups/(?P<group>[^/]+))?"
    r"(?P<rest>(/providers/[^/]+(/[^/]+/[^/]+)+)*)$",
    re.IGNORECASE,
)
_ROLE: Final = re.compile(
    r"^(?:/subscriptions/[^/]+)?/providers/Microsoft\.Authorization/roleDefinitions/(?P<guid>[^/]+)$",
    re.IGNORECASE,
)


def group_id(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


def resource_id(scope: str, arm_type: str, names: list[str]) -> str:
    """The id of a resource of `arm_type` (`Microsoft.X/parents/children`) under a scope."""
    provider, *types = arm_type.split("/")
    pairs = "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=True))
    return f"{scope.rstrip('/')}/providers/{provider}{pairs}"


def is_id(value: object) -> bool:
    return isinstance(value, str) and value.lower().startswith("/subscriptions/")


def well_formed(value: str) -> bool:
    return _SHAPE.match(value) is not None


def subscription_of(value: str) -> str:
    return value.split("/")[2] if is_id(value) else ""


def group_of(value: str) -> str | None:
    """The id of the resource group an id lies in, or None for something of the subscription itself."""
    match = _SHAPE.match(value)
    if match is None or match["group"] is None:
        return None
    return group_id(match["subscription"], match["group"])


def parent_of(value: str) -> str:
    """The id two segments up: the parent resource, if there is one."""
    return value.rsplit("/", 2)[0]


def name_of(value: str) -> str:
    return value.rsplit("/", 1)[-1]


def type_of(value: str) -> str:
    """The ARM type of an id, such as `Microsoft.KeyVault/vaults`; of an extension, the last one in it."""
    lowered = value.lower()
    if "/providers/" not in lowered:
        return (
            "Microsoft.Resources/resourceGroups"
            if "/resourcegroups/" in lowered
            else "Microsoft.Resources/subscriptions"
        )
    tail = value[lowered.rindex("/providers/") + len("/providers/") :].split("/")
    return "/".join([tail[0], *tail[1::2]])


def role_guid(value: str) -> str | None:
    """The GUID of a role definition id, or None when it is not one."""
    match = _ROLE.match(value)
    return match["guid"].lower() if match else None


def same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def within(value: str, scope: str) -> bool:
    """Whether an id is a scope or lies under it."""
    inner, outer = value.lower(), scope.lower().rstrip("/")
    return inner == outer or inner.startswith(outer + "/")
