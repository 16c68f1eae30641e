"""What the engine tells: that the clouds hold what the stack has made, and Azure changes nothing of it by itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

from operations.checking import LOGIN, Amiss, Judged, Place
from operations.verify.register import VERIFY

SECONDS: Final = 1800


@VERIFY("no-drift", "a preview after a refresh would change nothing", LOGIN)
def no_drift(place: Place) -> Judged:
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        yield Amiss("there is no pulumi on PATH", "install it: https://www.pulumi.com/docs/install/")
        return
    command = [pulumi, "preview", "--non-interactive", "--stack", place.settings.stack]
    command += ["--refresh", "--expect-no-changes"]
    try:
        answer = subprocess.run(command, cwd=place.root, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        yield Amiss(f"the preview gave no answer within {SECONDS // 60} minutes", " ".join(command))
        return
    yield from judge_preview(answer.returncode, answer.stdout + answer.stderr, " ".join(["pulumi", *command[1:]]))


def judge_preview(code: int, said: str, command: str) -> Iterator[Amiss]:
    if code:
        errors = [line.strip() for line in said.splitlines() if line.lstrip().startswith("error:")]
        yield Amiss(errors[0] if errors else f"the preview ended with {code}", f"look at what it says: {command}")
