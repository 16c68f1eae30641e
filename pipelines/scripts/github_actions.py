"""What a script says to the runner of GitHub Actions that runs it; `azure_pipelines` says the same to an agent.

The runner reads commands (`::name::…`) from every line of a step's output, and what a step hands on from files that it
names. So values are escaped here, as its own toolkit escapes them, and `plain` takes the sting out of text that
somebody else wrote. A secret is an output of its step and in nobody's environment: the step that needs it takes it with
`env:`.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path


def on_runner() -> bool:
    """Whether a runner reads what is printed."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def set_variable(name: str, value: str, *, secret: bool = False, output: bool = False) -> None:
    """An output of the step, masked from then on when it is secret; otherwise a variable for the steps that follow."""
    if secret and re.search(r"[\r\n]", value):
        raise ValueError(f"{name}: a secret with a line break cannot be masked; store it in base64")
    if secret:
        print(f"::add-mask::{_text(value)}", flush=True)
    _hand_on("GITHUB_OUTPUT" if secret or output else "GITHUB_ENV", name, value)


def add_path(directory: Path) -> None:
    """Puts the directory first on the PATH of the steps that follow."""
    _write("GITHUB_PATH", f"{directory}\n")


def issue(kind: str, line: str) -> None:
    """One line that shows on the run's page."""
    print(f"::{kind}::{_text(plain(line))}", flush=True)


def plain(text: str) -> str:
    """Text from elsewhere that may be printed: no line of it commands the runner."""
    return re.sub(r"(?m)^(\s*):(?=:)", r"\1: ", text).replace("##[", "## [")


def _hand_on(file: str, name: str, value: str) -> None:
    """With an end that no value can hold, because nobody knows it before."""
    end = f"end-{secrets.token_hex(16)}"
    _write(file, f"{name}<<{end}\n{value}\n{end}\n")


def _write(file: str, text: str) -> None:
    with Path(os.environ[file]).open("a", encoding="utf-8") as handed:
        handed.write(text)


def _text(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
