"""Defender for Cloud: plans and contact of a subscription, and what it finds in an environment.

Plans and security contact are one per subscription and paid: the one stack that says `managed` owns them, and they
stay when it is destroyed (Azure cannot delete a plan of a subscription). Every environment exports the alerts and
findings of its own resource group to its own workspace, so two environments never send anything twice.

Plans are adopted (imported), not created: every subscription has every plan from its first day, on Free, and the
provider refuses to create what is already there ("cannot create already existing resource").

What it does not do: it does not put the sensor into a cluster; the cluster says that itself, because two that both
install it undo each other's work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_azure_native.operationsmanagement import Solution, SolutionPlanArgs, SolutionPropertiesArgs
from pulumi_azure_native.security import (
    Automation,
    AutomationActionWorkspaceArgs,
    AutomationScopeArgs,
    AutomationSourceArgs,
    ExtensionArgs,
    NotificationsSourceAlertArgs,
    Pricing,
    SecurityContact,
    SecurityContactPropertiesNotificationsByRoleArgs,
)

from components.placement import Placement

PLANS: Mapping[str, tuple[str, ...]] = {
    "Containers": (
        "AgentlessDiscoveryForKubernetes",
        "AgentlessVmScanning",
        "ContainerIntegrityContribution",
        "ContainerRegistriesVulnerabilityAssessments",
        "ContainerSensor",
    ),
    "KeyVaults": (),
}
"""Plans to their extensions, all that the API documents (Microsoft.Security pricings 2024-01-01)."""

_EXTENSION_PROPERTIES = {"AgentlessVmScanning": {"ExclusionTags": "[]"}}
"""What Azure adds by itself; left out, it shows as a change after every refresh."""


@dataclass(frozen=True)
class DefenderArgs:
    place: Placement
    subscription_id: str
    owns_plans: bool
    """Whether this stack owns the subscription's plans and contact."""
    contacts: Sequence[str]
    """E-mail addresses that Defender itself writes to."""
    contact_is_there: bool
    """Whether an earlier life of this environment has left its contact behind."""
    resource_group_id: Input[str]
    workspace_id: Input[str]
    workspace_location: str
    own_workspace: bool
    """An existing workspace keeps the solution that it has."""


class Defender(ComponentResource):
    """Plans, contact and export."""

    def __init__(self, name: str, args: DefenderArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:defender:Defender", name, None, opts)
        if args.owns_plans:
            self._plans(args)
        tables: list[Resource] = [self._solution(args)] if args.own_workspace else []
        self._export(args, tables)
        self.register_outputs({})

    def _plans(self, args: DefenderArgs) -> None:
        subscription = f"/subscriptions/{args.subscription_id}"
        before: list[Resource] = []
        for plan, extensions in PLANS.items():
            pricing = Pricing(
                f"plan-{plan.lower()}",
                pricing_name=plan,
                # An id without the leading slash that ids have; the provider puts it there.
                scope_id=subscription.removeprefix("/"),
                pricing_tier="Standard",
                extensions=[
                    ExtensionArgs(
                        name=extension,
                        is_enabled="True",
                        additional_extension_properties=_EXTENSION_PROPERTIES.get(extension),
                    )
                    for extension in extensions
                ]
                or None,
                opts=ResourceOptions(
                    parent=self,
                    import_=f"{subscription}/providers/Microsoft.Security/pricings/{plan}",
                    retain_on_delete=True,
                    # One after another: Azure refuses a second write while one is under way.
                    depends_on=before[-1:],
                ),
            )
            before.append(pricing)
        contact = f"{subscription}/providers/Microsoft.Security/securityContacts/default"
        SecurityContact(
            "security-contact",
            security_contact_name="default",
            is_enabled=True,
            emails=";".join(sorted(args.contacts)),
            notifications_by_role=SecurityContactPropertiesNotificationsByRoleArgs(state="On", roles=["Owner"]),
            notifications_sources=[NotificationsSourceAlertArgs(source_type="Alert", minimal_severity="Medium")],
            opts=ResourceOptions(
                parent=self, retain_on_delete=True, import_=contact if args.contact_is_there else None
            ),
        )

    def _solution(self, args: DefenderArgs) -> Solution:
        """The tables that alerts and findings are written to come with this solution of the workspace."""
        place = args.place
        title = f"SecurityCenterFree({place.names.workspace})"
        return Solution(
            "security-tables",
            solution_name=title,
            resource_group_name=place.resource_group,
            location=args.workspace_location,
            tags=place.tags,
            plan=SolutionPlanArgs(
                name=title, product="OMSGallery/SecurityCenterFree", publisher="Microsoft", promotion_code=""
            ),
            properties=SolutionPropertiesArgs(workspace_resource_id=args.workspace_id),
            opts=ResourceOptions(parent=self),
        )

    def _export(self, args: DefenderArgs, tables: list[Resource]) -> None:
        place = args.place
        Automation(
            "export",
            automation_name=place.names.security_export,
            resource_group_name=place.resource_group,
            location=args.workspace_location,
            tags=place.tags,
            is_enabled=True,
            description="Alerts and findings of this environment, to its own workspace.",
            scopes=[
                AutomationScopeArgs(
                    description="This environment's resource group",
                    scope_path=Output.from_input(args.resource_group_id),
                )
            ],
            sources=[
                AutomationSourceArgs(event_source=source) for source in ("Alerts", "Assessments", "SubAssessments")
            ],
            actions=[AutomationActionWorkspaceArgs(action_type="Workspace", workspace_resource_id=args.workspace_id)],
            opts=ResourceOptions(parent=self, depends_on=tables),
        )
