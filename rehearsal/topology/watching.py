"""What watches an environment, as one group beside its networks: where logs, metrics and traces go, what judges them,
who is told, and what looks for threats.

Each workspace stands for the way into it (end points, collection rules) and for what lies in it (tables, saved
queries), so that the group counts what nobody wants to see as a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rehearsal import watched
from rehearsal.graph import Resource
from rehearsal.monitors import receivers, table_plans
from rehearsal.topology import facts
from rehearsal.topology.networks import first_nodes
from rehearsal.topology.nodes import Access, Link, Node
from rehearsal.topology.stack import Stack
from rehearsal.watched import Watch
from rehearsal.words import count, last

TITLE: Final = "Watched by"
KINDS: Final = (facts.WORKSPACE, facts.METRICS, facts.TRACES, facts.GRAFANA, facts.COLLECTION_POINT)
"""What has its box in this group, whoever can reach it."""

COLLECTION: Final = "monitor:DataCollectionRule"
ASSOCIATION: Final = "monitor:DataCollectionRuleAssociation"
SOLUTION: Final = "operationsmanagement:Solution"
_DESTINATIONS: Final = {"logAnalytics": "workspaceResourceId", "monitoringAccounts": "accountResourceId"}


def group(stack: Stack, strangers: Iterable[Node]) -> Node | None:
    """The group, with workspaces of others that this stack writes to; None where nothing watches."""
    watch = Watch(stack.graph)
    services = (
        *(_workspace(stack, watch, each) for each in stack.of(facts.WORKSPACE)),
        *strangers,
        *(_service(stack, each, _way_into(stack, each)) for each in stack.of(facts.METRICS)),
        *(_service(stack, each) for each in stack.of(facts.TRACES)),
        *(_grafana(stack, each) for each in stack.of(facts.GRAFANA)),
    )
    covered = {urn for service in services for urn in service.covers}
    loose = (_service(stack, each) for each in stack.of(facts.COLLECTION_POINT) if each.urn not in covered)
    parts = (*services, *loose, *_rules(stack, watch), *_defender(stack))
    told = (f"{what}: {words}" for what, words in watch.table())
    tooltip = "\n".join((f"What watches {stack.name}", *told))
    return (
        Node(key=f"{stack.name} watched", role="watch", name=TITLE, tooltip=tooltip, children=parts) if parts else None
    )


def metrics(stack: Stack) -> Iterator[Link]:
    """From each cluster to where a collection rule that it is associated with sends metrics."""
    for cluster in stack.of(facts.CLUSTER):
        tied = [each for each in stack.of(ASSOCIATION) if _same(each.get("resourceUri"), cluster.id)]
        rules = (stack.at(each.get("dataCollectionRuleId")) for each in tied)
        found = {id_ for rule in rules if rule for id_ in _sends_to(rule, "monitoringAccounts")}
        for id_ in sorted(found):
            told = f"Managed Prometheus of {cluster.name} writes to {last(id_)}"
            yield Link("metrics", (first_nodes(stack, cluster),), stack.key(id_), "metrics", told)


def _service(stack: Stack, resource: Resource, with_: Iterable[Resource] = (), more: Iterable[str] = ()) -> Node:
    """As open as the widest of the ways into it."""
    known = tuple(with_)
    return stack.node(
        "service",
        resource,
        with_=known,
        label=stack.label(resource),
        facts=(*facts.facts(resource), *more),
        access=Access.widest(*map(facts.access, (resource, *known))),
    )


def _workspace(stack: Stack, watch: Watch, workspace: Resource) -> Node:
    below = [each for each in stack.of(watched.TABLE, watched.QUERY) if each.get("workspaceName") == workspace.name]
    plans = [each for each in stack.of(watched.DEPLOYMENT) if table_plans(each)]
    told = [f"{' '.join(watch.basic_tables)} on the Basic plan"] if watch.basic_tables else []
    if below:
        told += [f"{what} kept {days} d" for what, days in watch.tables()]
        told += [f"{count(len(watch.measures), 'measure')} of delivery"] if watch.measures else []
    return _service(stack, workspace, (*_way_into(stack, workspace), *below, *plans), told)


def _way_into(stack: Stack, workspace: Resource) -> tuple[Resource, ...]:
    """Collection rules that send there, with what ties them to their sources and the end points that they take from."""
    rules = [
        each
        for each in stack.of(COLLECTION)
        if any(_same(id_, workspace.id) for kind in _DESTINATIONS for id_ in _sends_to(each, kind))
    ]
    tied = [each for each in stack.of(ASSOCIATION) if stack.at(each.get("dataCollectionRuleId")) in rules]
    points = [found for each in rules if (found := stack.at(each.get("dataCollectionEndpointId")))]
    return (*rules, *tied, *points)


def _sends_to(rule: Resource, kind: str) -> Iterator[str]:
    for each in rule.get(f"destinations.{kind}", []):
        yield str(each.get(_DESTINATIONS[kind], ""))


def _grafana(stack: Stack, grafana: Resource) -> Node:
    boards = stack.of(*watched.DASHBOARDS)
    return _service(stack, grafana, boards, [count(len(boards), "dashboard") + " in the portal"] if boards else [])


def _rules(stack: Stack, watch: Watch) -> Iterator[Node]:
    """What is judged, and below it who is told."""
    groups = tuple(_action_group(stack, each) for each in stack.of(watched.ACTION_GROUP))
    rules = stack.of(*watched.RULES, watched.ON_LOGS, watched.ON_ACTIVITY)
    if not rules and not groups:
        return
    silent = watch.silent
    names = (f"{each.short_type} {each.name}, {stack.origin(each)}" for each in rules)
    yield Node(
        key=f"{stack.name} rules",
        role="service",
        name=count(sum(many for many, _ in watch.sources), "alert rule"),
        facts=(
            *(f"{many} on {source}" for many, source in watch.sources),
            *([f"{watch.off} switched off"] if watch.off else []),
            *([count(watch.recorded, "recording rule")] if watch.recorded else []),
        ),
        badges=(f"NO ONE IS TOLD OF {silent}",) if silent else (),
        tooltip="\n".join(("Rules that judge what arrives", *names)),
        covers=tuple(urn for each in rules for urn in (each.urn, *stack.above(each))),
        children=groups,
    )


def _action_group(stack: Stack, group: Resource) -> Node:
    told = receivers(group)
    badges = () if told else ("NO RECEIVERS",)
    return stack.node("told", group, label="Action group tells", facts=told, badges=badges)


def _defender(stack: Stack) -> Iterator[Node]:
    """One box for the plans of the subscription, whom Defender writes to, and the export of what it finds."""
    plans, contacts, exports = (stack.of(kind) for kind in (watched.PLAN, watched.CONTACT, watched.EXPORT))
    if not (found := (*plans, *contacts, *exports)):
        return
    on = [each.name for each in plans if each.get("pricingTier") == "Standard"]
    targets = sorted({last(each.get("actions.0.workspaceResourceId")) for each in exports} - {""})
    yield stack.node(
        "service",
        found[0],
        with_=(*found[1:], *stack.of(SOLUTION)),
        label="Defender for Cloud",
        name=f"plans {', '.join(on)}" if on else "plans owned elsewhere",
        facts=(
            *(["kept on destroy"] if plans and all(each.retained for each in plans) else []),
            *(f"tells {str(each.get('emails', 'nobody')).replace(';', ' ')}" for each in contacts),
            *(f"findings to {target}" for target in targets),
        ),
    )


def _same(one: Any, other: Any) -> bool:
    """Azure does not tell capitals in ids apart."""
    return bool(one) and str(one).lower() == str(other).lower()
