"""The order of a delivery, from the pull request to production, whatever goes wrong on the way.

Every pipeline is followed through one good run and through one run for each step that may fail (`simulation`); what ran
in them is held against the rows of the conformance table: checks before the push (R2, R4, R7), then staging, tests,
telemetry, the person who is asked, promotion, production (R11, R13-R15, R17), and the way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.model import Stage
from rehearsal.pipelines.rules.artifacts import published
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.simulation import Mishap, Run, ancestors, simulate
from rehearsal.pipelines.walk import Moment, words_of

RULE: Final = "order"

SCAN: Final = "MicrosoftSecurityDevOps@1"
VALIDATION: Final = "ManualValidation@1"
PUSH: Final = ("deploy.py", "acceptance.py", "telemetry_gate.py")
PULL: Final = ("release_folder.py", "reconciled.py", "telemetry_gate.py")
"""What a release must pass in an environment, in this order: where it is pushed to, and where its cluster pulls."""
BACK: Final = {PUSH: "roll_back.py", PULL: "restore_folder.py"}
"""What takes a release back."""
RELEASES: Final = (PUSH[0], PULL[0])
"""What changes an environment."""


def good_run(subject: Subject) -> Iterator[Finding]:
    """When nothing fails, everything runs but the way back."""
    ran = simulate(subject.pipeline).ran
    for moment in subject.moments:
        back = _way_back(subject, moment)
        # What hangs on a value of the run is let pass, unless a release hangs on it; where nothing of a stack changes,
        # nothing is applied.
        sure = moment.calls and subject.pipeline.name != "infrastructure"
        never = ran[moment.step] is False or (sure and ran[moment.step] is not True)
        if ran[moment.step] is not False if back else never:
            message = f"this {'runs' if back else 'does not run'} although nothing has failed"
            yield Finding.at(moment.step.at, RULE, message, "correct the conditions of step, job and stage")


def _way_back(subject: Subject, moment: Moment) -> bool:
    """Whether a step belongs to the job, or the hook, that rolls back."""
    return any(back.phase is moment.phase for name in BACK.values() for back in subject.calling(name))


def checks(subject: Subject) -> Iterator[Finding]:
    """What examines a change: all there, and able to end the run and to keep the image from being pushed."""
    if subject.pipeline.name == "cd":
        return  # what examines there is judged by `release`
    examining = [each for each in subject.moments if _examines(each)]
    pushes = subject.calling("publish_image.py")
    if subject.pipeline.name in ("pr", "ci"):
        yield from _complete(subject)
    for moment in examining:
        run = subject.without(moment)
        if run.good is not False:
            message = "the run stays green when this step fails"
            yield Finding.at(moment.step.at, RULE, message, "leave continueOnError out, of the step and its job")
        for push in pushes:
            # What is pushed is signed afterwards; `signing` looks at that.
            after = push.step is moment.step or moment.calls_script("sign_image.py")
            if not after and run.ran[push.step] is not False:
                message = "the image is pushed although this step has failed"
                yield Finding.at(
                    moment.step.at, RULE, message, f"let the job {push.job.name} wait for {moment.job.name}"
                )


def _examines(moment: Moment) -> bool:
    return moment.step.task in (SCAN, "PublishTestResults@2", "PublishCodeCoverageResults@2") or (
        moment.step.script is not None and not moment.calls_script("run_record.py")
    )


def _complete(subject: Subject) -> Iterator[Finding]:
    """R2 and R4: the scan with its verdict, tests and coverage published; and CI repeats what the pull request had."""
    at, name = subject.pipeline.extends_at, subject.pipeline.name
    for task in (SCAN, "PublishTestResults@2", "PublishCodeCoverageResults@2"):
        if not any(each.step.task == task for each in subject.moments):
            yield Finding.at(at, RULE, f"{name} has no step {task}", "put it into the checks")
    for scan in (each for each in subject.moments if each.step.task == SCAN):
        judged = [each for each in subject.calling("scan_verdict.py") if scan in each.before]
        if not judged:
            message = "nobody judges the scan, whose own exit says little"
            yield Finding.at(scan.step.at, RULE, message, "call scan_verdict.py after it")
        for verdict in judged:
            if subject.without(scan).ran[verdict.step] is not True:
                message = "the scan is not judged when its task fails"
                yield Finding.at(verdict.step.at, RULE, message, "write condition: succeededOrFailed()")
            if set(_tools(verdict)) != {tool.strip() for tool in scan.step.text("tools").split(",")}:
                message = f"the verdict judges {', '.join(_tools(verdict))}, the scan runs {scan.step.text('tools')}"
                yield Finding.at(verdict.step.at, RULE, message, "name the same tools")
    if name == "ci":
        yield from _repeated(subject)


def _tools(verdict: Moment) -> list[str]:
    words = next(call.arguments for call in verdict.calls if call.name == "scan_verdict.py")
    return words_of(words)[0].get("--tools", "").split(",")


def _repeated(subject: Subject) -> Iterator[Finding]:
    """R4: by where they are written, the steps of the pull request's checks are CI's too."""
    own = {(each.job.name, each.step.at) for each in subject.moments}
    jobs = {name for name, _ in own}
    anywhere = {at for _, at in own}
    # An image is built for a pull request and thrown away; CI builds it in the job that pushes.
    for pull_request in subject.all.get("pr", ()):
        for _, job, _, step in pull_request.places:
            there = (job.name, step.at) in own if job.name in jobs else step.at in anywhere
            if step.script and not there:
                message = f"ci does not repeat this step of {job.name}"
                yield Finding.at(step.at, RULE, message, "take it from a template that both use")


def push(subject: Subject) -> Iterator[Finding]:
    """R5-R7: CI pushes, and publishes what a release needs, after a good push alone."""
    if subject.pipeline.name != "ci":
        return
    at, pushes = subject.pipeline.extends_at, subject.calling("publish_image.py")
    release = [each for each in subject.moments if (name := published(each.step)) and name.value == "release"]
    if len(pushes) != 1 or len(release) != 1:
        message = f"ci pushes {len(pushes)} times and publishes {len(release)} releases, instead of once each"
        yield Finding.at(at, RULE, message, "push once, and publish the artifact `release` once")
        return
    if subject.without(pushes[0]).ran[release[0].step] is not False:
        message = "a release is published although the push has failed"
        yield Finding.at(release[0].step.at, RULE, message, "publish it after the push, when that succeeded")
    if not any(call.arguments.count("--vault") for each in subject.calling("read_secrets.py") for call in each.calls):
        yield Finding.at(at, RULE, "ci reads no secrets from its vault", "call read_secrets.py --vault $(ciVaultName)")


def release(subject: Subject) -> Iterator[Finding]:
    """R11-R17: each environment deploys, tests and asks its telemetry; only what passed goes on, and the rest goes
    back."""
    if subject.pipeline.name != "cd":
        return
    for stage in subject.pipeline.stages:
        for gates, back in BACK.items():
            if subject.calling(gates[0], stage):
                yield from _environment(subject, stage, gates, back)
    yield from _validations(subject)


def _environment(subject: Subject, stage: Stage, passed: Sequence[str], way_back: str) -> Iterator[Finding]:
    found = {name: subject.calling(name, stage) for name in (*passed, "promote.py", "confirm.py", way_back)}
    for name in (*passed, way_back):
        if len(found[name]) != 1:
            message = f"the stage {stage.name} calls {name} {len(found[name])} times, instead of once"
            yield Finding.at(stage.at, RULE, message, "call it once")
    if any(len(found[name]) != 1 for name in (*passed, way_back)):
        return
    gates, back = [found[name][0] for name in passed], found[way_back][0]
    # A revision is remembered as good only when all else is.
    way = [*found["promote.py"], *gates, *found["confirm.py"]]
    for place, moment in enumerate(way):
        run = subject.without(moment)
        yield from _stopped(subject, stage, moment, way[place + 1 :], run)
        if moment in gates and run.ran[back.step] is not True:
            message = f"nothing is rolled back in {stage.name} when this step fails"
            yield Finding.at(moment.step.at, RULE, message, f"let the job {back.job.name} run then")
    lost = simulate(subject.pipeline, Mishap(lost=frozenset({gates[0].job})))
    if back.job is gates[0].job or lost.ran[back.step] is not True:
        message = f"nothing is rolled back in {stage.name} when the agent of {gates[0].job.name} is lost"
        yield Finding.at(back.job.at, RULE, message, "roll back in a job of its own, also after Canceled")


def _stopped(subject: Subject, stage: Stage, failed: Moment, after: Sequence[Moment], run: Run) -> Iterator[Finding]:
    """After a failure nothing of the release goes on, in this environment or a later one."""
    if run.good is not False:
        message = "the run stays green when this step fails"
        yield Finding.at(failed.step.at, RULE, message, "leave continueOnError out, of the step and its job")
    for moment in after:
        if run.ran[moment.step] is not False:
            message = f"this runs although {_called(failed)} has failed before it"
            yield Finding.at(moment.step.at, RULE, message, "put it after that step, for when that succeeded")
    for moment in (each for name in ("promote.py", *RELEASES) for each in subject.calling(name)):
        later = stage in ancestors(moment.stage, subject.pipeline.stages)
        if later and run.ran[moment.step] is not False:
            message = f"{moment.stage.name} goes on although {_called(failed)} has failed in {stage.name}"
            yield Finding.at(moment.step.at, RULE, message, f"let its stage wait for {stage.name}, and for its success")


def _validations(subject: Subject) -> Iterator[Finding]:
    """R14: asked by parameter, after the environments before and before anything happens in the next one."""
    wanted = subject.pipeline.given.get("manualValidation", "false").lower() == "true"
    asked = [each for each in subject.moments if each.step.task == VALIDATION]
    if not wanted:
        for moment in asked:
            yield Finding.at(moment.step.at, RULE, "a person is asked though nobody wanted it", "ask by the parameter")
        return
    for promotion in subject.calling("promote.py"):
        stopping = [each for each in asked if subject.without(each).ran[promotion.step] is False]
        if not stopping:
            message = "with manualValidation, nobody is asked before this promotion"
            yield Finding.at(promotion.step.at, RULE, message, f"let its stage wait for a job with {VALIDATION}")
        before = ancestors(promotion.stage, subject.pipeline.stages)
        names = dict.fromkeys((*PUSH, *PULL))
        for gate in (each for name in names for each in subject.calling(name) if each.stage in before):
            for moment in stopping:
                if subject.without(gate).ran[moment.step] is not False:
                    message = f"a person is asked although {_called(gate)} has failed in {gate.stage.name}"
                    yield Finding.at(moment.step.at, RULE, message, f"let its stage wait for {gate.stage.name}")


def _called(moment: Moment) -> str:
    return ", ".join(call.name for call in moment.calls) or moment.step.task
