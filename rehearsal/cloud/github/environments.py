"""Environments with what stands before them, and their variables.

Sources: GitHub's REST API description (create or update an environment), GitHub Docs (variables reference), and the
schemas of terraform-provider-github.
"""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azuredevops.kinds import DevOpsKind, Request, between, refuse_unless, same
from rehearsal.cloud.github.kinds import (
    ENVIRONMENT,
    FULL,
    POLICY,
    REPOSITORY,
    TEAM,
    USER,
    VARIABLE,
    environment_exists,
    environment_of,
    number,
    others,
    repository_exists,
)

_REVIEWERS: Final = 6
_MINUTES: Final = 43_200
_BYTES: Final = 48 * 1024


def _reviewers(request: Request) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for block in request.blocks("reviewers"):
        found += [(TEAM, id) for id in block.get("teams") or ()]
        found += [(USER, id) for id in block.get("users") or ()]
    return found


def _few_reviewers(request: Request) -> None:
    refuse_unless(
        len(_reviewers(request)) <= _REVIEWERS,
        "422",
        f"422 Validation Failed: an environment has at most {_REVIEWERS} reviewers, teams and users together",
    )


def _reviewers_exist(request: Request) -> None:
    for type_, id in _reviewers(request):
        refuse_unless(
            request.there.find(type_, str(id)) is not None,
            "422",
            f"422 Validation Failed: failed to create the environment protection rule: "
            f"{'team' if type_ == TEAM else 'user'} {id} is not there or cannot read the repository",
        )


def _name(request: Request) -> None:
    name = request.text("environment")
    refuse_unless(
        len(name) <= 255 and not re.search(r"[\x00-\x1f\x7f'\"`,;\\]", name),
        "422",
        f"422 Validation Failed: '{name}' is no name of an environment",
    )


def _one_policy(request: Request) -> None:
    block = request.get("deploymentBranchPolicy", None)
    refuse_unless(
        block is None or block.get("customBranchPolicies") is not block.get("protectedBranches"),
        "422",
        "422 Validation Failed: custom_branch_policies and protected_branches cannot have the same value",
    )


def _takes_patterns(request: Request) -> None:
    environment = environment_of(request.there, request.text("repository"), request.text("environment"))
    policy = (environment.inputs.get("deploymentBranchPolicy") or {}) if environment else {}
    refuse_unless(
        policy.get("customBranchPolicies") is True,
        "404",
        "404 Not Found: the environment does not have custom branch policies",
    )


def _one_pattern(request: Request) -> None:
    given = [key for key in ("branchPattern", "tagPattern") if request.given(key)]
    refuse_unless(len(given) == 1, "InvalidArgument", "one of branch_pattern and tag_pattern is required")


def _variable_name(request: Request) -> None:
    name = request.text("variableName")
    refuse_unless(
        not name or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is not None,
        "422",
        f"422 Validation Failed: '{name}' is no name of a variable: letters, digits and underscores, no digit first",
    )
    refuse_unless(
        not name.upper().startswith("GITHUB_"),
        "422",
        f"422 Validation Failed: '{name}': names that begin with GITHUB_ are GitHub's own",
    )
    value = request.get("value", "")
    refuse_unless(len(str(value).encode()) <= _BYTES, "422", "422 Validation Failed: a variable holds at most 48 KB")


def _room(request: Request) -> None:
    there = [
        found
        for found in others(request)
        if same(found.inputs["repository"], request.text("repository"))
        and same(found.inputs["environment"], request.text("environment"))
    ]
    if request.old is None and len(there) >= FULL:
        raise CloudError("403", f"403 Forbidden: an environment has at most {FULL} variables")
    for other in there:
        refuse_unless(
            not same(other.inputs["variableName"], request.text("variableName")),
            "409",
            f"409 Already exists: Variable already exists: {request.text('variableName')}",
        )


def _below(request: Request, *more: str) -> str:
    return ":".join((request.text("repository"), request.text("environment"), *more))


def _holds(inputs: Any) -> list[tuple[str, str]]:
    return [(REPOSITORY, str(inputs["repository"]))]


def _policy_id(request: Request) -> str:
    pattern = request.text("branchPattern") or request.text("tagPattern")
    return str(number(_below(request), "policy", pattern))


KINDS: Final = (
    DevOpsKind(
        ENVIRONMENT,
        required=("repository", "environment"),
        name_input="environment",
        identify=_below,
        links={"repository": REPOSITORY},
        force_new=("repository", "environment"),
        # GitHub's own defaults, which are no gates at all.
        defaults={"canAdminsBypass": True, "preventSelfReview": False},
        shape=(_name, _few_reviewers, _one_policy, between("waitTimer", 0, _MINUTES, " minutes")),
        world=(_reviewers_exist,),
    ),
    DevOpsKind(
        POLICY,
        required=("repository", "environment"),
        identify=lambda request: _below(request, _policy_id(request)),
        force_new=("repository", "environment"),
        holds=_holds,
        shape=(_one_pattern,),
        world=(repository_exists, environment_exists, _takes_patterns),
        compute=lambda request: {"policyId": int(_policy_id(request))},
    ),
    DevOpsKind(
        VARIABLE,
        required=("repository", "environment", "variableName", "value"),
        identify=lambda request: _below(request, request.text("variableName")),
        force_new=("repository", "environment", "variableName"),
        holds=_holds,
        shape=(_variable_name,),
        world=(repository_exists, environment_exists, _room),
    ),
)
