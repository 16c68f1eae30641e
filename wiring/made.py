"""The Azure half of an environment once it is declared: what delivery, the locks and other stacks are told of."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_azure_native.resources import ResourceGroup

from components.cluster import Cluster
from components.network import Network
from components.observability import Observability
from components.observability.logs import Logs
from components.registry import TierRegistry
from components.signing import SigningKey
from components.vault import SecretStore
from components.workload import Workload
from contract import Images


@dataclass(frozen=True)
class Made:
    group: ResourceGroup
    logs: Logs
    network: Network
    workload_vault: SecretStore
    ci_vault: SecretStore | None
    """Only where delivery lives."""
    signing_key: SigningKey | None
    """Only where delivery lives, and images are signed."""
    registry: TierRegistry | None
    """Only where the environment has one of its own; `images` says which it pulls from."""
    images: Images
    cluster: Cluster
    observability: Observability
    workload: Workload
