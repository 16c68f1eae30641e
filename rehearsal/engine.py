"""The real engine on a throw-away workspace, against the stand-in cloud.

    with Rehearsal.open(root, directory, cloud) as rehearsal:
        rehearsal.preview("staging")
        rehearsal.update("staging")
        rehearsal.export("staging")

Preview, diff and state are Pulumi's own: nothing of them is imitated here. The program runs in this process
by the SDK's Automation API, so that no language host is needed, and modules it imports stay loaded between
runs: two versions of a program need two processes.
"""

from __future__ import annotations

import datetime
import gc
import json
import os
import re
import runpy
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulumi import automation
from pulumi.automation._stack import StackInitMode  # not exported, though a constructor needs it

from rehearsal import toolchain, workspace
from rehearsal.console import Console
from rehearsal.errors import RehearsalError
from rehearsal.program import stack_files
from rehearsal.run import Collector, Run
from rehearsal.workspace import Workspace
from validation import stackfile

if TYPE_CHECKING:
    from rehearsal.cloud import Cloud

Program = Callable[[], None]
Watch = Callable[[int, str], None]
"""Told, while the engine works, how many resources are done and the name of the latest."""


_SAID: Final = 500


class EngineError(RehearsalError):
    """An operation failed. The message is for a person; `run` tells how far it got."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"{run.operation} of {run.stack} failed:\n" + "\n".join(run.errors))
        self.run = run


class StateError(RehearsalError):
    """An export that the engine cannot go on from."""


def said(failure: str) -> str:
    """What a failed CLI says on its standard error, in one line; of a crash, no more than its beginning."""
    lines = failure.partition("stderr:")[2].strip().splitlines() or failure.strip().splitlines()
    return " ".join(" ".join(lines).split()).removeprefix("error: ")[:_SAID]


class CliError(RehearsalError):
    """A command of the CLI failed that is no operation on a stack's resources."""


def project_program(root: Path) -> Program:
    """The project's own program, told that it is only rehearsed."""

    def program() -> None:
        import settings  # of the program that runs: a rehearsal of another program does without

        with settings.rehearsal():
            runpy.run_path(str(root / "__main__.py"), run_name="__main__")

    return program


class _Stack(automation.Stack):
    """Asks the CLI for nothing after an operation: three more runs of it, for what the events have told."""

    def outputs(self) -> automation.OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:
        now = datetime.datetime.now(datetime.UTC)
        return automation.UpdateSummary(kind="", start_time=now, message="", environment={}, config={}, result="")


class _Command(automation.PulumiCommand):
    """Previews that are asked for as JSON also tell what stays: the SDK has no way to ask for that."""

    def run(self, args: list[str], *rest: Any, **more: Any) -> automation.CommandResult:
        return super().run([*args, "--show-sames"] if {"preview", "--json"} <= {*args} else args, *rest, **more)


