"""The door `verify`: whether an environment that is up works, asked of the clouds themselves.

A rehearsal proves what the stand-in cloud knows. What only a real one can tell is asked here, check by check;
docs/unproven.md names for each assumption the check that settles it.
"""

from __future__ import annotations

from operations import checking
from operations.verify import delivery, logs, metrics, resources, rights, signing, stack
from operations.verify.register import VERIFY

__all__ = ["VERIFY", "delivery", "logs", "main", "metrics", "resources", "rights", "signing", "stack"]


def main(arguments: list[str]) -> int:
    return checking.door("verify", VERIFY, arguments, up=True)
