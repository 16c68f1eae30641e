"""Groups, their members, teams, and who holds which role on what."""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azuredevops.beginnings import descriptor, local_group
from rehearsal.cloud.azuredevops.kinds import (
    ENDPOINT,
    ENVIRONMENT,
    GROUP,
    PROJECT,
    SERVICE_USER,
    TEAM,
    DevOpsKind,
    Request,
    one_of,
    refuse_unless,
    same,
    token,
)
from rehearsal.cloud.values import guid

# What a role may be given on. None: on the project as a whole.
_SCOPES: Final = {
    "distributedtask.environmentreferencerole": ENVIRONMENT,
    "distributedtask.serviceendpointrole": ENDPOINT,
    "distributedtask.globalenvironmentreferencerole": None,
    "distributedtask.project.serviceendpointrole": None,
}
_ROLES: Final = ("Reader", "User", "Creator", "Administrator")


def _one_origin(request: Request) -> None:
    given = [key for key in ("displayName", "originId", "mail") if request.given(key)]
    refuse_unless(
        len(given) == 1,
        "InvalidArgument",
        f"exactly one of display_name, origin_id and mail is given, not {given or 'none'}",
    )


def _local_name(request: Request) -> None:
    name = request.text("displayName")
    refuse_unless(
        len(name) <= 256 and not re.search(r"[\x00-\x1f\"/\\\[\]:|<>+=;?*,]", name) and not name.endswith("."),
        "InvalidGroupName",
        f"The group name '{name}' is not valid: none of \"/\\[]:|<>+=;?*, and no '.' at the end.",
    )


def _id(request: Request) -> str:
    return descriptor(*_identity(request))


def _identity(request: Request) -> tuple[str, str]:
    """The prefix of the descriptor, and the id by which Azure DevOps itself knows the group."""
    if request.given("originId"):
        return "aadgp", guid("identity", request.text("originId"))
    return "vssgp", request.there.new_id(request.kind, request.text("scope"), "", request.text("displayName"))


def _group(request: Request) -> dict[str, Any]:
    if request.old is not None:
        kept = {key: value for key, value in request.old.outputs.items() if key not in request.old.inputs}
        return {**kept, "displayName": request.get("displayName", request.old.outputs["displayName"])}
    prefix, local = _identity(request)
    scope = request.text("scope")
    project = request.there.find(PROJECT, scope) if scope else None
    name = request.text("displayName") or f"group {request.text('originId')[:8]}"
    outputs = local_group(local, name, scope, project.name if project else "organization")
    if prefix == "aadgp":
        outputs |= {
            "descriptor": request.id,
            "origin": "aad",
            "originId": request.text("originId"),
            "domain": request.there.world.estate.tenant_id,
            "principalName": f"[directory]\\{name}",
        }
    return outputs


def _in_the_directory(request: Request) -> None:
    origin = request.text("originId")
    refuse_unless(
        not origin or request.there.world.principal_type(origin) == "Group",
        "VS860016",
        f"Could not find originId '{origin}' in the backing domain with originType 'Microsoft Entra ID'.",
    )


def _scope_exists(request: Request) -> None:
    if request.text("scope"):
        request.there.need(PROJECT, request.text("scope"))


def _local_name_is_free(request: Request) -> None:
    name = request.text("displayName")
    for other in request.there.of(GROUP):
        taken = same(other.name, name) and same(other.inputs.get("scope") or "", request.text("scope"))
        refuse_unless(
            not name or not taken or (request.old is not None and other.id == request.id),
            "GroupAlreadyExists",
            f"A group with the name '{name}' already exists in this scope.",
        )


def _members_exist(request: Request) -> None:
    for member in request.texts("members"):
        refuse_unless(
            request.there.has_subject(member),
            "SubjectNotFound",
            f"The subject with descriptor {member} was not found: members are descriptors, not ids.",
        )


def _not_its_own_member(request: Request) -> None:
    refuse_unless(
        request.text("group") not in request.texts("members"),
        "CyclicMembership",
        f"The group {request.text('group')} cannot be a member of itself.",
    )


def _role_on_something(request: Request) -> None:
    resource = request.text("resourceId")
    refuse_unless(
        not resource or re.match(r"[0-9a-fA-F-]{36}(_.+)?$", resource) is not None,
        "InvalidArgument",
        f"resource_id is '{resource}'; it is written as <project id>_<id of the environment or connection>",
    )


