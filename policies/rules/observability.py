"""What is logged, and that nobody reads or writes it by a key."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import Properties, Resource, Stack, each, get
from policies.rule import MANDATORY, on_resource, on_stack
from policies.rules.cluster import CLUSTER
from policies.rules.network import GUARD
from policies.rules.registry import REGISTRY
from policies.rules.vault import VAULT

SETTING = "monitor:DiagnosticSetting"
WORKSPACE = "operationalinsights:Workspace"
LOGGING = (REGISTRY, CLUSTER, VAULT, GUARD, WORKSPACE, "dashboard:Grafana", "monitor:DataCollectionRule")
"""What has diagnostic settings."""
AUDIT = ({"kube-audit-admin", "kube-audit"}, {"guard"})
"""Categories of a cluster's audit: who changed what, and who signed in. One of each."""


@on_stack(
    "diagnostics",
    severity=MANDATORY,
    reason="What is not logged cannot be explained afterwards.",
    remedy="Declare a diagnostic setting for it with its logs on and the workspace named.",
    psrule=("Azure.KeyVault.Logs",),
    cis=("2.1.1",),
)
def everything_logs(stack: Stack) -> Iterator[tuple[Resource, str]]:
    settings = {
        logged.urn: setting
        for setting in stack.of(SETTING)
        if (logged := stack.linked(setting, "resourceUri", *LOGGING))
    }
    for one in stack.of(*LOGGING):
        setting = settings.get(one.urn)
        if setting is None:
            yield one, "it has no diagnostic setting"
        elif not (setting.made_from.get("workspaceId") or setting.get("workspaceId")):
            yield one, "its logs do not go to a workspace"
        elif not any(setting.each("logs.*.enabled")) or not all(setting.each("logs.*.enabled")):
            yield one, "its logs are off"


@on_stack(
    "cluster-audit",
    severity=MANDATORY,
    reason="Who changed what in a cluster, and who signed in, stands in its audit log alone.",
    remedy="Log kube-audit-admin and guard.",
    psrule=("Azure.AKS.AuditLogs",),
    cis=("2.1.1",),
)
def clusters_are_audited(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for cluster in stack.of(CLUSTER):
        logged = {
            category
            for setting in stack.of(SETTING)
            if stack.linked(setting, "resourceUri", CLUSTER) is cluster
            for category in setting.each("logs.*.category")
        }
        for wanted in AUDIT:
            if not wanted & logged:
                yield cluster, f"it does not log {' or '.join(sorted(wanted))}"


@on_resource(
    "workspace-local-auth",
    WORKSPACE,
    severity=MANDATORY,
    reason="Shared keys of a workspace are passwords that anybody with them writes logs by.",
    remedy="Set features.disableLocalAuth.",
)
def no_keys_of_the_workspace(type_: str, workspace: Properties) -> Iterator[str]:
    if get(workspace, "features.disableLocalAuth") is not True:
        yield "shared keys work"


@on_resource(
    "telemetry-local-auth",
    "applicationinsights:Component",
    severity=MANDATORY,
    reason="The key of the component stands in every client; with it anybody could write traces.",
    remedy="Set disableLocalAuth.",
    psrule=("Azure.AppInsights.LocalAuth",),
)
def no_keys_of_telemetry(type_: str, component: Properties) -> Iterator[str]:
    if get(component, "disableLocalAuth") is not True:
        yield "its key alone lets anybody write to it"


@on_resource(
    "telemetry-workspace",
    "applicationinsights:Component",
    severity=MANDATORY,
    reason="All logs are in one workspace, where one retention and one list of readers count.",
    remedy="Name the workspace.",
    psrule=("Azure.AppInsights.Workspace",),
)
def traces_go_to_the_workspace(type_: str, component: Properties) -> Iterator[str]:
    if not get(component, "workspaceResourceId"):
        yield "it keeps traces by itself"


@on_resource(
    "grafana-keys",
    "dashboard:Grafana",
    severity=MANDATORY,
    reason="An API key signs in whoever has it, past Entra ID.",
    remedy="Leave apiKey disabled.",
)
def no_keys_of_grafana(type_: str, grafana: Properties) -> Iterator[str]:
    if get(grafana, "properties.apiKey") == "Enabled":
        yield "it gives out API keys"


@on_resource(
    "defender-plan",
    "security:Pricing",
    severity=MANDATORY,
    reason="A sensor without its plan reports to nobody.",
    remedy="Set pricingTier to Standard and enable the plan's extensions.",
    psrule=("Azure.Defender.Containers", "Azure.Defender.KeyVault"),
    cis=("5.1.1",),
)
def plans_are_paid_for(type_: str, plan: Properties) -> Iterator[str]:
    if get(plan, "pricingTier") != "Standard":
        yield f"its tier is {get(plan, 'pricingTier')}"
    for extension in each(plan, "extensions.*"):
        if str(get(extension, "isEnabled")) != "True":
            yield f"its extension {get(extension, 'name')} is off"
