"""An environment enters CD's list once its stack is up, by one line, and nothing else of the file changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import settings
from operations import outputs
from operations.environment import answer, writing
from operations.environment.asking import Wanted
from operations.environment.drafting import draft
from operations.errors import OperationsError
from operations.release_list import LIST, Line, line, list_environment, with_line
from tests import platforms
from tests.stackfiles import ROOT, STACKS, edited, shipped

SHIPPED = (ROOT / LIST).read_text()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The shipped stack files with two further ones, and a copy of the list."""
    there = {stack: settings.parse(stack, shipped(stack), rehearsal=True) for stack in STACKS}
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, tmp_path)
    for wanted in (Wanted("qa", "staging"), Wanted("prod-eu", "prod"), Wanted("lonely", "staging", registry="own")):
        new, notes = draft(wanted, there)
        (tmp_path / answer.stack_file(new.stack)).write_text(writing.render(new, (), notes))
    (tmp_path / LIST).parent.mkdir(parents=True)
    shutil.copy(ROOT / LIST, tmp_path / LIST)
    return tmp_path


def export(stack: str, **outputs: Any) -> dict[str, Any]:
    told = {"contract": {"environment": stack}, **outputs}
    return {"deployment": {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": told}]}}


def listed(text: str) -> list[Any]:
    found: list[Any] = yaml.safe_load(text)["stages"][0]["parameters"]["environments"]
    return found


def test_on_github_the_list_is_a_workflow(tmp_path: Path) -> None:
    for stack, config in platforms.CONFIGS.items():
        (tmp_path / answer.stack_file(stack)).write_text(yaml.safe_dump({"config": config}))
    with pytest.raises(OperationsError, match=r"Add a job prod to workflows/platform/release\.yml, as docs/github\.md"):
        list_environment(tmp_path, "prod", export("prod"))


class TestTheLine:
    def test_is_put_behind_the_others_and_nothing_else_changes(self, project: Path) -> None:
        added = list_environment(project, "qa", export("qa"))
        text = (project / LIST).read_text()
        assert str(added) == "{ key: qa, after: staging, approvers: false }"
        assert text == SHIPPED + "    - { key: qa, after: staging, approvers: false }\n"
        assert listed(text)[:-1] == listed(SHIPPED)

    def test_names_the_pool_that_the_stack_tells_of(self, project: Path) -> None:
        added = list_environment(project, "prod-eu", export("prod-eu", agentPool="agents-shop-prod-eu-abc123"))
        assert str(added) == "{ key: prod-eu, after: prod, pool: agents-shop-prod-eu-abc123 }"

    def test_is_not_added_twice(self, project: Path) -> None:
        assert list_environment(project, "qa", export("qa")) is not None
        once = (project / LIST).read_text()
        assert list_environment(project, "qa", export("qa")) is None
        assert (project / LIST).read_text() == once

    def test_of_what_ships_is_there_already(self, project: Path) -> None:
        pool = listed(SHIPPED)[1]["pool"]
        assert list_environment(project, "staging", export("staging")) is None
        assert list_environment(project, "prod", export("prod", agentPool=pool)) is None

    @pytest.mark.parametrize("end", ["", "\n# The end.\n", "- template: other.yml\n"])
    def test_finds_its_place_whatever_follows_the_list(self, end: str) -> None:
        text = with_line(SHIPPED + end, Line("qa", after="staging"))
        assert text.replace("    - { key: qa, after: staging }\n", "") == SHIPPED + end
        assert listed(text)[-1] == {"key": "qa", "after": "staging"}

    def test_follows_lines_of_another_form(self) -> None:
        block = SHIPPED.replace("    - { key: staging }\n", "    - key: staging\n").replace(
            "{ key: prod, promotesFrom: staging,", "{ key: prod,\n        promotesFrom: staging,"
        )
        assert listed(with_line(block, Line("qa", after="staging"))) == [
            *listed(SHIPPED),
            {"key": "qa", "after": "staging"},
        ]

    def test_follows_a_list_that_has_no_line_break_at_its_end(self) -> None:
        assert listed(with_line(SHIPPED.rstrip("\n"), Line("qa", after="staging")))[-1]["key"] == "qa"


class TestBadInput:
    def refusal(self, project: Path, stack: str, found: Mapping[str, Any]) -> str:
        before = (project / LIST).read_text()
        with pytest.raises(OperationsError) as raised:
            list_environment(project, stack, found)
        assert (project / LIST).read_text() == before
        return str(raised.value)

    def test_a_stack_that_is_not_up(self, project: Path) -> None:
        said = self.refusal(project, "qa", {"deployment": {"resources": None}})
        assert said == "The stack qa is not up yet. Run pulumi up --stack qa first."

    def test_the_export_of_another_stack(self, project: Path) -> None:
        assert self.refusal(project, "qa", export("prod")).startswith("That is the export of prod, and not of qa.")

    def test_what_is_no_export(self, project: Path) -> None:
        assert self.refusal(project, "qa", {"changes": []}).startswith("That is no export of qa.")

    def test_managed_agents_without_their_pool(self, project: Path) -> None:
        assert "tells of no agentPool" in self.refusal(project, "prod-eu", export("prod-eu"))

    def test_a_registry_that_nothing_fills(self, project: Path) -> None:
        assert "No release can reach lonely" in self.refusal(project, "lonely", export("lonely"))

    def test_a_line_that_somebody_wrote_in_other_words(self, project: Path) -> None:
        (project / LIST).write_text(SHIPPED + "    - { key: qa, after: prod }\n")
        assert "lists qa already, in other words" in self.refusal(project, "qa", export("qa"))

    def test_an_environment_before_it_that_is_not_listed(self, project: Path) -> None:
        (project / LIST).write_text("\n".join(SHIPPED.splitlines()[:-1]) + "\n")
        assert "does not list prod, after which" in self.refusal(project, "prod-eu", export("prod-eu", agentPool="a"))

    def test_a_file_without_a_list(self, project: Path) -> None:
        (project / LIST).write_text("stages: []\n")
        assert "has no list of environments" in self.refusal(project, "qa", export("qa"))

    def test_a_file_that_is_no_json_or_not_there(self, tmp_path: Path) -> None:
        (tmp_path / "export.json").write_text("resources: []")
        with pytest.raises(OperationsError, match="it is no JSON"):
            outputs.read_export(tmp_path / "export.json")
        with pytest.raises(OperationsError, match="No such file"):
            outputs.read_export(tmp_path / "nothing.json")


class TestTheBackend:
    """Where no export is given, Pulumi is asked; here a program of that name answers."""

    def answers(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
        binary = tmp_path / "bin" / "pulumi"
        binary.parent.mkdir()
        binary.write_text(f"#!/bin/sh\n{script}\n")
        binary.chmod(0o755)
        monkeypatch.setenv("PATH", str(binary.parent))

    def test_tells_the_export(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        said = json.dumps(export("qa"))
        self.answers(
            monkeypatch, tmp_path, f"[ \"$*\" = 'stack export --stack qa --non-interactive' ] && echo '{said}'"
        )
        assert outputs.ask_backend(ROOT, "qa") == export("qa")

    def test_that_refuses_is_quoted(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.answers(monkeypatch, tmp_path, "echo \"error: no stack named 'qa' found\" >&2; exit 255")
        with pytest.raises(OperationsError, match="failed: error: no stack named 'qa' found"):
            outputs.ask_backend(ROOT, "qa")

    def test_that_is_not_there_is_a_message(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(OperationsError, match="no pulumi on PATH"):
            outputs.ask_backend(ROOT, "qa")


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("staging", "{ key: staging, pull: true }"),
        ("prod", "{ key: prod, promotesFrom: staging, pool: agents-x, pull: true }"),
    ],
)
def test_an_environment_that_pulls_says_so_in_its_line(stack: str, said: str) -> None:
    pulling = settings.parse(stack, edited(shipped(stack), {"delivery.model": "pull"}), rehearsal=True)
    assert str(line(pulling, "agents-x" if stack == "prod" else None)) == said
