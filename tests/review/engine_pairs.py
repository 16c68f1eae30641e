"""Edits that the engine previews, with what a careful reviewer would say of each.

Several share one preview where they touch different resources: a preview takes seconds. Each is judged by the places
that it touches, and together they must explain all that the engine finds.
"""

from __future__ import annotations

from tests.review.engine_edits import (
    EnginePair,
    any_template,
    authors_vote,
    every,
    pools_reordered,
    push_instead_of_pull,
    put,
)

_SHARED = "/subscriptions/00000000-0000-0000-0000-000000000020/resourceGroups/rg-shared/providers"
_OTHER_REGISTRY = f"{_SHARED}/Microsoft.ContainerRegistry/registries/crshared"


def _known(value: str) -> str:
    return f'Output.from_input("{value}")'


_PROTECTED = (
    "cluster/ManagedCluster.cluster",
    "logs/Workspace.workspace",
    "observability/metrics/AzureMonitorWorkspace.metrics-workspace",
    "registry/Registry.registry",
    "releases/environment/Environment.environment",
    "workload-vault/Vault.workload-vault",
)
_ALIASED = 'ResourceOptions.merge(inside, ResourceOptions(aliases=[pulumi.Alias(name="logs")]))'
_LOGS = 'Logs("logs", wiring.logs(settings, place), inside)'
_LOCKS = 'Locks("locks", wiring.locks(settings, place, made, after=parts), inside)'
_IMAGES = "images = contract.images(registry, upstream.get(settings.stacks.registry))"

