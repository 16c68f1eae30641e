"""Which resources the internet reaches, and who of it gets an answer.

One table: a kind without a line has no address of its own. Azure leaves open what is not closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rehearsal.graph import Resource


def public_endpoint(resource: Resource) -> str:
    """The host or address at which the internet reaches the resource; empty if it does not."""
    endpoint = PUBLIC.get(resource.kind)
    reached = endpoint(resource) if endpoint else ""
    if reached and _restricted(resource):
        return f"{reached} (listed addresses only)"
    return f"{reached} (Entra ID only)" if reached and only_entra(resource) else reached


def only_entra(resource: Resource) -> bool:
    """Whether a service of monitoring, public as its address is, takes nothing but tokens of Entra ID.

    Metrics workspaces and collection endpoints know no other way in; the others have keys unless told not to.
    """
    keyless = ONLY_ENTRA.get(resource.kind)
    return keyless is not None and keyless(resource)


def closed(resource: Resource, path: str) -> bool:
    """Azure leaves open what is not closed: only a plain "Disabled" counts."""
    return str(resource.get(path, "")).lower() == "disabled"


def _restricted(resource: Resource) -> bool:
    rules = ("networkRuleSet.defaultAction", "properties.networkAcls.defaultAction")
    listed = resource.get("apiServerAccessProfile.authorizedIPRanges")
    return bool(listed) or any(resource.get(path) == "Deny" for path in rules)


def access(resource: Resource, path: str) -> str:
    if closed(resource, path):
        return "private"
    return "restricted" if _restricted(resource) else "public"


def _unless_closed(path: str, host: str) -> Callable[[Resource], str]:
    return lambda r: "" if closed(r, path) else str(r.get(host, r.name))


def _api_server(resource: Resource) -> str:
    private = resource.get("apiServerAccessProfile.enablePrivateCluster", False)
    return "" if private else str(resource.get("fqdn", resource.name))


PUBLIC: Final[Mapping[str, Callable[[Resource], str]]] = {
    "containerservice:ManagedCluster": _api_server,
    "containerregistry:Registry": _unless_closed("publicNetworkAccess", "loginServer"),
    "keyvault:Vault": _unless_closed("properties.publicNetworkAccess", "properties.vaultUri"),
    "network:PublicIPAddress": lambda r: str(r.get("ipAddress", r.name)),
    "dashboard:Grafana": _unless_closed("properties.publicNetworkAccess", "properties.endpoint"),
    "operationalinsights:Workspace": _unless_closed("publicNetworkAccessForIngestion", "name"),
    "applicationinsights:Component": _unless_closed("publicNetworkAccessForIngestion", "name"),
    "monitor:AzureMonitorWorkspace": _unless_closed("publicNetworkAccess", "name"),
    "monitor:DataCollectionEndpoint": _unless_closed("networkAcls.publicNetworkAccess", "name"),
}

ONLY_ENTRA: Final[Mapping[str, Callable[[Resource], bool]]] = {
    "operationalinsights:Workspace": lambda r: bool(r.get("features.disableLocalAuth")),
    "applicationinsights:Component": lambda r: bool(r.get("disableLocalAuth")),
    "monitor:AzureMonitorWorkspace": lambda _: True,
    "monitor:DataCollectionEndpoint": lambda _: True,
    "dashboard:Grafana": lambda r: closed(r, "properties.apiKey"),
}
