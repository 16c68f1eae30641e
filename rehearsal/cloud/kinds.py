"""What a resource type is to the stand-in: data, and a few functions over one request.

A `Kind` says how ids are built, what the service computes, and which rules it enforces. Rules are plain
functions that take a `Request` and raise `CloudError`. `shape` rules look at the inputs alone and also run in
a preview, where a value may be UNKNOWN; `world` rules look at what exists and run for real requests only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rehearsal.cloud import arm
from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.values import guid, lookup
from rehearsal.cloud.world import Resource, World


@dataclass(frozen=True)
class Request:
    """One create or update as a rule sees it. `old` is the resource before an update, None for a create."""

    kind: Kind
    id: str
    name: str
    subscription: str
    inputs: Mapping[str, Any]
    world: World
    old: Resource | None = None

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a dotted path, or the default when it is absent or unknown."""
        value = lookup(self.inputs, path)
        return default if value is None or value is UNKNOWN else value

    def given(self, path: str) -> bool:
        """Whether anything stands at a path, known or not."""
        return lookup(self.inputs, path) is not None

    def may_be(self, path: str, *allowed: Any) -> bool:
        """Whether a value is one of those allowed, or could still turn out to be. Absent is None."""
        value = lookup(self.inputs, path)
        return value is UNKNOWN or value in allowed

    def blocks(self, path: str) -> Iterator[Mapping[str, Any]]:
        """The mappings of a list, leaving out elements that are unknown."""
        values = self.get(path, ())
        if isinstance(values, (list, tuple)):
            yield from (value for value in values if isinstance(value, Mapping))

    def texts(self, path: str) -> list[str]:
        """The known strings of a list."""
        values = self.get(path, ())
        return [value for value in values if isinstance(value, str)] if isinstance(values, (list, tuple)) else []


Rule: TypeAlias = Callable[[Request], None]
Compute: TypeAlias = Callable[[Request], dict[str, Any]]


def _nothing(request: Request) -> dict[str, Any]:
    return {}


def _no_ids(request: Request) -> frozenset[str]:
    return frozenset()


def _not_made_yet(world: World, id: str) -> dict[str, Any] | None:
    return None


@dataclass(frozen=True)
class Kind:
    """One resource type.

    `path` names the inputs that hold the segments of the ARM name, parents first; one that starts with `=` is the
    segment itself. `scope` names the input
    that holds the scope of an extension resource. `links` says which ARM type an id at a path must have
    (`[*]` stands for any list index). `in_use` is the code with which a delete is refused while another
    resource still refers to this one; without it, Azure lets it go. `nested` is the code with which a delete
    is refused while children exist. `fixed` are inputs that an update may
    not change, with the code of the refusal; what the provider replaces for is in `replacements.yaml`.
    `name_taken` is the code for a name that must be unique in the world; a `soft_deleted` type keeps its name
    after a delete. `one_at_a_time` is the code for two writes at once below one parent. `of_subscription` is
    for what lies in no group. `leaving` rules may refuse the delete of the resource itself. `first` are the
    inputs that Azure itself gave to what it made along with something else; the provider refuses to create
    such a thing a second time, and can import it.
    """

    token: str
    arm_type: str
    path: tuple[str, ...]
    scope: str | None = None
    located: bool = True
    required: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    reference_code: str = "ResourceNotFound"
    compute: Compute = _nothing
    implies: Callable[[Request], frozenset[str]] = _no_ids
    shape: tuple[Rule, ...] = ()
    world: tuple[Rule, ...] = ()
    in_use: str | None = None
    nested: str | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    name_taken: str | None = None
    soft_deleted: bool = False
    one_at_a_time: str | None = None
    of_subscription: bool = False
    leaving: tuple[Callable[[Resource], None], ...] = ()
    first: Callable[[World, str], dict[str, Any] | None] = _not_made_yet

    @property
    def name_input(self) -> str:
        return self.path[-1]

    def identify(self, inputs: Mapping[str, Any], subscription: str) -> str:
        """The ARM id that these inputs address. Unknown segments make an id that nothing else has."""
        segments = [key[1:] if key.startswith("=") else _segment(inputs.get(key)) for key in self.path]
        if self.arm_type == "Microsoft.Resources/resourceGroups":
            return arm.group_id(subscription, segments[0])
        if self.scope is not None:
            # Most scopes are ids; some types take them without the first slash.
            scope = "/" + _segment(inputs.get(self.scope)).lstrip("/")
            return arm.resource_id(scope, self.arm_type, segments)
        if self.of_subscription:
            return arm.resource_id(f"/subscriptions/{subscription}", self.arm_type, segments)
        group = arm.group_id(subscription, _segment(inputs.get("resourceGroupName")))
        return arm.resource_id(group, self.arm_type, segments)

    @property
    def addressing(self) -> tuple[str, ...]:
        """The inputs that make up the id: a change to any of them is another resource."""
        own = tuple(key for key in self.path if not key.startswith("="))
        if self.of_subscription or self.arm_type == "Microsoft.Resources/resourceGroups":
            return own
        return (self.scope, *own) if self.scope is not None else ("resourceGroupName", *own)


def identity_outputs(request: Request) -> dict[str, Any]:
    """The identity block as ARM answers it: what goes in as a list comes out as a map with ids."""
    block = request.get("identity")
    if not isinstance(block, Mapping):
        return {}
    answer = dict(block)
    if "userAssignedIdentities" in block:
        found = {id: request.world.find(id) for id in request.texts("identity.userAssignedIdentities")}
        answer["userAssignedIdentities"] = {
            id: {
                "principalId": resource.outputs["principalId"] if resource else guid(id, "principal"),
                "clientId": resource.outputs["clientId"] if resource else guid(id, "client"),
            }
            for id, resource in found.items()
        }
    if "SystemAssigned" in str(block.get("type")):
        answer |= {"principalId": guid(request.id, "principal"), "tenantId": request.world.estate.tenant_id}
    return {"identity": answer}


def _segment(value: Any) -> str:
    return value if isinstance(value, str) else "unknown"


def refuse_unless(holds: bool, code: str, message: str) -> None:
    """Raises the refusal when a condition does not hold."""
    if not holds:
        raise CloudError(code, message)
