"""Changes that move the bill: sizes, counts, tiers and what is kept, by kind of resource. No prices: those change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from review.judgement.findings import Finding
from review.model import Change, Changes, Difference, Op
from review.values import Absent
from review.words import value

_POOL: Final = ("count", "minCount", "maxCount", "vmSize", "osDiskSizeGB", "osDiskType", "scaleSetPriority")

BILLED: Final[Mapping[str, tuple[str, ...]]] = {
    "containerservice:ManagedCluster": (
        "sku.tier",
        "sku.name",
        "agentPoolProfiles[*]",
        *(f"agentPoolProfiles[*].{each}" for each in _POOL),
        "securityProfile.defender.securityMonitoring.enabled",
    ),
    "containerservice:AgentPool": _POOL,
    "containerregistry:Registry": ("sku.name", "zoneRedundancy", "policies.retentionPolicy.days"),
    "containerregistry:Replication": ("zoneRedundancy",),
    "keyvault:Vault": ("properties.sku.name",),
    "operationalinsights:Workspace": ("sku.name", "retentionInDays", "workspaceCapping.dailyQuotaGb"),
    "operationalinsights:Table": ("plan", "retentionInDays", "totalRetentionInDays"),
    "applicationinsights:Component": ("samplingPercentage", "retentionInDays"),
    "dashboard:Grafana": ("sku.name", "properties.zoneRedundancy", "properties.deterministicOutboundIP"),
    "devopsinfrastructure:Pool": ("maximumConcurrency", "fabricProfile.sku.name", "agentProfile.kind"),
    "network:NatGateway": ("sku.name",),
    "network:PublicIPAddress": ("sku.name", "sku.tier"),
    "network:PrivateEndpoint": (),
    "network:VirtualNetwork": ("enableDdosProtection",),
    "network:VirtualNetworkPeering": (),
    "privatedns:PrivateZone": (),
    "security:Pricing": ("pricingTier", "subPlan", "extensions[*].isEnabled"),
    "monitor:ScheduledQueryRule": ("evaluationFrequency",),
}
"""Kinds that cost something by being there, each with the properties that say how much."""


def costs(changes: Changes) -> Iterator[Finding]:
    for change in changes.changes:
        billed = BILLED.get(change.kind)
        if billed is None:
            continue
        if change.op is Op.DELETE and change.resource.retained:
            continue  # it stays, and is paid for
        if change.op in (Op.CREATE, Op.DELETE):
            yield Finding.about(change, "cost", _whole(change, billed), grave=False)
            continue
        for each in change.differences:
            if each.pattern in billed:
                yield Finding.about(change, "cost", _told(each), grave=False)


def _whole(change: Change, billed: tuple[str, ...]) -> str:
    size = [f"{path} {found}" for path in billed if (found := change.resource.get(path)) is not None]
    return ("one more" if change.op is Op.CREATE else "one less") + (f": {', '.join(size)}" if size else "")


def _told(each: Difference) -> str:
    """`maxCount 6 → 12 (more)`; a pool inside a cluster comes or goes as a whole."""
    if isinstance(each.before, Absent) and isinstance(each.after, Mapping):
        return f"{each.path}: one more"
    if isinstance(each.after, Absent) and isinstance(each.before, Mapping):
        return f"{each.path}: one less"
    numbers = isinstance(each.before, (int, float)) and isinstance(each.after, (int, float))
    direction = (" (more)" if each.after > each.before else " (less)") if numbers else ""
    return f"{each.path} {value(each.before)} → {value(each.after)}{direction}"
