"""Where pipelines run, and what they must reach from there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from validation.checking import check, problem
from validation.problems import Problem

if TYPE_CHECKING:
    from settings import Agents, Cluster, Delivery, Network, Registry, Vaults


def _inside(delivery: Delivery) -> str:
    """The kind of agents that run inside the network."""
    return "managed" if delivery.platform == "azureDevOps" else "selfHosted"


def _hosted(delivery: Delivery) -> str:
    return "Microsoft-hosted agents" if delivery.platform == "azureDevOps" else "GitHub-hosted runners"


@check
def private_api_server_has_agents_inside(cluster: Cluster, agents: Agents, delivery: Delivery) -> Iterator[Problem]:
    if cluster.access == "private" and agents.kind == "hosted":
        yield problem(
            "agents.kind",
            agents.kind,
            f"{_inside(delivery)}, because aks-cicd:cluster.access is private",
            f"set agents.kind to {_inside(delivery)}: {_hosted(delivery)} cannot reach a private API server",
        )


@check
def hosted_agents_reach_the_api_server(cluster: Cluster, agents: Agents, delivery: Delivery) -> Iterator[Problem]:
    if agents.kind == "hosted" and cluster.authorized_ranges:
        yield problem(
            "cluster.authorizedRanges",
            cluster.authorized_ranges,
            "empty with aks-cicd:agents.kind hosted",
            f"remove the ranges, or set agents.kind to {_inside(delivery)}: hosted agents have no stable address",
        )


@check
def hosted_agents_reach_the_ci_vault(vaults: Vaults, agents: Agents, delivery: Delivery) -> Iterator[Problem]:
    if agents.kind == "hosted" and vaults.ci and vaults.ci.access != "public":
        yield problem(
            "vaults.ci.access",
            vaults.ci.access,
            "public with aks-cicd:agents.kind hosted",
            f"set it to public, or agents.kind to {_inside(delivery)}: a vault's trusted services exclude "
            + ("Azure DevOps" if delivery.platform == "azureDevOps" else "GitHub"),
        )


@check
def hosted_agents_reach_the_registry(
    tier: str, registry: Registry | None, agents: Agents, delivery: Delivery
) -> Iterator[Problem]:
    if tier == "nonproduction" and agents.kind == "hosted" and registry and registry.access != "public":
        yield problem(
            "registry.access",
            registry.access,
            "public with aks-cicd:agents.kind hosted",
            f"set it to public, or agents.kind to {_inside(delivery)}: CI pushes images from its agent",
        )


@check
def managed_agents_have_a_way_out(network: Network, agents: Agents) -> Iterator[Problem]:
    # Our subnets have no default outbound access, and the cluster's load balancer serves its nodes only.
    if agents.kind == "managed" and network.egress == "loadBalancer":
        yield problem(
            "network.egress",
            network.egress,
            "natGateway or hubRouteTable with aks-cicd:agents.kind managed",
            "use natGateway: a load balancer lets the cluster's nodes out, and not the agents' subnet",
        )
