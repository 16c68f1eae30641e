"""What stands before a release, and who approves it: written out, and what a landscape holds beside it.

Every function takes a landscape and what the stack files say of its environments, and returns findings: sentences, none
where all is well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.environments import WORKING_DAYS, Environment, Environments
from tests.graph import Landscape, Resource

MAIN = "refs/heads/main"
TEMPLATE = "pipelines/templates/release.yml"
ENDPOINTS = ("ServiceEndpointAzureRM",)
CHECKS = (
    "CheckApproval",
    "CheckBranchControl",
    "CheckBusinessHours",
    "CheckExclusiveLock",
    "CheckRequiredTemplate",
)
ROLE_SCOPES = {
    "environment": "distributedtask.environmentreferencerole",
    "endpoint": "distributedtask.serviceendpointrole",
}
JUDGED = {
    *CHECKS,
    *ENDPOINTS,
    "BranchPolicyAutoReviewers",
    "BranchPolicyBuildValidation",
    "BranchPolicyCommentResolution",
    "BranchPolicyMergeTypes",
    "BranchPolicyMinReviewers",
    "BuildDefinition",
    "Environment",
    "Extension",
    "Git",
    "GitPermissions",
    "GitRepositoryFile",
    "Group",
    "GroupMembership",
    "PipelineAuthorization",
    "Project",
    "ProjectPipelineSettings",
    "SecurityroleAssignment",
    "ServicePrincipalEntitlement",
    "VariableGroup",
}
"""What exists in Azure DevOps and is looked at here or beside it. Anything else could open or administer something."""


@dataclass(frozen=True)
class Thing:
    """What gates stand before: an environment or a connection."""

    stack: str
    kind: str
    """As checks and authorisations say it: `environment` or `endpoint`."""
    id: str
    name: str
    """As pipelines call it."""

    def __str__(self) -> str:
        return f"{self.stack}: the {self.kind} {self.name}"


def things(landscape: Landscape) -> list[Thing]:
    found = [
        Thing(stack, "environment", each.id, each.inputs["name"]) for stack, each in landscape.devops("Environment")
    ]
    found += [
        Thing(stack, "endpoint", each.id, each.inputs["serviceEndpointName"])
        for stack, each in landscape.devops(*ENDPOINTS)
    ]
    return found


# ---------------------------------------------------------------- gates


def wanted(thing: Thing, landscape: Landscape, environment: Environment) -> dict[str, dict[str, Any]]:
    """The gates of a thing and how they must be set, by kind of check."""
    branch = {
        "allowedBranches": MAIN,
        "verifyBranchProtection": True,
        "ignoreUnknownProtectionStatus": False,
    }
    if (thing.kind, thing.name) in [("endpoint", name) for name in ("ci", "signer", "updates")]:
        # Runs of main may overtake each other.
        return {"CheckBranchControl": branch}
    gates: dict[str, dict[str, Any]] = {"CheckBranchControl": branch, "CheckExclusiveLock": {}}
    if environment.production:
        template = {
            "repositoryType": "azuregit",
            "repositoryName": f"{_project(landscape, environment)}/platform",
            "repositoryRef": MAIN,
            "templatePath": TEMPLATE,
        }
        gates["CheckRequiredTemplate"] = {"requiredTemplates": [template]}
        gates["CheckApproval"] = {
            "approvers": [group.outputs["originId"] for group in _groups_of_approvers(landscape, environment)],
            # A group counts as one.
            "minimumRequiredApprovers": 1,
            "requesterCanApprove": False,
            "timeout": environment.approval_hours * 60,
        }
    if hours := environment.business_hours:
        days = hours.get("days", WORKING_DAYS)
        gates["CheckBusinessHours"] = {
            "startTime": hours["start"],
            "endTime": hours["end"],
            "timeZone": hours.get("timeZone", "UTC"),
            **{day.lower(): day in days for day in (*WORKING_DAYS, "Saturday", "Sunday")},
        }
    return gates


def unlike(thing: object, checks: Sequence[Resource], gates: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the checks that stand before a thing have beside, or otherwise than, the gates that are wanted there."""
    found = [f"{thing} has a {each.cls} that is not planned" for each in checks if each.cls not in gates]
    for kind, settings in gates.items():
        same = [each for each in checks if each.cls == kind]
        if len(same) != 1:
            found.append(f"{thing} has {len(same)} of {kind}")
        found += [
            f"{thing}: {kind} has {key} {each.inputs.get(key)!r}, not {value!r}"
            for each in same
            for key, value in settings.items()
            if each.inputs.get(key) != value
        ]
    return found


