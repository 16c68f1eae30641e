"""Where the Pulumi CLI comes from: four ways, tried in a fixed order, the first that works.

1. `pulumi` on PATH, if it is new enough: a person who has Pulumi uses their own.
2. `.tools/bin/pulumi`: what an earlier run brought.
3. The installer of the Pulumi SDK: downloads the release that matches the SDK, for machines on the internet.
4. A build from the Go module that `tools/go.mod` pins, for machines that reach package indexes only.

Each way says in one line why it does not work. Nothing is installed outside `.tools/`, and nothing of the
user's own Pulumi (home, login, plugins) is read or written here.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semver import Version

from rehearsal.console import Console, Progress
from rehearsal.errors import RehearsalError

MINIMUM: Final = Version(3, 259, 0)
"""The oldest CLI that the project's own tests run on: the one that `tools/go.mod` pins. Older ones may work,
but nothing here shows it, and a rehearsal on an unproven engine proves little."""

MODULE: Final = "github.com/pulumi/pulumi/pkg/v3"
PACKAGE: Final = f"{MODULE}/cmd/pulumi"
VERSION_VARIABLE: Final = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
"""Set by the linker in official releases; without it the CLI states no version, and the SDK refuses it."""

INSTALL_SECONDS: Final = 300.0
"""Bound on the SDK's installer: a network that swallows packets would hold it for ever."""
CONNECT_SECONDS: Final = 10
BUILD_SECONDS: Final = 1800.0
"""Bound on the Go build: four minutes on two cores, longer where the modules come slowly."""

_INSTALL: Final = (
    "import socket, sys\n"
    f"socket.setdefaulttimeout({CONNECT_SECONDS})\n"
    "from pulumi.automation import PulumiCommand\n"
    "PulumiCommand.install(root=sys.argv[1])\n"
)


class UnavailableError(Exception):
    """One way does not work here; the message is one line that says why."""


class ToolchainError(RehearsalError):
    """No way works; the message names all of them and how to mend one."""


@dataclass(frozen=True)
class Cli:
    """A Pulumi CLI that can be used."""

    path: Path
    version: Version


@dataclass(frozen=True)
class Way:
    """One way to a CLI: `bring` returns it or raises :class:`UnavailableError`."""

    name: str
    mend: str
    bring: Callable[[], Cli]


def bring(ways: Sequence[Way], say: Callable[[str], None]) -> Cli:
    """The CLI of the first way that works. Every way that does not is reported by one line through `say`.

    Raises:
        ToolchainError: none works.
    """
    failed: list[tuple[Way, str]] = []
    for way in ways:
        try:
            return way.bring()
        except UnavailableError as reason:
            say(f"Pulumi CLI, {way.name}: {reason}")
            failed.append((way, str(reason)))
    lines = [f"No Pulumi CLI, and no way to get one ({MINIMUM} or newer). Any one of these mends it:"]
    lines += [f"  - {way.name}: {reason}\n    → {way.mend}" for way, reason in failed]
    raise ToolchainError("\n".join(lines))


def ways(root: Path, console: Console) -> tuple[Way, ...]:
    """The four ways of this project, in order."""
    tools = root / ".tools"
    return (
        Way("on PATH", f"put `pulumi` {MINIMUM} or newer on PATH", lambda: on_path(shutil.which("pulumi"))),
        Way("kept in .tools", "copy a `pulumi` into .tools/bin", lambda: kept(tools)),
        Way(
            "the SDK's installer",
            "give this machine access to get.pulumi.com, by a proxy (HTTPS_PROXY) if it needs one",
            lambda: installed(tools, console),
        ),
        Way(
            "a build from its Go module",
            "install Go 1.25 or newer, and let it reach a module proxy (GOPROXY)",
            lambda: built(root, console),
        ),
    )


def on_path(found: str | None) -> Cli:
    if found is None:
        raise UnavailableError("there is none")
    return new_enough(Path(found))


def kept(tools: Path) -> Cli:
    binary = tools / "bin" / "pulumi"
    if not binary.exists():
        raise UnavailableError("nothing there yet")
    return new_enough(binary)


def new_enough(binary: Path) -> Cli:
    """The CLI at `binary`, or :class:`UnavailableError` if it does not run or is not the right version."""
    environ = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [binary, "version"], capture_output=True, text=True, timeout=30, check=True, env=environ
        )
        version = Version.parse(answer.stdout.strip().removeprefix("v"))
    except ValueError:
        raise UnavailableError(f"{binary} does not state its version") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(f"{binary} does not run: {_first_line(str(error))}") from None
    if version < MINIMUM or version.major != MINIMUM.major:
        raise UnavailableError(f"{binary} is {version}; needed is {MINIMUM} or newer, still {MINIMUM.major}.x")
    return Cli(binary.absolute(), version)


def installed(tools: Path, console: Console) -> Cli:
    with console.progress("Pulumi CLI: the SDK's installer") as progress:
        _run([sys.executable, "-c", _INSTALL, str(tools)], Path.cwd(), INSTALL_SECONDS, progress)
    return kept(tools)


def built(root: Path, console: Console) -> Cli:
    go = shutil.which("go")
    if go is None:
        raise UnavailableError("there is no `go` on PATH")
    module = root / "tools"
    target = root / ".tools" / "bin" / "pulumi"
    target.parent.mkdir(parents=True, exist_ok=True)
    # Built beside its place and moved: a build that is stopped half-way leaves nothing that looks usable.
    unfinished = target.with_name(f"pulumi.{os.getpid()}")
    command = [go, "build", "-v", "-o", str(unfinished), "-ldflags", linker_flags(module / "go.mod"), PACKAGE]
    try:
        with console.progress("Pulumi CLI: building it from its Go module (once; minutes)") as progress:
            _run(command, module, BUILD_SECONDS, progress)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return kept(root / ".tools")


def linker_flags(go_mod: Path) -> str:
    """Strips the debug tables (a third of the file) and states the version that `go_mod` pins."""
    pinned = re.search(rf"^\s*(?:require\s+)?{re.escape(MODULE)}\s+(v\S+)", go_mod.read_text("utf-8"), re.M)
    if pinned is None:
        raise UnavailableError(f"{go_mod.parent.name}/{go_mod.name} does not pin {MODULE}")
    return f"-s -w -X {VERSION_VARIABLE}={pinned[1]}"


def _run(command: Sequence[str], directory: Path, seconds: float, progress: Progress) -> None:
    """Runs `command` and shows its latest line; on failure its last line is the reason.

    It gets a process group of its own, so that a time-out also ends what it has started.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise UnavailableError(f"{command[0]} does not run: {error.strerror}") from None
    late = threading.Event()

    def stop() -> None:
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, stop)
    timer.start()
    last = ""
    try:
        assert process.stdout is not None
        for count, line in enumerate(process.stdout, start=1):
            last = line.strip() or last
            progress.update(f"step {count}: {last}")
        process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise UnavailableError(f"stopped after {seconds:.0f} s without an end")
    if process.returncode != 0:
        raise UnavailableError(_first_line(last) or f"ended with exit code {process.returncode}")


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:200]
