"""Azure DevOps: the organisation in which the delivery system's project, pipelines, connections and gates live.

`service` says how resources live, `organization` what exists, `kinds` what a type is, and one module per area what it
accepts, answers and refuses. To teach it a type, add a `DevOpsKind` to the module of its area and a negative test for
each refusal.
"""

from __future__ import annotations

from rehearsal.cloud.azuredevops.areas import INVOKES, KINDS
from rehearsal.cloud.azuredevops.service import DevOps

__all__ = ["INVOKES", "KINDS", "DevOps"]
