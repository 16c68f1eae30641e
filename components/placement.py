"""Where a component puts its resources; the arguments that every Azure component takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import Input, ProviderResource, Resource

from components.naming import Names


@dataclass(frozen=True)
class Placement:
    """Resource group, region, tags and names of one environment, and whether its state is guarded."""

    names: Names
    resource_group: Input[str]
    location: str
    tags: Mapping[str, str]
    protect: bool
    """Production: Pulumi refuses to delete or replace what holds state."""


@dataclass(frozen=True)
class InCluster:
    """Where objects of the workload's namespace are declared."""

    provider: ProviderResource
    """Of the cluster's API server."""
    cluster: Resource
    """What takes them with it when it is deleted."""
    after: Sequence[Resource]
    """What must be in the namespace before them."""
