"""What can go wrong in the cloud, by name, and plans of it for a rehearsal.

    plan = Plan((Fault("principal-unknown", nth=1, times=2), Fault("internal", "azure-native:keyvault:Vault")))
    arrange(cloud, plan)

A fault is an error that the real service is known to give (`faults.yaml`), on the tries that a plan says; nothing is
random. What the real provider tries again by itself does not reach the engine here either. Killing the engine itself is
not a fault of the cloud's, and not in here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from rehearsal.cloud import Cloud, CloudError, Disturbance
from rehearsal.cloud.azure import KINDS as AZURE
from rehearsal.cloud.delivering import OF_AZURE_DEVOPS, OF_GITHUB
from rehearsal.cloud.kubernetes import KINDS as OBJECTS
from rehearsal.cloud.traffic import ANY
from rehearsal.errors import RehearsalError

OPERATIONS: Final = ("create", "update", "delete")
SERVICES: Final[Mapping[str, frozenset[str]]] = {
    "azure-native": frozenset(AZURE),
    "azuredevops": frozenset(OF_AZURE_DEVOPS),
    "github": frozenset(OF_GITHUB),
    "kubernetes": frozenset(OBJECTS),
}
TABLE: Final = Path(__file__).with_name("faults.yaml")


class FaultError(RehearsalError):
    """A plan cannot be followed; the message says why and what can be asked for."""


@dataclass(frozen=True)
class Known:
    """One error. `service` is the package that gives it; `types` are those that can, none for all of the service.

    `retried`, `done` and `ends` are those of `rehearsal.cloud.Disturbance`. `source` says where the error is seen.
    """

    service: str
    code: str
    message: str
    source: str
    operations: tuple[str, ...] = OPERATIONS
    types: tuple[str, ...] = ()
    retried: int = 0
    done: bool = False
    ends: bool = False


def _known() -> Iterator[tuple[str, Known]]:
    for name, entry in yaml.safe_load(TABLE.read_text("utf-8")).items():
        lists = {key: entry[key] for key in ("operations", "types") if key in entry}
        yield name, Known(**{**entry, **{key: tuple(value) for key, value in lists.items()}})


KNOWN: Final[Mapping[str, Known]] = dict(_known())


@dataclass(frozen=True)
class Fault:
    """A known error on some tries: `nth` to `nth + times - 1` of an operation on a type; `times` 0 is for ever.

    Tries are counted by type, or by resource with `every`: "every first create". Without a type, all those that can
    fail so are meant, each with its own count; without an operation, all that can.
    """

    name: str
    type_: str = ANY
    operation: str = ANY
    nth: int = 1
    times: int = 1
    every: bool = False


@dataclass(frozen=True)
class Plan:
    faults: tuple[Fault, ...] = ()


def disturbances(plan: Plan) -> tuple[Disturbance, ...]:
    """The plan as the cloud takes it.

    Raises:
        FaultError: with every problem of the plan.
    """
    problems = [problem for fault in plan.faults for problem in _problems(fault)]
    if problems:
        raise FaultError("\n".join(problems))
    return tuple(each for fault in plan.faults for each in _disturbances(fault))


def arrange(cloud: Cloud, plan: Plan) -> None:
    """Makes the cloud follow the plan, on top of what it follows already.

    Raises:
        FaultError: as `disturbances`; nothing is arranged then.
    """
    cloud.disturb(disturbances(plan))


def parse(text: str) -> Fault:
    """A fault as the command line has it: `principal-unknown`, `internal,type=…,operation=create,nth=2,times=3,every`.

    Raises:
        FaultError: it is not written so. Whether the name is known is a plan's business.
    """
    name, *settings = (part.strip() for part in text.split(","))
    fault = {"name": name, "type_": ANY, "operation": ANY}
    numbers = {"nth": 1, "times": 1}
    every = False
    for setting in settings:
        key, _, value = setting.partition("=")
        if setting == "every":
            every = True
        elif key in ("type", "operation") and value:
            fault["type_" if key == "type" else key] = value
        elif key in numbers and value.isdecimal():
            numbers[key] = int(value)
        else:
            raise FaultError(
                f"'{setting}' in the fault '{text}' is not a setting. Settings are type=<type>, "
                f"operation={'|'.join(OPERATIONS)}, nth=<number>, times=<number, 0 for ever>, every."
            )
    return Fault(fault["name"], fault["type_"], fault["operation"], numbers["nth"], numbers["times"], every)


def listed() -> str:
    """The known faults, a line each."""
    width = max(map(len, KNOWN))
    return "\n".join(f"  {name:<{width}}  {known.code} ({known.service})" for name, known in KNOWN.items())


def _problems(fault: Fault) -> Iterable[str]:
    known = KNOWN.get(fault.name)
    if known is None:
        yield f"There is no fault named '{fault.name}'. Known are:\n{listed()}"
        return
    types = _types(known)
    if fault.type_ not in (ANY, *types):
        near = difflib.get_close_matches(fault.type_, types, n=3, cutoff=0.4) or sorted(types)[:3]
        yield f"The fault {fault.name} does not befall '{fault.type_}'. Types that it does: {', '.join(near)} …"
    if fault.operation not in (ANY, *known.operations):
        allowed = ", ".join(known.operations)
        yield f"The fault {fault.name} does not befall the operation '{fault.operation}'; it does: {allowed}."
    if fault.nth < 1 or fault.times < 0:
        yield f"The fault {fault.name} has nth={fault.nth}, times={fault.times}: nth is 1 or more, times 0 or more."


def _types(known: Known) -> frozenset[str]:
    return frozenset(known.types) or SERVICES[known.service]


def _disturbances(fault: Fault) -> Iterable[Disturbance]:
    known = KNOWN[fault.name]
    for type_ in sorted(_types(known)) if fault.type_ == ANY else (fault.type_,):
        for operation in known.operations if fault.operation == ANY else (fault.operation,):
            yield Disturbance(
                type_,
                operation,
                CloudError(known.code, known.message),
                nth=fault.nth,
                times=fault.times or None,
                every=fault.every,
                retried=known.retried,
                done=known.done,
                ends=known.ends,
            )
