"""Project, repositories and their seeds."""

from __future__ import annotations

import pytest

from components.delivery import GitHubRepository
from components.delivery.policies import rules_on_github
from components.delivery.project import SERVICES, USED, features, seeding_order
from tests.deliveries import CONNECTION, PROJECT, SEEDS, Delivered, home, in_an_existing_project


@pytest.fixture(scope="module")
def found() -> Delivered:
    return home()


class TestProject:
    def test_only_the_services_that_are_used_are_on(self, found: Delivered) -> None:
        project = found.one("Project")
        assert {name for name, state in project["features"].items() if state == "enabled"} == USED
        assert project["features"].keys() == set(SERVICES)
        assert project["visibility"] == "private"

    def test_more_services_can_be_asked_for_and_fewer_or_unknown_ones_cannot(self) -> None:
        assert features(USED | {"boards"})["boards"] == "enabled"
        for wrong in (frozenset({"pipelines"}), USED | {"wiki"}):
            with pytest.raises(ValueError, match="delivery project"):
                features(wrong)

    def test_a_runs_token_reaches_its_own_project_and_the_repositories_that_it_names(self, found: Delivered) -> None:
        settings = found.one("ProjectPipelineSettings")
        assert {name for name, value in settings.items() if value is not True} == {"projectId"}
        assert {"enforceJobScope", "enforceReferencedRepoScopedToken", "enforceSettableVar"} <= settings.keys()

    def test_nobody_deletes_project_repositories_or_pipelines_by_mistake(self, found: Delivered) -> None:
        for kind, number in (("Project", 1), ("Git", 2), ("BuildDefinition", 4)):
            assert [options.protect for options in found.options(kind)] == [True] * number


class TestSeeds:
    def test_how_a_repository_began_is_forgotten(self, found: Delivered) -> None:
        """Azure DevOps does not tell it, and a change of it would replace the repository."""
        assert [options.ignore_changes for options in found.options("Git")] == [["initialization"]] * 2

    def test_each_repository_gets_its_files_on_main_and_nothing_is_overwritten(self, found: Delivered) -> None:
        files = found.of("GitRepositoryFile").values()
        assert {each["file"]: each["content"] for each in files} == {**SEEDS.files, "app/main.py": "print()"}
        assert {each["branch"] for each in files} == {"refs/heads/main"}
        assert {each["overwriteOnCreate"] for each in files} == {False}

    def test_a_seed_is_left_alone_once_it_is_there(self, found: Delivered) -> None:
        for options in found.options("GitRepositoryFile"):
            assert options.retain_on_delete
            assert {"content", "commitMessage"} <= set(options.ignore_changes or ())

    def test_files_are_pushed_one_after_another(self, found: Delivered) -> None:
        names = [f"platform-seed-{path}" for path in sorted(SEEDS.files)]
        options = [found.options("GitRepositoryFile", name)[0] for name in names]
        before = [getattr(each.depends_on[0], "_name", "") for each in options]  # type: ignore[index]
        assert before == ["platform-repository", *names[:-1]]

    @pytest.mark.parametrize("path", ["/rooted.md", "../outside.md", "a/../../b", "", "README.md", "readme.md"])
    def test_a_path_that_would_be_refused_is_refused_here(self, path: str) -> None:
        with pytest.raises(ValueError, match="seeded"):
            seeding_order({path: "text"})

    def test_the_order_does_not_depend_on_how_the_files_were_listed(self) -> None:
        seeds = {"b": "", "a/b": "", "a": ""}
        assert seeding_order(seeds) == seeding_order(dict(reversed(seeds.items()))) == ["a", "a/b", "b"]


class TestExisting:
    def test_an_existing_projects_services_and_settings_are_its_owners(self) -> None:
        made = in_an_existing_project()
        assert not made.of("Project")
        assert not made.of("ProjectPipelineSettings")
        assert {each["projectId"] for each in made.of("Git").values()} == {PROJECT}

    def test_an_application_on_github_gets_no_repository_and_no_policy_here(self) -> None:
        made = in_an_existing_project(application=GitHubRepository("contoso/shop", CONNECTION))
        assert [each["name"] for each in made.of("Git").values()] == ["platform"]
        assert {name.partition("-is-")[0] for name in made.of("BranchPolicyMinReviewers")} == {"platform"}

    def test_what_is_left_to_set_on_github_is_what_azure_repos_would_have(self) -> None:
        """Held against the policies that the same settings make here."""
        rules = rules_on_github("contoso/shop", "pr", reviewers=2)
        protection = rules["branchProtection"]
        reviews = protection["required_pull_request_reviews"]
        here = home(reviewers=2)
        settings = next(iter(here.of("BranchPolicyMinReviewers").values()))["settings"]
        assert reviews["required_approving_review_count"] == settings["reviewerCount"]
        assert reviews["require_last_push_approval"] is settings["lastPusherCannotApprove"]
        assert reviews["dismiss_stale_reviews"] is settings["onPushResetApprovedVotes"]
        merges = next(iter(here.of("BranchPolicyMergeTypes").values()))["settings"]
        assert rules["repositorySettings"] == {
            "allow_squash_merge": merges["allowSquash"],
            "allow_merge_commit": merges["allowBasicNoFastForward"],
            "allow_rebase_merge": merges["allowRebaseAndFastForward"],
        }
        assert protection["required_status_checks"] == {"strict": True, "contexts": ["pr"]}
        assert protection["required_conversation_resolution"] is bool(here.of("BranchPolicyCommentResolution"))
        assert rules["branch"] == "main"
