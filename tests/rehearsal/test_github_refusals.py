"""What GitHub refuses when something is made there, changed or deleted: one bent property at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from rehearsal.cloud import Cloud, CloudError, Estate, Existing
from rehearsal.cloud.delivering import OF_GITHUB
from rehearsal.cloud.github.kinds import token
from tests.rehearsal.landscape import refused

TENANT: Final = "72f988bf-0000-4000-8000-000000000001"
SUBSCRIPTION: Final = "10000000-0000-4000-8000-000000000001"
ISSUER: Final = "https://token.actions.githubusercontent.com"
IDENTITY: Final = "azure-native:managedidentity:UserAssignedIdentity"
CREDENTIAL: Final = "azure-native:managedidentity:FederatedIdentityCredential"
GROUP: Final = "azure-native:resources:ResourceGroup"

SAMPLES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "repository": ("Repository", {"name": "made", "visibility": "private", "autoInit": True}),
    "file": ("RepositoryFile", {"repository": "made", "file": "a/b.txt", "content": "x", "branch": "main"}),
    "actions": (
        "ActionsRepositoryPermissions",
        {
            "repository": "old",
            "allowedActions": "selected",
            "allowedActionsConfig": {"githubOwnedAllowed": False, "patternsAlloweds": ["actions/checkout@v6"]},
        },
    ),
    "token": ("WorkflowRepositoryPermissions", {"repository": "old", "defaultWorkflowPermissions": "read"}),
    "access": ("ActionsRepositoryAccessLevel", {"repository": "old", "accessLevel": "organization"}),
    "team": ("Team", {"name": "approvers"}),
    "environment": (
        "RepositoryEnvironment",
        {
            "repository": "old",
            "environment": "prod",
            "reviewers": [{"teams": [42], "users": [7]}],
            "waitTimer": 5,
            "deploymentBranchPolicy": {"customBranchPolicies": True, "protectedBranches": False},
        },
    ),
    "policy": (
        "RepositoryEnvironmentDeploymentPolicy",
        {"repository": "old", "environment": "prod", "branchPattern": "main"},
    ),
    "variable": (
        "ActionsEnvironmentVariable",
        {"repository": "old", "environment": "prod", "variableName": "PLACE", "value": "x"},
    ),
    "rules": (
        "RepositoryRuleset",
        {
            "name": "main",
            "repository": "made",
            "enforcement": "active",
            "target": "branch",
            "conditions": {"refName": {"includes": ["refs/heads/main"], "excludes": []}},
            "rules": {
                "pullRequest": {"requiredApprovingReviewCount": 1, "allowedMergeMethods": ["squash"]},
                "requiredStatusChecks": {"requiredChecks": [{"context": "checks"}]},
            },
        },
    ),
}
"""In order of creation."""


def estate() -> Estate:
    return Estate(
        tenant_id=TENANT,
        subscriptions=frozenset({SUBSCRIPTION}),
        delivery=frozenset(
            {
                Existing("github-owner", "4711", "contoso"),
                Existing("github-repository", "repo:contoso@4711/old@1", "old", "contoso"),
                Existing("github-team", "42", "approvers"),
                Existing("github-user", "7", "somebody"),
            }
        ),
    )


def make(cloud: Cloud, key: str, bent: Mapping[str, Any] | None = None, *, preview: bool = False) -> str:
    cls, inputs = SAMPLES[key]
    given = {name: value for name, value in {**inputs, **(bent or {})}.items() if value is not None}
    return cloud.devops.create(token(cls), key, given, preview=preview).id


def until(key: str) -> Cloud:
    """All that comes before a sample."""
    cloud = Cloud(estate())
    for each in SAMPLES:
        if each == key:
            break
        make(cloud, each)
    return cloud


def whole() -> Cloud:
    cloud = Cloud(estate())
    for each in SAMPLES:
        make(cloud, each)
    return cloud


BENT: Final[dict[str, tuple[str, Mapping[str, Any], str, str]]] = {
    "a repository that is not there": ("environment", {"repository": "nowhere"}, "NotFound", "nowhere"),
    "rules of a repository that is not there": ("rules", {"repository": "nowhere"}, "NotFound", "nowhere"),
    "a name with a slash": ("repository", {"name": "contoso/made"}, "422", "contoso/made"),
    "a name of 101 letters": ("repository", {"name": "x" * 101}, "422", "1 to 100"),
    "a name that is taken": ("repository", {"name": "OLD"}, "422", "already exists"),
    "a visibility that does not exist": ("repository", {"visibility": "secret"}, "InvalidValue", "visibility"),
    "a content that is missing": ("file", {"content": None}, "MissingArgument", "content"),
    "too many reviewers": (
        "environment",
        {"reviewers": [{"teams": [42], "users": [1, 2, 3, 4, 5, 6]}]},
        "422",
        "at most 6",
    ),
    "a team that is not there": ("environment", {"reviewers": [{"teams": [43]}]}, "422", "team 43"),
    "a user that is not there": ("environment", {"reviewers": [{"users": [8]}]}, "422", "user 8"),
    "a wait of more than 30 days": ("environment", {"waitTimer": 43_201}, "InvalidValue", "waitTimer"),
    "a name of an environment with a quote": ("environment", {"environment": "it's"}, "422", "it's"),
    "both sorts of branches": (
        "environment",
        {"deploymentBranchPolicy": {"customBranchPolicies": True, "protectedBranches": True}},
        "422",
        "cannot have the same value",
    ),
    "a pattern for an environment that is not there": ("policy", {"environment": "x"}, "404", "no environment x"),
    "a pattern of nothing": ("policy", {"branchPattern": None}, "InvalidArgument", "branch_pattern"),
    "a variable of an environment that is not there": ("variable", {"environment": "x"}, "404", "no environment x"),
    "a variable with a hyphen": ("variable", {"variableName": "A-B"}, "422", "A-B"),
    "a variable that begins with a digit": ("variable", {"variableName": "1A"}, "422", "1A"),
    "a variable of GitHub's own": ("variable", {"variableName": "github_ref"}, "422", "github_ref"),
    "a variable of more than 48 KB": ("variable", {"value": "x" * (48 * 1024 + 1)}, "422", "48 KB"),
    "a branch in short": (
        "rules",
        {"conditions": {"refName": {"includes": ["main"], "excludes": []}}},
        "InvalidValue",
        "'main' is no ref",
    ),
    "rules without rules": ("rules", {"rules": {}}, "MissingArgument", "rules"),
    "a merge that does not exist": (
        "rules",
        {"rules": {"pullRequest": {"allowedMergeMethods": ["octopus"]}}},
        "422",
        "allowed_merge_methods",
    ),
    "no merge at all": ("rules", {"rules": {"pullRequest": {"allowedMergeMethods": []}}}, "422", "at least one"),
    "eleven reviews": (
        "rules",
        {"rules": {"pullRequest": {"requiredApprovingReviewCount": 11}}},
        "InvalidValue",
        "requiredApprovingReviewCount",
    ),
    "no check at all": (
        "rules",
        {"rules": {"requiredStatusChecks": {"requiredChecks": []}}},
        "MissingArgument",
        "required_check",
    ),
    "an enforcement that does not exist": ("rules", {"enforcement": "on"}, "InvalidValue", "enforcement"),
    "a target that does not exist": ("rules", {"target": "commit"}, "InvalidValue", "target"),
    "a list of actions where all are allowed": ("actions", {"allowedActions": "all"}, "InvalidValue", "selected"),
    "a word for actions that does not exist": (
        "actions",
        {"allowedActions": "some", "allowedActionsConfig": None},
        "InvalidValue",
        "allowedActions",
    ),
    "an action without an owner": (
        "actions",
        {"allowedActionsConfig": {"patternsAlloweds": ["checkout@v6"]}},
        "422",
        "checkout@v6",
    ),
    "a permission that does not exist": ("token", {"defaultWorkflowPermissions": "admin"}, "InvalidValue", "admin"),
    "an access that does not exist": ("access", {"accessLevel": "everybody"}, "InvalidValue", "everybody"),
}


@pytest.mark.parametrize("name", BENT)
def test_it_is_refused(name: str) -> None:
    key, bent, code, words = BENT[name]
    cloud = until(key)
    with refused(code, words):
        make(cloud, key, bent)


def test_the_samples_are_of_every_kind_and_are_taken() -> None:
    assert {token(cls) for cls, _ in SAMPLES.values()} == set(OF_GITHUB)
    assert len(whole().devops.resources) == len(SAMPLES)


def test_a_file_needs_a_branch() -> None:
    cloud = Cloud(estate())
    make(cloud, "repository", {"autoInit": False})
    with refused("404", "no branch main yet"):
        make(cloud, "file")


def test_a_file_that_is_there_is_not_overwritten_unless_asked() -> None:
    cloud = until("actions")
    with refused("FileExists", "overwrite_on_create"):
        make(cloud, "file")
    make(cloud, "file", {"overwriteOnCreate": True})


def test_a_guarded_branch_takes_no_push() -> None:
    with refused("409", "through a pull request"):
        make(whole(), "file", {"file": "another.txt"})


def test_a_guarded_branch_loses_no_file() -> None:
    with refused("409", "through a pull request"):
        whole().devops.delete(token("RepositoryFile"), "made/a/b.txt")


def test_an_environment_without_custom_branches_takes_no_pattern() -> None:
    cloud = until("environment")
    make(cloud, "environment", {"deploymentBranchPolicy": None})
    with refused("404", "custom branch policies"):
        make(cloud, "policy")


def test_a_second_set_of_rules_needs_another_name() -> None:
    with refused("422", "Name must be unique"):
        make(whole(), "rules", {"name": "MAIN"})


def test_a_second_variable_of_a_name_is_refused_whatever_its_case() -> None:
    with refused("409", "already exists"):
        make(whole(), "variable", {"variableName": "place"})


def test_an_environment_holds_a_hundred_variables() -> None:
    cloud = until("rules")
    for number in range(99):
        make(cloud, "variable", {"variableName": f"V{number}"})
    with refused("403", "at most 100"):
        make(cloud, "variable", {"variableName": "ONE_MORE"})


def test_what_is_public_is_not_shared() -> None:
    cloud = Cloud(estate())
    make(cloud, "repository", {"visibility": "public"})
    with refused("422", "public"):
        make(cloud, "access", {"repository": "made"})


def test_a_repository_stays_while_something_is_in_it() -> None:
    with refused("InUse", "made"):
        whole().devops.delete(token("Repository"), "made")


@pytest.mark.parametrize("key", [key for key in SAMPLES if OF_GITHUB[token(SAMPLES[key][0])].required])
def test_a_required_input_that_is_missing_is_told_before_anything_is_sent(key: str) -> None:
    cls, _ = SAMPLES[key]
    missing = {name for name, _ in Cloud(estate()).devops.check(token(cls), {})}
    assert missing == set(OF_GITHUB[token(cls)].required)


@pytest.mark.parametrize(
    ("configuration", "code"),
    [({}, "InvalidConfiguration"), ({"owner": ""}, "InvalidConfiguration"), ({"owner": "somebody"}, "404")],
)
def test_a_provider_that_leads_elsewhere_is_refused(configuration: Mapping[str, Any], code: str) -> None:
    with refused(code, ""):
        Cloud(estate()).devops.configure_github(configuration)


def test_a_provider_is_taken_whatever_the_case_of_the_owner() -> None:
    Cloud(estate()).devops.configure_github({"owner": "Contoso"})


class TestCredentialsForTokensOfGitHub:
    """A subject that GitHub never issues would let nobody in, and nobody would know why."""

    def trust(self, cloud: Cloud, subject: str, issuer: str = ISSUER) -> None:
        where = {"resourceGroupName": "rg"}
        cloud.create(GROUP, "rg", {"resourceGroupName": "rg", "location": "westeurope"}, subscription=SUBSCRIPTION)
        cloud.create(IDENTITY, "id-job", {**where, "resourceName": "id-job", "location": "westeurope"})
        name = {"federatedIdentityCredentialResourceName": "github"}
        said = {"issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]}
        cloud.create(
            CREDENTIAL,
            "github",
            {**where, "resourceName": "id-job", **name, **said},
        )

    def test_that_of_an_environment_is_taken(self) -> None:
        self.trust(whole(), "repo:contoso@4711/old@1:environment:prod")

    @pytest.mark.parametrize(
        "subject",
        [
            "repo:contoso/old:environment:prod",
            "repo:contoso@4711/old@1:environment:qa",
            "repo:contoso@4711/old@1:environment:Prod",
            "repo:contoso@4711/old@1:ref:refs/heads/main",
            "repo:contoso@4711/old@2:environment:prod",
            "repo:contoso@4711/made@1:environment:prod",
        ],
    )
    def test_any_other_is_refused(self, subject: str) -> None:
        with refused("BadRequest", "GitHub issues no token"):
            self.trust(whole(), subject)

    def test_another_issuer_is_refused(self) -> None:
        with refused("BadRequest", "GitHub issues no token"):
            self.trust(whole(), "repo:contoso@4711/old@1:environment:prod", f"{ISSUER}/contoso")

    def test_before_the_environment_there_is_no_such_token(self) -> None:
        with refused("BadRequest", "GitHub issues no token"):
            self.trust(until("environment"), "repo:contoso@4711/old@1:environment:prod")

    def test_a_repository_that_is_made_now_has_its_ids_in_it(self) -> None:
        cloud = whole()
        make(cloud, "environment", {"repository": "made"})
        (id,) = [
            each.outputs["repoId"] for each in cloud.devops.resources.values() if each.type_ == token("Repository")
        ]
        self.trust(cloud, f"repo:contoso@4711/made@{id}:environment:prod")


def test_what_exists_outlives_the_process() -> None:
    again = Cloud.load(whole().dump())
    assert again.devops.resources.keys() == whole().devops.resources.keys()
    with pytest.raises(CloudError, match="422"):
        make(again, "repository")
    assert again.devops.organization.owner == "contoso"
