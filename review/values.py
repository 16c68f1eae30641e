"""Two values as the places where they differ: lists by identity instead of position, secrets never as they are.

The order of a list says nothing in ARM, Azure DevOps and nearly all of Kubernetes, and the engine's diff by position
tells a reviewer that all pools change when one moves. So entries are matched by what identifies them; a list whose
order does mean something is named in `ORDERED`.

A secret is compared only where an export shows it in plain text, and even then by its digest. Sealed ones cannot be
compared, because sealing the same value twice gives two texts: such a pair counts as equal.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rehearsal.run import SECRET, plain

IDENTITIES: Final = (
    "name",
    "key",
    "id",
    "category",
    "categoryGroup",
    "displayName",
    "record",
    "alert",
    "templatePath",
    "emailAddress",
    "actionGroupId",
    "actionType",
    "azureMonitorWorkspaceResourceId",
    "workspaceResourceId",
    "field",
    "value",
    "port",
)
"""What identifies an entry of a list: the first that every entry of both lists has, with a value of its own."""

ORDERED: Final = frozenset({"args", "command"})
"""Lists that say something else in another order."""

_SECRET_NAME: Final = re.compile(
    r"(?i)(password|clientsecret|serviceprincipalkey|secretvalue|accesskey|sharedkey|connectionstring|privatekey"
    r"|sastoken|accesstoken|personalaccesstoken|oidctoken|kubeconfig)$"
)
"""Properties that hold a secret even where nobody has marked them as one."""
_PLAIN_NAME: Final = re.compile(r"[\w$-]+")


@dataclass(frozen=True)
class Secret:
    """A value that nobody gets to see. `digest` is empty where it cannot be compared."""

    digest: str = ""

    def __str__(self) -> str:
        return SECRET


@dataclass(frozen=True)
class Absent:
    """There is no such property."""

    def __str__(self) -> str:
        return "(none)"


ABSENT: Final = Absent()
UNSEALED: Final = "(in plain text)"
"""A value of which the other side is a secret."""


@dataclass(frozen=True)
class Difference:
    """One property, as it is and as it would be.

    `forces` if it is why the resource is replaced; `refused` if the service is known not to take it in place;
    `doubtful` if nobody knows whether it does.
    """

    path: str
    before: Any
    after: Any
    forces: bool = False
    refused: bool = False
    doubtful: bool = False

    @property
    def pattern(self) -> str:
        return pattern(self.path)


def pattern(path: str) -> str:
    """The path with a star for every entry of a list."""
    return re.sub(r"\[[^\]\"]*\]", "[*]", path)


def veiled(value: Any, name: str = "", *, all_secret: bool = False) -> Any:
    """`value` as it stands in a state, with a `Secret` for everything that nobody may see."""
    if isinstance(value, Mapping):
        if plain(value) == SECRET:
            return Secret(_digest(value["plaintext"]) if "plaintext" in value else "")
        return {key: veiled(inner, str(key), all_secret=all_secret) for key, inner in value.items()}
    if isinstance(value, list):
        return [veiled(inner, name, all_secret=all_secret) for inner in value]
    if value == SECRET:
        return Secret()
    if value not in (None, "") and (all_secret or _SECRET_NAME.search(name)):
        return Secret(_digest(json.dumps(value)))
    return plain(value)


def shown(value: Any) -> Any:
    """A veiled value without its digests: what may leave this module."""
    if isinstance(value, Mapping):
        return {key: shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner) for inner in value]
    return SECRET if isinstance(value, Secret) else value


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Where two veiled values differ. What is null, or empty, counts as absent: no service tells them apart."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            if not str(key).startswith("__"):  # the engine's own notes
                yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), _below(path, str(key)))
    elif isinstance(before, list) and isinstance(after, list) and path.rpartition(".")[2] not in ORDERED:
        yield from _lists(before, after, path)
    elif not same(before, after):
        yield Difference(path, *_sides(before, after))


def _sides(before: Any, after: Any) -> tuple[Any, Any]:
    """Both sides as they may be seen: what was, or becomes, a secret is none to read on the other side either."""
    sides = (before, after)
    if not any(isinstance(side, Secret) for side in sides):
        return shown(before), shown(after)
    old, new = (side if side is ABSENT else SECRET if isinstance(side, Secret) else UNSEALED for side in sides)
    return old, new


def same(before: Any, after: Any) -> bool:
    """Whether nobody could tell two veiled values apart."""
    if isinstance(before, Secret) and isinstance(after, Secret):
        return not before.digest or not after.digest or before.digest == after.digest
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same, before, after))
    return _nothing(before) and _nothing(after) if _nothing(before) or _nothing(after) else bool(before == after)


def _lists(before: list[Any], after: list[Any], path: str) -> Iterator[Difference]:
    if key := identity(before, after):
        old, new = ({text(each[key]): each for each in entries} for entries in (before, after))
        for name in dict.fromkeys((*old, *new)):
            yield from differences(old.get(name, ABSENT), new.get(name, ABSENT), f"{path}[{name}]")
        return
    gone, come = _unmatched(before, after), _unmatched(after, before)
    if any(isinstance(each, (Mapping, list)) for each in (*gone, *come)) and len(gone) == len(come):
        # As many as before, and nothing says which is which: their order is the best guess.
        for old_entry, new_entry in zip(gone, come, strict=True):
            yield from differences(old_entry, new_entry, f"{path}[{before.index(old_entry)}]")
        return
    if gone or come:
        yield Difference(path, shown(before) or ABSENT, shown(after) or ABSENT)


def identity(before: Sequence[Any], after: Sequence[Any]) -> str:
    """The property that tells the entries of both lists apart; empty if there is none."""
    if not all(isinstance(each, Mapping) for each in (*before, *after)) or not (before or after):
        return ""
    for key in IDENTITIES:
        if all(isinstance(each.get(key), (str, int)) for each in (*before, *after)) and all(
            len({text(each[key]) for each in entries}) == len(entries) for entries in (before, after)
        ):
            return key
    return ""


def _unmatched(entries: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """The entries that the other list lacks; an entry that stands there twice has to be there twice."""
    left = Counter(map(_key, others))
    lacking = []
    for each in entries:
        if left[_key(each)]:
            left[_key(each)] -= 1
        else:
            lacking.append(each)
    return lacking


def _key(value: Any) -> Hashable:
    return json.dumps(shown(value), sort_keys=True, default=str)


def text(value: Any) -> str:
    """An identity as a person says it; an id of ARM ends in that."""
    words = str(value)
    return words.rpartition("/")[2] if words.startswith("/") else words


def _nothing(value: Any) -> bool:
    return value is ABSENT or value is None or value in ([], {}, "")


def _below(path: str, key: str) -> str:
    name = key if _PLAIN_NAME.fullmatch(key) else f'["{key}"]'
    return f"{path}.{name}" if path and not name.startswith("[") else f"{path}{name}"


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
