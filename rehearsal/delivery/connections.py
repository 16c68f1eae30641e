"""Service connections with all that hangs on them: who they sign in as, what that may do, and who may use them."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.delivery import rights
from rehearsal.delivery.gates import Gated, gated
from rehearsal.delivery.identities import credentials
from rehearsal.delivery.index import GRANT, IDENTITY, Index, is_connection
from rehearsal.delivery.people import is_role, target
from rehearsal.delivery.pipelines import Use, uses
from rehearsal.graph import Graph, Resource


@dataclass(frozen=True)
class Connection:
    """One connection. Without an identity of the stack it signs in as somebody that no export tells of."""

    resource: Resource
    identity: Resource | None
    credentials: tuple[Resource, ...]
    grants: tuple[Resource, ...]
    gated: Gated
    uses: tuple[Use, ...]
    roles: tuple[Resource, ...]
    """Roles of Azure DevOps on the connection."""

    @property
    def parts(self) -> tuple[Resource, ...]:
        """Every resource but the connection itself."""
        return (
            *([self.identity] if self.identity else []),
            *self.credentials,
            *self.grants,
            *(gate.resource for gate in self.gated.gates),
            *(use.resource for use in self.uses),
            *self.roles,
        )

    def scopes(self, role: str) -> tuple[str, ...]:
        """Ids of what it holds a role on."""
        return tuple(sorted(str(each.get("scope", "")) for each in self.grants if rights.role(each) == role))


def connections(index: Index, graph: Graph) -> tuple[Connection, ...]:
    """Those of a stack, by name."""
    allowed = uses(index, graph)
    found = []
    for before in gated(index, graph):
        if before.thing.resource and is_connection(before.thing.resource):
            identity = identity_of(before.thing.resource, graph)
            found.append(
                Connection(
                    before.thing.resource,
                    identity,
                    credentials(identity, graph) if identity else (),
                    _grants(identity, graph),
                    before,
                    tuple(use for use in allowed if use.thing.key == before.thing.key),
                    roles_on(before, index, graph),
                )
            )
    return tuple(found)


def identity_of(connection: Resource, graph: Graph) -> Resource | None:
    """The identity that a connection signs in as."""
    client = connection.get("servicePrincipalId", "")
    found = (each for each in graph.of_kind(IDENTITY) if client and each.get("clientId") == client)
    return next(found, None)


def roles_on(before: Gated, index: Index, graph: Graph) -> tuple[Resource, ...]:
    """Who holds a role of Azure DevOps on a thing."""
    found = (each for each in graph.resources if is_role(each))
    return tuple(each for each in found if target(index, each, graph.stack).key == before.thing.key)


def _grants(identity: Resource | None, graph: Graph) -> tuple[Resource, ...]:
    if identity is None:
        return ()
    found = (each for each in graph.of_kind(GRANT) if each.get("principalId") == identity.get("principalId"))
    return tuple(sorted(found, key=lambda each: (rights.role(each), str(each.get("scope", "")))))
