"""What is allowed, but worth a word to a reviewer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.delivery import checks as gates
from components.delivery import github

if TYPE_CHECKING:
    from settings import Settings


def warnings(settings: Settings) -> Iterator[str]:
    warned = github.warnings if settings.on_github else gates.warnings
    yield from warned(settings.stack, settings.production, settings.gates)
    if settings.defender.plans == "none":
        yield "Nobody scans images and nobody watches the sensor (aks-cicd:defender.plans is none)."
    if settings.signing and not settings.signing.certificates:
        yield "There is a key to sign images with, and none is signed yet (aks-cicd:signing.certificates)."
    if settings.production:
        if settings.cluster.access == "public":
            yield "The production API server is public (aks-cicd:cluster.access)."
        for key, vault in (("workload", settings.vaults.workload), ("ci", settings.vaults.ci)):
            if vault and vault.access == "public":
                yield f"A production vault is public (aks-cicd:vaults.{key}.access)."
        if settings.registry and settings.registry.access == "public":
            yield "The production registry is public (aks-cicd:registry.access)."
        if settings.registry and not settings.registry.soft_delete_days:
            yield "What is deleted from the production registry is gone at once (aks-cicd:registry.softDeleteDays)."
        if len(settings.cluster.zones) < 2:
            yield "The production cluster does not spread over zones (aks-cicd:cluster.zones)."
    if settings.cluster.access == "public" and not settings.cluster.authorized_ranges:
        yield "The API server answers the whole internet, Entra ID alone guards it (aks-cicd:cluster.authorizedRanges)."
    if settings.cluster.admission == "audit":
        yield "Pods with foreign images or too many rights are reported, not refused (aks-cicd:cluster.admission)."
    if settings.cluster.upgrades.channel == "none":
        yield "Nobody upgrades Kubernetes but you (aks-cicd:cluster.upgrades.channel is none)."
