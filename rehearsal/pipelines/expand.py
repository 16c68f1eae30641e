"""Templates expanded as Azure Pipelines expands them when it compiles a run.

`extends`, templates of stages, jobs, steps and variables, parameters, `${{ if }}`, `${{ each }}`, `${{ insert }}` and
expressions in scalars. What cannot be expanded is a finding, and its place is left empty: nothing is skipped in
silence. Every value keeps the place where it was written.

What it does not do: it does not judge what comes out (`shape` does), and it leaves `$[ ]`, `$( )` and conditions alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from rehearsal.pipelines import parameters as declarations
from rehearsal.pipelines.evaluation import to_bool, value_of
from rehearsal.pipelines.expressions import ExpressionError
from rehearsal.pipelines.finding import Finding, Place
from rehearsal.pipelines.frames import Frame
from rehearsal.pipelines.nodes import Broken, Map, Node, Seq, Text, YamlError
from rehearsal.pipelines.sources import Origin, Sources

KINDS: Final = ("stages", "jobs", "steps", "variables")
DEEPEST: Final = 20
"""Levels of templates that the service allows (process/template-expressions.md)."""

_DIRECTIVE: Final = re.compile(r"\$\{\{\s*(if|elseif|else|each|insert)\b(.*?)\}\}", re.S)


class Expander:
    """One compilation of one pipeline."""

    def __init__(self, sources: Sources, aliases: Mapping[str, str], findings: list[Finding]) -> None:
        """`aliases` are the repositories by the name that template references use; `self` is one of them."""
        self._sources, self._aliases, self._findings = sources, aliases, findings

    def node(self, node: Node, frame: Frame, kind: str = "") -> Node:
        """The node expanded; `kind` is the key it stands under where templates may stand in it."""
        if isinstance(node, Text):
            return self.text(node, frame)
        if isinstance(node, Seq):
            return Seq(tuple(self._items(node, frame, kind)), node.at)
        return Map(tuple(self._pairs(node, frame, kind)), node.at)

    def text(self, text: Text, frame: Frame) -> Node:
        """See `Frame.scalar`."""
        try:
            return frame.scalar(text)
        except ExpressionError as error:
            self._misread(text.at, error)
            return Text(Broken(), text.at)

    def template(self, reference: Text, frame: Frame) -> tuple[Origin, Map] | None:
        """The file that a template reference names; None, with a finding, when there is none."""
        mend = "name a template file, as `path` or `path@repository`"
        path, _, alias = reference.value.partition("@")
        if alias and alias not in self._aliases:
            known = ", ".join(sorted(self._aliases))
            self._say(reference.at, "template", f"there is no repository {alias!r} in resources; known: {known}", mend)
            return None
        origin = Origin(self._aliases[alias], "").beside(f"/{path}") if alias else frame.origin.beside(path)
        file = self._sources.find(origin)
        if file is None or not file.is_file():
            message = f"there is no template {origin.path} in the repository {origin.repository}"
            self._say(reference.at, "template", message, mend)
            return None
        if frame.depth >= DEEPEST:
            self._say(reference.at, "template", f"templates are nested more than {DEEPEST} deep", "end the circle")
            return None
        try:
            document = self._sources.load(file)
        except YamlError as error:
            self._say(error.at, "yaml", error.message, error.mend)
            return None
        if not isinstance(document, Map):
            self._say(document.at, "template", "a template is a mapping, and this is none", "begin it with keys")
            return None
        return origin, document

    def bound(
        self, document: Map, origin: Origin, given: Node | None, at: Place, frame: Frame
    ) -> tuple[Frame, tuple[declarations.Parameter, ...]]:
        """The frame of a template's content, its parameters taken from `given`."""
        passed = self.node(given, frame) if given is not None else Map((), at)
        if not isinstance(passed, Map):
            if not (isinstance(passed, Text) and not passed.value):
                self._say(passed.at, declarations.RULE, "parameters are a mapping", "write `name: value`")
            passed = Map((), at)
        declared = declarations.declared(document.get("parameters"), self._findings)
        values = declarations.bind(declared, {key.value: value for key, value in passed.items}, at, self._findings)
        inner = Frame(origin, values, frame.variables, {}, frame.depth + 1)
        return inner, declared

    def _items(self, seq: Seq, frame: Frame, kind: str) -> Iterator[Node]:
        taken: bool | None = None
        for item in seq.items:
            if isinstance(item, Text):
                taken = None
                inserted = self.text(item, frame)
                if isinstance(inserted, Seq):
                    yield from inserted.items
                elif item is inserted or not (isinstance(inserted, Text) and not inserted.value):
                    yield inserted
            elif isinstance(item, Map) and (block := _block(item)):
                verb, rest, body = block
                if verb == "each":
                    for inner in self._loop(rest, item.at, frame):
                        yield from self._items(body, inner, kind)
                    continue
                taken, runs = self._branch(verb, rest, taken, item.at, frame)
                if runs:
                    yield from self._items(body, frame, kind)
            elif isinstance(item, Map) and kind and item.get("template"):
                taken = None
                yield from self._included(item, frame, kind)
            else:
                taken = None
                expanded = self._member(item, frame, kind)
                if not isinstance(expanded, Map) or expanded.items:
                    yield expanded

    def _member(self, item: Node, frame: Frame, kind: str) -> Node:
        """A stage or job sees its own variables."""
        if kind in ("stages", "jobs") and isinstance(item, Map) and (own := item.get("variables")):
            frame = frame.with_variables(self.node(own, frame, "variables"))
        return self.node(item, frame)

    def _pairs(self, node: Map, frame: Frame, kind: str) -> Iterator[tuple[Text, Node]]:
        seen: set[str] = set()
        for key, value in self._flat(node, frame):
            if key.value in seen:
                self._say(key.at, "yaml", f"the key {key.value!r} is inserted twice", "insert it once")
                continue
            seen.add(key.value)
            yield key, value

    def _flat(self, node: Map, frame: Frame) -> Iterator[tuple[Text, Node]]:
        taken: bool | None = None
        for key, value in node.items:
            found = _DIRECTIVE.fullmatch(key.value.strip())
            if not found:
                taken = None
                name = self.text(key, frame)
                if isinstance(name, Text):
                    inner = key.value if key.value in KINDS else ""
                    yield name, self.node(value, frame, inner)
                else:
                    self._say(key.at, "expression", "a key is text, and this is a list or mapping", "correct it")
                continue
            verb, rest = found[1], found[2].strip()
            if verb == "each":
                for inner_frame in self._loop(rest, key.at, frame):
                    yield from self._inserted(value, key.at, inner_frame)
            elif verb == "insert":
                yield from self._inserted(value, key.at, frame)
            else:
                taken, runs = self._branch(verb, rest, taken, key.at, frame)
                if runs:
                    yield from self._inserted(value, key.at, frame)

    def _inserted(self, value: Node, at: Place, frame: Frame) -> Iterator[tuple[Text, Node]]:
        if isinstance(value, Map):
            yield from self._flat(value, frame)
            return
        expanded = self.node(value, frame)
        if isinstance(expanded, Map):
            yield from expanded.items
        elif not (isinstance(expanded, Text) and not expanded.value):
            self._say(at, "expression", "only a mapping can be inserted into a mapping", "write keys below it")

    def _included(self, item: Map, frame: Frame, kind: str) -> Iterator[Node]:
        written = item.get("template")
        reference = self.text(written, frame) if isinstance(written, Text) else written
        if not isinstance(reference, Text):
            self._say(item.at, "template", "a template reference is no path", "name a template file")
            return
        for key, _ in item.items:
            if key.value not in ("template", "parameters"):
                message = f"a template reference has no key {key.value!r}"
                self._say(key.at, "template", message, "keep `template` and `parameters`")
        found = self.template(reference, frame)
        if not found:
            return
        origin, document = found
        inner, _ = self.bound(document, origin, item.get("parameters"), item.at, frame)
        for key, _ in document.items:
            if key.value not in ("parameters", kind):
                message = f"a template of {kind} has no key {key.value!r}"
                self._say(key.at, "template", message, f"keep `parameters` and `{kind}`")
        content = document.get(kind)
        if content is None:
            self._say(reference.at, "template", f"{origin.path} is no template of {kind}", "name one that is")
            return
        expanded = self.node(content, inner, kind)
        if isinstance(expanded, Seq):
            yield from expanded.items
        elif kind == "variables" and isinstance(expanded, Map):
            for key, value in expanded.items:
                yield Map(((Text("name", key.at), key), (Text("value", key.at), value)), key.at)
        else:
            self._say(content.at, "template", f"{kind} are a list", "begin each with `- `")

    def _branch(self, verb: str, rest: str, taken: bool | None, at: Place, frame: Frame) -> tuple[bool | None, bool]:
        """Whether any branch so far was taken, and whether this one is."""
        if verb != "if" and taken is None:
            self._say(at, "expression", f"{verb} follows no if", "put it right after the branch before it")
            return None, False
        if verb != "if" and taken:
            return True, False
        if verb == "else":
            return True, True
        try:
            holds = to_bool(frame.value(rest)) is True
        except ExpressionError as error:
            self._misread(at, error)
            return True, False
        return holds, holds

    def _loop(self, rest: str, at: Place, frame: Frame) -> Iterator[Frame]:
        found = re.fullmatch(r"(\w+)\s+in\s+(.+)", rest, re.S)
        if not found:
            self._say(at, "expression", f"each does not read `name in list`: {rest!r}", "correct it")
            return
        try:
            of = frame.value(found[2])
        except ExpressionError as error:
            self._misread(at, error)
            return
        if isinstance(of, Seq):
            for item in of.items:
                yield replace(frame, loops={**frame.loops, found[1]: value_of(item)})
        elif isinstance(of, Map):
            for key, value in of.items:
                pair = Map(((Text("key", at), key), (Text("value", at), value)), at)
                yield replace(frame, loops={**frame.loops, found[1]: pair})
        elif of not in (None, ""):
            self._say(at, "expression", f"{found[2].strip()} is neither a list nor a mapping", "loop over one")

    def _misread(self, at: Place, error: ExpressionError) -> None:
        self._say(at, "expression", str(error), "name only what is known here, or correct the expression")

    def _say(self, at: Place, rule: str, message: str, mend: str) -> None:
        self._findings.append(Finding.at(at, rule, message, mend))


def _block(item: Map) -> tuple[str, str, Seq] | None:
    """Verb, expression and body where an item of a list is a directive over items."""
    if len(item.items) != 1:
        return None
    key, value = item.items[0]
    found = _DIRECTIVE.fullmatch(key.value.strip())
    return (found[1], found[2].strip(), value) if found and isinstance(value, Seq) else None
