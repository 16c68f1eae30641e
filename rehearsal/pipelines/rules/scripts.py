"""What steps give to a shell: short, free of foreign text, and calling scripts that are there, as whom they must."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from components.naming import DeliveryNames
from rehearsal.pipelines.commands import lines, macros
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.known import KNOWN
from rehearsal.pipelines.nodes import Foreign
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.sources import Sources
from rehearsal.pipelines.variables import Visible, visible
from rehearsal.pipelines.walk import Call, Moment

LONGEST: Final = 3
"""Lines that a step may hold; what is longer is a script, which can be tested."""

_OWN: Final = "pipelines/scripts/"
_STRICT: Final = re.compile(r"set -\w*e\w*( -?o pipefail| \w+)*|set -euo pipefail")
ONCE: Final = (DeliveryNames.CI_CONNECTION, DeliveryNames.SIGNER_CONNECTION, "author")
"""Connections that a project has once."""
_SIGNED_IN: Final = "AzureCLI@2"
_CLUSTER_WORDS: Final = ("kubectl", "helm", "kubelogin")
_LOCAL: Final = frozenset({"package", "lint", "template", "version", "dependency", "show"})
"""What Helm does without a cluster."""


def inline(subject: Subject) -> Iterator[Finding]:
    for moment in subject.moments:
        script = moment.step.script
        if script is None:
            continue
        found = lines(script.value)
        work = [line for line in found if not _STRICT.fullmatch(line.strip())]
        if len(work) > LONGEST:
            message = f"the script has {len(work)} lines, and {LONGEST} are allowed"
            yield Finding.at(script.at, "script-length", message, "move it into pipelines/scripts")
        if len(work) > 1 and len(work) == len(found):
            message = "a line that fails is forgotten when the next one runs"
            yield Finding.at(script.at, "script-strict", message, "begin with `set -euo pipefail`, or join with &&")
        if moment.unread:
            yield Finding.at(script.at, "script", moment.unread, "correct the quotes")


def foreign_text(subject: Subject) -> Iterator[Finding]:
    """Text that somebody outside chooses becomes code where a macro or an expression puts it into a script."""
    for moment in subject.moments:
        script = moment.step.script
        if script is None:
            continue
        named = [name for name in dict.fromkeys(macros(script.value)) if moment.seen.foreign(name)]
        if named or isinstance(script.value, Foreign):
            message = (
                f"{' and '.join(named) or 'an expression'} is text of somebody outside, and the shell would run it"
            )
            yield Finding.at(script.at, "injection", message, "put it into `env:` and read it as a variable")
    name = subject.pipeline.run_name
    seen = Visible(visible(subject.pipeline, subject.estate))
    if name and (isinstance(name.value, Foreign) or any(seen.foreign(macro) for macro in macros(name.value))):
        message = "the run's name holds text of somebody outside, and $(Build.BuildNumber) carries it on"
        yield Finding.at(name.at, "injection", message, "name the run otherwise")


def files(subject: Subject) -> Iterator[Finding]:
    """Scripts that are called lie where the step looks for them, and are known."""
    for moment, call in _calls(subject):
        at = moment.step.script.at if moment.step.script else moment.step.at
        if call.origin is None:
            message = f"nothing is checked out at {call.said} in the job {moment.job.name}"
            yield Finding.at(at, "script", message, "check the repository out before, or correct the path")
        elif call.origin.repository not in subject.estate.repositories:
            continue  # said by `access.repositories`
        elif call.file is None:
            message = f"there is no {call.origin.path} in the repository {call.origin.repository}"
            yield Finding.at(at, "script", message, "correct the path, or list the file in the seeds")
        elif call.origin.path.startswith(_OWN) and call.name not in KNOWN["scripts"]:
            message = f"the rules know nothing of the script {call.name}"
            yield Finding.at(at, "script", message, "add it to rehearsal/pipelines/known.yaml")


def identity(subject: Subject) -> Iterator[Finding]:
    """Each script runs as the identity that has its rights, and under the name by which records find it."""
    for moment, call in _calls(subject):
        jobs: Any = call.facts.get("as")
        said = moment.step.text("azureSubscription")
        # Whose environment it is, is for another rule to ask.
        names = {job if job in ONCE else f"{job}-{key}" for job in jobs or () for key in subject.estate.stacks}
        if jobs and moment.step.task != _SIGNED_IN:
            message = f"{call.name} needs a sign-in to Azure, and {moment.step.task} has none"
            yield Finding.at(moment.step.at, "identity", message, f"call it in {_SIGNED_IN}")
        elif jobs and said in subject.estate.connections and said not in names:
            message = f"{call.name} runs as {said}, which has not the rights for it"
            yield Finding.at(moment.step.at, "identity", message, f"run it as {' or '.join(jobs)} of the environment")
        elif not jobs and said and call.name in KNOWN["scripts"]:
            message = f"{call.name} needs no identity, and has {said}"
            yield Finding.at(moment.step.at, "identity", message, "call it in a plain step")
        shown = call.facts.get("shown")
        if shown and moment.step.shown != shown:
            message = (
                f"the step that calls {call.name} is shown as {moment.step.shown!r}, where records look for {shown!r}"
            )
            yield Finding.at(moment.step.at, "shown", message, f"write displayName: {shown}")


def tools(subject: Subject) -> Iterator[Finding]:
    """What a script calls was brought before it, in the same job."""
    for moment, call in _calls(subject):
        wanted: Any = call.facts.get("tools", ())
        brought = {
            word for each in moment.before for one in each.calls if one.name == "tools.sh" for word in one.arguments
        }
        for tool in wanted:
            if tool not in brought:
                message = f"{call.name} needs {tool}, which nothing has brought in this job"
                yield Finding.at(moment.step.at, "tool", message, f"call tools.sh {tool} in a step before")


def cluster(subject: Subject) -> Iterator[Finding]:
    """Whoever talks to a cluster has kubelogin, a kubeconfig without a credential, and never the administrator's."""
    for moment in subject.moments:
        at = moment.step.script.at if moment.step.script else moment.step.at
        for command in moment.commands:
            if command.words[:3] == ("az", "aks", "get-credentials") and {"--admin", "-a"} & set(command.words):
                message = "the cluster administrator's credential passes by Entra ID"
                yield Finding.at(at, "admin", message, "leave --admin out")
        if not _talks(moment):
            continue
        if not any(each.step.task == "KubeloginInstaller@0" and each.step.condition is None for each in moment.before):
            message = "the step talks to a cluster, and kubelogin is not installed before it in this job"
            yield Finding.at(at, "kubelogin", message, "put KubeloginInstaller@0 before it")
        if any(call.facts.get("cluster") for call in moment.calls) and not _signed_in(moment):
            message = "no step before it in this job has made a kubeconfig that signs in with kubelogin"
            yield Finding.at(at, "kubeconfig", message, "az aks get-credentials, then kubelogin convert-kubeconfig")


def administrators(sources: Sources) -> Iterator[Finding]:
    """No script of the project asks for the administrator's credential either."""
    for origin, file in sources.of(DeliveryNames.PLATFORM_REPOSITORY):
        if not origin.path.startswith(_OWN) or file.suffix not in (".py", ".sh"):
            continue
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if re.search(r"--admin\b|listClusterAdminCredential", line):
                message = "the cluster administrator's credential passes by Entra ID"
                yield Finding(sources.name(file), number, "admin", message, "sign in as the job's own identity")


def _talks(moment: Moment) -> bool:
    if any(call.facts.get("cluster") for call in moment.calls):
        return True
    for command in moment.commands:
        first, second = (*command.words, "", "")[:2]
        if first in _CLUSTER_WORDS and not (first == "helm" and second in _LOCAL):
            return True
    return False


def _signed_in(moment: Moment) -> bool:
    run = [command.words for each in moment.before for command in each.commands]
    fetched = any(words[:3] == ("az", "aks", "get-credentials") for words in run)
    return fetched and any(words[:2] == ("kubelogin", "convert-kubeconfig") for words in run)


def _calls(subject: Subject) -> Iterator[tuple[Moment, Call]]:
    return ((moment, call) for moment in subject.moments for call in moment.calls)
