"""What changes when a new environment is of another tier than the one it is made from, and its own registry; pure.

Production gets what `settings.parse` demands of it and what the policy pack would warn of: redundancy, a closed API
server, registry and vault with agents inside the network, approvers. Protection and locks follow from the tier.
"""

from __future__ import annotations

from typing import Any, Final

from components import regions
from operations.environment.asking import Wanted
from operations.environment.landscape import NONPRODUCTION, PRODUCTION, Landscape, home
from operations.environment.tree import Tree
from settings import Settings

UNKNOWN_APPROVERS: Final = "00000000-0000-0000-0000-0000000000a3"
UNKNOWN_SERVICE: Final = "00000000-0000-0000-0000-0000000000d1"
"""Reserved placeholders, for ids that nobody has named yet."""

FEWEST_NODES: Final = 2
VAULT_DAYS: Final = 90
REGISTRY_DAYS: Final = 30


def change(tree: Tree, wanted: Wanted, landscape: Landscape, source: Settings) -> None:
    """Does nothing where the tier is the same."""
    tier = wanted.tier or source.tier
    if tier == source.tier:
        return
    tree.set("tier", tier)
    if tier == NONPRODUCTION:
        tree.drop("delivery.approvers", "Nothing waits for approval in nonproduction.")
        tree.drop("delivery.gates", "Nonproduction has its own gates: the main branch, one release at a time.")
        return
    _redundant(tree)
    _closed(tree)
    _agents_inside(tree, landscape, source)
    _approved(tree, landscape, source)
    tree.drop("logs.dailyCapGb", "A cap would blind production's alerts for the rest of a day.")
    tree.note("cluster.adminGroups", f"Those of {source.stack}: do the same people administer production?")
    tree.note("cluster.userPools", f"Sizes, quota and objectives are those of {source.stack}: are they production's?")


def _redundant(tree: Tree) -> None:
    if tree.get("cluster.sku") == "Free":
        tree.set("cluster.sku", "Standard", "Free has no service level.")
    pools = ["cluster.systemPool", *(f"cluster.userPools.{name}" for name in tree.get("cluster.userPools"))]
    for pool in pools:
        if tree.get(f"{pool}.minNodes") < FEWEST_NODES:
            tree.set(f"{pool}.minNodes", FEWEST_NODES, "Production has two nodes or more.")
        if tree.get(f"{pool}.maxNodes") < tree.get(f"{pool}.minNodes"):
            tree.set(f"{pool}.maxNodes", tree.get(f"{pool}.minNodes"))
    if len(tree.get("cluster.zones") or ()) < 2 and tree.get("azure.location") in regions.WITH_ZONES:
        tree.set("cluster.zones", ["1", "2", "3"], "Production survives the loss of a zone.")


def _closed(tree: Tree) -> None:
    why = "Production answers inside its network alone."
    tree.set("cluster.access", "private", why)
    tree.drop("cluster.authorizedRanges")
    tree.drop("cluster.runCommand", "Run command would let Azure roles into a closed cluster.")
    tree.set("vaults.workload.access", "private", why)
    tree.drop("vaults.workload.allowedRanges")
    tree.set("vaults.workload.softDeleteDays", VAULT_DAYS, "Fixed when the vault is made.")


def _agents_inside(tree: Tree, landscape: Landscape, source: Settings) -> None:
    if source.agents.kind == "managed":
        return
    tree.set("agents.kind", "managed", "Microsoft-hosted agents cannot reach a private API server.")
    known = landscape.agents_service(source.azure.tenant_id)
    why = "" if known else "Of this directory: az ad sp show --id 31687f79-5e43-4c1e-8c63-d9f4bff5cf8b --query id"
    tree.set("agents.servicePrincipalId", known or UNKNOWN_SERVICE, why)
    if tree.get("network.egress") == "loadBalancer":
        tree.set("network.egress", "natGateway", "A load balancer lets nodes out, and not the agents' subnet.")


def _approved(tree: Tree, landscape: Landscape, source: Settings) -> None:
    found = landscape.approvers(home(source))
    if found:
        other, group = found
        tree.set("delivery.approvers", group, f"Those of {other.stack}: do the same people approve here?")
    else:
        tree.set("delivery.approvers", UNKNOWN_APPROVERS, "Object id of the directory's group that approves releases.")


def own_registry(tree: Tree, landscape: Landscape, source: Settings, tier: str) -> None:
    """A registry of the environment's own, as open as that of the tier it resembles."""
    owner = landscape.registry_owner(source.stack)
    assert owner.registry is not None, "whoever borrows no registry has one"
    wanted: dict[str, Any] = dict(owner.registry.model_dump(mode="json", by_alias=True, exclude_unset=True))
    here = tree.get("azure.location")
    if replicas := [each for each in wanted.pop("replicas", []) if each != here]:
        wanted["replicas"] = replicas
    if tier != source.tier and tier == PRODUCTION:
        wanted = {"access": "private"} | ({"replicas": replicas} if replicas else {"softDeleteDays": REGISTRY_DAYS})
        wanted["zoneRedundant"] = True
    elif tier != source.tier:
        wanted = {"access": "public" if tree.get("agents.kind") == "hosted" else wanted["access"]}
    if here not in regions.WITH_ZONES:
        wanted.pop("zoneRedundant", None)
    tree.set("registry", wanted)
    if tier == PRODUCTION:
        images = landscape.images_of(source.stack)
        tree.set("stacks.promotesFrom", images.stack, f"Images come by promotion from the registry of {images.stack}.")
    else:
        tree.note(
            "registry",
            f"No pipeline fills it: CI pushes to the registry of {home(source)} alone, and promotion goes to "
            "production. Until images are brought here some other way, no release can reach this environment.",
        )
