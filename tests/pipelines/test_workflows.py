"""The workflows of GitHub Actions against the stacks on GitHub: no finding; each kind of mistake, in a copy, is one.

And against the pipelines of Azure: both platforms do the same, as the same, behind the same gates, in the same order.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.delivery.seeds import GITHUB_LIST, seeded
from rehearsal.errors import RehearsalError
from rehearsal.workflows import lint
from rehearsal.workflows import on_github as is_on_github
from rehearsal.workflows.reading import Workflows
from rehearsal.workflows.release import NOT_ON_GITHUB, Part, of_pipelines, of_workflows, wanted_gates
from tests.breaches import Broken
from tests.conftest import ROOT, Rehearsed
from tests.stackfiles import STACKS

BIN = ROOT / ".tools" / "bin"
Exports = Mapping[str, Any]


@pytest.fixture(scope="module")
def exports(on_github: Mapping[str, Any]) -> Exports:
    return {stack: on_github[stack] for stack in STACKS}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what workflows are made of; what no test changes is linked."""
    shutil.copytree(ROOT / "workflows", tmp_path / "workflows")
    for name in ("pipelines", "components", "workload"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def said(directory: Path, exports: Exports) -> str:
    return "\n".join(map(str, lint(directory, exports)))


def test_the_shipped_workflows_fit_the_rehearsed_stacks(exports: Exports) -> None:
    assert said(ROOT, exports) == ""


def test_which_platform_stacks_are_on_is_seen_in_what_they_made(
    exports: Exports, rehearsed: Mapping[str, Rehearsed]
) -> None:
    assert is_on_github(exports)
    assert not is_on_github({stack: run.export for stack, run in rehearsed.items()})


MISTAKES: list[dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("workflows").joinpath("mistakes.yaml").read_text("utf-8")
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: each["name"])
def test_a_mistake_is_found(mistake: Mapping[str, str], tree: Path, exports: Exports) -> None:
    path = tree / "workflows" / mistake["file"]
    text = path.read_text("utf-8")
    assert mistake["old"] in text, "the mistake can be made"
    path.write_text(text.replace(mistake["old"], mistake["new"]), "utf-8")
    assert mistake["says"] in said(tree, exports)


def another_subject(it: Broken) -> None:
    it.find("prod", "FederatedIdentityCredential", "promote-signs-in")["outputs"]["subject"] = "repo:x:environment:qa"


def another_check(it: Broken) -> None:
    rules = it.find("staging", "RepositoryRuleset", "application-main")["outputs"]["rules"]
    rules["requiredStatusChecks"]["requiredChecks"] = [{"context": "build"}]


STACK_MISTAKES: tuple[tuple[str, Callable[[Broken], None], str], ...] = (
    (
        "the environment of production is gone",
        lambda it: it.drop("prod", "RepositoryEnvironment", "environment"),
        "no stack has made the environment prod",
    ),
    (
        "it takes any branch",
        lambda it: it.drop("prod", "RepositoryEnvironmentDeploymentPolicy", "environment-takes-main"),
        "the environment prod takes more than main",
    ),
    (
        "a fact is gone",
        lambda it: it.drop("prod", "ActionsEnvironmentVariable", "environment/SOURCE_REGISTRY_ID"),
        "the environment prod has no variable SOURCE_REGISTRY_ID",
    ),
    (
        "an identity takes another environment's token",
        another_subject,
        "promote takes no token of the environment prod",
    ),
    (
        "a check is demanded that nobody reports",
        another_check,
        "the branch rules of application demand build, which no job reports",
    ),
)


@pytest.mark.parametrize(("name", "edit", "says"), STACK_MISTAKES, ids=[each[0] for each in STACK_MISTAKES])
def test_a_stack_that_does_not_fit_is_found(
    name: str, edit: Callable[[Broken], None], says: str, exports: Exports
) -> None:
    broken = Broken(exports)
    edit(broken)
    assert says in said(ROOT, broken.exports)


QA = """  qa:
    needs: staging
    permissions:
      actions: read
      contents: read
      id-token: write
    uses: $/.github/workflows/environment.yml
    with:
      key: qa
      run: ${{ inputs.run }}
      model: ${{ inputs.model }}
      manual-validation: false

  prod:
"""


def with_qa(exports: Exports) -> Exports:
    """A further environment that pulls from staging's registry, made of what staging made."""
    text = json.dumps(exports["staging"])
    for old in ('"environment": "', ":environment:"):
        text = text.replace(f"{old}staging", f"{old}qa")
    qa = json.loads(text)
    resources = qa["deployment"]["resources"]
    resources[:] = [each for each in resources if not each["type"].endswith((":Registry", ":RepositoryRuleset"))]
    return {**exports, "qa": qa}


def test_a_further_environment_comes_after_the_one_whose_registry_it_uses(tree: Path, exports: Exports) -> None:
    path = tree / "workflows" / "platform" / "release.yml"
    three = with_qa(exports)
    assert "no release goes to qa; add its job to release.yml" in said(tree, three)
    text = path.read_text("utf-8").replace("  prod:\n", QA, 1).replace("      next: prod\n", "      next: prod qa\n")
    text = text.replace("--stage prod=prod", "--stage prod=prod --stage qa=qa")
    path.write_text(text, "utf-8")
    assert said(tree, three) == ""
    path.write_text(text.replace("  qa:\n    needs: staging", "  qa:\n    needs: origin"), "utf-8")
    assert "qa does not wait for staging" in said(tree, three)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("application/pr.yml", "example/platform/", "somebody/platform/", "calls no workflow of the platform's"),
        ("application/pr.yml", "/checks.yml@main", "/check.yml@main", "has no .github/workflows/check.yml"),
        ("application/pr.yml", "jobs:", "jobs: [", "cannot be read"),
        ("seeds.yaml", "workflows/platform/*.yml", "workflows/platforms/*.yml", "matches no file"),
    ],
)
def test_what_cannot_be_followed_is_said_in_one_line(
    file: str, old: str, new: str, says: str, tree: Path, exports: Exports
) -> None:
    path = tree / "workflows" / file
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(RehearsalError, match=says):
        lint(tree, exports)


