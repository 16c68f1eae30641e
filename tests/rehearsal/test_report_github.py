"""What the report says of a stack on GitHub: gates, branch rules, who acts; and in capitals, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from components.access import role_name
from rehearsal import report, topology
from tests.breaches import Broken
from tests.stackfiles import STACKS


@pytest.fixture(scope="module")
def exports(on_github: Mapping[str, Any]) -> Mapping[str, Any]:
    return {stack: on_github[stack] for stack in STACKS}


def said(exports: Mapping[str, Any], stack: str, section: str) -> str:
    names = report.Names.of(exports.values(), role_name)
    (found,) = [each for each in report.summary(exports[stack], names) if each.title.startswith(section)]
    return "\n".join(found.lines)


def test_the_gates_of_production_are_told(exports: Mapping[str, Any]) -> None:
    told = said(exports, "prod", "Gates")
    assert "environment prod" in told
    assert "approval        one of team 42" in told
    assert "branch control  main alone" in told
    assert "NONE" not in told


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"reviewers": None}, "approval        NONE"),
        ({"preventSelfReview": False}, "one of team 42, OF THEIR OWN RUNS TOO"),
        ({"canAdminsBypass": True}, "administrators  PASS BY"),
        ({"deploymentBranchPolicy": None}, "branch control  NONE"),
        ({"waitTimer": 15}, "wait            15 minutes"),
    ],
)
def test_what_is_missing_is_told_in_capitals(inputs: Mapping[str, Any], words: str, exports: Mapping[str, Any]) -> None:
    broken = Broken(exports)
    state = broken.find("prod", "RepositoryEnvironment", "environment")
    for key, value in inputs.items():
        for where in ("inputs", "outputs"):
            state[where].pop(key, None) if value is None else state[where].update({key: value})
    assert words in said(broken.exports, "prod", "Gates")


def test_branch_rules_are_told(exports: Mapping[str, Any]) -> None:
    told = said(exports, "staging", "Repositories")
    assert "shop  GitHub" in told
    assert "1 review by others" in told
    assert "green: pr / build, pr / checks, pr / scan" in told


def test_who_acts_is_told_by_environment(exports: Mapping[str, Any]) -> None:
    told = said(exports, "prod", "Who may do what")
    assert "id-shop-prod-promote  for the jobs of the environment prod on GitHub" in told


def test_the_picture_is_drawn(exports: Mapping[str, Any]) -> None:
    drawing = topology.draw(exports)
    assert "<svg" in drawing
    assert "Azure DevOps" not in drawing
