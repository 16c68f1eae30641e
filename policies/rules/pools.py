"""Node pools, whether a cluster brings them along or they stand by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import Properties, Resource, Stack, each, get, kind, production
from policies.rule import ADVISORY, MANDATORY, on_resource, on_stack
from policies.rules.cluster import CLUSTER

POOL = "containerservice:AgentPool"


def _pools(type_: str, properties: Properties) -> Iterator[tuple[str, Properties]]:
    """The pools that a resource declares, each with what it is called in a message."""
    if kind(type_) == POOL:
        yield "it", properties
    else:
        yield from ((f"the pool {get(pool, 'name')}", pool) for pool in each(properties, "agentPoolProfiles.*"))


@on_resource(
    "pool-autoscaling",
    CLUSTER,
    POOL,
    severity=MANDATORY,
    reason="A count that is declared takes back, in every update, what the autoscaler has done.",
    remedy="Set enableAutoScaling with minCount and maxCount, and no count.",
    psrule=("Azure.AKS.AutoScaling",),
)
def autoscaler_owns_the_count(type_: str, properties: Properties) -> Iterator[str]:
    for name, pool in _pools(type_, properties):
        if get(pool, "enableAutoScaling") is not True:
            yield f"{name} is not autoscaled"
        if get(pool, "count") is not None:
            yield f"{name} declares a count"


@on_resource(
    "pool-public-address",
    CLUSTER,
    POOL,
    severity=MANDATORY,
    reason="A node with an address of its own can be reached from the internet, past every load balancer.",
    remedy="Leave enableNodePublicIP off.",
    cis=("5.4.3",),
)
def nodes_are_private(type_: str, properties: Properties) -> Iterator[str]:
    for name, pool in _pools(type_, properties):
        if get(pool, "enableNodePublicIP"):
            yield f"{name} gives its nodes public addresses"


@on_resource(
    "pool-minimum",
    CLUSTER,
    POOL,
    severity=MANDATORY,
    reason="A pool of one node is down while that node is upgraded.",
    remedy="Set minNodes of the pool to two or more.",
    psrule=("Azure.AKS.MinNodeCount", "Azure.AKS.MinUserPoolNodes"),
)
def production_has_two_nodes(type_: str, properties: Properties) -> Iterator[str]:
    for name, pool in _pools(type_, properties) if production(properties) else ():
        if (fewest := get(pool, "minCount") or 0) < 2:
            yield f"{name} may be as small as {fewest}"


@on_resource(
    "pool-zones",
    CLUSTER,
    POOL,
    severity=ADVISORY,
    reason="A pool in one zone is down with it.",
    remedy="Name two zones or more in aks-cicd:cluster.zones.",
    psrule=("Azure.AKS.AvailabilityZone",),
)
def production_spreads_over_zones(type_: str, properties: Properties) -> Iterator[str]:
    for name, pool in _pools(type_, properties) if production(properties) else ():
        if len(list(each(pool, "availabilityZones.*"))) < 2:
            yield f"{name} does not spread over zones"


@on_stack(
    "pool-version",
    severity=MANDATORY,
    reason="A pool that lags behind its control plane stops the next upgrade.",
    remedy="Let every pool name the version of its cluster.",
    psrule=("Azure.AKS.PoolVersion",),
)
def pools_have_their_clusters_version(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for cluster in stack.of(CLUSTER):
        if cluster.get("autoUpgradeProfile.upgradeChannel") in ("stable", "rapid"):
            continue  # Azure owns the versions, and previews leave them alone.
        wanted = cluster.get("kubernetesVersion")
        for name, found in (
            (get(pool, "name"), get(pool, "orchestratorVersion")) for pool in cluster.each("agentPoolProfiles.*")
        ):
            if found != wanted:
                yield cluster, f"the pool {name} has version {found}, the cluster {wanted}"
        for pool in stack.of(POOL):
            if stack.linked(pool, "resourceName", CLUSTER) is cluster and pool.get("orchestratorVersion") != wanted:
                yield pool, f"it has version {pool.get('orchestratorVersion')}, the cluster {wanted}"