# ---------------------------------------------------------------- both platforms


@pytest.fixture(scope="module")
def on_azure(rehearsed: Mapping[str, Rehearsed]) -> dict[str, Part]:
    return of_pipelines(ROOT, {stack: run.export for stack, run in rehearsed.items()})


def known_differences(part: Part) -> Part:
    return dataclasses.replace(part, gates=part.gates - NOT_ON_GITHUB)


@pytest.mark.parametrize("name", ["pr", "ci", *STACKS])
def test_both_platforms_do_the_same(name: str, on_azure: Mapping[str, Part], exports: Exports) -> None:
    """Scripts, options, identities, order, gates, what comes before, and where it runs."""
    assert of_workflows(ROOT, exports)[name] == known_differences(on_azure[name])


def test_both_have_the_same_parts(on_azure: Mapping[str, Part], exports: Exports) -> None:
    assert of_workflows(ROOT, exports).keys() == on_azure.keys() == {"pr", "ci", *STACKS}


def test_the_model_says_what_it_is_about(on_azure: Mapping[str, Part]) -> None:
    """Two empty models are equal too."""
    prod = on_azure["prod"]
    assert [(act.what, act.who) for act in prod.acts] == [
        ("verify_image.py", "promote"),
        ("promote.py", "promote"),
        ("verify_image.py", "promote"),
        ("deploy.py", "deploy"),
        ("acceptance.py", "deploy"),
        ("telemetry_gate.py", "deploy"),
        ("confirm.py", "deploy"),
        ("roll_back.py", "deploy"),
        ("publish_dashboards.py", "dashboards"),
        ("run_record.py", "deploy"),
    ]
    assert (prod.after, prod.asked, prod.inside) == (frozenset({"staging"}), True, True)
    assert prod.gates == wanted_gates(production=True) | NOT_ON_GITHUB
    assert on_azure["staging"].gates == wanted_gates(production=False)
    assert len(on_azure["ci"].acts) > 10


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        (
            "platform/environment.yml",
            "client-id: ${{ vars.PROMOTE_CLIENT_ID }}",
            "client-id: ${{ vars.DEPLOY_CLIENT_ID }}",
            "prod",
        ),
        ("platform/environment.yml", '--source-id "$SOURCE_ID" ', "", "prod"),
        ("platform/environment.yml", '"$SCRIPTS/confirm.py"', '"$SCRIPTS/acceptance.py"', "staging"),
        ("platform/environment.yml", "cancel-in-progress: false", "cancel-in-progress: true", "prod"),
        ("platform/release.yml", "    needs: staging\n", "    needs: origin\n", "prod"),
        ("platform/release.yml", "      runner: inside-prod\n", "", "prod"),
        ("platform/checks.yml", ".venv/bin/python -m mypy", "true", "pr"),
        ("platform/checks.yml", "pytest tests/unit", "pytest tests", "ci"),
        ("platform/ci.yml", "--target test", "--target runtime", "ci"),
    ],
)
def test_a_platform_that_does_something_else_is_found(
    file: str, old: str, new: str, part: str, tree: Path, on_azure: Mapping[str, Part], exports: Exports
) -> None:
    path = tree / "workflows" / file
    text = path.read_text("utf-8")
    if old not in text:
        pytest.fail("the change can be made")
    path.write_text(text.replace(old, new), "utf-8")
    assert of_workflows(tree, exports)[part] != known_differences(on_azure[part])


