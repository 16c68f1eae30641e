"""Data collection rules: what is collected, where it flows, and which resource a rule is bound to.

The service answers every fault of a rule with InvalidPayload and names the fault in a detail of its own; here
that detail stands at the start of the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.azure.metrics import ENDPOINT_TYPE, RULE_TYPE, WORKSPACE_TYPE, region
from rehearsal.cloud.azure.streams import COLUMN_TYPES, PROMETHEUS, STREAMS
from rehearsal.cloud.kinds import Kind, Request
from rehearsal.cloud.values import blocks, guid, lookup, may_be, text, texts

RULE: Final = "azure-native:monitor:DataCollectionRule"
ASSOCIATION: Final = "azure-native:monitor:DataCollectionRuleAssociation"
LOGS_TYPE: Final = "Microsoft.OperationalInsights/workspaces"
CONFIGURATION_ACCESS: Final = "configurationAccessEndpoint"
_SOURCE: Final = re.compile(r"\bsource\b")


def _refuse(detail: str, message: str) -> NoReturn:
    raise CloudError("InvalidPayload", f"Data collection rule is invalid: {detail}: {message}")


def _lists(request: Request, path: str) -> Iterator[Mapping[str, Any]]:
    """The blocks of every list below a path, whatever the lists are called."""
    found = request.get(path, {})
    for key in found if isinstance(found, Mapping) else ():
        yield from blocks(found, key)


def _destinations(request: Request) -> dict[str, str]:
    """The names of the destinations that are known, with the list that each stands in."""
    found = request.get("destinations", {})
    named: dict[str, str] = {}
    for kind, value in found.items() if isinstance(found, Mapping) else ():
        for block in [value] if isinstance(value, Mapping) else blocks(found, kind):
            name = text(block, "name")
            if name is not None and name in named:
                _refuse("InvalidDestination", f"two destinations are named '{name}'.")
            if name is not None:
                named[name] = kind
    return named


def _all_destinations_known(request: Request) -> bool:
    found = request.get("destinations", {})
    unknown = lookup(request.inputs, "destinations") is UNKNOWN
    values = found.values() if isinstance(found, Mapping) else ()
    singles = [block for value in values for block in (value if isinstance(value, (list, tuple)) else [value])]
    return not unknown and all(block is not UNKNOWN and lookup(block, "name") is not UNKNOWN for block in singles)


def _kind_is_known(request: Request) -> None:
    if not request.may_be("kind", None, "Linux", "Windows"):
        _refuse("InvalidKind", f"kind '{request.get('kind')}' is not Linux or Windows.")


def _streams_are_declared(request: Request) -> None:
    declared = request.get("streamDeclarations", {})
    complete = lookup(request.inputs, "streamDeclarations") is not UNKNOWN
    for name, declaration in declared.items():
        if not name.startswith("Custom-"):
            _refuse("InvalidStreamDeclaration", f"declared stream '{name}' must start with 'Custom-'.")
        if lookup(declaration, "columns") in (None, [], ()):
            _refuse("InvalidStreamDeclaration", f"declared stream '{name}' has no columns.")
        for column in blocks(declaration, "columns"):
            if not may_be(column, "type", *COLUMN_TYPES):
                _refuse(
                    "InvalidStreamDeclaration",
                    f"column '{column.get('name')}' of '{name}' has type '{column.get('type')}'; allowed are "
                    f"{', '.join(sorted(COLUMN_TYPES))}.",
                )
    for block in (*_lists(request, "dataSources"), *request.blocks("dataFlows")):
        for stream in texts(block, "streams"):
            if stream.startswith("Custom-"):
                if complete and stream not in declared:
                    _refuse("InvalidStream", f"custom stream '{stream}' is not declared in streamDeclarations.")
            elif stream not in STREAMS:
                _refuse("InvalidStream", f"'Streams' stream '{stream}' must be a custom stream or a known one.")


def _sources_are_named_once(request: Request) -> None:
    seen: set[str] = set()
    for source in _lists(request, "dataSources"):
        name = text(source, "name")
        if name in seen:
            _refuse("InvalidDataSource", f"two data sources are named '{name}'.")
        if lookup(source, "streams") in (None, [], ()):
            _refuse("InvalidDataSource", f"data source '{name}' has no streams.")
        seen |= {name} if name is not None else set()
    for extension in request.blocks("dataSources.extensions"):
        if lookup(extension, "extensionName") is None:
            _refuse("InvalidDataSource", f"extension '{extension.get('name')}' has no extensionName.")


def _flows_lead_somewhere(request: Request) -> None:
    named = _destinations(request)
    if not request.given("dataFlows") or request.get("dataFlows") in ([], ()):
        _refuse("InvalidDataFlow", "there are no dataFlows.")
    for flow in request.blocks("dataFlows"):
        for key in ("streams", "destinations"):
            if lookup(flow, key) in (None, [], ()):
                _refuse("InvalidDataFlow", f"a data flow has no {key}.")
        for destination in texts(flow, "destinations"):
            if destination not in named and _all_destinations_known(request):
                _refuse("InvalidDataFlow", f"destination '{destination}' of a data flow is not declared.")
            for stream in texts(flow, "streams"):
                if destination in named and (stream == PROMETHEUS) != (named[destination] == "monitoringAccounts"):
                    _refuse("InvalidDataFlow", f"stream '{stream}' cannot flow to '{destination}'.")
        _flow_is_transformed_right(flow, named)


def _flow_is_transformed_right(flow: Mapping[str, Any], named: Mapping[str, str]) -> None:
    query, output = text(flow, "transformKql"), lookup(flow, "outputStream")
    custom = any(stream.startswith("Custom-") for stream in texts(flow, "streams"))
    to_logs = any(named.get(name) == "logAnalytics" for name in texts(flow, "destinations"))
    if query is not None and not _SOURCE.search(query):
        _refuse("InvalidTransformQuery", f"the query '{query}' does not read from 'source'.")
    if query is not None and len(texts(flow, "streams")) > 1:
        _refuse("InvalidDataFlow", "a data flow with transformKql takes one stream.")
    if custom and to_logs and output is None:
        _refuse("InvalidDataFlow", "a data flow with a custom stream needs an outputStream.")
    if isinstance(output, str) and not output.startswith(("Custom-", "Microsoft-")):
        _refuse("InvalidOutputStream", f"outputStream '{output}' must start with 'Custom-' or 'Microsoft-'.")


def _endpoint_is_there(request: Request) -> None:
    if request.get("dataSources.prometheusForwarder") and not request.given("dataCollectionEndpointId"):
        _refuse("DataCollectionEndpointRequired", "a rule for Prometheus needs dataCollectionEndpointId.")


def _lies_with_what_it_uses(request: Request) -> None:
    for path, id in (
        ("dataCollectionEndpointId", request.get("dataCollectionEndpointId")),
        *(("workspaceResourceId", text(block, "workspaceResourceId")) for block in _logs(request)),
        *(
            ("accountResourceId", text(block, "accountResourceId"))
            for block in request.blocks("destinations.monitoringAccounts")
        ),
    ):
        found = request.world.find(str(id))
        if found is not None and region(found.inputs.get("location")) != region(request.get("location")):
            _refuse(
                "InvalidLocation",
                f"the rule lies in {request.get('location')}, {path} {id} in {found.inputs.get('location')}.",
            )


def _logs(request: Request) -> Iterator[Mapping[str, Any]]:
    return request.blocks("destinations.logAnalytics")


def _output_tables_exist(request: Request) -> None:
    workspaces = {text(block, "name"): text(block, "workspaceResourceId") for block in _logs(request)}
    for flow in request.blocks("dataFlows"):
        output = text(flow, "outputStream") or ""
        if not output.startswith("Custom-"):
            continue
        for name in texts(flow, "destinations"):
            workspace = workspaces.get(name)
            table = f"{workspace}/tables/{output.removeprefix('Custom-')}"
            # Of a workspace of the estate nobody here knows the tables.
            if workspace and request.world.find(workspace) and not request.world.exists(table):
                _refuse(
                    "InvalidOutputTable",
                    f"Table for output stream '{output}' is not available for destination '{name}'. Please ensure "
                    "that the table exists in Log Analytics Workspace before creating or updating the rule.",
                )


def _rule(request: Request) -> dict[str, Any]:
    return {"immutableId": f"dcr-{guid(request.id, 'immutable').replace('-', '')}", "provisioningState": "Succeeded"}


def _one_target_by_its_name(request: Request) -> None:
    rule, endpoint = request.given("dataCollectionRuleId"), request.given("dataCollectionEndpointId")
    if rule == endpoint:
        raise CloudError(
            "InvalidPayload",
            f"Association {request.name} names {'both a rule and an endpoint' if rule else 'neither'}; exactly one "
            "of dataCollectionRuleId and dataCollectionEndpointId is needed.",
        )
    if request.inputs.get("associationName") is not UNKNOWN and endpoint != (request.name == CONFIGURATION_ACCESS):
        raise CloudError(
            "InvalidPayload",
            f"Association {request.name}: an endpoint is associated under the name '{CONFIGURATION_ACCESS}', "
            "and a rule is not.",
        )


def _association(request: Request) -> dict[str, Any]:
    return {"provisioningState": "Succeeded"}


KINDS: Final = (
    Kind(
        token=RULE,
        arm_type=RULE_TYPE,
        path=("dataCollectionRuleName",),
        links={
            "dataCollectionEndpointId": ENDPOINT_TYPE,
            "destinations.logAnalytics[*].workspaceResourceId": LOGS_TYPE,
            "destinations.monitoringAccounts[*].accountResourceId": WORKSPACE_TYPE,
        },
        compute=_rule,
        shape=(
            _kind_is_known,
            _streams_are_declared,
            _sources_are_named_once,
            _flows_lead_somewhere,
            _endpoint_is_there,
        ),
        world=(_lies_with_what_it_uses, _output_tables_exist),
    ),
    Kind(
        token=ASSOCIATION,
        arm_type="Microsoft.Insights/dataCollectionRuleAssociations",
        path=("associationName",),
        scope="resourceUri",
        located=False,
        links={"dataCollectionRuleId": RULE_TYPE, "dataCollectionEndpointId": ENDPOINT_TYPE},
        compute=_association,
        shape=(_one_target_by_its_name,),
    ),
)
