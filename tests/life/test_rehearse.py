"""The door of the whole life: what it plays, what it refuses, and that a check that fails fails it."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest

from rehearsal.cloud import Cloud, Estate
from rehearsal.console import Console
from rehearsal.life.stage import Stage
from rehearsal.rehearse import ACTS, RehearseError, play, verdict
from tests.conftest import ROOT


class Nowhere:
    """An engine that nobody asks for anything."""

    def has(self, stack: str) -> bool:
        return False


@pytest.fixture
def stage() -> Stage:
    cloud = Cloud(Estate(tenant_id="00000000-0000-0000-0000-000000000001", subscriptions=frozenset()))
    return Stage(cast(Any, Nowhere()), cloud, (), Console(io.StringIO()))


def said(stage: Stage) -> str:
    return cast(io.StringIO, stage.console._stream).getvalue()


def test_a_check_that_fails_is_told_at_once_and_fails_the_rehearsal(stage: Stage) -> None:
    with stage.playing("drift", "Drift"):
        stage.expect("services are no drift", True)
        stage.expect("people are", False, "nothing was seen")
    assert "✗ people are" in said(stage)
    with pytest.raises(RehearseError) as raised:
        verdict(stage)
    assert str(raised.value).startswith("1 of 2 checks failed")
    assert "drift: people are: nothing was seen" in str(raised.value)
    assert "services" not in str(raised.value)


def test_a_rehearsal_of_which_all_holds_says_so_and_how_to_go_on(stage: Stage) -> None:
    stage.expect("it works", True)
    verdict(stage)
    assert "All 1 checks hold" in said(stage)
    assert "python -m rehearsal up" in said(stage)


def _note(played: list[str], name: str, stage: Stage) -> None:
    played.append(name)


def test_all_acts_are_played_in_their_order_each_on_what_it_needs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[str] = []
    monkeypatch.setattr("rehearsal.life.generations.take_down", lambda stage: played.append("emptied"))
    for name, act in ACTS.items():
        monkeypatch.setitem(cast(Any, ACTS), name, replace(act, play=partial(_note, played, name)))
    monkeypatch.setattr("rehearsal.life.up.play", lambda stage: played.append("up"))

    play(stage, list(ACTS))
    assert played == ["up", "drift", "changes", "upgrade", "retire", "emptied", "faults", "killed"]

    played.clear()
    play(stage, ["drift"])
    assert played == ["up", "drift"]

    played.clear()
    play(stage, ["killed"])
    assert played == ["killed"]


def door(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rehearsal", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rehearse", "--fault", "sharks"), "error: There is no fault named 'sharks'. Known are:"),
        (("up", "--fault", "internal,typ=x"), "is not a setting. Settings are type=<type>"),
        (("rehearse", "--act", "dance"), "error: There is no act dance. Acts are: up, drift, changes, upgrade"),
        (("drift", "nowhere"), "error: There is no stack file Pulumi.nowhere.yaml."),
        (("cloud", "--file", "/nowhere/cloud.json", "show"), "A rehearsal makes it"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_one(arguments: tuple[str, ...], says: str) -> None:
    answer = door(*arguments)
    assert answer.returncode == 1
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""


def test_the_cloud_door_tells_its_own_ways() -> None:
    assert "show" in door("cloud", "--help").stdout
