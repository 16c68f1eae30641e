"""The environments of a release: known to a stack, in their order, and nobody at another's things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.naming import DeliveryNames
from rehearsal.pipelines.estate import Thing
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.model import Stage
from rehearsal.pipelines.rules.order import RELEASES
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.simulation import ancestors

RELEASE: Final = "cd"
"""The pipeline that brings releases to the environments."""


def foreign(subject: Subject) -> Iterator[Finding]:
    """What belongs to an environment is used in its own stage; what belongs to production, nowhere else."""
    for stage, kind, said, thing in subject.used():
        if thing is None:
            continue
        names = subject.environments(stage)
        own = {found.stack for name in names if (found := subject.estate.environments.get(name))}
        if thing.stack not in subject.estate.stacks or bool(names) != bool(own):
            continue  # the bootstrap's, for all environments; or in an environment that is in no stack
        if own and thing.stack not in own:
            message = f"the {kind} {said.value} belongs to {thing.stack}, but the stage deploys to {', '.join(names)}"
            yield Finding.at(said.at, "foreign", message, "use the stage's own")
        elif not own and _guarded(subject, kind, thing):
            message = f"the {kind} {said.value} is production's, and the stage {stage.name} names no environment"
            yield Finding.at(said.at, "ungated", message, "use it in a stage with the environment, behind its gates")


def _guarded(subject: Subject, kind: str, thing: Thing) -> bool:
    """Whether a thing is production's and meant to be used behind gates. Who only looks has none, and looks from inside
    the network."""
    if not subject.estate.stacks[thing.stack].production or kind == "environment":
        return False
    looks = {
        found.stack
        for _, what, _, found in subject.used()
        if what == "service connection" and found and not found.gated
    }
    return thing.gated if kind == "service connection" else thing.stack not in looks


def reach(subject: Subject) -> Iterator[Finding]:
    """Who works on what is closed to the outside runs inside its network."""
    estate = subject.estate
    for moment in subject.moments:
        if not moment.calls and not moment.commands:
            continue
        for said in subject.connections(moment.step):
            thing = estate.connections.get(said.value)
            pool = moment.phase.pool
            if thing is None or pool is None or not pool.image:
                continue
            stack = estate.stacks.get(thing.stack)
            if stack is None:
                continue
            if stack.closed_to_ci if thing.name == DeliveryNames.CI_CONNECTION else stack.closed:
                message = f"{thing.stack} is closed to the outside, and agents of the image {pool.image} are outside"
                yield Finding.at(pool.at, "unreachable", message, f"run the job on the agents of {thing.stack}")


def order(subject: Subject) -> Iterator[Finding]:
    """CD goes through the environments in the stacks' order, each promoted from where its stack says."""
    if subject.pipeline.name != RELEASE:
        return
    stages = subject.pipeline.stages
    by_environment = {name: stage for stage in stages for name in subject.environments(stage)}
    deploys = [stage for stage in stages if any(subject.calling(name, stage) for name in RELEASES)]
    if not deploys:
        yield Finding.at(subject.pipeline.extends_at, "order", "nothing is deployed", "list an environment")
    for stage in deploys:
        names = subject.environments(stage)
        if stage.skippable:
            message = f"whoever starts a run by hand may leave the stage {stage.name} out"
            yield Finding.at(stage.at, "order", message, "write isSkippable: false")
        if len(names) != 1:
            message = f"the stage {stage.name} deploys to {len(names)} environments"
            yield Finding.at(stage.at, "order", message, "give every environment a stage of its own, and name it there")
            continue
        stack = subject.estate.stacks.get(next(iter(names)))
        if stack is None or not any(thing.stack == stack.name for thing in subject.estate.groups.values()):
            continue  # said by `access.things`: nothing is known of it
        yield from _promotion(subject, stage, stack.promotes_from, by_environment)
        registry = _registry_of(subject, stack.name)
        if stack.promotes_from is None and registry not in (stack.name, ""):
            yield from _after(stage, registry, by_environment, subject, "pulls from its registry")


def _promotion(
    subject: Subject, stage: Stage, source: str | None, by_environment: dict[str, Stage]
) -> Iterator[Finding]:
    promotions = subject.calling("promote.py", stage)
    if source is None:
        for moment in promotions:
            message = f"{stage.name} promotes, but its stack promotes from nowhere"
            yield Finding.at(moment.step.at, "order", message, "leave the promotion out")
        return
    if not promotions:
        message = f"the stack promotes from {source}, but the stage {stage.name} promotes nothing"
        yield Finding.at(stage.at, "order", message, f"say promotesFrom: {source}")
    yield from _after(stage, source, by_environment, subject, "is promoted from it")


def _after(
    stage: Stage, source: str, by_environment: dict[str, Stage], subject: Subject, why: str
) -> Iterator[Finding]:
    before = by_environment.get(source)
    if before is None or before not in ancestors(stage, subject.pipeline.stages):
        message = f"the stage {stage.name} does not come after {source}, though it {why}"
        yield Finding.at(stage.at, "order", message, f"let it wait for {source}")


def _registry_of(subject: Subject, stack: str) -> str:
    """The stack whose registry a stack pulls from: the first in promotion order that has it."""
    facts = {name: thing.variables or {} for thing in subject.estate.groups.values() for name in [thing.stack]}
    wanted = facts.get(stack, {}).get("registryId")
    return next((name for name in subject.estate.stacks if facts.get(name, {}).get("registryId") == wanted), "")


def templates(subject: Subject) -> Iterator[Finding]:
    """The template that checks demand is the one that is extended, from the branch that they demand."""
    pipeline = subject.pipeline
    demanded = {template for _, _, _, thing in subject.used() if thing for template in thing.templates}
    if not demanded:
        return
    origin = pipeline.extends
    resource = next((one for one in pipeline.repositories if origin and one.name == origin.repository), None)
    said = (
        f"{subject.estate.project}/{origin.repository}@{resource.ref}:{origin.path}" if origin and resource else "none"
    )
    for template in sorted(demanded - {said}):
        message = f"a check demands the template {template}, but the pipeline extends {said}"
        yield Finding.at(pipeline.extends_at, "required-template", message, "extend that one")
    for parameter in pipeline.taken if said in demanded else ():
        if parameter.free_text:
            message = f"the parameter {parameter.name} lets the application's file write any text into the release"
            yield Finding.at(parameter.at, "required-template", message, "give it `values`, or derive it here")


def branches(subject: Subject) -> Iterator[Finding]:
    """Branch control looks at every repository and run that is linked, so they come from branches that it admits."""
    pipeline = subject.pipeline
    checks = [thing.branches for _, _, _, thing in subject.used() if thing and thing.branches]
    if not checks:
        return
    admitted = frozenset.intersection(*checks)
    linked = [(one.at, f"the repository {one.alias}", one.ref) for one in pipeline.repositories]
    for one in pipeline.resources:
        ref = f"refs/heads/{one.branch.removeprefix('refs/heads/')}" if one.branch else "any branch"
        linked.append((one.at, f"the run of {one.alias}", ref))
    for moment in subject.moments:
        said = moment.step.text("repository") if moment.step.task == "checkout" else ""
        if said.startswith("git://"):
            linked.append((moment.step.at, "the repository", said.rpartition("@")[2]))
    for at, what, ref in linked:
        if ref not in admitted:
            message = f"{what} comes from {ref}, and checks admit {', '.join(sorted(admitted))} alone"
            yield Finding.at(at, "branch", message, "take it from a branch that they admit")
