"""A throw-away place for one engine: its own project copy, home, state and environment.

Everything lies below one directory, so that engines side by side only need directories of their own. The
user's Pulumi (login, plugins, state) and the credentials in the environment stay out of reach, and a
directory that a rehearsal did not make itself is refused rather than emptied.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from rehearsal.errors import RehearsalError

MARK: Final = ".rehearsal"
"""Says that a directory is a rehearsal's, and is locked while one uses it."""

PASSPHRASE: Final = "rehearsal"
"""Seals the secrets of the throw-away state. It protects nothing: the stand-in's secrets are made up."""

LEAKING: Final = ("PULUMI_", "AZURE_", "ARM_", "AZDO_", "KUBE", "OTEL_")
"""Prefixes of variables that would point the engine, or the program, at something of the user's."""

PARALLEL: Final = "32"
"""Operations at once: more than any stack here has that could go on. The engine's own figure, four for each core, is
for work that computes; that of an `up` waits. README and docs/rehearsal.md say the same number."""

SKIP_CHECKPOINTS: Final = "PULUMI_SKIP_CHECKPOINTS"
"""Writing the whole state at every step is nine tenths of the engine's work in an update of these stacks. It is for
whoever is killed half-way; a place that is thrown away loses nothing by one write at the end (pulumi/pulumi#10668)."""

_POINTING: Final = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN")

_LOCAL: Final = "127.0.0.1,localhost"


class WorkspaceError(RehearsalError):
    """The directory cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Workspace:
    """Where things lie below one directory."""

    directory: Path

    @property
    def work(self) -> Path:
        return self.directory / "work"

    @property
    def home(self) -> Path:
        return self.directory / "home"

    @property
    def state(self) -> Path:
        return self.directory / "state"

    @property
    def command(self) -> Path:
        """Starts the engine."""
        return self.directory / "bin" / "pulumi"

    @property
    def process(self) -> Path:
        """Holds the id of the engine's latest process."""
        return self.directory / "process"

    @property
    def locks(self) -> list[Path]:
        """The backend's locks: of an engine that works, or of one that was killed."""
        return sorted((self.state / ".pulumi" / "locks").rglob("*.json"))

    def tidy(self) -> None:
        """Drops what a killed engine has left half written: the attributes that a backend of files keeps beside a blob.

        They are written in place, unlike the blob itself, and the engine reads no blob whose attributes are cut off
        ("EOF"); a blob without any is whole.
        """
        for path in self.state.rglob("*.attrs"):
            if not path.stat().st_size:
                path.unlink()

    def knows(self, stack: str) -> bool:
        """Whether the backend has this stack."""
        return any((self.state / ".pulumi" / "stacks").glob(f"*/{stack}.json"))

    def configure(self, stack: str, config: Mapping[str, Any]) -> None:
        """Writes the stack's file; what the engine has added to it (the salt of its secrets) is kept."""
        path = self.work / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
        path.write_text(yaml.safe_dump(content | {"config": dict(config)}, sort_keys=False), "utf-8")

    def seal(self, stack: str) -> dict[str, Any]:
        """What the stack's secrets are sealed with, as an export names it. The engine has made the stack."""
        content = yaml.safe_load((self.work / f"Pulumi.{stack}.yaml").read_text("utf-8"))
        return {"type": "passphrase", "state": {"salt": content["encryptionsalt"]}}


@contextmanager
def prepared(
    root: Path, directory: Path, configs: Mapping[str, Mapping[str, Any]], *, keep: bool = False
) -> Iterator[Workspace]:
    """A workspace for the project at `root`, held by a lock until the block ends.

    It is empty; with `keep` it goes on from what an earlier one has left there.

    Raises:
        WorkspaceError: the directory is the user's own, is in use, or was not made by a rehearsal.
    """
    directory = directory.resolve()
    if not (directory / MARK).exists():
        refuse(directory, Path.home(), os.environ)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / MARK).open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceError(f"Another rehearsal is running in {directory}. Wait for its end.") from None
        workspace = Workspace(directory)
        for part in (workspace.work, workspace.home, workspace.state):
            if not keep:
                shutil.rmtree(part, ignore_errors=True)
            part.mkdir(exist_ok=True)
        project = project_copy(yaml.safe_load((root / "Pulumi.yaml").read_text("utf-8")), workspace.state)
        (workspace.work / "Pulumi.yaml").write_text(yaml.safe_dump(project), "utf-8")
        for stack, config in configs.items():
            workspace.configure(stack, config)
        workspace.tidy()
        yield workspace


