"""The engine runs on a place of its own: apart from the user's, apart from its neighbours, and without leaks."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from pulumi_azure_native import resources

from rehearsal import toolchain, workspace
from rehearsal.cloud import Cloud, Estate
from rehearsal.console import Console
from rehearsal.engine import EngineError, Program, Rehearsal
from rehearsal.faces import providers
from rehearsal.run import condensed, plain
from rehearsal.workspace import WorkspaceError

GUID = "00000000-0000-0000-0000-00000000000"
CONFIG = {"aks-cicd:size": 1}


class Part(pulumi.ComponentResource):
    def __init__(self, name: str, size: int = 0, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:part:Part", name, {"size": size}, opts)
        self.register_outputs({})


def small() -> None:
    """Two stacks; prod reads staging."""
    part = Part("whole", pulumi.Config().require_int("size"))
    Part("half", opts=pulumi.ResourceOptions(parent=part))
    pulumi.warn("mind the gap")
    pulumi.export("contract", {"size": pulumi.Config().require_int("size")})
    pulumi.export("key", pulumi.Output.secret("hush-hush"))
    if pulumi.get_stack() == "prod":
        staging = pulumi.StackReference("organization/aks-cicd/staging")
        pulumi.export("read", staging.get_output("contract"))


def one_group(name: str) -> Program:
    def program() -> None:
        resources.ResourceGroup("group", resource_group_name=name, location="westeurope")

    return program


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "a project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text(
        "name: aks-cicd\nruntime: {name: python, options: {virtualenv: .venv}}\nbackend: {url: 's3://theirs'}\n"
    )
    for stack in ("staging", "prod"):
        # A salt of another passphrase: taken over, it would make the throw-away backend ask for that one.
        (root / f"Pulumi.{stack}.yaml").write_text("encryptionsalt: v1:x=:v1:y:z\nconfig: {aks-cicd:size: 1}\n")
    return root


@pytest.fixture(scope="module")
def cli() -> toolchain.Cli:
    project = Path(__file__).resolve().parents[2]
    return toolchain.bring(toolchain.ways(project, Console()), print)


@pytest.fixture
def rehearsal(root: Path, tmp_path: Path, cli: toolchain.Cli) -> Iterator[Rehearsal]:
    with Rehearsal.open(root, tmp_path / "engine", None, program=small, cli=cli) as opened:
        yield opened


def cloud() -> Cloud:
    return Cloud(Estate(tenant_id=f"{GUID}1", subscriptions=frozenset({f"{GUID}2"})))


class TestOneLife:
    def test_a_stack_is_previewed_updated_quiet_changed_and_gone(self, rehearsal: Rehearsal) -> None:
        preview = rehearsal.preview("staging")
        assert preview.changes == {"create": 3}
        assert preview.warnings == ("mind the gap",)
        assert not preview.quiet
        seen: list[int] = []
        assert rehearsal.update("staging", lambda count, name: seen.append(count)).changes == {"create": 3}
        assert seen[-1] == 3
        assert rehearsal.preview("staging").quiet
        refresh = rehearsal.refresh("staging")
        assert refresh.quiet
        assert refresh.changed() == ()

        rehearsal.configure("staging", {"aks-cicd:size": 2})
        (changed,) = (step for step in rehearsal.update("staging").changed() if step.name == "whole")
        assert (changed.op, changed.old, changed.new) == ("update", {"size": 1}, {"size": 2})

        assert rehearsal.destroy("staging").changes == {"delete": 3}
        assert "resources" not in rehearsal.export("staging")["deployment"]

    def test_a_step_tells_what_it_is_a_step_on_and_what_that_was_called(self, rehearsal: Rehearsal) -> None:
        def called(name: str) -> Program:
            def program() -> None:
                Part(name, opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="before")]))

            return program

        rehearsal.use(called("before"))
        rehearsal.update("staging")
        rehearsal.use(called("after"))
        step = next(step for step in rehearsal.preview("staging").steps if step.name == "after")
        assert not step.custom
        assert step.was.endswith("::before")

    def test_a_later_stack_reads_what_an_earlier_one_really_exported(self, rehearsal: Rehearsal) -> None:
        rehearsal.configure("staging", {"aks-cicd:size": 7})
        rehearsal.update("staging")
        assert rehearsal.update("prod").outputs["read"] == {"size": 7}

    def test_an_export_is_the_clis_own_and_holds_no_secret_in_plain_text(
        self, rehearsal: Rehearsal, tmp_path: Path
    ) -> None:
        run = rehearsal.update("staging")
        assert run.outputs["key"] == "[secret]"
        exported = rehearsal.export("staging", tmp_path / "staging.json")
        text = (tmp_path / "staging.json").read_text()
        assert "hush-hush" not in text
        assert "ciphertext" in text
        assert json.loads(text) == exported
        assert exported["version"] == 3


class TestAFailureIsOneMessage:
    def test_of_the_program(self, rehearsal: Rehearsal) -> None:
        def refuses() -> None:
            raise pulumi.RunError("first problem\nsecond problem")

        rehearsal.use(refuses)
        with pytest.raises(EngineError) as raised:
            rehearsal.preview("staging")
        assert str(raised.value) == "preview of staging failed:\nfirst problem\nsecond problem"

    def test_of_a_provider(self, root: Path, tmp_path: Path, cli: toolchain.Cli) -> None:
        program = one_group("a name with spaces")
        with (
            Rehearsal.open(root, tmp_path / "engine", cloud(), program=program, cli=cli) as rehearsal,
            pytest.raises(EngineError) as raised,
        ):
            rehearsal.update("staging")
        assert "a name with spaces" in str(raised.value)
        assert "group (azure-native:resources:ResourceGroup)" in str(raised.value)
        assert "Traceback" not in str(raised.value)
        assert len(raised.value.run.errors) == 1

    def test_of_a_bug_keeps_its_traceback(self, rehearsal: Rehearsal) -> None:
        def bug() -> None:
            raise ZeroDivisionError

        rehearsal.use(bug)
        with pytest.raises(EngineError, match="in bug"):
            rehearsal.preview("staging")

    def test_repetitions_of_the_engine_are_left_out(self) -> None:
        assert condensed(("no", "an unhandled error occurred: no", "update failed")) == ("no",)
        assert condensed(("update failed",)) == ("update failed",)


class TestNothingOfTheUserIsTouched:
    def test_neither_home_nor_login_nor_credentials(
        self, root: Path, tmp_path: Path, cli: toolchain.Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path / "home"
        home.mkdir()
        theirs = {
            "HOME": str(home),
            "PULUMI_BACKEND_URL": "https://example.invalid",
            "PULUMI_ACCESS_TOKEN": "t",
            "PULUMI_CONFIG_PASSPHRASE": "theirs",
            "PULUMI_STACK": "theirs",
            "AZURE_CLIENT_SECRET": "s",
            "ARM_CLIENT_SECRET": "s",
            "AZDO_PERSONAL_ACCESS_TOKEN": "p",
            "KUBECONFIG": "/nowhere",
        }
        for name, value in theirs.items():
            monkeypatch.setenv(name, value)
        seen: dict[str, str] = {}
        with Rehearsal.open(
            root, tmp_path / "engine", None, program=lambda: seen.update(os.environ), cli=cli
        ) as rehearsal:
            rehearsal.update("staging")
        assert {name for name in theirs if seen.get(name) == theirs[name]} == {"HOME"}
        assert {name: os.environ[name] for name in theirs} == theirs
        assert list(home.iterdir()) == []

    def test_nor_the_project(self, root: Path, rehearsal: Rehearsal) -> None:
        before = {path.name: path.read_bytes() for path in root.iterdir()}
        rehearsal.update("staging")
        rehearsal.configure("staging", {"aks-cicd:size": 3})
        assert {path.name: path.read_bytes() for path in root.iterdir()} == before

    def test_a_provider_that_nobody_serves_is_an_error_not_a_download(self, rehearsal: Rehearsal) -> None:
        rehearsal.use(one_group("rg"))
        with pytest.raises(EngineError, match="no resource plugin 'pulumi-resource-azure-native'"):
            rehearsal.preview("staging")

    @pytest.mark.parametrize("place", [".", ".pulumi", ".pulumi/stacks", "elsewhere/.pulumi", "pulumi-home/x", ".."])
    def test_their_home_pulumi_home_and_backend_are_refused(self, tmp_path: Path, place: str) -> None:
        home = tmp_path / "home"
        (home / "pulumi-home").mkdir(parents=True)
        (home / "pulumi-home" / "credentials.json").write_text('{"current": "file://~/elsewhere"}')
        environ = {"PULUMI_HOME": str(home / "pulumi-home"), "PULUMI_BACKEND_URL": "file://~"}
        with pytest.raises(WorkspaceError, match="Name another directory"):
            workspace.refuse((home / place).resolve(), home, environ)

    def test_a_directory_of_the_project_below_home_is_not_refused(self, tmp_path: Path) -> None:
        workspace.refuse(tmp_path / "home" / "code" / "build", tmp_path / "home", {})

    def test_a_directory_that_no_rehearsal_made_is_not_emptied(self, root: Path, cli: toolchain.Cli) -> None:
        precious = root / "state" / "precious"
        precious.mkdir(parents=True)
        with (
            pytest.raises(WorkspaceError, match="no rehearsal made it"),
            Rehearsal.open(root, root, None, program=small, cli=cli),
        ):
            pass
        assert precious.exists()


class TestAKeptState:
    def test_is_gone_on_from_by_the_next_rehearsal(self, root: Path, tmp_path: Path, cli: toolchain.Cli) -> None:
        for _ in range(2):
            with Rehearsal.open(root, tmp_path / "engine", None, program=small, cli=cli, keep=True) as rehearsal:
                rehearsal.update("staging")
        with Rehearsal.open(root, tmp_path / "engine", None, program=small, cli=cli, keep=True) as rehearsal:
            assert rehearsal.preview("staging").quiet
        with Rehearsal.open(root, tmp_path / "engine", None, program=small, cli=cli) as rehearsal:
            assert rehearsal.preview("staging").changes == {"create": 3}


class TestEnginesSideBySide:
    def test_a_port_in_use_is_one_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            monkeypatch.setattr(providers, "ADDRESS", f"127.0.0.1:{taken.getsockname()[1]}")
            with pytest.raises(providers.PortError, match=f":{taken.getsockname()[1]}: it is in use"):
                providers.served(cloud()).__enter__()

    def test_share_nothing(self, root: Path, tmp_path: Path, cli: toolchain.Cli) -> None:
        with (
            Rehearsal.open(root, tmp_path / "one", None, program=small, configs={"staging": CONFIG}, cli=cli) as one,
            Rehearsal.open(root, tmp_path / "two", None, program=small, configs={"staging": CONFIG}, cli=cli) as two,
        ):
            two.update("staging")
            assert one.preview("staging").changes == {"create": 3}
            assert two.preview("staging").quiet

    def test_one_directory_serves_one_at_a_time(self, rehearsal: Rehearsal, root: Path, tmp_path: Path) -> None:
        assert rehearsal is not None
        with (
            pytest.raises(WorkspaceError, match="Another rehearsal is running"),
            workspace.prepared(root, tmp_path / "engine", {}),
        ):
            pass


def test_secrets_and_unknowns_are_marked_wherever_they_stand() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}
    assert plain({"a": [secret, "04da6b54-80e4-46f7-96ec-b56ff0331ba9", 1]}) == {"a": ["[secret]", "[unknown]", 1]}


def test_nothing_is_left_running(root: Path, tmp_path: Path, cli: toolchain.Cli) -> None:
    before = set(threading.enumerate())
    with Rehearsal.open(root, tmp_path / "engine", cloud(), program=one_group("rg-one"), cli=cli) as rehearsal:
        rehearsal.update("staging")
    assert not [thread.name for thread in set(threading.enumerate()) - before if not thread.daemon]


def test_attributes_that_a_killed_engine_left_half_written_are_dropped_and_whole_ones_kept(tmp_path: Path) -> None:
    stacks = tmp_path / "state" / ".pulumi" / "stacks" / "aks-cicd"
    stacks.mkdir(parents=True)
    for name, content in (("prod.json", ""), ("prod.json.attrs", ""), ("staging.json.attrs", "{}")):
        (stacks / name).write_text(content)
    workspace.Workspace(tmp_path).tidy()
    assert {path.name for path in stacks.iterdir()} == {"prod.json", "staging.json.attrs"}
