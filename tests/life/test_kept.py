"""The stand-in cloud that is kept between runs: a user's way from up to a change by hand to the drift that it is."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rehearsal import kept, memory, workspace
from rehearsal.cloud.state import VERSION
from rehearsal.console import Console
from rehearsal.errors import RehearsalError
from rehearsal.workspace import WorkspaceError
from tests.conftest import ROOT, StandingStacks


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's program and stack files, with a build directory of their own."""
    for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py"):
        shutil.copy(path, tmp_path)
    for linked in (".ci", ".tools", "components", "pipelines", "tools", "workload"):
        (tmp_path / linked).symlink_to(ROOT / linked)
    return tmp_path


@pytest.fixture
def up(project: Path, standing: StandingStacks) -> Path:
    """The project after `python -m rehearsal up`."""
    standing.copied(project / kept.PLACE)
    return project


def door(project: Path, *arguments: str) -> None:
    memory.main(["--file", str(project / memory.PLACE), *arguments])


def drift(project: Path) -> tuple[str, str]:
    """What is told, and the error."""
    shown = io.StringIO()
    try:
        kept.drift(project, ["staging"], Console(shown))
    except kept.DriftError as error:
        return shown.getvalue(), str(error)
    return shown.getvalue(), ""


def test_what_is_changed_by_hand_between_two_runs_is_found_and_named_by_the_next(
    up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the commands of docs/rehearsal.md."""
    page = (ROOT / "docs" / "rehearsal.md").read_text("utf-8")
    shown_, set_, delete_ = (
        shlex.split(re.search(rf"python -m rehearsal cloud ({what}[^|#\n]+)", page)[1])  # type: ignore[index]
        for what in ("show aks", "set ", "delete ")
    )
    door(up, *shown_)
    (pool,) = (line[4:] for line in capsys.readouterr().out.splitlines() if line.startswith("id: "))
    door(up, *(pool if word == "$pool" else word for word in set_))
    door(up, *delete_)
    before = (up / memory.PLACE).read_bytes()

    shown, error = drift(up)

    assert "  pool-apps (AgentPool)\n    maxCount: in place" in shown
    assert "create: 1\n  alert-cluster-deleted (ActivityLogAlert)" in shown
    assert "staging: the cloud has drifted" in error
    assert "python -m rehearsal up" in error
    assert (up / memory.PLACE).read_bytes() == before, "looking changes nothing"


def test_a_stack_that_is_not_up_there_has_no_drift(project: Path) -> None:
    with pytest.raises(RehearsalError, match=r"staging is not up in build/rehearsal.*python -m rehearsal up"):
        drift(project)


def test_a_run_that_is_killed_here_leaves_what_is_needed_to_go_on(up: Path) -> None:
    """Elsewhere the engine writes its state once, at the end, because nobody goes on from there."""
    with kept.opened(up, ["staging"], Console(io.StringIO())):
        assert workspace.SKIP_CHECKPOINTS not in os.environ


def test_what_an_engine_that_was_killed_has_left_is_tied_up_before_anything_else(
    up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = up / kept.PLACE / "state/.pulumi/locks/organization/aks-cicd/staging/of-the-killed.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("{}")
    mended: list[str] = []
    monkeypatch.setattr(kept, "mend", lambda stage, stack: mended.append(stack.name))
    said = io.StringIO()
    with kept.opened(up, ["prod"], Console(said)) as stage:
        assert [stack.name for stack in stage.stacks] == ["staging", "prod"]
        assert mended == ["staging"]
    assert "staging: the last run was stopped half-way; its loose ends are tied up first." in said.getvalue()


# What cannot be gone on from


def test_a_run_that_was_killed_is_said_to_be_so_with_the_way_out(up: Path) -> None:
    (up / kept.PLACE / kept.UNDER_WAY).touch()
    with pytest.raises(WorkspaceError, match=rf"was killed.*rm -r {up / kept.PLACE}"):
        drift(up)


def test_an_engines_state_without_its_cloud_is_said_to_be_so(up: Path) -> None:
    (up / memory.PLACE).unlink()
    with pytest.raises(WorkspaceError, match="was killed before it could write down its cloud"):
        drift(up)


def test_a_cloud_of_another_version_is_one_message_with_the_way_out(up: Path) -> None:
    path = up / memory.PLACE
    path.write_text(path.read_text().replace(f'"version": {VERSION}', f'"version": {VERSION + 1}', 1))
    with pytest.raises(RehearsalError, match=rf"version {VERSION + 1}.*rm -r"):
        drift(up)


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({"PULUMI_BACKEND_URL": "azblob://state"}, "PULUMI_BACKEND_URL=azblob://state"),
        ({"PULUMI_ACCESS_TOKEN": "pul-secret"}, "backend (PULUMI_ACCESS_TOKEN), and"),
    ],
)
def test_an_environment_that_points_at_a_real_backend_is_refused(environ: Mapping[str, str], shown: str) -> None:
    with pytest.raises(WorkspaceError) as refused:
        workspace.refuse_real(environ)
    assert shown in str(refused.value)
    assert "pul-secret" not in str(refused.value)
    assert f"env -u {next(iter(environ))} make rehearse" in str(refused.value)


def test_every_door_that_plays_by_hand_refuses_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rehearsal.rehearse import rehearse

    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://theirs")
    console = Console(io.StringIO())
    doors: tuple[Callable[[], None], ...] = (
        lambda: rehearse(project, [], [], [], console),
        lambda: kept.up(project, [], console),
        lambda: kept.drift(project, [], console),
    )
    for door in doors:
        with pytest.raises(WorkspaceError, match="s3://theirs"):
            door()
    assert not (project / "build").exists()
    assert os.environ["PULUMI_BACKEND_URL"] == "s3://theirs"
