"""Act: the engine is killed in the middle of an update, as when a build agent is lost. The next run recovers.

Three things are left behind: the backend's lock, operations of which the engine does not know the end, and resources
in the cloud that no state has. The lock is taken by `pulumi cancel`. Whether a pending create was done, only the cloud
knows, once it has finished what it was asked for: what is found there is written into the state with its id, what is
not is dropped, and `pulumi refresh` reads the rest. Cleared without looking (`pulumi refresh --clear-pending-creates`),
it would be refused as already existing, or made a second time where names are not unique.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from rehearsal.cloud import Cloud, byhand
from rehearsal.delays import Delays
from rehearsal.life.generations import generation
from rehearsal.life.stage import Environment, Stage, counted, listed
from rehearsal.life.up import at_rest

AFTER: Final = 60
"""Resources that are done when the engine is killed: early enough that much is under way."""
SCALE: Final = 0.01
"""Of the time that creates take in a real cloud: enough that some are under way at any moment."""


def play(stage: Stage) -> None:
    first, *others = stage.stacks
    kill(stage, first)
    recover(stage, first)
    at_rest(stage, first, f", generation {generation(stage, first)}")
    for stack in others:
        stage.run(f"{stack.name}: update", stage.rehearsal.update, stack.name)
    stage.expect_even()


def kill(stage: Stage, stack: Environment, after: int = AFTER) -> None:
    """Kills the engine once some resources are done."""
    Delays.of().slow(stage.cloud, SCALE)
    done = 0

    def update(name: str, watch: Any) -> Any:
        def watched(count: int, each: str) -> None:
            nonlocal done
            watch(count, each)
            if count >= after and not done:
                done = count
                stage.rehearsal.kill()

        return stage.rehearsal.update(name, watched)

    with stage.rehearsal.checkpoints():
        error = stage.fails(f"{stack.name}: update that is killed", update, stack.name)
    stage.rehearsal.restart()
    stage.cloud.calm()
    stage.cloud.rest()
    stage.expect(f"{stack.name}: killed", bool(done and error), f"after {done} resources")
    found = stage.balance()
    stage.expect(
        f"{stack.name}: left with loose ends",
        bool(found.orphans and found.pending),
        f"{len(found.pending)} operations pending, {len(found.orphans)} resources that no state has",
    )
    error = stage.fails(f"{stack.name}: update meanwhile", stage.rehearsal.update, stack.name)
    said = str(error).splitlines()[1] if error else "it was not"
    stage.expect(f"{stack.name}: locked, and it is said how to mend", "pulumi cancel" in said, said)


def recover(stage: Stage, stack: Environment) -> None:
    found = mend(stage, stack)
    balance = stage.balance()
    stage.expect(
        f"{stack.name}: recovered", balance.even, f"{found} taken into the state" if balance.even else str(balance)
    )
    run = stage.run(f"{stack.name}: update goes on", stage.rehearsal.update, stack.name)
    twice = [step.name for step in run.changed() if "replace" in step.op or step.op == "delete"]
    stage.expect(f"{stack.name}: the next update completes it", not twice, counted(run) if not twice else listed(twice))


def mend(stage: Stage, stack: Environment) -> int:
    """Takes the lock, settles what was pending, and reads the rest; answers how much the state had not known."""
    stage.rehearsal.cancel(stack.name)
    export = stage.rehearsal.export(stack.name)
    edited = settled(export, stage.cloud)
    stage.rehearsal.take(stack.name, edited)
    stage.run(f"{stack.name}: refresh", stage.rehearsal.refresh, stack.name)
    return len(edited["deployment"]["resources"]) - len(export["deployment"]["resources"])


def settled(export: Mapping[str, Any], cloud: Cloud) -> dict[str, Any]:
    """The state with its pending creates settled: those that the cloud has done are resources now."""
    deployment = dict(export["deployment"])
    known = {(state["type"], str(state.get("id", "")).lower()) for state in deployment["resources"]}
    made = [
        {**operation["resource"], "id": id}
        for operation in deployment.pop("pending_operations", [])
        if operation["type"] == "creating" and (id := _found(operation["resource"], known, cloud))
    ]
    return {**export, "deployment": {**deployment, "resources": [*deployment["resources"], *made]}}


def _found(pending: Mapping[str, Any], known: set[tuple[str, str]], cloud: Cloud) -> str | None:
    """The id of what the cloud has of this sort, with these properties, that no state has."""
    for thing in byhand.things(cloud):
        resource = thing.resource
        new = (resource.type_, resource.id.lower()) not in known
        if resource.type_ == pending["type"] and new and _alike(pending["inputs"], resource.inputs):
            return resource.id
    return None


def _alike(inputs: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Secrets are sealed in a state, and cannot be compared."""
    return all(held.get(key) == value for key, value in inputs.items() if not _sealed(value))


def _sealed(value: Any) -> bool:
    return "ciphertext" in json.dumps(value)
