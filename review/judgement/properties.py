"""Properties that make a resource safer, by its kind: what each must stay, not fall below, not gain and not lose.

One table, read by `weaker`. A missing value counts as `unset`: what Azure, Azure DevOps or Kubernetes takes then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Stays:
    """Safe while it is one of `good`; `sign` as in a finding."""

    path: str
    good: tuple[Any, ...]
    told: str
    unset: Any = None
    sign: str = "hardening"
    grave: bool = True


@dataclass(frozen=True)
class AtLeast:
    """The more, the safer."""

    path: str
    told: str
    unset: float = 0
    sign: str = "retention"
    grave: bool = True


@dataclass(frozen=True)
class NoMore:
    """A list (or a text with commas) to which entries must not come. `empty_is_all`: an empty one lets all in."""

    path: str
    told: str
    empty_is_all: bool = False
    sign: str = "access"


@dataclass(frozen=True)
class NoLess:
    """A list from which entries must not go."""

    path: str
    told: str
    sign: str = "watch"


Safe = Stays | AtLeast | NoMore | NoLess
_ON: Final = (True, "true", "True")
_OFF: Final = (False, None, "false", "False")


def _on(path: str, told: str, unset: Any = None, sign: str = "hardening", grave: bool = True) -> Stays:
    return Stays(path, _ON, told, unset, sign, grave)


def _off(path: str, told: str, unset: Any = None, sign: str = "hardening") -> Stays:
    return Stays(path, _OFF, told, unset, sign)


_NODE_IP: Final = _off("enableNodePublicIP", "each node gets a public address", sign="public")
_ALERT: Final = _on("enabled", "the alert is switched off", unset=True, sign="watch", grave=False)
_POLICY: Final = (
    _on("enabled", "the policy is switched off", unset=True, sign="gate"),
    _on("blocking", "the policy only advises", unset=True, sign="gate"),
)

SAFE: Final[Mapping[str, tuple[Safe, ...]]] = {
    "containerservice:ManagedCluster": (
        _on("disableLocalAccounts", "local accounts work: whoever has the kubeconfig is admin"),
        _on("aadProfile.enableAzureRBAC", "Azure no longer decides who may do what in the cluster"),
        _on("enableRBAC", "everybody who signs in may do everything in the cluster", unset=True),
        _on("apiServerAccessProfile.disableRunCommand", "commands run in the cluster by way of Azure's API"),
        _on("securityProfile.defender.securityMonitoring.enabled", "Defender's sensor is switched off", sign="watch"),
        _on("securityProfile.workloadIdentity.enabled", "pods cannot sign in without a secret"),
        _on("securityProfile.imageCleaner.enabled", "vulnerable images stay on the nodes", grave=False),
        _on("addonProfiles.azurepolicy.enabled", "pod security is no longer enforced", sign="policy"),
        _on("addonProfiles.omsagent.enabled", "container logs are not collected", sign="watch"),
        _on("azureMonitorProfile.metrics.enabled", "metrics are not collected", sign="watch", grave=False),
        Stays(
            "autoUpgradeProfile.nodeOSUpgradeChannel",
            ("NodeImage", "SecurityPatch"),
            "nodes get no security updates from Azure",
        ),
        Stays("networkProfile.networkPolicy", ("cilium", "azure", "calico"), "network policies have no effect"),
        Stays("nodeResourceGroupProfile.restrictionLevel", ("ReadOnly",), "the nodes' resource group can be changed"),
        NoMore("aadProfile.adminGroupObjectIDs", "groups that are admin of the cluster", sign="role"),
        NoMore("apiServerAccessProfile.authorizedIPRanges", "ranges that reach the API server", True, "public"),
    ),
    "containerservice:AgentPool": (_NODE_IP,),
    "containerregistry:Registry": (
        _off("adminUserEnabled", "a shared user with a password may push and pull"),
        _off("anonymousPullEnabled", "everybody may pull without signing in", sign="public"),
        AtLeast("policies.retentionPolicy.days", "days for which untagged manifests are kept"),
        AtLeast("policies.softDeletePolicy.retentionDays", "days for which deleted images can be recovered"),
        Stays("policies.softDeletePolicy.status", ("enabled",), "deleted images are gone at once", sign="retention"),
        NoMore("networkRuleSet.ipRules", "addresses that reach the registry", sign="public"),
    ),
    "authorization:PolicyAssignment": (
        Stays("parameters.effect.value", ("deny", "Deny"), "what it refused is only reported"),
        Stays("enforcementMode", ("Default",), "it is not enforced any more", unset="Default"),
    ),
    "keyvault:Key": (Stays("properties.attributes.exportable", (False,), "the key can leave its vault"),),
    "keyvault:Vault": (
        _on("properties.enablePurgeProtection", "a deleted vault can be purged at once", sign="protection"),
        _on("properties.enableSoftDelete", "what is deleted is gone at once", unset=True, sign="protection"),
        _on("properties.enableRbacAuthorization", "access policies of the vault decide instead of Azure's roles"),
        AtLeast("properties.softDeleteRetentionInDays", "days for which deleted secrets can be recovered", unset=90),
        Stays("properties.networkAcls.defaultAction", ("Deny",), "its firewall lets everybody through", sign="public"),
        NoMore("properties.networkAcls.ipRules", "addresses that reach the vault", sign="public"),
        NoMore("properties.accessPolicies", "who may read by access policies", sign="role"),
        _off("properties.enabledForDeployment", "virtual machines read certificates from it"),
        _off("properties.enabledForDiskEncryption", "disk encryption reads keys from it"),
        _off("properties.enabledForTemplateDeployment", "templates read secrets from it"),
    ),
    "operationalinsights:Workspace": (
        AtLeast("retentionInDays", "days for which logs are kept", unset=30),
        _on("features.disableLocalAuth", "logs can be written with a shared key"),
        AtLeast("workspaceCapping.dailyQuotaGb", "GB a day, after which logs are dropped", unset=float("inf")),
    ),
    "operationalinsights:Table": (
        AtLeast("retentionInDays", "days for which its rows are kept"),
        AtLeast("totalRetentionInDays", "days for which its rows are kept or archived"),
        Stays("plan", ("Analytics",), "its plan allows no alert on it", unset="Analytics", sign="watch"),
    ),
    "applicationinsights:Component": (_on("disableLocalAuth", "traces can be sent with a shared key"),),
    "dashboard:Grafana": (
        Stays("properties.apiKey", ("Disabled",), "service accounts sign in with a key", "Disabled"),
    ),
    "network:Subnet": (
        Stays("defaultOutboundAccess", (False,), "machines leave by an address of Azure's own", unset=True),
    ),
    "authorization:ManagementLockByScope": (
        Stays("level", ("ReadOnly",), "the lock no longer keeps it from being changed", sign="lock"),
    ),
    "index:CheckApproval": (
        NoMore("approvers", "who may approve", sign="gate"),
        _off("requesterCanApprove", "who starts a run may approve it", sign="gate"),
    ),
    "index:RepositoryEnvironment": (
        NoMore("reviewers", "who may approve", sign="gate"),
        _on("preventSelfReview", "who starts a run may approve it", sign="gate"),
        _off("canAdminsBypass", "administrators pass by its gates", unset=True, sign="gate"),
        _on("deploymentBranchPolicy.customBranchPolicies", "runs of every branch get in", sign="gate"),
        AtLeast("waitTimer", "minutes that a release waits", unset=0, sign="gate"),
    ),
    "index:RepositoryEnvironmentDeploymentPolicy": (
        NoMore("branchPattern", "branches that may be released", sign="gate"),
        NoMore("tagPattern", "tags that may be released", sign="gate"),
    ),
    "index:RepositoryRuleset": (
        Stays("enforcement", ("active",), "the rules hold nobody back", sign="gate"),
        NoMore("bypassActors", "who is exempt", sign="gate"),
        AtLeast("rules.pullRequest.requiredApprovingReviewCount", "reviewers", unset=0, sign="gate"),
        _on("rules.pullRequest.requireLastPushApproval", "who pushed last may approve", sign="gate"),
        _on("rules.pullRequest.dismissStaleReviewsOnPush", "approvals outlive a new push", sign="gate"),
        _on("rules.pullRequest.requiredReviewThreadResolution", "a merge leaves comments open", sign="gate"),
        NoLess("rules.requiredStatusChecks.requiredChecks", "checks that must be green", sign="gate"),
        _on("rules.requiredStatusChecks.strictRequiredStatusChecksPolicy", "what is behind main merges", sign="gate"),
        _on("rules.nonFastForward", "history can be rewritten", sign="gate"),
        _on("rules.deletion", "the branch can be deleted", sign="gate"),
    ),
    "index:ActionsRepositoryPermissions": (
        Stays("allowedActions", ("selected", "local_only"), "every action may run"),
        NoMore("allowedActionsConfig.patternsAlloweds", "actions that may run", sign="access"),
        _off("allowedActionsConfig.githubOwnedAllowed", "actions of GitHub's run by any tag"),
        _off("allowedActionsConfig.verifiedAllowed", "actions of the marketplace run by any tag"),
    ),
    "index:WorkflowRepositoryPermissions": (
        Stays("defaultWorkflowPermissions", ("read",), "the token of a run may write"),
        _off("canApprovePullRequestReviews", "a run may approve a pull request", sign="gate"),
    ),
    "index:CheckBranchControl": (
        NoMore("allowedBranches", "branches that may be released", empty_is_all=True, sign="gate"),
        _on("verifyBranchProtection", "the branch need not be protected", sign="gate"),
        _off("ignoreUnknownProtectionStatus", "passes where the branch's protection is not known", sign="gate"),
    ),
    "index:CheckRequiredTemplate": (NoMore("requiredTemplates", "templates that a run may extend", sign="gate"),),
    "index:BranchPolicyMinReviewers": (
        *_POLICY,
        AtLeast("settings.reviewerCount", "reviewers", sign="gate"),
        _off("settings.submitterCanVote", "the author may approve", sign="gate"),
        _on("settings.lastPusherCannotApprove", "who pushed last may approve", sign="gate"),
        _off("settings.allowCompletionWithRejectsOrWaits", "a merge goes through against a vote", sign="gate"),
        _on("settings.onPushResetApprovedVotes", "approvals outlive a new push", sign="gate"),
    ),
    "index:BranchPolicyBuildValidation": (
        *_POLICY,
        _off("settings.manualQueueOnly", "the build starts only by hand", sign="gate"),
    ),
    "index:BranchPolicyCommentResolution": _POLICY,
    "index:BranchPolicyMergeTypes": _POLICY,
    "index:Project": (Stays("visibility", ("private",), "everybody may read the project", sign="public"),),
    "index:ProjectPipelineSettings": tuple(
        _on(path, told)
        for path, told in (
            ("enforceJobScope", "pipelines reach other projects"),
            ("enforceJobScopeForRelease", "releases reach other projects"),
            ("enforceReferencedRepoScopedToken", "pipelines read every repository"),
            ("enforceSettableVar", "whoever queues a run may set any variable"),
            ("statusBadgesArePrivate", "everybody sees the state of builds"),
        )
    ),
    "index:VariableGroup": (_off("allowAccess", "every pipeline may read it", sign="right"),),
    "index:GroupMembership": (NoMore("members", "members of a group", sign="role"),),
    "index:ServiceEndpointAzureRM": (
        Stays(
            "serviceEndpointAuthenticationScheme",
            ("WorkloadIdentityFederation",),
            "the connection holds a secret",
            "ServicePrincipal",
        ),
    ),
    "monitor:ScheduledQueryRule": (_ALERT,),
    "monitor:ActivityLogAlert": (_ALERT,),
    "alertsmanagement:PrometheusRuleGroup": (_ALERT, NoLess("rules", "rules")),
    "monitor:ActionGroup": (
        _on("enabled", "nobody is told of alerts", unset=True, sign="watch"),
        NoLess("emailReceivers", "people who are told"),
    ),
    "monitor:DiagnosticSetting": (NoLess("logs", "kinds of logs that are kept"),),
    "security:Pricing": (Stays("pricingTier", ("Standard",), "the plan of Defender is off", sign="watch"),),
    "security:SecurityContact": (_on("isEnabled", "nobody is told of threats", unset=True, sign="watch"),),
    "security:Automation": (_on("isEnabled", "alerts are not exported", unset=True, sign="watch"),),
    "core:ServiceAccount": (_off("automountServiceAccountToken", "pods get a token of the cluster", unset=True),),
    "core:Namespace": (
        Stays(
            "metadata.labels.pod-security\\.kubernetes\\.io/enforce",
            ("restricted",),
            "pods need not be restricted",
            sign="policy",
        ),
    ),
    "networking.k8s.io:NetworkPolicy": (
        NoMore("spec.ingress", "rules that let traffic in", sign="access"),
        NoMore("spec.egress", "rules that let traffic out", sign="access"),
    ),
}
