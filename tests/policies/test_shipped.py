"""Both shipped environments keep every rule, and a change that breaks one is found in what they really declare."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

import policies
from policies.model import Stack
from policies.rule import ResourceRule
from tests.conftest import STACKS, Bootstrapped, Rehearsed
from tests.pulled import Switched

TODAY = datetime.date(2026, 11, 23)
Raw = dict[str, Any]


@pytest.mark.parametrize("stack", STACKS)
def test_a_shipped_environment_keeps_every_rule_without_an_exception(
    stack: str, rehearsed: Mapping[str, Rehearsed]
) -> None:
    findings = policies.judge(rehearsed[stack].export, (), TODAY)
    assert findings == (), policies.render(findings)


@pytest.mark.parametrize("stack", STACKS)
def test_an_environment_on_github_keeps_every_rule_without_an_exception(
    stack: str, on_github: Mapping[str, Any]
) -> None:
    findings = policies.judge(on_github[stack], (), TODAY)
    assert findings == (), policies.render(findings)


def test_the_bootstrap_keeps_every_rule_without_an_exception(bootstrapped: Bootstrapped) -> None:
    for export in (bootstrapped.alone, bootstrapped.export):
        findings = policies.judge(export, (), TODAY)
        assert findings == (), policies.render(findings)


def test_every_rule_about_resources_finds_something_to_judge(
    rehearsed: Mapping[str, Rehearsed],
    switched: Mapping[str, Switched],
    on_github: Mapping[str, Any],
    bootstrapped: Bootstrapped,
) -> None:
    """A rule for a kind that nobody declares would always pass. The rest is about what must not exist."""
    exports = [*(run.export for run in rehearsed.values()), *(one.export for one in switched.values())]
    exports += [on_github[stack] for stack in STACKS]
    exports.append(bootstrapped.export)
    types = {one.type for export in exports for one in Stack.of_export(export).resources}
    idle = {
        rule.id
        for rule in policies.RULES.values()
        if isinstance(rule, ResourceRule) and not any(map(rule.judges, types))
    }
    assert idle == set()


class Edited:
    """An export that may be edited; resources are named by the last part of their type and their logical name."""

    def __init__(self, export: Mapping[str, Any]) -> None:
        self.export: Raw = json.loads(json.dumps(export))
        self.resources: list[Raw] = self.export["deployment"]["resources"]

    def one(self, cls: str, name: str) -> Raw:
        (found,) = [
            raw
            for raw in self.resources
            if raw["type"].rpartition(":")[2] == cls and raw["urn"].rpartition("::")[2] == name
        ]
        return found

    def drop(self, cls: str, name: str) -> None:
        self.resources.remove(self.one(cls, name))

    def say(self, cls: str, name: str, **inputs: Any) -> None:
        self.one(cls, name)["inputs"].update(inputs)

    def forget(self, cls: str, name: str, words: str) -> None:
        """Dependencies on resources whose URN holds these words."""
        raw = self.one(cls, name)
        raw["dependencies"] = [urn for urn in raw["dependencies"] if words not in urn]
        raw["propertyDependencies"] = {
            key: [urn for urn in urns or () if words not in urn] for key, urns in raw["propertyDependencies"].items()
        }


@dataclass(frozen=True)
class Break:
    rule: str
    stack: str
    edit: Callable[[Edited], None]
    resource: str

    def __str__(self) -> str:
        return self.rule


BREAKS = (
    Break(
        "cluster-maintenance-windows",
        "prod",
        lambda it: it.drop("MaintenanceConfiguration", "aksManagedAutoUpgradeSchedule"),
        "cluster",
    ),
    Break(
        "pool-version", "prod", lambda it: it.say("AgentPool", "pool-batch", orchestratorVersion="1.35"), "pool-batch"
    ),
    Break("namespace-default-deny", "staging", lambda it: it.drop("NetworkPolicy", "deny-all"), "namespace"),
    Break(
        "guard-lateral-movement",
        "prod",
        lambda it: it.say("NetworkSecurityGroup", "agents-guard", securityRules=[]),
        "agents-guard",
    ),
    Break("private-endpoint", "prod", lambda it: it.drop("PrivateEndpoint", "registry-endpoint"), "registry"),
    Break(
        "grant-table",
        "staging",
        lambda it: it.say("RoleAssignment", "ci-reads-secrets", scope=it.one("Vault", "workload-vault")["id"]),
        "ci-reads-secrets",
    ),
    Break(
        "identity-table",
        "staging",
        lambda it: it.one("UserAssignedIdentity", "dashboards").update(
            urn="urn:pulumi:staging::aks-cicd::azure-native:managedidentity:UserAssignedIdentity::somebody"
        ),
        "somebody",
    ),
    Break(
        "federation-from-outputs",
        "prod",
        lambda it: it.forget("FederatedIdentityCredential", "promote-connection-signs-in", "promote-connection"),
        "promote-connection-signs-in",
    ),
    Break(
        "identity-one-connection",
        "prod",
        lambda it: it.say(
            "ServiceEndpointAzureRM",
            "promote-connection",
            credentials=it.one("ServiceEndpointAzureRM", "deploy-connection")["inputs"]["credentials"],
        ),
        "promote-connection",
    ),
    Break(
        "authorised-pipelines",
        "prod",
        lambda it: it.say("PipelineAuthorization", "environment-for-cd", pipelineId=1),
        "environment-for-cd",
    ),
    Break(
        "authorised-last",
        "prod",
        lambda it: it.forget("PipelineAuthorization", "environment-for-cd", "CheckApproval"),
        "environment-for-cd",
    ),
    Break(
        "protected-branch",
        "staging",
        lambda it: it.drop("BranchPolicyMinReviewers", "platform-is-reviewed"),
        "platform-repository",
    ),
    Break("gates-of-production", "prod", lambda it: it.drop("CheckApproval", "environment-approval"), "environment"),
    Break(
        "gates-of-nonproduction",
        "staging",
        lambda it: it.drop("CheckBranchControl", "ci-connection-branch-control"),
        "ci-connection",
    ),
    Break(
        "approval-by-group",
        "prod",
        lambda it: it.say("GroupMembership", "approvers-members", mode="add"),
        "environment-approval",
    ),
    Break("diagnostics", "staging", lambda it: it.drop("DiagnosticSetting", "ci-vault-diagnostics"), "ci-vault"),
    Break(
        "cluster-audit",
        "prod",
        lambda it: it.say("DiagnosticSetting", "cluster-diagnostics", logs=[{"category": "guard", "enabled": True}]),
        "cluster",
    ),
    Break("state-protected", "prod", lambda it: it.one("Vault", "workload-vault").pop("protect"), "workload-vault"),
    Break("delivery-protected", "staging", lambda it: it.one("Project", "project").pop("protect"), "project"),
    Break("delete-lock", "prod", lambda it: it.drop("ManagementLockByScope", "registry-lock"), "registry"),
    Break(
        "locks-last",
        "prod",
        lambda it: it.forget("ManagementLockByScope", "registry-lock", "RoleAssignment::workload-"),
        "registry-lock",
    ),
)


@pytest.mark.parametrize("broken", BREAKS, ids=str)
def test_a_change_that_breaks_a_rule_is_found(broken: Break, rehearsed: Mapping[str, Rehearsed]) -> None:
    edited = Edited(rehearsed[broken.stack].export)
    broken.edit(edited)
    findings = policies.judge(edited.export, (), TODAY)
    assert (broken.rule, broken.resource) in {(one.rule, one.resource) for one in findings}, policies.render(findings)
