"""Stack files are read as the engine reads them, and every problem is found before an engine starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import settings
from rehearsal import program
from rehearsal.program import ProgramError, Stack
from validation import stackfile
from validation.stackfile import StackFileError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Leans:
    leans_on: tuple[str, ...]


class RefusedError(Exception):
    pass


def parse(stack: str, config: Mapping[str, Any]) -> Leans:
    if config.get("aks-cicd:bad"):
        raise RefusedError(f"{stack} is bad")
    return Leans(tuple(config.get("aks-cicd:on", [])))


Files = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    def write(**texts: str) -> Path:
        for stack, text in texts.items():
            (tmp_path / f"Pulumi.{stack.replace('_', '-')}.yaml").write_text(text)
        return tmp_path

    return write


def leaning(*on: str) -> str:
    return f"config:\n  aks-cicd:on: [{', '.join(on)}]\n"


def plan(root: Path, *names: str) -> tuple[Stack[Leans], ...]:
    return program.plan(root, names, parse, RefusedError)


def problems(root: Path, *names: str) -> tuple[str, ...]:
    with pytest.raises(ProgramError) as raised:
        plan(root, *names)
    return raised.value.problems


class TestStacksRunInPromotionOrder:
    def test_what_a_stack_leans_on_comes_before_it(self, files: Files) -> None:
        root = files(a=leaning("z"), m=leaning("a"), z=leaning())
        assert [stack.name for stack in plan(root)] == ["z", "a", "m"]

    def test_one_stack_brings_those_it_leans_on_and_no_other(self, files: Files) -> None:
        root = files(prod=leaning("staging"), staging=leaning(), qa="not even: [yaml")
        assert [stack.name for stack in plan(root, "prod")] == ["staging", "prod"]

    @given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh"))))
    def test_any_graph_is_ordered_or_refused(self, wanted: dict[str, set[str]]) -> None:
        graph = {name: sorted(on & wanted.keys()) for name, on in wanted.items()}
        try:
            order = program.promotion(graph)
        except ProgramError:
            return
        assert sorted(order) == sorted(graph)
        assert all(order.index(on) < order.index(name) for name, leant in graph.items() for on in leant)

    def test_itself(self, files: Files) -> None:
        assert "Stack a leans on itself" in problems(files(a=leaning("a")))[0]

    def test_a_circle_is_drawn(self, files: Files) -> None:
        assert "a → b → c → a" in problems(files(a=leaning("b"), b=leaning("c"), c=leaning("a")))[0]


class TestEveryProblemIsToldAtOnce:
    def test_of_all_stacks(self, files: Files) -> None:
        root = files(a="", b="config:\n  aks-cicd:bad: true\n", c=leaning("nowhere"))
        told = problems(root)
        assert len(told) == 3
        assert "Pulumi.a.yaml: the file is empty" in told[0]
        assert told[1] == "b is bad"
        assert "Stack c leans on nowhere. There is no stack file Pulumi.nowhere.yaml" in told[2]

    def test_a_stack_without_a_file_names_those_that_exist(self, files: Files) -> None:
        root = files(staging=leaning(), prod_eu=leaning())
        assert problems(root, "qa") == (
            "There is no stack file Pulumi.qa.yaml. Those that exist: Pulumi.prod-eu.yaml, Pulumi.staging.yaml.",
        )

    def test_a_project_without_stack_files(self, tmp_path: Path) -> None:
        assert "no stack file" in problems(tmp_path)[0]


class TestAStackFile:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "the file is empty"),
            ("# only a comment\n", "the file is empty"),
            ("secretsprovider: x\n", "`config:` is missing"),
            ("config:\n", "`config:` is missing"),
            ("config: [a]\n", "`config:` is ['a']"),
            ("- a\n", "`config:` is missing"),
            ("config:\n  tier: x\n", "Write `aks-cicd:tier:`"),
            ("config:\n  a:x: 1\n  a:x: 2\n", "line 3, column 3: not valid YAML: the key 'a:x' is given twice"),
            ("config:\n  a:x: {b: 1\n  c: 2}\n", "line 3, column 4: not valid YAML"),
            ("config:\n\ta:x: 1\n", "line 2, column 1: not valid YAML"),
            ("config:\n  a:x:\n    secure: v1:abc\n", "`a:x` is encrypted"),
            ("config:\n  a:x:\n    y: [{secure: v1:abc}]\n", "`a:x` is encrypted"),
            ("config:\n  a:alerts:\n    webhooks: {secure: v1:abc}\n", "`a:alerts` is encrypted"),
            ("config:\n  a:alerts:\n    emails: {team: {secure: v1:abc}}\n", "`a:alerts` is encrypted"),
        ],
    )
    def test_that_cannot_be_used_says_where_and_why(self, tmp_path: Path, text: str, told: str) -> None:
        path = tmp_path / "Pulumi.qa.yaml"
        path.write_text(text)
        with pytest.raises(StackFileError) as raised:
            stackfile.read(path)
        assert told in str(raised.value)
        assert str(raised.value).startswith("Pulumi.qa.yaml")

    def test_with_an_encrypted_webhook_is_rehearsed_with_a_stand_in_that_changes_as_it_does(
        self, tmp_path: Path
    ) -> None:
        """As `pulumi config set --secret --path aks-cicd:alerts.webhooks.teams` writes it."""

        def read(sealed: str) -> dict[str, Any]:
            content = yaml.safe_load((ROOT / "Pulumi.staging.yaml").read_text())
            content["config"]["aks-cicd:alerts"]["webhooks"] = {"teams": {"secure": sealed}}
            path = tmp_path / "Pulumi.staging.yaml"
            path.write_text(yaml.safe_dump(content))
            return stackfile.read(path)

        def webhook(sealed: str) -> str:
            return settings.parse("staging", read(sealed), rehearsal=True).alerts.webhooks["teams"]

        assert "v1:abc" not in str(read("v1:abc"))
        assert webhook("v1:abc") == webhook("v1:abc") != webhook("v1:def")
        with pytest.raises(settings.SettingsError, match="webhooks"):
            settings.parse("staging", read("v1:abc"))

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("yes", "yes"),
            ("on", "on"),
            ("01:00", "01:00"),
            ("True", True),
            ("0777", 511),
            ("0o17", 15),
            ("0x1F", 31),
            ("1_000", 1000),
            ("1e3", 1000),
            ("1.30", 1.3),
            ("09", 9),
            ("~", None),
            ("2026-01-01", "2026-01-01 00:00:00 +0000 UTC"),
            ("'1.30'", "1.30"),
        ],
    )
    def test_means_to_us_what_it_means_to_the_engine(self, tmp_path: Path, text: str, value: object) -> None:
        path = tmp_path / "Pulumi.qa.yaml"
        path.write_text(f"config:\n  a:x: {{v: {text}}}\n")
        assert stackfile.read(path) == {"a:x": {"v": value}}
