"""Environments beyond those that ship, without a change to the program; all but one as `make environment` writes them.

`qa` is a further nonproduction environment, `prod-eu` a further one of production in another region; both use the
registry of their tier, so images reach them without a promotion of their own. `prod-us` is production made from
staging, in a region without zones, with a registry of its own. `legacy` is a second home of delivery, in a project that
somebody else owns and with an application on GitHub; there images are not signed, in all others they are. All run in
one session after the shipped ones, and everything that must hold of those must hold of all.
"""

from __future__ import annotations

import datetime
import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

import policies
import settings
from operations.environment.asking import Wanted
from operations.environment.drafting import draft
from operations.environment.writing import render
from operations.release_list import list_environment
from rehearsal.engine import Rehearsal
from rehearsal.pipelines import lint
from rehearsal.preview import plan, stand_in
from tests import authorisations, delivery, gates, leaks, pulls, registries, rights, roles
from tests.breaches import Invariant
from tests.environments import environments
from tests.graph import Landscape
from tests.signing import SIGNING, TRUSTING
from tests.stackfiles import ROOT, STACKS, Config, edited, shipped

PROJECT = "5a4b3c00-1111-4222-8333-444455556666"
CONNECTION = "4a3b2c00-1111-4222-8333-444455556666"
BORROWED = {"defender": {"plans": "existing"}}
"""The plans of a subscription have one owner, which is the environment that was there first."""


SIGNED: Mapping[str, Config] = {
    "staging": {"signing": {**SIGNING, "admission": "audit"}, "delivery.home.updates": True},
    "prod": {"signing": {**TRUSTING, "admission": "audit"}},
}


def base(stack: str) -> Config:
    """A shipped stack file, with images that are signed."""
    return edited(shipped(stack), SIGNED[stack])


def written(*wanted: Wanted) -> dict[str, Config]:
    """The files that `make environment` writes, one after the other, beside those that ship."""
    there = {stack: settings.parse(stack, base(stack), rehearsal=True) for stack in STACKS}
    found: dict[str, Config] = {}
    for each in wanted:
        new, notes = draft(each, there)
        there[each.name] = new
        found[each.name] = yaml.safe_load(render(new, (), notes))["config"]
    return found


CONFIGS: Mapping[str, Config] = {
    **{stack: base(stack) for stack in STACKS},
    **written(
        Wanted("qa", "staging"),
        Wanted("prod-eu", "prod", region="swedencentral"),
        Wanted("prod-us", "staging", tier="production", region="northcentralus", registry="own"),
    ),
    "legacy": edited(
        shipped("staging"),
        {
            **BORROWED,
            "network.addressSpace": "10.23.0.0/20",
            "delivery.home": {
                "project": {"name": "Legacy", "id": PROJECT},
                "github": {"repository": "contoso/legacy", "connectionId": CONNECTION},
                "extensions": [],
            },
        },
    ),
}
ENVIRONMENTS = environments(CONFIGS)
INVARIANTS = (
    *rights.INVARIANTS,
    *registries.INVARIANTS,
    *gates.INVARIANTS,
    *authorisations.INVARIANTS,
    *delivery.INVARIANTS,
    *pulls.INVARIANTS,
    *leaks.INVARIANTS,
)


