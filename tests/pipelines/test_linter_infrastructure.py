"""The pipelines of the infrastructure against all three projects: no finding; and each kind of mistake is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.pipelines import Finding, lint
from tests.conftest import ROOT, Bootstrapped, Rehearsed
from tests.pipelines.test_linter import READ, Exports, _kept, _mistaken, _said, tree

__all__ = ["tree"]

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "linter" / "infrastructure.yaml").read_text("utf-8")
)
MISTAKES = [each for each in CASES if "file" in each]
GONE = [each for each in CASES if "gone" in each]


@pytest.fixture(scope="module")
def exports(rehearsed: Mapping[str, Rehearsed], bootstrapped: Bootstrapped) -> Exports:
    whole = {**{name: one.export for name, one in rehearsed.items()}, "bootstrap": bootstrapped.export}
    return {name: _kept(one, lambda state: state["type"].startswith(READ)) for name, one in whole.items()}


def test_the_shipped_pipelines_fit_the_bootstrap_and_both_stacks(exports: Exports) -> None:
    findings = lint(ROOT, exports)
    assert not findings, _said(findings)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[each["name"].replace(" ", "-") for each in MISTAKES])
def test_a_mistake_is_found_by_its_rule_and_at_its_place(
    mistake: Mapping[str, Any], tree: Path, exports: Exports
) -> None:
    file = tree / mistake["file"]
    file.write_text(_mistaken(file.read_text("utf-8"), mistake), "utf-8")
    _expected(lint(tree, exports), mistake, mistake.get("at", mistake["file"]))


@pytest.mark.parametrize("gone", GONE, ids=[each["gone"].replace("/", "-") for each in GONE])
def test_what_the_bootstrap_does_not_have_is_missed(gone: Mapping[str, Any], exports: Exports) -> None:
    kind, name = gone["gone"].split("/")

    def stays(state: Mapping[str, Any]) -> bool:
        return not (state["type"].endswith(f":{kind}") and state["urn"].endswith(f"::{name}"))

    left = {**exports, "bootstrap": _kept(exports["bootstrap"], stays)}
    assert left != exports, f"the bootstrap no longer has {gone['gone']}: mend the test"
    _expected(lint(ROOT, left), gone, "")


def _expected(findings: list[Finding], case: Mapping[str, Any], file: str) -> None:
    assert {finding.rule for finding in findings} == set(case["rules"]), _said(findings)
    assert any(case["says"] in str(each) and (not file or each.file == file) for each in findings), _said(findings)
