"""Defender for Cloud: plans, the contact for its mails, and the export of what it finds."""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import lookup, may_be, text
from rehearsal.cloud.world import Resource, World

PRICING: Final = "azure-native:security:Pricing"
# Slashes in the id of a plan of a subscription; the id of a plan of a resource has more.
_SEGMENTS: Final = 6
# Extensions by plan. A plan that is not in here has none. Source: the API's own description and examples, 2024-01-01.
EXTENSIONS: Final[dict[str, frozenset[str]]] = {
    "Containers": frozenset(
        {
            "AgentlessDiscoveryForKubernetes",
            "AgentlessVmScanning",
            "ContainerIntegrityContribution",
            "ContainerRegistriesVulnerabilityAssessments",
            "ContainerSensor",
        }
    ),
    "CloudPosture": frozenset(
        {
            "AgentlessDiscoveryForKubernetes",
            "AgentlessVmScanning",
            "ApiPosture",
            "ContainerRegistriesVulnerabilityAssessments",
            "EntraPermissionsManagement",
            "SensitiveDataDiscovery",
        }
    ),
    "StorageAccounts": frozenset({"OnUploadMalwareScanning", "SensitiveDataDiscovery"}),
    "VirtualMachines": frozenset({"AgentlessVmScanning", "FileIntegrityMonitoring", "MdeDesignatedSubscription"}),
}
_EMAIL: Final = re.compile(r"^[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]+$")
_ROLES: Final = ("AccountAdmin", "Contributor", "Owner", "ServiceAdmin")
_SEVERITIES: Final = ("High", "Low", "Medium")
_RISKS: Final = ("Critical", "High", "Low", "Medium")
_EVENTS: Final = (
    "Alerts",
    "Assessments",
    "AssessmentsSnapshot",
    "AttackPaths",
    "AttackPathsSnapshot",
    "RegulatoryComplianceAssessment",
    "RegulatoryComplianceAssessmentSnapshot",
    "SecureScoreControls",
    "SecureScoreControlsSnapshot",
    "SecureScores",
    "SecureScoresSnapshot",
    "SubAssessments",
    "SubAssessmentsSnapshot",
)


def _scope_is_known(request: Request) -> None:
    scope = request.get("scopeId")
    if scope is None:
        return
    refuse_unless(
        not scope.startswith("/") and arm.well_formed(f"/{scope}"),
        "InvalidUrlConfiguration",
        f"Plan {request.name}: scopeId '{scope}' must be an id without its first slash.",
    )
    refuse_unless(
        request.world.knows_subscription(arm.subscription_of(f"/{scope}")),
        "SubscriptionNotFound",
        f"The subscription of scope '{scope}' could not be found.",
    )


def _scope_exists(request: Request) -> None:
    scope = f"/{request.get('scopeId')}"
    refuse_unless(request.world.exists(scope), "ResourceNotFound", f"Resource {scope} was not found.")


def _plan_is_valid(request: Request) -> None:
    refuse_unless(
        request.may_be("pricingTier", "Free", "Standard"),
        "InvalidRequestContent",
        f"Plan {request.name}: pricingTier '{request.get('pricingTier')}' is not Free or Standard.",
    )
    known = EXTENSIONS.get(request.name, frozenset())
    seen: set[str] = set()
    for extension in request.blocks("extensions"):
        name = text(extension, "name")
        if name is not None and request.inputs.get("pricingName") is not UNKNOWN:
            refuse_unless(
                name in known,
                "InvalidExtension",
                f"Plan {request.name} has no extension '{name}'; it has {', '.join(sorted(known)) or 'none'}.",
            )
            refuse_unless(name not in seen, "InvalidExtension", f"Plan {request.name} has '{name}' twice.")
            seen.add(name)
        refuse_unless(
            may_be(extension, "isEnabled", "True", "False"),
            "InvalidRequestContent",
            f"Plan {request.name}: isEnabled of '{name}' must be the text 'True' or 'False'.",
        )


def _first(world: World, id: str) -> dict[str, Any] | None:
    """Every subscription has every plan from its first day, switched off."""
    subscription = arm.subscription_of(id)
    if not world.knows_subscription(subscription) or id.count("/") != _SEGMENTS:
        return None
    return {"pricingName": arm.name_of(id), "scopeId": f"subscriptions/{subscription}", "pricingTier": "Free"}


