"""Secrets: of the vault that is CI's, by documented names, and nowhere but in the environment of the step that needs
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.pipelines.commands import macros
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.harness import OF_THE_RUN
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.walk import Call, Moment, words_of

RULE: Final = "secret"
TOKEN: Final = "System.AccessToken"
PAGE: Final = "docs/pipelines.md"
"""Where whoever fills the vault finds the names: no stack holds a secret, so none could name them."""


def secrets(subject: Subject) -> Iterator[Finding]:
    for moment in subject.moments:
        for value in moment.step.inputs.values():
            for name in dict.fromkeys(macros(value.value)):
                if (known := moment.seen.get(name)) and known.secret:
                    message = f"the secret {name} would stand in the step's inputs, for all on the agent to read"
                    yield Finding.at(value.at, RULE, message, "put it into `env:`")
        given = {name for value in moment.step.env.values() for name in macros(value.value)}
        if TOKEN in given and not moment.calls:
            message = "the run's own token is given to a step that calls no script of the platform"
            yield Finding.at(moment.step.at, RULE, message, "give it to a script of the platform, or to nobody")
        for call in moment.calls:
            if call.facts.get("sets"):
                yield from _read(subject, moment, call)


def _read(subject: Subject, moment: Moment, call: Call) -> Iterator[Finding]:
    at = moment.step.script.at if moment.step.script else moment.step.at
    vaults = {(thing.variables or {}).get("ciVaultName", "") for thing in subject.estate.groups.values()} - {""}
    options, names = words_of(call.arguments)
    if options.get("--vault") not in (OF_THE_RUN, *vaults):
        message = f"{options.get('--vault')!r} is no CI vault of a stack"
        yield Finding.at(at, RULE, message, "write --vault '$(ciVaultName)', and link the group that has it")
    page = subject.sources.root / PAGE
    documented = page.read_text("utf-8") if page.is_file() else ""
    for name in (name.partition("=")[0] for name in names):
        if f"`{name}`" not in documented:
            message = f"the secret {name!r} is read, and nobody is told to put it into the vault"
            yield Finding.at(at, RULE, message, f"name it in {PAGE}")
