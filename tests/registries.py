"""Who can read and write each registry, counted by what roles let somebody do: an import is a write.

Every function takes a landscape and what the stack files say of its environments, and returns findings: sentences, none
where all is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests import roles
from tests.environments import Environments
from tests.graph import ROLE_ASSIGNMENT, Landscape, Resource


def _reaching(landscape: Landscape, registry: Resource) -> Iterator[tuple[str, roles.Role]]:
    """Whoever is granted something on a registry, above it or below it."""
    id = registry.id.lower()
    for _, each in landscape.of(ROLE_ASSIGNMENT):
        scope = each.inputs["scope"].lower().rstrip("/")
        if f"{id}/".startswith(f"{scope}/") or scope.startswith(f"{id}/"):
            principal = each.inputs["principalId"]
            yield landscape.principals.get(principal, principal), roles.role(each.inputs["roleDefinitionId"])


def able(landscape: Landscape, registry: Resource, actions: Iterable[str]) -> set[str]:
    """Who may do one of these actions on a registry, whatever the role is called."""
    return {who for who, role in _reaching(landscape, registry) if any(role.allows(each) for each in actions)}


def registry_access(landscape: Landscape, environments: Environments) -> list[str]:
    """Who can write to and read from each registry, counted by action: an import is a write."""
    found = []
    for stack, registry in landscape.of("containerregistry:Registry"):
        users = [each for each in environments.values() if each.registry == stack]
        promoting = [
            f"{each.key}/promote"
            for each in environments.values()
            if each.source and stack in (each.registry, environments[each.source].registry)
        ]
        writers = {*promoting, *(f"{each.key}/ci" for each in environments.values() if each.is_home and each in users)}
        # Whoever may read all settings of the environment's group may read images too: Azure counts it among these.
        readers = {*writers, *(f"{each.key}/kubelet" for each in users), f"{stack}/grafana"}
        readers |= {f"{each.key}/release" for each in users if each.pulls}
        readers |= {f"{each.key}/verify" for each in users if each.signed}
        readers |= {f"{each.key}/admission-check" for each in users if each.audits}
        for word, actions, allowed in (("write to", roles.WRITES, writers), ("pull from", roles.PULLS, readers)):
            can = able(landscape, registry, actions)
            found += [f"{who} can {word} {stack}/{registry.name}" for who in sorted(can - allowed)]
            found += [f"{who} cannot {word} {stack}/{registry.name}" for who in sorted(allowed - can)]
        found += [
            f"{who} has {role.name} on {stack}/{registry.name}, whose actions are not on record"
            for who, role in _reaching(landscape, registry)
            if role.actions is None
        ]
    return found


def tiers_that_mix(landscape: Landscape, environments: Environments) -> list[str]:
    """Kubelets that can pull from a registry of another tier."""
    return [
        f"{each.key}/kubelet can pull from {stack}/{registry.name}, which is of another tier"
        for stack, registry in landscape.of("containerregistry:Registry")
        for each in environments.values()
        if each.production != environments[stack].production
        and f"{each.key}/kubelet" in able(landscape, registry, roles.PULLS)
    ]


INVARIANTS = (registry_access, tiers_that_mix)
