"""Gates and approvers, over everything that both shipped stacks made."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests import gates
from tests.breaches import SHIPPED, Breach, Broken, Invariant
from tests.conftest import Rehearsed
from tests.graph import Landscape


@pytest.fixture
def landscape(rehearsed: Mapping[str, Rehearsed]) -> Landscape:
    return Landscape({stack: run.export for stack, run in rehearsed.items()})


@pytest.mark.parametrize("invariant", gates.INVARIANTS, ids=lambda each: each.__name__)
def test_nothing_is_amiss(invariant: Invariant, landscape: Landscape) -> None:
    assert invariant(landscape, SHIPPED) == []


def test_these_things_are_gated(landscape: Landscape) -> None:
    """The checks above go through what there is; this says what there must be."""
    assert {(each.stack, each.kind, each.name) for each in gates.things(landscape)} == {
        ("staging", "endpoint", "ci"),
        ("staging", "endpoint", "deploy-staging"),
        ("staging", "endpoint", "dashboards-staging"),
        ("staging", "environment", "staging"),
        ("prod", "endpoint", "deploy-prod"),
        ("prod", "endpoint", "promote-prod"),
        ("prod", "endpoint", "dashboards-prod"),
        ("prod", "environment", "prod"),
    }


def test_each_thing_has_the_gates_of_its_tier(landscape: Landscape) -> None:
    standing = {
        str(thing): {kind.removeprefix("Check") for kind in gates.wanted(thing, landscape, SHIPPED[thing.stack])}
        for thing in gates.things(landscape)
    }
    staging, production = (
        {"BranchControl", "ExclusiveLock"},
        {
            "Approval",
            "BranchControl",
            "BusinessHours",
            "ExclusiveLock",
            "RequiredTemplate",
        },
    )
    assert standing == {
        "staging: the endpoint ci": {"BranchControl"},
        "staging: the endpoint deploy-staging": staging,
        "staging: the endpoint dashboards-staging": staging,
        "staging: the environment staging": staging,
        "prod: the endpoint deploy-prod": production,
        "prod: the endpoint promote-prod": production,
        "prod: the endpoint dashboards-prod": production,
        "prod: the environment prod": production,
    }


def another_group_approves(it: Broken) -> None:
    """Made as the one there is, and filled with somebody else."""
    it.add("prod", ("Group", "approvers"), "others")
    it.find("prod", "Group", "others")["outputs"].update(originId="others", groupId="others", descriptor="vssgp.others")
    it.say("prod", "CheckApproval", "environment-approval", approvers=["others"])


GATES = (
    *(
        Breach(
            f"production's {thing} has no {check}",
            gates.gates_amiss,
            lambda it, check=check, name=f"{thing}-{suffix}": it.drop("prod", check, name),  # type: ignore[misc]
            f"has 0 of {check}",
        )
        for thing in ("environment", "deploy-connection", "promote-connection", "dashboards-connection")
        for check, suffix in (
            ("CheckApproval", "approval"),
            ("CheckBranchControl", "branch-control"),
            ("CheckBusinessHours", "business-hours"),
            ("CheckExclusiveLock", "exclusive-lock"),
            ("CheckRequiredTemplate", "required-template"),
        )
    ),
    Breach(
        "any branch reaches staging",
        gates.gates_amiss,
        lambda it: it.drop("staging", "CheckBranchControl", "environment-branch-control"),
        "staging: the environment staging has 0 of CheckBranchControl",
    ),
    Breach(
        "two releases run into each other in staging",
        gates.gates_amiss,
        lambda it: it.drop("staging", "CheckExclusiveLock", "deploy-connection-exclusive-lock"),
        "staging: the endpoint deploy-staging has 0 of CheckExclusiveLock",
    ),
    Breach(
        "any branch pushes images",
        gates.gates_amiss,
        lambda it: it.drop("staging", "CheckBranchControl", "ci-connection-branch-control"),
        "staging: the endpoint ci has 0 of CheckBranchControl",
    ),
    Breach(
        "whoever asks for a release approves it",
        gates.gates_amiss,
        lambda it: it.say("prod", "CheckApproval", "environment-approval", requesterCanApprove=True),
        "prod: the environment prod: CheckApproval has requesterCanApprove True, not False",
    ),
    Breach(
        "nobody has to approve",
        gates.gates_amiss,
        lambda it: it.say("prod", "CheckApproval", "promote-connection-approval", minimumRequiredApprovers=0),
        "prod: the endpoint promote-prod: CheckApproval has minimumRequiredApprovers 0, not 1",
    ),
    Breach(
        "a release waits for thirty days",
        gates.gates_amiss,
        lambda it: it.say("prod", "CheckApproval", "environment-approval", timeout=None),
        "CheckApproval has timeout None, not 4320",
    ),
    Breach(
        "somebody else approves",
        gates.gates_amiss,
        another_group_approves,
        "CheckApproval has approvers ['others']",
    ),
    Breach(
        "every branch passes",
        gates.gates_amiss,
        lambda it: it.say("prod", "CheckBranchControl", "environment-branch-control", allowedBranches="*"),
        "CheckBranchControl has allowedBranches '*'",
    ),
    Breach(
        "an unprotected branch passes",
        gates.gates_amiss,
        lambda it: it.say("prod", "CheckBranchControl", "environment-branch-control", verifyBranchProtection=None),
        "CheckBranchControl has verifyBranchProtection None, not True",
    ),
    Breach(
        "a branch of which nothing is known passes",
        gates.gates_amiss,
        lambda it: it.say(
            "staging", "CheckBranchControl", "ci-connection-branch-control", ignoreUnknownProtectionStatus=True
        ),
        "CheckBranchControl has ignoreUnknownProtectionStatus True, not False",
    ),
    *(
        Breach(
            f"the template is another: {key}",
            gates.gates_amiss,
            lambda it, key=key, value=value: it.find("prod", "CheckRequiredTemplate", "environment-required-template")[  # type: ignore[misc]
                "inputs"
            ]["requiredTemplates"][0].update({key: value}),
            "prod: the environment prod: CheckRequiredTemplate has requiredTemplates",
        )
        for key, value in {
            "repositoryRef": "refs/heads/next",
            "repositoryName": "Shop/application",
            "templatePath": "pipelines/cd.yml",
            "repositoryType": "github",
        }.items()
    ),
    Breach(
        "a second template is allowed",
        gates.gates_amiss,
        lambda it: it.find("prod", "CheckRequiredTemplate", "environment-required-template")["inputs"][
            "requiredTemplates"
        ].append({"templatePath": "any.yml"}),
        "CheckRequiredTemplate has requiredTemplates",
    ),
    Breach(
        "releases start at night",
        gates.gates_amiss,
        lambda it: it.say("prod", "CheckBusinessHours", "environment-business-hours", endTime="23:59"),
        "CheckBusinessHours has endTime '23:59', not '17:00'",
    ),
    Breach(
        "releases start on Sundays",
        gates.gates_amiss,
        lambda it: it.say("prod", "CheckBusinessHours", "environment-business-hours", sunday=True),
        "CheckBusinessHours has sunday True, not False",
    ),
    Breach(
        "a connection that nobody has thought of",
        gates.gates_amiss,
        lambda it: it.add(
            "prod", ("ServiceEndpointAzureRM", "deploy-connection"), "spare", serviceEndpointName="spare"
        ),
        "prod: the endpoint spare has 0 of CheckApproval",
    ),
    Breach(
        "a gate before nothing",
        gates.gates_amiss,
        lambda it: it.say("prod", "CheckExclusiveLock", "environment-exclusive-lock", targetResourceId="0"),
        "a gate stands before the unknown environment 0",
    ),
)

APPROVERS = (
    Breach(
        "approvers do not see what they approve",
        gates.approvers_amiss,
        lambda it: it.drop("prod", "SecurityroleAssignment", "promote-connection-for-approvers"),
        "prod: the endpoint promote-prod: its approvers do not see what they approve",
    ),
    Breach(
        "approvers see something else by the same id",
        gates.approvers_amiss,
        lambda it: it.say(
            "prod",
            "SecurityroleAssignment",
            "environment-for-approvers",
            scope="distributedtask.serviceendpointrole",
        ),
        "prod: the environment prod: its approvers do not see what they approve",
    ),
    Breach(
        "somebody else is shown what the approvers approve",
        gates.approvers_amiss,
        lambda it: it.say("prod", "SecurityroleAssignment", "environment-for-approvers", identityId="others"),
        "prod: the environment prod: its approvers do not see what they approve",
    ),
    Breach(
        "approvers who were added by hand stay",
        gates.approvers_amiss,
        lambda it: it.say("prod", "GroupMembership", "approvers-members", mode="add"),
        f"0 groups hold {SHIPPED['prod'].approvers} as their only member",
    ),
    Breach(
        "another group of the directory approves too",
        gates.approvers_amiss,
        lambda it: it.find("prod", "GroupMembership", "approvers-members")["inputs"]["members"].append("aadgp.others"),
        f"0 groups hold {SHIPPED['prod'].approvers} as their only member",
    ),
    Breach(
        "the directory's group is another",
        gates.approvers_amiss,
        lambda it: it.say("prod", "Group", "directory-group", originId="others"),
        f"0 groups hold {SHIPPED['prod'].approvers} as their only member",
    ),
    Breach(
        "approvers administer the environment",
        gates.administrators,
        lambda it: it.say("prod", "SecurityroleAssignment", "environment-for-approvers", roleName="Administrator"),
        "environment-for-approvers: ",
    ),
    Breach(
        "somebody else may use the connection",
        gates.administrators,
        lambda it: it.say("prod", "SecurityroleAssignment", "deploy-connection-for-approvers", identityId="others"),
        "others is User of ",
    ),
    Breach(
        "approvers may use every environment of the project",
        gates.administrators,
        lambda it: it.add(
            "prod",
            ("SecurityroleAssignment", "environment-for-approvers"),
            "everywhere",
            scope="distributedtask.globalenvironmentreferencerole",
        ),
        "prod/everywhere: ",
    ),
    *(
        Breach(
            f"contributors are given {cls}",
            gates.administrators,
            lambda it, cls=cls: it.mark(  # type: ignore[misc]
                "staging",
                "ProjectPipelineSettings",
                "pipeline-settings",
                type=f"azuredevops:index/permissions:{cls}",
            ),
            f"nobody judges a {cls}",
        )
        for cls in ("BuildDefinitionPermissions", "ServiceendpointPermissions", "ProjectPermissions")
    ),
)

BREACHES = (*GATES, *APPROVERS)


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_it_is_found(breach: Breach, rehearsed: Mapping[str, Rehearsed]) -> None:
    breach.must_be_found({stack: run.export for stack, run in rehearsed.items()})


def test_every_invariant_is_shown_to_catch_something() -> None:
    assert {breach.invariant for breach in BREACHES} == set(gates.INVARIANTS)
