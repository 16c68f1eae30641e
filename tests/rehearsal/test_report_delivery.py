"""The report tells the Azure DevOps half: who may do what, which gates stand where, what starts a pipeline."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.access import ROLES, role_name
from rehearsal import report
from rehearsal.delivery import rights, starts
from rehearsal.report import Names
from tests.conftest import Rehearsed
from tests.rehearsal.delivered import CD_YAML, Stack, prod, staging


def told(*stacks: Stack) -> tuple[str, dict[str, list[str]]]:
    """The tree of the last stack, and the sections of its summary."""
    exports = [stack.export for stack in stacks]
    names = Names.of(exports, role_name)
    sections = report.summary(exports[-1], names)
    return report.tree(exports[-1], names), {each.title: list(each.lines) for each in sections}


@pytest.fixture
def home() -> Stack:
    return staging()


@pytest.fixture
def production() -> Stack:
    return prod()


class TestTheTree:
    def test_of_the_home_of_delivery_tells_what_is_many_in_one_line_each(self, home: Stack) -> None:
        tree, _ = told(home)
        assert [" ".join(line.split()) for line in tree.splitlines()] == [
            "├─ delivery aks-cicd:delivery:Delivery",
            "│ ├─ BranchPolicy repository application built by pr; 1 reviewer beside the author; squash only",
            "│ ├─ BranchPolicy repository platform built by platform-pr; 1 reviewer beside the author; squash only",
            "│ ├─ BuildDefinition cd cd.yml, started by the end of ci on main",
            "│ ├─ BuildDefinition ci ci.yml, started by a push to main",
            "│ ├─ BuildDefinition platform-pr platform-pr.yml, started by a pull request to platform",
            "│ ├─ BuildDefinition pr pr.yml, started by a pull request to application",
            "│ ├─ Check connection ci main only",
            "│ ├─ Check environment staging one at a time",
            "│ ├─ DataCollectionRule dcr 0 streams",
            "│ ├─ Environment staging",
            "│ ├─ Extension scanner ms",
            "│ ├─ FederatedIdentityCredential fc-ci trusts connection ci",
            "│ ├─ Git application",
            "│ ├─ Git platform",
            "│ ├─ GitRepositoryFile 3 files seeded into application (kept on destroy)",
            "│ ├─ PipelineAuthorization connection ci for ci",
            "│ ├─ PipelineAuthorization environment staging for cd",
            "│ ├─ PipelineAuthorization repository platform for cd, ci, pr",
            "│ ├─ PipelineAuthorization variables environment-staging for cd, ci",
            "│ ├─ Project Shop private",
            "│ ├─ Registry crone public",
            "│ ├─ ServiceEndpointAzureRM ci signs in as id-ci",
            "│ ├─ UserAssignedIdentity id-ci",
            "│ ├─ VariableGroup environment-staging 2 variables",
            "│ ├─ RoleAssignment AcrPush → id-ci @ crone",
            "│ └─ RoleAssignment Monitoring Metrics Publisher → id-ci @ dcr",
            "└─ ResourceGroup staging",
        ]

    def test_of_production_tells_gates_and_people_by_name(self, home: Stack, production: Stack) -> None:
        tree, _ = told(home, production)
        lines = [" ".join(line.split()) for line in tree.splitlines()]
        gates = "approval: approvers-prod, main only, one at a time, template release.yml, Mon–Wed 08:00–17:00"
        for expected in (
            f"│ ├─ Check environment prod {gates}",
            f"│ ├─ Check connection promote-prod {gates}",
            "│ ├─ Group Somebody a-directory-id of the directory",
            "│ ├─ GroupMembership members group a-directory-id, nobody else",
            "│ ├─ PipelineAuthorization agents agents for cd",
            "│ ├─ Pool agents at most 4, D2, ubuntu, in snet-agents",
            "│ ├─ SecurityroleAssignment environment prod approvers-prod as User",
            "│ ├─ RoleAssignment Azure Kubernetes Service RBAC Writer → id-deploy-prod @ namespace shop of aks",
        ):
            assert expected in lines

    def test_tells_ninety_files_in_one_line_as_it_does_three(self, home: Stack) -> None:
        few, _ = told(home)
        for n in range(87):
            home.have("GitRepositoryFile", f"more-{n}", f"{n}", repositoryId="r-application", file=f"{n}.py")
        home.find("more-1")["retainOnDelete"] = True
        many, sections = told(home)
        assert len(many.splitlines()) == len(few.splitlines())
        assert "90 files seeded" in many
        assert "kept on destroy" not in many, "not all of them are"
        assert "application  Azure Repos, 90 files seeded" in sections["Repositories"]
        assert not [line for line in sections["Protected, locked, or kept on destroy"] if ".py" in line]

    def test_does_not_depend_on_the_order_of_the_engine(self, home: Stack, production: Stack) -> None:
        expected = told(home, production)
        for seed in range(5):
            for stack in (home, production):
                random.Random(seed).shuffle(stack.states)
            assert told(home, production) == expected


class TestWhoMayDoWhat:
    def test_names_every_identity_who_acts_as_it_and_each_right_in_words(self, home: Stack, production: Stack) -> None:
        assert told(home)[1]["Who may do what"] == [
            "id-ci  for the pipeline ci by the connection ci",
            "  pushes images to crone",
            "  writes rows of Runs_CL by dcr",
        ]
        assert told(home, production)[1]["Who may do what"] == [
            "aks (kubelet)",
            "  pulls images from crtwo",
            "id-deploy-prod  for the pipeline cd by the connection deploy-prod",
            "  writes in namespace shop of aks",
            "id-promote-prod  for the pipeline cd by the connection promote-prod",
            "  reads and imports images of crone ← staging",
            "  reads and imports images of crtwo",
            "approvers-prod  whose members are group a-directory-id",
            "  approves environment prod, connections deploy-prod promote-prod",
            "  is User of environment prod",
        ]

    def test_a_grant_that_is_gone_is_gone_from_the_report(self, home: Stack) -> None:
        home.drop("p-ci-AcrPush-crone")
        assert "  pushes images to crone" not in told(home)[1]["Who may do what"]

    def test_an_identity_without_a_right_is_still_listed(self, home: Stack) -> None:
        for name in ("p-ci-AcrPush-crone", "p-ci-Monitoring Metrics Publisher-dcr"):
            home.drop(name)
        assert told(home)[1]["Who may do what"][1] == "  nothing"

    def test_a_credential_that_trusts_something_else_lets_no_pipeline_in(self, home: Stack) -> None:
        home.find("fc-ci")["outputs"]["subject"] = "repo:somebody/else"
        assert told(home)[1]["Who may do what"][0] == "id-ci  for the subject repo:somebody/else"
        home.drop("fc-ci")
        assert told(home)[1]["Who may do what"][0] == "id-ci  for nobody yet"

    def test_a_connection_that_no_pipeline_may_use_says_so(self, home: Stack) -> None:
        home.drop("endpoint-e-ci-for-2")
        assert "for no pipeline by the connection ci" in told(home)[1]["Who may do what"][0]

    def test_whoever_no_stack_has_made_is_named_with_what_grants_it(self, home: Stack) -> None:
        home.grant("stranger", "Reader", "/subscriptions/0001")
        lines = told(home)[1]["Who may do what"]
        assert "service principal stranger  (granted by delivery)" in lines
        assert "  reads settings of subscription 0001 ← no stack at hand" in lines

    def test_an_administrator_of_an_environment_is_warned_of(self, home: Stack, production: Stack) -> None:
        production.find("seen")["outputs"]["roleName"] = "Administrator"
        _, sections = told(home, production)
        assert "  is ADMINISTRATOR of environment prod" in sections["Who may do what"]
        assert sections["Warnings"] == [
            "- approvers-prod administers environment prod: whoever does can pass by its gates."
        ]

    def test_has_words_for_every_role_that_the_program_grants(self) -> None:
        assert set(ROLES.values()) <= rights.WORDS.keys()


class TestGates:
    def test_what_is_guarded_alike_is_told_once(self, home: Stack, production: Stack) -> None:
        assert told(home, production)[1]["Gates"] == [
            "environment prod, connections deploy-prod promote-prod",
            "  approval           by approvers-prod, 1 of them, never by who asks, within 72 hours",
            "  branch control     main only, protected",
            "  exclusive lock     one run at a time",
            "  required template  t/release.yml of Shop/platform at main",
            "  business hours     Mon–Wed 08:00–17:00 UTC",
        ]

    @pytest.mark.parametrize(
        ("check", "name"),
        [
            ("Approval", "approval"),
            ("BranchControl", "branch control"),
            ("ExclusiveLock", "exclusive lock"),
            ("RequiredTemplate", "required template"),
        ],
    )
    def test_a_gate_that_production_lacks_is_told_for_the_thing_that_lacks_it(
        self, check: str, name: str, home: Stack, production: Stack
    ) -> None:
        production.drop(f"e-promote-prod-{check}")
        lines = told(home, production)[1]["Gates"]
        assert "environment prod, connection deploy-prod" in lines
        after = lines[lines.index("connection promote-prod") :]
        assert [line.split() for line in after if "NONE" in line] == [[*name.split(), "NONE"]]

    def test_a_thing_without_any_gate_is_told_too(self, home: Stack) -> None:
        home.drop("7-ExclusiveLock")
        assert told(home)[1]["Gates"][:2] == ["environment staging", "  none"]

    def test_a_gate_stands_before_the_thing_of_its_own_stack(self, home: Stack, production: Stack) -> None:
        assert told(home, production)[1]["Gates"][0].startswith("environment prod")
        assert told(production, home)[1]["Gates"][0] == "environment staging"

    @pytest.mark.parametrize(
        ("name", "change", "line"),
        [
            ("Approval", {"requesterCanApprove": True}, "WHO ASKS MAY APPROVE"),
            ("Approval", {"minimumRequiredApprovers": 0}, "all of them"),
            ("Approval", {"approvers": []}, "by NOBODY"),
            ("Approval", {"approvers": ["unknown"]}, "by unknown"),
            ("BranchControl", {"allowedBranches": "*"}, "any branch only, protected"),
            ("BranchControl", {"allowedBranches": "refs/heads/a, refs/heads/b"}, "a b only, protected"),
            ("BranchControl", {"verifyBranchProtection": False}, "main only, PROTECTED OR NOT"),
            ("BranchControl", {"ignoreUnknownProtectionStatus": True}, "passes where that is not known"),
            ("BusinessHours", {"tuesday": False}, "Mon Wed 08:00–17:00 UTC"),
            ("BusinessHours", dict.fromkeys(("monday", "tuesday", "wednesday"), False), "never 08:00"),
        ],
    )
    def test_a_weaker_gate_is_told_as_it_is(
        self, name: str, change: Mapping[str, Any], line: str, home: Stack, production: Stack
    ) -> None:
        production.find(f"e-promote-prod-{name}")["outputs"] |= change
        lines = told(home, production)[1]["Gates"]
        assert [each for each in lines[lines.index("connection promote-prod") :] if line in each]

    def test_a_kind_of_check_that_is_not_known_is_there_by_its_kind(self, home: Stack) -> None:
        home.gate("RestApi", "environment", "7")
        assert "  CheckRestApi" in told(home)[1]["Gates"]


class TestRepositories:
    def test_say_what_their_branch_takes(self, home: Stack) -> None:
        assert told(home)[1]["Repositories"] == [
            "application  Azure Repos, 3 files seeded",
            "  built by pr, good for 12 hours",
            "  1 reviewer beside the author, never who pushed last, a push resets votes",
            "  squash only",
            "platform  Azure Repos",
            "  built by platform-pr, good for 12 hours",
            "  1 reviewer beside the author, never who pushed last, a push resets votes",
            "  squash only",
        ]

    @pytest.mark.parametrize(
        ("policy", "change", "line"),
        [
            ("reviewed", {"submitterCanVote": True}, "  1 reviewer, THE AUTHOR COUNTS, never who pushed last"),
            ("reviewed", {"reviewerCount": 2}, "  2 reviewers beside the author"),
            ("squashed", {"allowBasicNoFastForward": True}, "  squash, merge only"),
            ("squashed", {"allowSquash": False}, "  nothing only"),
        ],
    )
    def test_a_weaker_policy_is_told_as_it_is(
        self, policy: str, change: Mapping[str, Any], line: str, home: Stack
    ) -> None:
        home.find(f"application-{policy}")["outputs"]["settings"] |= change
        assert [each for each in told(home)[1]["Repositories"] if each.startswith(line)]

    @pytest.mark.parametrize(("key", "word"), [("enabled", "(OFF)"), ("blocking", "(OPTIONAL)")])
    def test_a_policy_that_holds_nothing_up_says_so(self, key: str, word: str, home: Stack) -> None:
        home.find("application-built")["outputs"][key] = False
        tree, sections = told(home)
        assert f"  built by pr, good for 12 hours {word}" in sections["Repositories"]
        assert f"built by pr {word}; 1 reviewer" in tree

    def test_a_branch_that_nothing_guards_says_so(self, home: Stack) -> None:
        for policy in ("built", "reviewed", "squashed"):
            home.drop(f"platform-{policy}")
        assert told(home)[1]["Repositories"][-1] == "  NO POLICY GUARDS IT"

    def test_on_github_are_guarded_there(self, home: Stack) -> None:
        home.find("ci")["outputs"]["repository"] |= {"repoType": "GitHub", "repoId": "contoso/shop"}
        lines = told(home)[1]["Repositories"]
        assert lines[lines.index("contoso/shop  GitHub") + 1] == "  guarded there, not here"
        assert "  started by what ci.yml of contoso/shop says" in told(home)[1]["Pipelines"]


class TestPipelines:
    def test_say_what_starts_them_and_what_they_may_use(self, home: Stack, production: Stack) -> None:
        assert told(home)[1]["Pipelines"] == [
            "cd",
            "  started by the end of ci on main",
            "  uses environment staging, variables environment-staging, repository platform",
            "ci",
            "  started by a push to main",
            "  uses connection ci, variables environment-staging, repository platform",
            "platform-pr",
            "  started by a pull request to platform",
            "pr",
            "  started by a pull request to application",
            "  uses repository platform",
        ]
        assert told(home, production)[1]["Pipelines"] == [
            "cd  of staging",
            "  uses environment prod, connections deploy-prod promote-prod, agents agents",
        ]

    def test_of_a_stack_that_is_not_at_hand_are_told_by_their_id(self, production: Stack) -> None:
        assert told(production)[1]["Pipelines"][0] == "pipeline 3  of no stack at hand"

    @pytest.mark.parametrize("change", ["gone", "off"])
    def test_without_their_policy_start_no_more_with_a_pull_request(self, change: str, home: Stack) -> None:
        if change == "gone":
            home.drop("application-built")
        else:
            home.find("application-built")["outputs"]["enabled"] = False
        lines = told(home)[1]["Pipelines"]
        assert lines[lines.index("pr") + 1] == "  started by what pr.yml of application says"

    def test_an_authorisation_for_all_is_told_and_warned_of(self, home: Stack) -> None:
        home.allow(None, "endpoint", "e-ci")
        _, sections = told(home)
        assert "EVERY PIPELINE" in sections["Pipelines"]
        assert "for the pipelines EVERY PIPELINE, ci by the connection ci" in sections["Who may do what"][0]
        assert sections["Warnings"] == [
            "- Every pipeline of the project may use connection ci: its authorisation names none."
        ]

    def test_a_group_of_variables_that_is_open_is_warned_of(self, home: Stack) -> None:
        home.find("facts")["outputs"]["allowAccess"] = True
        tree, sections = told(home)
        assert "OPEN TO EVERY PIPELINE" in tree
        assert sections["Warnings"] == [
            "- Every pipeline of the project may use variables environment-staging: the group is open."
        ]


@pytest.mark.parametrize(
    ("yaml", "github", "words"),
    [
        ("steps: []", False, ["a push to any branch"]),
        ("steps: []", True, ["a push to any branch", "a pull request to any branch"]),
        ("trigger: none", False, []),
        ("trigger: none\npr: none", True, []),
        ("trigger: none\npr: [main, next]", True, ["a pull request to main next"]),
        ("trigger: none\npr: [main]", False, []),
        ("trigger: {batch: true}", False, ["a push to any branch"]),
        ("trigger: {branches: [main]}", False, ["a push to main"]),
        ("trigger: {branches: {include: [main], exclude: [x]}}", False, ["a push to main"]),
        ("trigger: none\nschedules: [{cron: '0 3 * * *'}]", False, ["the clock, 0 3 * * *"]),
        ("trigger: none\nresources: {pipelines: [{source: ci}]}", False, []),
        ("trigger: none\nresources: {pipelines: [{source: ci, trigger: none}]}", False, []),
        ("trigger: none\nresources: {pipelines: [{source: ci, trigger: true}]}", False, ["the end of ci"]),
        (CD_YAML, False, ["the end of ci on main"]),
        ("trigger: none\nresources: [1]", False, []),
    ],
)
def test_what_starts_a_pipeline_is_read_as_azure_pipelines_does(yaml: str, github: bool, words: list[str]) -> None:
    found = starts.read(yaml, github)
    assert found
    assert list(found.words) == words


@pytest.mark.parametrize("yaml", ["a: [", "just words", "- 1"])
def test_what_is_no_pipeline_starts_nothing_that_is_known(yaml: str) -> None:
    assert starts.read(yaml, False) is None


class TestDelivery:
    def test_lists_project_extensions_facts_and_machines(self, home: Stack, production: Stack) -> None:
        assert told(home)[1]["Delivery"] == [
            "project    Shop: private",
            "extension  scanner of ms",
            "variables  environment-staging: 2 facts for cd, ci",
            "agents     none of its own: Microsoft-hosted",
        ]
        assert told(home, production)[1]["Delivery"] == [
            "agents  agents: at most 4, D2, ubuntu, in snet-agents, for cd",
        ]

    def test_machines_outside_every_network_say_so(self, home: Stack, production: Stack) -> None:
        del production.find("agents")["outputs"]["fabricProfile"]["networkProfile"]
        assert "IN NO NETWORK OF OURS" in told(home, production)[1]["Delivery"][0]

    def test_facts_and_machines_that_nobody_may_use_say_so(self, home: Stack, production: Stack) -> None:
        for pipeline in (2, 3):
            home.drop(f"variablegroup-8-for-{pipeline}")
        production.drop("queue-99-for-3")
        assert "variables  environment-staging: 2 facts for no pipeline" in told(home)[1]["Delivery"]
        assert told(home, production)[1]["Delivery"][0].endswith(", for no pipeline")


class TestOfTheShippedStacks:
    def test_without_any_one_resource_of_its_delivery_the_report_is_another(
        self, rehearsed: Mapping[str, Rehearsed]
    ) -> None:
        """Gates, authorisations, policies and files share lines; none of them hides in one."""
        exports = {stack: copy.deepcopy(dict(run.export)) for stack, run in rehearsed.items()}
        for stack, whole in exports.items():
            before = _text(exports, stack)
            for state in list(_of_delivery(whole)):
                states = whole["deployment"]["resources"]
                place = states.index(state)
                states.remove(state)
                assert _text(exports, stack) != before, state["urn"]
                states.insert(place, state)

    def test_each_identity_that_signs_in_acts_for_one_pipeline(self, rehearsed: Mapping[str, Rehearsed]) -> None:
        exports = {stack: run.export for stack, run in rehearsed.items()}
        for stack in exports:
            heads = [line for line in _text(exports, stack).splitlines() if " by the connection " in line]
            assert heads
            assert all(" for the pipeline c" in line for line in heads)

    def test_only_promotion_reaches_over_to_another_stack(self, rehearsed: Mapping[str, Rehearsed]) -> None:
        exports = {stack: run.export for stack, run in rehearsed.items()}
        reaching = [line.strip() for stack in exports for line in _text(exports, stack).splitlines() if "← " in line]
        images = next(r for r in rehearsed["staging"].graph.azure if r.kind == "containerregistry:Registry")
        assert reaching == [f"reads and imports images of {images.outputs['name']} ← staging"]


def _text(exports: Mapping[str, Mapping[str, Any]], stack: str) -> str:
    names = Names.of(exports.values(), role_name)
    tree = report.tree(exports[stack], names)
    return tree + report.render(report.summary(exports[stack], names))


def _of_delivery(whole: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything of Azure DevOps and all rights; of the files that were seeded, which are told by their number, one."""
    kinds = (":RoleAssignment", ":FederatedIdentityCredential", ":UserAssignedIdentity", ":Pool", ":DevCenter")
    seeded = False
    for state in whole["deployment"]["resources"]:
        if state["type"].endswith(":GitRepositoryFile"):
            if not seeded:
                yield state
            seeded = True
        elif state["type"].startswith("azuredevops:") or state["type"].endswith(kinds):
            yield state
