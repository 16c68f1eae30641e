"""What workflows must hold to, each a function over all of them and the estate, which yields findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from rehearsal.pipelines.commands import Command, CommandError, commands, shell_variables
from rehearsal.pipelines.finding import Finding, Place
from rehearsal.pipelines.harness import OF_THE_RUN
from rehearsal.pipelines.known import KNOWN
from rehearsal.pipelines.rules.command_lines import answers
from rehearsal.pipelines.variables import sets_of_script
from rehearsal.workflows.estate import Environment, Estate
from rehearsal.workflows.reading import APPLICATION, PLATFORM, Job, Step, Workflow, Workflows, declared

Rule = Callable[[Workflows, Estate], Iterator[Finding]]

LOGIN: Final = "azure/login"
HOSTED: Final = "ubuntu-24.04"
_LIST: Final = "workflows/rules.yaml"
_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}", re.S)
_CLIENT: Final = re.compile(r"\$\{\{ vars\.([A-Z]+)_CLIENT_ID \}\}")
_OF_THE_RUNNER: Final = re.compile(r"(GITHUB|RUNNER|ACTIONS)_[A-Z_]+|HOME|PATH")
_GOES_ON: Final = frozenset(
    {
        "acceptance.py",
        "confirm.py",
        "deploy.py",
        "find_cluster.py",
        "promote.py",
        "publish_image.py",
        "telemetry_gate.py",
    }
)
"""Scripts that only run when all before them went well."""
_LEVELS: Final = {"none": 0, "read": 1, "write": 2}


def environments(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """GitHub makes an environment that is not there, and puts no gate before it."""
    for job in _jobs(workflows):
        there = estate.environments.get(job.environment)
        if job.environment and there is None:
            message = f"no stack has made the environment {job.environment}, so that GitHub would, without a gate"
            yield Finding.at(job.at, "environment", message, f"name one of {', '.join(sorted(estate.environments))}")
        elif there and not there.main_only:
            message = f"the environment {job.environment} takes more than main"
            yield Finding.at(job.at, "environment", message, "give it the branch policy of main")


def variables(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """A variable that is not there is empty, and nobody is told."""
    for job in _jobs(workflows):
        there = estate.environments.get(job.environment)
        for at, name in _named(job, r"(?<![.\w])vars\.(\w+)"):
            if there is None and not job.environment:
                message = f"the job has no environment, and {name} is a variable of one"
                yield Finding.at(at, "variable", message, "name the environment")
            elif there is not None and name not in there.variables:
                message = f"the environment {job.environment} has no variable {name}"
                yield Finding.at(at, "variable", message, f"name one of {', '.join(sorted(there.variables))}")


def secrets(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """There is none: jobs sign in with their own tokens, and CI reads its vault."""
    for job in _jobs(workflows):
        for at, name in _named(job, r"(?<![.\w])secrets\.(\w+)"):
            yield Finding.at(at, "secret", f"there is no secret {name}", "read it from the CI vault, or sign in")


def identities(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """Who signs in is let in by the environment, may ask for a token, and is who the script needs."""
    for job in _jobs(workflows):
        there = estate.environments.get(job.environment)
        who = ""
        asks = job.permissions.get("id-token") == "write"
        logins = [step for step in job.steps if step.uses.startswith(f"{LOGIN}@")]
        if asks and not logins:
            message = "the job may ask for a token of its environment, and signs in nowhere"
            yield Finding.at(job.at, "identity", message, "take id-token: write out")
        for step in job.steps:
            if step in logins:
                who = yield from _login(job, step, there, asks)
            for call in calls(step):
                wanted: Any = KNOWN["scripts"].get(_script(call), {}).get("as", ())
                if wanted and who not in wanted:
                    message = f"{_script(call)} runs as {who or 'nobody'}"
                    yield Finding.at(step.at, "identity", message, f"sign in as {' or '.join(wanted)} before it")
                shown = KNOWN["scripts"].get(_script(call), {}).get("shown")
                if shown and step.name != shown:
                    message = f"{_script(call)} is called in {step.name!r}, where records look for {shown!r}"
                    yield Finding.at(step.at, "shown", message, f"write name: {shown}")


def _login(job: Job, step: Step, there: Environment | None, asks: bool) -> Generator[Finding, None, str]:
    found = _CLIENT.fullmatch(step.given.get("client-id", ""))
    if not asks:
        yield Finding.at(step.at, "identity", "the job may not ask for a token", "give it id-token: write")
    if found is None:
        message = f"it signs in as {step.given.get('client-id') or 'nobody'}"
        yield Finding.at(step.at, "identity", message, "write client-id: ${{ vars.<JOB>_CLIENT_ID }}")
        return ""
    who = found[1].lower()
    client = there.variables.get(f"{found[1]}_CLIENT_ID") if there else None
    if there and client is not None and there.identities.get(client) != who:
        message = f"{who} takes no token of the environment {job.environment}"
        yield Finding.at(step.at, "identity", message, "name the environment that it is federated with")
    return who


def permissions(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """Nothing is granted that is not said, job by job, and a job that is called gets no more than who calls it has."""
    for file, said in workflows.files.items():
        if {key: value for key, value in (said.get("permissions") or {}).items() if key != "__line__"} or (
            "permissions" not in said
        ):
            yield Finding(file, 1, "permissions", "the workflow itself grants something", "write permissions: {}")
    for job in _jobs(workflows):
        for name, level in job.permissions.items():
            for granted in job.granted:
                if _LEVELS[str(level)] > _LEVELS[str(granted.get(name, "none"))]:
                    message = f"{job.check} wants {name}: {level}, and who calls it has {granted.get(name, 'none')}"
                    yield Finding.at(job.at, "permissions", message, "grant it there too, or take it out here")
        for name, level in job.permissions.items():
            if level == "write" and name != "id-token":
                message = f"{job.check} may write {name}"
                yield Finding.at(job.at, "permissions", message, "let it read")


def actions(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """Actions of others: those of the list, by its commit; the list holds no more, and GitHub allows the same."""
    listed = yaml.safe_load((workflows.root / _LIST).read_text("utf-8"))["actions"]
    allowed = {f"{name}@{said['commit']}" for name, said in listed.items()}
    used = set()
    for at, uses in _uses(workflows):
        if uses.startswith("$/"):
            path = f"{uses.removeprefix('$/')}/action.yml"
            if not workflows.has(PLATFORM, path):
                message = f"the platform's repository has no {path}"
                yield Finding.at(at, "action", message, "correct the path, or list the file in the seeds")
            continue
        used.add(uses)
        if uses not in allowed:
            message = f"{uses} is not on the list of {_LIST}"
            yield Finding.at(at, "action", message, "pin it to the commit there, or add it")
    for name in sorted(allowed - used):
        yield Finding(_LIST, 1, "action", f"nobody uses {name}", "take it out")
    for name in sorted(allowed ^ estate.actions):
        word = "allow" if name in estate.actions else "do not allow"
        yield Finding(_LIST, 1, "action", f"the repositories {word} {name}", "bring the stacks up with this list")


def checks(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """A check that no job reports can never be green; one that is not demanded may be red."""
    for repository, name in ((APPLICATION, "pr"), (PLATFORM, "platform-pr")):
        workflow = workflows.all[name]
        reported = {job.check for job in workflow.jobs}
        demanded = estate.checks.get(repository, frozenset())
        for check in sorted(demanded - reported):
            message = f"the branch rules of {repository} demand {check}, which no job reports"
            yield Finding.at(workflow.at, "check", message, f"correct it in {_LIST}")
        for check in sorted(reported - demanded):
            message = f"the branch rules of {repository} do not demand {check}"
            yield Finding.at(workflow.at, "check", message, f"add it in {_LIST}")
        if "main" not in ((workflow.on.get("pull_request") or {}).get("branches") or ()):
            yield Finding.at(workflow.at, "check", "no pull request to main starts it", "write on: pull_request")
        for job in workflow.jobs:
            if job.environment or "id-token" in job.permissions or job.continue_on_error:
                message = f"{job.check} executes code that nobody has reviewed, and is somebody or may fail"
                yield Finding.at(job.at, "check", message, "give it no environment, no token and no exemption")


def starts(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """CI is started by a push to main, and CD by the good end of such a run."""
    ci, cd = workflows.all["ci"], workflows.all["cd"]
    if {key: value.get("branches") for key, value in ci.on.items() if key != "__line__"} != {"push": ["main"]}:
        yield Finding.at(ci.at, "start", "something else than a push to main starts ci", "write on: push to main")
    ended = cd.on.get("workflow_run") or {}
    if (ended.get("workflows"), ended.get("types"), ended.get("branches")) != (["ci"], ["completed"], ["main"]):
        yield Finding.at(cd.at, "start", "the end of ci on main does not start cd", "write on: workflow_run of ci")
    for call in cd.calls:
        if len(call.path) == 1:
            for word in ("workflow_run.conclusion == 'success'", "workflow_run.event == 'push'"):
                if word not in call.condition:
                    message = f"cd does not ask for {word}"
                    yield Finding.at(call.at, "start", message, "add it to the condition of the job")


def releases(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """Every stack is an environment of a release, after the one that it leans on, and recorded."""
    cd = workflows.all["cd"]
    calls = {call.path[1]: call for call in cd.calls if len(call.path) == 2}
    for name in sorted(estate.stacks.keys() - calls.keys()):
        yield Finding.at(cd.at, "release", f"no release goes to {name}", "add its job to release.yml")
    for name, call in calls.items():
        stack = estate.stacks.get(name)
        if stack is None or call.given.get("key") != name:
            message = f"the job {name} is for {call.given.get('key')}, and there are {', '.join(estate.stacks)}"
            yield Finding.at(call.at, "release", message, "call job and key by the stack's name")
            continue
        if (call.given.get("promotes-from") or None) != stack.promotes_from:
            message = f"{name} promotes from {call.given.get('promotes-from') or 'nowhere'}, its stack from "
            message += stack.promotes_from or "nowhere"
            yield Finding.at(call.at, "release", message, "write promotes-from as the stack has it")
        if stack.before and stack.before not in call.needs:
            message = f"{name} does not wait for {stack.before}"
            yield Finding.at(call.at, "release", message, f"write needs: {stack.before}")
        if not stack.before and "origin" not in call.needs:
            message = f"{name} does not wait until it is known where the release comes from"
            yield Finding.at(call.at, "release", message, "write needs: origin")
        if (call.given.get("runner") or HOSTED) != (stack.runner or HOSTED):
            message = f"{name} runs on {call.given.get('runner') or HOSTED}, its stack has {stack.runner or HOSTED}"
            yield Finding.at(call.at, "runner", message, "write runner as the stack's output agentPool tells it")
        waiting = [other.name for other in estate.stacks.values() if other.before == name]
        if (call.given.get("next") or "") != " ".join(waiting):
            message = f"{name} says that {call.given.get('next') or 'nobody'} waits for it, and {waiting} does"
            yield Finding.at(call.at, "release", message, "write next")
        asked = call.given.get("manual-validation", "")
        if (f"validate-{name}" in estate.environments) != ("inputs." in asked):
            message = f"whether a person is asked before {name} is {asked}"
            yield Finding.at(call.at, "release", message, "hand the input on where the stack has approvers")
    yield from _one_release_at_a_time(cd, estate)


def _one_release_at_a_time(cd: Workflow, estate: Estate) -> Iterator[Finding]:
    for job in cd.jobs:
        if any(_script(call) == "deploy.py" for step in job.steps for call in calls(step)):
            queue = (job.concurrency.get("group"), job.concurrency.get("cancel-in-progress"))
            if queue != (f"release-{job.environment}", False):
                message = f"releases to {job.environment} run into each other, or end each other"
                yield Finding.at(job.at, "release", message, "give the job a concurrency group, and cancel nothing")
            if job.path[1] != job.environment:
                message = f"{job.check} deploys in the environment {job.environment}"
                yield Finding.at(job.at, "release", message, "write environment: ${{ inputs.key }}")
    for job in cd.jobs:
        for step in job.steps:
            for call in calls(step):
                if _script(call) == "run_record.py" and "close" in call.words:
                    said = {word for place, word in enumerate(call.words) if call.words[place - 1] == "--stage"}
                    if said != {f"{name}={name}" for name in estate.stacks}:
                        message = f"the record of the whole run is of {', '.join(sorted(said))}"
                        yield Finding.at(step.at, "release", message, "write --stage for each environment")


def scripts(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """Scripts that are called are there and take their words; what they read is set, and what they need was brought."""
    asked: dict[tuple[Path, tuple[str, ...]], Place] = {}
    for job in _jobs(workflows):
        brought: set[str] = set()
        outputs: dict[str, set[str]] = {}
        for step in job.steps:
            if step.uses == "$/.github/actions/tools":
                brought |= set(step.given.get("names", "").split())
            for name in shell_variables(step.run):
                if name not in step.env and not _OF_THE_RUNNER.fullmatch(name):
                    yield Finding.at(step.at, "script", f"nothing sets ${name}", "put it into `env:` of the step")
            read = " ".join((*step.env.values(), step.condition))
            for id, output in re.findall(r"steps\.([\w-]+)\.outputs\.(\w+)", read):
                if output not in outputs.get(id, ()) and id != "platform":
                    message = f"the step {id} sets no {output}"
                    yield Finding.at(step.at, "script", message, "name what its script sets")
            for call in calls(step):
                name = _script(call)
                file = workflows.scripts() / name
                if name not in KNOWN["scripts"] or not file.is_file():
                    yield Finding.at(step.at, "script", f"there is no script {name}", "correct the name")
                    continue
                for tool in KNOWN["scripts"][name].get("tools", ()):
                    if tool not in brought:
                        message = f"{name} needs {tool}, which nothing has brought in this job"
                        yield Finding.at(step.at, "tool", message, "name it in the step of the action `tools`")
                outputs.setdefault(step.id, set()).update(each.name for each in sets_of_script(file) if each.output)
                if name == "read_secrets.py":
                    outputs[step.id] |= {word.upper().replace("-", "_") for word in call.arguments[2:]}
                asked.setdefault((file, call.arguments), step.at)
    for (call_, at), why in zip(asked.items(), answers([*asked]), strict=True):
        if why:
            name = call_[0].name
            yield Finding.at(at, "arguments", f"{name} does not take these arguments: {why}", f"see {name} --help")


def injections(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """A value becomes code where an expression puts it into a script, an input of our own too."""
    files: list[tuple[str, list[Any]]] = [
        (file, [step for job in said["jobs"].values() if isinstance(job, dict) for step in job.get("steps", ())])
        for file, said in workflows.files.items()
    ]
    files += [(path, action["runs"]["steps"]) for path, action in workflows.actions()]
    for file, steps in files:
        for step in steps:
            if _EXPRESSION.search(str(step.get("run", ""))):
                message = "an expression in a script is code of whoever chooses its value"
                at = Place(file, step.get("__line__", 1))
                yield Finding.at(at, "injection", message, "put it into `env:` and read it as a variable")


def order(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """What examines can end the run; nothing goes on after a failure but the way back and the record, and those do."""
    for job in _jobs(workflows):
        for step in job.steps:
            names = {_script(call) for call in calls(step)}
            plain = not re.search(r"(always|failure|cancelled)\(\)", step.condition)
            if names & _GOES_ON and not (plain and not step.continue_on_error):
                message = f"{', '.join(sorted(names))} runs after a failure, or its own is forgotten"
                yield Finding.at(step.at, "order", message, "leave out the condition, and continue-on-error")
            if "roll_back.py" in names and not all(f"{word}()" in step.condition for word in ("failure", "cancelled")):
                message = "nothing is rolled back after a failure, or when the run is cancelled"
                yield Finding.at(step.at, "order", message, "write if: failure() || cancelled()")
            if "run_record.py" in names and "close" not in step.run and "always()" not in step.condition:
                yield Finding.at(step.at, "order", "a run that failed leaves no record", "write if: always()")
            examines = step.run and not names & {"run_record.py", "publish_dashboards.py"}
            if examines and step.continue_on_error:
                yield Finding.at(step.at, "order", "the run stays green when this step fails", "let it fail")
            if "scan_verdict.py" in names and "!cancelled()" not in step.condition:
                yield Finding.at(step.at, "order", "the scan is not judged when it fails", "write if: !cancelled()")
    yield from _handed_over(workflows.all["ci"])


def _handed_over(ci: Workflow) -> Iterator[Finding]:
    """A release is what the job that pushes hands over, after it has pushed."""
    for job in ci.jobs:
        pushed = False
        for step in job.steps:
            pushed = pushed or any(_script(call) == "publish_image.py" for call in calls(step))
            if step.uses.startswith("actions/upload-artifact@") and step.given.get("name") == "release":
                if not pushed or step.condition:
                    yield Finding.at(step.at, "order", "a release is handed over before the push", "put it last")
                return
    yield Finding.at(ci.at, "order", "ci hands over no release", "upload the artifact `release` after the push")


def inputs(workflows: Workflows, estate: Estate) -> Iterator[Finding]:
    """The way to production lies in the platform's repository: a workflow of the application only calls."""
    for name in ("pr", "ci", "cd"):
        for job in workflows.all[name].jobs:
            if job.repository == APPLICATION:
                message = f"{job.check} is the application's own"
                yield Finding.at(job.at, "platform", message, "let it call a workflow of the platform's")
    for file, said in workflows.files.items():
        for input_, described in declared(said).items():
            if not described.get("description"):
                yield Finding(file, 1, "input", f"nobody knows what {input_} is", "describe it")


