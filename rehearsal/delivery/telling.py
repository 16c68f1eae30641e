"""What matters about a resource of Azure DevOps, where that is a name of another one: for a line of the tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rehearsal.delivery import identities, people
from rehearsal.delivery.connections import identity_of
from rehearsal.delivery.index import CREDENTIAL, GROUP, MEMBERS, PIPELINE, Index, is_connection
from rehearsal.delivery.pipelines import Pipeline
from rehearsal.details import details
from rehearsal.graph import Graph, Resource

Told = Callable[[Resource, Index, Graph], str]


def told(resource: Resource, index: Index, graph: Graph) -> str:
    """In a few words; for all other kinds, the properties that a person looks for."""
    tell = _connection if is_connection(resource) else _TOLD.get(resource.kind)
    return tell(resource, index, graph) if tell else details(resource)


def _connection(connection: Resource, index: Index, graph: Graph) -> str:
    """A connection that holds a secret, or whose identity nobody knows, is told by how it signs in."""
    if identity := identity_of(connection, graph):
        return f"signs in as {identity.name}"
    return str(connection.get("serviceEndpointAuthenticationScheme", ""))


def _pipeline(definition: Resource, index: Index, graph: Graph) -> str:
    pipeline = Pipeline(index, graph.stack, definition)
    return f"{pipeline.path}, started by {' or '.join(pipeline.starts) or 'nothing but a person'}"


def _members(membership: Resource, index: Index, graph: Graph) -> str:
    found = sorted(people.called(index, each, graph.stack) for each in membership.get("members", []))
    kept = "nobody else" if membership.get("mode") == "overwrite" else "and whom others add"
    return f"{', '.join(found) or 'nobody'}, {kept}"


def _group(group: Resource, index: Index, graph: Graph) -> str:
    return f"{group.get('originId')} of the directory" if people.is_of_directory(group) else "of the project"


_TOLD: Final[Mapping[str, Told]] = {
    CREDENTIAL: lambda resource, index, graph: f"trusts {identities.trusts(resource, graph)}",
    PIPELINE: _pipeline,
    MEMBERS: _members,
    GROUP: _group,
}
