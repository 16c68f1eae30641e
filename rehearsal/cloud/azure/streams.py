"""The streams that a data collection rule may name, and the tables of a workspace that exist by themselves.

Data only. A part of what Azure knows: the streams and tables of a cluster and of what stands around it. Sources:
Microsoft's pages on data collection rules and Container insights, and its table reference of Azure Monitor.
"""

from __future__ import annotations

from typing import Final

PROMETHEUS: Final = "Microsoft-PrometheusMetrics"

COLUMN_TYPES: Final = frozenset({"string", "int", "long", "real", "boolean", "dynamic", "datetime", "guid"})

# Tables whose plan may be Basic, by the column "Supports basic log plan" of the table reference.
BASIC: Final = frozenset(
    {
        "AKSAudit",
        "AKSAuditAdmin",
        "AKSControlPlane",
        "AppTraces",
        "ContainerLogV2",
    }
)

TABLES: Final = BASIC | frozenset(
    {
        "AGSGrafanaLoginEvents",
        "AGSGrafanaUsageInsightsEvents",
        "AppAvailabilityResults",
        "AppBrowserTimings",
        "AppDependencies",
        "AppEvents",
        "AppExceptions",
        "AppMetrics",
        "AppPageViews",
        "AppPerformanceCounters",
        "AppRequests",
        "AppSystemEvents",
        "AzureActivity",
        "AzureDiagnostics",
        "AzureMetrics",
        "AZKVAuditLogs",
        "AZKVPolicyEvaluationDetailsLogs",
        "ContainerInventory",
        "ContainerLog",
        "ContainerNodeInventory",
        "ContainerRegistryLoginEvents",
        "ContainerRegistryRepositoryEvents",
        "DCRLogErrors",
        "Event",
        "Heartbeat",
        "InsightsMetrics",
        "KubeEvents",
        "KubeMonAgentEvents",
        "KubeNodeInventory",
        "KubePodInventory",
        "KubePVInventory",
        "KubeServices",
        "LAQueryLogs",
        "Operation",
        "Perf",
        "SecurityAlert",
        "SecurityRecommendation",
        "Syslog",
        "Usage",
    }
)

STREAMS: Final = frozenset(
    {
        PROMETHEUS,
        "Microsoft-ContainerInsights-Group-Default",
        "Microsoft-ContainerInventory",
        "Microsoft-ContainerLog",
        "Microsoft-ContainerLogV2",
        "Microsoft-ContainerLogV2-HighScale",
        "Microsoft-ContainerNodeInventory",
        "Microsoft-Event",
        "Microsoft-InsightsMetrics",
        "Microsoft-KubeEvents",
        "Microsoft-KubeMonAgentEvents",
        "Microsoft-KubeNodeInventory",
        "Microsoft-KubePodInventory",
        "Microsoft-KubePVInventory",
        "Microsoft-KubeServices",
        "Microsoft-Perf",
        "Microsoft-Syslog",
    }
)
