"""Every task is known, with inputs that it takes and the values that this project insists on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.known import TASKS
from rehearsal.pipelines.model import Step
from rehearsal.pipelines.nodes import Text
from rehearsal.pipelines.rules.subject import Subject

RULE: Final = "task"


def tasks(subject: Subject) -> Iterator[Finding]:
    for moment in subject.moments:
        step = moment.step
        facts = TASKS.get(step.task)
        if facts is None:
            mend = "use one of the tasks in rehearsal/pipelines/tasks.yaml, or add it there with its source"
            yield Finding.at(step.at, RULE, f"the task {step.task!r} is not known", mend)
            continue
        yield from _place(step, facts, bool(moment.phase.pool and moment.phase.pool.server))
        yield from _inputs(step, facts["inputs"])


def _place(step: Step, facts: Mapping[str, Any], server: bool) -> Iterator[Finding]:
    if (facts.get("runs") == "server") != server:
        where = "without an agent (`pool: server`)" if facts.get("runs") == "server" else "on an agent"
        yield Finding.at(step.at, RULE, f"{step.task} runs {where} only", "give it a job of its own, there")


def _inputs(step: Step, known: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    for name, value in step.inputs.items():
        if name not in known:
            message = f"{step.task} has no input {name!r} that is known here"
            yield Finding.at(value.at, RULE, message, f"known: {', '.join(known)}")
    for name, facts in known.items():
        given = step.inputs.get(name)
        if given is None or not given.value:
            if "required" in facts and _holds(step, facts["required"]):
                yield Finding.at(step.at, RULE, f"{step.task} lacks the input {name}", _allowed(facts))
            continue
        if "only" in facts and not _holds(step, facts["only"]):
            message = f"{name} has no effect here: it needs {facts['only']}"
            yield Finding.at(given.at, RULE, message, "remove it")
        for message in _values(name, given, facts):
            yield Finding.at(given.at, RULE, message, _allowed(facts))
        demand = facts.get("demand")
        if demand and given.value.lower() != str(demand["value"]).lower():
            message = f"{name} is {given.value!r}, but {demand['why']}"
            yield Finding.at(given.at, RULE, message, f"write {demand['value']}")


def _values(name: str, given: Text, facts: Mapping[str, Any]) -> Iterator[str]:
    if facts.get("is") == "boolean" and given.value.lower() not in ("true", "false"):
        yield f"{name} is {given.value!r}, not true or false"
    if "values" in facts and given.value not in facts["values"]:
        yield f"{name} takes no value {given.value!r}"
    for one in given.value.split(",") if "each" in facts else ():
        if one.strip() not in facts["each"]:
            yield f"{name} takes no value {one.strip()!r}"


def _holds(step: Step, condition: bool | Mapping[str, str]) -> bool:
    if isinstance(condition, bool):
        return condition
    return all(step.text(name) == value for name, value in condition.items())


def _allowed(facts: Mapping[str, Any]) -> str:
    found = facts.get("values") or facts.get("each") or (["true", "false"] if facts.get("is") == "boolean" else [])
    demand = facts.get("demand")
    if demand:
        return f"write {demand['value']}: {demand['why']}"
    return f"allowed: {', '.join(found)}" if found else "give it a value"
