"""The pipelines of the infrastructure: every stack is planned, and nothing but a plan is applied, in promotion order.

What a pull request starts only looks. What a merge starts plans a stack, and applies it in a deployment to its own
environment, whose gates are asked then; a stack is planned after those that it leans on have been applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.rules.artifacts import published
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.simulation import ancestors
from rehearsal.pipelines.walk import Moment, words_of

RULE: Final = "infrastructure"
LOOKING: Final = ("infrastructure-pr", "drift")
APPLYING: Final = "infrastructure"
PLAN, APPLY = "plan_stack.py", "apply_plan.py"


def infrastructure(subject: Subject) -> Iterator[Finding]:
    name = subject.pipeline.name
    if name not in (*LOOKING, APPLYING):
        return
    plans, applied = _by_stack(subject, PLAN), _by_stack(subject, APPLY)
    at = subject.pipeline.extends_at
    for stack in subject.estate.stacks:
        # A new environment is listed once it is up, here and where releases go.
        allowed = (1,) if stack in _released(subject) else (0, 1)
        for done, found in (("plans", plans), *([("applies", applied)] if name == APPLYING else [])):
            if len(found.get(stack, ())) not in allowed:
                message = f"{name} {done} {stack} {len(found.get(stack, ()))} times, instead of once"
                yield Finding.at(at, RULE, message, "list every stack once in templates/stacks.yml")
    for moment in (each for some in applied.values() for each in some):
        if name in LOOKING:
            yield Finding.at(
                moment.step.at, RULE, f"{name} may look, and applies", "apply what was merged, and planned"
            )
    for stack, moments in applied.items() if name == APPLYING else ():
        for moment in moments:
            yield from _gated(moment, stack)
            yield from _planned(subject, moment, stack, plans.get(stack, []))
    if name == APPLYING:
        yield from _in_order(subject, plans, applied)
    yield from _followed(subject, plans)


def _released(subject: Subject) -> frozenset[str]:
    """The environments that releases go to."""
    stages = (stage for each in subject.all.get("cd", ()) for stage in each.stages)
    return frozenset(job.environment.value for stage in stages for job in stage.jobs if job.environment)


def _by_stack(subject: Subject, script: str) -> dict[str, list[Moment]]:
    found: dict[str, list[Moment]] = {}
    for moment in subject.calling(script):
        for call in moment.calls:
            found.setdefault(words_of(call.arguments)[0].get("--stack", ""), []).append(moment)
    return found


def _gated(moment: Moment, stack: str) -> Iterator[Finding]:
    """It is applied in a deployment to the environment whose gates are meant, as whoever may apply that stack."""
    environment = moment.job.environment.value if moment.job.environment else "no environment"
    if environment != f"infrastructure-{stack}":
        message = f"{stack} is applied in a job that deploys to {environment}, whose gates are not its own"
        yield Finding.at(moment.step.at, RULE, message, f"write environment: infrastructure-{stack}")
    if (who := moment.step.text("azureSubscription")) != f"apply-{stack}":
        yield Finding.at(moment.step.at, RULE, f"{stack} is applied as {who}", f"apply it as apply-{stack}")


def _planned(subject: Subject, moment: Moment, stack: str, plans: list[Moment]) -> Iterator[Finding]:
    """What is applied is the artifact that its plan has published, and nothing where there is none."""
    for plan in plans:
        if plan.stage not in ancestors(moment.stage, subject.pipeline.stages):
            message = f"{stack} may be applied before it is planned"
            yield Finding.at(moment.step.at, RULE, message, f"let the stage wait for {plan.stage.name}")
        elif subject.without(plan).ran[moment.step] is not False:
            message = f"{stack} is applied although its plan has failed"
            yield Finding.at(moment.step.at, RULE, message, "let the stage run only when that succeeded")
        if not any("--save" in call.arguments for call in plan.calls):
            message = f"the plan of {stack} is not kept, so that something else would be applied"
            yield Finding.at(plan.step.at, RULE, message, "plan it with --save")
    wanted = f"plan-{stack}"
    kept = any(found and found.value == wanted for found in (published(each.step) for each in subject.moments))
    fetched = any(each.step.task == "download" and each.step.text("artifact") == wanted for each in moment.before)
    if not (kept and fetched):
        message = f"what is applied to {stack} is not the artifact {wanted} of this run"
        yield Finding.at(moment.step.at, RULE, message, "publish it after the plan, and download it before")


def _in_order(subject: Subject, plans: dict[str, list[Moment]], applied: dict[str, list[Moment]]) -> Iterator[Finding]:
    for stack, known in subject.estate.stacks.items():
        for before in (known.promotes_from,) if known.promotes_from else ():
            for plan in plans.get(stack, ()):
                late = ancestors(plan.stage, subject.pipeline.stages)
                for apply in applied.get(before, ()):
                    if apply.stage not in late:
                        message = f"{stack} is planned before {before} is applied, which it leans on"
                        yield Finding.at(plan.step.at, RULE, message, f"write after: {before} in templates/stacks.yml")
                    elif subject.without(apply).ran[plan.step] is not False:
                        message = f"{stack} is planned although {before} could not be applied"
                        yield Finding.at(plan.step.at, RULE, message, "let the stage run only when nothing has failed")


def _followed(subject: Subject, plans: dict[str, list[Moment]]) -> Iterator[Finding]:
    """What was found is told: on the pull request, or as a work item."""
    tells = {"infrastructure-pr": "comment_plan.py", "drift": "file_drift.py"}.get(subject.pipeline.name)
    for plan in (each for some in plans.values() for each in some) if tells else ():
        if not any(plan in each.before for each in subject.calling(tells or "")):
            message = f"nobody is told what was found: {tells} is not called after the plan"
            yield Finding.at(plan.step.at, RULE, message, f"call {tells} in the same job")
