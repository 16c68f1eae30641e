"""Pipelines (build definitions), their folders, agent queues, and what a pipeline is authorised to use."""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud.azuredevops.kinds import (
    DEFINITION,
    ENDPOINT,
    PROJECT,
    QUEUE,
    REPOSITORY,
    VARIABLE_GROUP,
    DevOpsKind,
    Request,
    one_of,
    refuse_unless,
    same,
    token,
)

_ILLEGAL: Final = re.compile(r"[\x00-\x1f\"/:<>\\|?@*]")
_GITHUB: Final = ("GitHub", "GitHub Enterprise", "Bitbucket")


def _name(request: Request) -> None:
    name = request.text("name")
    refuse_unless(
        len(name) <= 260 and not _ILLEGAL.search(name) and name == name.strip(),
        "InvalidDefinitionName",
        f"The pipeline name '{name}' is not valid: at most 260 characters, none of \"/:<>\\|?@*.",
    )


def _path(request: Request) -> None:
    path = request.text("path") or "\\"
    refuse_unless(path.startswith("\\"), "InvalidPath", f"path must start with backslash, got '{path}'")
    refuse_unless(
        not re.search(r"[\"<>|:$@/%+*?]", path),
        "InvalidPath",
        f"<>|:$@\"/%+*? are not allowed in path, got '{path}'",
    )


def _repository(request: Request) -> None:
    kind = request.text("repository.repoType")
    refuse_unless(
        kind in ("", "GitHub", "TfsGit", "Bitbucket", "GitHub Enterprise", "Git"),
        "InvalidValue",
        f"expected repo_type to be one of [GitHub TfsGit Bitbucket GitHub Enterprise Git], got {kind}",
    )
    refuse_unless(
        request.given("repository.ymlPath") or request.given("jobs"),
        "MissingArgument",
        "repository.yml_path is required unless the definition has jobs of its own",
    )
    if kind in _GITHUB:
        refuse_unless(
            request.given("repository.serviceConnectionId"),
            "MissingArgument",
            f"a repository of type {kind} needs a service_connection_id",
        )
        repository = request.text("repository.repoId")
        refuse_unless(
            not repository or re.fullmatch(r"[\w.-]+/[\w.-]+", repository) is not None,
            "InvalidValue",
            f"a repository of {kind} is written as <owner>/<name>, got '{repository}'",
        )


def _triggers(request: Request) -> None:
    for key in ("ciTrigger", "pullRequestTrigger"):
        refuse_unless(
            not (request.get(f"{key}.useYaml", False) and request.given(f"{key}.override")),
            "InvalidValue",
            f"{key}: use_yaml conflicts with override",
        )


def _repository_exists(request: Request) -> None:
    if request.text("repository.repoType") == "TfsGit":
        request.there.need(REPOSITORY, request.text("repository.repoId"))


def _queue_exists(request: Request) -> None:
    name = request.text("agentPoolName") or "Azure Pipelines"
    refuse_unless(
        any(
            same(queue.inputs.get("projectId"), request.project) and same(queue.outputs.get("name"), name)
            for queue in request.there.of(QUEUE)
        ),
        "AgentQueueNotFound",
        f"Could not find a pool with name {name}. The pool does not exist or has not been authorized for use.",
    )


def _name_is_free(request: Request) -> None:
    for other in request.others():
        folder = str(other.inputs.get("path", "\\"))
        refuse_unless(
            not (same(other.name, request.name) and same(folder, request.text("path") or "\\")),
            "DefinitionExists",
            f"The build definition {request.name} already exists in the folder {folder}.",
        )


def _definition(request: Request) -> dict[str, Any]:
    revision = request.old.outputs["revision"] + 1 if request.old and "revision" in request.old.outputs else 1
    repository = {"branchName": "master", "reportBuildStatus": True, **dict(request.get("repository", {}))}
    return {"revision": revision, "repository": repository}


def _folder_is_new(request: Request) -> None:
    for other in request.others():
        refuse_unless(
            not same(other.inputs.get("path"), request.text("path")),
            "FolderExists",
            f"The folder {request.text('path')} already exists.",
        )


KINDS: Final = (
    DevOpsKind(
        DEFINITION,
        required=("projectId", "repository"),
        name_input="name",
        autonamed=True,
        numbered=True,
        links={
            "projectId": PROJECT,
            "repository.serviceConnectionId": ENDPOINT,
            "variableGroups[*]": VARIABLE_GROUP,
            "buildCompletionTriggers[*].buildDefinitionId": DEFINITION,
        },
        force_new=("projectId",),
        defaults={
            "agentPoolName": "Azure Pipelines",
            "jobAuthorizationScope": "projectCollection",
            "path": "\\",
            "queueStatus": "enabled",
        },
        compute=_definition,
        shape=(
            _name,
            _path,
            _repository,
            _triggers,
            one_of("jobAuthorizationScope", "project", "projectCollection"),
            one_of("queueStatus", "enabled", "paused", "disabled"),
        ),
        world=(_repository_exists, _queue_exists, _name_is_free),
    ),
    DevOpsKind(
        token("BuildFolder"),
        required=("projectId", "path"),
        links={"projectId": PROJECT},
        force_new=("projectId",),
        shape=(_path,),
        world=(_folder_is_new,),
    ),
)
