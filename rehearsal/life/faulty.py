"""Act: everything fails once. Each next run goes on from where the last one stopped, and nothing is there twice.

Every type's first create is refused, in all stacks; so is every type's first delete when they are taken down. What is
refused at once does not exist, so that the engine may simply try again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from operations.retire_stacks import RetireError
from rehearsal.engine import EngineError
from rehearsal.faults import SERVICES, Fault, Plan, arrange
from rehearsal.life.generations import born_again, generation, retired, states
from rehearsal.life.stage import Environment, Stage, listed
from rehearsal.life.up import at_rest

REFUSED: Final = {"azure-native": "internal", "azuredevops": "devops-internal", "kubernetes": "server-busy"}
"""A fault of each service that any of its types may meet."""
_TRIES: Final = 30
"""More runs than there are types that wait for each other."""


def play(stage: Stage) -> None:
    completed(stage, everything("create"), stage.stacks)
    removed(stage, everything("delete"))
    born_again(stage)


def everything(operation: str) -> tuple[Fault, ...]:
    """Every type of every service fails once."""
    return tuple(Fault(name, operation=operation) for name in REFUSED.values())


def some(operation: str, types: Iterable[str]) -> tuple[Fault, ...]:
    """These types fail once."""
    services = {type_: service for service, known in SERVICES.items() for type_ in known}
    return tuple(Fault(REFUSED[services[type_]], type_, operation) for type_ in types)


def completed(stage: Stage, faults: Iterable[Fault], stacks: Iterable[Environment]) -> None:
    """Updates until nothing fails any more; after every failure, engine and cloud must agree all the same."""
    arrange(stage.cloud, Plan(tuple(faults)))
    for stack in stacks:
        name = f"{stack.name}, generation {generation(stage, stack)}"
        failed, uneven = _until_it_holds(stage, stack, name)
        stage.expect(f"{name}: fails, and goes on", bool(failed), f"{len(failed)} runs failed; the last one completed")
        stage.expect(f"{name}: after each, no orphan", not uneven, listed(uneven))
        at_rest(stage, stack, f", generation {generation(stage, stack)}")
    stage.cloud.calm()
    hit = sorted({met.type_ for met in stage.cloud.met})
    stage.expect("types that failed once", bool(hit), f"{len(hit)}: {listed(each.rsplit(':', 1)[-1] for each in hit)}")
    stage.expect_even()


def _until_it_holds(stage: Stage, stack: Environment, name: str) -> tuple[list[EngineError], list[str]]:
    failed: list[EngineError] = []
    uneven: list[str] = []
    while error := stage.fails(
        f"{name}: update {len(failed) + 1}", stage.rehearsal.update, stack.name, continue_on_error=True
    ):
        failed.append(error)
        found = stage.balance()
        uneven += [] if found.even else [str(found)]
        if len(failed) > _TRIES:
            raise error
    return failed, uneven


def removed(stage: Stage, faults: Iterable[Fault]) -> None:
    """Takes all stacks down although deletes fail: the same command goes on each time."""
    arrange(stage.cloud, Plan(tuple(faults)))
    for stack in reversed(stage.stacks):
        kept = {str(state["id"]) for state in states(stage, stack) if state.get("retainOnDelete")}
        failed = 0
        while True:
            try:
                retired(stage, stack)
                break
            except RetireError:
                failed += 1
                if failed > _TRIES:
                    raise
        stage.stays |= kept
        stage.expect(f"{stack.name}: retired in spite of failures", bool(failed), f"the command failed {failed} times")
    stage.cloud.calm()
    found = stage.balance()
    stage.expect("only what is kept on purpose is left", found.even, str(found) if not found.even else "")
