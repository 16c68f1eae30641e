"""The pipelines with environments that pull, held against both stacks after their switch to the pull model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.pipelines import lint
from tests.conftest import ROOT
from tests.pulled import Switched

ENVIRONMENT, PULL = "pipelines/templates/environment.yml", "pipelines/templates/pull.yml"
LIST = "pipelines/templates/release.yml"


@pytest.fixture
def exports(switched: Mapping[str, Switched]) -> Mapping[str, Any]:
    return {stack: one.export for stack, one in switched.items()}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the pipelines are made of, with the lines of environments that pull."""
    for path in (ROOT / "pipelines").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    for name in ("components", "configuration", "workload", "docs", ".ci"):
        (tmp_path / name).symlink_to(ROOT / name)
    edit(tmp_path, LIST, r"\{ key: (\w+)(.*?) \}", r"{ key: \1\2, pull: true }")
    edit(tmp_path, LIST, r"(    manualValidation: \$\{\{.*\n)", r"\1    homePulls: true\n")
    return tmp_path


def edit(tree: Path, file: str, old: str, new: str) -> None:
    text = (tree / file).read_text("utf-8")
    changed, count = re.subn(old, new, text)
    assert count, f"{file} no longer has {old!r}: mend the test"
    (tree / file).write_text(changed, "utf-8")


def test_environments_that_pull_are_released_to_without_a_way_to_a_cluster(
    tree: Path, exports: Mapping[str, Any]
) -> None:
    findings = lint(tree, exports)
    assert not findings, "\n".join(map(str, findings))


MISTAKES = {
    "an environment that pulls is pushed to": (LIST, r"pull: true", "pull: false", "missing", "deploy-"),
    "the record of whole runs as somebody who is not there": (
        LIST,
        r"homePulls: true",
        "homePulls: false",
        "missing",
        "deploy-staging",
    ),
    "nobody waits for the cluster": (PULL, r"reconciled\.py", "other.py", "script", "other.py"),
    "the release goes on before the cluster runs it": (
        PULL,
        r"  timeoutInMinutes: 45\n",
        "  timeoutInMinutes: 45\n  continueOnError: true\n",
        "order",
        "green when this step fails",
    ),
    "a release that fails is not taken back": (
        ENVIRONMENT,
        r"restore_folder\.py' --environment \$\{\{ parameters.key \}\} --to",
        "restore_folder.py' --environment ${{ parameters.key }} --from",
        "arguments",
        "the following arguments are required: --to",
    ),
    "the folder of another environment": (
        PULL,
        r"azureSubscription: release-\$\{\{ parameters.key \}\}",
        "azureSubscription: release-staging",
        "foreign",
        "release-staging belongs to staging",
    ),
    "a release without the tools that it needs": (PULL, r"names: helm oras", "names: helm", "tool", "oras"),
    "a tests' name that nobody sets": (PULL, r"folder\.job", "folder.tests", "variable", "folder.tests"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str, tree: Path, exports: Mapping[str, Any]) -> None:
    file, old, new, rule, said = MISTAKES[mistake]
    edit(tree, file, old, new)
    findings = lint(tree, exports)
    assert any(said in str(each) for each in findings), "\n".join(map(str, findings))
    assert rule in {each.rule for each in findings}, {each.rule for each in findings}


def test_an_environment_that_is_pushed_to_cannot_be_released_to_as_if_it_pulled(
    tree: Path, rehearsed: Mapping[str, Any]
) -> None:
    findings = lint(tree, {stack: one.export for stack, one in rehearsed.items()})
    assert any("release-prod" in str(each) for each in findings), "\n".join(map(str, findings))
