"""The command behind the doors around `pulumi up`: ``python -m operations DOOR …``.

A problem is one message on stderr and exit code 1. A traceback appears only for a bug.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Final

from rehearsal.errors import RehearsalError

DOORS: Final[Mapping[str, str]] = {
    "costs": "operations.costs",
    "doctor": "operations.doctor",
    "environment": "operations.environment",
    "list-environment": "operations.release_list",
    "retire": "operations.retire",
    "signing-certificate": "operations.signing_certificate",
    "verify": "operations.verify",
}
"""Module of each door; imported when it is asked for, because what a door needs may take seconds to load.

Its function `main` takes the arguments that follow and answers the exit code.
"""


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in DOORS:
        print(f"usage: python -m operations {'|'.join(sorted(DOORS))} …", file=sys.stderr)
        return 2
    door, *rest = arguments
    try:
        code: int = importlib.import_module(DOORS[door]).main(rest)
    except RehearsalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