PAIRS: tuple[EnginePair, ...] = (
    EnginePair("nothing edited", "staging 0"),
    EnginePair(
        "untagged images kept shorter",
        "staging a",
        {"registry/Registry.registry": "update"},
        ("retention:registry/Registry.registry",),
        ("14 → 7",),
        edit=put("registry.untaggedRetentionDays", 7),
    ),
    EnginePair(
        "private vault turned public",
        "staging a",
        {
            "network/*private-endpoints-*": "delete",
            "network/*.vault-zone*": "delete",
            "workload-vault/PrivateDnsZoneGroup.workload-vault-dns": "delete",
            "workload-vault/PrivateEndpoint.workload-vault-endpoint": "delete",
            "workload-vault/Vault.workload-vault": "update",
        },
        (
            "deleted:network/PrivateZone.vault-zone",
            "deleted:network/Subnet.private-endpoints-subnet",
            "deleted:workload-vault/PrivateEndpoint.workload-vault-endpoint",
            "public:workload-vault/Vault.workload-vault",
        ),
        ("reachable from the internet", "its firewall lets everybody through", "the private way to what it leads to"),
        edit=put("vaults.workload.access", "public"),
    ),
    EnginePair(
        "fewer traces",
        "staging a",
        {"observability/traces/Component.application-insights": "update"},
        (),
        ("may replace: not known for samplingPercentage", "samplingPercentage 50 → 10 (less)"),
        edit=put("monitoring.traceSamplingPercent", 10),
    ),
    EnginePair(
        "nodes get no updates",
        "staging a",
        {"cluster/ManagedCluster.cluster": "update"},
        ("hardening:cluster/ManagedCluster.cluster",),
        ("nodes get no security updates from Azure",),
        edit=put("cluster.upgrades.nodeOsChannel", "None"),
    ),
    EnginePair(
        "a larger quota", "staging a", {"workload/ResourceQuota.quota": "update"}, edit=put("namespace.quota.pods", 60)
    ),
    EnginePair(
        "another receiver",
        "staging a",
        {"observability/operators/ActionGroup.operators": "update"},
        ("watch:observability/operators/ActionGroup.operators",),
        ("people who are told: no more platform-team",),
        edit=put("alerts.emails", {"other": "other@contoso.example"}),
    ),
    EnginePair(
        "repositories are their teams' own",
        "staging a",
        {"delivery/*/GitRepositoryFile.*": "delete"},
        (),
        ("stays in the cloud, and nobody manages it any more",),
        edit=put("delivery.home.seed", False),
    ),
    EnginePair(
        "version raised",
        "staging b",
        {"cluster/ManagedCluster.cluster": "update", "cluster/AgentPool.pool-apps": "update"},
        edit=put("cluster.version", "1.37"),
    ),
    EnginePair(
        "role widened",
        "staging b",
        {"cluster/RoleAssignment.kubelet-pulls": "update"},
        ("refused:cluster/RoleAssignment.kubelet-pulls", "role:cluster/RoleAssignment.kubelet-pulls"),
        ("AcrPush → ", "before AcrPull → "),
        patch=push_instead_of_pull,
    ),
    EnginePair(
        "branch policy weakened",
        "staging b",
        {"delivery/*/BranchPolicyMinReviewers.*": "update"},
        ("gate:delivery/*/BranchPolicyMinReviewers.*",),
        ("the author may approve",),
        patch=authors_vote,
    ),
    EnginePair(
        "pool may grow",
        "staging c",
        {"cluster/AgentPool.pool-apps": "update"},
        (),
        ("maxCount 6 → 12 (more)",),
        edit=put("cluster.userPools.apps.maxNodes", 12),
    ),
    EnginePair(
        "another administrator",
        "staging c",
        {
            "cluster/ManagedCluster.cluster": "update",
            "cluster/RoleAssignment.admins-*": "create",
            "observability/dashboards/RoleAssignment.operators-*": "create",
        },
        (
            "role:cluster/ManagedCluster.cluster",
            "role:cluster/RoleAssignment.admins-*",
            "role:observability/dashboards/RoleAssignment.operators-*",
        ),
        ("groups that are admin of the cluster: also 00000000-0000-0000-0000-0000000000a9", "new: Grafana Admin"),
        edit=put("cluster.adminGroups", [f"00000000-0000-0000-0000-0000000000a{n}" for n in (1, 9)]),
    ),
    EnginePair(
        "pools and zones reordered", "prod 0", edit=every(pools_reordered, put("cluster.zones", ["3", "1", "2"]))
    ),
    EnginePair(
        "zone list changed",
        "prod a",
        {"cluster/ManagedCluster.cluster": "update", "cluster/AgentPool.pool-*": "update"},
        ("refused:cluster/ManagedCluster.cluster", "refused:cluster/AgentPool.pool-*"),
        ("does not change availabilityZones in place",),
        edit=put("cluster.zones", ["1", "2"]),
    ),
    EnginePair(
        "private registry turned public",
        "prod a",
        {
            "registry/Registry.registry": "update",
            "registry/Private*.registry-*": "delete",
            "network/*.registry-zone*": "delete",
            "observability/log-alerts/ScheduledQueryRule.alert-registry-access-from-outside": "delete",
        },
        (
            "public:registry/Registry.registry",
            "deleted:registry/PrivateEndpoint.registry-endpoint",
            "deleted:network/PrivateZone.registry-zone",
        ),
        ("reachable from the internet", "nobody is told of this any more"),
        edit=put("registry.access", "public"),
    ),
    EnginePair(
        "approval removed",
        "prod a",
        {"releases/*/CheckApproval.*": "delete"},
        ("gate:releases/*/CheckApproval.*",),
        ("the gate before prod goes", "the gate before deploy-prod goes"),
        edit=put("delivery.gates.approval", False),
    ),
    EnginePair(
        "releases at night",
        "prod a",
        {"releases/*/CheckBusinessHours.*": "update"},
        ("gate:releases/*/CheckBusinessHours.*",),
        ("until 22:00, before until 17:00",),
        edit=put("delivery.gates.businessHours.end", "22:00"),
    ),
    EnginePair(
        "dashboards in one zone",
        "prod a",
        {"observability/dashboards/Grafana.grafana": "update"},
        ("refused:observability/dashboards/Grafana.grafana",),
        edit=put("monitoring.grafana.zoneRedundant", False),
    ),
    EnginePair(
        "locks removed",
        "prod a",
        {"Locks.locks": "delete", "locks/ManagementLockByScope.*": "delete"},
        ("lock:locks/ManagementLockByScope.*",),
        ("the lock goes: log-shop-prod can be deleted",),
        source=((_LOCKS, "pass"),),
    ),
    EnginePair(
        "component renamed with an alias",
        "prod a",
        {"Logs.log-books": "rename"},
        source=((_LOGS, f'Logs("log-books", wiring.logs(settings, place), {_ALIASED})'),),
    ),
    EnginePair(
        "private API server turned public",
        "prod b",
        {
            "cluster/ManagedCluster.cluster": "update",
            "cluster/RoleAssignment.control-plane-joins-api-server": "delete",
            "network/*.api-server-*": "delete",
        },
        (
            "public:cluster/ManagedCluster.cluster",
            "refused:cluster/ManagedCluster.cluster",
            "deleted:network/Subnet.api-server-subnet",
        ),
        ("reachable from the internet",),
        edit=put("cluster.access", "public"),
    ),
    EnginePair(
        "pool removed",
        "prod b",
        {"cluster/AgentPool.pool-batch": "delete"},
        ("deleted:cluster/AgentPool.pool-batch",),
        ("what runs there is evicted", "one less"),
        edit=put("cluster.userPools.batch", None),
    ),
    EnginePair(
        "pool of another size",
        "prod b",
        {"cluster/AgentPool.pool-apps": "replace"},
        ("replaced:cluster/AgentPool.pool-apps",),
        ("because of vmSize", "vmSize Standard_D8ds_v5 → Standard_D16ds_v5"),
        edit=put("cluster.userPools.apps.vmSize", "Standard_D16ds_v5"),
    ),
    EnginePair(
        "plans are somebody else's",
        "prod b",
        {"defender/*": "delete"},
        (),
        ("stays in the cloud, and nobody manages it any more",),
        edit=every(put("defender.plans", "existing"), put("defender.contacts", None)),
    ),
    EnginePair(
        "other approvers",
        "prod b",
        {
            "releases/approvers/Group.directory-group": "replace",
            "releases/approvers/GroupMembership.approvers-members": "update",
        },
        ("role:releases/approvers/GroupMembership.approvers-members",),
        ("members of a group: also somebody who is known only afterwards",),
        edit=put("delivery.approvers", "00000000-0000-0000-0000-0000000000b3"),
    ),
    EnginePair(
        "template no longer required",
        "prod b",
        {"releases/*/CheckRequiredTemplate.*": "delete"},
        ("gate:releases/*/CheckRequiredTemplate.*",),
        edit=put("delivery.gates.requiredTemplate", False),
    ),
    EnginePair(
        "retention lowered",
        "prod b",
        {"logs/Workspace.workspace": "update"},
        ("retention:logs/Workspace.workspace",),
        ("days for which logs are kept: 90 → 30",),
        edit=put("logs.retentionDays", 30),
    ),
    EnginePair(
        "deleted images kept shorter",
        "prod b",
        {"registry/Registry.registry": "update"},
        ("retention:registry/Registry.registry",),
        ("days for which deleted images can be recovered: 30 → 7",),
        edit=put("registry.softDeleteDays", 7),
    ),
    EnginePair(
        "protection removed",
        "prod c",
        dict.fromkeys(_PROTECTED, "update"),
        tuple(f"protection:{place}" for place in _PROTECTED),
        ("the engine no longer refuses to delete it",),
        source=(("tags, protect=settings.production)", "tags, protect=False)"),),
    ),
    EnginePair(
        "required template loosened",
        "prod c",
        {"releases/*/CheckRequiredTemplate.*": "update"},
        ("gate:releases/*/CheckRequiredTemplate.*",),
        ("templates that a run may extend: also",),
        patch=any_template,
    ),
    EnginePair(
        "registry deleted",
        "prod d",
        {
            "registry/Registry.registry": "delete",
            "registry/Private*.registry-*": "delete",
            "registry/DiagnosticSetting.registry-diagnostics": "delete",
            "TierRegistry.registry": "delete",
            "locks/ManagementLockByScope.registry-lock": "delete",
            "admission/PolicyAssignment.allowed-images": "update",
            "cluster/RoleAssignment.kubelet-pulls": "replace",
            "releases/promote/RoleAssignment.promote-imports-to-target": "replace",
            "releases/environment/VariableGroup.facts": "update",
        },
        (
            "deleted:registry/Registry.registry",
            "deleted:registry/PrivateEndpoint.registry-endpoint",
            "role:cluster/RoleAssignment.kubelet-pulls",
            "role:releases/promote/RoleAssignment.promote-imports-to-target",
        ),
        (
            "every image in it, also the ones that run",
            "protected, so the engine refuses until the protection is removed",
        ),
        source=(
            ("if settings.registry:", "if False:"),
            (_IMAGES, f"images = contract.Images({_known(_OTHER_REGISTRY)}, {_known('crshared.azurecr.io')})"),
        ),
    ),
    EnginePair(
        "pods get other addresses",
        "prod e",
        {
            "cluster/ManagedCluster.cluster": "replace",
            "cluster/AgentPool.pool-*": "replace",
            "cluster/DiagnosticSetting.*": "replace",
            "cluster/MaintenanceConfiguration.*": "replace",
            "cluster/RoleAssignment.admins-*": "replace",
            "admission/PolicyAssignment.*": "replace",
            "observability/*/DataCollectionRuleAssociation.*": "replace",
            "observability/metrics/PrometheusRuleGroup.*": "update",
            "releases/deploy/RoleAssignment.*": "replace",
            "releases/environment/VariableGroup.facts": "update",
            "workload/FederatedIdentityCredential.workload-signs-in": "update",
        },
        ("replaced:cluster/ManagedCluster.cluster", "replaced:cluster/AgentPool.pool-*"),
        ("because of networkProfile.podCidr; lost: all workloads", "granted anew"),
        edit=put("network.podRange", "10.200.0.0/16"),
    ),
)
