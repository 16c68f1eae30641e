"""A retirement says what is lost, asks, and then goes in an order in which a failure has done no harm yet."""

from __future__ import annotations

import datetime
import io
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from operations import retire
from operations.__main__ import main as operations
from operations.retire_plan import LOCK, holds_data, is_up, leaning, plan
from operations.retire_stacks import RetireError, Stacks
from rehearsal import memory, toolchain, workspace
from rehearsal.cloud import Cloud
from rehearsal.console import Console
from rehearsal.faces import providers
from rehearsal.faults import Fault, Plan, arrange
from tests.conftest import ROOT, Rehearsed, StandingStacks

TODAY = datetime.date(2026, 11, 29)


# What is said


def test_every_holder_of_data_is_a_loss(rehearsed: Mapping[str, Rehearsed]) -> None:
    for stack, run in rehearsed.items():
        found = plan(stack, run.export, TODAY)
        holders = [each for each in run.graph.resources if holds_data(each.type)]
        assert len(found.losses) == len(holders) > 5
    assert not [each.type for each in rehearsed["prod"].graph.azure if each.protected and _forgotten(each.type)]


def _forgotten(type_: str) -> bool:
    """What production protects holds data; the group does by what is in it."""
    return not holds_data(type_) and not type_.endswith(":ResourceGroup")


def test_what_is_soft_deleted_is_kept_until_the_day_that_its_settings_say(rehearsed: Mapping[str, Rehearsed]) -> None:
    vault = next(loss for loss in plan("prod", rehearsed["prod"].export, TODAY).losses if loss.kind == "Vault")
    assert vault.until == TODAY + datetime.timedelta(days=90)
    assert vault.named
    assert vault.back == f"az keyvault recover --name {vault.name}"
    registry = next(loss for loss in plan("prod", rehearsed["prod"].export, TODAY).losses if loss.kind == "Registry")
    assert registry.until is None


def test_what_is_retained_stays_and_is_not_counted(rehearsed: Mapping[str, Rehearsed]) -> None:
    found = plan("staging", rehearsed["staging"].export, TODAY)
    assert {each.rpartition(" (")[2] for each in found.stays} == {"Pricing)", "SecurityContact)", "Extension)"}
    real = [each for each in rehearsed["staging"].graph.resources if each.raw.get("custom")]
    assert found.deletes < len(real)


def test_locks_and_protection_are_found(rehearsed: Mapping[str, Rehearsed]) -> None:
    found = plan("prod", rehearsed["prod"].export, TODAY)
    assert len(found.locks) == 3
    assert {urn.rsplit("::", 1)[-1] for urn in found.protected} >= {
        "cluster",
        "registry",
        "workload-vault",
        "workspace",
    }


def test_a_stack_that_is_read_by_another_is_leant_on(rehearsed: Mapping[str, Rehearsed]) -> None:
    exports = {stack: run.export for stack, run in rehearsed.items()}
    assert leaning("staging", exports) == ("prod",)
    assert leaning("prod", exports) == ()
    assert not is_up({"deployment": {}})


# Whether it goes on


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_nobody_is_waited_for() -> None:
    with pytest.raises(RetireError, match="make retire STACK=prod ACK=prod"):
        retire.acknowledge("prod", "", Console(io.StringIO()), io.StringIO("prod\n"))


@pytest.mark.parametrize("ack", ["yes", "staging", "PROD", " "])
def test_another_word_than_the_stacks_name_touches_nothing(ack: str) -> None:
    with pytest.raises(RetireError, match="Nothing was touched"):
        retire.acknowledge("prod", ack, Console(io.StringIO()), Terminal("prod\n"))


def test_at_a_terminal_the_name_is_asked_for() -> None:
    shown = io.StringIO()
    retire.acknowledge("prod", "", Console(shown), Terminal("prod\n"))
    assert "Type prod" in shown.getvalue()
    with pytest.raises(RetireError, match="nobody acknowledged"):
        retire.acknowledge("prod", "", Console(shown), Terminal("\n"))


def fake(directory: Path, version: str) -> Mapping[str, str]:
    command = directory / "pulumi"
    command.write_text(f"#!/bin/sh\necho v{version}\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(directory)}


def test_a_cli_that_is_too_old_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RetireError, match=rf"is 3\.100\.0; needed is {toolchain.MINIMUM}"):
        retire.real_command(ROOT, fake(tmp_path, "3.100.0"))


