"""Reads a model section by section, so that a mistake in one section does not hide the mistakes in the others.

What a message says is allowed comes from the types alone: a type is asked what it refuses, and a model which keys it
has. There is no second list that could grow old.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import MinLen
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from validation.problems import Problem, below, nearest, unknown_key
from validation.types import REFUSED

_NAME_ITSELF = "[key]"
"""The last part of a location when it is the name of an entry, not its value, that was refused."""


def read_sections(model: type[BaseModel], project: str, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The valid sections by field name, and the problems of the others."""
    sections: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, field in model.model_fields.items():
        alias = field.alias or name
        key = f"{project}:{alias}" if name != "stack" else "the stack's name"
        form = _declared(field)
        value = raw.get(alias)
        # Pulumi.yaml gives mappings that nobody set as empty ones.
        if value is None or (value == {} and _is_mapping(form)):
            if field.is_required():
                problems.append(_missing(key, form))
            else:
                sections[name] = field.get_default(call_default_factory=True)
            continue
        try:
            sections[name] = _adapter(form).validate_python(value)
        except ValidationError as error:
            problems += (
                _problem(key, form, value, detail) for detail in error.errors() if not _empty_by_refusal(detail)
            )
    return sections, problems


def in_order(problems: Iterable[Problem], model: type[BaseModel], project: str) -> list[Problem]:
    """The problems as their keys stand in the model; what the model does not know comes last at its level."""

    def place(problem: Problem) -> list[tuple[int, str]]:
        form: Any = model
        places = []
        for part in _parts(problem.key.removeprefix(f"{project}:")):
            names = list(_fields(form))
            if isinstance(part, int):
                places.append((part, ""))
            else:
                places.append((names.index(part) if part in names else len(names), part))
            form = _entry(form, part)
        return places

    return sorted(problems, key=place)


def allowed(form: Any) -> str:
    """What a form takes, in words."""
    plain = _plain(form)
    some = " with at least one entry" if any(isinstance(said, MinLen) for said in _metadata(form)) else ""
    if fields := _fields(plain):
        needed = [key for key, field in fields.items() if field.is_required()]
        other = [key for key, field in fields.items() if not field.is_required()]
        if not needed:
            return f"a mapping with any of the keys {', '.join(other)}"
        optional = f" and, if wanted, {', '.join(other)}" if other else ""
        return f"a mapping with {'the key' if len(needed) == 1 else 'the keys'} {', '.join(needed)}{optional}"
    if get_origin(plain) is tuple:
        return f"a list{some}, each entry {allowed(get_args(plain)[0])}"
    if get_origin(plain) is dict:
        name, value = get_args(plain)
        return f"a mapping{some}, each name {allowed(name)}, each value {allowed(value)}"
    try:
        _adapter(_optional_form(form)).validate_python(None)
    except ValidationError as error:
        detail = error.errors()[0]
        context = detail.get("ctx", {})
        return str(context.get("allowed") or context.get("expected") or "text")
    raise TypeError(f"{form} takes nothing for a value")


def takes(section: BaseModel, field: str) -> str:
    """What a field of a section takes, in words."""
    return allowed(_declared(type(section).model_fields[field]))


def _missing(key: str, form: Any) -> Problem:
    return Problem(key, None, allowed(form), "add it to the stack file")


def _problem(key: str, form: Any, said: Any, detail: ErrorDetails) -> Problem:
    """The problem of a section that `said` stands for in the file."""
    location = [part for part in detail["loc"] if part != _NAME_ITSELF]
    parent, value = form, detail["input"]
    for part in location:
        key = below(key, part)
        parent, form = form, _entry(form, part)
    if _NAME_ITSELF in detail["loc"]:
        value = functools.reduce(lambda node, part: node[part], location, said)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_key(key, str(location[-1]), list(_fields(parent)), value)
    if kind == REFUSED and detail["input"] is not None:
        return Problem(key, value, context["allowed"], context["mend"])
    if kind == "missing" or detail["input"] is None:
        return _missing(key, form)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return Problem(key, value, context["expected"], nearest(value, choices) or "choose one of these")
    wanted = "names that are text" if _NAME_ITSELF in detail["loc"] or form is None else allowed(form)
    return Problem(key, value, wanted, "change the value to this form")


def _empty_by_refusal(detail: ErrorDetails) -> bool:
    """Whether a list counts as empty only because its entries were refused, which they say themselves."""
    return detail["type"] == "too_short" and bool(detail["input"])


@functools.cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def _declared(field: FieldInfo) -> Any:
    # Not the field itself as metadata: pydantic warns of an alias that means nothing outside a model.
    return Annotated[(field.annotation, *field.metadata, None)]


def _optional_form(form: Any) -> Any:
    """The form without the None that an optional one takes beside it."""
    if get_origin(form) is Annotated and _is_union(get_args(form)[0]):
        form = get_args(form)[0]
    if _is_union(form):
        return next(variant for variant in get_args(form) if variant is not types.NoneType)
    return form


def _is_union(form: Any) -> bool:
    return get_origin(form) in (Union, types.UnionType)


def _plain(form: Any) -> Any:
    """The form without metadata and without None."""
    form = _optional_form(form)
    return _plain(get_args(form)[0]) if get_origin(form) is Annotated else form


def _metadata(form: Any) -> tuple[Any, ...]:
    form = _optional_form(form)
    return get_args(form)[1:] if get_origin(form) is Annotated else ()


def _is_mapping(form: Any) -> bool:
    return bool(_fields(form)) or get_origin(_plain(form)) is dict


def _fields(form: Any) -> dict[str, FieldInfo]:
    """The fields of a model by the key that stands in the file; empty for what is no model."""
    plain = _plain(form)
    if not (isinstance(plain, type) and issubclass(plain, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in plain.model_fields.items()}


def _entry(form: Any, part: str | int) -> Any:
    """The form of an entry below a form; None where there is none."""
    if fields := _fields(form):
        return _declared(fields[part]) if isinstance(part, str) and part in fields else None
    plain = _plain(form)
    inner = get_args(plain) if get_origin(plain) in (tuple, dict) else ()
    return inner[0 if get_origin(plain) is tuple else 1] if inner else None


def _parts(key: str) -> Iterator[str | int]:
    """The parts of a key: the reverse of `below`."""
    for number, quoted, name in re.findall(r'\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.\[\]]+)', key):
        yield int(number) if number else quoted or name
