"""What every door of this room shows as a message, without a traceback."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.errors import RehearsalError
from validation.problems import Problem


class OperationsError(RehearsalError):
    """Something a person can mend; the message is whole and says how."""


class RequestError(OperationsError):
    """What was asked for on the command line cannot be done; every problem at once."""

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{what}:", *map(str, self.problems)]))