def _jobs(workflows: Workflows) -> Iterator[Job]:
    return (job for workflow in workflows.all.values() for job in workflow.jobs)


def _named(job: Job, pattern: str) -> Iterator[tuple[Place, str]]:
    """Names in the expressions of a job, each with where it stands."""
    for step in job.steps:
        for text in (*step.given.values(), *step.env.values(), step.run, step.condition):
            for expression in (*_EXPRESSION.findall(text), *([step.condition] if text is step.condition else ())):
                for name in re.findall(pattern, expression):
                    yield step.at, name


def _uses(workflows: Workflows) -> Iterator[tuple[Place, str]]:
    for job in _jobs(workflows):
        for step in job.steps:
            if step.uses:
                yield step.at, step.uses
    for path, action in workflows.actions():
        for step in action["runs"]["steps"]:
            if uses := step.get("uses"):
                yield Place(path, step.get("__line__", 1)), str(uses)


def calls(step: Step) -> Iterator[Command]:
    """The scripts of the platform that a step calls, their words as they are in a run."""

    def value(name: str) -> str:
        said = step.env.get(name)
        if name == "SCRIPTS":
            return "pipelines/scripts"
        return OF_THE_RUN if said is None or "${{" in said else said

    try:
        found = [*commands(step.run, lambda name: OF_THE_RUN, value)]
    except CommandError:
        found = []
    yield from (each for each in found if each.script.startswith("pipelines/scripts/"))


def _script(call: Command) -> str:
    return call.script.rpartition("/")[2]


RULES: Final[tuple[Rule, ...]] = (
    environments,
    variables,
    secrets,
    identities,
    permissions,
    actions,
    checks,
    starts,
    releases,
    scripts,
    injections,
    order,
    inputs,
)
