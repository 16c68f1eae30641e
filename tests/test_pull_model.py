"""The pull model: both shipped environments hold every invariant after their switch to it, and lose nothing by it."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping
from types import SimpleNamespace as Namespace
from typing import Any

import pytest

import policies
import settings
import wiring
from components.access import role_name
from components.delivery import Seeds
from rehearsal import report, topology
from tests import pulls, rights
from tests.breaches import Breach, Broken, Invariant
from tests.graph import Graph, Landscape
from tests.pulled import ENVIRONMENTS, Switched
from tests.stackfiles import edited, shipped
from tests.test_further_environments import INVARIANTS
from tests.test_topology import TOPOLOGY

EXTENSION = "kubernetesconfiguration:Extension"
KEEPS_STATE = {
    "azure-native:containerregistry:Registry",
    "azure-native:containerservice:ManagedCluster",
    "azure-native:containerservice:AgentPool",
    "azure-native:keyvault:Vault",
    "azure-native:monitor:AzureMonitorWorkspace",
    "azure-native:operationalinsights:Workspace",
    "azure-native:network:VirtualNetwork",
    "azure-native:resources:ResourceGroup",
    "azuredevops:index/project:Project",
    "azuredevops:index/git:Git",
    "azuredevops:index/buildDefinition:BuildDefinition",
    "azuredevops:index/environment:Environment",
    "kubernetes:core/v1:Namespace",
}


@pytest.fixture
def exports(switched: Mapping[str, Switched]) -> dict[str, Any]:
    return {stack: one.export for stack, one in switched.items()}


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda each: each.__name__)
def test_everything_that_holds_of_the_push_model_holds_of_the_pull_model(
    invariant: Invariant, exports: Mapping[str, Any]
) -> None:
    assert invariant(Landscape(exports), ENVIRONMENTS) == []


def test_the_table_has_nobody_who_deploys() -> None:
    """As it reads where all pull; the rest is as it is where they push."""
    table = {who: len(may) for who, may in rights.table(ENVIRONMENTS).items()}
    assert not [who for who in table if who.endswith("/deploy")]
    assert {who: table[who] for who in table if who.endswith(("/release", "/flux"))} == {
        "staging/release": 3,
        "staging/flux": 0,
        "prod/release": 3,
        "prod/flux": 0,
    }


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_topology_is_the_one_on_record(stack: str, exports: Mapping[str, Any]) -> None:
    """What is beside that of the push model, as `tests/test_topology.py` has it; recorded by RECORD=1, as there."""
    pushed = set((TOPOLOGY / f"{stack}.txt").read_text("utf-8").splitlines())
    lines = [line for line in Landscape(exports).graphs[stack].topology() if "GitRepositoryFile" not in line]
    # Production is rehearsed as it is reached here, and not there: what the platform puts into it is no part of this.
    here = [line for line in lines if line not in pushed and not re.match(r"workload( /|$)", line)]
    gone = [f"- {line}" for line in sorted(pushed - set(lines))]
    found = "\n".join([*here, *gone]) + "\n"
    record = TOPOLOGY / f"{stack}-pull.txt"
    if os.environ.get("RECORD"):
        record.write_text(found, "utf-8")
    assert found == record.read_text("utf-8")


def test_the_switch_replaces_nothing_and_deletes_nobody_but_who_deployed(switched: Mapping[str, Switched]) -> None:
    """What is deleted is the identity that deployed, with its rights, its connection and the gates before that."""
    for stack, one in switched.items():
        changed = one.preview.changed()
        assert {step.op for step in changed} == {"create", "delete"}, stack
        gone = [step for step in changed if step.op == "delete"]
        assert gone
        assert not [step.urn for step in gone if step.type in KEEPS_STATE]
        assert [step.urn for step in gone if not step.name.startswith("deploy")] == []


def test_the_switch_does_what_its_preview_foretells_and_is_then_done(switched: Mapping[str, Switched]) -> None:
    for one in switched.values():
        assert one.preview.changes == one.update.changes
    again = switched["staging"].again
    assert again is not None
    assert again.quiet, [step.urn for step in again.changed()]


def test_nothing_follows_a_folder_before_the_namespace_is_guarded(exports: Mapping[str, Any]) -> None:
    """Quota, limits, network policies and the service account stand before Flux applies anything."""
    for graph in Landscape(exports).graphs.values():
        guards = {each.urn for each in graph.resources if each.cls in ("ResourceQuota", "LimitRange", "NetworkPolicy")}
        accounts = {
            each.urn
            for each in graph.resources
            if each.cls in ("ServiceAccount", "RoleBinding") or each.kind == EXTENSION
        }
        assert len(guards) > 3
        for each in graph.resources:
            if each.cls in ("GitRepository", "Kustomization"):
                assert guards | accounts <= _before(graph, each), each.name


def _before(graph: Any, each: Any) -> set[str]:
    """What must be there first; whoever waits for a component waits for all that is in it."""
    found = set(graph.waits_for(each))
    inside = {one.urn for one in graph.resources if one.parent in found}
    return found | inside


def test_operators_are_told_when_flux_fails(exports: Mapping[str, Any]) -> None:
    """Only there: where pipelines push, no Flux says anything."""
    for graph in Landscape(exports).graphs.values():
        alert = graph.one("monitor:ScheduledQueryRule", "alert-pull-failed").inputs
        assert "KubeEvents" in alert["criteria"]["allOf"][0]["query"]
        assert alert["enabled"] is True
        assert alert["actions"]["actionGroups"] == [graph.one("monitor:ActionGroup").id]


def test_no_alert_waits_for_flux_where_pipelines_push(graph: Graph) -> None:
    assert "alert-pull-failed" not in {each.name for each in graph.of("monitor:ScheduledQueryRule")}


def test_the_repository_is_filled_although_the_others_have_long_been() -> None:
    """An environment that goes over to the pull model has let go of its seeds before."""
    config = edited(shipped("staging"), {"delivery.model": "pull", "delivery.home.seed": False})
    made: Any = Namespace(
        registry=Namespace(id="r"),
        ci_vault=Namespace(id="v"),
        signing_key=None,
        observability=Namespace(records=Namespace(collection_rule_id="c")),
    )
    told = wiring.delivery(settings.parse("staging", config, rehearsal=True), made, made)
    assert isinstance(told.application, Seeds)
    assert not told.platform.files
    assert not told.application.files
    assert told.configuration
    assert set(told.configuration.seeds.files) == {
        "LAYOUT.md",
        "base/acceptance/job.yaml",
        "base/acceptance/kustomization.yaml",
        "pipelines/configuration-pr.yml",
    }


def test_a_reviewer_reads_who_applies_what_and_sees_no_arrow_to_the_cluster(exports: Mapping[str, Any]) -> None:
    names = report.Names.of(exports.values(), role_name)
    told = report.tree(exports["prod"], names, lambda text, *_: text)
    assert "applies ./environments/prod/release, as release-applier" in told
    assert "as release-applier, after release, pruned" in told
    assert "microsoft.flux, tenants apart" in told
    drawing = topology.draw(exports)
    assert drawing.count("Flux in prod follows configuration and applies what is there") > 0
    assert "releases by its folder" in drawing
    assert ">deploys<" not in drawing


def test_the_policy_pack_finds_nothing_mandatory(exports: Mapping[str, Any]) -> None:
    for export in exports.values():
        assert [each for each in policies.judge(export, (), datetime.date(2026, 1, 1)) if each.blocks] == []


# ---------------------------------------------------------------- each invariant finds what breaks it


def _role_of_the_applier(it: Broken, resources: list[str], verbs: list[str]) -> None:
    rules = it.find("staging", "Role", "applier-role")["inputs"]["rules"]
    rules.append({"apiGroups": [""], "resources": resources, "verbs": verbs})


BREACHES = (
    Breach(
        "the release fetches credentials of the cluster",
        pulls.ways_to_a_cluster,
        lambda it: it.grant(rights.CLUSTER_USER, "prod/release", "prod/cluster"),
        f"release-prod has {rights.CLUSTER_USER} on prod/cluster, and prod pulls",
    ),
    Breach(
        "the release reads the state of the extension",
        pulls.ways_to_a_cluster,
        lambda it: it.grant("Reader", "prod/release", "prod/flux-extension"),
        "release-prod has Reader on prod/flux-extension, and prod pulls",
    ),
    Breach(
        "the publisher of dashboards contributes to the group that the cluster lies in",
        pulls.ways_to_a_cluster,
        lambda it: it.grant("Contributor", "staging/dashboards", "staging/environment"),
        "dashboards-staging has Contributor on staging/environment, and staging pulls",
    ),
    Breach(
        "the promotion of another stack reaches the cluster",
        pulls.ways_to_a_cluster,
        lambda it: it.grant("Reader", "prod/promote", "staging/cluster"),
        "promote-prod has Reader on staging/cluster, and staging pulls",
    ),
    Breach(
        "the connection of the push model is still there",
        pulls.ways_to_a_cluster,
        lambda it: it.say("prod", "ServiceEndpointAzureRM", "release-connection", serviceEndpointName="deploy-prod"),
        "there is a connection deploy-prod, and prod pulls",
    ),
    Breach(
        "a person of the directory may write in the namespace",
        pulls.ways_to_a_cluster,
        lambda it: it.say("staging", "RoleBinding", "applier-binding", subjects=[{"kind": "User", "name": "somebody"}]),
        "staging/applier-binding lets somebody into the cluster",
    ),
    Breach(
        "the applier reads secrets",
        rights.back_doors,
        lambda it: _role_of_the_applier(it, ["secrets"], ["get"]),
        "staging/applier-role: Role grants rights inside the cluster",
    ),
    Breach(
        "the applier may do everything with pods",
        rights.back_doors,
        lambda it: _role_of_the_applier(it, ["pods"], ["*"]),
        "staging/applier-role: Role grants rights inside the cluster",
    ),
    Breach(
        "the applier administers the cluster",
        rights.back_doors,
        lambda it: it.say("prod", "RoleBinding", "applier-binding", roleRef__kind="ClusterRole"),
        "prod/applier-binding: RoleBinding grants rights inside the cluster",
    ),
    Breach(
        "Flux may write to the repository",
        pulls.users_amiss,
        lambda it: it.say(
            "prod",
            "GitPermissions",
            "flux-works-with-configuration",
            permissions={"GenericRead": "Allow", "GenericContribute": "Allow"},
        ),
        "prod: flux may [{'GenericRead': 'Allow', 'GenericContribute': 'Allow'}]",
    ),
    Breach(
        "the release passes by every policy",
        pulls.users_amiss,
        lambda it: it.say(
            "staging",
            "GitPermissions",
            "release-works-with-configuration",
            permissions__PullRequestBypassPolicy="Allow",
        ),
        "staging: release may",
    ),
    Breach(
        "Flux may read every repository",
        pulls.users_amiss,
        lambda it: it.say("prod", "GitPermissions", "flux-works-with-configuration", repositoryId=None),
        "prod: flux may",
    ),
    Breach(
        "somebody else has permissions in the repository",
        pulls.users_amiss,
        lambda it: it.add(
            "prod", ("GitPermissions", "flux-works-with-configuration"), "others", principal="vssgp.somebody"
        ),
        "prod/others permits something in a repository",
    ),
    Breach(
        "the release is not alone in its group",
        pulls.users_amiss,
        lambda it: it.say("prod", "GroupMembership", "release-members", mode="add"),
        "prod: no group holds release as its only member",
    ),
    Breach(
        "production's folder takes the consent of anybody",
        pulls.folders_amiss,
        lambda it: it.drop("prod", "BranchPolicyAutoReviewers", "folder-is-released"),
        "prod: 0 policies are about ['/environments/prod/*']",
    ),
    Breach(
        "production's folder takes the consent of staging's release",
        pulls.folders_amiss,
        lambda it: it.say(
            "prod",
            "BranchPolicyAutoReviewers",
            "folder-is-released",
            settings__autoReviewerIds=it.find("staging", "BranchPolicyAutoReviewers", "folder-is-released")["inputs"][
                "settings"
            ]["autoReviewerIds"],
        ),
        "prod: the policy about ['/environments/prod/*'] has autoReviewerIds",
    ),
    Breach(
        "production's folder need not be released",
        pulls.folders_amiss,
        lambda it: it.say("prod", "BranchPolicyAutoReviewers", "folder-is-released", blocking=False),
        "prod: the policy about ['/environments/prod/*'] has blocking False",
    ),
    Breach(
        "whoever changes what all have in common agrees with himself",
        pulls.folders_amiss,
        lambda it: it.say(
            "staging", "BranchPolicyAutoReviewers", "configuration-is-reviewed", settings__submitterCanVote=True
        ),
        "staging: the policy about ['/*', '!/environments/*'] has submitterCanVote True",
    ),
    Breach(
        "tenants of the cluster are not kept apart",
        pulls.followers_amiss,
        lambda it: it.find("prod", "Extension", "flux-extension")["inputs"]["configurationSettings"].update(
            {"multiTenancy.enforce": "false"}
        ),
        "prod: Flux has multiTenancy.enforce 'false', not 'true'",
    ),
    Breach(
        "Flux applies as itself, which may do everything",
        pulls.followers_amiss,
        lambda it: it.say("prod", "Kustomization", "release", spec__serviceAccountName=None),
        "prod: release has serviceAccountName None",
    ),
    Breach(
        "production follows the folder of staging",
        pulls.followers_amiss,
        lambda it: it.say("prod", "Kustomization", "release", spec__path="./environments/staging/release"),
        "prod: release has path './environments/staging/release'",
    ),
    Breach(
        "what leaves the folder stays in the cluster",
        pulls.followers_amiss,
        lambda it: it.say("prod", "Kustomization", "release", spec__prune=False),
        "prod: release has prune False",
    ),
    Breach(
        "acceptance tests run while the release is still coming",
        pulls.followers_amiss,
        lambda it: it.say("staging", "Kustomization", "acceptance", spec__dependsOn=None),
        "staging: acceptance has dependsOn None",
    ),
    Breach(
        "the repository is read with a password",
        pulls.followers_amiss,
        lambda it: it.say("staging", "GitRepository", "configuration", spec__secretRef={"name": "token"}),
        "staging: it fetches",
    ),
)


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_it_is_found(breach: Breach, exports: Mapping[str, Any]) -> None:
    breach.must_be_found(exports, ENVIRONMENTS)


def test_every_invariant_of_the_pull_model_is_shown_to_catch_something() -> None:
    assert {*pulls.INVARIANTS} <= {breach.invariant for breach in BREACHES}
