"""Pipelines, branch policies, extensions and facts."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from components.delivery import ExtensionsArgs, Facts, GitHubRepository
from components.delivery.environment import variables
from components.delivery.extensions import KNOWN
from components.delivery.pipelines import CD, CI, PLATFORM_PR, PR, AzureRepository, pull_requests, source
from tests.deliveries import CONNECTION, FACTS, Delivered, environment, home, in_an_existing_project

GITHUB = GitHubRepository("contoso/shop", CONNECTION)


@pytest.fixture(scope="module")
def found() -> Delivered:
    return home()


class TestDefinitions:
    def test_each_reads_its_yaml_from_main_of_its_repository(self, found: Delivered) -> None:
        repositories = found.ids("Git")
        for each in found.of("BuildDefinition").values():
            wanted = "platform" if each["name"] == PLATFORM_PR else "application"
            repository = each["repository"]
            assert repository["repoType"] == "TfsGit"
            assert repository["repoId"] == repositories[wanted]
            assert repository["ymlPath"] == f"pipelines/{each['name']}.yml"
            assert repository["branchName"] == "refs/heads/main"

    def test_a_run_may_act_in_its_own_project_only_and_a_new_pipeline_starts_none(self, found: Delivered) -> None:
        definitions = found.of("BuildDefinition").values()
        assert {each["jobAuthorizationScope"] for each in definitions} == {"project"}
        assert [each["features"] for each in definitions] == [[{"skipFirstRun": True}]] * 4

    def test_no_pipeline_holds_a_variable_or_a_second_trigger(self, found: Delivered) -> None:
        for each in found.of("BuildDefinition").values():
            assert not {"variables", "variableGroups", "buildCompletionTriggers", "schedules"} & each.keys()
            assert each["ciTrigger"] == {"useYaml": True}

    def test_in_azure_repos_policies_start_the_pull_request_pipelines(self) -> None:
        assert [pull_requests(name, AzureRepository("id")) for name in (PR, CI, CD)] == [None] * 3

    def test_on_github_the_yaml_does_and_never_for_a_fork(self) -> None:
        made = in_an_existing_project(application=GITHUB).of("BuildDefinition")
        triggers = {each["name"]: each.get("pullRequestTrigger") for each in made.values()}
        assert triggers == {
            PR: {"useYaml": True, "forks": {"enabled": False, "shareSecrets": False}},
            CI: None,
            CD: None,
            PLATFORM_PR: None,
        }

    def test_on_github_a_pipeline_reads_by_the_connection_and_may_use_it(self) -> None:
        found = in_an_existing_project(application=GITHUB)
        repositories = {each["name"]: each["repository"] for each in found.of("BuildDefinition").values()}
        for name in (PR, CI, CD):
            assert repositories[name]["repoType"] == "GitHub"
            assert repositories[name]["repoId"] == "contoso/shop"
            assert repositories[name]["serviceConnectionId"] == CONNECTION
        ids = found.ids("BuildDefinition")
        opened = {
            each["pipelineId"]
            for each in found.of("PipelineAuthorization").values()
            if each["resourceId"] == CONNECTION
        }
        assert opened == {int(ids[name]) for name in (PR, CI, CD)}

    def test_a_source_names_main_in_full(self) -> None:
        """The provider's default is master."""
        for repository in (AzureRepository("id"), GITHUB):
            assert source(repository, "a.yml").branch_name == "refs/heads/main"


class TestPolicies:
    @pytest.mark.parametrize(("repository", "pipeline"), [("application", PR), ("platform", PLATFORM_PR)])
    def test_nothing_is_merged_that_its_own_pull_request_pipeline_has_not_built(
        self, found: Delivered, repository: str, pipeline: str
    ) -> None:
        policy = found.of("BranchPolicyBuildValidation")[f"{repository}-is-built"]
        assert policy["settings"]["buildDefinitionId"] == int(found.ids("BuildDefinition")[pipeline])
        assert (policy["enabled"], policy["blocking"]) == (True, True)

    def test_a_push_builds_anew_by_itself_and_a_green_build_does_not_count_for_ever(self, found: Delivered) -> None:
        for policy in found.of("BranchPolicyBuildValidation").values():
            settings = policy["settings"]
            assert settings["manualQueueOnly"] is False
            # With these two, a build counts for the minutes given once main has moved on; 0 would be for ever.
            assert settings["queueOnSourceUpdateOnly"] is True
            assert settings["validDuration"] == 720

    def test_every_policy_blocks_and_covers_main_of_its_repository(self, found: Delivered) -> None:
        ids = found.ids("Git")
        for kind in ("BuildValidation", "MinReviewers", "CommentResolution", "MergeTypes"):
            policies = found.of(f"BranchPolicy{kind}")
            assert len(policies) == 2
            for name, policy in policies.items():
                repository = ids[name.partition("-is-")[0]]
                wanted = {"repositoryId": repository, "repositoryRef": "refs/heads/main", "matchType": "Exact"}
                assert policy["settings"]["scopes"] == [wanted]
                assert policy["blocking"] is True

    def test_another_person_reviews_what_is_merged_as_it_is_merged(self, found: Delivered) -> None:
        for policy in found.of("BranchPolicyMinReviewers").values():
            settings = policy["settings"]
            assert settings["reviewerCount"] == 1
            assert settings["submitterCanVote"] is False
            assert settings["lastPusherCannotApprove"] is True
            assert settings["onPushResetAllVotes"] is True
            assert settings["allowCompletionWithRejectsOrWaits"] is False

    def test_history_is_squashed(self, found: Delivered) -> None:
        for policy in found.of("BranchPolicyMergeTypes").values():
            kept = {key for key, value in policy["settings"].items() if value is True}
            assert kept == {"allowSquash"}

    def test_no_review_at_all_is_no_option(self) -> None:
        with pytest.raises(ValueError, match="one person beside its author"):
            home(reviewers=0)


class TestExtensions:
    def test_the_scanner_is_installed_and_stays_and_the_mapping_is_left_to_defender(self, found: Delivered) -> None:
        (extension,) = found.of("Extension").values()
        assert (extension["publisherId"], extension["extensionId"]) == (
            "ms-securitydevops",
            "microsoft-security-devops-azdevops",
        )
        assert "version" not in extension
        assert [options.retain_on_delete for options in found.options("Extension")] == [True]

    @pytest.mark.parametrize("owned", [(), tuple(KNOWN)])
    def test_what_is_owned_is_a_choice(self, owned: tuple[str, ...]) -> None:
        assert len(home(extensions=ExtensionsArgs(owned)).of("Extension")) == len(owned)


class TestFacts:
    def test_a_variable_is_named_as_its_field_and_never_twice_whatever_the_case(self) -> None:
        everything = Facts(**{field.name: field.name for field in fields(Facts)})
        named = variables(everything)
        assert named["registryLoginServer"] == "registry_login_server"
        assert len({name.lower() for name in named}) == len(fields(Facts))

    def test_what_an_environment_does_not_have_is_left_out(self) -> None:
        assert "agentPool" not in variables(FACTS)
        assert variables(replace(FACTS, agent_pool="pool"))["agentPool"] == "pool"

    def test_the_group_holds_them_in_one_order(self) -> None:
        names = [each["name"] for each in environment().one("VariableGroup")["variables"]]
        assert names == list(variables(FACTS))
        assert names == sorted(names)
