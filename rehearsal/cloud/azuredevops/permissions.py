"""Permissions on repositories, pipelines, areas of work and service connections, given by descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rehearsal.cloud.azuredevops.kinds import (
    DEFINITION,
    ENDPOINT,
    GROUP,
    PROJECT,
    REPOSITORY,
    DevOpsKind,
    Request,
    Rule,
    refuse_unless,
    same,
    token,
)

# Source: the pages of the provider on each resource, which repeat the service's security namespaces.
GIT: Final = [
    "Administer",
    "GenericRead",
    "GenericContribute",
    "ForcePush",
    "CreateBranch",
    "CreateTag",
    "ManageNote",
    "PolicyExempt",
    "CreateRepository",
    "DeleteRepository",
    "RenameRepository",
    "EditPolicies",
    "RemoveOthersLocks",
    "ManagePermissions",
    "PullRequestContribute",
    "PullRequestBypassPolicy",
    "ViewAdvSecAlerts",
    "DismissAdvSecAlerts",
    "ManageAdvSecScanning",
]
BUILD: Final = [
    "ViewBuilds",
    "EditBuildQuality",
    "RetainIndefinitely",
    "DeleteBuilds",
    "ManageBuildQualities",
    "DestroyBuilds",
    "UpdateBuildInformation",
    "QueueBuilds",
    "ManageBuildQueue",
    "StopBuilds",
    "ViewBuildDefinition",
    "EditBuildDefinition",
    "DeleteBuildDefinition",
    "OverrideBuildCheckInValidation",
    "AdministerBuildPermissions",
    "CreateBuildDefinition",
    "EditPipelineQueueConfigurationPermission",
]
AREA: Final = [
    "GENERIC_READ",
    "GENERIC_WRITE",
    "CREATE_CHILDREN",
    "DELETE",
    "WORK_ITEM_READ",
    "WORK_ITEM_WRITE",
    "MANAGE_TEST_PLANS",
    "MANAGE_TEST_SUITES",
    "WORK_ITEM_SAVE_COMMENT",
]
CONNECTION: Final = ["Use", "Administer", "Create", "ViewAuthorization", "ViewEndpoint"]


def _known(names: list[str]) -> Rule:
    def rule(request: Request) -> None:
        for name, value in dict(request.get("permissions", {})).items():
            refuse_unless(
                name in names, "InvalidPermission", f"the permission '{name}' is not one of {', '.join(names)}"
            )
            if isinstance(value, str):
                refuse_unless(
                    value.lower() in ("allow", "deny", "notset"),
                    "InvalidPermission",
                    f"the permission {name} is '{value}'; allowed are Allow, Deny and NotSet",
                )

    return rule


def _principal_exists(request: Request) -> None:
    principal = request.text("principal")
    refuse_unless(
        request.there.has_subject(principal),
        "IdentityNotFound",
        f"failed to load identity: the subject with descriptor {principal} was not found.",
    )


def _given_once(request: Request) -> None:
    keys = ("principal", "repositoryId", "branchName", "buildDefinitionId", "serviceendpointId", "path")
    for other in request.others():
        refuse_unless(
            not all(same(other.inputs.get(key), request.inputs.get(key)) for key in keys),
            "PermissionsExist",
            f"Another resource already sets the permissions of {request.text('principal')} there.",
        )


def _branch_of_something(request: Request) -> None:
    refuse_unless(
        not request.given("branchName") or request.given("repositoryId"),
        "InvalidArgument",
        "branch_name needs a repository_id",
    )


def _permissions(
    name: str, names: list[str], links: Mapping[str, str], *shape: Rule, required: tuple[str, ...] = ()
) -> DevOpsKind:
    return DevOpsKind(
        token(name),
        required=("projectId", "principal", "permissions", *required),
        links={"projectId": PROJECT, **links},
        holds=lambda inputs: [(GROUP, inputs["principal"])],
        force_new=("projectId", "principal", *links, *(("branchName",) if "repositoryId" in links else ())),
        defaults={"replace": True},
        shape=(_known(names), *shape),
        world=(_principal_exists, _given_once),
    )


KINDS: Final = (
    _permissions("GitPermissions", GIT, {"repositoryId": REPOSITORY}, _branch_of_something),
    _permissions(
        "BuildDefinitionPermissions", BUILD, {"buildDefinitionId": DEFINITION}, required=("buildDefinitionId",)
    ),
    _permissions("AreaPermissions", AREA, {}),
    _permissions("ServiceendpointPermissions", CONNECTION, {"serviceendpointId": ENDPOINT}),
)
