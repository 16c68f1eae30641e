"""What Azure DevOps refuses when a resource is made, changed or deleted: one bent property at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from rehearsal.cloud import UNKNOWN, Cloud, CloudError, Estate, Existing
from rehearsal.cloud.azuredevops import INVOKES, KINDS
from rehearsal.cloud.azuredevops.kinds import token
from rehearsal.cloud.values import leaves, placed
from tests.rehearsal import landscape
from tests.rehearsal.landscape import refused
from tests.rehearsal.landscape_azuredevops import (
    APPROVERS,
    OLD_PROJECT,
    OLD_REPOSITORY,
    ORGANIZATION,
    PERSON,
    SAMPLES,
    SUBSCRIPTION,
    TENANT,
    Made,
    before,
    estate,
    type_of,
    whole,
)

NOWHERE: Final = "40000000-0000-4000-8000-00000000dead"
_MAIN: Final = "refs/heads/main"
_SCOPE: Final = "settings.scopes[0]"
_TEMPLATE: Final = "requiredTemplates[0]"

# The sample, what is bent, the code, and words that the refusal must contain.
BENT: Final[dict[str, tuple[str, Mapping[str, Any], str, str]]] = {
    # Any type
    "a required input that is missing": ("file", {"content": None}, "MissingArgument", "content"),
    "a property in snake case inside a block": (
        "pipeline",
        {"repository.yml_path": "x"},
        "InvalidArgument",
        "yml_path",
    ),
    "a project that does not exist": ("environment", {"projectId": NOWHERE}, "TF200016", NOWHERE),
    # Projects
    "a project name of 65 characters": ("project", {"name": "p" * 65}, "InvalidProjectName", "64"),
    "a project name with a slash": ("project", {"name": "a/b"}, "InvalidProjectName", "a/b"),
    "a project name with a plus": ("project", {"name": "a+b"}, "InvalidProjectName", "a+b"),
    "a project name that begins with an underscore": ("project", {"name": "_a"}, "InvalidProjectName", "_a"),
    "a project name that ends with a dot": ("project", {"name": "a."}, "InvalidProjectName", "a."),
    "a project name of the system": ("project", {"name": "Web"}, "InvalidProjectName", "Web"),
    "a project name that is taken": ("project", {"name": "old"}, "TF200019", "already exists"),
    "a visibility that does not exist": ("project", {"visibility": "internal"}, "InvalidValue", "visibility"),
    "a version control that does not exist": ("project", {"versionControl": "Svn"}, "InvalidValue", "versionControl"),
    "a process that does not exist": ("project", {"workItemTemplate": "Waterfall"}, "InvalidValue", "Waterfall"),
    "a feature that does not exist": ("project", {"features.wiki": "disabled"}, "InvalidValue", "wiki"),
    "a state that a feature cannot have": ("features", {"features.testplans": "off"}, "InvalidValue", "off"),
    "features of a project that does not exist": ("features", {"projectId": NOWHERE}, "TF200016", ""),
    "settings of a project that does not exist": ("settings", {"projectId": NOWHERE}, "TF200016", ""),
    "an extension that is installed": (
        "extension",
        {"publisherId": "ms-devlabs", "extensionId": "replacetokens"},
        "TF1590010",
        "Extension ms-devlabs.replacetokens is already installed in this organization",
    ),
    # Repositories
    "a repository of the project's own name": ("repository", {"name": "Shop"}, "TF400948", "Shop already exists"),
    "a default branch in short": ("repository", {"defaultBranch": "main"}, "InvalidRef", "refs/heads/main"),
    "a default branch of an empty repository": (
        "repository",
        {"initialization.initType": "Uninitialized"},
        "TF401175",
        "not initialised",
    ),
    "an initialisation that does not exist": ("repository", {"initialization.initType": "Empty"}, "InvalidValue", ""),
    "an import from nowhere": ("repository", {"initialization.initType": "Import"}, "InvalidArgument", "source_url"),
    "a source for a clean repository": (
        "repository",
        {"initialization.sourceUrl": "https://example.com/x"},
        "InvalidArgument",
        "Import",
    ),
    "a branch of a repository that does not exist": ("branch", {"repositoryId": NOWHERE}, "TF401019", NOWHERE),
    "a branch named in full": ("branch", {"name": "refs/heads/next"}, "InvalidRef", "short"),
    "a branch from nothing": ("branch", {"refBranch": None}, "InvalidArgument", "refBranch"),
    "a branch from a branch that does not exist": ("branch", {"refBranch": "refs/heads/gone"}, "TF401175", "gone"),
    "a branch that exists": ("branch", {"name": "main"}, "TF401035", "main"),
    "a file in a repository that does not exist": ("file", {"repositoryId": NOWHERE}, "TF401019", NOWHERE),
    "a file on a branch that does not exist": ("file", {"branch": "refs/heads/gone"}, "TF401175", "gone"),
    "a file on the provider's default branch": ("file", {"branch": None}, "TF401175", "master"),
    "a file on a branch in short": ("file", {"branch": "main"}, "InvalidRef", "refs/heads/main"),
    "a file that exists": ("file", {"file": "/README.md"}, "FileExists", "overwrite_on_create"),
    # Pipelines
    "a folder without a backslash": ("folder", {"path": "Delivery"}, "InvalidPath", "backslash"),
    "a folder with a question mark": ("folder", {"path": "\\What?"}, "InvalidPath", "not allowed"),
    "a pipeline name with a slash": ("pipeline", {"name": "a/b"}, "InvalidDefinitionName", "a/b"),
    "a pipeline in a folder without a backslash": ("pipeline", {"path": "Delivery"}, "InvalidPath", "backslash"),
    "a pipeline of a repository that does not exist": (
        "pipeline",
        {"repository.repoId": NOWHERE},
        "TF401019",
        NOWHERE,
    ),
    "a pipeline of a repository's name": ("pipeline", {"repository.repoId": "platform"}, "TF401019", "platform"),
    "a pipeline of an unknown sort of repository": ("pipeline", {"repository.repoType": "azure"}, "InvalidValue", ""),
    "a pipeline without YAML": ("pipeline", {"repository.ymlPath": None}, "MissingArgument", "yml_path"),
    "a pipeline on GitHub without a connection": (
        "pipeline",
        {"repository.repoType": "GitHub", "repository.repoId": "contoso/shop"},
        "MissingArgument",
        "service_connection_id",
    ),
    "a pipeline on GitHub without an owner": (
        "pipeline",
        {"repository.repoType": "GitHub", "repository.repoId": "shop", "repository.serviceConnectionId": "x"},
        "InvalidValue",
        "<owner>/<name>",
    ),
    "a pipeline on GitHub by a connection that does not exist": (
        "pipeline",
        {"repository.repoType": "GitHub", "repository.repoId": "a/b", "repository.serviceConnectionId": NOWHERE},
        "ServiceEndpointNotFound",
        NOWHERE,
    ),
    "a pipeline with a trigger of both sorts": (
        "pipeline",
        {"ciTrigger.override": {"batch": True}},
        "InvalidValue",
        "ciTrigger",
    ),
    "a pipeline of a wide scope that does not exist": (
        "pipeline",
        {"jobAuthorizationScope": "organization"},
        "InvalidValue",
        "jobAuthorizationScope",
    ),
    "a pipeline in a state that does not exist": ("pipeline", {"queueStatus": "off"}, "InvalidValue", "queueStatus"),
    "a pipeline on agents that do not exist": ("pipeline", {"agentPoolName": "mine"}, "AgentQueueNotFound", "mine"),
    "a pipeline with a variable group that does not exist": (
        "pipeline",
        {"variableGroups": [1]},
        "VariableGroupNotFound",
        "1",
    ),
    "a pipeline after one that does not exist": (
        "pipeline",
        {"buildCompletionTriggers": [{"buildDefinitionId": 1, "branchFilters": []}]},
        "DefinitionNotFound",
        "1",
    ),
    "a queue of a pool that does not exist": ("queue", {"agentPoolId": 1}, "AgentPoolNotFound", "1"),
    "a queue of a pool and a name": ("queue", {"name": "machines"}, "InvalidArgument", "exactly one"),
    "a queue that exists": ("queue", {"agentPoolId": None, "name": "Default"}, "AgentQueueExists", "Default"),
    "a pool of a kind that does not exist": ("pool", {"poolType": "managed"}, "InvalidValue", "poolType"),
    # Authorisations
    "an environment opened to all pipelines": ("may_use", {"pipelineId": None}, "AccessDenied", "all environments"),
    "an authorisation of a pipeline that does not exist": ("may_use", {"pipelineId": 1}, "DefinitionNotFound", "1"),
    "an authorisation of an unknown sort": ("may_use", {"type": "securefile"}, "InvalidValue", "securefile"),
    "an environment that does not exist": ("may_use", {"resourceId": "1"}, "EnvironmentNotFound", "1"),
    "a connection authorised as environment": ("may_sign_in", {"type": "environment"}, "EnvironmentNotFound", ""),
    "a connection that does not exist": ("may_sign_in", {"resourceId": NOWHERE}, "ServiceEndpointNotFound", NOWHERE),
    "a repository that does not exist": ("may_read", {"resourceId": NOWHERE}, "TF401019", NOWHERE),
    "a repository authorised with its project": (
        "may_read",
        {"resourceId": "@project.@repository"},
        "ResourceNotFound",
        "bare id",
    ),
    "a queue that does not exist": ("may_queue", {"resourceId": "1"}, "AgentQueueNotFound", "1"),
    "a variable group that does not exist": (
        "may_queue",
        {"resourceId": "1", "type": "variablegroup"},
        "VariableGroupNotFound",
        "1",
    ),
    # Service connections
    "a connection without an identity": ("connection", {"credentials": None}, "InvalidArgument", "client id"),
    "a connection with an empty identity": (
        "connection",
        {"credentials.serviceprincipalid": None},
        "MissingArgument",
        "serviceprincipalid",
    ),
    "a connection with a secret beside federation": (
        "connection",
        {"credentials.serviceprincipalkey": "hush"},
        "InvalidArgument",
        "WorkloadIdentityFederation",
    ),
    "a connection by a principal without a secret": (
        "connection",
        {"serviceEndpointAuthenticationScheme": None},
        "InvalidArgument",
        "serviceprincipalkey",
    ),
    "a connection of a scheme that does not exist": (
        "connection",
        {"serviceEndpointAuthenticationScheme": "Federated"},
        "InvalidValue",
        "Federated",
    ),
    "a connection of nobody": ("connection", {"credentials.serviceprincipalid": NOWHERE}, "AADSTS700016", NOWHERE),
    "a connection of an object id": (
        "connection",
        {"credentials.serviceprincipalid": "@identity.principalId"},
        "AADSTS700016",
        "not its object id",
    ),
    "a connection without a tenant": ("connection", {"azurermSpnTenantid": None}, "MissingArgument", "tenantid"),
    "a connection to another tenant": ("connection", {"azurermSpnTenantid": NOWHERE}, "AADSTS90002", NOWHERE),
    "a connection without the subscription's name": (
        "connection",
        {"azurermSubscriptionName": None},
        "InvalidArgument",
        "azurerm_subscription_name",
    ),
    "a connection to an unknown subscription": (
        "connection",
        {"azurermSubscriptionId": NOWHERE},
        "SubscriptionNotFound",
        NOWHERE,
    ),
    "a connection to a group with its own identity": ("connection", {"resourceGroup": "rg"}, "InvalidArgument", ""),
    "a connection that is validated before it is trusted": (
        "connection",
        {"features": {"validate": True}},
        "AADSTS70025",
        "no configured federated identity credentials",
    ),
    "a connection whose name begins with a blank": (
        "connection",
        {"serviceEndpointName": " deploy"},
        "InvalidServiceEndpointName",
        "",
    ),
    "a connection of a name that another sort has": (
        "github",
        {"serviceEndpointName": "deploy"},
        "DuplicateServiceConnectionException",
        "Service connection with name deploy already exists",
    ),
    "a connection to GitHub in two ways": (
        "github",
        {"authOauth": {"oauthConfigurationId": "x"}},
        "InvalidArgument",
        "conflicts",
    ),
    "a connection to GitHub without a token": (
        "github",
        {"authPersonal.personalAccessToken": None},
        "MissingArgument",
        "personal_access_token",
    ),
    "a connection to GitHub without a grant": (
        "github",
        {"authPersonal": None, "authOauth": {"x": "y"}},
        "MissingArgument",
        "oauth_configuration_id",
    ),
    # Variable groups
    "an empty variable group": ("variables", {"variables": []}, "MissingArgument", "At least 1"),
    "a variable without a name": ("variables", {"variables[0].name": None}, "MissingArgument", "name"),
    "a variable that is there twice": ("variables", {"variables[1].name": "region"}, "InvalidVariables", "Duplicate"),
    "a variable of two values": ("variables", {"variables[1].value": "x"}, "InvalidVariables", "conflicts"),
    "a secret that does not say so": ("variables", {"variables[1].isSecret": None}, "InvalidVariables", "is_secret"),
    "a secret as a plain value": (
        "variables",
        {"variables[1]": {"name": "KEY", "isSecret": True, "value": "hush"}},
        "InvalidVariables",
        "secret_value",
    ),
    "a value beside a vault": (
        "variables",
        {"keyVault": {"name": "kv", "serviceEndpointId": NOWHERE}},
        "InvalidVariables",
        "in the vault",
    ),
    "a vault without a connection": (
        "variables",
        {"variables": [{"name": "KEY"}], "keyVault": {"name": "kv"}},
        "MissingArgument",
        "serviceEndpointId",
    ),
    "a vault by a connection that does not exist": (
        "variables",
        {"variables": [{"name": "KEY"}], "keyVault": {"name": "kv", "serviceEndpointId": NOWHERE}},
        "ServiceEndpointNotFound",
        NOWHERE,
    ),
    # Checks
    "a check on a sort of thing that does not exist": (
        "lock",
        {"targetResourceType": "pipeline"},
        "InvalidValue",
        "pipeline",
    ),
    "a check on an environment that does not exist": ("lock", {"targetResourceId": "1"}, "EnvironmentNotFound", "1"),
    "a check on a connection as environment": (
        "branches",
        {"targetResourceType": "environment"},
        "EnvironmentNotFound",
        "",
    ),
    "a check on an environment as connection": (
        "approval",
        {"targetResourceType": "endpoint"},
        "ServiceEndpointNotFound",
        "",
    ),
    "a check on a bare repository": (
        "template",
        {"targetResourceId": "@repository"},
        "ResourceNotFound",
        "<project id>.<repository id>",
    ),
    "a check on a repository that does not exist": (
        "template",
        {"targetResourceId": f"@project.{NOWHERE}"},
        "TF401019",
        NOWHERE,
    ),
    "an approver by the directory's id": (
        "approval",
        {"approvers": [APPROVERS]},
        "InvalidIdentities",
        f"The following identities are invalid: {APPROVERS}",
    ),
    "an approver by the descriptor": ("approval", {"approvers": ["@group"]}, "InvalidIdentities", "vssgp"),
    "an approver by the directory group's origin": (
        "approval",
        {"approvers": ["@people.originId"]},
        "InvalidIdentities",
        APPROVERS,
    ),
    "no approver": ("approval", {"approvers": []}, "MissingArgument", "at least 1"),
    "more approvals than approvers": ("approval", {"minimumRequiredApprovers": 2}, "InvalidValue", "counts as one"),
    "a timeout in seconds": ("approval", {"timeout": 86400}, "InvalidValue", "minutes"),
    "no time at all": ("lock", {"timeout": 0}, "InvalidValue", "minutes"),
    "a branch in short": ("branches", {"allowedBranches": "main"}, "InvalidRef", "in full"),
    "a branch in short among others": ("branches", {"allowedBranches": f"{_MAIN}, next"}, "InvalidRef", "next"),
    "hours in another form": ("hours", {"startTime": "8:00"}, "InvalidValue", "HH:MM"),
    "an hour that does not exist": ("hours", {"endTime": "24:00"}, "InvalidValue", "HH:MM"),
    "hours that end before they begin": ("hours", {"endTime": "07:00"}, "InvalidValue", "not before"),
    "a time zone of another list": ("hours", {"timeZone": "Europe/Berlin"}, "InvalidValue", "Windows time zone"),
    "hours on no day": ("hours", {"monday": False}, "InvalidValue", "day of the week"),
    "no template": ("template", {"requiredTemplates": []}, "MissingArgument", "at least 1"),
    "a template without a path": ("template", {f"{_TEMPLATE}.templatePath": None}, "MissingArgument", "templatePath"),
    "a template on a branch in short": ("template", {f"{_TEMPLATE}.repositoryRef": "main"}, "InvalidRef", "in full"),
    "a template in an unknown sort of repository": (
        "template",
        {f"{_TEMPLATE}.repositoryType": "TfsGit"},
        "InvalidValue",
        "azuregit",
    ),
    "a template in a repository that does not exist": (
        "template",
        {f"{_TEMPLATE}.repositoryName": "Shop/templates"},
        "TF401019",
        "Shop/templates",
    ),
    "a template in a repository of another project": (
        "template",
        {f"{_TEMPLATE}.repositoryName": "Old/platform"},
        "TF401019",
        "Old/platform",
    ),
    # Groups and rights
    "a group of two origins": ("group", {"originId": APPROVERS}, "InvalidArgument", "exactly one"),
    "a group of no origin": ("group", {"displayName": None}, "InvalidArgument", "exactly one"),
    "a group name with a slash": ("group", {"displayName": "a/b"}, "InvalidGroupName", "a/b"),
    "a group name that a project has already": (
        "group",
        {"displayName": "Contributors"},
        "GroupAlreadyExists",
        "Contributors",
    ),
    "a group of a project that does not exist": ("group", {"scope": NOWHERE}, "TF200016", NOWHERE),
    "a group with a member that does not exist": ("group", {"members": ["x"]}, "SubjectNotFound", "descriptors"),
    "a group that the directory does not have": ("people", {"originId": NOWHERE}, "VS860016", NOWHERE),
    "a member by its id": ("membership", {"members": ["@people.groupId"]}, "SubjectNotFound", "descriptors"),
    "members of a group that does not exist": ("membership", {"group": "x"}, "SubjectNotFound", "x"),
    "a group in itself": ("membership", {"members": ["@group"]}, "CyclicMembership", ""),
    "a membership of an unknown sort": ("membership", {"mode": "replace"}, "InvalidValue", "mode"),
    "a user whom the directory does not have": ("service_user", {"originId": NOWHERE}, "VS860016", NOWHERE),
    "a group as a service principal": ("service_user", {"originId": APPROVERS}, "VS860016", "service principal"),
    "a license that does not exist": ("service_user", {"accountLicenseType": "free"}, "InvalidValue", "free"),
    "a service principal of elsewhere": ("service_user", {"origin": "ghb"}, "InvalidValue", "origin"),
    "a team with a member that does not exist": ("team", {"members": ["x"]}, "SubjectNotFound", "x"),
    "a role on an unknown sort of thing": ("role", {"scope": "distributedtask.x"}, "InvalidValue", "scope"),
    "a role that does not exist": ("role", {"roleName": "Owner"}, "InvalidValue", "roleName"),
    "a role without the project": ("role", {"resourceId": "@environment"}, "InvalidArgument", "<project id>_"),
    "a role on an environment that does not exist": (
        "role",
        {"resourceId": "@project_1"},
        "EnvironmentNotFound",
        "1",
    ),
    "a role on an environment as connection": (
        "role",
        {"scope": "distributedtask.serviceendpointrole"},
        "ServiceEndpointNotFound",
        "",
    ),
    "a role on one thing for all": (
        "role",
        {"scope": "distributedtask.globalenvironmentreferencerole"},
        "InvalidArgument",
        "does not fit",
    ),
    "a role for the directory's id": ("role", {"identityId": APPROVERS}, "IdentityNotFound", "group_id"),
    "a permission that does not exist": (
        "may_push",
        {"permissions": {"Push": "Deny"}},
        "InvalidPermission",
        "GenericContribute",
    ),
    "a permission in a state that does not exist": (
        "may_edit",
        {"permissions": {"EditBuildDefinition": "No"}},
        "InvalidPermission",
        "NotSet",
    ),
    "a permission on work that does not exist": (
        "may_file",
        {"permissions": {"WORK_ITEM_EDIT": "Allow"}},
        "InvalidPermission",
        "WORK_ITEM_WRITE",
    ),
    "a permission for an id": ("may_push", {"principal": "@group.groupId"}, "IdentityNotFound", ""),
    "a permission on a branch of nothing": (
        "may_push",
        {"repositoryId": None, "branchName": _MAIN},
        "InvalidArgument",
        "repository_id",
    ),
    "a permission on a pipeline that does not exist": ("may_edit", {"buildDefinitionId": 1}, "DefinitionNotFound", "1"),
    "a permission on a connection that does not exist": (
        "may_connect",
        {"serviceendpointId": NOWHERE},
        "ServiceEndpointNotFound",
        NOWHERE,
    ),
    # Branch policies
    "a policy of nothing": ("comments", {"settings.scopes": []}, "MissingArgument", "scope"),
    "a policy without scopes": ("comments", {"settings": {}}, "MissingArgument", "settings.scopes"),
    "a policy of a repository that does not exist": ("comments", {f"{_SCOPE}.repositoryId": NOWHERE}, "TF401019", ""),
    "a policy of a branch in short": ("comments", {f"{_SCOPE}.repositoryRef": "main"}, "TF402457", "refs/heads/main"),
    "a policy of no branch": ("comments", {f"{_SCOPE}.repositoryRef": None}, "TF402457", "None"),
    "a policy of an unknown match": ("comments", {f"{_SCOPE}.matchType": "Regex"}, "InvalidValue", "match_type"),
    "a policy of the default branch of one repository": (
        "comments",
        {f"{_SCOPE}.matchType": "DefaultBranch"},
        "TF402457",
        "DefaultBranch",
    ),
    "a validation without a name": ("validation", {"settings.displayName": None}, "MissingArgument", "displayName"),
    "a validation by a pipeline that does not exist": (
        "validation",
        {"settings.buildDefinitionId": 1},
        "DefinitionNotFound",
        "1",
    ),
    "a validation that lasts less than nothing": (
        "validation",
        {"settings.validDuration": -1},
        "InvalidValue",
        "minutes",
    ),
    "a review without a number": ("reviewers", {"settings.reviewerCount": None}, "MissingArgument", "reviewerCount"),
    "a review by nobody": ("reviewers", {"settings.reviewerCount": 0}, "InvalidValue", "reviewerCount"),
    "a review by eleven": ("reviewers", {"settings.reviewerCount": 11}, "InvalidValue", "(1 - 10)"),
    "no way to merge": ("merges", {"settings.allowSquash": False}, "TF402457", "merge type"),
    "an automatic reviewer by the directory's id": (
        "owners",
        {"settings.autoReviewerIds": [APPROVERS]},
        "TF402457",
        "Invalid GUID in the requiredReviewerIds array",
    ),
}


@pytest.mark.parametrize("what", BENT)
def test_what_azure_devops_refuses_is_refused(what: str) -> None:
    key, changes, code, part = BENT[what]
    with refused(code, part):
        before(key).make(key, changes)


def test_every_known_type_has_a_sample_that_is_accepted() -> None:
    assert {type_of(key) for key in SAMPLES} == set(KINDS)
    assert len(whole().cloud.devops.resources) == len(SAMPLES)


@pytest.mark.parametrize("key", SAMPLES)
def test_a_preview_accepts_an_unknown_value_anywhere(key: str) -> None:
    made = before(key)
    inputs = made.inputs(key)
    for path, _ in leaves(inputs):
        made.cloud.devops.create(type_of(key), key, placed(inputs, path, UNKNOWN), preview=True)
    for path in inputs:
        answer = made.cloud.devops.create(type_of(key), key, {**inputs, path: UNKNOWN}, preview=True)
        assert answer.id == ""
        assert path not in answer.outputs
    assert (type_of(key), key) not in made.cloud.devops.resources


@pytest.mark.parametrize("key", [key for key in SAMPLES if KINDS[type_of(key)].required])
def test_the_provider_itself_names_what_is_missing(key: str) -> None:
    required = KINDS[type_of(key)].required
    problems = Cloud(estate()).devops.check(type_of(key), {})
    assert [path for path, _ in problems] == list(required)


# Names that are taken


@pytest.mark.parametrize(
    ("key", "changes", "code"),
    [
        ("project", {}, "TF200019"),
        ("extension", {}, "TF1590010"),
        ("repository", {}, "TF400948"),
        ("repository", {"name": "PLATFORM"}, "TF400948"),
        ("branch", {}, "TF401035"),
        ("file", {}, "FileExists"),
        ("folder", {}, "FolderExists"),
        ("variables", {}, "VariableGroupExistsException"),
        ("pipeline", {}, "DefinitionExists"),
        ("connection", {}, "DuplicateServiceConnectionException"),
        ("github", {}, "DuplicateServiceConnectionException"),
        ("environment", {}, "EnvironmentExistsException"),
        ("pool", {}, "AgentPoolExists"),
        ("queue", {}, "AgentQueueExists"),
        ("group", {}, "GroupAlreadyExists"),
        ("team", {}, "TeamAlreadyExists"),
        ("may_use", {}, "AuthorizationExists"),
        ("lock", {}, "CheckExists"),
        ("may_push", {}, "PermissionsExist"),
    ],
)
def test_a_name_in_a_project_can_be_had_once_only(key: str, changes: Mapping[str, Any], code: str) -> None:
    made = whole() if key != "file" else before("validation")
    with refused(code):
        made.make(key, changes, called="again")


def test_the_same_name_is_free_in_another_project() -> None:
    made = whole()
    for key in ("repository", "environment", "github", "folder"):
        made.make(key, {"projectId": OLD_PROJECT.id}, called=f"{key}_of_old")


def test_a_pipeline_of_one_name_may_lie_in_two_folders() -> None:
    whole().make("pipeline", {"path": "\\Other"}, called="again")


# What lies in another project


@pytest.mark.parametrize(
    ("key", "changes", "code"),
    [
        ("may_use", {"resourceId": "@environment"}, "EnvironmentNotFound"),
        ("may_sign_in", {"resourceId": "@connection"}, "ServiceEndpointNotFound"),
        ("approval", {}, "EnvironmentNotFound"),
        ("comments", {}, "TF401019"),
        ("pipeline", {"agentPoolName": None}, "VariableGroupNotFound"),
    ],
)
def test_a_thing_of_another_project_is_not_found(key: str, changes: Mapping[str, Any], code: str) -> None:
    with refused(code):
        whole().make(key, {**changes, "projectId": OLD_PROJECT.id}, called="elsewhere")


# Pushes


@pytest.mark.parametrize("policy", ["validation", "reviewers", "comments", "merges", "owners"])
def test_a_blocking_policy_ends_pushes_to_its_branch(policy: str) -> None:
    made = before("validation")
    made.make(policy)
    words = "Pushes to this branch are not permitted; you must use a pull request to update this branch."
    with refused("TF402455", words):
        made.make("file", {"file": "again.yml"}, called="again")
    with refused("TF402455", words):
        made.update("file", {"content": "steps: [x]"})
    with refused("TF402455", words):
        made.delete("file")
    made.make("file", {"branch": "refs/heads/next"}, called="elsewhere")
    made.delete(policy)
    made.delete("file")


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({"enabled": False}, False),
        ({"blocking": False}, False),
        ({"settings.scopes[0].repositoryRef": "refs/heads/next"}, False),
        ({"settings.scopes[0].repositoryRef": "refs/heads/ma", "settings.scopes[0].matchType": "Prefix"}, True),
        ({"settings.scopes[0]": {"matchType": "DefaultBranch"}}, True),
        ({"settings.scopes[0].repositoryId": None}, True),
        ({"settings.scopes[0].repositoryId": "@other"}, False),
    ],
)
def test_a_policy_reaches_as_far_as_its_scope(changes: Mapping[str, Any], ends: bool) -> None:
    made = before("file")
    made.make("repository", {"name": "other"}, called="other")
    made.make("comments", changes)
    if ends:
        with refused("TF402455"):
            made.make("file")
    else:
        made.make("file")


def test_a_file_is_overwritten_when_asked_for() -> None:
    made = before("file")
    made.make("file", {"file": "README.md", "overwriteOnCreate": True})


def test_an_empty_repository_has_no_branch_to_push_to() -> None:
    made = before("repository")
    made.make("repository", {"initialization.initType": "Uninitialized", "defaultBranch": None})
    with refused("TF401175", "no branch"):
        made.make("file")


def test_a_default_branch_must_exist_when_it_is_changed() -> None:
    made = before("file")
    with refused("TF401175", "gone"):
        made.update("repository", {"defaultBranch": "refs/heads/gone"})
    assert made.update("repository", {"defaultBranch": "refs/heads/next"})["defaultBranch"] == "refs/heads/next"


def test_of_a_repository_that_was_there_before_the_branches_are_not_judged() -> None:
    made = before("file")
    made.make("file", {"repositoryId": OLD_REPOSITORY.id, "branch": "refs/heads/any"})


# Federation


def test_a_credential_for_what_a_connection_issued_is_accepted() -> None:
    made = before("github")
    issuer = made.outputs["connection"]["workloadIdentityFederationIssuer"]
    assert issuer == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert made.outputs["connection"]["workloadIdentityFederationSubject"].startswith("/eid1/c/pub/t/")
    made.trust()


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "sc://contoso/Shop/deploy"},
        {"issuer": "https://vstoken.dev.azure.com/x", "subject": "sc://contoso/Shop/deploy"},
        {"issuer": f"https://login.microsoftonline.com/{NOWHERE}/v2.0"},
    ],
)
def test_a_credential_for_a_subject_that_no_connection_issued_is_refused(changes: Mapping[str, Any]) -> None:
    with refused("BadRequest", "a subject it never issued"):
        before("github").trust(changes)


def test_a_connection_made_anew_issues_another_subject() -> None:
    made = before("github")
    old = made.outputs["connection"]["workloadIdentityFederationSubject"]
    made.delete("connection")
    made.make("connection")
    assert made.outputs["connection"]["workloadIdentityFederationSubject"] != old
    with refused("BadRequest", "a subject it never issued"):
        made.trust({"subject": old})


def test_a_connection_can_be_validated_once_it_is_trusted() -> None:
    made = before("github")
    with refused("AADSTS70025"):
        made.update("connection", {"features": {"validate": True}})
    made.trust()
    made.update("connection", {"features": {"validate": True}})


def test_an_application_of_the_estate_may_sign_in() -> None:
    made = Made(applications=frozenset({NOWHERE}))
    made.make("project")
    made.make("connection", {"credentials.serviceprincipalid": NOWHERE})


def test_a_group_linked_to_a_vault_needs_the_vault_and_a_trusted_connection() -> None:
    made = before("environment")
    changes = {"variables": [{"name": "KEY"}], "keyVault": {"name": "kv-ci", "serviceEndpointId": "@connection"}}
    with refused("KeyVaultNotFound", "kv-ci"):
        made.make("variables", {**changes, "name": "secrets"}, called="secrets")
    vault = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    made.cloud.create(
        "azure-native:keyvault:Vault",
        "vault",
        {"resourceGroupName": "rg-test", "location": "westeurope", "vaultName": "kv-ci", "properties": vault},
    )
    with refused("AADSTS70025", "deploy"):
        made.make("variables", {**changes, "name": "secrets"}, called="secrets")
    made.trust()
    made.make("variables", {**changes, "name": "secrets"}, called="secrets")


# What others use


@pytest.mark.parametrize(
    "key",
    [
        "project",
        "repository",
        "pipeline",
        "connection",
        "environment",
        "variables",
        "pool",
        "queue",
        "group",
        "people",
    ],
)
def test_what_others_use_cannot_be_deleted(key: str) -> None:
    with refused("InUse", "cannot be deleted while"):
        whole().delete(key)


def test_everything_can_be_deleted_in_reverse_and_twice() -> None:
    made = whole()
    for _ in range(2):
        for key in reversed(list(SAMPLES)):
            made.delete(key)
    assert made.cloud.devops.resources == {}


def test_an_id_is_not_given_again() -> None:
    made = Made()
    first = made.make("project")
    made.delete("project")
    assert made.make("project") != first
    with refused("TF200016", first):
        made.make("environment", {"projectId": first})


def test_numbers_and_ids_are_the_same_in_every_run() -> None:
    assert whole().ids == whole().ids


# Updates and differences


def test_a_preview_of_an_update_keeps_what_the_service_computed() -> None:
    made = whole()
    outputs = made.update("connection", {"description": "x"}, preview=True)
    for key in ("workloadIdentityFederationIssuer", "workloadIdentityFederationSubject"):
        assert outputs[key] == made.outputs["connection"][key]
    assert made.update("group", {"description": "x"})["descriptor"] == made.ids["group"]
    assert made.update("pipeline", {"agentPoolName": None})["revision"] == 2
    assert made.update("approval", {"timeout": 60})["version"] == 2


@pytest.mark.parametrize(
    ("key", "path", "value", "replaces", "first"),
    [
        ("project", "description", "x", False, False),
        ("project", "versionControl", "Tfvc", True, True),
        ("environment", "projectId", NOWHERE, True, True),
        ("connection", "azurermSubscriptionId", NOWHERE, True, False),
        ("connection", "credentials.serviceprincipalid", NOWHERE, False, False),
        ("approval", "timeout", 5, False, False),
        ("approval", "targetResourceId", "1", True, False),
        ("may_use", "pipelineId", 1, True, False),
        ("file", "content", "x", False, False),
        ("file", "branch", "refs/heads/x", True, False),
        ("reviewers", "settings.reviewerCount", 2, False, False),
        ("repository", "initialization.initType", "Uninitialized", False, False),
    ],
)
def test_changes_replace_as_the_provider_says(key: str, path: str, value: Any, replaces: bool, first: bool) -> None:
    made = whole()
    diff = made.cloud.devops.diff(type_of(key), made.inputs(key), made.inputs(key, {path: value}))
    assert [(change.path, change.replaces) for change in diff.changes] == [(path, replaces)]
    assert diff.delete_before_replace is first


def test_a_name_is_made_up_where_the_provider_does_so() -> None:
    cloud = Cloud(estate()).devops
    made_up = cloud.named(token("Environment"), "staging", {"projectId": "x"}, salt="urn")
    assert made_up["name"].startswith("staging-")
    assert cloud.named(token("Environment"), "staging", {"projectId": "x"}, made_up) == made_up
    assert "serviceEndpointName" not in cloud.named(token("ServiceEndpointAzureRM"), "deploy", {})


def test_what_somebody_changed_is_read() -> None:
    made = whole()
    made.cloud.devops.drift(type_of("approval"), made.ids["approval"], {"timeout": 5})
    found = made.cloud.devops.read(type_of("approval"), made.ids["approval"])
    assert found is not None
    assert found.outputs["timeout"] == 5
    assert made.cloud.devops.inputs_of(type_of("approval"), made.ids["approval"])["timeout"] == 5


def test_what_is_gone_is_neither_read_nor_changed() -> None:
    made = before("folder")
    made.delete("file")
    assert made.cloud.devops.read(type_of("file"), made.ids["file"]) is None
    with refused("NotFound", made.ids["file"]):
        made.update("file", {"content": "x"})
    with refused("NotFound", made.ids["file"]):
        made.cloud.devops.inputs_of(type_of("file"), made.ids["file"])


def test_faults_can_be_asked_for() -> None:
    made = before("environment")
    made.cloud.fail(type_of("environment"), CloudError("TF400898", "An internal error occurred."))
    with refused("TF400898"):
        made.make("environment")
    made.make("environment")


# Functions


def test_the_functions_find_what_is_there() -> None:
    made = whole()
    cloud = made.cloud.devops

    def ask(name: str, /, **args: Any) -> dict[str, Any]:
        return cloud.invoke(f"azuredevops:index/{name}:{name}", args)

    project = made.ids["project"]
    assert ask("getAgentQueue", projectId=project, name="machines")["id"] == made.ids["queue"]
    assert int(ask("getAgentQueue", projectId=project, name="Azure Pipelines")["agentPoolId"])
    assert ask("getProject", name="Shop")["id"] == ask("getProject", projectId=project)["projectId"] == project
    assert ask("getGroup", projectId=project, name="Approvers")["descriptor"] == made.ids["group"]
    assert ask("getGroup", projectId=project, name="Contributors")["origin"] == "vsts"
    for name, args, code in (
        ("getAgentQueue", {"projectId": project, "name": "none"}, "AgentQueueNotFound"),
        ("getAgentQueue", {"projectId": NOWHERE, "name": "Default"}, "TF200016"),
        ("getProject", {"name": "none"}, "TF200016"),
        ("getGroup", {"projectId": project, "name": "none"}, "GroupNotFound"),
        ("getGroup", {"projectId": NOWHERE, "name": "Readers"}, "TF200016"),
        ("getTeam", {}, "NotImplemented"),
    ):
        with refused(code):
            ask(name, **args)
    assert len(INVOKES) == 3


def test_a_type_that_is_not_known_is_an_error_that_names_it() -> None:
    with refused("NotImplemented", "does not know azuredevops:index/wiki:Wiki"):
        Cloud(estate()).devops.create(token("Wiki"), "wiki", {})


# The organisation and what was there before


@pytest.mark.parametrize(
    "url", [ORGANIZATION, f"{ORGANIZATION}/", "https://contoso.visualstudio.com", "https://dev.azure.com/a-b-1"]
)
def test_an_organisation_is_known_by_its_url(url: str) -> None:
    Cloud(estate(organization="")).devops.configure({"orgServiceUrl": url})


@pytest.mark.parametrize(
    "url", ["", None, "contoso", "dev.azure.com/contoso", f"{ORGANIZATION}/Shop", "http://dev.azure.com/contoso"]
)
def test_a_url_that_leads_to_no_organisation_is_refused(url: str | None) -> None:
    with refused("InvalidConfiguration"):
        Cloud(estate(organization="")).devops.configure({"orgServiceUrl": url})


def test_an_organisation_that_is_not_the_estates_is_not_found() -> None:
    with refused("ResourceNotFound", "404"):
        Cloud(estate()).devops.configure({"orgServiceUrl": "https://dev.azure.com/fabrikam"})
    Cloud(estate()).devops.configure({"orgServiceUrl": UNKNOWN})


def test_two_estates_are_one_organisation() -> None:
    one = estate(organization="")
    assert one.merged(estate()).organization == ORGANIZATION
    assert estate().merged(one).organization == ORGANIZATION
    assert one.merged(estate()).delivery == estate().delivery
    with pytest.raises(ValueError, match="one organisation"):
        estate().merged(estate(organization="https://dev.azure.com/fabrikam"))


def test_what_was_there_before_can_be_used_adopted_and_admitted_later() -> None:
    made = Made()
    group = Existing("group", "40000000-0000-4000-8000-000000000004", "Judges", OLD_PROJECT.id)
    more = {
        Existing("queue", "77", "mine", OLD_PROJECT.id),
        Existing("endpoint", NOWHERE, "old", OLD_PROJECT.id),
        group,
    }
    made.cloud.admit(Estate(TENANT, frozenset({SUBSCRIPTION}), delivery=frozenset(more)))
    project = {"projectId": OLD_PROJECT.id}
    made.make("repository", project)
    made.make("pipeline", {**project, "agentPoolName": "mine", "variableGroups": None})
    made.make("environment", project)
    made.make("may_queue", {**project, "resourceId": "77"})
    made.make("may_sign_in", {**project, "resourceId": NOWHERE})
    made.make("approval", {**project, "approvers": [group.id, PERSON.id]})
    made.make(
        "template",
        {
            **project,
            "targetResourceId": f"{OLD_PROJECT.id}.{OLD_REPOSITORY.id}",
            f"{_TEMPLATE}.repositoryName": "legacy",
        },
    )
    found = made.cloud.devops.read(token("Project"), OLD_PROJECT.id)
    assert found is not None
    assert found.outputs["name"] == "Old"
    with pytest.raises(ValueError, match="'wiki'"):
        Cloud(estate(delivery=frozenset({Existing("wiki", "1", "x")})))


# Managed agents


@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({"maximumConcurrency": 0}, "InvalidMaximumConcurrency", "0"),
        ({"maximumConcurrency": 2}, "InvalidParallelism", "3"),
        ({"organizationProfile.kind": "GitHub"}, "InvalidOrganizationProfile", "GitHub"),
        ({"organizationProfile.organizations": []}, "InvalidOrganizationProfile", "at least one"),
        ({"organizationProfile.organizations[0].url": "contoso"}, "InvalidOrganizationUrl", "https://dev.azure.com/"),
        ({"organizationProfile.organizations[0].projects": ["None"]}, "ProjectNotFound", "None"),
        ({"organizationProfile.permissionProfile.kind": "All"}, "InvalidPermissionProfile", "Inherit"),
        ({"agentProfile.kind": "Serverless"}, "InvalidProfile", "Stateless"),
        ({"fabricProfile.kind": "Aks"}, "InvalidProfile", "Vmss"),
        ({"fabricProfile.sku": None}, "InvalidSku", "sku"),
        ({"fabricProfile.images": []}, "InvalidImage", "at least one"),
        ({"fabricProfile.images[0].resourceId": "x"}, "InvalidImage", "either"),
        ({"fabricProfile.networkProfile.subnetId": landscape.ENDPOINTS}, "SubnetNotDelegated", "pools"),
        ({"devCenterProjectResourceId": landscape.VNET}, "LinkedInvalidPropertyId", "projects"),
        (
            {"maximumConcurrency": 12, "organizationProfile.organizations[0].parallelism": 12},
            "SubnetTooSmall",
            "17 are needed",
        ),
    ],
)
def test_a_managed_pool_that_azure_refuses_is_refused(changes: Mapping[str, Any], code: str, part: str) -> None:
    with refused(code, part):
        landscape.make(landscape.before("agents"), "agents", changes)


def test_a_managed_pool_fills_its_subnet_to_the_last_address() -> None:
    changes = {"maximumConcurrency": 11, "organizationProfile.organizations[0].parallelism": 11}
    landscape.make(landscape.before("agents"), "agents", changes)


def test_a_managed_pools_principal_must_be_let_into_the_network() -> None:
    with refused("SubnetPermissionMissing", "DevOpsInfrastructure"):
        landscape.make(landscape.before("agents", frozenset({"may_run"})), "agents")


def test_a_managed_pools_name_and_subnet_are_its_own() -> None:
    cloud = landscape.before("lock")
    with refused("SubnetInUse"):
        landscape.make(cloud, "agents", {"poolName": "mdp-two"})
    landscape.make(cloud, "group", {"resourceGroupName": "rg-other"})
    with refused("PoolNameNotAvailable"):
        landscape.make(cloud, "agents", {"resourceGroupName": "rg-other"})


def test_a_dev_center_with_a_project_and_a_project_with_a_pool_stay() -> None:
    cloud = landscape.before("lock")
    for key, code in (("center", "DevCenterInUse"), ("center_project", "ProjectInUse")):
        id = next(found.id for found in cloud.resources.values() if found.type_ == landscape.type_of(key))
        with refused(code):
            cloud.delete(landscape.type_of(key), id)


@pytest.mark.parametrize("projects", [None, ["shop"]])
def test_a_managed_pool_appears_as_a_queue_in_its_projects(projects: list[str] | None) -> None:
    cloud = landscape.before("agents")
    cloud.devops.configure({"orgServiceUrl": ORGANIZATION})
    ids = {name: cloud.devops.create(token("Project"), name, {"name": name}).id for name in ("Shop", "Other")}
    landscape.make(cloud, "agents", {"organizationProfile.organizations[0].projects": projects})
    ask = "azuredevops:index/getAgentQueue:getAgentQueue"
    found = cloud.devops.invoke(ask, {"projectId": ids["Shop"], "name": "mdp-test"})
    assert int(found["id"])
    if projects is not None:
        with refused("AgentQueueNotFound"):
            cloud.devops.invoke(ask, {"projectId": ids["Other"], "name": "mdp-test"})
