"""What lies in a Log Analytics workspace: tables, saved searches, and the solutions that add tables to it."""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.azure.streams import BASIC, COLUMN_TYPES, TABLES
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import lookup, may_be, text
from rehearsal.cloud.world import Resource, World

TABLE: Final = "azure-native:operationalinsights:Table"
WORKSPACE_TYPE: Final = "Microsoft.OperationalInsights/workspaces"
_ALIAS: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_PLANS: Final = ("Analytics", "Auxiliary", "Basic")


def _custom(request: Request) -> bool:
    return request.name.endswith("_CL")


def _name_is_known(request: Request) -> bool:
    return request.inputs.get("tableName") is not UNKNOWN


def _plan_fits_the_table(request: Request) -> None:
    plan = request.get("plan", "Analytics")
    refuse_unless(
        request.may_be("plan", None, *_PLANS),
        "InvalidParameter",
        f"Table {request.name}: plan '{plan}' is not one of {', '.join(_PLANS)}.",
    )
    if not _name_is_known(request) or _custom(request):
        return
    if request.name not in TABLES:
        raise CloudError(
            "ResourceNotFound",
            f"The specified table: '{request.name}' was not found. Custom tables end in '_CL'.",
        )
    refuse_unless(
        plan == "Analytics" or (plan == "Basic" and request.name in BASIC),
        "InvalidParameter",
        f"Table {request.name} does not support plan '{plan}'.",
    )


def _retention_is_allowed(request: Request) -> None:
    days, total = request.get("retentionInDays", -1), request.get("totalRetentionInDays", -1)
    refuse_unless(
        days == -1 or 4 <= days <= 730,
        "InvalidParameter",
        f"Table {request.name}: retentionInDays is {days}; allowed are 4 to 730, or -1 for the workspace's.",
    )
    refuse_unless(
        total == -1 or 4 <= total <= 4383,
        "InvalidParameter",
        f"Table {request.name}: totalRetentionInDays is {total}; allowed are 4 to 4383, or -1.",
    )
    refuse_unless(
        -1 in (days, total) or total >= days,
        "InvalidParameter",
        f"Table {request.name}: totalRetentionInDays {total} is less than retentionInDays {days}.",
    )
    refuse_unless(
        request.get("plan") not in ("Auxiliary", "Basic") or days == -1,
        "InvalidParameter",
        f"Table {request.name}: Retention is immutable, not supported on {request.get('plan')} Logs plan.",
    )


def _schema_fits_a_custom_table(request: Request) -> None:
    if not _name_is_known(request) or lookup(request.inputs, "schema") is UNKNOWN:
        return
    if not _custom(request):
        return
    name = lookup(request.inputs, "schema.name")
    refuse_unless(
        name is UNKNOWN or name == request.name,
        "InvalidParameter",
        f"Table {request.name}: schema.name '{name}' must be the name of the table.",
    )
    columns = lookup(request.inputs, "schema.columns")
    times = [column for column in request.blocks("schema.columns") if column.get("name") == "TimeGenerated"]
    unsure = columns is UNKNOWN or any(
        column is UNKNOWN or lookup(column, "name") is UNKNOWN for column in columns or ()
    )
    refuse_unless(
        unsure or (len(times) == 1 and may_be(times[0], "type", "datetime", "dateTime")),
        "InvalidParameter",
        f"Table {request.name}: the schema must have a column TimeGenerated of type datetime.",
    )
    seen: set[str] = set()
    for column in request.blocks("schema.columns"):
        title = text(column, "name")
        refuse_unless(title is None or title not in seen, "InvalidParameter", f"Column '{title}' is there twice.")
        seen |= {title} if title is not None else set()
        kind = text(column, "type")
        refuse_unless(
            lookup(column, "type") is UNKNOWN or str(kind).lower() in COLUMN_TYPES,
            "InvalidParameter",
            f"Table {request.name}: column '{title}' has type '{kind}'; allowed are {', '.join(sorted(COLUMN_TYPES))}.",
        )


def _first(world: World, id: str) -> dict[str, Any] | None:
    """Every workspace has the tables of Azure's own services from its first day."""
    workspace = arm.parent_of(id)
    if arm.name_of(id) not in TABLES or not world.exists(workspace):
        return None
    return {
        "resourceGroupName": arm.name_of(str(arm.group_of(id))),
        "workspaceName": arm.name_of(workspace),
        "tableName": arm.name_of(id),
        "plan": "Analytics",
    }


def _is_custom(resource: Resource) -> None:
    refuse_unless(
        resource.name.endswith("_CL"),
        "InvalidParameter",
        f"Table {resource.name} belongs to the workspace and cannot be deleted; custom tables can.",
    )


def _table(request: Request) -> dict[str, Any]:
    days, total = request.get("retentionInDays", -1), request.get("totalRetentionInDays", -1)
    return {
        "plan": request.get("plan", "Analytics"),
        "provisioningState": "Succeeded",
        "retentionInDaysAsDefault": days == -1,
        "totalRetentionInDaysAsDefault": total == -1,
    }


def _search_says_something(request: Request) -> None:
    for key in ("category", "displayName", "query"):
        refuse_unless(
            lookup(request.inputs, key) is UNKNOWN or bool(str(request.get(key, "")).strip()),
            "InvalidParameter",
            f"Saved search {request.name}: {key} is empty.",
        )
    alias = request.get("functionAlias")
    refuse_unless(
        alias is None or _ALIAS.match(alias) is not None,
        "InvalidParameter",
        f"Saved search {request.name}: functionAlias '{alias}' is no name of a function.",
    )


def _named_after_its_workspace(request: Request) -> None:
    workspace = request.get("properties.workspaceResourceId")
    product = request.get("plan.product")
    refuse_unless(
        product is None or product.startswith("OMSGallery/"),
        "BadRequest",
        f"Solution {request.name}: plan.product '{product}' must start with 'OMSGallery/'.",
    )
    refuse_unless(
        request.may_be("plan.publisher", "Microsoft"),
        "BadRequest",
        f"Solution {request.name}: plan.publisher '{request.get('plan.publisher')}' is not Microsoft.",
    )
    known = request.inputs.get("solutionName") is not UNKNOWN
    if isinstance(workspace, str) and isinstance(product, str) and known:
        wanted = f"{product.removeprefix('OMSGallery/')}({arm.name_of(workspace)})"
        refuse_unless(request.name == wanted, "BadRequest", f"Solution '{request.name}' must be named '{wanted}'.")
        refuse_unless(
            request.may_be("plan.name", wanted),
            "BadRequest",
            f"Solution '{request.name}': plan.name '{request.get('plan.name')}' must be '{wanted}'.",
        )


KINDS: Final = (
    Kind(
        token=TABLE,
        arm_type=f"{WORKSPACE_TYPE}/tables",
        path=("workspaceName", "tableName"),
        located=False,
        compute=_table,
        shape=(_plan_fits_the_table, _retention_is_allowed, _schema_fits_a_custom_table),
        leaving=(_is_custom,),
        first=_first,
    ),
    Kind(
        token="azure-native:operationalinsights:SavedSearch",
        arm_type=f"{WORKSPACE_TYPE}/savedSearches",
        path=("workspaceName", "savedSearchId"),
        located=False,
        required=("category", "displayName", "query"),
        shape=(_search_says_something,),
    ),
    Kind(
        token="azure-native:operationsmanagement:Solution",
        arm_type="Microsoft.OperationsManagement/solutions",
        path=("solutionName",),
        required=("plan", "properties"),
        links={"properties.workspaceResourceId": WORKSPACE_TYPE},
        shape=(_named_after_its_workspace,),
    ),
)
