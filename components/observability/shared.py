"""What the parts of observability have in common: a collection rule tells its own errors, a template has a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pulumi import Input, Resource, ResourceOptions
from pulumi_azure_native.monitor import DataCollectionRule, DiagnosticSetting, DiagnosticsLogSettingsArgs

from components.placement import Placement


def tell_errors(
    name: str, rule: DataCollectionRule, workspace_id: Input[str], place: Placement, parent: Resource
) -> None:
    """Rows that a collection rule could not deliver are told in the workspace; `name` ends in `-diagnostics`."""
    DiagnosticSetting(
        name,
        name=place.names.diagnostic_setting,
        resource_uri=rule.id,
        workspace_id=workspace_id,
        logs=[DiagnosticsLogSettingsArgs(category="LogErrors", enabled=True)],
        opts=ResourceOptions(parent=parent),
    )


def template(resources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """An ARM template that sets these resources in a resource group."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": list(resources),
    }
