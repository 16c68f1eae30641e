"""The gates before an environment and its service connections: what Azure DevOps checks before a stage may start.

A gate stands on the thing itself, not in YAML: whoever changes a pipeline cannot remove it. Production has all of
them, on the environment and on each connection, because a job that names no environment still needs a connection.
Nonproduction keeps foreign branches out and lets one release through at a time.

What it does not do: it approves nothing for people, and it does not decide who approves (`approvers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pulumi import Input, Resource, ResourceOptions
from pulumi_azuredevops import (
    CheckApproval,
    CheckBranchControl,
    CheckBusinessHours,
    CheckExclusiveLock,
    CheckRequiredTemplate,
    CheckRequiredTemplateRequiredTemplateArgs,
)

MAIN = "refs/heads/main"
"""The only branch that is built for a release, and that templates are taken from."""

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

PRODUCTION = ("approval", "branch-control", "exclusive-lock", "required-template")
NONPRODUCTION = ("branch-control", "exclusive-lock")


@dataclass(frozen=True)
class BusinessHours:
    """When releases may start; `start` lies before `end` (HH:MM) in `time_zone` (as Windows names it)."""

    start: str
    end: str
    time_zone: str = "UTC"
    days: tuple[str, ...] = DAYS[:5]


@dataclass(frozen=True)
class Gates:
    """Which gates are wanted. All that a tier has stand unless switched off here, which is warned about."""

    approval: bool = True
    branch_control: bool = True
    exclusive_lock: bool = True
    required_template: bool = True
    business_hours: BusinessHours | None = None
    approval_hours: int = 72
    """How long a release waits for its approval before its stage is skipped."""


@dataclass(frozen=True)
class Template:
    """The template that a pipeline must extend, as it stands on the main branch of the platform repository."""

    repository: Input[str]
    """`<project>/<repository>`, in Azure Repos."""
    path: str


@dataclass(frozen=True)
class ChecksArgs:
    project_id: Input[str]
    production: bool
    gates: Gates = Gates()
    approver: Input[str] | None = None
    """Id of the project's group of approvers; needed where approval is planned."""
    template: Template | None = None
    """Needed where the required template is planned."""
    branches_known: bool = True
    """False when Azure DevOps cannot see whether a linked branch is protected, as with some GitHub repositories; a
    branch that it knows to be unprotected is refused all the same."""


def planned(production: bool, gates: Gates) -> tuple[str, ...]:
    """The gates that stand, by name."""
    wanted = {
        "approval": gates.approval,
        "branch-control": gates.branch_control,
        "exclusive-lock": gates.exclusive_lock,
        "required-template": gates.required_template,
    }
    standing = tuple(gate for gate in (PRODUCTION if production else NONPRODUCTION) if wanted[gate])
    return (*standing, "business-hours") if gates.business_hours else standing


def warnings(environment: str, production: bool, gates: Gates, manual_validation: bool = False) -> Iterator[str]:
    """What a reviewer should know about the gates of an environment although it is allowed."""
    consequence = {
        "approval": "a release goes on without anybody's consent",
        "branch-control": "a run of any branch can reach it",
        "exclusive-lock": "two releases can run into each other",
        "required-template": "a pipeline that does not extend the platform's template can reach it",
    }
    for gate in PRODUCTION if production else NONPRODUCTION:
        if gate not in planned(production, gates):
            yield f"The gate {gate} of the environment {environment} is switched off: {consequence[gate]}."
    if manual_validation and "approval" in planned(production, gates):
        yield (
            f"Releases to {environment} wait for a person twice, for the manual validation of the pipeline and for the "
            "approval of the environment; switch the manual validation off."
        )


def gate(
    name: str, kind: Literal["endpoint", "environment"], id: Input[str], args: ChecksArgs, parent: Resource
) -> list[Resource]:
    """Puts the planned gates before one thing. `name` is its logical name."""
    target: dict[str, Any] = {
        "project_id": args.project_id,
        "target_resource_id": id,
        "target_resource_type": kind,
    }
    opts = ResourceOptions(parent=parent)
    return [_DECLARED[check](f"{name}-{check}", args, target, opts) for check in planned(args.production, args.gates)]


def _approval(name: str, args: ChecksArgs, target: Mapping[str, Any], opts: ResourceOptions) -> Resource:
    assert args.approver is not None, "an approval needs approvers"
    return CheckApproval(
        name,
        **target,
        approvers=[args.approver],
        # A group counts as one approver.
        minimum_required_approvers=1,
        requester_can_approve=False,
        timeout=args.gates.approval_hours * 60,
        instructions="Look at the run: what changed, what was tested in staging, and which digest is promoted.",
        opts=opts,
    )


def _branch_control(name: str, args: ChecksArgs, target: Mapping[str, Any], opts: ResourceOptions) -> Resource:
    return CheckBranchControl(
        name,
        **target,
        display_name="Only the protected main branch",
        allowed_branches=MAIN,
        verify_branch_protection=True,
        ignore_unknown_protection_status=not args.branches_known,
        opts=opts,
    )


def _exclusive_lock(name: str, args: ChecksArgs, target: Mapping[str, Any], opts: ResourceOptions) -> Resource:
    return CheckExclusiveLock(name, **target, opts=opts)


def _required_template(name: str, args: ChecksArgs, target: Mapping[str, Any], opts: ResourceOptions) -> Resource:
    assert args.template is not None, "a required template needs to be named"
    template = CheckRequiredTemplateRequiredTemplateArgs(
        repository_type="azuregit",
        repository_name=args.template.repository,
        repository_ref=MAIN,
        template_path=args.template.path,
    )
    return CheckRequiredTemplate(name, **target, required_templates=[template], opts=opts)


def _business_hours(name: str, args: ChecksArgs, target: Mapping[str, Any], opts: ResourceOptions) -> Resource:
    hours = args.gates.business_hours
    assert hours is not None, "planned only where hours are given"
    days: dict[str, Any] = {day: day in hours.days for day in DAYS}
    return CheckBusinessHours(
        name,
        **target,
        display_name="Within business hours",
        start_time=hours.start,
        end_time=hours.end,
        time_zone=hours.time_zone,
        # As long as the approval waits. The provider's default is a day, and a Friday's release would miss Monday.
        timeout=args.gates.approval_hours * 60,
        **days,
        opts=opts,
    )


_DECLARED: Mapping[str, Callable[[str, ChecksArgs, Mapping[str, Any], ResourceOptions], Resource]] = {
    "approval": _approval,
    "branch-control": _branch_control,
    "exclusive-lock": _exclusive_lock,
    "required-template": _required_template,
    "business-hours": _business_hours,
}
