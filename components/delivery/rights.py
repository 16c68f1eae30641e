"""What each identity of the pipelines may do: a closed list, as plain data.

Every right is one built-in role on one scope. Nobody else is granted these, and no pipeline has more:

| identity | may |
|---|---|
| ci | push to the nonproduction registry, read the CI vault, write run records |
| deploy (push) | fetch credentials of its cluster, write in the workload's namespace, read metrics, write run records |
| release (pull) | see whether its registry has an image, read metrics, write run records; nothing of the cluster |
| promote | read and import on the source and the target registry; push nowhere |
| verify | pull from the registry of its environment; where images are signed |
| signer | sign with one key; where images are signed |
| dashboards | edit the dashboards of its own environment's Grafana |

The importer's role is Microsoft's documented least role for an import, needed on both ends. It takes no condition, so
on the source it also allows importing: the one named exception to "only CI writes there".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import Input, Output

IMPORTER = "Container Registry Data Importer and Data Reader"


@dataclass(frozen=True)
class Right:
    """A role on a scope (resource id)."""

    role: str
    scope: Input[str]
    condition: str | None = None
    """Narrows the role, in the language of Azure's role assignment conditions."""


Rights = Mapping[str, Right]
"""Rights by what they are for, which says who does what: `ci-pushes-images`. Unique in an environment."""


def ci(*, registry_id: Input[str], vault_id: Input[str], run_records_id: Input[str]) -> Rights:
    return {
        "ci-pushes-images": Right("AcrPush", registry_id),
        "ci-reads-secrets": Right("Key Vault Secrets User", vault_id),
        "ci-writes-run-records": Right("Monitoring Metrics Publisher", run_records_id),
    }


def deploy(
    *, cluster_id: Input[str], namespace: str, metrics_workspace_id: Input[str], run_records_id: Input[str]
) -> Rights:
    """RBAC Writer holds no right on roles, on quotas or on the namespace itself. It may write service accounts and
    network policies, and no built-in role says less: what keeps those as they are is review, and the next `up`."""
    return {
        "deploy-fetches-credentials": Right("Azure Kubernetes Service Cluster User Role", cluster_id),
        "deploy-writes-in-namespace": Right(
            "Azure Kubernetes Service RBAC Writer", namespace_scope(cluster_id, namespace)
        ),
        "deploy-reads-metrics": Right("Monitoring Data Reader", metrics_workspace_id),
        "deploy-writes-run-records": Right("Monitoring Metrics Publisher", run_records_id),
    }


def release(*, registry_id: Input[str], metrics_workspace_id: Input[str], run_records_id: Input[str]) -> Rights:
    """What stands in for `deploy` where the cluster pulls. What it may change lies in Azure DevOps: `configuration`."""
    return {
        "release-looks-images-up": Right("AcrPull", registry_id),
        "release-reads-metrics": Right("Monitoring Data Reader", metrics_workspace_id),
        "release-writes-run-records": Right("Monitoring Metrics Publisher", run_records_id),
    }


def promote(*, source_registry_id: Input[str], target_registry_id: Input[str]) -> Rights:
    return {
        "promote-reads-source": Right(IMPORTER, source_registry_id),
        "promote-imports-to-target": Right(IMPORTER, target_registry_id),
    }


def signer(*, key_id: Input[str]) -> Rights:
    """On the one key and not on its vault. The role's actions on keys are of no use where a key may only sign."""
    return {"signer-signs": Right("Key Vault Crypto User", key_id)}


def verify(*, registry_id: Input[str]) -> Rights:
    """Whoever deploys has no right on a registry; so who looks at signatures before that is somebody else."""
    return {"verify-reads-images": Right("AcrPull", registry_id)}


def dashboards(*, grafana_id: Input[str]) -> Rights:
    return {"dashboards-are-published": Right("Grafana Editor", grafana_id)}


def namespace_scope(cluster_id: Input[str], namespace: str) -> Output[str]:
    """A namespace of a cluster as Azure RBAC knows it: below the cluster's id, and no resource of its own."""
    return Output.concat(cluster_id, "/namespaces/", namespace)


@dataclass(frozen=True)
class Promotion:
    """Where images come from, and where they go."""

    source_registry_id: Input[str]
    target_registry_id: Input[str]


def jobs(
    deploys: Mapping[str, Rights], *, promotion: Promotion | None = None, grafana_id: Input[str] | None = None
) -> dict[str, Rights]:
    """The jobs of a release to an environment, and what each may do: `deploys` is the one that brings it to the
    cluster."""
    found = dict(deploys)
    if promotion:
        found["promote"] = promote(**vars(promotion))
    if grafana_id is not None:
        found["dashboards"] = dashboards(grafana_id=grafana_id)
    return found
