"""Repositories, what starts them, what Actions may do in them, and the rules of their branches.

Sources: GitHub's REST API description, and the schemas of terraform-provider-github, which pulumi-github wraps.
"""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azuredevops.kinds import DevOpsKind, Request, between, one_of, refuse_unless, same
from rehearsal.cloud.azuredevops.organization import Organization
from rehearsal.cloud.github.kinds import (
    FILE,
    REPOSITORY,
    RULESET,
    TEAM,
    number,
    others,
    repository_of,
    token,
)

_ACCESS: Final = ("none", "user", "organization", "enterprise")
_METHODS: Final = frozenset({"merge", "squash", "rebase"})
_SPECIAL: Final = frozenset({"~ALL", "~DEFAULT_BRANCH"})


def _name(request: Request) -> None:
    name = request.text("name")
    refuse_unless(
        not name or (re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) is not None and name not in (".", "..")),
        "422",
        f"422 Validation Failed: '{name}' is no name of a repository: 1 to 100 letters, digits and . _ -",
    )


def _name_is_free(request: Request) -> None:
    for other in others(request):
        refuse_unless(
            not same(other.name, request.name),
            "422",
            f"422 Repository creation failed: name already exists on this account: {request.name}",
        )


def _repository(request: Request) -> dict[str, Any]:
    owner = request.there.owner
    id, of = number(owner, request.name), request.there.owner_id or number(owner)
    return {
        "repoId": id,
        "fullName": f"{owner}/{request.name}",
        "htmlUrl": f"https://github.com/{owner}/{request.name}",
        "nodeId": f"R_{id}",
        "defaultBranch": "main",
        # Of what is made now, the subject holds ids, and GitHub asks nobody.
        "subject": f"repo:{owner}@{of}/{request.name}@{id}",
    }


def _has_a_branch(request: Request) -> None:
    repository = repository_of(request)
    made = (REPOSITORY, repository.id) not in request.there.given
    refuse_unless(
        not made or repository.inputs.get("autoInit") is True or request.given("autocreateBranch"),
        "404",
        f"404 Not Found: the repository {repository.name} has no branch {request.text('branch') or 'main'} yet",
    )


def _takes_pushes(there: Organization, repository: str, path: str) -> None:
    for rules in there.of(RULESET):
        if same(rules.inputs.get("repository"), repository) and (rules.inputs.get("rules") or {}).get("pullRequest"):
            raise CloudError(
                "409",
                f"409 Repository rule violations found: changes to {path} must be made through a pull request",
            )


def _push(request: Request) -> None:
    if request.old is None:
        for other in request.there.of(FILE):
            refuse_unless(
                other.id != request.id or request.get("overwriteOnCreate", False),
                "FileExists",
                "refusing to overwrite existing file: configure `overwrite_on_create` to `true` to override",
            )
    _takes_pushes(request.there, request.text("repository"), request.text("file"))


def _rules(request: Request) -> None:
    refuse_unless(bool(request.get("rules")), "MissingArgument", "rules: a ruleset needs a block of rules")
    for kind in ("includes", "excludes"):
        for ref in request.texts(f"conditions.refName.{kind}"):
            refuse_unless(
                ref in _SPECIAL or ref.startswith("refs/"),
                "InvalidValue",
                f"'{ref}' is no ref: a branch of a ruleset is written in full, such as refs/heads/main",
            )
    methods = request.get("rules.pullRequest.allowedMergeMethods", None)
    refuse_unless(
        methods is None or (bool(methods) and set(methods) <= _METHODS),
        "422",
        "422 Validation Failed: allowed_merge_methods has at least one of merge, squash and rebase",
    )
    checks = request.get("rules.requiredStatusChecks", None)
    refuse_unless(
        checks is None or bool(checks.get("requiredChecks")),
        "MissingArgument",
        "rules.required_status_checks.required_check: at least one is required",
    )


def _one_of_a_name(request: Request) -> None:
    for other in others(request):
        there = same(other.inputs.get("repository"), request.text("repository"))
        refuse_unless(
            not (there and same(other.name, request.name)),
            "422",
            f"422 Validation Failed: Name must be unique: {request.name}",
        )


def _selected(request: Request) -> None:
    selected, config = request.get("allowedActions") == "selected", request.given("allowedActionsConfig")
    refuse_unless(
        not config or selected,
        "InvalidValue",
        "allowed_actions_config is for allowed_actions selected",
    )
    for pattern in request.texts("allowedActionsConfig.patternsAlloweds"):
        refuse_unless(
            re.fullmatch(r"[\w.*-]+/[\w.*/-]+(@[\w.*/-]+)?", pattern) is not None,
            "422",
            f"422 Validation Failed: '{pattern}' is no pattern of actions, such as owner/name@ref",
        )


def _is_shared_within_somebody(request: Request) -> None:
    repository = repository_of(request)
    refuse_unless(
        repository.inputs.get("visibility") != "public",
        "422",
        "422 Validation Failed: access from outside the repository cannot be set for a public one",
    )


def _of_repository(request: Request) -> str:
    return request.text("repository") or "unknown"


KINDS: Final = (
    DevOpsKind(
        REPOSITORY,
        name_input="name",
        autonamed=True,
        identify=lambda request: request.name,
        defaults={"visibility": "public", "autoInit": False},
        compute=_repository,
        shape=(_name, one_of("visibility", "public", "private", "internal")),
        world=(_name_is_free,),
    ),
    DevOpsKind(
        FILE,
        required=("repository", "file", "content"),
        identify=lambda request: f"{request.text('repository')}/{request.text('file')}",
        links={"repository": REPOSITORY},
        force_new=("repository", "file", "branch"),
        defaults={"branch": "main", "overwriteOnCreate": False},
        world=(_has_a_branch, _push),
        leaving=(lambda there, file: _takes_pushes(there, str(file.inputs["repository"]), str(file.inputs["file"])),),
    ),
    DevOpsKind(
        RULESET,
        required=("repository", "rules", "enforcement", "target"),
        name_input="name",
        autonamed=True,
        identify=lambda request: str(number(request.text("repository"), "ruleset", request.name)),
        links={"repository": REPOSITORY},
        force_new=("repository",),
        shape=(
            _rules,
            one_of("enforcement", "disabled", "active", "evaluate"),
            one_of("target", "branch", "tag", "push"),
            between("rules.pullRequest.requiredApprovingReviewCount", 0, 10),
        ),
        compute=lambda request: {"rulesetId": number(request.text("repository"), "ruleset", request.name)},
        world=(_one_of_a_name,),
    ),
    DevOpsKind(
        token("ActionsRepositoryPermissions"),
        required=("repository",),
        identify=_of_repository,
        links={"repository": REPOSITORY},
        force_new=("repository",),
        defaults={"enabled": True, "allowedActions": "all"},
        shape=(_selected, one_of("allowedActions", "all", "local_only", "selected")),
    ),
    DevOpsKind(
        token("WorkflowRepositoryPermissions"),
        required=("repository",),
        identify=_of_repository,
        links={"repository": REPOSITORY},
        force_new=("repository",),
        shape=(one_of("defaultWorkflowPermissions", "read", "write"),),
    ),
    DevOpsKind(
        token("ActionsRepositoryAccessLevel"),
        required=("repository", "accessLevel"),
        identify=_of_repository,
        links={"repository": REPOSITORY},
        force_new=("repository",),
        shape=(one_of("accessLevel", *_ACCESS),),
        world=(_is_shared_within_somebody,),
    ),
    DevOpsKind(TEAM, name_input="name", autonamed=True, numbered=True),
)
