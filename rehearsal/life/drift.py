"""Act: the cloud changes while nobody runs the program. What services do by themselves is no drift; what people do is.

Drift is what `pulumi preview --refresh --expect-no-changes` fails on, which is how a scheduled pipeline asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rehearsal.cloud import byhand
from rehearsal.cloud.values import leaves, lookup
from rehearsal.engine import EngineError
from rehearsal.life import service
from rehearsal.life.stage import Environment, Stage, listed, touched
from rehearsal.run import UNKNOWN, Step


@dataclass(frozen=True)
class ByHand:
    """Something that a person does past the program: `path` None deletes the thing."""

    who: str
    type_: str
    path: str | None = None
    value: Any = None

    def of(self, inputs: Mapping[str, Any]) -> Any:
        """The new value, given what stands there."""
        found = lookup(inputs, self.path) if self.path else None
        return found + self.value if isinstance(found, int) and isinstance(self.value, int) else self.value


_BRANCHES: Final = "azuredevops:index/checkBranchControl:CheckBranchControl"
DEEDS: Final = (
    ByHand("someone scales the pool in the portal", service.POOL, "maxCount", 1),
    ByHand("someone opens a vault's firewall", "azure-native:keyvault:Vault", "properties.networkAcls.bypass", "None"),
    ByHand("someone deletes an alert", "azure-native:monitor:ActivityLogAlert"),
    ByHand("someone lets other branches release", _BRANCHES, "allowedBranches", "refs/heads/*"),
    ByHand("someone raises the quota with kubectl", "kubernetes:core/v1:ResourceQuota", "spec.hard.pods", "999"),
)


def play(stage: Stage) -> None:
    for stack in stage.stacks:
        services(stage, stack)
        people(stage, stack)


def services(stage: Stage, stack: Environment) -> None:
    for deed in (*service.scale(stage.cloud), *service.upgrade(stage.cloud)):
        stage.say(deed)
    error = looked(stage, stack, "after services did their work")
    found = listed(touched(error.run)) if error else ""
    stage.expect(f"{stack.name}: what services do is no drift", error is None, found)


def people(stage: Stage, stack: Environment, *, mends: bool = True) -> None:
    done = list(_done(stage, stack))
    for deed, name in done:
        stage.say(f"{deed.who}: {name}{f' ({deed.path})' if deed.path else ''}")
    error = looked(stage, stack, "after people did theirs")
    stage.expect(
        f"{stack.name}: drift fails the preview", error is not None, str(error).splitlines()[-1] if error else ""
    )
    seen = {step.name: step for step in error.run.changed()} if error else {}
    for deed, name in done:
        step = seen.get(name)
        named = step is not None and (step.op == "create" if deed.path is None else deed.path in step.diff)
        stage.expect(f"{stack.name}: named: {name}", named, f"{step.op} {', '.join(step.diff)}".strip() if step else "")
    # What reads an output of something that changes may change with it: a preview cannot know.
    extra = sorted(name for name in seen.keys() - {name for _, name in done} if not _follows(seen[name]))
    stage.expect(f"{stack.name}: and nothing else", not extra, listed(extra))
    if not mends:
        return
    stage.run(f"{stack.name}: update puts it right", stage.rehearsal.update, stack.name, refresh=True)
    error = looked(stage, stack, "after the update")
    stage.expect(f"{stack.name}: an update puts it right", error is None, listed(touched(error.run)) if error else "")


def looked(stage: Stage, stack: Environment, when: str) -> EngineError | None:
    """What the scheduled question answers: an error, or None."""
    return stage.fails(
        f"{stack.name}: preview --refresh {when}",
        stage.rehearsal.preview,
        stack.name,
        refresh=True,
        expect_no_changes=True,
    )


def _follows(step: Step) -> bool:
    return any(leaf == UNKNOWN for _, leaf in leaves(step.new or {}))


def _done(stage: Stage, stack: Environment) -> Iterator[tuple[ByHand, str]]:
    """Does what can be done in this stack; yields each deed with the logical name of what it was done to."""
    # The order in a state is that in which things were ready, which no two runs share.
    states = sorted(stage.rehearsal.export(stack.name)["deployment"]["resources"], key=lambda state: state["urn"])
    for deed in DEEDS:
        state = next((each for each in states if each["type"] == deed.type_), None)
        if state is None:
            continue
        things = [each for each in byhand.things(stage.cloud) if each.resource.type_ == deed.type_]
        thing = next(each for each in things if each.resource.id == state["id"])
        if deed.path is None:
            byhand.delete(stage.cloud, thing)
        else:
            byhand.change(stage.cloud, thing, deed.path, deed.of(thing.resource.inputs))
        yield deed, state["urn"].rsplit("::", 1)[-1]
