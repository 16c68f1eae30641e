"""What is released was verified: before and after its promotion always, and before it is deployed where it is signed.

Whether images are signed, a stack says by the certificates among an environment's facts. The YAML has to say so too,
because names of connections are resolved before a run knows any fact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from components.naming import DeliveryNames
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.model import Stage
from rehearsal.pipelines.rules.artifacts import published
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.walk import Moment

RULE: Final = "signing"
FACT: Final = "signingCertificates"
RELEASES: Final = ("deploy.py", "release_folder.py")
"""What brings an image to an environment, by push and by pull."""
STEPS: Final = ("list", "sign", "attach")
"""Of sign_image.py, in this order."""


def signed(subject: Subject) -> Iterator[Finding]:
    """CI publishes no release before all of it is signed, where there is a key."""
    if subject.pipeline.name != "ci" or DeliveryNames.SIGNER_CONNECTION not in subject.estate.connections:
        return
    home = subject.estate.connections[DeliveryNames.SIGNER_CONNECTION].stack
    if not _signs(subject, home):
        return
    steps = {
        name: moment
        for moment in subject.calling("sign_image.py")
        for call in moment.calls
        for name in STEPS
        if call.arguments[:1] == (name,)
    }
    if missing := [name for name in STEPS if name not in steps]:
        message = f"{home} has its images signed, and ci calls sign_image.py {missing[0]} nowhere"
        yield Finding.at(subject.pipeline.extends_at, RULE, message, "write signed: true in templates/ci.yml")
        return
    release = [each for each in subject.moments if (name := published(each.step)) and name.value == "release"]
    yield from _in_line(subject, [*subject.calling("publish_image.py"), *(steps[name] for name in STEPS), *release])


def verified(subject: Subject) -> Iterator[Finding]:
    """CD goes on with nothing that was not verified."""
    if subject.pipeline.name != "cd":
        return
    for stage in subject.pipeline.stages:
        for deployment in (each for script in RELEASES for each in subject.calling(script, stage)):
            yield from _stage(subject, stage, deployment)


def _stage(subject: Subject, stage: Stage, deployment: Moment) -> Iterator[Finding]:
    asked = subject.calling("verify_image.py", stage)
    promotions = subject.calling("promote.py", stage)
    signs = any(_signs(subject, name) for name in subject.environments(stage))
    for promotion in promotions:
        before = [each for each in asked if each.job is promotion.job and each in promotion.before]
        after = [each for each in asked if each.job is promotion.job and promotion in each.before]
        if not before or not after:
            message = f"{stage.name} promotes what was not verified {'after it' if before else 'before'}"
            yield Finding.at(promotion.step.at, RULE, message, "call verify_image.py before and after promote.py")
        else:
            yield from _in_line(subject, [before[-1], promotion, after[0], deployment])
    if signs:
        own = [each for each in asked if each.job is deployment.job and each in deployment.before]
        if not own:
            message = f"the images of {stage.name} are signed, and nobody verifies that before they are deployed"
            yield Finding.at(deployment.step.at, RULE, message, "write signed: true in templates/release.yml")
        else:
            yield from _in_line(subject, [own[-1], deployment])
        for moment in asked:
            if not any("--certificates" in call.arguments for call in moment.calls):
                message = f"the images of {stage.name} are signed, and this asks for no signature"
                yield Finding.at(moment.step.at, RULE, message, "give it --certificates and --subject")


def _signs(subject: Subject, stack: str) -> bool:
    return any(each.stack == stack and FACT in (each.variables or {}) for each in subject.estate.groups.values())


def _in_line(subject: Subject, way: Sequence[Moment]) -> Iterator[Finding]:
    for earlier, later in itertools.pairwise(way):
        if subject.without(earlier).ran[later.step] is not False:
            message = "this runs although what has to be verified or signed before it was not"
            yield Finding.at(later.step.at, RULE, message, "put it after that step, for when that succeeded")
