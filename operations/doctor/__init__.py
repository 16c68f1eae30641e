"""The door `doctor`: whether everything is there that the first `pulumi up` of a stack takes for granted.

Each of its checks is one of the prerequisites in the README, or something that costs hours when it is found out by an
`up` that stops half-way. What can only be known once the stack is up is asked by `verify`.
"""

from __future__ import annotations

from operations import checking
from operations.doctor import capacity, machine, names, organization, people, subscription
from operations.doctor.register import DOCTOR

__all__ = ["DOCTOR", "capacity", "machine", "main", "names", "organization", "people", "subscription"]


def main(arguments: list[str]) -> int:
    return checking.door("doctor", DOCTOR, arguments, up=False)
