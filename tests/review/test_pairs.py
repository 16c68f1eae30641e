"""Before and after, with what a careful reviewer would say: on edited exports of the shipped stacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from review import exports
from review.judgement import Judgement, judge
from review.judgement.verdict import Exit, exit_code
from review.model import Op
from tests.conftest import Rehearsed
from tests.review.edits import Edit, Export, adding, both, edited, marked, renamed, resources, setting, the, without

OWNER = "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
PULL = "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"


@dataclass(frozen=True)
class Pair:
    """An edit, and all that has to be said of it. `acks` are the kinds of what has to be acknowledged."""

    name: str
    stack: str
    edit: Edit
    ops: Mapping[Op, int] = field(default_factory=lambda: {Op.UPDATE: 1})
    acks: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    costs: int = 0


def reordered(type_: str, name: str, *path: str) -> Edit:
    def edit(export: Export) -> None:
        *above, last = path
        here = the(export, type_, name)["inputs"]
        for key in above:
            here = here[int(key)] if key.isdigit() else here[key]
        assert len(here[last]) > 1, "nothing to reorder"
        here[last].reverse()

    return edit


def pools(*names: str) -> Edit:
    """The cluster's own pools, in this order; those that it lacks are like its first."""

    def edit(export: Export) -> None:
        inputs = the(export, "ManagedCluster", "cluster")["inputs"]
        first = inputs["agentPoolProfiles"][0]
        inputs["agentPoolProfiles"] = [first | {"name": name} for name in names]

    return edit


def scope_of_group(export: Export) -> None:
    grant = the(export, "RoleAssignment", "kubelet-pulls")["inputs"]
    grant["scope"] = grant["scope"].split("/providers/")[0]


def in_region(export: Export) -> None:
    the(export, "ManagedCluster", "cluster")["inputs"]["location"] = "northeurope"


def environment_gone(export: Export) -> None:
    target = the(export, "Environment", "environment")["id"]
    resources(export)[:] = [
        each
        for each in resources(export)
        if each.get("inputs", {}).get("targetResourceId") != target and each["type"].rpartition(":")[2] != "Environment"
    ]


def open_port(export: Export) -> None:
    the(export, "NetworkSecurityGroup", "nodes-guard")["inputs"]["securityRules"].append(
        {
            "name": "allow-ssh",
            "access": "Allow",
            "direction": "Inbound",
            "priority": 200,
            "protocol": "Tcp",
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "22",
        }
    )


UPDATE = {Op.UPDATE: 1}
REPLACE = {Op.REPLACE: 1}
DELETE = {Op.DELETE: 1}
CREATE = {Op.CREATE: 1}

