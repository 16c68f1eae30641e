"""Two versions with other stacks each: which are looked at, and what is said of one that comes or goes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rehearsal import toolchain
from rehearsal.console import Console
from review import commits, versions
from review.commits import Commit
from review.errors import ReviewError
from review.judgement import judge
from review.judgement.verdict import exit_code
from review.model import Op
from tests.rehearsal.handmade import export, resource
from tests.review.test_programs import CLI

REGISTRY = "azure-native:containerregistry:Registry"
BASE = Commit("main", "a" * 40, "b" * 40, "A change")


def stack_file(place: Path, name: str, **leans_on: str) -> None:
    said = "".join(f"\n    {key}: {stack}" for key, stack in leans_on.items())
    stacks = f"\n  aks-cicd:stacks:{said}" if said else ""
    (place / f"Pulumi.{name}.yaml").write_text(f"config:\n  aks-cicd:tier: production{stacks}\n", "utf-8")


def registry(stack: str) -> dict[str, Any]:
    return resource(REGISTRY, "registry", stack=stack, inputs={"registryName": f"cr{stack}"})


class Engine:
    """Stands for the processes: makes a registry in each stack, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.rehearsed: list[str] = []
        self.previewed: list[str] = []
        self.known: dict[str, int] = {}

    def base(self, program: Path, called: str, stacks: Sequence[str], cli: Any, to: Path) -> dict[str, Any]:
        self.rehearsed = [*stacks]
        to.mkdir()
        made = {stack: export(registry(stack), stack=stack) for stack in stacks}
        for stack, each in made.items():
            (to / f"{stack}.json").write_text(json.dumps(each), "utf-8")
        return made

    def head(
        self, program: Path, called: str, stacks: Sequence[str], known: Path, cli: Any, to: Path
    ) -> dict[str, Any]:
        self.previewed = [*stacks]
        found = {}
        for stack in stacks:
            before = json.loads((known / f"{stack}.json").read_text("utf-8"))["deployment"]["resources"]
            self.known[stack] = len(before)
            old = next((each for each in before if each["type"] == REGISTRY), None)
            new = registry(stack)
            step = {"op": "same" if old else "create", "urn": new["urn"], "oldState": old, "newState": new}
            found[stack] = {"steps": [step], "changeSummary": {}}
        return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The base has `staging`, `old` and `prod`; the head has `staging`, `prod` and `qa`, which leans on `staging`."""
    for place in (tmp_path / "root", tmp_path / "base"):
        place.mkdir()
        stack_file(place, "staging")
        stack_file(place, "prod", delivery="staging")
    stack_file(tmp_path / "base", "old")
    stack_file(tmp_path / "root", "qa", registry="staging")
    return tmp_path / "root"


@pytest.fixture
def engine(root: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()

    @contextmanager
    def checkout(root: Path, commit: Commit, place: Path) -> Iterator[Path]:
        shutil.copytree(root.parent / "base", place / "files")
        yield place / "files"

    monkeypatch.setattr(commits, "resolve", lambda root, ref: BASE)
    monkeypatch.setattr(commits, "checkout", checkout)
    monkeypatch.setattr(toolchain, "bring", lambda ways, say: CLI)
    monkeypatch.setattr(versions, "rehearsed", made.base)
    monkeypatch.setattr(versions, "previews", made.head)
    return made


def found(root: Path, *stacks: str) -> Mapping[str, Any]:
    made = versions.between_commits(root, "main", "", stacks, Console())
    return {each.stack: each for each in made.changes}


def test_every_stack_of_either_side_is_told_in_promotion_order(root: Path, engine: Engine) -> None:
    made = found(root)

    assert list(made) == ["staging", "prod", "qa", "old"]
    assert set(engine.rehearsed) == {"old", "prod", "staging"}
    assert set(engine.previewed) == {"prod", "qa", "staging"}


def test_a_new_stack_is_previewed_against_nothing(root: Path, engine: Engine) -> None:
    made = found(root)

    assert engine.known == {"staging": 2, "prod": 2, "qa": 0}
    assert [change.op for change in made["qa"].changes] == [Op.CREATE]
    assert made["prod"].changes == ()


def test_a_stack_whose_file_goes_is_no_deletion_and_has_to_be_acknowledged(root: Path, engine: Engine) -> None:
    made = judge(found(root)["old"])

    assert made.changes.changes == ()
    assert made.acks == ("abandoned:old/stack",)
    assert exit_code([made]) == 3
    (loss,) = made.losses
    assert loss.text.startswith("its file goes: what it has (1 resource) stays, and nobody manages it.")
    assert loss.text.endswith("make retire STACK=old")


def test_only_what_is_asked_for_is_looked_at_and_what_it_leans_on(root: Path, engine: Engine) -> None:
    assert list(found(root, "qa")) == ["staging", "qa"]
    assert engine.rehearsed == ["staging"]
    assert set(engine.previewed) == {"qa", "staging"}
    assert list(found(root, "old")) == ["old"]
    assert engine.rehearsed == ["old"]


def test_a_stack_that_neither_side_has_is_refused(root: Path, engine: Engine) -> None:
    with pytest.raises(ReviewError, match="There is no stack nowhere on either side: old, prod, qa, staging"):
        found(root, "nowhere")


def test_a_stack_file_that_cannot_be_read_says_of_which_side(root: Path, engine: Engine) -> None:
    (root / "Pulumi.qa.yaml").write_text("", "utf-8")
    with pytest.raises(ReviewError, match=r"In the working tree: Pulumi\.qa\.yaml: the file is empty"):
        found(root)
    (root.parent / "base" / "Pulumi.old.yaml").write_text("", "utf-8")
    with pytest.raises(ReviewError, match=r"In the base main .+: Pulumi\.old\.yaml: the file is empty"):
        found(root)


def test_a_base_is_rehearsed_once_and_the_report_says_so(root: Path, engine: Engine) -> None:
    first = versions.between_commits(root, "main", "", (), Console())
    engine.rehearsed = []
    second = versions.between_commits(root, "main", "", (), Console())

    assert engine.rehearsed == []
    assert [each.changes for each in second.changes] == [each.changes for each in first.changes]
    assert first.about[0].endswith(", rehearsed.")
    assert second.about[0].endswith("known from an earlier rehearsal of the same files, engine and packages.")


def test_another_base_is_rehearsed_anew(root: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    found(root)
    monkeypatch.setattr(commits, "resolve", lambda root, ref: Commit("main", "c" * 40, "d" * 40, "Another"))
    engine.rehearsed = []

    found(root)

    assert set(engine.rehearsed) == {"old", "prod", "staging"}


def test_other_packages_are_told(root: Path, engine: Engine) -> None:
    (root / "requirements.txt").write_text("pulumi==9\n", "utf-8")

    made = versions.between_commits(root, "main", "", (), Console())

    assert made.about[-1] == "Both ran on the Python packages of here, though their requirements.txt differ."


def test_a_new_policy_exception_has_to_be_acknowledged(root: Path, engine: Engine) -> None:
    entry = "[{rule: registry-is-private, resource: registry, reason: A migration, until: '2027-01-31'}]"
    with (root / "Pulumi.prod.yaml").open("a") as file:
        file.write(f"  aks-cicd:exceptions: {entry}\n")

    made = judge(found(root)["prod"])

    assert made.acks == ("exception:prod/registry-is-private-of-registry",)
    assert made.weaker[0].text == "excepted from the policies: until 2027-01-31: A migration"
    assert exit_code([made]) == 3


def test_nothing_is_left_behind_but_the_base(root: Path, engine: Engine) -> None:
    found(root)

    assert [path.name for path in (root / "build" / "review").iterdir()] == ["base"]
