"""Who plans and applies the infrastructure, what they may do and what stands before it: written out, and what the
bootstrap holds beside it.

Every function takes a landscape that has the bootstrap in it, and what the stack files say of its environments, and
returns findings: sentences, none where all is well. What an environment makes itself is judged by the modules beside
this one; nothing of it is repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.cloud.azuredevops.beginnings import descriptor
from rehearsal.cloud.values import guid
from tests import roles
from tests.authorisations import authorised
from tests.environments import WORKING_DAYS, Environments
from tests.gates import CHECKS, MAIN, ROLE_SCOPES, Thing, things, unlike
from tests.graph import ROLE_ASSIGNMENT, Landscape, Resource
from tests.rights import CLUSTER_USER, IMPORTER, Right

BOOTSTRAP = "bootstrap"
ADMINISTRATORS = "00000000-0000-0000-0000-0000000000a4"
APPROVERS = "00000000-0000-0000-0000-0000000000a3"
"""Groups of the directory, as the shipped file has them."""

GRANTS = "Role Based Access Control Administrator"
HANDED_ON = (
    "AcrPull",
    "AcrPush",
    CLUSTER_USER,
    "Azure Kubernetes Service RBAC Writer",
    IMPORTER,
    "Grafana Admin",
    "Grafana Editor",
    "Key Vault Crypto User",
    "Key Vault Secrets User",
    "Log Analytics Reader",
    "Managed Identity Operator",
    "Monitoring Data Reader",
    "Monitoring Metrics Publisher",
    "Monitoring Reader",
    "Network Contributor",
    "Private DNS Zone Contributor",
    "Reader",
)
"""What whoever applies an environment may grant in it: the roles that an environment is made of."""


def _own_state(key: str) -> str:
    paths = ("stacks/{}.json*", "history/{}/*", "backups/{}/*", "locks/organization/{}/*")
    return ", ".join(f".pulumi/{path.format(f'aks-cicd/{key}')}" for path in paths)


def table(environments: Environments) -> set[Right]:
    """Every right that the bootstrap grants."""
    container, key = f"{BOOTSTRAP}/state-container", f"{BOOTSTRAP}/state-key"
    found = {
        Right(ADMINISTRATORS, "Storage Blob Data Contributor", container),
        Right(ADMINISTRATORS, "Key Vault Crypto User", key),
    }
    for each in environments.values():
        plan, apply = f"{BOOTSTRAP}/plan-{each.key}", f"{BOOTSTRAP}/apply-{each.key}"
        group, subscription = f"{each.key}/environment", f"/subscriptions/{each.subscription}"
        found |= {
            Right(plan, "Storage Blob Data Reader", container),
            Right(plan, "Key Vault Crypto User", key),
            Right(plan, "Reader", group),
            Right(plan, CLUSTER_USER, group),
            Right(plan, "Azure Kubernetes Service RBAC Reader", group),
            Right(apply, f"Storage Blob Data Contributor of {_own_state(each.key)}", container),
            Right(apply, "Key Vault Crypto User", key),
            Right(apply, "Contributor", group),
            Right(apply, f"{GRANTS} of {', '.join(sorted(HANDED_ON))}", group),
            Right(apply, "Resource Policy Contributor", group),
            Right(apply, "Azure Kubernetes Service RBAC Cluster Admin", group),
        }
        if each.owns_plans:
            found |= {Right(plan, "Security Reader", subscription), Right(apply, "Security Admin", subscription)}
        if each.production:
            found.add(Right(apply, "Locks Contributor", group))
        if each.source:
            found.add(Right(apply, f"{GRANTS} of {IMPORTER}", f"{environments[each.source].registry}/registry"))
        if not each.has_registry:
            found.add(Right(apply, f"{GRANTS} of AcrPull", f"{each.registry}/registry"))
    return found


def granted(landscape: Landscape) -> list[Right]:
    """What the bootstrap grants, in the words of the table."""
    return [
        Right(
            landscape.principals.get(each.inputs["principalId"], each.inputs["principalId"]),
            roles.role(each.inputs["roleDefinitionId"]).name + narrowed(each.inputs.get("condition", "")),
            landscape.named(each.inputs["scope"]),
        )
        for stack, each in landscape.of(ROLE_ASSIGNMENT)
        if stack == BOOTSTRAP
    ]


def narrowed(condition: str) -> str:
    """What a condition leaves of a role, in words."""
    lists = set(re.findall(r"GuidEquals \{([^}]*)\}", condition))
    if len(lists) == 1:
        return " of " + ", ".join(sorted(roles.role(guid.strip()).name for guid in lists.pop().split(",")))
    if paths := re.findall(r"StringLike '([^']*)'", condition):
        return " of " + ", ".join(paths)
    return f" if {condition}" if condition else ""


def rights_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Rights that the table does not have, and rights of the table that are missing."""
    found, listed = granted(landscape), table(environments)
    return [
        *(f"{each}, which the table does not say" for each in sorted(set(found) - listed, key=str)),
        *(f"the table says that {each}, and nothing grants it" for each in sorted(listed - set(found), key=str)),
        *(f"{each} twice" for each in sorted({each for each in found if found.count(each) > 1}, key=str)),
    ]