class Rehearsal:
    """The stacks of one program on one backend; made by :meth:`open`."""

    def __init__(self, root: Path, space: Workspace, program: Program) -> None:
        self.root = root
        self._space = space
        self._program = program
        self._command = _Command(root=str(space.directory))
        self._stacks: dict[str, automation.Stack] = {}

    @classmethod
    @contextmanager
    def open(
        cls,
        root: Path,
        directory: Path,
        cloud: Cloud | None,
        *,
        program: Program | None = None,
        configs: Mapping[str, Mapping[str, Any]] | None = None,
        cli: toolchain.Cli | None = None,
        keep: bool = False,
    ) -> Iterator[Rehearsal]:
        """A backend below `directory`, for the project at `root`.

        Args:
            cloud: the stand-in that serves the providers; None for a program without any.
            program: runs instead of the project's own.
            configs: each stack's configuration, as `config` in a stack file; by default that of the files.
            cli: the engine; by default the first that the tool chain finds.
            keep: goes on from the state that is there; by default the backend is a fresh one.

        Raises:
            WorkspaceError: the directory cannot be used.
            ToolchainError: there is no engine.
        """
        if cli is None:
            console = Console(sys.stderr)
            cli = toolchain.bring(toolchain.ways(root, console), console.say)
        if configs is None:
            configs = {stack: stackfile.read(path) for stack, path in stack_files(root).items()}
        if program is None:
            program = project_program(root)
            if str(root) not in sys.path:
                sys.path.insert(0, str(root))
        with workspace.prepared(root, directory, configs, keep=keep) as space, _served(cloud) as providers:
            workspace.write_command(space, cli.path)
            environ = workspace.environment(os.environ, space, cli.path, providers)
            with workspace.isolated(environ), _stopped_programs_are_silent():
                yield cls(root, space, program)

    def configure(self, stack: str, config: Mapping[str, Any]) -> None:
        """Gives the stack another configuration from its next operation on."""
        self._space.configure(stack, config)

    def use(self, program: Program) -> None:
        """Runs another program from the next operation on."""
        self._program = program

    @property
    def directory(self) -> Path:
        """Where the backend is."""
        return self._space.directory

    def told(self, stack: str, watch: Watch | None = None, *, plan: Path | None = None) -> tuple[Run, dict[str, Any]]:
        """A preview, also as `pulumi preview --json --show-sames` tells it; `plan` keeps the engine's plan there."""
        written: list[str] = []

        def call(**more: Any) -> None:
            written.append(self._stack(stack).preview(json=True, plan=str(plan) if plan else None, **more).stdout)

        run = self._operate(stack, "preview", call, watch, program=self._program)
        return run, json.loads(written[0])

    @property
    def command(self) -> automation.PulumiCommand:
        return self._command

    @property
    def work(self) -> Path:
        """Where the CLI finds the project."""
        return self._space.work

    def preview(
        self, stack: str, watch: Watch | None = None, *, refresh: bool = False, expect_no_changes: bool = False
    ) -> Run:
        """With `refresh` the cloud is read anew first; with `expect_no_changes` any change fails the CLI."""
        call = partial(self._stack(stack).preview, refresh=refresh, expect_no_changes=expect_no_changes)
        return self._operate(stack, "preview", call, watch, program=self._program)

    def update(
        self,
        stack: str,
        watch: Watch | None = None,
        *,
        refresh: bool = False,
        continue_on_error: bool = False,
        plan: Path | None = None,
    ) -> Run:
        """With `plan`, whatever that plan of an earlier preview does not hold fails."""
        held = str(plan) if plan else None
        call = partial(self._stack(stack).up, refresh=refresh, continue_on_error=continue_on_error, plan=held)
        return self._operate(stack, "update", call, watch, program=self._program)

    def refresh(self, stack: str, watch: Watch | None = None) -> Run:
        """Reads every resource anew from the cloud into the state."""
        return self._operate(stack, "refresh", self._stack(stack).refresh, watch)

    def destroy(self, stack: str, watch: Watch | None = None) -> Run:
        return self._operate(stack, "destroy", self._stack(stack).destroy, watch)

    def cancel(self, stack: str) -> None:
        """Takes the lock from an engine that is gone."""
        self.run("cancel", "--yes", "--stack", stack)

    def has(self, stack: str) -> bool:
        """Whether the backend has this stack."""
        return self._space.knows(stack)

    def run(self, *arguments: str) -> str:
        """Any other command of the CLI; answers what it prints.

        Raises:
            CliError: it failed.
        """
        try:
            return str(self._command.run(list(arguments), str(self._space.work), {}).stdout)
        except automation.CommandError as failure:
            raise CliError(f"pulumi {' '.join(arguments[:2])} failed: {said(str(failure))}") from None

    @contextmanager
    def checkpoints(self) -> Iterator[None]:
        """Until the block ends, the engine writes its state down at every step, as it does outside a rehearsal."""
        skipped = os.environ.pop(workspace.SKIP_CHECKPOINTS, None)
        try:
            yield
        finally:
            if skipped is not None:
                os.environ[workspace.SKIP_CHECKPOINTS] = skipped

    def kill(self) -> None:
        """Ends the engine at once while it works, as a machine that goes down would: it has no time for a word, and
        what it has not written down (`checkpoints`) is lost.
        """
        os.kill(int(self._space.process.read_text("utf-8")), signal.SIGKILL)

    def restart(self) -> None:
        """What there is once a machine that went down is up again."""
        self._space.tidy()

    def export(self, stack: str, path: Path | None = None, *, sealed: bool = True) -> dict[str, Any]:
        """The state as `pulumi stack export` writes it, secrets sealed unless told otherwise; also to `path` if given.

        The SDK's own `export_stack` would ask for the secrets in plain text.
        """
        target = path or self._space.directory / f"{stack}.export.json"
        arguments = ["stack", "export", "--stack", stack, "--file", str(target)]
        arguments += [] if sealed else ["--show-secrets"]
        self.run(*arguments)
        exported: dict[str, Any] = json.loads(target.read_text("utf-8"))
        return exported

    def take(self, stack: str, exported: Mapping[str, Any]) -> None:
        """Makes a stack of an export, as `pulumi stack import` does; secrets in plain text are sealed here.

        Raises:
            StateError: the engine does not take it.
        """
        self._stack(stack)
        deployment = {"secrets_providers": self._space.seal(stack), **exported["deployment"]}
        path = self._space.directory / f"{stack}.import.json"
        path.write_text(json.dumps({**exported, "deployment": deployment}), "utf-8")
        try:
            self._command.run(["stack", "import", "--stack", stack, "--file", str(path)], str(self._space.work), {})
        except automation.CommandError as error:
            raise StateError(f"The engine does not take the export of {stack}: {said(str(error))}") from None
        finally:
            path.unlink()

    def is_locked(self, stack: str) -> bool:
        """Whether an engine holds the stack: one that works, or one that was killed."""
        return any(path.parent.name == stack for path in self._space.locks)

    def _stack(self, name: str) -> automation.Stack:
        if name not in self._stacks:
            place = automation.LocalWorkspace(
                work_dir=str(self._space.work),
                pulumi_home=str(self._space.home),
                pulumi_command=self._command,
            )
            mode = StackInitMode.SELECT if self._space.knows(name) else StackInitMode.CREATE
            self._stacks[name] = _Stack(name, place, mode)
        return self._stacks[name]

    def _operate(
        self, stack: str, operation: str, call: Callable[..., object], watch: Watch | None, **more: Program
    ) -> Run:
        collector = Collector(stack, operation, watch or (lambda count, name: None))
        failure = None
        started = time.monotonic()
        try:
            call(on_event=collector.see, color="never", **more)
        except (automation.CommandError, RuntimeError) as error:
            # RuntimeError: the SDK's preview found no summary, because the engine ended before it began.
            failure = reason(str(error))
        run = collector.run(time.monotonic() - started, failure)
        if run.errors:
            raise EngineError(run)
        return run


