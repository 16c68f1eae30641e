"""Policy exceptions that come with a change of the settings: a right to be worse than the policies ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

KEY = "aks-cicd:exceptions"


def added(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """What is excepted now and was not before, or longer, or more of it: by what it is, with the reason.

    Both are the `config` of a stack file, empty where there is none.
    """
    old = tuple(_entries(before))
    return {
        f"{each.get('rule')} of {each.get('resource') or 'every resource'}": (
            f"until {each.get('until')}: {each.get('reason')}"
        )
        for each in _entries(after)
        if not any(_covers(one, each) for one in old)
    }


def _entries(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = config.get(KEY)
    if isinstance(found, Sequence):
        yield from (each for each in found if isinstance(each, Mapping))


def _covers(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Days are written YYYY-MM-DD, so that the later one is the greater text."""
    wide, narrow = str(old.get("resource") or "*"), str(new.get("resource") or "*")
    same = old.get("rule") == new.get("rule") and (wide == narrow or fnmatchcase(narrow, wide))
    return same and str(old.get("until")) >= str(new.get("until"))