def identities_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Identities beside those that plan, apply and open pull requests."""
    wanted = {f"{BOOTSTRAP}/author", *(f"{BOOTSTRAP}/{job}-{key}" for key in environments for job in ("plan", "apply"))}
    made = {name for name in landscape.principals.values() if name.startswith(f"{BOOTSTRAP}/")}
    return [f"the identity {each} is {'missing' if each in wanted else 'not in the table'}" for each in wanted ^ made]


# ---------------------------------------------------------------- which pipeline may use what


LOOKING = ("infrastructure-pr", "infrastructure", "drift")
"""Pipelines that plan."""


def authorisations(environments: Environments) -> set[tuple[str, str, str]]:
    """Pipeline, kind of thing, `<stack>: <name>`."""
    allowed = {
        ("environment", "endpoint", f"{BOOTSTRAP}: author"),
        *((one, "variablegroup", f"{BOOTSTRAP}: infrastructure") for one in LOOKING),
    }
    for each in environments.values():
        allowed |= {(one, "endpoint", f"{BOOTSTRAP}: plan-{each.key}") for one in LOOKING}
        allowed |= {
            ("infrastructure", "endpoint", f"{BOOTSTRAP}: apply-{each.key}"),
            ("infrastructure", "environment", f"{BOOTSTRAP}: infrastructure-{each.key}"),
        }
        if each.agents_service:
            allowed |= {(one, "queue", f"{each.key}: agents") for one in LOOKING}
    return allowed


def authorisations_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Pipelines that may use what the table does not give them, and those that may not although it does."""
    queues = {
        str(each.inputs["resourceId"]): f"{stack}: agents"
        for stack, each in landscape.devops("PipelineAuthorization")
        if stack != BOOTSTRAP and each.inputs["type"] == "queue"
    }
    found = {
        (pipeline, kind, queues.get(str(each.inputs["resourceId"]), name) if kind == "queue" else name)
        for each, (pipeline, kind, name) in authorised(landscape)
        if each.urn in landscape.graphs[BOOTSTRAP].by_urn
    }
    listed = authorisations(environments)
    return [
        *(f"{pipeline} may use the {kind} {name}" for pipeline, kind, name in sorted(found - listed)),
        *(f"{pipeline} may not use the {kind} {name}" for pipeline, kind, name in sorted(listed - found)),
    ]


# ---------------------------------------------------------------- what stands before a change


def gates(thing: Thing, landscape: Landscape, environments: Environments) -> dict[str, dict[str, Any]]:
    """The gates of a thing of the bootstrap and how they must be set, by kind of check."""
    branch = {"allowedBranches": MAIN, "verifyBranchProtection": True, "ignoreUnknownProtectionStatus": False}
    job, _, key = thing.name.partition("-")
    if job == "plan":
        return {}
    if job == "author":
        return {"CheckBranchControl": branch}
    environment = environments[key]
    found: dict[str, dict[str, Any]] = {"CheckBranchControl": branch, "CheckExclusiveLock": {}}
    if environment.production or environment.is_home:
        template = {
            "repositoryType": "azuregit",
            "repositoryRef": MAIN,
            "templatePath": "pipelines/templates/infrastructure.yml",
            "repositoryName": "Shop/platform",
        }
        found["CheckRequiredTemplate"] = {"requiredTemplates": [template]}
        found["CheckApproval"] = {
            "approvers": [each.outputs["originId"] for each in _approving(landscape)],
            "minimumRequiredApprovers": 1,
            "requesterCanApprove": False,
        }
    if hours := environment.business_hours:
        days = hours.get("days", WORKING_DAYS)
        found["CheckBusinessHours"] = {
            "startTime": hours["start"],
            "endTime": hours["end"],
            **{day.lower(): day in days for day in (*WORKING_DAYS, "Saturday", "Sunday")},
        }
    return found


def _approving(landscape: Landscape) -> list[Resource]:
    """The project's group that has the directory's group as its only member."""
    groups = landscape.graphs[BOOTSTRAP].devops
    directory = {each.outputs["descriptor"] for each in groups if each.inputs.get("originId") == APPROVERS}
    filled = {
        each.inputs["group"]
        for each in groups
        if each.cls == "GroupMembership"
        and each.inputs.get("mode") == "overwrite"
        and set(each.inputs["members"]) == directory
    }
    return [each for each in groups if each.cls == "Group" and each.outputs["descriptor"] in filled]


def own_things(landscape: Landscape) -> list[Thing]:
    return [each for each in things(landscape) if each.stack == BOOTSTRAP]