PAIRS = (
    Pair("nothing edited", "prod", lambda export: None, {}),
    Pair(
        "security rules reordered",
        "prod",
        reordered("NetworkSecurityGroup", "private-endpoints-guard", "securityRules"),
        {},
    ),
    Pair(
        "zones reordered",
        "prod",
        reordered("ManagedCluster", "cluster", "agentPoolProfiles", "0", "availabilityZones"),
        {},
    ),
    Pair(
        "zone list changed",
        "prod",
        setting("AgentPool", "pool-apps", availabilityZones=["1", "2"]),
        acks=("refused",),
        says=("does not change availabilityZones in place",),
    ),
    Pair(
        "logs kept shorter",
        "prod",
        setting("Workspace", "workspace", retentionInDays=30),
        acks=("retention",),
        says=("90 → 30",),
        costs=1,
    ),
    Pair("logs kept longer", "prod", setting("Workspace", "workspace", retentionInDays=365), costs=1),
    Pair(
        "deleted images kept shorter",
        "prod",
        setting("Registry", "registry", policies__softDeletePolicy__retentionDays=7),
        acks=("retention",),
        says=("30 → 7",),
    ),
    Pair(
        "private registry turned public",
        "prod",
        setting("Registry", "registry", publicNetworkAccess="Enabled"),
        acks=("public",),
        says=("reachable from the internet",),
    ),
    Pair(
        "private API server turned public",
        "prod",
        setting("ManagedCluster", "cluster", apiServerAccessProfile__enablePrivateCluster=False),
        acks=("public", "refused"),
    ),
    Pair(
        "public registry turned private",
        "staging",
        setting("Registry", "registry", publicNetworkAccess="Disabled"),
    ),
    Pair(
        "anonymous pull",
        "staging",
        setting("Registry", "registry", anonymousPullEnabled=True),
        acks=("public",),
    ),
    Pair(
        "vault's firewall opened",
        "prod",
        setting(
            "Vault",
            "workload-vault",
            properties__publicNetworkAccess="Enabled",
            properties__networkAcls__defaultAction="Allow",
        ),
        acks=("public",),
        says=("reachable from the internet", "lets everybody through"),
    ),
    Pair(
        "role widened",
        "staging",
        setting("RoleAssignment", "kubelet-pulls", roleDefinitionId=OWNER),
        acks=("role", "refused"),
        says=("Owner → ", "before AcrPull"),
    ),
    Pair(
        "role narrowed",
        "staging",
        setting("RoleAssignment", "ci-pushes-images", roleDefinitionId=PULL),
        acks=("refused",),
    ),
    Pair("scope widened", "staging", scope_of_group, REPLACE, ("role",), ("resource group rg-shop-staging",)),
    Pair(
        "new grant",
        "staging",
        adding("RoleAssignment", "somebody-reads", "kubelet-pulls", principalId="11111111-0000-0000-0000-000000000000"),
        CREATE,
        ("role",),
        ("new: AcrPull",),
    ),
    Pair("grant removed", "staging", without("RoleAssignment", "kubelet-pulls"), DELETE),
    Pair(
        "gate removed",
        "prod",
        without("CheckApproval", "environment-approval"),
        DELETE,
        ("gate",),
        ("the gate before prod goes",),
    ),
    Pair("environment removed with its gates", "prod", environment_gone, {Op.DELETE: 6}, ("deleted",), ("history",)),
    Pair(
        "who asks may approve",
        "prod",
        setting("CheckApproval", "environment-approval", requesterCanApprove=True),
        acks=("gate",),
    ),
    Pair(
        "another approver",
        "prod",
        setting(
            "CheckApproval", "environment-approval", approvers=["3aa8c10e-a3f4-5b70-b9fa-80feaee7ef7d", "somebody"]
        ),
        acks=("gate",),
        says=("also somebody",),
    ),
    Pair(
        "any branch may be released",
        "prod",
        setting("CheckBranchControl", "environment-branch-control", allowedBranches="*"),
        acks=("gate",),
    ),
    Pair(
        "releases at night",
        "prod",
        setting("CheckBusinessHours", "environment-business-hours", endTime="22:00", sunday=True),
        acks=("gate",),
        says=("also on sunday", "until 22:00, before until 17:00"),
    ),
    Pair(
        "fewer hours",
        "prod",
        setting("CheckBusinessHours", "environment-business-hours", endTime="16:00"),
    ),
    Pair(
        "author may merge alone",
        "staging",
        setting("BranchPolicyMinReviewers", "application-is-reviewed", settings__submitterCanVote=True),
        acks=("gate",),
    ),
    Pair(
        "project made public",
        "staging",
        setting("Project", "project", visibility="public"),
        acks=("public",),
    ),
    Pair(
        "version raised",
        "prod",
        setting("ManagedCluster", "cluster", kubernetesVersion="1.37"),
    ),
    Pair(
        "pool grows",
        "prod",
        setting("AgentPool", "pool-apps", maxCount=48, vmSize="Standard_D16ds_v5"),
        REPLACE,
        ("replaced",),
        costs=2,
    ),
    Pair("pool may grow further", "prod", setting("AgentPool", "pool-apps", maxCount=48), costs=1),
    Pair("system pool counted twice", "prod", pools("system", "second"), costs=1),
    Pair(
        "component renamed, with an alias",
        "prod",
        renamed("TierRegistry", "registry", "images", alias=True),
        {Op.RENAME: 1},
    ),
    Pair("resource renamed, known by its entry", "prod", renamed("Registry", "registry", "images"), {Op.RENAME: 1}),
    Pair(
        "resource renamed without an alias",
        "prod",
        renamed("Registry", "registry", "images", anew=True),
        {Op.CREATE: 1, Op.DELETE: 1},
        ("deleted",),
        ("every image in it",),
        costs=2,
    ),
    Pair(
        "registry deleted",
        "prod",
        without("Registry", "registry"),
        DELETE,
        ("deleted",),
        ("every image in it", "protected, so the engine refuses"),
        costs=1,
    ),
    Pair("cluster moved", "prod", in_region, REPLACE, ("replaced",), ("because of location", "all workloads")),
    Pair("protection removed", "prod", marked("Vault", "workload-vault", protect=False), acks=("protection",)),
    Pair("lock removed", "prod", without("ManagementLockByScope", "log-workspace-lock"), DELETE, ("lock",)),
    Pair("logs not kept", "prod", without("DiagnosticSetting", "workspace-diagnostics"), DELETE, ("watch",)),
    Pair(
        "foreign images only reported",
        "prod",
        setting("PolicyAssignment", "allowed-images", parameters__effect__value="audit"),
        acks=("hardening",),
        says=("what it refused is only reported",),
    ),
    Pair("policy removed", "prod", without("PolicyAssignment", "restricted-pods"), DELETE, ("hardening",)),
    Pair(
        "local accounts on",
        "prod",
        setting("ManagedCluster", "cluster", disableLocalAccounts=False),
        acks=("hardening",),
    ),
    Pair("port opened to everybody", "prod", open_port, acks=("access",), says=("lets in EVERYBODY to port 22",)),
    Pair(
        "somebody else signs in",
        "staging",
        setting("FederatedIdentityCredential", "deploy-connection-signs-in", subject="repo:other/other"),
        acks=("signin",),
    ),
    Pair(
        "pods need not be restricted",
        "staging",
        lambda export: the(export, "Namespace", "namespace")["inputs"]["metadata"]["labels"].update(
            {"pod-security.kubernetes.io/enforce": "privileged"}
        ),
        acks=("policy",),
    ),
    Pair("a tag", "prod", setting("ResourceGroup", "environment", tags__owner="somebody-else")),
)


