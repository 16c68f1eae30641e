"""The rules, a module for each subject. To import this package is to have them in `policies.rule.registered`."""

from __future__ import annotations

from policies.rules import (
    cluster,
    delivery,
    federation,
    gates,
    github,
    identity,
    namespaces,
    network,
    observability,
    pools,
    protection,
    registry,
    storage,
    vault,
)

__all__ = [
    "cluster",
    "delivery",
    "federation",
    "gates",
    "github",
    "identity",
    "namespaces",
    "network",
    "observability",
    "pools",
    "protection",
    "registry",
    "storage",
    "vault",
]
