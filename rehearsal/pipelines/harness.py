"""Runs in a process of its own: asks scripts whether they take their arguments, and stops them there.

Reads a list of [script, words…] as JSON, writes a list of refusals, empty where the words are taken. It imports nothing
of this project, so that a script finds what it finds on an agent.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import runpy
import sys
from typing import Any, Final

OF_THE_RUN: Final = "~of-the-run~"
"""Stands for a value that only a run knows: a script's own checks of it are passed by."""


class _Accepted(BaseException):
    """Raised where parsing ends; no `except Exception` of a script stops it."""


def refusal(path: str, words: list[str]) -> str:
    """Why a script does not take its words; empty when it does."""
    own: Any = argparse.ArgumentParser
    kept = {name: getattr(own, name) for name in ("parse_args", "_get_value", "_check_value")}

    def parse_args(self: Any, *arguments: Any, **named: Any) -> None:
        kept["parse_args"](self, *arguments, **named)
        raise _Accepted

    def get_value(self: Any, action: Any, text: str) -> Any:
        return text if OF_THE_RUN in text else kept["_get_value"](self, action, text)

    def check_value(self: Any, action: Any, value: Any) -> None:
        if OF_THE_RUN not in str(value):
            kept["_check_value"](self, action, value)

    said = io.StringIO()
    sys.argv = [path, *words]
    own.parse_args, own._get_value, own._check_value = parse_args, get_value, check_value
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            runpy.run_path(path, run_name="__main__")
    except _Accepted:
        return ""
    except SystemExit as end:
        last = said.getvalue().strip().splitlines()[-1:] or [f"it ends with {end.code}"]
        return last[0]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        for name, method in kept.items():
            setattr(own, name, method)
    return "it reads no arguments by argparse"


if __name__ == "__main__":
    print(json.dumps([refusal(path, words) for path, *words in json.load(sys.stdin)]))
