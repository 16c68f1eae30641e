"""The door `environment`: writes the stack file of a new environment, made from one that exists.

The file is derived from typed settings, written to a place of its own, read again from there as the engine reads it,
validated, previewed with the stacks that it leans on, and judged by the policies. Only then does it land beside the
others, in one step; a file that is there already is never overwritten. Equal questions get equal files.
"""

from __future__ import annotations

import argparse
import datetime
import os
import tempfile
from pathlib import Path
from typing import Final

from operations.environment import answer, asking, writing
from operations.environment.answer import Written
from operations.environment.asking import Wanted
from operations.environment.drafting import draft
from operations.errors import OperationsError
from rehearsal import preview, program, toolchain
from rehearsal.console import Console
from rehearsal.engine import Rehearsal
from settings import Settings, SettingsError

ROOT: Final = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m operations environment",
        description="Writes and validates the stack file of a new environment, and previews it.",
        allow_abbrev=False,
    )
    parser.add_argument("--name", default="", help="of the environment and its stack, such as qa")
    parser.add_argument("--from", dest="source", default="", help="the stack that it is made from")
    parser.add_argument("--region", help="where it lies, if elsewhere")
    parser.add_argument("--tier", help="nonproduction or production, if another")
    parser.add_argument("--registry", help="own, or shared with its tier; by default shared where there is one")
    parser.add_argument("--json", metavar="FILE", help="also write the result there, for a pipeline")
    wanted = Wanted(**vars(parser.parse_args(arguments)))
    console = Console()
    written = create(ROOT, wanted, console)
    written.tell(console)
    return 0


def create(root: Path, wanted: Wanted, console: Console) -> Written:
    """Writes the environment that is asked for.

    Raises:
        RequestError: it cannot be; every problem at once.
        OperationsError: there is another file of that name.
        ProgramError, EngineError, …: it, or a stack beside it, is not valid, as `make preview` tells it.
    """
    asking.judge(wanted, program.stack_files(root).keys() or {""})
    target = root / answer.stack_file(wanted.name)
    beside = [name for name in program.stack_files(root) if name != wanted.name]
    environments = {stack.name: stack.settings for stack in preview.plan(root, beside)}
    if leaning := [each.stack for each in environments.values() if wanted.name in each.leans_on]:
        others = f"{' and '.join(leaning)} {'leans' if len(leaning) == 1 else 'lean'} on it"
        raise OperationsError(f"{target.name} is there already, and {others}. Choose another NAME.")
    try:
        new, notes = draft(wanted, environments)
    except SettingsError as error:
        raise OperationsError(f"What follows from {wanted.source} does not fit. {error}") from None
    text = writing.render(new, answer.heading(new, environments[wanted.source]), notes)
    unchanged = target.exists() and target.read_text("utf-8") == text
    if target.exists() and not unchanged:
        raise OperationsError(
            f"{target.name} is there already, and not as this command would write it. Choose another NAME, or edit "
            "that file by hand: nothing is overwritten."
        )
    with tempfile.TemporaryDirectory() as directory:
        draft_file = Path(directory) / target.name
        draft_file.write_text(text, "utf-8")
        stacks = _previewed(root, wanted.name, draft_file, Path(directory), console)
    order = tuple(stack.name for stack in stacks)
    written = Written(wanted, new, dict(stacks[-1].config), notes, order, unchanged)
    if not unchanged:
        _land(target, text)
    if wanted.json:
        _land(Path(wanted.json), written.as_json() + "\n")
    return written


def _previewed(
    root: Path, name: str, draft_file: Path, fresh: Path, console: Console
) -> tuple[program.Stack[Settings], ...]:
    """Rehearses the draft with the stacks that it leans on, and judges it by the policies. In promotion order."""
    stacks = preview.plan(root, [name], {name: draft_file})
    cli = toolchain.bring(toolchain.ways(root, console), console.say)
    cloud = preview.stand_in(stack.settings for stack in stacks)
    configs = {stack.name: stack.config for stack in stacks}
    with Rehearsal.open(root, root / preview.ENGINE, cloud, configs=configs, cli=cli) as rehearsal:
        done = [preview.run(rehearsal, stack, fresh, console) for stack in stacks]
    preview.judge_policies(done[-1:], console, datetime.date.today())
    return stacks


def _land(target: Path, text: str) -> None:
    """Whole or not at all: written beside its place, then moved there."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(text, "utf-8")
        beside.replace(target)
    except OSError as error:
        raise OperationsError(f"{target} cannot be written: {error.strerror}.") from None
    finally:
        beside.unlink(missing_ok=True)
