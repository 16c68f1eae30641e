"""What the settings may not combine, and why, a module for each subject. Facts about Azure carry their reason.

To import a module is to have its checks run by `run`.
"""

from __future__ import annotations

from validation.checking import run
from validation.checks import agents, cluster, delivery, keeping, platforms, signing, stacks
from validation.checks.addresses import own_subnets
from validation.checks.names import planned_names
from validation.checks.placeholders import is_placeholder, leaves, placeholders
from validation.checks.warnings import warnings

__all__ = [
    "agents",
    "cluster",
    "delivery",
    "is_placeholder",
    "keeping",
    "leaves",
    "own_subnets",
    "placeholders",
    "planned_names",
    "platforms",
    "run",
    "signing",
    "stacks",
    "warnings",
]
