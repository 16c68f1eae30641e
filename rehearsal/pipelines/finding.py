"""What the linter says: where, which rule, what is wrong, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file; the path is relative to the project."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True)
class Finding:
    """One mistake."""

    file: str
    line: int
    rule: str
    message: str
    mend: str

    @classmethod
    def at(cls, place: Place, rule: str, message: str, mend: str) -> Finding:
        return cls(place.file, place.line, rule, message, mend)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}; {self.mend}"
