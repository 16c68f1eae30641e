"""What holds for every type when a request meets what exists: parents, names that are taken, fixed properties,
and things in use."""

from __future__ import annotations

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.kinds import Kind, Request
from rehearsal.cloud.replacements import changed, touches
from rehearsal.cloud.world import Resource, World


def check_parents(request: Request) -> None:
    group = arm.group_of(request.id)
    nested = len(request.kind.path) > 1
    if request.kind.scope is None and group not in (None, request.id) and not request.world.exists(str(group)):
        raise CloudError("ResourceGroupNotFound", f"Resource group '{arm.name_of(str(group))}' could not be found.")
    if nested and not request.world.exists(arm.parent_of(request.id)):
        raise CloudError(
            "ParentResourceNotFound",
            f"Failed to perform operation on nested resource {request.id}. Parent resource "
            f"'{arm.name_of(arm.parent_of(request.id))}' not found.",
        )


def check_free(request: Request) -> None:
    """Refuses an id that is there already, and a globally unique name that anyone holds."""
    if request.world.exists(request.id) or request.kind.first(request.world, request.id) is not None:
        raise CloudError("Conflict", f"cannot create already existing resource '{request.id}'")
    if request.kind.name_taken is None:
        return
    holder = request.world.holder_of(request.kind.token, request.kind.arm_type, request.name)
    if holder is not None:
        raise CloudError(request.kind.name_taken, f"The name '{request.name}' is already in use by {holder}.")
    deleted = request.world.reserved.get((request.kind.arm_type, request.name.lower()))
    if deleted is not None:
        raise CloudError(
            "ConflictError",
            f"A resource with the same name already exists in deleted state: {deleted}. "
            "Recover or purge it, or choose another name.",
        )


def check_fixed(request: Request, old: Resource) -> None:
    for path in changed(old.inputs, request.inputs):
        for fixed, code in request.kind.fixed.items():
            if touches(path, fixed):
                raise CloudError(code, f"Changing property '{path}' of {old.id} is not allowed.")


def check_unused(world: World, kind: Kind, resource: Resource, root: str) -> None:
    """Refuses to delete what others hold on to. `root` is what the delete asked for."""
    if arm.same(resource.id, root):
        for rule in kind.leaving:
            rule(resource)
    if kind.nested is not None and arm.same(resource.id, root):
        for child in world.under(root):
            raise CloudError(kind.nested, f"{root} cannot be deleted while it contains {child.id}.")
    if kind.in_use is not None:
        for user in world.users_of(resource.id):
            if not arm.within(user.id, root):
                raise CloudError(kind.in_use, f"{resource.id} is in use by {user.id} and cannot be deleted.")
