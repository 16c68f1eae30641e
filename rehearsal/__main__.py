"""The command behind the Makefile's doors: ``python -m rehearsal preview [STACK…]``.

A problem is one message on stderr and exit code 1. A traceback appears only for a bug.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.errors import RehearsalError

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description="Runs the program without a cloud.")
    doors = parser.add_subparsers(dest="door", required=True)
    doors.add_parser("toolchain", help="bring the Pulumi CLI")
    preview = doors.add_parser("preview", help="preview and update every stack on the stand-in cloud")
    export = doors.add_parser("export", help="update every stack on the stand-in cloud, and write their exports")
    export.add_argument("to", type=Path, help="where they are written")
    against = doors.add_parser("against", help="preview every stack against exports, as `pulumi preview --json` does")
    against.add_argument("exports", type=Path, help="where they are; an export without resources is of a new stack")
    against.add_argument("to", type=Path, help="where the previews are written")
    for door in (preview, export, against):
        door.add_argument("stack", nargs="*", help="only these stacks, and those they lean on")
    asked = parser.parse_args(arguments)
    try:
        if asked.door == "toolchain":
            bring_toolchain()
        elif asked.door == "preview":
            run_preview(asked.stack)
        else:
            hand_over(asked)
    except RehearsalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


def bring_toolchain() -> None:
    console = Console()
    toolchain.bring(toolchain.ways(ROOT, console), console.say)


def run_preview(stacks: list[str]) -> None:
    # Imported late: it loads the program's provider SDKs, which takes seconds, and a tool chain needs none.
    from rehearsal.preview import preview

    preview(ROOT, stacks, Console())


def hand_over(asked: argparse.Namespace) -> None:
    from rehearsal import against

    if asked.door == "export":
        against.export(ROOT, asked.stack, asked.to, Console())
    else:
        against.preview(ROOT, asked.stack, asked.exports, asked.to, Console())


if __name__ == "__main__":
    sys.exit(main())
