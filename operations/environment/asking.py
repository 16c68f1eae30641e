"""What is asked of the door `environment`, judged before anything is derived from it; all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import TypeAdapter, ValidationError

from operations.errors import RequestError
from settings import Tier
from validation.problems import Problem, nearest
from validation.types import Region, StackName

REGISTRIES: Final = ("own", "shared")

RESERVED: Final = frozenset({"record"})
"""Stages of `cd` are called by their environment, and this one is there already (templates/environments.yml)."""

KEYS: Final[Mapping[str, str]] = {
    "name": "NAME",
    "source": "FROM",
    "region": "REGION",
    "tier": "TIER",
    "registry": "REGISTRY",
    "json": "JSON",
}
"""What `make environment` calls each, and so every message."""


@dataclass(frozen=True)
class Wanted:
    """The environment that is asked for. What is not said is as in the environment that it is made from."""

    name: str
    source: str
    region: str | None = None
    tier: str | None = None
    registry: str | None = None
    json: str | None = None
    """Path of the result for machines."""


def judge(wanted: Wanted, stacks: Collection[str]) -> None:
    """Raises RequestError with everything that is wrong with what was asked, given the names of all stack files."""
    if problems := [*_problems(wanted, stacks)]:
        raise RequestError("No environment can be written from this", problems)


def _problems(wanted: Wanted, stacks: Collection[str]) -> Iterator[Problem]:
    yield from _refused("name", wanted.name, StackName)
    if wanted.name in RESERVED:
        yield _problem("name", wanted.name, "a name that no stage of cd has", "choose another name")
    if wanted.source not in stacks:
        allowed = f"a stack that has a file: {', '.join(sorted(stacks))}"
        yield _problem("source", wanted.source, allowed, nearest(wanted.source, stacks) or "choose one of these")
    elif wanted.name == wanted.source:
        yield _problem("name", wanted.name, f"another name than {wanted.source}", "choose a name that no stack has")
    if wanted.region is not None:
        yield from _refused("region", wanted.region, Region)
    for field, choices in (("tier", get_args(Tier)), ("registry", REGISTRIES)):
        said = getattr(wanted, field)
        if said is not None and said not in choices:
            yield _problem(field, said, " or ".join(choices), nearest(said, choices) or "choose one of these")
    if wanted.json is not None and (not wanted.json or not Path(wanted.json).absolute().parent.is_dir()):
        yield _problem("json", wanted.json, "the path of a file in a directory that exists", "make the directory first")


def _refused(field: str, value: str, form: Any) -> Iterator[Problem]:
    """What a type of the settings refuses, in its own words."""
    try:
        TypeAdapter(form).validate_python(value)
    except ValidationError as error:
        context = error.errors()[0]["ctx"]
        yield _problem(field, value, context["allowed"], context["mend"])


def _problem(field: str, value: str, allowed: str, mend: str) -> Problem:
    if not value:
        mend = "say it: make environment NAME=qa FROM=staging"
    return Problem(KEYS[field], value or None, allowed, mend)


def impossible(field: str, value: str | None, allowed: str, mend: str) -> RequestError:
    """One more problem, which shows only once the environment is derived."""
    return RequestError("No environment can be written from this", [Problem(KEYS[field], value, allowed, mend)])
