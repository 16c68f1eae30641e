"""Parameters of templates and pipelines: what is declared, and whether what is given fits.

As strict as the service, and stricter in two things: the list form with types is demanded, because the old mapping form
takes anything, and a default may hold no expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from rehearsal.pipelines.evaluation import Value, to_number
from rehearsal.pipelines.finding import Finding, Place
from rehearsal.pipelines.nodes import Broken, Map, Node, Seq, Text, texts

RULE: Final = "parameter"

SCALARS: Final = ("string", "number", "boolean")
LISTS: Final = ("stepList", "jobList", "deploymentList", "stageList", "containerList", "stringList")
MAPPINGS: Final = ("step", "job", "deployment", "stage", "container")
TYPES: Final = (*SCALARS, "object", *LISTS, *MAPPINGS)
_KEYS: Final = ("name", "displayName", "type", "default", "values")


@dataclass(frozen=True)
class Parameter:
    """One declared parameter."""

    name: str
    type: str
    default: Node | None
    values: tuple[str, ...]
    at: Place

    @property
    def free_text(self) -> bool:
        """Whoever gives it may write anything."""
        return not self.values and self.type not in ("boolean", "number")


def declared(node: Node | None, findings: list[Finding]) -> tuple[Parameter, ...]:
    """The `parameters:` of a template or a pipeline."""
    if node is None:
        return ()
    if not isinstance(node, Seq):
        findings.append(
            Finding.at(node.at, RULE, "parameters have no types", "list them: `- name: x` with `type: string`")
        )
        names = node.items if isinstance(node, Map) else ()
        return tuple(Parameter(name.value, "object", default, (), name.at) for name, default in names)
    found = [parameter for item in node.items for parameter in _one(item, findings)]
    for place, parameter in enumerate(found):
        if any(parameter.name.lower() == other.name.lower() for other in found[:place]):
            message = f"the parameter {parameter.name} is declared twice"
            findings.append(Finding.at(parameter.at, RULE, message, "declare it once"))
    return tuple(found)


def _one(item: Node, findings: list[Finding]) -> Iterator[Parameter]:
    if not isinstance(item, Map) or not item.text("name"):
        findings.append(Finding.at(item.at, RULE, "this declares no parameter", "give it a `name` and a `type`"))
        return
    name, type_ = item.text("name"), item.text("type")
    problems = [f"has an unknown key {key!r}" for key in item.names if key not in _KEYS]
    if type_ not in TYPES:
        problems.append(f"has the type {type_!r}; allowed: {', '.join(TYPES)}")
    if "values" in item.names and not isinstance(item.get("values"), Seq):
        problems.append("has values that are no list")
    default = item.get("default")
    if default and any("${{" in text.value for text in texts(default)):
        problems.append("has an expression as default")
    values = item.get("values")
    allowed = tuple(each.value for each in values.items if isinstance(each, Text)) if isinstance(values, Seq) else ()
    parameter = Parameter(name, type_, default, allowed, item.at)
    if not problems and default is not None:
        problems += [f"has a default that does not fit: {why}" for why in _misfit(parameter, default)]
    findings += [
        Finding.at(item.at, RULE, f"the parameter {name} {problem}", "correct its declaration") for problem in problems
    ]
    # One that is wrongly declared takes anything, so that what it is given is not found wrong as well.
    yield parameter if not problems else replace(parameter, type="object", values=())


def bind(
    parameters: tuple[Parameter, ...], given: Mapping[str, Node], at: Place, findings: list[Finding]
) -> dict[str, Value]:
    """The value of every parameter by name; `at` is where they are given."""
    known = {parameter.name.lower(): parameter for parameter in parameters}
    for name, node in given.items():
        if name.lower() not in known:
            allowed = ", ".join(parameter.name for parameter in parameters) or "none"
            message = f"the template declares no parameter {name}; it declares: {allowed}"
            findings.append(Finding.at(node.at, RULE, message, "remove it, or declare it in the template"))
    values: dict[str, Value] = {}
    passed = {name.lower(): node for name, node in given.items()}
    for parameter in parameters:
        value = passed.get(parameter.name.lower(), parameter.default)
        if value is None:
            message = f"the parameter {parameter.name} is not given and has no default"
            findings.append(Finding.at(at, RULE, message, "give it"))
            values[parameter.name] = Broken()
            continue
        for why in _misfit(parameter, value):
            message = f"the parameter {parameter.name} does not take this: {why}"
            findings.append(Finding.at(value.at, RULE, message, "give a value that it takes"))
        values[parameter.name] = typed(parameter, value)
    return values


def typed(parameter: Parameter, node: Node) -> Value:
    """The value that expressions see."""
    if not isinstance(node, Text):
        return node
    if parameter.type == "boolean":
        return node.value.lower() == "true"
    if parameter.type == "number":
        return to_number(node.value)
    return node.value


def _misfit(parameter: Parameter, node: Node) -> Iterator[str]:
    type_ = parameter.type
    if isinstance(node, Text) and isinstance(node.value, Broken):
        return
    if type_ in SCALARS and not isinstance(node, Text):
        yield f"a {type_} is expected, not a {'list' if isinstance(node, Seq) else 'mapping'}"
    elif isinstance(node, Text):
        # An empty value stands for an empty list or mapping.
        if type_ in (*LISTS, *MAPPINGS) and node.value:
            yield f"a {type_} is expected, not {node.value!r}"
        if type_ == "boolean" and node.value.lower() not in ("true", "false"):
            yield f"true or false is expected, not {node.value!r}"
        if type_ == "number" and (node.value == "" or to_number(node.value) is None):
            yield f"a number is expected, not {node.value!r}"
        if parameter.values and node.value not in parameter.values:
            yield f"{node.value!r} is none of {', '.join(parameter.values)}"
    elif isinstance(node, Map) and type_ in LISTS:
        yield f"a {type_} is expected, not a mapping"
    elif isinstance(node, Seq) and type_ in MAPPINGS:
        yield f"a {type_} is expected, not a list"