def _role_target_exists(request: Request) -> None:
    project, _, wanted = request.text("resourceId").partition("_")
    request.there.need(PROJECT, project)
    kind = _SCOPES[request.text("scope")]
    refuse_unless(
        (kind is None) == (not wanted),
        "InvalidArgument",
        f"resource_id {request.text('resourceId')} does not fit the scope {request.text('scope')}",
    )
    if kind is not None:
        request.there.need(kind, wanted, project)


def _role_holds(inputs: Any) -> list[tuple[str, str]]:
    kind = _SCOPES[str(inputs["scope"])]
    project, _, wanted = str(inputs["resourceId"]).partition("_")
    return [(PROJECT, project), *([(kind, wanted)] if kind else [])]


def _identity_exists(request: Request) -> None:
    identity = request.text("identityId")
    if not request.there.is_identity(identity):
        raise CloudError(
            "IdentityNotFound",
            f"The identity {identity} was not found: it is the group_id of a group, not its origin_id.",
        )


def _service_user(request: Request) -> dict[str, Any]:
    """The organisation knows it by an id of its own, which is neither the directory's nor the application's."""
    return {
        "descriptor": descriptor("aadsp", request.id),
        "displayName": f"service principal {request.text('originId')[:8]}",
    }


def _service_principal(request: Request) -> None:
    origin = request.text("originId")
    refuse_unless(
        not origin or request.there.world.principal_type(origin) == "ServicePrincipal",
        "VS860016",
        f"Could not find originId '{origin}' in the backing domain with originType 'Microsoft Entra ID': it is the "
        "object id of a service principal, and neither its client id nor that of a user.",
    )
    for other in request.there.of(SERVICE_USER):
        refuse_unless(
            other.id == request.id or not same(other.inputs.get("originId"), origin),
            "UserAlreadyExists",
            f"The service principal {origin} is a user of the organisation already.",
        )


def _team(request: Request) -> dict[str, Any]:
    return {"descriptor": descriptor("vssgp", request.id)}


KINDS: Final = (
    DevOpsKind(
        GROUP,
        name_input="displayName",
        identify=_id,
        force_new=("scope", "originId", "mail"),
        compute=_group,
        shape=(_one_origin, _local_name),
        world=(_scope_exists, _in_the_directory, _local_name_is_free, _members_exist),
        holds=lambda inputs: [
            *((GROUP, each) for each in inputs.get("members") or ()),
            *([(PROJECT, inputs["scope"])] if inputs.get("scope") else []),
        ],
    ),
    DevOpsKind(
        token("GroupMembership"),
        required=("group", "members"),
        links={"group": GROUP},
        force_new=("group",),
        defaults={"mode": "add"},
        shape=(one_of("mode", "add", "overwrite"),),
        world=(_members_exist, _not_its_own_member),
        # A user is held by its descriptor, which is not its id; the organisation lets it go, and its groups forget it.
        holds=lambda inputs: [(GROUP, each) for each in inputs.get("members") or ()],
    ),
    DevOpsKind(
        SERVICE_USER,
        required=("originId",),
        force_new=("originId", "origin"),
        defaults={"origin": "aad", "accountLicenseType": "express", "licensingSource": "account"},
        compute=_service_user,
        shape=(
            one_of("origin", "aad"),
            one_of(
                "accountLicenseType",
                *("advanced", "basic", "earlyAdopter", "express", "none", "professional", "stakeholder"),
            ),
            one_of("licensingSource", "account", "auto", "msdn", "none", "profile", "trial"),
        ),
        world=(_service_principal,),
    ),
    DevOpsKind(
        token("SecurityroleAssignment"),
        required=("scope", "resourceId", "identityId", "roleName"),
        force_new=("scope", "resourceId", "identityId"),
        shape=(one_of("scope", *_SCOPES), one_of("roleName", *_ROLES), _role_on_something),
        world=(_role_target_exists, _identity_exists),
        holds=_role_holds,
    ),
    DevOpsKind(
        TEAM,
        required=("projectId",),
        name_input="name",
        autonamed=True,
        links={"projectId": PROJECT},
        force_new=("projectId",),
        unique=("TeamAlreadyExists", "A team with the name {name} already exists in the project."),
        compute=_team,
        world=(_members_exist,),
    ),
)