@pytest.fixture(scope="session")
def both_sides(rehearsed: Mapping[str, Rehearsed]) -> Mapping[str, Mapping[str, Any]]:
    return {stack: each.export for stack, each in rehearsed.items()}


def judged(before: Mapping[str, Any], edit: Edit) -> Judgement:
    return judge(exports.changes(before, edited(before, edit)))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_the_verdict_is_that_of_a_careful_reviewer(pair: Pair, both_sides: Mapping[str, Mapping[str, Any]]) -> None:
    found = judged(both_sides[pair.stack], pair.edit)

    assert dict(found.changes.counts) == pair.ops
    assert {ack.partition(":")[0] for ack in found.acks} == set(pair.acks)
    said = " | ".join(finding.text for finding in (*found.losses, *found.weaker))
    assert [words for words in pair.says if words not in said] == []
    assert len(found.costs) == pair.costs, found.costs
    expected = Exit.TO_ACKNOWLEDGE if pair.acks else Exit.CHANGES if pair.ops else Exit.NO_CHANGE
    assert exit_code([found]) is expected
    assert exit_code([found], found.acks) is min(expected, Exit.CHANGES)


def test_many_changes_are_told_apart(both_sides: Mapping[str, Mapping[str, Any]]) -> None:
    """What is said of one change does not hide another."""
    edit = both(
        setting("Registry", "registry", publicNetworkAccess="Enabled"),
        without("CheckApproval", "environment-approval"),
        setting("AgentPool", "pool-apps", maxCount=48),
    )

    found = judged(both_sides["prod"], edit)

    assert found.acks == (
        "public:prod/registry/Registry.registry",
        "gate:prod/releases/environment/CheckApproval.environment-approval",
    )
    assert [finding.subject for finding in found.costs] == ["AgentPool apps"]


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_every_kind_of_the_shipped_stacks_has_its_loss(stack: str, both_sides: Mapping[str, Mapping[str, Any]]) -> None:
    """A kind without a line is only said to be unknown."""
    everything = both_sides[stack]
    nothing: Export = {"version": 3, "deployment": {"resources": resources(everything)[:1]}}

    gone = judge(exports.changes(everything, nothing))

    assert [finding.subject for finding in gone.losses if "not known" in finding.text] == []
    assert len(gone.losses) == gone.changes.counts[Op.DELETE] > 100


def test_a_new_stack_is_judged_by_what_it_opens(both_sides: Mapping[str, Mapping[str, Any]]) -> None:
    """Not by its hardening, which is there from the first day."""
    everything = both_sides["prod"]
    nothing: Export = {"version": 3, "deployment": {"resources": resources(everything)[:1]}}

    made = judge(exports.changes(nothing, everything))

    assert made.losses == ()
    assert {finding.sign for finding in made.weaker} <= {"role", "right", "public"}
    assert not [finding for finding in made.weaker if finding.sign == "public" and finding.grave]
