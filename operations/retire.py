"""The `retire` door: takes an environment down for good, after saying what is lost with it.

    python -m operations retire --stack prod                 # asks for the stack's name, unless --ack gives it
    python -m operations retire --stack prod --rehearse      # the same on the stand-in cloud

The order: delete locks first, because that takes rights which may be missing, and nothing else has happened then;
Pulumi's protection next; then all the rest. A plain `pulumi destroy` of a protected stack would be the worst of all
ways: the engine refuses what is protected, and deletes everything else before it says so.

What it does not do: it deletes neither the stack nor its file, purges nothing, and takes down no other stack.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

from pulumi import automation

from operations.retire_plan import Loss, Retirement, is_up, leaning, plan
from operations.retire_stacks import RetireError, Stacks
from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.words import count
from rehearsal.workspace import PARALLEL

ROOT: Final = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m operations retire", description="Takes an environment down.")
    parser.add_argument("--stack", required=True, help="the stack to retire")
    parser.add_argument("--ack", default="", help="its name again: what is lost is known")
    parser.add_argument("--rehearse", action="store_true", help="on the stand-in cloud, in build/rehearsal")
    asked = parser.parse_args(list(arguments))
    if not asked.stack:
        raise RetireError("Which environment? make retire STACK=<name> [REHEARSE=1]; see docs/operations.md.")
    console = Console()
    if asked.rehearse:
        # Imported late: it loads the program's provider SDKs, and the real thing needs none.
        from rehearsal import kept

        with kept.opened(ROOT, [asked.stack], console) as stage:
            stacks = Stacks(stage.rehearsal.work, stage.rehearsal.command)
            for stack in stage.stacks:
                if stack.name not in stacks.names():
                    kept.bring(stage, stack)
            retire(stacks, asked.stack, asked.ack, console)
    else:
        os.environ.setdefault("PULUMI_PARALLEL", PARALLEL)
        retire(Stacks(ROOT, real_command(ROOT)), asked.stack, asked.ack, console)
    return 0


def retire(stacks: Stacks, stack: str, ack: str, console: Console, person: TextIO | None = None) -> Retirement:
    """Retires one stack. `person` is where an acknowledgement is read from when `ack` is not given: a terminal.

    Raises:
        RetireError: there is no such stack, others lean on it, nobody acknowledged, or the engine failed half-way.
    """
    exports = {name: stacks.export(name) for name in stacks.names()}
    if stack not in exports:
        known = ", ".join(sorted(exports)) or "none"
        raise RetireError(f"There is no stack {stack} on this backend. There are: {known}. Check `pulumi whoami -v`.")
    if not is_up(exports[stack]):
        raise RetireError(f"The stack {stack} has no resources: there is nothing to retire.")
    if others := leaning(stack, {name: export for name, export in exports.items() if is_up(export)}):
        raise RetireError(
            f"{' and '.join(others)} {'lean' if len(others) > 1 else 'leans'} on {stack}: it would lose what it reads "
            f"from there. Retire {' and '.join(others)} first, or let {'them' if len(others) > 1 else 'it'} name "
            "another stack in aks-cicd:stacks and run `pulumi up`."
        )
    found = plan(stack, exports[stack], datetime.date.today())
    console.say(shown(found, console))
    acknowledge(stack, ack, console, sys.stdin if person is None else person)
    take_down(stacks, found, console)
    console.say(leftovers(found, console))
    return found


def acknowledge(stack: str, ack: str, console: Console, person: TextIO) -> None:
    """Goes on only if the stack's name was given again. Never waits where nobody can answer.

    Raises:
        RetireError: it was not.
    """
    if not ack and person.isatty():
        console.say(f"Type {console.style(stack, 'bold')} to take it down, anything else to leave it as it is:")
        ack = person.readline().strip()
    if ack == stack:
        return
    said = f"ACK says '{ack}'" if ack else "nobody acknowledged the loss"
    raise RetireError(
        f"Nothing was touched: {said}. To retire {stack}, give its name: make retire STACK={stack} ACK={stack}"
    )


def take_down(stacks: Stacks, found: Retirement, console: Console) -> None:
    """Raises RetireError; running again goes on from there."""
    stack, so_far = found.stack, "Nothing that it guards is gone"
    try:
        if found.locks:
            with console.progress(f"{stack}: {count(len(found.locks), 'delete lock')} removed") as progress:
                stacks.destroy(stack, found.locks, progress.update)
        if found.protected:
            with console.progress(f"{stack}: Pulumi's protection of {count(len(found.protected), 'resource')} removed"):
                stacks.unprotect(stack)
        so_far = f"{stack} is retired in part"
        with console.progress(f"{stack}: {count(found.deletes - len(found.locks), 'resource')} deleted") as progress:
            stacks.destroy(stack, (), progress.update)
    except RetireError as failure:
        raise RetireError(
            f"{failure}\n{so_far}. Mend what is named above and run the same command again: it goes on from here. "
            f"`pulumi up --stack {stack}` would put back instead what is missing."
        ) from None


def shown(found: Retirement, console: Console) -> str:
    """What is lost, for whoever has to acknowledge it."""
    lines = [console.style(f"Retiring {found.stack} deletes {count(found.deletes, 'resource')}.", "bold"), ""]
    lines += [console.style("What is lost", "red")] if found.losses else ["Nothing of it holds data."]
    for loss in found.losses:
        kept = f"kept by its service until {loss.until}" if loss.until else "gone at once"
        lines.append(f"  {loss.kind} {loss.name}: {loss.what}; {kept}")
    if found.stays:
        lines += ["", "What stays, on purpose", *(f"  {each}" for each in _grouped(found.stays))]
    guards = [
        count(len(found.locks), "delete lock") if found.locks else "",
        f"Pulumi's protection of {count(len(found.protected), 'resource')}" if found.protected else "",
    ]
    if any(guards):
        lines += ["", f"What guards it, and is taken away first: {', then '.join(filter(None, guards))}"]
    return "\n".join([*lines, ""])


def leftovers(found: Retirement, console: Console) -> str:
    """What is still there after it, and what to do about it."""
    lines = [f"{console.style(f'{found.stack} is retired.', 'green')}"]
    soft = [loss for loss in found.losses if loss.until]
    if soft:
        lines.append("Soft-deleted, and to be had back for some time:")
        lines += [line for loss in soft for line in _leftover(loss)]
    if any(loss.named for loss in soft):
        lines.append(
            f"To bring {found.stack} back before then, raise aks-cicd:generation in Pulumi.{found.stack}.yaml: names "
            "that are taken get new ones."
        )
    lines.append(f"The stack's history stays. To forget it too: pulumi stack rm {found.stack}")
    return "\n".join(lines)


def _leftover(loss: Loss) -> list[str]:
    taken = "; its name stays taken" if loss.named else ""
    lines = [f"  {loss.kind} {loss.name}, until {loss.until}{taken}", f"    back: {loss.back}"]
    return [*lines, f"    purge: {loss.purge}"] if loss.purge else lines


def _grouped(names: Sequence[str]) -> list[str]:
    """Few of a kind by name, many by number."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(name.rpartition(" (")[2].rstrip(")"), []).append(name)
    return [
        line
        for kind, each in kinds.items()
        for line in ([f"{len(each)} of the type {kind}"] if len(each) > 5 else each)
    ]


def real_command(root: Path, environ: Mapping[str, str] | None = None) -> automation.PulumiCommand:
    """The user's own CLI; that of `.tools` where there is none.

    Raises:
        RetireError: it is too old, or there is none.
    """
    found = shutil.which("pulumi", path=(os.environ if environ is None else environ).get("PATH"))
    try:
        cli = toolchain.new_enough(Path(found)) if found else toolchain.kept(root / ".tools")
    except toolchain.UnavailableError as reason:
        raise RetireError(
            f"No Pulumi CLI that this can be trusted to: {reason}. Install {toolchain.MINIMUM} or newer: "
            "https://www.pulumi.com/docs/install/"
        ) from None
    # The SDK looks for `bin/pulumi` below a root, or for `pulumi` on PATH.
    return automation.PulumiCommand(root=None if found else str(cli.path.parent.parent))
