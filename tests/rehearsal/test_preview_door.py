"""`make preview` says yes only where every stack is valid, and leaves nothing half-done behind."""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

import settings
from rehearsal import preview, toolchain
from rehearsal.console import Console
from rehearsal.engine import EngineError
from rehearsal.graph import Graph
from rehearsal.program import ProgramError
from rehearsal.report.folds import is_folded
from tests.conftest import Rehearsed

ROOT = Path(__file__).resolve().parents[2]
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's program and stack files, with a build directory of their own."""
    for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py"):
        shutil.copy(path, tmp_path)
    for linked in (".ci", ".tools", "components", "pipelines", "tools", "workload"):
        (tmp_path / linked).symlink_to(ROOT / linked)
    return tmp_path


def edit(project: Path, stack: str, change: Callable[[dict[str, Any]], object]) -> None:
    path = project / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(path.read_text())
    change(content["config"])
    path.write_text(yaml.safe_dump(content))


def built(project: Path) -> set[str]:
    return {str(path.relative_to(project)) for path in project.glob("build/preview/*")}


class TestAShippedStack:
    """One is enough here: that both are valid, and that one reads the other, is asserted on the session's own run."""

    def test_is_valid_as_it_is_and_is_written_as_the_engine_exports_it(self, project: Path) -> None:
        shown = io.StringIO()
        preview.preview(project, ["staging"], Console(shown))
        assert built(project) >= {"build/preview/staging.json", "build/preview/topology.svg"}
        graph = Graph.of(json.loads((project / "build" / "preview" / "staging.json").read_text()))
        assert len(graph.resources) > 10
        missing = [r.name for r in graph.resources if r.custom and r.name not in shown.getvalue()]
        # Grants are shown by what they say, and what is folded by what it is about, not by a name of its own.
        assert all(r.short_type == "RoleAssignment" or is_folded(r) for r in graph.resources if r.name in missing)
        text = shown.getvalue()
        assert "\x1b" not in text
        assert "━━ staging" in text
        assert text.count("\nWatched\n") == 1
        assert "Every stack is valid" in text.splitlines()[-1]


class TestAProblem:
    def test_that_two_stacks_own_one_project_is_told_before_an_engine_starts(self, project: Path) -> None:
        """They need not lean on each other, so that neither could find out by itself."""
        shutil.copy(project / "Pulumi.staging.yaml", project / "Pulumi.qa.yaml")
        edit(project, "qa", lambda config: config["aks-cicd:network"].update(addressSpace="10.40.0.0/20"))
        with pytest.raises(ProgramError) as raised:
            preview.plan(project, ["qa", "staging"])
        assert str(raised.value) == (
            "The stacks qa and staging both own the project shop of https://dev.azure.com/example "
            "(aks-cicd:delivery.home). Name one of them as aks-cicd:stacks.delivery of the others, and remove their "
            "aks-cicd:delivery.home."
        )

    def test_of_any_stack_is_told_with_all_others_before_an_engine_starts(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edit(project, "staging", lambda config: config.update({"aks-cicd:tier": "neither"}))
        edit(project, "prod", lambda config: config.update({"aks-cicd:nonsense": 1}))
        monkeypatch.setattr(toolchain, "bring", lambda *_: pytest.fail("an engine was asked for"))
        with pytest.raises(ProgramError) as raised:
            preview.preview(project, [], Console(io.StringIO()))
        assert "neither" in str(raised.value)
        assert "aks-cicd:nonsense" in str(raised.value)
        assert not (project / "build").exists()

    def test_that_the_cloud_finds_leaves_the_former_files_as_they_were(self, project: Path) -> None:
        former = project / "build" / "preview" / "staging.json"
        former.parent.mkdir(parents=True)
        former.write_text("former")
        # Valid until the first resource is there: a program that asks for what no cloud gives.
        (project / "__main__.py").write_text(
            "from pulumi_azure_native import resources\n"
            "resources.ResourceGroup('g', resource_group_name='not a name!', location='westeurope')\n"
        )
        with pytest.raises(EngineError, match="not a name!"):
            preview.preview(project, ["staging"], Console(io.StringIO()))
        assert built(project) == {"build/preview/staging.json"}
        assert former.read_text() == "former"


@pytest.mark.parametrize("reachable", [True, False])
def test_a_private_cluster_that_is_said_to_be_reached_is_rehearsed_from_inside_its_network(reachable: bool) -> None:
    (stack,) = (each for each in preview.plan(ROOT, ["prod"]) if each.name == "prod")
    cluster = stack.settings.cluster.model_copy(update={"reachable": reachable})
    assert cluster.access == "private"
    cloud = preview.stand_in([stack.settings.model_copy(update={"cluster": cluster})])
    assert cloud.kubernetes.inside_network is reachable


class TestThePolicies:
    """A stack that works may still be one that nobody should bring up."""

    TODAY = datetime.date(2026, 11, 23)
    ALLOWED: ClassVar = {"rule": "registry-admin-user", "reason": "It is moved.", "until": "2026-12-31"}

    def judged(self, rehearsed: Mapping[str, Rehearsed], today: datetime.date, *exceptions: dict[str, str]) -> str:
        """What is shown of a staging whose registry has an admin user."""
        export = json.loads(json.dumps(rehearsed["staging"].export))
        for raw in export["deployment"]["resources"]:
            if raw["type"].endswith(":Registry"):
                raw["inputs"]["adminUserEnabled"] = True
        (stack,) = preview.plan(ROOT, ["staging"])
        said = settings.parse("staging", {**stack.config, "aks-cicd:exceptions": list(exceptions)}, rehearsal=True)
        run = rehearsed["staging"]
        done = preview.Previewed(dataclasses.replace(stack, settings=said), run.preview, run.update, export)
        shown = io.StringIO()
        preview.judge_policies([done], Console(shown), today)
        return shown.getvalue()

    def test_of_which_a_mandatory_one_is_broken_are_a_problem_of_the_stack(
        self, rehearsed: Mapping[str, Rehearsed]
    ) -> None:
        with pytest.raises(ProgramError, match=r"^staging: mandatory policies are broken") as raised:
            self.judged(rehearsed, self.TODAY)
        assert "aks-cicd:exceptions" in str(raised.value)

    def test_may_be_excepted_by_the_settings_until_a_day(self, rehearsed: Mapping[str, Rehearsed]) -> None:
        assert "It is moved." in self.judged(rehearsed, self.TODAY, self.ALLOWED)

    def test_are_broken_again_the_day_after(self, rehearsed: Mapping[str, Rehearsed]) -> None:
        with pytest.raises(ProgramError, match="mandatory policies are broken"):
            self.judged(rehearsed, datetime.date(2027, 1, 1), self.ALLOWED)


def door(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rehearsal", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


class TestTheCommand:
    def test_tells_a_problem_on_stderr_without_a_traceback_and_fails(self) -> None:
        answer = door("preview", "nowhere")
        assert answer.returncode == 1
        assert answer.stdout == ""
        assert answer.stderr.startswith("error: There is no stack file Pulumi.nowhere.yaml.")
        assert "Traceback" not in answer.stderr

    def test_brings_a_tool_chain_alone(self) -> None:
        assert door("toolchain").returncode == 0
