"""A pipeline compiled in every way in which it can start: each choice of its parameters is one compilation.

The file at the root is read strictly; what it extends is expanded and read as stages. A parameter that everybody may
fill with any text is compiled with its default alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from rehearsal.pipelines import parameters as declarations
from rehearsal.pipelines.estate import Definition, Estate
from rehearsal.pipelines.expand import Expander
from rehearsal.pipelines.finding import Finding, Place
from rehearsal.pipelines.frames import Frame
from rehearsal.pipelines.known import predefined
from rehearsal.pipelines.model import Pipeline, PipelineResource, RepositoryResource, Starts, Variables
from rehearsal.pipelines.nodes import Foreign, Map, Node, Seq, Text, YamlError, texts
from rehearsal.pipelines.shape import Shape
from rehearsal.pipelines.sources import SEEDS, Origin, Sources

RULE: Final = "pipeline"

_STATIC: Final = ("trigger", "pr", "schedules", "resources", "lockBehavior", "appendCommitMessageToRunName")
_ROOT: Final = ("name", "parameters", "variables", "pool", "extends", "stages", "jobs", "steps", *_STATIC)
CLOCKED: Final = ("drift", "updates")
"""The only pipeline that the clock may start: it changes nothing."""
_EXTENDED: Final = ("parameters", "variables", "stages", "jobs", "steps")


def compilations(sources: Sources, estate: Estate, definition: Definition) -> tuple[list[Pipeline], list[Finding]]:
    """Every compilation of a pipeline, and what is wrong with its files; findings come once, however many find them."""
    findings: list[Finding] = []
    origin = Origin(definition.repository, definition.path)
    file = sources.find(origin)
    if file is None:
        message = f"the pipeline {definition.name} needs {origin.path} in the repository {origin.repository}"
        return [], [Finding(SEEDS, 1, RULE, message, "write the file and list it in the seeds")]
    try:
        root = sources.load(file)
    except YamlError as error:
        return [], [Finding.at(error.at, "yaml", error.message, error.mend)]
    if not isinstance(root, Map):
        return [], [Finding.at(root.at, RULE, "a pipeline is a mapping, and this is none", "begin it with keys")]
    compiler = _Compiler(sources, estate, definition, origin, root, findings)
    return list(compiler.all()), sorted(set(findings))


class _Compiler:
    def __init__(
        self,
        sources: Sources,
        estate: Estate,
        definition: Definition,
        origin: Origin,
        root: Map,
        findings: list[Finding],
    ) -> None:
        self._sources, self._definition, self._root, self._findings = sources, definition, root, findings
        self._origin = origin
        for key, value in root.items:
            clock = key.value == "schedules" and definition.name not in CLOCKED
            if key.value not in _ROOT or clock:
                self._say(key.at, f"a pipeline has no key {key.value!r} that is known here", "remove it")
            for said in texts(value) if key.value in _STATIC else ():
                if "${{" in said.value:
                    self._say(said.at, f"{key.value} is read before expressions are", "write the value itself")
        self._repositories = tuple(self._repository_resources())
        self._pipelines = tuple(self._pipeline_resources())
        aliases = {"self": origin.repository, **{each.alias: each.name for each in self._repositories}}
        self._expander = Expander(sources, aliases, findings)
        compiled = [one for one in predefined(()).values() if one.compile]
        like = {one.name.lower(): Foreign(one.like) if one.foreign else one.like for one in compiled}
        # What every run of this pipeline has; the rest looks as in any run.
        own = {"build.definitionname": definition.name, "system.teamproject": estate.project}
        self._variables = {**like, **own, "build.reason": "PullRequest" if definition.validates else "Manual"}

    def all(self) -> Iterator[Pipeline]:
        declared = declarations.declared(self._root.get("parameters"), self._findings)
        for parameter in declared:
            if parameter.default is None:
                message = f"nobody gives the parameter {parameter.name} when a run starts by itself"
                self._say(parameter.at, message, "give it a default")
        choices = [list(_choices(parameter)) for parameter in declared]
        for chosen in itertools.product(*choices):
            given = {parameter.name: value for parameter, value in zip(declared, chosen, strict=True)}
            values = declarations.bind(declared, given, self._root.at, self._findings)
            frame = Frame(self._origin, values, self._variables, {})
            said = {name: node.value for name, node in given.items() if isinstance(node, Text)}
            yield self._compiled(frame, said)

    def _compiled(self, frame: Frame, given: Mapping[str, str]) -> Pipeline:
        root, shape = self._root, Shape(self._findings)
        own = self._expander.node(root.get("variables") or Map((), root.at), frame, "variables")
        frame = frame.with_variables(own)
        pool = shape.pool(self._expand(root.get("pool"), frame), None)
        extends: Origin | None = None
        at, body = root.at, root
        taken: tuple[declarations.Parameter, ...] = ()
        if (extended := root.get("extends")) is not None:
            found = self._extended(extended, frame)
            extends, at, taken, body = found or (None, extended.at, (), Map((), extended.at))
            variables = _joined(shape.variables(own), shape.variables(body.get("variables")))
        else:
            kept = tuple((key, value) for key, value in root.items if key.value in ("stages", "jobs", "steps"))
            body = self._mapping(self._expander.node(Map(kept, root.at), frame))
            variables = shape.variables(own)
        return Pipeline(
            name=self._definition.name,
            at=root.at,
            run_name=name if isinstance(name := self._expand(root.get("name"), frame), Text) else None,
            starts=self._starts(),
            repositories=self._repositories,
            resources=self._pipelines,
            extends=extends,
            extends_at=at,
            taken=taken,
            variables=variables,
            # What could not be expanded has no shape to judge.
            stages=() if self._findings else shape.stages(body, pool),
            given=given,
        )

    def _extended(
        self, node: Node, frame: Frame
    ) -> tuple[Origin, Place, tuple[declarations.Parameter, ...], Map] | None:
        for name in ("stages", "jobs", "steps", "pool"):
            if beside := self._root.get(name):
                self._say(beside.at, f"{name} cannot stand beside extends", "move it into the template")
        reference = node.get("template") if isinstance(node, Map) else None
        if not isinstance(node, Map) or not isinstance(reference, Text):
            self._say(node.at, "extends names no template", "give it `template:`")
            return None
        found = self._expander.template(reference, frame)
        if not found:
            return None
        origin, document = found
        for key, _ in document.items:
            if key.value not in _EXTENDED:
                self._say(key.at, f"a template that is extended has no key {key.value!r} that is known here", "move it")
        inner, taken = self._expander.bound(document, origin, node.get("parameters"), node.at, frame)
        own = self._expander.node(document.get("variables") or Map((), document.at), inner, "variables")
        content = tuple((key, value) for key, value in document.items if key.value in ("stages", "jobs", "steps"))
        body = self._mapping(self._expander.node(Map(content, document.at), inner.with_variables(own)))
        return origin, reference.at, taken, Map((*body.items, (Text("variables", own.at), own)), document.at)

    def _expand(self, node: Node | None, frame: Frame) -> Node | None:
        return None if node is None else self._expander.node(node, frame)

    def _mapping(self, node: Node) -> Map:
        return node if isinstance(node, Map) else Map((), node.at)

    def _resources(self, kind: str) -> Iterator[Map]:
        resources = self._root.get("resources")
        for key, value in resources.items if isinstance(resources, Map) else ():
            if key.value not in ("repositories", "pipelines"):
                self._say(key.at, f"resources of the kind {key.value!r} cannot be judged", "do without them")
            if key.value == kind and isinstance(value, Seq):
                yield from (item for item in value.items if isinstance(item, Map))

    def _repository_resources(self) -> Iterator[RepositoryResource]:
        for item in self._resources("repositories"):
            self._only(item, ("repository", "type", "name", "ref"), "a repository")
            if item.text("type") != "git":
                self._say(item.at, f"a repository of the type {item.text('type')!r} cannot be judged", "write git")
            # The default of the service, said nowhere else.
            ref = item.text("ref", "refs/heads/main")
            yield RepositoryResource(item.at, item.text("repository"), item.text("name"), ref)

    def _pipeline_resources(self) -> Iterator[PipelineResource]:
        for item in self._resources("pipelines"):
            self._only(item, ("pipeline", "source", "branch", "trigger"), "a pipeline")
            branches = self._branches(item.get("trigger"), ("branches",)) or ()
            alias, source = item.text("pipeline"), item.text("source")
            yield PipelineResource(item.at, alias, source, item.text("branch"), branches)

    def _starts(self) -> Starts:
        at = next((key.at for key, _ in self._root.items if key.value == "trigger"), self._root.at)
        pushes = self._branches(self._root.get("trigger"), ("batch", "branches"))
        return Starts(at, pushes, self._branches(self._root.get("pr"), ("autoCancel", "branches", "drafts")))

    def _branches(self, node: Node | None, keys: tuple[str, ...]) -> tuple[str, ...] | None:
        """The branches of a trigger: nothing for `none`, None where there is no trigger."""
        if node is None:
            return None
        if isinstance(node, Map):
            self._only(node, keys, "a trigger")
            found = node.get("branches")
            if isinstance(found, Map):
                self._only(found, ("include",), "a list of branches")
                found = found.get("include")
            return self._branches(found, ()) or ()
        if isinstance(node, Seq):
            return tuple(item.value for item in node.items if isinstance(item, Text))
        return () if node.value == "none" else ("*",)

    def _only(self, node: Map, keys: tuple[str, ...], what: str) -> None:
        for key, _ in node.items:
            if key.value not in keys:
                self._say(key.at, f"{what} has no key {key.value!r} that is known here", f"known: {', '.join(keys)}")

    def _say(self, at: Place, message: str, mend: str) -> None:
        self._findings.append(Finding.at(at, RULE, message, mend))


def _choices(parameter: declarations.Parameter) -> Iterator[Node]:
    """What somebody who starts a run may choose."""
    if parameter.values:
        yield from (Text(value, parameter.at) for value in parameter.values)
    elif parameter.type == "boolean":
        yield from (Text(value, parameter.at) for value in ("true", "false"))
    else:
        yield parameter.default or Text("", parameter.at)


def _joined(first: Variables, then: Variables) -> Variables:
    return Variables((*first.groups, *then.groups), (*first.values, *then.values))
