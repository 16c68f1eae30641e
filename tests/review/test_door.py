"""`python -m review`: what it says, where it writes, and how it ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from review.__main__ import main
from tests.conftest import ROOT
from tests.rehearsal.handmade import STACK, component, export, resource, urn

REGISTRY = "azure-native:containerregistry:Registry"
ACK = "public:staging/registry/Registry.registry"
CANARY = "correct-horse-battery-staple"
OWNED = component("registry:TierRegistry", "registry")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: aks-cicd\nruntime: python\n", "utf-8")
    return tmp_path


def state(access: str, **more: Any) -> dict[str, Any]:
    inputs = {"registryName": "cr1", "publicNetworkAccess": access, "adminPassword": f"{CANARY}-{access}"}
    return resource(REGISTRY, "registry", OWNED["urn"], inputs=inputs, **more)


def preview(*steps: Mapping[str, Any]) -> dict[str, Any]:
    return {"steps": [*steps], "changeSummary": {}}


def step(op: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {"op": op, "urn": new["urn"], "oldState": old, "newState": new}


def written(root: Path, name: str, content: Any) -> str:
    path = root / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return str(path)


OPENED = preview(step("same", OWNED, OWNED), step("update", state("Disabled"), state("Enabled")))
CLOSED = preview(step("same", OWNED, OWNED), step("update", state("Enabled"), state("Disabled")))
QUIET = preview(step("same", OWNED, OWNED))


def report(root: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (root / "build" / "review").glob("*.*")}


@pytest.mark.parametrize(
    ("content", "acks", "code", "last"),
    [
        (QUIET, [], 0, "Exit code 0: no change."),
        (CLOSED, [], 2, "Exit code 2: changes, and nothing left to acknowledge."),
        (OPENED, [], 3, "Exit code 3: changes that somebody has to acknowledge first."),
        (OPENED, ["--ack", ACK], 2, "Exit code 2: changes, and nothing left to acknowledge."),
    ],
)
def test_the_exit_code_tells_and_is_told(
    content: Any, acks: list[str], code: int, last: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([written(root, "p.json", content), *acks], root) == code

    shown = capsys.readouterr().out.splitlines()
    assert shown[-2:] == ["Written to build/review/review.md and build/review/review.html.", last]
    assert shown[0] in report(root)["review.md"].replace("\\", "")
    assert set(report(root)) == {"review.md", "review.html"}


def test_the_report_says_which_word_acknowledges(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([written(root, "p.json", OPENED)], root)

    assert f"ACK='{ACK}'" in capsys.readouterr().out
    assert all(f"ACK='{ACK}'" in unescape(each) for each in report(root).values())


def test_a_mistyped_option_does_not_read_as_changes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whose exit code is 2, as argparse's own is."""
    for arguments in ([], ["main", "--akc", "x"], ["main", "--limit", "10"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments, root)

        assert ended.value.code == 1
        assert "error: " in capsys.readouterr().err


def test_secrets_of_a_preview_and_of_two_exports_appear_nowhere(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = written(root, "before.json", export(OWNED, state("Disabled")))
    after = written(root, "after.json", export(OWNED, state("Enabled")))
    for arguments in ([written(root, "p.json", OPENED)], [before, "--head", after]):
        main(arguments, root)

        shown = capsys.readouterr()
        for each in (shown.out, shown.err, *report(root).values()):
            assert CANARY not in each
        assert "adminPassword" in shown.out, "that it changes is told"


def test_previews_of_several_stacks_are_one_report(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = json.loads(json.dumps(CLOSED).replace("urn:pulumi:staging", "urn:pulumi:prod"))

    assert main([written(root, "a.json", OPENED), written(root, "b.json", other)], root) == 3

    shown = capsys.readouterr().out
    assert "Changes in staging: registry" in shown
    assert "Changes in prod: registry" in shown
    assert "staging: a.json, a preview that was made elsewhere." in shown


def test_a_preview_without_resources_is_of_the_stack_that_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(root, "p.json", {"steps": None, "changeSummary": {}})

    assert main([path], root) == 1
    assert "p.json has no resource that names its stack. Say which it is: --stack NAME." in capsys.readouterr().err
    assert main([path, "--stack", "qa"], root) == 0
    assert "qa: 0 unchanged" in capsys.readouterr().out


def test_a_comment_keeps_to_the_limit_and_says_where_the_rest_is(root: Path) -> None:
    old, new = ({f"p{n:03}": f"{side} {n}" for n in range(300)} for side in ("old", "new"))
    many = preview(
        step("update", *(resource(REGISTRY, "registry", OWNED["urn"], inputs=inputs) for inputs in (old, new)))
    )

    main([written(root, "p.json", many), "--limit", "5000", "--link", "https://ci.example/1"], root)

    comment = report(root)["review.md"]
    assert len(comment) <= 5000
    assert "in [the whole report](https://ci.example/1).**" in comment


PROJECT = export(resource(REGISTRY, "registry"))
WEB = json.loads(json.dumps(PROJECT).replace("::aks-cicd::", "::web::"))


@pytest.mark.parametrize(
    ("files", "arguments", "message"),
    [
        ({}, ["nowhere"], "nowhere is no file, and"),
        ({"a.json": QUIET}, ["a.json", "main"], "main is no file, and a.json is one. Name files alone, or one commit."),
        ({}, ["main", "develop"], "main and develop: one commit is compared, or several files."),
        ({"a.json": QUIET, "b.json": PROJECT}, ["a.json", "b.json"], "Name files of one kind."),
        (
            {"a.json": QUIET, "b.json": QUIET},
            ["a.json", "b.json"],
            "b.json is of the stack staging, like another file.",
        ),
        (
            {"a.json": QUIET},
            ["a.json", "--stack", "prod"],
            "a.json is of the stack staging, which --stack does not name",
        ),
        ({"a.json": QUIET}, ["a.json", "--head", "main"], "A preview says itself what would change: leave out --head."),
        ({"a.json": WEB}, ["a.json"], "a.json is of the project web, and this is aks-cicd."),
        ({"a.json": "{"}, ["a.json"], "a.json is not one document of JSON"),
        ({"a.json": {"format": 2}}, ["a.json"], "a.json has format, which previews did not have so far"),
        ({"a.json": PROJECT, "b.json": QUIET}, ["a.json", "--head", "b.json"], "b.json is a preview. Name it alone"),
        ({"a.json": OPENED}, ["a.json", "--ack", "deleted:x"], "ACK names deleted:x, which this change does not do."),
        ({"a.json": QUIET}, ["a.json", "--html", "a.json/x"], "a.json/x cannot be written: "),
    ],
)
def test_a_problem_is_one_message_and_nothing_is_written(
    files: Mapping[str, Any],
    arguments: list[str],
    message: str,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(root)
    for name, content in files.items():
        written(root, name, content)

    assert main(arguments, root) == 1

    shown = capsys.readouterr()
    assert message in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert "review.html" not in report(root)


def test_an_older_report_stays_when_a_new_one_cannot_be_made(root: Path) -> None:
    main([written(root, "p.json", OPENED)], root)
    before = report(root)

    assert main([written(root, "p.json", "{")], root) == 1

    assert report(root) == before


def test_the_stack_itself_is_no_resource_of_the_report(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = {"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False}
    other = {"urn": urn("pulumi:pulumi:Stack", "x"), "type": "pulumi:pulumi:Stack", "custom": False}

    assert main([written(root, "p.json", preview(step("same", own, own), step("create", own, other)))], root) == 0

    assert "No change." in capsys.readouterr().out


@pytest.mark.parametrize(("code", "of_make", "told"), [(0, 0, ""), (2, 0, ""), (3, 2, "Error 3"), (1, 2, "Error 1")])
def test_make_fails_only_where_something_is_left_and_says_with_which_code(
    code: int, of_make: int, told: str, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n', "utf-8")
    python.chmod(0o755)
    given = [f"VENV={tmp_path}", "BASE=HEAD~1", "HEAD=topic", "STACK=prod", "ACK=lock:prod/a gate:prod/b"]

    done = subprocess.run(
        ["make", "--old-file", ".venv/stamp", "review", *given], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == of_make
    assert done.stdout.split() == (
        ["-m", "review", "HEAD~1", "--head", "topic", "--stack", "prod", "--ack", "lock:prod/a", "gate:prod/b"]
    )
    assert told in done.stderr


def test_make_without_a_base_says_what_one_is() -> None:
    done = subprocess.run(
        ["make", "--old-file", ".venv/stamp", "review", "BASE="], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "error: make review BASE=<commit, stack export or preview>; see docs/review.md" in done.stderr