def gates_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Gates that are missing, doubled, set otherwise than wanted, or before nothing that is known."""
    found = []
    standing: dict[tuple[str, str], list[Resource]] = {}
    for _, check in landscape.devops(*CHECKS):
        target = (check.inputs["targetResourceType"], check.inputs["targetResourceId"])
        standing.setdefault(target, []).append(check)
    for thing in things(landscape):
        gates = wanted(thing, landscape, environments[thing.stack])
        checks = standing.pop((thing.kind, thing.id), [])
        found += unlike(thing, checks, gates)
    found += [f"a gate stands before the unknown {kind} {id}" for kind, id in standing]
    return found


# ---------------------------------------------------------------- approvers


def _project(landscape: Landscape, environment: Environment) -> str:
    """The name of the project, made in the home of delivery or brought by its owner."""
    stack = next(each for each in landscape.graphs[environment.home].resources if each.cls == "Stack")
    return str(stack.outputs["contract"]["delivery"]["projectName"])


def _groups_of_approvers(landscape: Landscape, environment: Environment) -> list[Resource]:
    """The project's groups whose only member, by a membership that overwrites others, is the directory's group."""
    groups = [each for stack, each in landscape.devops("Group") if stack == environment.key]
    directory = {each.outputs["descriptor"] for each in groups if each.inputs.get("originId") == environment.approvers}
    filled = {
        each.inputs["group"]
        for stack, each in landscape.devops("GroupMembership")
        if stack == environment.key and each.inputs.get("mode") == "overwrite"
        if len(each.inputs["members"]) == 1 and set(each.inputs["members"]) == directory
    }
    return [each for each in groups if each.outputs["descriptor"] in filled and each.inputs.get("scope")]


def approvers_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Approvers that are not the directory's group alone, or that do not see what waits for them."""
    found = []
    roles = [each.inputs for _, each in landscape.devops("SecurityroleAssignment")]
    for thing in things(landscape):
        environment = environments[thing.stack]
        if not environment.production:
            continue
        groups = _groups_of_approvers(landscape, environment)
        if len(groups) != 1:
            found.append(f"{thing}: {len(groups)} groups hold {environment.approvers} as their only member")
            continue
        right = {"scope": ROLE_SCOPES[thing.kind], "identityId": groups[0].outputs["groupId"], "roleName": "User"}
        seen = [each for each in roles if each["resourceId"].rpartition("_")[2] == thing.id]
        if not any(right.items() <= each.items() for each in seen):
            found.append(f"{thing}: its approvers do not see what they approve")
    return found


def administrators(landscape: Landscape, environments: Environments) -> list[str]:
    """Anybody who is given a role on an environment or a connection, beside approvers who may see it; whoever
    administers it passes by its gates."""
    approving = {
        group.outputs["groupId"]
        for environment in environments.values()
        if environment.approvers
        for group in _groups_of_approvers(landscape, environment)
    }
    gated = {f"{ROLE_SCOPES[thing.kind]}/{thing.id}" for thing in things(landscape)}
    found = [
        f"{stack}/{each.name}: {each.inputs['identityId']} is {each.inputs['roleName']} of {each.inputs['resourceId']}"
        for stack, each in landscape.devops("SecurityroleAssignment")
        if each.inputs["roleName"] != "User"
        or each.inputs["identityId"] not in approving
        or f"{each.inputs['scope']}/{each.inputs['resourceId'].rpartition('_')[2]}" not in gated
    ]
    found += [
        f"{stack}/{each.name}: nobody judges a {each.cls}"
        for stack, each in landscape.devops()
        if each.cls not in JUDGED
    ]
    return found


INVARIANTS = (gates_amiss, approvers_amiss, administrators)