# ---------------------------------------------------------------- the language itself


@pytest.fixture(scope="module", params=["application", "platform"])
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as it is seeded."""
    directory = tmp_path_factory.mktemp(str(request.param))
    (directory / ".git").mkdir()
    for path, content in seeded(ROOT, request.param, GITHUB_LIST).files.items():
        if path.startswith(".github/"):
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(content, "utf-8")
    return directory


def test_zizmor_finds_nothing(repository: Path) -> None:
    zizmor = shutil.which("zizmor", path=str(ROOT / ".venv" / "bin")) or shutil.which("zizmor")
    assert zizmor, "requirements.txt brings it"
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", "--color=never", str(repository)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout + done.stderr


def test_actionlint_finds_nothing(repository: Path, tmp_path: Path) -> None:
    """It knows files of the same repository by `./` alone, and then looks into them."""
    actionlint = shutil.which("actionlint", path=str(BIN)) or shutil.which("actionlint")
    if not actionlint:
        pytest.skip("actionlint is missing: bash pipelines/scripts/tools.sh --into .tools/bin actionlint")
    shutil.copytree(repository, tmp_path / "here")
    for path in (tmp_path / "here").rglob("*.yml"):
        path.write_text(path.read_text("utf-8").replace("uses: $/", "uses: ./"), "utf-8")
    done = subprocess.run([actionlint, "-no-color"], cwd=tmp_path / "here", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_seed_names_the_owner_that_the_settings_name() -> None:
    files = seeded(ROOT, "application", GITHUB_LIST, {"example/platform": "contoso/delivery"}).files
    texts = [text for path, text in files.items() if path.startswith(".github/")]
    assert not [text for text in texts if "example/platform" in text]
    assert sum("contoso/delivery/.github/workflows/" in text for text in texts) == 3


def test_every_job_is_read(exports: Exports) -> None:
    checks = {name: sorted(job.check for job in each.jobs) for name, each in Workflows(ROOT).all.items()}
    assert checks == {
        "pr": ["pr / build", "pr / checks", "pr / scan"],
        "ci": ["ci / checks / checks", "ci / checks / scan", "ci / image", "ci / integration", "ci / record"],
        "cd": ["cd / origin", "cd / prod / release", "cd / prod / validate", "cd / record", "cd / staging / release"],
        "platform-pr": ["checks"],
    }
