"""A door of checks: one line each, each alone, and an exit code that tells."""

from __future__ import annotations

import subprocess
import sys

import pytest

from operations import checking
from operations.__main__ import main
from operations.checking import BAD, OK, SKIPPED, Amiss, Check, Outcome
from operations.doctor import DOCTOR
from operations.errors import OperationsError
from operations.verify import VERIFY
from tests.operations.recorded import names
from tests.stackfiles import ROOT


def door(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """With nothing on PATH: whoever runs the tests may be signed in."""
    monkeypatch.setenv("PATH", "/nowhere")
    return main([*arguments])


def outcome(state: str) -> Outcome:
    return Outcome(Check("x", "y", frozenset(), lambda place: (), lambda place: True), state, ("words",))


@pytest.mark.parametrize(
    ("states", "code"), [([], 0), ([OK], 0), ([OK, SKIPPED], 3), ([OK, BAD, SKIPPED], 1), ([BAD], 1)]
)
def test_the_exit_code_tells(states: list[str], code: int) -> None:
    assert checking.code([outcome(state) for state in states]) == code


@pytest.mark.parametrize("register", [DOCTOR, VERIFY], ids=["doctor", "verify"])
def test_checks_are_told_apart_and_say_what_is_true_when_they_are_well(register: checking.Register) -> None:
    assert len(set(names(register))) == len(names(register)) >= 10
    assert all(len(check.about) < 100 for check in register.checks)


def test_what_is_amiss_stands_before_its_remedy() -> None:
    assert str(Amiss("it rains", "take an umbrella")) == "it rains: take an umbrella"


class TestTheCommand:
    def test_runs_one_check_alone_and_skips_it_by_name_without_a_login(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert door(monkeypatch, "doctor", "--stack", "prod", "--check", "quota") == 3
        said = capsys.readouterr()
        assert said.out.splitlines() == [
            "skipped quota              needs a login (az login)",
            "Nothing is amiss, as far as it could be looked at.",
        ]

    def test_fails_where_something_is_amiss_and_says_so_on_stdout_alone(self) -> None:
        command = [sys.executable, "-m", "operations", "doctor", "--stack", "prod"]
        answer = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env={"PATH": "/nowhere"}
        )
        assert (answer.returncode, answer.stderr) == (1, "")
        assert "bad     placeholders" in answer.stdout
        assert "az login --tenant" in answer.stdout

    def test_names_its_checks(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        assert door(monkeypatch, "verify", "--stack", "prod", "--list") == 0
        said = capsys.readouterr().out
        assert sorted(line.split()[0] for line in said.splitlines()) == sorted(names(VERIFY))

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["doctor", "--stack", "prod", "--check", "qouta"], "error: There is no check qouta: did you mean quota?"),
            (["doctor", "--stack", "nowhere"], "error: There is no stack file Pulumi.nowhere.yaml."),
            (["verify", "--stack", "prod", "--export", "nothing.json"], "error: nothing.json cannot be read"),
            (["verify", "--stack", "prod"], "error: There is no pulumi on PATH."),
            (["list-environment", "--stack", "nowhere"], "error: There is no pulumi on PATH."),
            (["environment", "--name", "QA"], "error: No environment can be written from this:"),
        ],
    )
    def test_tells_a_problem_on_stderr(
        self, arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert door(monkeypatch, *arguments) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(says)

    def test_of_a_missing_check_lists_those_that_there_are(self) -> None:
        with pytest.raises(OperationsError, match="choose from"):
            checking.chosen(VERIFY.ordered, "zzz")
