"""What the rehearsed stacks hold for workflows: environments with their variables, who their jobs may be, and checks.

Read from exports as `make preview` writes them, by the name that YAML uses. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.graph import Graph, Resource

ENVIRONMENT = "index:RepositoryEnvironment"


@dataclass(frozen=True)
class Environment:
    """An environment on GitHub."""

    name: str
    stack: str
    variables: Mapping[str, str]
    identities: Mapping[str, str]
    """Whose tokens of this environment are taken: client id to the identity's logical name."""
    reviewed: bool
    """Somebody must agree, and not whoever started the run."""
    main_only: bool


@dataclass(frozen=True)
class Stack:
    name: str
    production: bool
    runner: str
    """Label of the runners inside its network; empty where there are none."""
    promotes_from: str | None
    after: str | None
    """The stack whose registry it pulls from, where it has none of its own."""

    @property
    def before(self) -> str | None:
        """The stack that a release has gone well in before it comes here."""
        return self.promotes_from or self.after


@dataclass(frozen=True)
class Estate:
    environments: Mapping[str, Environment]
    stacks: Mapping[str, Stack]
    checks: Mapping[str, frozenset[str]]
    """Names of the checks that a change must pass, by repository: `application` or `platform`."""
    actions: frozenset[str]
    """Actions of others that both repositories allow, each `owner/name@commit`."""

    @classmethod
    def of(cls, exports: Mapping[str, Mapping[str, Any]]) -> Estate:
        graphs = {name: Graph.of(export) for name, export in exports.items()}
        told = {name: _told(export) for name, export in exports.items()}
        environments = {each.name: each for stack, graph in graphs.items() for each in _environments(stack, graph)}
        allowed = [
            frozenset(each.get("allowedActionsConfig.patternsAlloweds", ()))
            for graph in graphs.values()
            for each in graph.of_kind("index:ActionsRepositoryPermissions")
        ]
        return cls(
            environments,
            {name: _stack(name, told, environments, graphs) for name in exports},
            {key: checks for graph in graphs.values() for key, checks in _checks(graph)},
            frozenset.intersection(*allowed) if allowed else frozenset(),
        )


def on_github(exports: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether these stacks are delivered by GitHub."""
    return any(True for export in exports.values() for _ in Graph.of(export).of_kind(ENVIRONMENT))


def _told(export: Mapping[str, Any]) -> Mapping[str, Any]:
    for state in export["deployment"]["resources"]:
        if state["type"] == "pulumi:pulumi:Stack":
            found: Mapping[str, Any] = state.get("outputs") or {}
            return found
    return {}


def _environments(stack: str, graph: Graph) -> Iterator[Environment]:
    for each in graph.of_kind(ENVIRONMENT):
        name = str(each.get("environment"))
        variables = {
            str(one.get("variableName")): str(one.get("value") or "")
            for one in graph.of_kind("index:ActionsEnvironmentVariable")
            if one.get("environment") == name
        }
        patterns = {
            one.get("branchPattern")
            for one in graph.of_kind("index:RepositoryEnvironmentDeploymentPolicy")
            if one.get("environment") == name
        }
        reviewed = bool(each.get("reviewers")) and each.get("preventSelfReview") is True
        yield Environment(name, stack, variables, dict(_identities(graph, name)), reviewed, patterns == {"main"})


def _identities(graph: Graph, environment: str) -> Iterator[tuple[str, str]]:
    identities = [*graph.of_kind("managedidentity:UserAssignedIdentity")]
    for each in graph.of_kind("managedidentity:FederatedIdentityCredential"):
        if str(each.get("subject")).endswith(f":environment:{environment}"):
            for owner in identities:
                if each.id.lower().startswith(f"{owner.id.lower()}/"):
                    yield str(owner.get("clientId")), owner.logical_name


def _stack(
    name: str,
    told: Mapping[str, Mapping[str, Any]],
    environments: Mapping[str, Environment],
    graphs: Mapping[str, Graph],
) -> Stack:
    contract = told[name].get("contract") or {}
    known = environments[name].variables if name in environments else {}
    owners = {
        each.id.lower(): stack
        for stack, graph in graphs.items()
        for each in graph.of_kind("containerregistry:Registry")
    }
    source = owners.get(known.get("SOURCE_REGISTRY_ID", "").lower())
    own = owners.get(known.get("REGISTRY_ID", "").lower())
    runner = str(told[name].get("agentPool") or "")
    return Stack(name, contract.get("tier") == "production", runner, source, own if own != name else None)


def _checks(graph: Graph) -> Iterator[tuple[str, frozenset[str]]]:
    for each in graph.of_kind("index:RepositoryRuleset"):
        required = each.get("rules.requiredStatusChecks.requiredChecks", ())
        yield _repository(each), frozenset(str(one.get("context")) for one in required)


def _repository(ruleset: Resource) -> str:
    """Which of the two it is; the logical name says it, whatever it is called on GitHub."""
    return ruleset.logical_name.removesuffix("-main")
