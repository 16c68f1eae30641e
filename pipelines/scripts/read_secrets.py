#!/usr/bin/env python3
"""Reads secrets of a vault into masked variables of the job, at the time they are needed.

Needs Python 3.11 and the Azure CLI, signed in as an identity that may read the vault, and runs on an agent only:
anywhere else the values would be shown. All secrets are read before the first variable is set. A variable that holds a
secret is in no step's environment by itself; the step that needs it takes it with `env:`.

What it does not do: it writes no file, and passes no secret to another job.

Exit codes: 0 all variables are set, 1 none is, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import arguments as kinds
from pipelines.scripts.agent import fail, on_agent, set_variable
from pipelines.scripts.commands import CommandError, Patience, json_of


@dataclass(frozen=True)
class Wanted:
    secret: str
    variable: str


def wanted(text: str) -> Wanted:
    """`name` or `name=VARIABLE`."""
    found = re.fullmatch(r"([0-9A-Za-z-]{1,127})(?:=([A-Za-z_][A-Za-z0-9_]*))?", text)
    if not found:
        raise argparse.ArgumentTypeError(
            f"{text!r}; allowed: the name of a secret (letters, digits, hyphens), or <name>=<VARIABLE>"
        )
    return Wanted(found[1], found[2] or found[1].upper().replace("-", "_"))


def read(name: str, secret: str, patience: Patience) -> str:
    """Its value. CommandError for what cannot be masked, or is no secret at all."""
    asked = ["az", "keyvault", "secret", "show", "--vault-name", name, "--name", secret]
    value = json_of([*asked, "--query", "value", "--output", "json"], patience=patience)
    if not isinstance(value, str) or not value.strip():
        raise CommandError(f"{secret}: is empty in the vault {name}; set it there")
    if re.search(r"[\r\n]", value):
        raise CommandError(f"{secret}: has a line break (at its end?), which no agent can mask; store it in base64")
    return value


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Reads secrets of a vault into masked variables of the job.")
    parser.add_argument("--vault", required=True, type=kinds.vault, help="name of the vault")
    parser.add_argument("--wait", type=float, default=5, help="minutes to wait for what comes late")
    parser.add_argument("secrets", nargs="+", type=wanted, metavar="SECRET[=VARIABLE]")
    options = parser.parse_args(arguments)
    variables = [each.variable for each in options.secrets]
    if len(set(variables)) < len(variables):
        parser.error(f"two secrets have one variable: {', '.join(variables)}; name them <name>=<VARIABLE>")
    if not on_agent():
        return fail("this is no agent, and the values would be shown; read them with az keyvault secret show")
    patience = Patience(options.wait * 60, pause)
    try:
        values = [read(options.vault, each.secret, patience) for each in options.secrets]
    except CommandError as error:
        return fail(f"{error}; no variable was set")
    for each, value in zip(options.secrets, values, strict=True):
        set_variable(each.variable, value, secret=True)
        print(f"{each.secret}: is masked in $({each.variable})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
