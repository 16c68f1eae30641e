"""The API servers of the clusters: the objects that the Kubernetes provider puts into them, and what they refuse.

`reaching` says whether a kubeconfig leads anywhere, `servers` how objects live, `kinds` what the server knows of each
kind, `rules` what it refuses, `forms` how names, labels and quantities are written. Schemas are not repeated here in
full: tests judge every object by those of Kubernetes itself.
"""

from __future__ import annotations

from rehearsal.cloud.kubernetes.kinds import KINDS
from rehearsal.cloud.kubernetes.servers import ApiServers

__all__ = ["KINDS", "ApiServers"]