def reason(failure: str) -> str:
    """What a CLI that failed has to say, of all that the SDK hands over: its errors, or by which signal it ended."""
    parts = re.fullmatch(r"\s*code: (-?\d+)\n stdout: (.*)\n stderr: (.*)", failure, re.DOTALL)
    if parts is None:
        return failure
    code, _, errors = parts.groups()
    if errors.strip():
        return errors.strip().removeprefix("error: ")
    return f"the engine was ended by {signal.Signals(-int(code)).name}" if int(code) < 0 else failure


@contextmanager
def _stopped_programs_are_silent() -> Iterator[None]:
    """Keeps quiet about programs that the engine has stopped half-way, because it refused something or was killed.

    Python collects their coroutines at some later moment, and would then print for each a traceback about an
    event loop that is gone: noise after the message that says what went wrong. That moment may come after the block,
    because the thread of such a program ends by itself: the hook stays. What the SDK had made to read another stack's
    outputs (`StackReference.get_output`) and not come to await is collected here, where nobody is warned of it.
    """
    before = sys.unraisablehook
    if not isinstance(before, _Silence):
        sys.unraisablehook = _Silence(before)
    with warnings.catch_warnings():
        # The SDK's, when an engine was killed: it cannot end its stream of events then.
        warnings.filterwarnings("ignore", "Error in event stream")
        warnings.filterwarnings("ignore", r"coroutine 'Output\.\w+' was never awaited", RuntimeWarning)
        try:
            yield
        finally:
            gc.collect()


@dataclass(frozen=True)
class _Silence:
    before: Callable[[sys.UnraisableHookArgs], Any]

    def __call__(self, unraisable: sys.UnraisableHookArgs) -> None:
        if getattr(unraisable.object, "__name__", "") not in ("run_in_stack", "run_pulumi_func"):
            self.before(unraisable)


@contextmanager
def _served(cloud: Cloud | None) -> Iterator[str]:
    if cloud is None:
        yield ""
        return
    from rehearsal.faces import providers

    with providers.served(cloud) as served:
        yield served