def test_no_cli_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RetireError, match=r"pulumi\.com/docs/install"):
        retire.real_command(tmp_path, {"PATH": str(tmp_path)})


def test_a_retirement_names_its_stack(capsys: pytest.CaptureFixture[str]) -> None:
    assert operations(["retire", "--stack", "", "--ack", ""]) == 1
    assert capsys.readouterr().err == (
        "error: Which environment? make retire STACK=<name> [REHEARSE=1]; see docs/operations.md.\n"
    )


def test_a_rehearsed_retirement_is_not_taken_for_the_real_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://theirs")
    assert operations(["retire", "--stack", "staging", "--ack", "staging", "--rehearse"]) == 1
    assert "points at a real backend (PULUMI_BACKEND_URL=s3://theirs)" in capsys.readouterr().err


# For real, on a backend of the user's own


@pytest.fixture
def cloud(standing: StandingStacks, tmp_path: Path) -> Cloud:
    return memory.recall(standing.copied(tmp_path / "theirs") / memory.PLACE.name)


@pytest.fixture
def backend(cloud: Cloud, tmp_path: Path) -> Iterator[Stacks]:
    """The project on a backend of files, as a user has it: the stand-in serves nothing but the providers."""
    theirs, project = tmp_path / "theirs", tmp_path / "project"
    project.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", project)
    cli = toolchain.bring(toolchain.ways(ROOT, Console(io.StringIO())), lambda line: None)
    with providers.served(cloud) as served:
        environ = {
            **workspace.environment(os.environ, workspace.Workspace(theirs), cli.path, served),
            "PULUMI_BACKEND_URL": (theirs / "state").as_uri(),
        }
        with workspace.isolated(environ):
            yield Stacks(project, retire.real_command(ROOT))


def taken_down(backend: Stacks, stack: str, ack: str = "") -> str:
    shown = io.StringIO()
    retire.retire(backend, stack, ack, Console(shown), io.StringIO())
    return shown.getvalue()


def test_the_users_own_stack_is_retired_on_their_backend(backend: Stacks, cloud: Cloud, tmp_path: Path) -> None:
    selected = sorted(path.read_bytes() for path in (tmp_path / "theirs" / "home").rglob("workspaces/*.json"))
    with pytest.raises(RetireError, match=r"^prod leans on staging"):
        taken_down(backend, "staging", "staging")
    with pytest.raises(RetireError, match=r"There is no stack qa on this backend\. There are: prod, staging"):
        taken_down(backend, "qa", "qa")
    with pytest.raises(RetireError, match="Nothing was touched"):
        taken_down(backend, "prod")

    shown = taken_down(backend, "prod", "prod")

    assert shown.index("What is lost") < shown.index("prod is retired.")
    assert "raise aks-cicd:generation in Pulumi.prod.yaml" in shown
    left = {each.type_.rsplit(":", 1)[-1] for each in cloud.resources.values() if "/rg-shop-prod" in each.id.lower()}
    assert not left
    assert not is_up(backend.export("prod"))
    with pytest.raises(RetireError, match="has no resources"):
        taken_down(backend, "prod", "prod")
    after = sorted(path.read_bytes() for path in (tmp_path / "theirs" / "home").rglob("workspaces/*.json"))
    assert after == selected, "which stack is selected is the user's business"


def test_who_may_not_remove_locks_has_done_nothing(backend: Stacks, cloud: Cloud) -> None:
    arrange(cloud, Plan((Fault("forbidden", LOCK, "delete", times=0),)))
    before = set(cloud.resources)
    with pytest.raises(RetireError, match=r"AuthorizationFailed[\s\S]*Nothing that it guards is gone"):
        taken_down(backend, "prod", "prod")
    assert set(cloud.resources) == before
    assert plan("prod", backend.export("prod"), TODAY).protected, "what it holds is still protected"


def test_a_failure_half_way_is_gone_on_from(backend: Stacks, cloud: Cloud) -> None:
    arrange(cloud, Plan((Fault("internal", "azure-native:keyvault:Vault", "delete"),)))
    with pytest.raises(RetireError, match=r"InternalServerError[\s\S]*it goes on from here"):
        taken_down(backend, "prod", "prod")
    assert "prod is retired." in taken_down(backend, "prod", "prod")
