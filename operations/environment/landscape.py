"""The environments that there are, and what a new one would share with them: home of delivery, registry, source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from operations.environment import asking
from operations.environment.asking import Wanted
from settings import Settings

PRODUCTION, NONPRODUCTION = "production", "nonproduction"


@dataclass(frozen=True)
class Landscape:
    """All environments but the new one, by stack."""

    environments: Mapping[str, Settings]

    def registry_owner(self, stack: str) -> Settings:
        """The environment whose registry the cluster of `stack` pulls from."""
        found = self.environments[stack]
        return self.registry_owner(found.stacks.registry) if found.stacks.registry else found

    def images_of(self, stack: str) -> Settings:
        """The nonproduction environment whose registry holds what reaches `stack`."""
        owner = self.registry_owner(stack)
        return self.registry_owner(owner.stacks.promotes_from) if owner.stacks.promotes_from else owner

    def lenders(self, source: Settings, tier: str) -> list[Settings]:
        """Whose registry a new environment of the tier could use: that of the environment it is made from or, in the
        other tier, of each that gets the same images."""
        if tier == source.tier:
            return [self.registry_owner(source.stack)]
        if tier == NONPRODUCTION:
            return [self.images_of(source.stack)]
        images = self.images_of(source.stack).stack
        return [
            each
            for each in self.environments.values()
            if each.tier == tier and each.registry and self.images_of(each.stack).stack == images
        ]

    def owns_plans(self, subscription_id: str) -> Settings | None:
        """Who owns the Defender plans of a subscription."""
        return next((each for each in self.environments.values() if each.defender_plans_of == subscription_id), None)

    def agents_service(self, tenant_id: str) -> str | None:
        """The object id of DevOpsInfrastructure in a directory, from whoever has named it."""
        for each in self.environments.values():
            if each.azure.tenant_id == tenant_id and each.agents.service_principal_id:
                return each.agents.service_principal_id
        return None

    def approvers(self, home: str) -> tuple[Settings, str] | None:
        """The first production environment with the same home of delivery that names approvers, and the group."""
        for each in self.environments.values():
            if each.production and each.stacks.delivery == home and each.delivery.approvers:
                return each, each.delivery.approvers
        return None


def home(source: Settings) -> str:
    """The stack that delivery lives in."""
    return source.stacks.delivery or source.stack


def lender(landscape: Landscape, wanted: Wanted, source: Settings, tier: str) -> Settings | None:
    """Whose registry the new environment uses; None for one of its own. Raises RequestError where sharing is asked for
    and cannot be."""
    candidates = landscape.lenders(source, tier)
    if wanted.registry == "own" or (wanted.registry is None and len(candidates) != 1):
        return None
    if not candidates:
        raise asking.impossible(
            "registry",
            wanted.registry,
            f"own: the registry of {landscape.registry_owner(source.stack).stack} is of the other tier, "
            f"and no environment of {tier} has one",
            "leave REGISTRY out, or say own: a cluster pulls from its own tier's registry only",
        )
    if len(candidates) > 1:
        names = " and ".join(each.stack for each in candidates)
        raise asking.impossible(
            "registry",
            wanted.registry,
            f"own, because it is not said whose is shared: {names} have one",
            f"name one of them as FROM, or say own: FROM={candidates[0].stack}",
        )
    return candidates[0]