def rehearse(directory: Path) -> dict[str, Any]:
    """The export of each stack, in the order in which they lean on each other."""
    directory.mkdir()
    for name, config in CONFIGS.items():
        (directory / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}), "utf-8")
    stacks = plan(directory, ())
    configs = {stack.name: stack.config for stack in stacks}
    cloud = stand_in(stack.settings for stack in stacks)
    with Rehearsal.open(ROOT, directory / "run", cloud, configs=configs) as rehearsal:
        for stack in stacks:
            rehearsal.update(stack.name)
        return {stack.name: rehearsal.export(stack.name) for stack in stacks}


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """One run for all workers of the session: the first makes it, the others wait and read it."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own
    result = shared / "further.pickle"
    with FileLock(shared / "further.lock"):
        if not result.is_file():
            result.write_bytes(pickle.dumps(rehearse(shared / "further")))
        found: Mapping[str, Any] = pickle.loads(result.read_bytes())
    return found


@pytest.fixture(scope="module")
def landscape(exports: Mapping[str, Any]) -> Landscape:
    return Landscape(exports)


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda each: each.__name__)
def test_what_holds_of_two_environments_holds_of_all(invariant: Invariant, landscape: Landscape) -> None:
    assert invariant(landscape, ENVIRONMENTS) == []


def classes(landscape: Landscape, stack: str) -> set[str]:
    return {each.cls for each in landscape.graphs[stack].devops}


@pytest.mark.parametrize("stack", ["qa", "prod-eu", "prod-us"])
def test_what_make_environment_writes_breaks_no_policy(stack: str, exports: Mapping[str, Any]) -> None:
    assert [str(each) for each in policies.judge(exports[stack], (), datetime.date(2026, 11, 23)) if each.blocks] == []


@pytest.mark.parametrize("stack", ["qa", "prod-eu"])
def test_a_further_environment_makes_nothing_that_there_is_once(stack: str, landscape: Landscape) -> None:
    once = {"Project", "Git", "GitRepositoryFile", "BuildDefinition", "BranchPolicyMinReviewers", "Extension"}
    assert not classes(landscape, stack) & once
    assert "Environment" in classes(landscape, stack)
    graph = landscape.graphs[stack]
    assert not graph.of("containerregistry:Registry")
    assert [each.name for each in graph.of("keyvault:Vault")] == ["workload-vault"]


@pytest.mark.parametrize(("stack", "lender"), [("qa", "staging"), ("prod-eu", "prod")])
def test_a_further_environment_pulls_from_its_tiers_registry_and_nobody_promotes_to_it(
    stack: str, lender: str, landscape: Landscape
) -> None:
    granted = rights.rights(landscape)
    assert [each.on for each in granted if each.who == f"{stack}/kubelet"] == [f"{lender}/registry"]
    assert f"{stack}/promote" not in landscape.principals.values()
    assert not [each for each in granted if each.who.startswith(f"{stack}/") and each.what == rights.IMPORTER]
    assert f"promote-{stack}" not in {thing.name for thing in gates.things(landscape)}


def test_nobody_else_writes_to_a_registry_because_more_clusters_pull_from_it(landscape: Landscape) -> None:
    found = {
        stack: registries.able(landscape, registry, roles.WRITES)
        for stack, registry in landscape.of("containerregistry:Registry")
    }
    assert found == {
        "staging": {"staging/ci", "prod/promote", "prod-us/promote"},
        "prod": {"prod/promote"},
        "prod-us": {"prod-us/promote"},
        "legacy": {"legacy/ci"},
    }


def test_releases_to_a_further_production_environment_wait_for_its_own_approvers(landscape: Landscape) -> None:
    approvals = [each.inputs for stack, each in landscape.devops("CheckApproval") if stack == "prod-eu"]
    groups = {each.outputs["originId"] for stack, each in landscape.devops("Group") if stack == "prod-eu"}
    assert len(approvals) == 4, "the environment, and who verifies, deploys and publishes dashboards"
    assert {approver for each in approvals for approver in each["approvers"]} <= groups


def test_what_is_on_github_is_neither_made_nor_guarded_here(landscape: Landscape) -> None:
    graph = landscape.graphs["legacy"]
    assert "Project" not in classes(landscape, "legacy")
    assert [each.inputs["name"] for each in graph.devops if each.cls == "Git"] == ["platform"]
    (platform,) = (each.id for each in graph.devops if each.cls == "Git")
    guarded = {
        scope["repositoryId"]
        for each in graph.devops
        if each.cls.startswith("BranchPolicy")
        for scope in each.inputs["settings"]["scopes"]
    }
    assert guarded == {platform}


def test_the_application_is_built_from_github_and_its_pull_requests_by_the_yaml(landscape: Landscape) -> None:
    pipelines = {
        each.inputs["name"]: each.inputs for stack, each in landscape.devops("BuildDefinition") if stack == "legacy"
    }
    sources = {name: (said["repository"]["repoType"], said["repository"]["repoId"]) for name, said in pipelines.items()}
    assert {name: source for name, source in sources.items() if name != "platform-pr"} == dict.fromkeys(
        ("pr", "ci", "cd"), ("GitHub", "contoso/legacy")
    )
    assert sources["platform-pr"][0] == "TfsGit"
    assert pipelines["pr"]["pullRequestTrigger"]["useYaml"] is True
    assert not [name for name, said in pipelines.items() if name != "pr" and said.get("pullRequestTrigger")]


def test_the_connection_to_github_is_for_exactly_the_pipelines_of_the_application(landscape: Landscape) -> None:
    found = [words for each, words in authorisations.authorised(landscape) if each.inputs["resourceId"] == CONNECTION]
    assert sorted(pipeline for pipeline, _, _ in found) == ["cd", "ci", "pr"]


def test_what_is_left_to_set_on_github_is_an_output(landscape: Landscape) -> None:
    outputs = {
        stack: next(each.outputs for each in graph.resources if each.type == "pulumi:pulumi:Stack")
        for stack, graph in landscape.graphs.items()
    }
    assert {stack for stack, told in outputs.items() if "onGitHub" in told} == {"legacy"}
    assert outputs["legacy"]["onGitHub"]["repository"] == "contoso/legacy"


def test_the_name_of_a_managed_pool_is_an_output_where_there_is_one(landscape: Landscape) -> None:
    for stack, graph in landscape.graphs.items():
        (told,) = (each.outputs for each in graph.resources if each.type == "pulumi:pulumi:Stack")
        pools = [each.inputs["poolName"] for where, each in landscape.of("devopsinfrastructure:Pool") if where == stack]
        assert [told[name] for name in ("agentPool",) if name in told] == pools


def test_the_pipelines_fit_an_environment_that_was_added_to_the_list(
    exports: Mapping[str, Any], tmp_path: Path
) -> None:
    """`make list-environment`, one after the other, then the linter on what it has written, with signed images."""
    listed = ("qa", "prod-eu", "prod-us")
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("components", "configuration", "workload", "docs", ".ci"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name, config in CONFIGS.items():
        (tmp_path / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}), "utf-8")
    missed = {str(each).partition("; ")[0] for each in lint(tmp_path, {name: exports[name] for name in STACKS})}
    assert {each.partition(": ")[2] for each in missed} == {
        "signing: staging has its images signed, and ci calls sign_image.py list nowhere",
        *(
            f"signing: the images of {stack} are signed, and {what}"
            for stack in STACKS
            for what in ("nobody verifies that before they are deployed", "this asks for no signature")
            if (stack, what) != ("staging", "this asks for no signature")
        ),
    }
    for file, old, new in (
        ("release.yml", "signed: false", "signed: true"),
        (
            "ci.yml",
            "- name: signed\n  type: boolean\n  default: false",
            "- name: signed\n  type: boolean\n  default: true",
        ),
    ):
        path = tmp_path / "pipelines" / "templates" / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
    lines = [list_environment(tmp_path, stack, exports[stack]) for stack in listed]
    assert [(line.promotes_from, line.after, bool(line.pool)) for line in lines if line] == [
        (None, "staging", False),
        (None, "prod", True),
        ("staging", None, True),
    ]
    assert lint(tmp_path, {name: exports[name] for name in (*STACKS, *listed)}) == []
