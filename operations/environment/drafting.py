"""A new environment derived from one that exists: which values are kept, which change, and why; pure.

What every environment must have of its own is given to it here; what belongs to a region or to a tier is in
`moving` and `tiers`. Whatever a person should know becomes a note: a comment in the file and a line of the answer.

What it does not do: it does not judge the outcome. That is `settings.parse`, as for every stack file.
"""

from __future__ import annotations

from collections.abc import Mapping

import settings
from operations.environment import asking, moving, ranges, tiers
from operations.environment.asking import Wanted
from operations.environment.landscape import Landscape, home, lender
from operations.environment.tree import Note, Tree
from settings import PROJECT, Settings
from validation import checks


def draft(wanted: Wanted, environments: Mapping[str, Settings]) -> tuple[Settings, tuple[Note, ...]]:
    """The settings of the new environment, valid for a rehearsal, and the notes on them.

    Raises RequestError when what is asked for cannot be, SettingsError when what follows from it does not fit.
    """
    landscape = Landscape({name: each for name, each in environments.items() if name != wanted.name})
    source = landscape.environments[wanted.source]
    tree = Tree.of(source)
    tier = wanted.tier or source.tier
    _own_range(tree, wanted, landscape, source)
    _own_names(tree, source)
    _shared_delivery(tree, source)
    _unowned_plans(tree, landscape, source)
    moving.move(tree, wanted, source)
    tiers.change(tree, wanted, landscape, source)
    _first_run(tree)
    _images(tree, landscape, source, tier, lender(landscape, wanted, source, tier))
    for name, address in (tree.get("alerts.webhooks") or {}).items():
        if checks.is_placeholder(address):
            tree.note(f"alerts.webhooks.{name}", f"pulumi config set --secret --path {PROJECT}:alerts.webhooks.{name}")
    if tree.get("exceptions"):
        tree.note("exceptions", f"Those of {source.stack}: does the reason hold here too?")
    return settings.parse(wanted.name, tree.config, rehearsal=True), tuple(tree.notes)


def _own_range(tree: Tree, wanted: Wanted, landscape: Landscape, source: Settings) -> None:
    space = source.network.address_space
    free = ranges.next_free(space, ranges.taken(landscape.environments.values()))
    if free is None:
        raise asking.impossible(
            "source",
            wanted.source,
            f"a stack beside which a private range of the size of {space} is free, and none is: the stack files, their "
            "hubs, pods and services take them all",
            f"make room, or write Pulumi.{wanted.name}.yaml by hand with a smaller network.addressSpace",
        )
    tree.set(
        "network.addressSpace",
        free,
        f"The next range as large as that of {source.stack} that is free in all stack files and behind their hubs.",
    )
    tree.drop("network.subnets", f"The subnets' own ranges lay in {space}; they are planned anew.")


def _own_names(tree: Tree, source: Settings) -> None:
    tree.drop("names", f"They name what {source.stack} has; this environment's names are planned.")
    tree.drop("generation")


def _shared_delivery(tree: Tree, source: Settings) -> None:
    """An Azure DevOps project has one home, and what CI needs lives there."""
    tree.set("stacks.delivery", home(source))
    tree.drop("delivery.home")
    tree.drop("vaults.ci")
    tree.drop("signing.keyVersion")
    if not tree.get("signing.certificates"):
        tree.drop("signing")


def _unowned_plans(tree: Tree, landscape: Landscape, source: Settings) -> None:
    """The Defender plans of a subscription have one owner, who is there already."""
    owner = landscape.owns_plans(source.azure.subscription_id)
    if source.defender.plans == "managed" and owner:
        tree.set("defender.plans", "existing", f"{owner.stack} owns the plans of this subscription.")
        tree.drop("defender.contacts")
        tree.note(
            "azure.subscriptionId",
            f"That of {source.stack}. In one of its own, set defender.plans to managed, with contacts.",
        )


def _first_run(tree: Tree) -> None:
    if tree.get("cluster.access") == "private":
        tree.set("cluster.reachable", False)
        tree.note(
            "cluster.reachable",
            "The first `up` runs outside the network; a second, from an agent inside it, adds what is in the cluster.",
        )


def _images(tree: Tree, landscape: Landscape, source: Settings, tier: str, shared: Settings | None) -> None:
    """Whose registry the cluster pulls from, and how images get there."""
    tree.drop("stacks.registry")
    tree.drop("stacks.registryPrivate")
    tree.drop("stacks.promotesFrom")
    if shared is None:
        tiers.own_registry(tree, landscape, source, tier)
    else:
        tree.drop("registry")
        tree.set("stacks.registry", shared.stack, f"Images reach {shared.stack}, and this cluster pulls the same ones.")
        zone = shared.network.private_dns_zones.registry
        if shared.registry and shared.registry.access == "private":
            if zone:
                tree.note("stacks.registry", f"Its private end point is found through the zone {zone}.")
            else:
                why = f"The registry of {shared.stack} answers private end points alone; this network gets one."
                tree.set("stacks.registryPrivate", True, why)
    _unused_zones(tree)


def _unused_zones(tree: Tree) -> None:
    """A zone may be named only for what is private."""
    registry = tree.get("registry.access") == "private" or tree.get("stacks.registryPrivate")
    private = {
        "registry": registry,
        "vault": tree.get("vaults.workload.access") == "private",
        "apiServer": tree.get("cluster.access") == "private",
    }
    for zone, used in private.items():
        if not used:
            tree.drop(f"network.privateDnsZones.{zone}", "Nothing here is reached through that zone.")
