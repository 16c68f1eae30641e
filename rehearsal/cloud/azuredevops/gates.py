"""Environments, and the checks that a run passes before it may use them or any other protected thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.azuredevops.authorizations import TARGETS
from rehearsal.cloud.azuredevops.kinds import (
    ENVIRONMENT,
    PROJECT,
    REPOSITORY,
    DevOpsKind,
    Request,
    Rule,
    between,
    full_ref,
    one_of,
    refuse_unless,
    same,
    token,
)
from rehearsal.cloud.values import blocks
from validation.time_zones import TIME_ZONES

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_THIRTY_DAYS: Final = 30 * 24 * 60
_REPOSITORIES: Final = ("azuregit", "github", "githubenterprise", "bitbucket")


def _target(inputs: Mapping[str, Any]) -> tuple[str, str]:
    """The kind and the bare id of what a check guards."""
    kind = TARGETS[str(inputs["targetResourceType"])]
    id = str(inputs["targetResourceId"])
    return kind, id.rpartition(".")[2] if kind == REPOSITORY else id


def _target_exists(request: Request) -> None:
    wanted, kind = request.text("targetResourceId"), request.text("targetResourceType")
    if kind == "securefile":
        return
    refuse_unless(
        kind != "repository" or wanted.lower().startswith(f"{request.project}.".lower()),
        "ResourceNotFound",
        f"The repository {wanted} was not found: a check names a repository as <project id>.<repository id>.",
    )
    request.there.need(*_target(request.inputs), project=request.project)


def _guards(inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if inputs["targetResourceType"] in TARGETS:
        yield _target(inputs)


def _approvers(request: Request) -> None:
    approvers = request.get("approvers", None)
    refuse_unless(approvers is None or len(approvers) > 0, "MissingArgument", "approvers: at least 1 item is required.")
    least = request.get("minimumRequiredApprovers", 0)
    refuse_unless(
        approvers is None or 0 <= least <= len(approvers),
        "InvalidValue",
        f"minimum_required_approvers is {least}, and there are {len(approvers or ())} approvers; a group counts as one",
    )


def _approvers_are_identities(request: Request) -> None:
    unknown = [each for each in request.texts("approvers") if not request.there.is_identity(each)]
    refuse_unless(
        not unknown,
        "InvalidIdentities",
        f"The following identities are invalid: {', '.join(unknown)}.\nParameter name: identities",
    )


def _branches(request: Request) -> None:
    for branch in request.text("allowedBranches").split(",") if request.get("allowedBranches") else ():
        if branch.strip() != "*":
            refuse_unless(
                branch.strip().startswith("refs/"),
                "InvalidRef",
                f"allowed_branches has '{branch.strip()}'; branches are written in full, as refs/heads/main",
            )


def _hours(request: Request) -> None:
    for key in ("startTime", "endTime"):
        refuse_unless(
            not request.text(key) or _CLOCK.fullmatch(request.text(key)) is not None,
            "InvalidValue",
            f"{key} is '{request.text(key)}'; a time is written as HH:MM, from 00:00 to 23:59",
        )
    start, end = request.text("startTime"), request.text("endTime")
    refuse_unless(not (start and end) or start < end, "InvalidValue", f"startTime {start} is not before endTime {end}")
    zone = request.text("timeZone")
    refuse_unless(
        not zone or zone in TIME_ZONES,
        "InvalidValue",
        f"expected time_zone to be a Windows time zone such as 'UTC' or 'W. Europe Standard Time', got '{zone}'",
    )
    days = [request.inputs.get(day) for day in _DAYS]
    refuse_unless(
        any(day is True or day is UNKNOWN for day in days), "InvalidValue", "at least one day of the week must be true"
    )


def _templates(request: Request) -> None:
    templates = request.get("requiredTemplates", None)
    refuse_unless(
        templates is None or len(templates) > 0, "MissingArgument", 'at least 1 "required_template" block is required.'
    )
    for template in request.blocks("requiredTemplates"):
        for key in ("repositoryName", "repositoryRef", "templatePath"):
            refuse_unless(template.get(key) is not None, "MissingArgument", f"required_template.{key} is required.")
        kind = template.get("repositoryType", "azuregit")
        refuse_unless(
            kind in _REPOSITORIES or kind is UNKNOWN,
            "InvalidValue",
            f"expected repository_type to be one of {list(_REPOSITORIES)}, got {kind}",
        )
        if isinstance(template["repositoryRef"], str):
            full_ref("repository_ref", template["repositoryRef"])


def _templates_exist(request: Request) -> None:
    for template in blocks(request.inputs, "requiredTemplates"):
        if template.get("repositoryType", "azuregit") != "azuregit":
            continue
        # A repository of another project is written with the project before it.
        project, _, name = str(template["repositoryName"]).rpartition("/")
        mine = request.there.need(PROJECT, request.project)
        refuse_unless(
            any(
                same(found.name, name)
                and same(request.there.need(PROJECT, found.inputs.get("projectId")).name, project or mine.name)
                for found in request.there.of(REPOSITORY)
            ),
            "TF401019",
            f"The Git repository with name or identifier {template['repositoryName']} does not exist or you do not "
            "have permissions for the operation you are attempting.",
        )


def _one_lock(request: Request) -> None:
    for other in request.others():
        if all(
            same(other.inputs.get(key), request.inputs.get(key)) for key in ("targetResourceId", "targetResourceType")
        ):
            raise CloudError("CheckExists", f"{request.text('targetResourceId')} has an exclusive lock already.")


def _version(request: Request) -> dict[str, Any]:
    return {"version": request.old.outputs["version"] + 1 if request.old else 1}


def _check(
    name: str,
    required: tuple[str, ...] = (),
    *shape: Rule,
    world: tuple[Rule, ...] = (),
    timeout: int | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> DevOpsKind:
    return DevOpsKind(
        token(name),
        required=("projectId", "targetResourceId", "targetResourceType", *required),
        numbered=True,
        links={"projectId": PROJECT},
        holds=_guards,
        force_new=("projectId", "targetResourceId", "targetResourceType"),
        defaults={**(defaults or {}), **({} if timeout is None else {"timeout": timeout})},
        compute=_version,
        shape=(
            one_of("targetResourceType", *TARGETS, "securefile"),
            between("timeout", 1, _THIRTY_DAYS, " minutes"),
            *shape,
        ),
        world=(_target_exists, *world),
    )


KINDS: Final = (
    DevOpsKind(
        ENVIRONMENT,
        required=("projectId",),
        name_input="name",
        autonamed=True,
        numbered=True,
        links={"projectId": PROJECT},
        force_new=("projectId",),
        unique=("EnvironmentExistsException", "Environment with name {name} already exists in the project."),
    ),
    _check(
        "CheckApproval",
        ("approvers",),
        _approvers,
        world=(_approvers_are_identities,),
        timeout=_THIRTY_DAYS,
        defaults={"requesterCanApprove": False},
    ),
    _check(
        "CheckBranchControl",
        (),
        _branches,
        timeout=24 * 60,
        defaults={
            "allowedBranches": "*",
            "displayName": "Managed by Terraform",
            "ignoreUnknownProtectionStatus": False,
            "verifyBranchProtection": False,
        },
    ),
    _check("CheckExclusiveLock", (), world=(_one_lock,), timeout=_THIRTY_DAYS),
    _check(
        "CheckBusinessHours",
        ("startTime", "endTime", "timeZone"),
        _hours,
        timeout=24 * 60,
        defaults={"displayName": "Managed by Terraform", **dict.fromkeys(_DAYS, False)},
    ),
    _check("CheckRequiredTemplate", ("requiredTemplates",), _templates, world=(_templates_exist,)),
)