def gates_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Gates that are missing, doubled, set otherwise than wanted, or not wanted."""
    found = []
    checks = [each for each in landscape.graphs[BOOTSTRAP].devops if each.cls in CHECKS]
    for thing in own_things(landscape):
        wanted = gates(thing, landscape, environments)
        target = {"targetResourceType": thing.kind, "targetResourceId": thing.id}
        standing = [each for each in checks if target.items() <= each.inputs.items()]
        found += unlike(thing, standing, wanted)
    return found


# ---------------------------------------------------------------- who may do what in the project

ALLOWED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "author-opens-pull-requests": (
        "author",
        dict.fromkeys(("GenericRead", "GenericContribute", "CreateBranch", "PullRequestContribute"), "Allow"),
    ),
    "planners-comment": ("planners", dict.fromkeys(("GenericRead", "PullRequestContribute"), "Allow")),
    "planners-file-work-items": (
        "planners",
        dict.fromkeys(("GENERIC_READ", "WORK_ITEM_READ", "WORK_ITEM_WRITE"), "Allow"),
    ),
}
"""Permissions by logical name: who has them, and which."""


def members(environments: Environments) -> set[tuple[str, str]]:
    """Who is in which group: group, member."""
    found = {("Readers", "planners"), ("Readers", "author"), ("infrastructure-approvers", "directory-group")}
    for key in environments:
        found |= {("planners", f"plan-{key}"), ("Project Administrators", f"apply-{key}")}
    return found


def project_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Members of groups, permissions and roles in the project beside those that are written out."""
    graph = landscape.graphs[BOOTSTRAP]
    names = _built_in(landscape)
    names |= {each.outputs["descriptor"]: each.name for each in graph.devops if each.cls == "Group"}
    names |= {
        each.outputs["descriptor"]: each.name.removesuffix("-in-organization")
        for each in graph.devops
        if each.cls == "ServicePrincipalEntitlement"
    }
    found = {
        (names.get(each.inputs["group"], each.inputs["group"]), names.get(one, one))
        for each in graph.devops
        if each.cls == "GroupMembership"
        for one in each.inputs["members"]
    }
    listed = members(environments)
    said = [f"{member} is in {group}" for group, member in sorted(found - listed)]
    said += [f"{member} is not in {group}" for group, member in sorted(listed - found)]
    permissions = {
        each.name: (names.get(each.inputs["principal"], each.inputs["principal"]), dict(each.inputs["permissions"]))
        for each in graph.devops
        if each.cls.endswith("Permissions")
    }
    said += [
        f"{name} is {permissions.get(name)}, not {ALLOWED.get(name)}"
        for name in sorted(permissions.keys() | ALLOWED.keys())
        if permissions.get(name) != ALLOWED.get(name)
    ]
    return [*said, *_roles(landscape)]


def _built_in(landscape: Landscape) -> dict[str, str]:
    """Groups that every project has, by descriptor, as the stand-in makes them."""
    return {
        descriptor("vssgp", guid(project.id, "group", name)): name
        for _, project in landscape.devops("Project")
        for name in ("Readers", "Contributors", "Project Administrators", "Build Administrators")
    }


def _roles(landscape: Landscape) -> Iterator[str]:
    """Roles on environments and connections: approvers see what they approve, and nobody administers anything."""
    approving = {each.outputs["groupId"] for each in _approving(landscape)}
    seen = set()
    for each in landscape.graphs[BOOTSTRAP].devops:
        if each.cls == "SecurityroleAssignment":
            said = each.inputs
            seen.add(f"{said['scope']}/{said['resourceId'].rpartition('_')[2]}")
            if said["roleName"] != "User" or said["identityId"] not in approving:
                yield f"{each.name}: {said['identityId']} is {said['roleName']}"
    for thing in own_things(landscape):
        approved = "CheckApproval" in {
            each.cls for each in landscape.graphs[BOOTSTRAP].devops if each.inputs.get("targetResourceId") == thing.id
        }
        if approved != (f"{ROLE_SCOPES[thing.kind]}/{thing.id}" in seen):
            yield f"{thing}: its approvers {'do not ' if approved else ''}see it"


def administers_what_it_changes(landscape: Landscape, environments: Environments) -> list[str]:
    """Pipelines that run what nobody has reviewed, and reach more than a look: whoever can change them would administer
    an environment."""
    gated = {
        str(each.inputs["targetResourceId"])
        for each in landscape.graphs[BOOTSTRAP].devops
        if each.cls == "CheckBranchControl" and each.inputs.get("allowedBranches") == MAIN
    }
    return [
        f"{thing} takes a run of any branch"
        for thing in own_things(landscape)
        if thing.id not in gated and not _reads(thing)
    ]


def _reads(thing: Thing) -> bool:
    return thing.kind == "endpoint" and thing.name.startswith("plan-")


def unprotected(landscape: Landscape, environments: Environments) -> list[str]:
    """What would take state or history along if it were deleted by mistake."""
    keeps = {
        "ResourceGroup",
        "StorageAccount",
        "BlobServiceProperties",
        "BlobContainer",
        "Vault",
        "Key",
        "Workspace",
        "BuildDefinition",
        "Environment",
    }
    return [
        f"{each.name} is {'not ' if each.cls in keeps else ''}protected"
        for each in landscape.graphs[BOOTSTRAP].resources
        if each.raw.get("custom") and each.protected != (each.cls in keeps)
    ]


INVARIANTS = (
    rights_amiss,
    identities_amiss,
    authorisations_amiss,
    gates_amiss,
    project_amiss,
    administers_what_it_changes,
    unprotected,
)