def _left_behind(world: World, id: str) -> dict[str, Any] | None:
    """A contact of the estate, whomever an earlier life told."""
    return {"securityContactName": arm.name_of(id)} if world.exists(id) else None


def _pricing(request: Request) -> dict[str, Any]:
    return {"freeTrialRemainingTime": "PT0S", "inherited": "False", "replacedBy": []}


def _stays_on_a_subscription(resource: Resource) -> None:
    if arm.type_of(f"/{resource.inputs['scopeId']}") == "Microsoft.Resources/subscriptions":
        raise CloudError(
            "InvalidUrlConfiguration",
            "Delete operation is supported only for single resources scope (not subscriptions). Use PUT to Enabled "
            "or Disable specific pricing bundles on a subscription.",
        )


def _contact_can_be_reached(request: Request) -> None:
    emails = request.get("emails")
    for email in str(emails).split(";") if emails is not None else ():
        refuse_unless(_EMAIL.match(email.strip()) is not None, "BadRequest", f"'{email}' is not a valid email address.")
    refuse_unless(
        request.may_be("notificationsByRole.state", None, "On", "Off"),
        "BadRequest",
        f"notificationsByRole.state '{request.get('notificationsByRole.state')}' is not On or Off.",
    )
    for role in request.texts("notificationsByRole.roles"):
        refuse_unless(role in _ROLES, "BadRequest", f"Role '{role}' is not one of {', '.join(_ROLES)}.")
    for source in request.blocks("notificationsSources"):
        refuse_unless(
            may_be(source, "sourceType", "Alert", "AttackPath"),
            "BadRequest",
            f"sourceType '{source.get('sourceType')}' is not Alert or AttackPath.",
        )
        for key, allowed in (("minimalSeverity", _SEVERITIES), ("minimalRiskLevel", _RISKS)):
            refuse_unless(
                may_be(source, key, None, *allowed),
                "BadRequest",
                f"{key} '{source.get(key)}' is not one of {', '.join(allowed)}.",
            )


def _export_has_all_three(request: Request) -> None:
    for key in ("scopes", "sources", "actions"):
        refuse_unless(
            lookup(request.inputs, key) not in (None, [], ()), "BadRequest", f"Automation {request.name} has no {key}."
        )
    for scope in request.blocks("scopes"):
        path = text(scope, "scopePath")
        refuse_unless(
            lookup(scope, "scopePath") is UNKNOWN or (path is not None and arm.is_id(path)),
            "BadRequest",
            f"Automation {request.name}: scopePath '{path}' is no id of a subscription or resource group.",
        )
    for source in request.blocks("sources"):
        refuse_unless(
            may_be(source, "eventSource", *_EVENTS),
            "BadRequest",
            f"Automation {request.name}: eventSource '{source.get('eventSource')}' is not one of {', '.join(_EVENTS)}.",
        )
    for action in request.blocks("actions"):
        kind = text(action, "actionType")
        refuse_unless(
            may_be(action, "actionType", "EventHub", "LogicApp", "Workspace"),
            "BadRequest",
            f"Automation {request.name}: actionType '{kind}' is not EventHub, LogicApp or Workspace.",
        )
        refuse_unless(
            kind != "Workspace" or lookup(action, "workspaceResourceId") is not None,
            "BadRequest",
            f"Automation {request.name}: an action of type Workspace needs workspaceResourceId.",
        )


KINDS: Final = (
    Kind(
        token=PRICING,
        arm_type="Microsoft.Security/pricings",
        path=("pricingName",),
        scope="scopeId",
        located=False,
        required=("pricingTier",),
        compute=_pricing,
        shape=(_scope_is_known, _plan_is_valid),
        world=(_scope_exists,),
        leaving=(_stays_on_a_subscription,),
        one_at_a_time="Conflict",
        first=_first,
    ),
    Kind(
        token="azure-native:security:SecurityContact",
        arm_type="Microsoft.Security/securityContacts",
        path=("securityContactName",),
        located=False,
        of_subscription=True,
        shape=(_contact_can_be_reached,),
        first=_left_behind,
    ),
    Kind(
        token="azure-native:security:Automation",
        arm_type="Microsoft.Security/automations",
        path=("automationName",),
        links={"actions[*].workspaceResourceId": "Microsoft.OperationalInsights/workspaces"},
        shape=(_export_has_all_three,),
    ),
)
