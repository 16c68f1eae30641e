"""What the pipeline `updates` looks at: every pin of both repositories, and nothing gets in without a person."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.stackfiles import ROOT
from tests.test_pins import OURS, named

CONFIG: dict[str, Any] = json.loads((ROOT / "pipelines/updates.json").read_text("utf-8"))
TOOLS = (ROOT / "pipelines/scripts/tools.sh").read_text("utf-8")
MODULES = {
    name: module
    for name, module in re.findall(r"^  \[([\w-]+)\]=(\S+/\S+)$", TOOLS, re.M)
    if module != "aks-cicd/notary"  # our own, whose version is its source
}


def python(pattern: str) -> str:
    """A regular expression of JavaScript's in Python's words."""
    return pattern.replace("(?<", "(?P<")


def matches(patterns: list[str], path: str) -> bool:
    """Whether one of the patterns, which stand between slashes, fits the path."""
    assert all(each[0] == each[-1] == "/" for each in patterns)
    return any(re.search(each[1:-1], path) for each in patterns)


def found(path: str) -> list[tuple[str, str, str]]:
    """Source, name and version of everything that the managers of our own see in a file, in its order."""
    text, seen = (ROOT / path).read_text("utf-8"), []
    for manager in CONFIG["customManagers"]:
        if matches(manager["managerFilePatterns"], path):
            for pattern in manager["matchStrings"]:
                for match in re.finditer(python(pattern), text):
                    name = manager.get("depNameTemplate") or match["depName"]
                    seen.append((match.start(), (manager["datasourceTemplate"], name, match["currentValue"])))
    return [each for _, each in sorted(seen)]


def test_every_tool_is_looked_for_under_its_own_module() -> None:
    versions = re.findall(r"^  \[([\w-]+)\]=(v\S+)", TOOLS, re.M)
    assert set(MODULES) == {name for name, _ in versions}
    assert found("pipelines/scripts/tools.sh") == [("go", MODULES[name], version) for name, version in versions]


def test_what_else_has_a_version_in_a_text_is_looked_for() -> None:
    (version,) = re.findall(r"kubeloginVersion: (v\S+)", (ROOT / "pipelines/templates/cluster.yml").read_text("utf-8"))
    assert found("pipelines/templates/cluster.yml") == [("github-releases", "Azure/kubelogin", version)]
    assert [(source, name) for source, name, _ in found("pipelines/updates.yml")] == [("npm", "renovate")]
    assert [(source, name) for source, name, _ in found(".ci/run")] == [("npm", "@kusto/language-service-next")]
    assert [(source, name) for source, name, _ in found("pipelines/updates.lock")] == [("pypi", "uv")]


def test_no_manager_of_our_own_looks_at_a_file_that_is_not_there() -> None:
    paths = [str(path.relative_to(ROOT)) for path in OURS]
    for manager in CONFIG["customManagers"]:
        for pattern in manager["managerFilePatterns"]:
            assert any(matches([pattern], path) for path in paths), pattern


@pytest.mark.parametrize(
    ("manager", "files"),
    [
        ("pip_requirements", ("*requirements*.txt",)),
        ("pip-compile", ("workload/*.lock",)),
    ],
)
def test_every_file_of_python_packages_is_looked_at(manager: str, files: tuple[str, ...]) -> None:
    patterns = CONFIG[manager]["managerFilePatterns"]
    missed = [path for path in named(*files) if not matches(patterns, str(path.relative_to(ROOT)))]
    assert missed == []


def test_the_managers_are_those_that_something_here_is_for() -> None:
    assert set(CONFIG["enabledManagers"]) == {"custom.regex", "dockerfile", "gomod", "pip-compile", "pip_requirements"}
    assert named("Dockerfile")
    assert named("go.mod")


def test_nothing_gets_in_without_a_person() -> None:
    for key in ("automerge", "platformAutomerge", "autoApprove", "onboarding"):
        assert CONFIG[key] is False
    assert not [
        rule for rule in CONFIG["packageRules"] if rule.keys() & {"automerge", "autoApprove", "platformAutomerge"}
    ]


def test_a_repository_cannot_have_it_do_something_else() -> None:
    """What lies in the application's repository is the application's; commands would run with the token."""
    assert CONFIG["requireConfig"] == "ignored"
    assert CONFIG["allowedCommands"] == []


def test_what_has_only_just_been_published_waits() -> None:
    assert CONFIG["minimumReleaseAge"] == "7 days"
    assert CONFIG["internalChecksFilter"] == "strict"


def test_kubernetes_tools_stay_on_the_minor_version_of_the_clusters() -> None:
    (rule,) = (each for each in CONFIG["packageRules"] if each.get("matchPackageNames") == ["k8s.io/kubernetes"])
    assert (set(rule["matchUpdateTypes"]), rule["enabled"]) == ({"major", "minor"}, False)
