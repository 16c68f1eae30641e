"""What a script says to the agent of Azure Pipelines that runs it: variables, the path, lines of the run's summary.

The agent reads commands (`##vso[…]`) from every line of a step's output. So values are escaped here, as its own task
library escapes them, and `plain` takes the sting out of text that somebody else wrote. Scripts say it by `agent`, which
knows who runs them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path


def on_agent() -> bool:
    """Whether an agent reads what is printed."""
    return os.environ.get("TF_BUILD") == "True"


def set_variable(name: str, value: str, *, secret: bool = False, output: bool = False) -> None:
    """A variable for the steps that follow in the job; with `output` as `$(<step>.<name>)`, and for later jobs.

    Masked from then on when it is secret. ValueError for a secret with a line break: agents refuse it.
    """
    if secret and re.search(r"[\r\n]", value):
        raise ValueError(f"{name}: a secret with a line break cannot be masked; store it in base64")
    marks = f";issecret={str(secret).lower()}" + (";isOutput=true" if output else "")
    print(f"##vso[task.setvariable variable={_property(name)}{marks}]{_text(value)}", flush=True)


def add_path(directory: Path) -> None:
    """Puts the directory first on the PATH of the steps that follow."""
    print(f"##vso[task.prependpath]{_text(str(directory))}", flush=True)


def issue(kind: str, line: str) -> None:
    """One line that shows on the run's summary."""
    print(f"##vso[task.logissue type={kind}]{_text(plain(line))}", flush=True)


def plain(text: str) -> str:
    """Text from elsewhere (a pod's log, a command's stderr) that may be printed: no line of it commands the agent."""
    return text.replace("##vso[", "## vso[").replace("##[", "## [")


def _text(value: str) -> str:
    return value.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _text(value).replace("]", "%5D").replace(";", "%3B")
