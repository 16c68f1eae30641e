"""What a step's shell runs: words of commands, macros and shell variables replaced by what they look like in a run.

What it does not do: it is no shell. It splits lines of at most a few plain commands, which is all that steps may hold;
what is longer belongs into a script.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

MACRO: Final = re.compile(r"\$\(([A-Za-z_][\w.\-]*)\)")
"""`$(name)`, which the agent replaces before the shell starts."""

SHELL_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?:(:?[-+?=])([^}]*))?\}|([A-Za-z_]\w*))")

_ENDS: Final = frozenset({";", "&&", "||", "|", "&"})
_INTERPRETERS: Final = frozenset({"python", "python3", "bash", "sh"})


@dataclass(frozen=True)
class Command:
    words: tuple[str, ...]

    @property
    def script(self) -> str:
        """The path of the script file that it runs; empty where it runs none."""
        if len(self.words) > 1 and self.words[0] in _INTERPRETERS and not self.words[1].startswith("-"):
            return self.words[1]
        return self.words[0] if self.words and self.words[0].endswith((".py", ".sh")) else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """Of the script."""
        return self.words[2:] if self.words[0] in _INTERPRETERS else self.words[1:]


class CommandError(Exception):
    """Text that is no plain command."""


def lines(script: str) -> list[str]:
    """The lines of a script that do something; one that ends in a backslash goes on in the next."""
    joined = re.sub(r"\\\n\s*", " ", script)
    return [line for line in joined.splitlines() if line.strip() and not line.strip().startswith("#")]


def commands(script: str, macro: Callable[[str], str], variable: Callable[[str], str]) -> Iterator[Command]:
    """Its commands. `macro` and `variable` give what a name looks like in a run. CommandError for an open quote."""

    def shell(found: re.Match[str]) -> str:
        return variable(found[1] or found[4]) or found[3] or ""

    for line in lines(script):
        replaced = MACRO.sub(lambda found: macro(found[1]), line)
        lexer = shlex.shlex(SHELL_VARIABLE.sub(shell, replaced), posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        lexer.commenters = ""
        words: list[str] = []
        try:
            for word in lexer:
                if word in _ENDS:
                    yield from _command(words)
                    words = []
                else:
                    words.append(word)
        except ValueError as error:
            raise CommandError(f"the shell would not read {line.strip()!r}: {error}") from None
        yield from _command(words)


def macros(text: str) -> Iterator[str]:
    """Names of the macros in a text."""
    return (found[1] for found in MACRO.finditer(text))


def shell_variables(script: str) -> Iterator[str]:
    """Names of the variables that a script reads and does not set itself; what stands in single quotes is no code."""
    code = re.sub(r"'[^']*'", "''", MACRO.sub("", script))
    own = set(re.findall(r"(?:^|[\s;&|(])([A-Za-z_]\w*)=|\bfor\s+([A-Za-z_]\w*)\s+in\b", code))
    names = {name for pair in own for name in pair if name}
    for found in SHELL_VARIABLE.finditer(code):
        if (name := found[1] or found[4]) and name not in names and not name.isdigit():
            yield name


def _command(words: list[str]) -> Iterator[Command]:
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.S):
        words = words[1:]
    if words:
        yield Command(tuple(words))
