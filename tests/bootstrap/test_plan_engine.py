"""What the pipeline relies on: a plan that is kept beside a preview, and an update that is that plan and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from tests.conftest import ROOT


class Part(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("aks-cicd:test:Part", name)


@pytest.fixture
def names() -> list[str]:
    """What the program declares."""
    return ["one"]


@pytest.fixture
def rehearsal(names: list[str], tmp_path: Path) -> Iterator[Rehearsal]:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "Pulumi.yaml").write_text("name: small\nruntime: python\n", "utf-8")
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), Console().say)

    def program() -> None:
        for name in names:
            Part(name)

    place = tmp_path / "engine"
    configs: dict[str, dict[str, str]] = {"prod": {}}
    with Rehearsal.open(tmp_path / "project", place, None, program=program, configs=configs, cli=cli) as opened:
        yield opened


def test_exactly_the_plan_is_applied(rehearsal: Rehearsal, names: list[str], tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    _, told = rehearsal.told("prod", plan=plan)
    assert {step["op"] for step in told["steps"]} == {"create"}
    names.append("more")
    with pytest.raises(EngineError, match="create is not allowed by the plan"):
        rehearsal.update("prod", plan=plan)
    names.remove("more")
    assert not rehearsal.update("prod", plan=plan).errors
