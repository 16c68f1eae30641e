"""The part of the landscape that watches the rest: metrics, logs, alerts, dashboards, threat protection.

It stands on what `tests.rehearsal.landscape` makes before it: the group, the workspace and the cluster.
"""

from __future__ import annotations

from typing import Any, Final

REGION: Final = "westeurope"


def template(*resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": list(resources),
    }


def samples(subscription: str, group_id: str) -> dict[str, tuple[str, dict[str, Any]]]:
    def below(**inputs: Any) -> dict[str, Any]:
        return {"resourceGroupName": "rg-test", **inputs}

    def at(location: str, **inputs: Any) -> dict[str, Any]:
        return below(location=location, **inputs)

    logs = f"{group_id}/providers/Microsoft.OperationalInsights/workspaces/log-test"
    cluster = f"{group_id}/providers/Microsoft.ContainerService/managedClusters/aks-test"
    metrics = f"{group_id}/providers/Microsoft.Monitor/accounts/amw-test"
    insights = f"{group_id}/providers/Microsoft.Insights"
    ingestion = f"{insights}/dataCollectionEndpoints/dce-test"
    actions = f"{insights}/actionGroups/ag-test"
    streams = ["Microsoft-ContainerLogV2", "Microsoft-KubeEvents"]
    return {
        "table": (
            "operationalinsights:Table",
            below(
                workspaceName="log-test",
                tableName="Deployments_CL",
                plan="Analytics",
                retentionInDays=30,
                totalRetentionInDays=365,
                schema={
                    "name": "Deployments_CL",
                    "columns": [
                        {"name": "TimeGenerated", "type": "datetime"},
                        {"name": "Digest", "type": "string"},
                    ],
                },
            ),
        ),
        "search": (
            "operationalinsights:SavedSearch",
            below(
                workspaceName="log-test",
                savedSearchId="failed-pulls",
                category="Delivery",
                displayName="Failed pulls",
                functionAlias="FailedPulls",
                query="KubeEvents | where Reason == 'Failed'",
            ),
        ),
        "solution": (
            "operationsmanagement:Solution",
            at(
                REGION,
                solutionName="SecurityCenterFree(log-test)",
                plan={
                    "name": "SecurityCenterFree(log-test)",
                    "product": "OMSGallery/SecurityCenterFree",
                    "publisher": "Microsoft",
                    "promotionCode": "",
                },
                properties={"workspaceResourceId": logs},
            ),
        ),
        "metrics": ("monitor:AzureMonitorWorkspace", at(REGION, azureMonitorWorkspaceName="amw-test")),
        "ingestion": (
            "monitor:DataCollectionEndpoint",
            at(
                REGION,
                dataCollectionEndpointName="dce-test",
                kind="Linux",
                networkAcls={"publicNetworkAccess": "Enabled"},
            ),
        ),
        "scrape": (
            "monitor:DataCollectionRule",
            at(
                REGION,
                dataCollectionRuleName="dcr-prometheus",
                kind="Linux",
                dataCollectionEndpointId=ingestion,
                dataSources={
                    "prometheusForwarder": [{"name": "prometheus", "streams": ["Microsoft-PrometheusMetrics"]}]
                },
                destinations={"monitoringAccounts": [{"name": "metrics", "accountResourceId": metrics}]},
                dataFlows=[{"streams": ["Microsoft-PrometheusMetrics"], "destinations": ["metrics"]}],
            ),
        ),
        "collect": (
            "monitor:DataCollectionRule",
            at(
                REGION,
                dataCollectionRuleName="dcr-containers",
                kind="Linux",
                dataSources={
                    "extensions": [
                        {
                            "name": "ContainerInsightsExtension",
                            "extensionName": "ContainerInsights",
                            "streams": streams,
                            "extensionSettings": {"dataCollectionSettings": {"interval": "1m"}},
                        }
                    ]
                },
                destinations={"logAnalytics": [{"name": "logs", "workspaceResourceId": logs}]},
                dataFlows=[{"streams": streams, "destinations": ["logs"]}],
            ),
        ),
        "receive": (
            "monitor:DataCollectionRule",
            at(
                REGION,
                dataCollectionRuleName="dcr-deployments",
                dataCollectionEndpointId=ingestion,
                streamDeclarations={
                    "Custom-Deployments": {
                        "columns": [{"name": "at", "type": "datetime"}, {"name": "digest", "type": "string"}]
                    }
                },
                destinations={"logAnalytics": [{"name": "logs", "workspaceResourceId": logs}]},
                dataFlows=[
                    {
                        "streams": ["Custom-Deployments"],
                        "destinations": ["logs"],
                        "transformKql": "source | project TimeGenerated = at, Digest = digest",
                        "outputStream": "Custom-Deployments_CL",
                    }
                ],
            ),
        ),
        "scraped": (
            "monitor:DataCollectionRuleAssociation",
            {
                "associationName": "prometheus",
                "resourceUri": cluster,
                "dataCollectionRuleId": f"{insights}/dataCollectionRules/dcr-prometheus",
            },
        ),
        "configured": (
            "monitor:DataCollectionRuleAssociation",
            {
                "associationName": "configurationAccessEndpoint",
                "resourceUri": cluster,
                "dataCollectionEndpointId": ingestion,
            },
        ),
        "actions": (
            "monitor:ActionGroup",
            at(
                "Global",
                actionGroupName="ag-test",
                groupShortName="operators",
                enabled=True,
                emailReceivers=[
                    {"name": "operators", "emailAddress": "operators@example.com", "useCommonAlertSchema": True}
                ],
            ),
        ),
        "health": (
            "monitor:ActivityLogAlert",
            at(
                "Global",
                activityLogAlertName="service-health",
                enabled=True,
                scopes=[f"/subscriptions/{subscription}"],
                condition={
                    "allOf": [
                        {"field": "category", "equals": "ServiceHealth"},
                        {"anyOf": [{"field": "properties.incidentType", "equals": "Incident"}]},
                    ]
                },
                actions={"actionGroups": [{"actionGroupId": actions}]},
            ),
        ),
        "usage": (
            "monitor:MetricAlert",
            at(
                "global",
                ruleName="node-cpu",
                enabled=True,
                severity=2,
                scopes=[cluster],
                evaluationFrequency="PT5M",
                windowSize="PT15M",
                criteria={
                    "odataType": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                    "allOf": [
                        {
                            "criterionType": "StaticThresholdCriterion",
                            "name": "cpu",
                            "metricName": "node_cpu_usage_percentage",
                            "operator": "GreaterThan",
                            "threshold": 90,
                            "timeAggregation": "Average",
                        }
                    ],
                },
                actions=[{"actionGroupId": actions}],
            ),
        ),
        "logged": (
            "monitor:ScheduledQueryRule",
            at(
                REGION,
                ruleName="failed-pulls",
                kind="LogAlert",
                enabled=True,
                severity=3,
                scopes=[logs],
                evaluationFrequency="PT5M",
                windowSize="PT15M",
                criteria={
                    "allOf": [
                        {
                            "query": "KubeEvents | where Reason == 'Failed'",
                            "timeAggregation": "Count",
                            "operator": "GreaterThan",
                            "threshold": 0,
                            "failingPeriods": {"numberOfEvaluationPeriods": 2, "minFailingPeriodsToAlert": 1},
                        }
                    ]
                },
                actions={"actionGroups": [actions]},
            ),
        ),
        "rules": (
            "alertsmanagement:PrometheusRuleGroup",
            at(
                REGION,
                ruleGroupName="nodes of aks-test",
                clusterName="aks-test",
                enabled=True,
                interval="PT1M",
                scopes=[metrics, cluster],
                rules=[
                    {
                        "record": "cluster:node_cpu:ratio_rate5m",
                        "expression": "sum(rate(node_cpu_seconds_total[5m]))",
                        "labels": {"workload_type": "none"},
                    },
                    {
                        "alert": "NodeNotReady",
                        "expression": "kube_node_status_condition{condition='Ready'} == 0",
                        "for": "PT15M",
                        "severity": 3,
                        "annotations": {"summary": "A node is not ready."},
                        "resolveConfiguration": {"autoResolved": True, "timeToResolve": "PT10M"},
                        "actions": [{"actionGroupId": actions}],
                    },
                ],
            ),
        ),
        "insights": (
            "applicationinsights:Component",
            at(
                REGION,
                resourceName="appi-test",
                kind="web",
                applicationType="web",
                ingestionMode="LogAnalytics",
                workspaceResourceId=logs,
                disableLocalAuth=True,
            ),
        ),
        "grafana": (
            "dashboard:Grafana",
            at(
                REGION,
                workspaceName="amg-test",
                sku={"name": "Standard"},
                identity={"type": "SystemAssigned"},
                properties={
                    "grafanaMajorVersion": "12",
                    "apiKey": "Disabled",
                    "zoneRedundancy": "Enabled",
                    "grafanaIntegrations": {
                        "azureMonitorWorkspaceIntegrations": [{"azureMonitorWorkspaceResourceId": metrics}]
                    },
                },
            ),
        ),
        "reach": (
            "dashboard:ManagedPrivateEndpoint",
            at(
                REGION,
                workspaceName="amg-test",
                managedPrivateEndpointName="to-metrics",
                groupIds=["prometheusMetrics"],
                privateLinkResourceId=metrics,
                privateLinkResourceRegion=REGION,
            ),
        ),
        "dashboard": ("dashboard:Dashboard", at(REGION, dashboardName="delivery")),
        "definition": (
            "dashboard:DashboardDefinition",
            below(
                dashboardName="delivery",
                definitionName="default",
                properties={"serializedData": '{"title": "Delivery", "panels": []}'},
            ),
        ),
        "plan": (
            "security:Pricing",
            {
                "pricingName": "Containers",
                "scopeId": cluster.lstrip("/"),
                "pricingTier": "Standard",
                "extensions": [{"name": "ContainerSensor", "isEnabled": "True"}],
            },
        ),
        "cheap": (
            "resources:Deployment",
            below(
                deploymentName="tables",
                properties={
                    "mode": "Incremental",
                    "template": template(
                        {
                            "type": "Microsoft.OperationalInsights/workspaces/tables",
                            "apiVersion": "2023-09-01",
                            "name": "log-test/ContainerLogV2",
                            "properties": {"plan": "Basic", "totalRetentionInDays": 90},
                        }
                    ),
                },
            ),
        ),
        "cheap elsewhere": (
            "resources:Deployment",
            below(
                deploymentName="tables-elsewhere",
                properties={
                    "mode": "Incremental",
                    "template": template(
                        {
                            "type": "Microsoft.Resources/deployments",
                            "apiVersion": "2024-03-01",
                            "name": "nested",
                            "subscriptionId": cluster.split("/")[2],
                            "resourceGroup": cluster.split("/")[4],
                            "properties": {
                                "mode": "Incremental",
                                "template": template(
                                    {
                                        "type": "Microsoft.OperationalInsights/workspaces/tables",
                                        "apiVersion": "2023-09-01",
                                        "name": "log-test/ContainerLogV2",
                                        "properties": {"plan": "Basic"},
                                    }
                                ),
                            },
                        }
                    ),
                },
            ),
        ),
        "contact": (
            "security:SecurityContact",
            {
                "securityContactName": "default",
                "emails": "security@example.com",
                "isEnabled": True,
                "notificationsByRole": {"state": "On", "roles": ["Owner"]},
                "notificationsSources": [
                    {"sourceType": "Alert", "minimalSeverity": "Medium"},
                    {"sourceType": "AttackPath", "minimalRiskLevel": "Critical"},
                ],
            },
        ),
        "export": (
            "security:Automation",
            at(
                REGION,
                automationName="to-logs",
                isEnabled=True,
                scopes=[{"scopePath": f"/subscriptions/{subscription}"}],
                sources=[{"eventSource": "Alerts"}],
                actions=[{"actionType": "Workspace", "workspaceResourceId": logs}],
            ),
        ),
    }
