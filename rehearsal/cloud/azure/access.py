"""Role assignments: who may do what, where."""

from __future__ import annotations

from typing import Final

from rehearsal.cloud import arm, conditions
from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import lookup

ASSIGNMENT: Final = "azure-native:authorization:RoleAssignment"
POLICY: Final = "azure-native:authorization:PolicyAssignment"
SIGNED_IMAGES: Final = "cf426bb8-b320-4321-8545-1b784a5df3a4"
POLICIES: Final = {
    "febd0533-8e55-448f-b837-bd0e06f16469": ("policyDefinitions", {"allowedContainerImagesRegex"}),
    "42b8ef37-b724-4e24-bbc8-7a7708edfe00": ("policySetDefinitions", set[str]()),
    SIGNED_IMAGES: ("policyDefinitions", set[str]()),
}
"""Built-in definitions on Kubernetes that the stand-in knows, and the parameters that each demands beside those that
all of them have."""


def _principal_is_a_guid(request: Request) -> None:
    principal = request.get("principalId")
    refuse_unless(
        principal is None or arm.GUID.match(str(principal)) is not None,
        "InvalidPrincipalId",
        f"A valid principal ID must be provided for role assignment; '{principal}' is not a GUID.",
    )


def _role_is_a_definition(request: Request) -> None:
    role = request.get("roleDefinitionId")
    refuse_unless(
        role is None or arm.role_guid(str(role)) is not None,
        "InvalidRoleDefinitionId",
        f"The role definition ID '{role}' is not valid.",
    )


def _condition_has_a_version(request: Request) -> None:
    if request.given("condition"):
        refuse_unless(
            request.get("conditionVersion", "2.0") == "2.0" and request.given("conditionVersion"),
            "InvalidConditionVersion",
            "A condition needs conditionVersion '2.0'.",
        )
        if isinstance(said := request.get("condition"), str):
            try:
                conditions.check(said)
            except conditions.ConditionError as error:
                raise CloudError("InvalidCondition", f"The condition is not valid: {error}.") from None


def _principal_exists(request: Request) -> None:
    principal = str(request.get("principalId"))
    actual = request.world.principal_type(principal)
    stated = request.get("principalType")
    if actual is None:
        raise CloudError(
            "PrincipalNotFound",
            f"Principal {principal} does not exist in the directory {request.world.estate.tenant_id}.",
        )
    if stated is None and request.world.is_managed(principal):
        # True of a fresh identity until the directory has replicated it; a stated type avoids the lookup.
        raise CloudError(
            "PrincipalNotFound",
            f"Principal {principal} was made a moment ago and the directory does not show it yet: set principalType.",
        )
    refuse_unless(
        stated is None or stated == actual,
        "UnmatchedPrincipalType",
        f"The PrincipalId '{principal}' has type '{actual}', which is different from the specified '{stated}'.",
    )


def _granted_once(request: Request) -> None:
    if request.old is not None:
        return
    for other in request.world.of_type(ASSIGNMENT):
        same = all(_plain(other.inputs.get(key)) == _plain(request.inputs.get(key)) for key in ("principalId", "scope"))
        if same and _role(other.inputs.get("roleDefinitionId")) == _role(request.inputs.get("roleDefinitionId")):
            raise CloudError("RoleAssignmentExists", f"The role assignment already exists: {other.id}.")


def _plain(value: object) -> str:
    return str(value).lower().rstrip("/")


def _role(value: object) -> str | None:
    return arm.role_guid(str(value))


def _policy_is_known(request: Request) -> None:
    if lookup(request.inputs, "policyDefinitionId") is UNKNOWN:
        return
    id = str(request.get("policyDefinitionId", ""))
    _, kind, guid = id.rsplit("/", 2) if id.count("/") > 1 else ("", "", "")
    known = POLICIES.get(guid.lower())
    refuse_unless(
        known is not None and kind.lower() == known[0].lower(),
        "PolicyDefinitionNotFound",
        f"The policy definition '{id}' could not be found.",
    )
    assert known
    said = request.get("parameters") or {}
    allowed = {"effect", "excludedNamespaces", "namespaces", "labelSelector", *known[1]}
    if unknown := sorted(set(said) - allowed):
        raise CloudError("UndefinedPolicyParameter", f"The policy assignment defines parameters {unknown} in vain.")
    if missing := sorted(known[1] - set(said)):
        raise CloudError("MissingPolicyParameter", f"The policy assignment is missing the parameter(s) {missing}.")
    refuse_unless(
        request.may_be("parameters.effect.value", None, "audit", "Audit", "deny", "Deny", "disabled", "Disabled"),
        "PolicyParameterValueNotAllowed",
        "The value of the parameter 'effect' is not allowed.",
    )


KINDS: Final = (
    Kind(
        token=POLICY,
        arm_type="Microsoft.Authorization/policyAssignments",
        path=("policyAssignmentName",),
        scope="scope",
        located=False,
        required=("policyDefinitionId", "scope"),
        shape=(_policy_is_known,),
    ),
    Kind(
        token=ASSIGNMENT,
        arm_type="Microsoft.Authorization/roleAssignments",
        path=("roleAssignmentName",),
        scope="scope",
        located=False,
        required=("principalId", "roleDefinitionId", "scope"),
        shape=(_principal_is_a_guid, _role_is_a_definition, _condition_has_a_version),
        world=(_principal_exists, _granted_once),
        fixed=dict.fromkeys(
            ("principalId", "principalType", "roleDefinitionId", "scope"), "RoleAssignmentUpdateNotPermitted"
        ),
        # The provider's own replacement list does not name the role, so that a changed role under an unchanged
        # name is sent as an update, which the service refuses: names must follow what they grant.
    ),
)