def write_command(workspace: Workspace, cli: Path) -> None:
    """Makes the engine's start known: a rehearsal can then kill it, as a machine that goes down would."""
    workspace.command.parent.mkdir(exist_ok=True)
    quoted = (shlex.quote(str(path)) for path in (workspace.process, cli))
    workspace.command.write_text('#!/bin/sh\necho $$ > {}\nexec {} "$@"\n'.format(*quoted), "utf-8")
    workspace.command.chmod(0o755)


def project_copy(project: Mapping[str, Any], state: Path) -> dict[str, Any]:
    """The project file of a rehearsal: the same name and configuration schema, on a backend of its own.

    The runtime's options name a virtual environment beside the project; the program runs in this process, so
    they are left out, like everything else that refers to a place.
    """
    kept = {key: project[key] for key in ("name", "description", "config") if key in project}
    return kept | {"runtime": "python", "backend": {"url": state.as_uri()}}


def refuse(directory: Path, home: Path, environ: Mapping[str, str]) -> None:
    """Raises :class:`WorkspaceError` where emptying `directory` could cost the user anything."""
    theirs = {home.resolve(): "your home directory"}
    theirs |= {place.resolve(): "your own Pulumi's home or state" for place in _places(home, environ)}
    for place, what in theirs.items():
        inside = directory.is_relative_to(place) and what != "your home directory"
        if inside or place.is_relative_to(directory):
            raise WorkspaceError(f"{directory} is, or touches, {what} ({place}). Name another directory.")
    if directory.exists() and any(directory.iterdir()):
        raise WorkspaceError(f"{directory} is not empty, and no rehearsal made it. Empty it, or name another.")


def refuse_real(environ: Mapping[str, str]) -> None:
    """Raises :class:`WorkspaceError` where the environment points at a real backend.

    A rehearsal would not touch it. But whoever has set it, and then rehearses a drift or a retirement, may well believe
    that this is the real thing, or take for real what they see.
    """
    if pointing := [name for name in _POINTING if environ.get(name)]:
        shown = " and ".join(f"{name}={environ[name]}" if name == _POINTING[0] else name for name in pointing)
        without = " ".join(f"-u {name}" for name in pointing)
        raise WorkspaceError(
            f"The environment points at a real backend ({shown}), and this is a rehearsal: it plays on a stand-in "
            f"cloud and never touches that backend. Take it away first: env {without} make rehearse. What is meant for "
            "the real stacks is pulumi itself, or make retire without --rehearse."
        )


def _places(home: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    own = Path(environ.get("PULUMI_HOME") or home / ".pulumi")
    yield own
    backends = [environ.get("PULUMI_BACKEND_URL", "")]
    with suppress(OSError, ValueError):  # no such file: not logged in anywhere
        backends.append(json.loads((own / "credentials.json").read_text("utf-8")).get("current", ""))
    for url in backends:
        if url.startswith("file://"):
            yield Path(url.removeprefix("file://").replace("~", str(home), 1)) / ".pulumi"


def environment(environ: Mapping[str, str], workspace: Workspace, cli: Path, providers: str) -> dict[str, str]:
    """`environ` without what would leak in, and with what the engine needs."""
    kept = {name: value for name, value in environ.items() if not name.upper().startswith(LEAKING)}
    kept |= {
        "PATH": f"{cli.parent}{os.pathsep}{environ.get('PATH', os.defpath)}",
        "PULUMI_HOME": str(workspace.home),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # A provider that the stand-in does not serve is an error, not a download or a find on PATH.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        "PULUMI_PARALLEL": PARALLEL,
        SKIP_CHECKPOINTS: "true",
    }
    if providers:
        kept["PULUMI_DEBUG_PROVIDERS"] = providers
    # gRPC in Python sends even local calls through a proxy unless told not to.
    for name in ("no_proxy", "NO_PROXY"):
        kept[name] = ",".join(filter(None, (environ.get(name), _LOCAL)))
    return kept


@contextmanager
def isolated(environ: Mapping[str, str]) -> Iterator[None]:
    """This process, and what it starts, sees only `environ` until the block ends."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
