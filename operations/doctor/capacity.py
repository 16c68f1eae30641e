"""Room for the environment: cores of each size, public addresses, managed agents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from operations.checking import LOGIN, Amiss, Judged, Place
from operations.doctor.register import DOCTOR
from settings import Settings
from validation.checking import pools

ADDRESS_QUOTAS: Final = ("PublicIPAddresses", "StandardSkuPublicIpAddresses", "IPv4StandardSkuPublicIpAddresses")
"""An address counts against each of these that a subscription has."""


@dataclass(frozen=True)
class Size:
    """A size of virtual machines, as a region has it."""

    family: str
    cores: int
    zones: frozenset[str] = frozenset()
    """In which it is to be had."""
    barred: bool = False
    """Azure does not let this subscription have it in the region."""


@dataclass(frozen=True)
class Quota:
    used: int
    limit: int

    @property
    def left(self) -> int:
        return self.limit - self.used


def nodes(settings: Settings) -> list[tuple[str, str, int]]:
    """Pool, size and the most nodes there can be of it, those of an upgrade (a third more) included."""
    return [(key, pool.vm_size, pool.max_nodes + -(-pool.max_nodes // 3)) for key, pool in pools(settings.cluster)]


@DOCTOR("quota", "sizes are to be had, with cores for every pool at its most and in an upgrade", LOGIN)
def quota(place: Place) -> Judged:
    location = place.settings.azure.location
    wanted = {size for _, size, _ in nodes(place.settings)}
    sizes = _sizes(place, wanted)
    left = {
        str(each.name.value).lower(): Quota(int(each.current_value), int(each.limit))
        for each in place.clouds.compute.usage.list(location)
    }
    return judge_quota(place.settings, sizes, left)


def _sizes(place: Place, wanted: Collection[str]) -> dict[str, Size]:
    """What the region tells of sizes, by name; those that it does not have are left out."""
    location, found = place.settings.azure.location, {}
    for sku in place.clouds.compute.resource_skus.list(filter=f"location eq '{location}'"):
        if sku.resource_type == "virtualMachines" and sku.name in wanted:
            (cores,) = (int(str(each.value)) for each in sku.capabilities or () if each.name == "vCPUs")
            zones = frozenset(zone for info in sku.location_info or () for zone in info.zones or ())
            out = {
                zone
                for each in sku.restrictions or ()
                if each.type == "Zone" and each.restriction_info
                for zone in each.restriction_info.zones or ()
            }
            barred = any(each.type == "Location" for each in sku.restrictions or ())
            found[str(sku.name)] = Size(str(sku.family), cores, zones - out, barred)
    return found


def judge_quota(settings: Settings, sizes: Mapping[str, Size], quotas: Mapping[str, Quota]) -> Iterator[Amiss]:
    """`quotas` by name in lower case: that of each family, and `cores` for the region."""
    location = settings.azure.location
    needed: dict[str, int] = {}
    for key, name, count in nodes(settings):
        size = sizes.get(name)
        if size is None or size.barred:
            yield Amiss(f"{name} is not to be had in {location} ({key})", "choose another vmSize or region")
            continue
        if lacking := sorted({*settings.cluster.zones} - size.zones):
            yield Amiss(f"{name} is not to be had in the zones {', '.join(lacking)} of {location}", "name others")
        for quota_name in (size.family, "cores"):
            needed[quota_name] = needed.get(quota_name, 0) + count * size.cores
    for quota_name, cores in needed.items():
        found = quotas.get(quota_name.lower())
        if found is None:
            yield Amiss(f"{location} tells of no quota {quota_name}", f"az vm list-usage --location {location}")
        elif found.left < cores:
            yield Amiss(
                f"{cores} cores of {quota_name} may be needed, and {found.left} of {found.limit} are left",
                f"ask for {found.used + cores} under Quotas in the portal, or lower maxNodes",
            )


@DOCTOR("addresses", "an address is left for the way out", LOGIN, applies=lambda place: addresses(place.settings) > 0)
def public_addresses(place: Place) -> Judged:
    found = {
        str(each.name.value): Quota(int(each.current_value), int(each.limit))
        for each in place.clouds.network.usages.list(place.settings.azure.location)
        if each.name and each.name.value in ADDRESS_QUOTAS
    }
    return judge_addresses(addresses(place.settings), found)


def addresses(settings: Settings) -> int:
    """How many public addresses an environment takes: that of its NAT gateway, or of the cluster's load balancer."""
    return 0 if settings.network.egress == "hubRouteTable" else 1


def judge_addresses(needed: int, quotas: Mapping[str, Quota]) -> Iterator[Amiss]:
    if not quotas:
        yield Amiss("the region tells of no quota of public addresses", "look under Quotas in the portal")
    for name, found in quotas.items():
        if found.left < needed:
            yield Amiss(f"{needed} of {name} needed, {found.left} left", "release one, or ask for more under Quotas")


@DOCTOR(
    "agents-quota",
    "managed agents of the wanted size are within the quota",
    LOGIN,
    applies=lambda place: place.settings.agents.kind == "managed",
)
def agents_quota(place: Place) -> Judged:
    agents, location = place.settings.agents, place.settings.azure.location
    size = _sizes(place, [agents.vm_size])[agents.vm_size]
    found = {
        str(each.name.value).lower(): Quota(int(each.current_value), int(each.limit))
        for each in place.clouds.agents.subscription_usages.usages(location)
        if each.name
    }
    return judge_agents_quota(size.family, size.cores * agents.maximum, found)


def judge_agents_quota(family: str, cores: int, quotas: Mapping[str, Quota]) -> Iterator[Amiss]:
    found = quotas.get(family.lower())
    if found is None:
        yield Amiss(f"there is no quota of {family} for managed agents", "ask for one under Quotas in the portal")
    elif found.left < cores:
        yield Amiss(
            f"managed agents may need {cores} cores of {family}, and {found.left} are left",
            "ask for more: Managed DevOps Pools under Quotas; or lower agents.maximum",
        )
