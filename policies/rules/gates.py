"""What stands before a release, and who approves it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import Properties, Resource, Stack, each, get
from policies.rule import ADVISORY, MANDATORY, on_resource, on_stack
from policies.rules.identity import CONNECTION

ENVIRONMENT = "devops:Environment"
APPROVAL = "devops:CheckApproval"
BRANCH = "devops:CheckBranchControl"
LOCK = "devops:CheckExclusiveLock"
TEMPLATE = "devops:CheckRequiredTemplate"
CHECKS = (APPROVAL, BRANCH, LOCK, TEMPLATE, "devops:CheckBusinessHours")
MEMBERSHIP = "devops:GroupMembership"
GROUP = "devops:Group"
MAIN = "refs/heads/main"
RELEASE_TEMPLATE = "pipelines/templates/release.yml"
TEMPLATES = (RELEASE_TEMPLATE, "pipelines/templates/infrastructure.yml")
"""Ways to production: of a release, and of a change to the infrastructure."""
CI = "ci"
"""The connection that CI pushes images by; runs of main may overtake each other there."""


def target(stack: Stack, check: Resource) -> Resource | None:
    """What a check stands before, of this stack."""
    return stack.linked(check, "targetResourceId", ENVIRONMENT, CONNECTION)


def sees(role: Resource, thing: Resource) -> bool:
    """Whether a role in Azure DevOps is about a thing; its `resourceId` ends in the thing's id."""
    told = role.text("resourceId")
    if told and thing.id:
        return told.rpartition("_")[2] == thing.id
    return thing.urn in role.made_from.get("resourceId", frozenset())


def _missing(stack: Stack, thing: Resource, wanted: tuple[str, ...]) -> Iterator[str]:
    standing = {check.kind for check in stack.of(*wanted) if target(stack, check) is thing}
    for check in wanted:
        if check not in standing:
            yield f"it has no {check.partition(':')[2]}"


@on_stack(
    "gates-of-production",
    severity=MANDATORY,
    reason="Before production stand a person's consent, the main branch, one release at a time and our own template.",
    remedy="Switch the gate on again below aks-cicd:delivery.gates.",
)
def production_is_gated(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for thing in stack.of(ENVIRONMENT, CONNECTION) if stack.production else ():
        yield from ((thing, words) for words in _missing(stack, thing, (APPROVAL, BRANCH, LOCK, TEMPLATE)))


@on_stack(
    "gates-of-nonproduction",
    severity=ADVISORY,
    reason="A run of any branch could push images or reach the cluster, and two releases could run into each other.",
    remedy="Switch the gate on again below aks-cicd:delivery.gates.",
)
def nonproduction_is_gated(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for thing in stack.of(ENVIRONMENT, CONNECTION) if not stack.production else ():
        name = str(thing.get("serviceEndpointName")) if thing.kind == CONNECTION else ""
        if name.startswith("plan-"):
            continue  # only reads, for whoever opens a pull request
        wanted = (BRANCH,) if name in (CI, "author") else (BRANCH, LOCK)
        yield from ((thing, words) for words in _missing(stack, thing, wanted))


@on_resource(
    "approval-by-others",
    APPROVAL,
    severity=MANDATORY,
    reason="Whoever asks for a release must not approve it.",
    remedy="Set requesterCanApprove to false and ask for one approver or more.",
)
def somebody_else_approves(type_: str, check: Properties) -> Iterator[str]:
    if get(check, "requesterCanApprove") is not False:
        yield "whoever asks for a release may approve it"
    if (get(check, "minimumRequiredApprovers") or 0) < 1:
        yield "nobody has to approve"


@on_stack(
    "approval-by-group",
    severity=MANDATORY,
    reason="Who approves is decided in the directory; a person who is added by hand is out after the next update.",
    remedy="Name the project's group, whose membership is overwritten with the directory's group alone.",
)
def the_directorys_group_approves(stack: Stack) -> Iterator[tuple[Resource, str]]:
    filled = {
        group.urn
        for membership in stack.of(MEMBERSHIP)
        if membership.get("mode") == "overwrite" and len(list(membership.each("members.*"))) == 1
        if (group := stack.linked(membership, "group", GROUP, answer=lambda one: one.text("descriptor")))
        and _from_the_directory(stack, membership)
    }
    for check in stack.of(APPROVAL):
        sources = check.made_from.get("approvers", frozenset())
        if not sources & filled or len(list(check.each("approvers.*"))) != 1:
            yield check, "its approvers are not a group that the directory's group fills alone"


def _from_the_directory(stack: Stack, membership: Resource) -> bool:
    """Groups of the directory are brought in by their origin; the project's own have a scope."""
    sources = membership.made_from.get("members", frozenset())
    return any(group.urn in sources and not group.get("scope") for group in stack.of(GROUP))


@on_resource(
    "branch-control",
    BRANCH,
    severity=MANDATORY,
    reason="What is not on the protected main branch was not reviewed.",
    remedy=f"Allow {MAIN} alone and verify that it is protected.",
)
def main_alone_passes(type_: str, check: Properties) -> Iterator[str]:
    if get(check, "allowedBranches") != MAIN:
        yield f"it lets {get(check, 'allowedBranches')} pass"
    if get(check, "verifyBranchProtection") is not True:
        yield "it lets an unprotected branch pass"


@on_resource(
    "required-template",
    TEMPLATE,
    severity=MANDATORY,
    reason="Whoever writes the pipeline must not be able to write its own way to production.",
    remedy="Require release.yml or infrastructure.yml of the platform's templates on main, and nothing else.",
)
def the_platforms_template_is_required(type_: str, check: Properties) -> Iterator[str]:
    templates = list(each(check, "requiredTemplates.*"))
    for template in templates:
        repository, path = get(template, "repositoryName"), get(template, "templatePath")
        named = str(repository).endswith("/platform") and path in TEMPLATES
        if not (named and get(template, "repositoryRef") == MAIN):
            yield f"{path} of {repository} at {get(template, 'repositoryRef')} passes too"
    if not templates:
        yield "it requires no template"


@on_resource(
    "no-administrators",
    "devops:SecurityroleAssignment",
    severity=MANDATORY,
    reason="An administrator of an environment or a connection passes by its gates.",
    remedy="Give approvers the role User.",
)
def nobody_administers_what_is_gated(type_: str, assignment: Properties) -> Iterator[str]:
    if (role := get(assignment, "roleName")) not in ("User", "Reader"):
        yield f"it gives the role {role}"
