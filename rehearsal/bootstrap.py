"""The bootstrap on the stand-in: its own project, in the backend of the stacks that it reads.

Its shipped file names no environment, as on the first day. A rehearsal of the second run names all that are up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bootstrap import settings
from rehearsal.cloud import Cloud, Estate
from rehearsal.engine import Rehearsal, project_program
from rehearsal.toolchain import Cli
from validation import stackfile

DIRECTORY: Final = "bootstrap"
STACK: Final = settings.STACK


def config(root: Path, environments: Sequence[str] = ()) -> dict[str, Any]:
    """The config of the shipped file, with these environments.

    Raises StackFileError or SettingsError, with a message for a person.
    """
    read = stackfile.read(root / DIRECTORY / f"Pulumi.{STACK}.yaml")
    found = {**read, f"{settings.PROJECT}:environments": list(environments)}
    settings.parse(found, root, rehearsal=True)
    return found


@contextmanager
def opened(root: Path, directory: Path, cloud: Cloud, cli: Cli, *, keep: bool = True) -> Iterator[Rehearsal]:
    """The bootstrap's project, by default in the backend that the environments' project has left in `directory`."""
    first = config(root)
    cloud.admit(_estate(settings.parse(first, root, rehearsal=True).bootstrap))
    project = root / DIRECTORY
    program = project_program(project)
    with Rehearsal.open(
        project, directory, cloud, program=program, configs={STACK: first}, cli=cli, keep=keep
    ) as rehearsal:
        yield rehearsal


def _estate(own: settings.Bootstrap) -> Estate:
    return Estate(
        tenant_id=own.azure.tenant_id,
        subscriptions=frozenset({own.azure.subscription_id}),
        resource_ids=frozenset(filter(None, [own.logs.workspace_id])),
        groups=frozenset({*own.administrators, own.approvers}),
    )
