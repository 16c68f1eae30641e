"""A retirement says what is lost, asks, and then goes in an order in which a failure has done no harm yet."""

from __future__ import annotations

import datetime
import io
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from operations import retire
from operations.__main__ import main as operations
from operations.retire_plan import LOCK, holds_data, is_up, leaning, plan
from operations.retire_stacks import RetireError, Stacks
from rehearsal import memory, toolchain, workspace
from rehearsal.console import Console
from rehearsal.faces import providers
from rehearsal.faults import Fault, Plan, arrange
from tests.conftest import ROOT, STACKS, Rehearsed, StandingStacks

VAULT = "azure-native:keyvault:Vault"
TODAY = datetime.date(2026, 11, 29)

# The retirement on a backend is made by the worker that has these tests.
pytestmark = pytest.mark.xdist_group("retire")


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


@dataclass(frozen=True)
class Attempt:
    """What somebody was told who asked for it, how it was refused, and what was there after it."""

    told: str
    refused: str
    left: frozenset[str]
    """Ids in Azure."""
    export: Mapping[str, Any]


def attempts(standing: StandingStacks, place: Path) -> Iterator[tuple[str, Attempt]]:
    """One retirement of prod with all that gets in its way, on a backend of files, as a user has it: the stand-in
    serves nothing but the providers."""
    theirs, project = standing.copied(place / "theirs"), place / "project"
    cloud = memory.recall(theirs / memory.PLACE.name)
    project.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", project)
    cli = toolchain.bring(toolchain.ways(ROOT, Console(io.StringIO())), lambda line: None)
    with providers.served(cloud) as served:
        environ = {
            **workspace.environment(os.environ, workspace.Workspace(theirs), cli.path, served),
            "PULUMI_BACKEND_URL": (theirs / "state").as_uri(),
        }
        with workspace.isolated(environ):
            backend = Stacks(project, retire.real_command(ROOT))

            def attempt(stack: str, ack: str, *faults: Fault) -> Attempt:
                arrange(cloud, Plan(faults))
                shown, refused = io.StringIO(), ""
                try:
                    retire.retire(backend, stack, ack, Console(shown), io.StringIO())
                except RetireError as error:
                    refused = str(error)
                cloud.calm()
                export = backend.export(stack) if stack in STACKS else {}
                return Attempt(shown.getvalue(), refused, frozenset(cloud.resources), export)

            yield "of what another leans on", attempt("staging", "staging")
            yield "of what there is not", attempt("qa", "qa")
            yield "that nobody acknowledged", attempt("prod", "")
            yield (
                "without the right to remove locks",
                attempt("prod", "prod", Fault("forbidden", LOCK, "delete", times=0)),
            )
            yield "with a failure half way", attempt("prod", "prod", Fault("internal", VAULT, "delete"))
            yield "again", attempt("prod", "prod")
            yield "of what is gone", attempt("prod", "prod")


@dataclass(frozen=True)
class Attempts:
    by_name: Mapping[str, Attempt]
    selected: tuple[list[bytes], list[bytes]]
    """Which stack the user had selected, before and after."""


@pytest.fixture(scope="module")
def tried(standing: StandingStacks, tmp_path_factory: pytest.TempPathFactory) -> Attempts:
    place = tmp_path_factory.mktemp("retire")
    before = _selected(standing.place)
    made = dict(attempts(standing, place))
    return Attempts(made, (before, _selected(place / "theirs")))


def _selected(place: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (place / "home").rglob("workspaces/*.json"))


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        ("of what another leans on", r"^prod leans on staging"),
        ("of what there is not", r"There is no stack qa on this backend\. There are: prod, staging"),
        ("that nobody acknowledged", r"Nothing was touched"),
    ],
)
def test_what_is_refused_has_done_nothing(attempt: str, says: str, tried: Attempts) -> None:
    assert re.search(says, tried.by_name[attempt].refused)
    assert tried.by_name[attempt].left == tried.by_name["of what another leans on"].left
    assert len(tried.by_name[attempt].left) > 100


def test_who_may_not_remove_locks_has_done_nothing(tried: Attempts) -> None:
    found = tried.by_name["without the right to remove locks"]
    assert re.search(r"AuthorizationFailed[\s\S]*Nothing that it guards is gone", found.refused)
    assert found.left == tried.by_name["that nobody acknowledged"].left
    assert plan("prod", found.export, TODAY).protected, "what it holds is still protected"


def test_a_failure_half_way_is_gone_on_from(tried: Attempts) -> None:
    failed = tried.by_name["with a failure half way"]
    assert re.search(r"InternalServerError[\s\S]*it goes on from here", failed.refused)
    assert not plan("prod", failed.export, TODAY).protected
    assert failed.left < tried.by_name["without the right to remove locks"].left
    assert tried.by_name["again"].refused == ""


def test_the_users_own_stack_is_retired_on_their_backend(tried: Attempts) -> None:
    found = tried.by_name["again"]
    assert found.told.index("What is lost") < found.told.index("prod is retired.")
    assert "raise aks-cicd:generation in Pulumi.prod.yaml" in found.told
    assert not [id for id in found.left if "/rg-shop-prod" in id.lower()]
    assert any("/rg-shop-staging" in id.lower() for id in found.left)
    assert not is_up(found.export)
    assert "has no resources" in tried.by_name["of what is gone"].refused


def test_which_stack_is_selected_is_the_users_business(tried: Attempts) -> None:
    before, after = tried.selected
    assert before == after
