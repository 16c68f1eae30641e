"""Command lines of scripts, held against the scripts themselves.

Every Python script is started in one process beside this one (`harness`), with the words that a step would give it, and
stopped the moment its `argparse` parser has accepted or refused them. Nothing of its work is done.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rehearsal.errors import RehearsalError

_HARNESS: Final = Path(__file__).resolve().parent / "harness.py"
_SECONDS: Final = 60


def refusals(calls: Sequence[tuple[Path, tuple[str, ...]]]) -> list[str]:
    """For each call (script, words), why the script refuses them; empty where it takes them.

    RehearsalError when one hangs, or ends the process that asks.
    """
    if not calls:
        return []
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    try:
        done = subprocess.run(
            # -P: the harness's neighbours are no modules for a script.
            [sys.executable, "-P", str(_HARNESS)],
            input=json.dumps([[str(path), *words] for path, words in calls]),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
            env=environment,
        )
        found: list[str] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise RehearsalError(f"the scripts of the pipelines cannot be asked for their arguments: {error}") from None
    return found
