"""A problem in a stack file, said so that whoever reads it can mend it: key, value, what is allowed, how to mend."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi


@dataclass(frozen=True)
class Problem:
    key: str
    """As it stands in the stack file, such as `aks-cicd:cluster.version`."""
    value: Any
    allowed: str
    mend: str

    def __str__(self) -> str:
        said = "not set" if self.value is None else "..." if _named_as_secret(self.key) else _shown(self.value)
        return f"  {self.key} = {said}\n    allowed: {self.allowed}\n    mend:    {self.mend}"


class SettingsError(pulumi.RunError):
    """Everything that is wrong with one stack file. A RunError, so Pulumi prints the message and no traceback."""

    def __init__(self, stack: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"Pulumi.{stack}.yaml has {count}:", *map(str, self.problems)]))


def below(key: str, part: str | int) -> str:
    """The key of an entry below another, in the notation of `pulumi config set --path`."""
    if isinstance(part, int):
        return f"{key}[{part}]"
    if not re.fullmatch(r"[\w-]+", part):
        return f"{key}[{json.dumps(part, ensure_ascii=False)}]"
    return f"{key}.{part}" if key else part


def unknown_key(key: str, name: str, known: Sequence[str], value: Any) -> Problem:
    """For a key that no setting has, `name` being its last part; tells the nearest one that exists."""
    hint = nearest(name, known)
    mend = f"{hint} otherwise remove it" if hint else "remove it"
    return Problem(key, value, "one of " + ", ".join(sorted(known)), mend)


def nearest(said: Any, known: Iterable[str]) -> str | None:
    """The question that a slip of the pen calls for, if one of the known words is near enough."""
    word, words = str(said)[:80], list(known)
    near = [each for each in words if len(word) > 2 and each.lower().startswith(word.lower())]
    near = near[:1] or difflib.get_close_matches(word, words, 1, 0.6)
    return f"did you mean {near[0]}?" if near else None


def _named_as_secret(key: str) -> bool:
    """No setting is a secret, but whoever tries to set one should not find it in the log of a pipeline."""
    return re.search("(?i)token|password|credential|secret$|apikey", key.rpartition(".")[2]) is not None


def _shown(value: Any) -> str:
    text = json.dumps(_without_credentials(value), default=str, ensure_ascii=False)
    return text if len(text) <= 200 else text[:197] + "..."


_ORGANIZATION = re.compile(r"https?://(?:dev\.azure\.com/[\w-]*|[\w-]+\.visualstudio\.com)/?", re.ASCII)
"""Where nothing follows that could be a credential."""


def _without_credentials(value: Any) -> Any:
    """The value without what follows a host, or a question mark, in an address: a webhook's is its password, and
    messages end in the logs of pipelines."""
    if isinstance(value, Mapping):
        return {key: _without_credentials(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_credentials(each) for each in value]
    if not isinstance(value, str) or _ORGANIZATION.fullmatch(value):
        return value
    return re.sub(r"(?s)(://[^/?#]*[/?#]|\?).+", r"\1...", value)
