"""Series that the rules read and the metrics agent would drop.

The agent keeps of each of its targets only a documented list of series ("minimal ingestion profile"), and that list
lacks some which rules of this project read: such a rule is in place, healthy, and never fires. These are asked for by
name in the agent's settings (`ama-metrics-settings-configmap`, section `default-targets-metrics-keep-list`), which add
to the list and do not replace it.

What it does not do: it declares nothing, and it does not switch the profile off, which would multiply the cost.
"""

from __future__ import annotations

from collections.abc import Mapping

KEEP: Mapping[str, tuple[str, ...]] = {
    "kubestate": (
        "kube_daemonset_status_current_number_scheduled",
        "kube_daemonset_status_number_misscheduled",
        "kube_persistentvolume_status_phase",
        "kube_persistentvolumeclaim_access_mode",
        "kube_persistentvolumeclaim_labels",
        "kube_pod_deletion_timestamp",
        "kube_pod_init_container_info",
        "kube_pod_init_container_status_restarts_total",
        "kube_pod_status_reason",
        "kube_statefulset_metadata_generation",
        "kube_statefulset_status_observed_generation",
    ),
}
"""By target, as the agent's settings name it."""


def keep_lists() -> dict[str, str]:
    """By target, the expression that the agent's settings take: names joined by `|`."""
    return {target: "|".join(names) for target, names in KEEP.items()}
