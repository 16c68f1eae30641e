"""What each component is told: the settings in its own terms, and what the components before it made.

`__main__` says who is told of whom, this package says what. A function here makes the arguments of one component and
declares nothing; it is the only place that knows both the settings and a component's arguments.
"""

from wiring.cluster import admission, cluster, observability, signature_audit, workload
from wiring.delivery import agents, delivery, gitops, releases
from wiring.foundation import borrowed_registry, ci_vault, logs, network, registry, signing_key, workload_vault
from wiring.github import github, github_releases
from wiring.guards import defender, locks
from wiring.made import Made
from wiring.told import told

__all__ = [
    "Made",
    "admission",
    "agents",
    "borrowed_registry",
    "ci_vault",
    "cluster",
    "defender",
    "delivery",
    "github",
    "github_releases",
    "gitops",
    "locks",
    "logs",
    "network",
    "observability",
    "registry",
    "releases",
    "signature_audit",
    "signing_key",
    "told",
    "workload",
    "workload_vault",
]
