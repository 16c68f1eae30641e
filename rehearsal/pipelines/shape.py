"""Expanded YAML read as a pipeline, strictly: a key that Azure Pipelines does not know, or that this linter cannot
judge, is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from rehearsal.pipelines.finding import Finding, Place
from rehearsal.pipelines.known import KNOWN
from rehearsal.pipelines.model import Job, Phase, Pool, Stage, Step, Variables
from rehearsal.pipelines.nodes import Map, Node, Seq, Text

RULE: Final = "shape"

_KEYS: Final = {name: frozenset(keys) for name, keys in KNOWN["keys"].items()}
_JOB: Final = _KEYS["anyJob"] | _KEYS["job"]
_DEPLOYMENT: Final = _KEYS["anyJob"] | _KEYS["deployment"]
_SHORTCUTS: Final[Mapping[str, Any]] = KNOWN["shortcuts"]
HOOKS: Final = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOWHERE: Final = Place("", 0)
_Vertex = TypeVar("_Vertex", Stage, Job)


class Shape:
    """Reads one compilation; what does not fit goes to `findings`."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def stages(self, body: Map, pool: Pool | None) -> tuple[Stage, ...]:
        """The stages of a pipeline that has stages, or jobs alone, or steps alone."""
        if (found := body.get("stages")) is not None:
            return self._graph(tuple(self._stages(found, pool)), "stage")
        one = Map(((Text("stage", body.at), Text("__default", body.at)), *self._jobs_of(body)), body.at)
        return tuple(self._stages(Seq((one,), body.at), pool))

    def pool(self, node: Node | None, inherited: Pool | None) -> Pool | None:
        if node is None:
            return inherited
        if isinstance(node, Text):
            return Pool(node.at, server=True) if node.value == "server" else Pool(node.at, queue=node.value)
        found = self._map(node, {"name", "vmImage"}, "a pool")
        name, image = found.text("name"), found.text("vmImage")
        if bool(name) == bool(image):
            self._say(node.at, "a pool has neither or both of name and vmImage", "give one of them")
        return Pool(node.at, queue=name, image=image)

    def variables(self, node: Node | None) -> Variables:
        if node is None:
            return Variables()
        if isinstance(node, Map):
            return Variables((), tuple((key, self._text(value)) for key, value in node.items))
        groups, values = [], []
        for item in node.items if isinstance(node, Seq) else ():
            one = self._map(item, {"group", "name", "value", "readonly"}, "a variable")
            if group := one.get("group"):
                groups.append(self._text(group))
            elif name := one.get("name"):
                values.append((self._text(name), self._text(one.get("value") or Text("", item.at))))
            else:
                self._say(item.at, "this is neither a group nor a variable", "write `group:`, or `name:` and `value:`")
        return Variables(tuple(groups), tuple(values))

    def _jobs_of(self, body: Map) -> Iterable[tuple[Text, Node]]:
        if (jobs := body.get("jobs")) is not None:
            return [(Text("jobs", jobs.at), jobs)]
        if (steps := body.get("steps")) is not None:
            job = Map(((Text("job", body.at), Text("Job", body.at)), (Text("steps", steps.at), steps)), body.at)
            return [(Text("jobs", steps.at), Seq((job,), steps.at))]
        self._say(body.at, "the pipeline has no stages, jobs or steps", "give it some, or `extends`")
        return []

    def _stages(self, node: Node, pool: Pool | None) -> Iterator[Stage]:
        before: tuple[Text, ...] = ()
        for item in self._list(node, "stages"):
            one = self._map(item, _KEYS["stage"], "a stage")
            name = self._name(one, "stage", item.at)
            own = self.pool(one.get("pool"), pool)
            jobs = tuple(self._job(job, own) for job in self._list(one.get("jobs"), "jobs", item.at))
            after = before if one.get("dependsOn") is None else self._names(one.get("dependsOn"))
            yield Stage(
                item.at,
                name,
                own,
                self.variables(one.get("variables")),
                after,
                self._optional(one.get("condition")),
                one.text("isSkippable", "true").lower() == "true",
                self._graph(jobs, "job"),
            )
            before = (Text(name, item.at),)

    def _job(self, item: Node, pool: Pool | None) -> Job:
        deployment = isinstance(item, Map) and item.get("deployment") is not None
        key = "deployment" if deployment else "job"
        one = self._map(item, _DEPLOYMENT if deployment else _JOB, f"a {key}")
        own = self.pool(one.get("pool"), pool)
        if own is None:
            self._say(item.at, "the job does not say where it runs", "give it, its stage or the pipeline a pool")
        environment = self._environment(one.get("environment"))
        if deployment and environment is None:
            self._say(item.at, "the deployment job has no environment", "name it: its gates hang on it")
        phases = self._hooks(one, own) if deployment else (Phase("", own, self._steps(one.get("steps"), item.at)),)
        return Job(
            item.at,
            self._name(one, key, item.at),
            environment,
            deployment,
            own,
            self.variables(one.get("variables")),
            self._names(one.get("dependsOn")),
            self._optional(one.get("condition")),
            self._true(one.get("continueOnError")),
            phases,
        )

    def _environment(self, node: Node | None) -> Text | None:
        if isinstance(node, Map):
            return self._optional(self._map(node, {"name"}, "an environment").get("name"))
        return self._optional(node)

    def _hooks(self, job: Map, pool: Pool | None) -> tuple[Phase, ...]:
        strategy = self._map(job.get("strategy") or Map((), job.at), {"runOnce"}, "a strategy")
        once = self._map(strategy.get("runOnce") or Map((), job.at), {*HOOKS, "on"}, "runOnce")
        if once.get("deploy") is None:
            self._say(job.at, "the deployment job deploys nothing", "give `strategy: runOnce: deploy: steps:`")
        ends = self._map(once.get("on") or Map((), job.at), {"success", "failure"}, "on")
        found = [(hook, once.get(hook)) for hook in HOOKS]
        found += [(f"on.{end}", ends.get(end)) for end in ("success", "failure")]
        return tuple(self._hook(name, node, pool) for name, node in found if node is not None)

    def _hook(self, name: str, node: Node, pool: Pool | None) -> Phase:
        one = self._map(node, {"pool", "steps"}, "a hook")
        return Phase(name, self.pool(one.get("pool"), pool), self._steps(one.get("steps"), node.at))

    def _steps(self, node: Node | None, at: Place) -> tuple[Step, ...]:
        steps = tuple(step for item in self._list(node, "steps", at) for step in self._step(item))
        for name in {step.name for step in steps if step.name}:
            twice = [step for step in steps if step.name == name][1:]
            for step in twice:
                self._say(step.at, f"the job has two steps called {name}", "give each its own name")
        return steps

    def _step(self, item: Node) -> Iterator[Step]:
        keys = item.names if isinstance(item, Map) else []
        kind = next((key for key in keys if key in ("task", *_SHORTCUTS)), None)
        if kind is None or not isinstance(item, Map):
            known = ", ".join(("task", *_SHORTCUTS))
            self._say(item.at, f"this is no step that is known here ({', '.join(keys)})", f"use one of {known}")
            return
        if kind == "task":
            one, task = self._map(item, {"task", "inputs", *_KEYS["anyStep"]}, "a task"), item.text("task")
            given = self._map(one.get("inputs"), None, "inputs")
            inputs = {key.value: self._text(value) for key, value in given.items}
        else:
            short = _SHORTCUTS[kind]
            one, task = self._map(item, {kind, *short["inputs"], *_KEYS["anyStep"]}, f"a step `{kind}`"), short["task"]
            inputs = {key: self._text(value) for key in short["inputs"] if (value := one.get(key)) is not None}
            inputs[short["own"]] = self._text(one.get(kind) or Text("", item.at))
        env = self._map(one.get("env"), None, "env")
        yield Step(
            item.at,
            task,
            one.text("name"),
            one.text("displayName"),
            inputs,
            {key.value: self._text(value) for key, value in env.items},
            self._optional(one.get("condition")),
            self._true(one.get("continueOnError")),
            isinstance(target := one.get("target"), Map) and target.text("commands") == "restricted",
        )

    def _graph(self, nodes: tuple[_Vertex, ...], what: str) -> tuple[_Vertex, ...]:
        """The nodes, when their names are unique and what they wait for is there and in no circle."""
        names = [node.name for node in nodes]
        for place, node in enumerate(nodes):
            if node.name.lower() in (name.lower() for name in names[:place]):
                self._say(node.at, f"two {what}s are called {node.name}", "give each its own name")
            for before in node.depends_on:
                if before.value not in names:
                    self._say(
                        before.at, f"{node.name} waits for a {what} {before.value!r} that is not there", "name one"
                    )
        waiting = {node.name: {before.value for before in node.depends_on} & set(names) for node in nodes}
        while ready := [name for name, before in waiting.items() if not before & waiting.keys()]:
            for name in ready:
                del waiting[name]
        for node in nodes:
            if node.name in waiting:
                self._say(node.at, f"{node.name} waits for itself by way of others", "break the circle")
        return nodes

    def _name(self, node: Map, key: str, at: Place) -> str:
        name = node.text(key)
        if not _NAME.fullmatch(name):
            self._say(at, f"{name!r} is no name of a {key}", "use letters, digits and _, no digit first")
        if key == "deployment" and name == "deploy":
            self._say(at, "deploy is a keyword and cannot name a deployment job", "call it otherwise")
        return name

    def _names(self, node: Node | None) -> tuple[Text, ...]:
        if isinstance(node, Seq):
            return tuple(self._text(item) for item in node.items)
        return (node,) if isinstance(node, Text) and node.value else ()

    def _list(self, node: Node | None, what: str, at: Place | None = None) -> tuple[Node, ...]:
        if isinstance(node, Seq) and node.items:
            return node.items
        place = node.at if node is not None else at
        assert place is not None
        self._say(place, f"{what} are missing", "list one at least")
        return ()

    def _map(self, node: Node | None, keys: Iterable[str] | None, what: str) -> Map:
        if node is None:
            return Map((), _NOWHERE)
        if not isinstance(node, Map):
            self._say(node.at, f"{what} is a mapping", "write its keys below it")
            return Map((), node.at)
        allowed = None if keys is None else frozenset(keys)
        for key, _ in node.items:
            if allowed is not None and key.value not in allowed:
                known = ", ".join(sorted(allowed))
                self._say(key.at, f"{what} has no key {key.value!r} that is known here", f"known: {known}")
        return node

    def _text(self, node: Node) -> Text:
        if isinstance(node, Text):
            return node
        self._say(node.at, "text is expected, not a list or mapping", "write one value")
        return Text("", node.at)

    def _optional(self, node: Node | None) -> Text | None:
        return None if node is None else self._text(node)

    def _true(self, node: Node | None) -> bool:
        return isinstance(node, Text) and node.value.lower() == "true"

    def _say(self, at: Place, message: str, mend: str) -> None:
        self._findings.append(Finding.at(at, RULE, message, mend))
