"""Repositories, their branches, and the files that a push puts into them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azuredevops import policies
from rehearsal.cloud.azuredevops.kinds import (
    AZURE_ENDPOINT,
    BRANCH,
    FILE,
    PROJECT,
    REPOSITORY,
    DevOpsKind,
    Request,
    full_ref,
    one_of,
    refuse_unless,
)
from rehearsal.cloud.azuredevops.organization import Organization
from rehearsal.cloud.world import Resource

MAIN: Final = "refs/heads/main"
MASTER: Final = "refs/heads/master"
"""The provider's default for a file: not the service's default branch."""


def branches(there: Organization, repository: Resource) -> frozenset[str] | None:
    """The branches of a repository in full; None when that is not known, because it was there before."""
    if (REPOSITORY, repository.id) in there.given:
        return None
    return frozenset(f"refs/heads/{found.name}" for found in there.of(BRANCH) if _lies_in(found, repository))


def check_branch(there: Organization, repository: Resource, ref: str) -> None:
    known = branches(there, repository)
    refuse_unless(
        known is None or ref in known,
        "TF401175",
        f"The version descriptor <Branch: {ref.removeprefix('refs/heads/')} > could not be resolved to a version in "
        f"the repository {repository.name}, which has {', '.join(sorted(known or ())) or 'no branch'}.",
    )


def _lies_in(found: Resource, repository: Resource) -> bool:
    return str(found.inputs.get("repositoryId")).lower() == repository.id.lower()


def _initialization(request: Request) -> None:
    start = request.text("initialization.initType")
    imports = start == "Import"
    refuse_unless(
        not imports or request.given("initialization.sourceUrl"),
        "InvalidArgument",
        "init_type Import needs a source_url and source_type Git",
    )
    refuse_unless(
        imports or not start or not request.given("initialization.sourceUrl"),
        "InvalidArgument",
        f"a source_url is for init_type Import, not {start}",
    )


def _default_branch(request: Request) -> None:
    if request.given("defaultBranch"):
        full_ref("defaultBranch", request.text("defaultBranch") or MAIN)


def _default_branch_exists(request: Request) -> None:
    ref = request.text("defaultBranch")
    if not ref:
        return
    if request.old is not None:
        check_branch(request.there, request.old, ref)
    refuse_unless(
        request.get("initialization.initType") != "Uninitialized" or request.old is not None,
        "TF401175",
        f"The default branch {ref} does not exist: the repository {request.name} is not initialised.",
    )


def _repository(request: Request) -> dict[str, Any]:
    project = request.there.find(PROJECT, request.project)
    url = request.there.url or "https://dev.azure.com/organization"
    path = f"{project.name if project else request.project}/_git/{request.name}".replace(" ", "%20")
    organization = url.rsplit("/", 1)[-1]
    empty = request.get("initialization.initType") == "Uninitialized"
    outputs: dict[str, Any] = {
        "remoteUrl": f"https://{organization}@{url.removeprefix('https://')}/{path}",
        "webUrl": f"{url}/{path}",
        "sshUrl": f"git@ssh.dev.azure.com:v3/{organization}/{path.replace('/_git/', '/')}",
        "url": f"{url}/{request.project}/_apis/git/repositories/{request.id}",
        "isFork": request.given("parentRepositoryId"),
        "disabled": request.get("disabled", False),
        "size": 0 if empty else 720,
    }
    return outputs if empty else {"defaultBranch": MAIN, **outputs, **_chosen(request)}


def _first(request: Request) -> Iterator[Resource]:
    """The branch that a repository begins with, and what a clean one has in it."""
    start = request.get("initialization.initType")
    ref = request.text("defaultBranch") or MAIN
    if start != "Uninitialized":
        short = ref.removeprefix("refs/heads/")
        yield Resource(f"{request.id}:{short}", BRANCH, short, {"repositoryId": request.id, "name": short}, {})
    if start == "Clean":
        inputs = {"repositoryId": request.id, "file": "README.md", "branch": ref}
        yield Resource(f"{request.id}/README.md:{ref}", FILE, "README.md", inputs, {**inputs, "content": ""})


def _chosen(request: Request) -> dict[str, Any]:
    return {"defaultBranch": request.inputs["defaultBranch"]} if request.given("defaultBranch") else {}


def _file_branch(request: Request) -> None:
    if request.given("branch"):
        full_ref("branch", request.text("branch") or MAIN)


def _ref(request: Request) -> str:
    return request.text("branch") or MASTER


def _path(value: object) -> str:
    return str(value).lstrip("/")


def _push(request: Request) -> None:
    repository = request.there.need(REPOSITORY, request.text("repositoryId"))
    ref = _ref(request)
    check_branch(request.there, repository, ref)
    if request.old is None and not request.get("overwriteOnCreate", False):
        for path in _files(request.there, repository, ref):
            refuse_unless(
                path != _path(request.text("file")),
                "FileExists",
                "Refusing to overwrite existing file. Configure `overwrite_on_create` to `true` to override.",
            )
    policies.check_push(request.there, repository, ref)


def _files(there: Organization, repository: Resource, ref: str) -> Iterator[str]:
    for found in there.of(FILE):
        if _lies_in(found, repository) and found.inputs.get("branch", MASTER) == ref:
            yield _path(found.inputs.get("file"))


def _push_again(there: Organization, file: Resource) -> None:
    """A file goes by a push too."""
    repository = there.find(REPOSITORY, str(file.inputs.get("repositoryId")))
    if repository is not None:
        policies.check_push(there, repository, str(file.inputs.get("branch", MASTER)))


def _origin(request: Request) -> None:
    given = [key for key in ("refBranch", "refCommitId", "refTag") if request.given(key)]
    refuse_unless(len(given) == 1, "InvalidArgument", "one of refBranch, refCommitId or refTag is required")
    refuse_unless(
        not request.text("name").startswith("refs/heads/"),
        "InvalidRef",
        f"the name of a branch is written short, not '{request.text('name')}'",
    )


def _origin_exists(request: Request) -> None:
    repository = request.there.need(REPOSITORY, request.text("repositoryId"))
    start = request.text("refBranch")
    if start:
        check_branch(request.there, repository, f"refs/heads/{start.removeprefix('refs/heads/')}")
    known = branches(request.there, repository) or frozenset()
    if request.old is None and f"refs/heads/{request.name}" in known:
        raise CloudError("TF401035", f"A branch with the name {request.name} already exists in {repository.name}.")


def _branch(request: Request) -> dict[str, Any]:
    return {"lastCommitId": hashlib.sha1(request.id.encode(), usedforsecurity=False).hexdigest()}


KINDS: Final = (
    DevOpsKind(
        REPOSITORY,
        required=("projectId", "initialization"),
        name_input="name",
        autonamed=True,
        links={"projectId": PROJECT, "initialization.serviceConnectionId": AZURE_ENDPOINT},
        force_new=("projectId", "parentRepositoryId"),
        unique=("TF400948", "A Git repository with the name {name} already exists."),
        compute=_repository,
        brings=_first,
        shape=(_initialization, _default_branch, one_of("initialization.initType", "Uninitialized", "Clean", "Import")),
        world=(_default_branch_exists,),
    ),
    DevOpsKind(
        BRANCH,
        required=("repositoryId", "name"),
        name_input="name",
        identify=lambda request: f"{request.text('repositoryId')}:{request.text('name')}",
        links={"repositoryId": REPOSITORY},
        force_new=("repositoryId", "name", "refBranch", "refCommitId", "refTag"),
        compute=_branch,
        shape=(_origin,),
        world=(_origin_exists,),
    ),
    DevOpsKind(
        FILE,
        required=("repositoryId", "file", "content"),
        identify=lambda request: f"{request.text('repositoryId')}/{_path(request.text('file'))}:{_ref(request)}",
        links={"repositoryId": REPOSITORY},
        force_new=("repositoryId", "file", "branch"),
        defaults={"branch": MASTER, "overwriteOnCreate": False},
        compute=lambda request: {"commitMessage": request.get("commitMessage", f"Add {request.text('file')}")},
        shape=(_file_branch,),
        world=(_push,),
        leaving=(_push_again,),
    ),
)
