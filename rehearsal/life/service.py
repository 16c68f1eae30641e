"""What services do by themselves while nobody runs the program: none of it may look like drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.cloud import Cloud, Resource

CLUSTER: Final = "azure-native:containerservice:ManagedCluster"
POOL: Final = "azure-native:containerservice:AgentPool"
NODE_IMAGE: Final = "AKSAzureLinux-209901.01.0"


def of_type(cloud: Cloud, type_: str) -> list[Resource]:
    return [found for found in cloud.resources.values() if found.type_ == type_]


def scale(cloud: Cloud) -> Iterator[str]:
    """The autoscalers add nodes up to the limit; yields what they did."""
    for pool in of_type(cloud, POOL):
        cloud.drift(pool.id, "count", pool.inputs["maxCount"])
        yield f"{pool.name} scales to {pool.inputs['maxCount']} nodes"
    for cluster in of_type(cloud, CLUSTER):
        for index, pool in enumerate(cluster.inputs["agentPoolProfiles"]):
            cloud.drift(cluster.id, f"agentPoolProfiles[{index}].count", pool["maxCount"])
            yield f"{pool['name']} of {cluster.name} scales to {pool['maxCount']} nodes"


def upgrade(cloud: Cloud) -> Iterator[str]:
    """Clusters get the next patch of their version, and nodes another image; yields what was upgraded."""
    for cluster in of_type(cloud, CLUSTER):
        major, minor, patch = str(cluster.outputs["currentKubernetesVersion"]).split(".")
        later = f"{major}.{minor}.{int(patch) + 1}"
        cloud.move(cluster.id, "currentKubernetesVersion", later)
        for index, _ in enumerate(cluster.outputs["agentPoolProfiles"]):
            cloud.move(cluster.id, f"agentPoolProfiles[{index}].currentOrchestratorVersion", later)
            cloud.move(cluster.id, f"agentPoolProfiles[{index}].nodeImageVersion", NODE_IMAGE)
        yield f"{cluster.name} is upgraded to {later}"
    for pool in of_type(cloud, POOL):
        cloud.move(pool.id, "nodeImageVersion", NODE_IMAGE)
        yield f"{pool.name} gets the image {NODE_IMAGE}"
