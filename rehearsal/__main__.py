"""The command behind the Makefile's doors: ``python -m rehearsal preview | rehearse | up | drift | cloud …``.

A problem is one message on stderr and exit code 1. A traceback appears only for a bug.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.errors import RehearsalError

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    asked, rest = _parser().parse_known_args(arguments)
    try:
        if rest and asked.door != "cloud":
            _parser().parse_args(arguments)
        _DOORS[asked.door](asked, rest)
    except RehearsalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description="Runs the program without a cloud.")
    doors = parser.add_subparsers(dest="door", required=True)
    doors.add_parser("toolchain", help="bring the Pulumi CLI")
    preview = doors.add_parser("preview", help="preview and update every stack on the stand-in cloud")
    export = doors.add_parser("export", help="update every stack on the stand-in cloud, and write their exports")
    export.add_argument("to", type=Path, help="where they are written")
    against = doors.add_parser("against", help="preview every stack against exports, as `pulumi preview --json` does")
    against.add_argument("exports", type=Path, help="where they are; an export without resources is of a new stack")
    against.add_argument("to", type=Path, help="where the previews are written")
    rehearse = doors.add_parser("rehearse", help="the whole life of the stacks, in a place that is thrown away")
    rehearse.add_argument("--act", action="append", default=[], help="only this act (repeatable)")
    up = doors.add_parser("up", help="bring the stacks up on a stand-in cloud that is kept")
    drift = doors.add_parser("drift", help="what the kept cloud has that the program did not leave there")
    for door in (preview, export, against, rehearse, up, drift):
        door.add_argument("stack", nargs="*", help="only these stacks, and those they lean on")
    for door in (rehearse, up):
        door.add_argument("--fault", action="append", default=[], help="what goes wrong; see docs/rehearsal.md")
    doors.add_parser("cloud", help="show, set, delete, export: the kept cloud by hand", add_help=False)
    return parser


def bring_toolchain() -> None:
    console = Console()
    toolchain.bring(toolchain.ways(ROOT, console), console.say)


# What follows is imported late: it loads the program's provider SDKs, which takes seconds, and a tool chain needs none.


def _preview(asked: argparse.Namespace, rest: list[str]) -> None:
    from rehearsal.preview import preview

    preview(ROOT, asked.stack, Console())


def _export(asked: argparse.Namespace, rest: list[str]) -> None:
    from rehearsal import against

    against.export(ROOT, asked.stack, asked.to, Console())


def _against(asked: argparse.Namespace, rest: list[str]) -> None:
    from rehearsal import against

    against.preview(ROOT, asked.stack, asked.exports, asked.to, Console())


def _rehearse(asked: argparse.Namespace, rest: list[str]) -> None:
    from rehearsal.faults import parse
    from rehearsal.rehearse import ACTS, rehearse

    if unknown := [act for act in asked.act if act not in ACTS]:
        raise RehearsalError(f"There is no act {' or '.join(unknown)}. Acts are: {', '.join(ACTS)}.")
    rehearse(ROOT, asked.stack, asked.act, [parse(fault) for fault in asked.fault], Console())


def _up(asked: argparse.Namespace, rest: list[str]) -> None:
    from rehearsal.faults import parse
    from rehearsal.kept import up

    up(ROOT, asked.stack, Console(), [parse(fault) for fault in asked.fault])


def _drift(asked: argparse.Namespace, rest: list[str]) -> None:
    from rehearsal.kept import drift

    drift(ROOT, asked.stack, Console())


def _cloud(asked: argparse.Namespace, rest: list[str]) -> None:
    from rehearsal import memory

    memory.main(rest)


_DOORS: Final[Mapping[str, Callable[[argparse.Namespace, list[str]], None]]] = {
    "toolchain": lambda asked, rest: bring_toolchain(),
    "preview": _preview,
    "export": _export,
    "against": _against,
    "rehearse": _rehearse,
    "up": _up,
    "drift": _drift,
    "cloud": _cloud,
}


if __name__ == "__main__":
    sys.exit(main())
