"""The `review` door: ``python -m review BASE… [--head REF] [--stack NAME…] [--ack WORD…]``.

The report goes to stdout, what happens meanwhile and problems to stderr. Exit codes: 0 no change, 2 changes, 3 changes
that somebody has yet to acknowledge; anything else is an error. No file is written before the review is made.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from rehearsal.console import Console
from rehearsal.errors import RehearsalError
from review.errors import ReviewError
from review.judgement.verdict import Exit
from review.markdown import LEAST, LIMIT
from review.versions import PLACE

ROOT: Final = Path(__file__).resolve().parent.parent
ERROR: Final = 1
_MEANS: Final = {
    Exit.NO_CHANGE: "no change",
    Exit.CHANGES: "changes, and nothing left to acknowledge",
    Exit.TO_ACKNOWLEDGE: "changes that somebody has to acknowledge first",
}


class _Parser(argparse.ArgumentParser):
    """With argparse's own exit code, a mistyped option would read as "changes"."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ERROR, f"error: {message}\n")


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    asked = _parser(root).parse_args(arguments)
    try:
        return review(asked, root)
    except RehearsalError as error:
        print(f"error: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def review(asked: argparse.Namespace, root: Path) -> Exit:
    """Makes the report, shows it, and writes it."""
    # Imported late: an argument that is wrong should not take the seconds that these do.
    from review.document import document
    from review.judgement import judge
    from review.markdown import markdown
    from review.page import page
    from review.picture import picture
    from review.sources import Asked, find
    from review.text import text

    found = find(root, Asked(tuple(asked.base), asked.head, tuple(asked.stack)), Console(sys.stderr))
    made = document([judge(each) for each in found.changes], asked.ack, found.about)
    pointer = f"[the whole report]({asked.link})" if asked.link else f"the whole report ({asked.html.name})"
    comment = markdown(made, limit=asked.limit, pointer=pointer)
    whole = page(made, picture=picture(found.changes) if made.exit is not Exit.NO_CHANGE else "")
    _write(asked.markdown, comment)
    _write(asked.html, whole)
    console = Console()
    console.say(text(made, console.style))
    console.say()
    console.say(f"Written to {_short(asked.markdown, root)} and {_short(asked.html, root)}.")
    console.say(f"Exit code {made.exit}: {_MEANS[made.exit]}.")
    return made.exit


def _parser(root: Path) -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m review", description="What a change would do to the infrastructure.")
    say: Any = parser.add_argument
    say("base", nargs="+", help="a commit, or files: stack exports, or what `pulumi preview --json` wrote")
    say("--head", default="", help="a commit, or an export of the stack; by default the working tree")
    say("--stack", nargs="+", action="extend", default=[], help="only these stacks, and those they lean on")
    say("--ack", nargs="+", action="extend", default=[], help="what is acknowledged, in the words of the report")
    say("--markdown", type=Path, default=root / PLACE / "review.md", help="the report as a comment")
    say("--html", type=Path, default=root / PLACE / "review.html", help="the report as a page")
    say("--limit", type=_limit, default=LIMIT, help=f"characters of the comment (default: {LIMIT}, for GitHub)")
    say("--link", default="", help="address of the page, for a comment that was cut")
    return parser


def _limit(given: str) -> int:
    limit = int(given)
    if limit < LEAST:
        raise argparse.ArgumentTypeError(f"{given} characters do not hold a verdict; allow at least {LEAST}")
    return limit


def _write(path: Path, content: str) -> None:
    """Whole, or not at all.

    Raises:
        ReviewError: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise ReviewError(f"{path} cannot be written: {error.strerror}. Name another file.") from None


def _short(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


if __name__ == "__main__":
    sys.exit(main())
