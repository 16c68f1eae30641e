"""Scripts are asked for their arguments, and do nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.pipelines.arguments import refusals
from rehearsal.pipelines.harness import OF_THE_RUN

SCRIPT = """
import argparse, pathlib, sys

def number(text):
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: digits")
    return int(text)

def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=number, required=True)
    parser.add_argument("--kind", choices=["a", "b"], default="a")
    try:
        options = parser.parse_args(words)
        pathlib.Path(__file__).with_name("done").write_text("x")
    except Exception:
        pass
    return 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, "utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--count", "7"), ""),
        (("--count", "7", "--kind", "b"), ""),
        (("--count", OF_THE_RUN, "--kind", OF_THE_RUN), ""),
        ((), "the following arguments are required: --count"),
        (("--count", "many"), "argument --count: 'many'; allowed: digits"),
        (("--count", "7", "--kind", "c"), "argument --kind: invalid choice: 'c'"),
        (("--count", "7", "more"), "unrecognized arguments: more"),
    ],
)
def test_a_script_takes_its_words_or_says_why_not(words: tuple[str, ...], why: str, script: Path) -> None:
    (said,) = refusals([(script, words)])
    assert (why in said) if why else said == ""


def test_nothing_of_a_script_is_done(script: Path) -> None:
    assert refusals([(script, ("--count", "7")), (script, ("--count", "8"))]) == ["", ""]
    assert [path.name for path in script.parent.iterdir()] == ["script.py"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("print('no arguments')", "it reads no arguments by argparse"),
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def (", "SyntaxError"),
        ("import sys\nsys.exit(3)", "it ends with 3"),
        # Neighbours of the linter are no modules for a script.
        ("import walk", "ModuleNotFoundError: No module named 'walk'"),
    ],
)
def test_a_script_that_cannot_be_asked_says_why(text: str, why: str, script: Path) -> None:
    script.write_text(text, "utf-8")
    (said,) = refusals([(script, ())])
    assert why in said


def test_a_script_that_ends_the_process_is_one_message(script: Path) -> None:
    script.write_text("import os\nos._exit(1)", "utf-8")
    with pytest.raises(RehearsalError, match="cannot be asked for their arguments"):
        refusals([(script, ())])
