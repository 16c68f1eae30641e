"""What several checks read of a stack's export."""

from __future__ import annotations

from operations.checking import Place


def facts(place: Place) -> dict[str, str]:
    """What a release is told of its environment: the variable group."""
    (group,) = place.graph.of_kind("index:VariableGroup")
    return {str(each["name"]): str(each.get("value") or "") for each in group.get("variables", ())}


def project(place: Place) -> str:
    """Id of the Azure DevOps project."""
    (environment,) = place.graph.of_kind("index:Environment")
    return str(environment.get("projectId"))
