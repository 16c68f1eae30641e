"""Secrets of the CI vault become masked variables, or none does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.scripts import read_secrets
from tests.pipelines.fake_azure import FakeAzure, azure

Captured = pytest.CaptureFixture[str]
SECRETS = {
    "catalogue-api-key": "value-of-catalogue",
    "Other": "100 % ]; of = 'it'",
    "empty": " ",
    "lines": "a\nb",
    "broken": "value-with-a-break\n",
}


@dataclass
class Stand:
    azure: FakeAzure
    pauses: list[float] = field(default_factory=list)

    def read(self, *secrets: str, vault: str = "kv-ci") -> int:
        return read_secrets.main(["--vault", vault, *secrets], self.pauses.append)


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TF_BUILD", "True")
    with azure(tmp_path) as fake:
        fake.secrets = {"kv-ci": dict(SECRETS)}
        yield Stand(fake)


def test_every_secret_is_masked_and_escaped_and_no_output_of_the_job(stand: Stand, capsys: Captured) -> None:
    assert stand.read("catalogue-api-key", "Other=OTHER_ONE") == 0
    assert capsys.readouterr().out.splitlines() == [
        "##vso[task.setvariable variable=CATALOGUE_API_KEY;issecret=true]value-of-catalogue",
        "catalogue-api-key: is masked in $(CATALOGUE_API_KEY)",
        "##vso[task.setvariable variable=OTHER_ONE;issecret=true]100 %AZP25 ]; of = 'it'",
        "Other: is masked in $(OTHER_ONE)",
    ]


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("missing", "A secret with (name/id) missing was not found"),
        ("empty", "empty: is empty in the vault kv-ci"),
        ("lines", "lines: has a line break"),
        ("broken", "broken: has a line break"),
    ],
)
def test_one_secret_that_cannot_be_had_sets_no_variable_at_all(
    stand: Stand, capsys: Captured, secret: str, said: str
) -> None:
    assert stand.read("catalogue-api-key", secret) == 1
    shown = capsys.readouterr().out
    assert re.fullmatch(r"##vso\[task\.logissue type=error\].*; no variable was set\n", shown)
    assert said in shown
    assert not [value for value in SECRETS.values() if value.strip() and value.strip() in shown]


def test_a_role_that_comes_late_is_waited_for(stand: Stand) -> None:
    stand.azure.late = ["(Forbidden) Caller is not authorized to perform action on resource."] * 2
    assert stand.read("catalogue-api-key") == 0
    assert stand.pauses == [2, 4]


def test_the_wait_ends(stand: Stand, capsys: Captured) -> None:
    stand.azure.late = ["(Forbidden) Caller is not authorized"] * 100
    assert stand.read("--wait", "1", "catalogue-api-key") == 1
    assert sum(stand.pauses) == 60
    assert "Caller is not authorized (tries: " in capsys.readouterr().out


def test_off_an_agent_nothing_is_read_because_it_would_be_shown(
    stand: Stand, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_BUILD")
    assert stand.read("catalogue-api-key") == 1
    assert stand.azure.calls == []
    assert capsys.readouterr().err.startswith("error: this is no agent, and the values would be shown")


@pytest.mark.parametrize(
    "arguments",
    [["a_b"], ["a=1x"], [], ["a", "A"], ["a=X", "b=X"]],
    ids=["name", "variable", "none", "same", "given"],
)
def test_what_cannot_be_a_variable_is_refused(stand: Stand, capsys: Captured, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        stand.read(*arguments)
    assert stopped.value.code == 2
    assert stand.azure.calls == []


def test_the_address_of_a_vault_is_no_name(stand: Stand, capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        stand.read("a", vault="https://kv-ci.vault.azure.net")
    assert "allowed: the name of a key vault, not its address" in capsys.readouterr().err


def test_it_runs_by_its_path_with_python_and_the_azure_cli_alone(stand: Stand, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", read_secrets.__file__, "--vault", "kv-ci", "catalogue-api-key"]
    environment = {"PATH": str(tmp_path), "HOME": "/", "TF_BUILD": "True"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
