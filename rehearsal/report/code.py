"""Where a change comes from: repositories with what guards them, pipelines with what starts them and what they use."""

from __future__ import annotations

from collections import defaultdict

from rehearsal.delivery import github
from rehearsal.delivery import pipelines as reading
from rehearsal.delivery.index import Index, Thing, together
from rehearsal.delivery.repositories import policies
from rehearsal.delivery.repositories import repositories as found_repositories
from rehearsal.graph import Graph
from rehearsal.report.names import Names
from rehearsal.report.sections import Section, block
from rehearsal.words import count


def repositories(graph: Graph, names: Names) -> Section:
    """Each repository, and what its branch takes."""
    index, stack = names.index, graph.stack
    lines: list[str] = []
    for name, guards in github.repositories(graph):
        lines += block(f"{name}  GitHub", guards)
    for each in found_repositories(graph, reading.pipelines(index)):
        seeded = f", {count(len(each.seeds), 'file')} seeded" if each.seeds else ""
        nothing = "guarded there, not here" if each.on_github else "NO POLICY GUARDS IT"
        lines += block(f"{each.name}  {each.host}{seeded}", policies(index, each, stack) or [nothing])
    return Section("Repositories", tuple(lines))


def pipelines(graph: Graph, names: Names) -> Section:
    """Those that the stack owns, and those of others that it lets use something."""
    index, stack = names.index, graph.stack
    allowed: defaultdict[str, list[Thing]] = defaultdict(list)
    for use in reading.uses(index, graph):
        allowed[use.pipeline].append(use.thing)
    own = {each.definition.id: each for each in reading.pipelines(index) if each.stack == stack}
    lines: list[str] = []
    for id_ in sorted({*own, *allowed}, key=lambda id_: (index.pipeline_name(id_, stack), id_)):
        started = own[id_].starts or ("a person",) if id_ in own else ()
        lines += block(
            _head(index, id_, stack),
            [
                *(f"started by {' or '.join(started)}" for _ in started[:1]),
                *(f"uses {together(things)}" for things in [allowed[id_]] if things),
            ],
        )
    return Section("Pipelines", tuple(lines))


def _head(index: Index, id_: str, stack: str) -> str:
    if not id_:
        return "EVERY PIPELINE"
    owner = index.owner(index.find("pipeline", id_, stack))
    return index.pipeline_name(id_, stack) + ("" if owner == stack else f"  of {owner or 'no stack at hand'}")
