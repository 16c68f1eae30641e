"""docs/rehearsal.md says what is so: its commands exist, and its tables are those of the code."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from rehearsal import __main__ as doors
from rehearsal import memory, workspace
from rehearsal.faults import KNOWN, Plan, disturbances, parse
from rehearsal.rehearse import ACTS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "rehearsal.md").read_text("utf-8")

ECHO = """#!/bin/sh
for each; do
  case "$each" in ""|*" "*) each="[$each]";; esac
  printf "%s " "$each"
done
"""
"""Stands in for Python: says what it was called with."""


def rows(head: str) -> list[list[str]]:
    """The rows of the table with this first column, cell by cell."""
    table = PAGE[PAGE.index(f"| {head} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def commands(program: str) -> list[list[str]]:
    found = [
        *re.findall(rf"`{program} ([^`]+)`", PAGE),
        *re.findall(rf"(?:^|\$\(){program} ([^|#)\n]+)", PAGE, re.MULTILINE),
    ]
    return [shlex.split(each) for each in found]


def test_every_act_is_told_in_its_order() -> None:
    assert [row[0].strip("`") for row in rows("act")] == list(ACTS)


def test_every_fault_is_listed_with_what_the_service_says() -> None:
    told = {row[0].strip("`"): row for row in rows("fault")}
    assert told.keys() == KNOWN.keys()
    for name, known in KNOWN.items():
        assert told[name][1] == known.service
        assert told[name][2].startswith(f"{known.code}: {known.message}")


def test_every_command_of_the_rehearsal_is_one() -> None:
    parsed = [doors._parser().parse_known_args(each) for each in commands("python -m rehearsal")]
    assert {asked.door for asked, _ in parsed} >= {"rehearse", "up", "drift", "cloud"}
    by_hand = [memory._parser().parse_args(rest) for asked, rest in parsed if asked.door == "cloud"]
    assert {each.what for each in by_hand} == {"show", "set", "delete", "export"}
    for asked, _ in parsed:
        disturbances(Plan(tuple(parse(fault) for fault in getattr(asked, "fault", []))))
        assert set(getattr(asked, "act", [])) <= ACTS.keys()


def test_every_fault_for_make_is_one() -> None:
    faults = [each.removeprefix("FAULT=") for words in commands("make") for each in words if each.startswith("FAULT=")]
    assert len(faults) == 2
    assert disturbances(Plan(tuple(map(parse, faults))))


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        ("rehearse", "-m rehearsal rehearse"),
        (
            "rehearse STACK=staging 'FAULT=internal,type=a b'",
            "-m rehearsal rehearse staging --fault [internal,type=a b]",
        ),
        ("retire STACK=qa", "-m operations retire --stack qa --ack []"),
        ("retire STACK=qa ACK=qa REHEARSE=1", "-m operations retire --stack qa --ack qa --rehearse"),
        ("retire", "-m operations retire --stack [] --ack []"),
    ],
)
def test_a_door_hands_over_what_it_is_given(asked: str, runs: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\nfor each; do case "$each" in ""|*" "*) each="[$each]";; esac; printf "%s " "$each"; done'
    )
    python.chmod(0o755)
    command = ["make", "--old-file=.venv/stamp", f"VENV={tmp_path}", *shlex.split(asked)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == runs


@pytest.mark.parametrize("door", ["rehearse", "retire"])
def test_make_names_the_door(door: str) -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"make {door} " in said


def test_the_number_of_operations_at_once_is_the_same_everywhere() -> None:
    wanted = f"PULUMI_PARALLEL={workspace.PARALLEL}"
    assert wanted in PAGE
    assert wanted in (ROOT / "README.md").read_text("utf-8")
