"""Container registries and their replications."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.kinds import Kind, Request, refuse_unless

REGISTRY: Final = "azure-native:containerregistry:Registry"
REPLICATION: Final = "azure-native:containerregistry:Replication"
_TYPE: Final = "Microsoft.ContainerRegistry/registries"

# What only sku Premium has: path, the values that ask for it. Source: Microsoft's page on registry tiers.
PREMIUM: Final[tuple[tuple[str, tuple[Any, ...]], ...]] = (
    ("policies.retentionPolicy.status", ("enabled",)),
    ("policies.trustPolicy.status", ("enabled",)),
    ("policies.quarantinePolicy.status", ("enabled",)),
    ("policies.exportPolicy.status", ("disabled",)),
    ("networkRuleSet.defaultAction", ("Deny",)),
    ("publicNetworkAccess", ("Disabled",)),
    ("dataEndpointEnabled", (True,)),
    ("zoneRedundancy", ("Enabled",)),
    ("encryption.status", ("enabled",)),
)


def _sku_is_known(request: Request) -> None:
    refuse_unless(
        request.may_be("sku.name", "Basic", "Standard", "Premium"),
        "SkuNotSupported",
        f"Registry {request.name}: sku '{request.get('sku.name')}' is not one of Basic, Standard, Premium.",
    )


def _premium_has_its_price(request: Request) -> None:
    if request.may_be("sku.name", "Premium"):
        return
    sku = request.get("sku.name")
    asked = [path for path, values in PREMIUM if request.get(path) in values]
    if request.get("networkRuleSet.ipRules"):
        asked.append("networkRuleSet.ipRules")
    refuse_unless(
        not asked,
        "SkuNotSupported",
        f"Registry {request.name}: {', '.join(asked)} not supported for sku {sku}.",
    )
    refuse_unless(
        request.get("anonymousPullEnabled") is not True or sku == "Standard",
        "SkuNotSupported",
        f"Registry {request.name}: anonymousPullEnabled is not supported for sku {sku}.",
    )


def _policies_agree(request: Request) -> None:
    for path in ("retentionPolicy", "softDeletePolicy", "trustPolicy", "quarantinePolicy", "exportPolicy"):
        status = request.get(f"policies.{path}.status", "disabled")
        refuse_unless(
            status in ("enabled", "disabled"),
            "InvalidPolicyStatus",
            f"Registry {request.name}: policies.{path}.status is '{status}'; allowed are enabled and disabled.",
        )
    retention = request.get("policies.retentionPolicy.status") == "enabled"
    soft = request.get("policies.softDeletePolicy.status") == "enabled"
    refuse_unless(
        not (retention and soft),
        "PolicyConflict",
        f"Registry {request.name}: retentionPolicy and softDeletePolicy cannot both be enabled.",
    )
    _days(request, "policies.retentionPolicy.days", 0, 365)
    _days(request, "policies.softDeletePolicy.retentionDays", 1, 90)
    if request.get("policies.exportPolicy.status") == "disabled":
        refuse_unless(
            request.may_be("publicNetworkAccess", "Disabled"),
            "ExportPolicyNotSupported",
            f"Registry {request.name}: exportPolicy disabled needs publicNetworkAccess Disabled.",
        )


def _days(request: Request, path: str, least: int, most: int) -> None:
    days = request.get(path)
    refuse_unless(
        days is None or least <= days <= most,
        "InvalidPolicyDays",
        f"Registry {request.name}: {path} is {days}; allowed are {least} to {most}.",
    )


def _rules_are_public(request: Request) -> None:
    for rule in request.blocks("networkRuleSet.ipRules"):
        check_public_range(request, rule.get("iPAddressOrRange"), "InvalidNetworkRule")


def check_public_range(request: Request, text: object, code: str) -> None:
    """A firewall rule takes a public IPv4 address or range."""
    if not isinstance(text, str):
        return
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as problem:
        raise CloudError(code, f"{request.name}: '{text}' is not an IPv4 address or range: {problem}.") from problem
    # The documentation ranges count as public here, so that examples need not name a real host.
    documentation = any(network.subnet_of(ipaddress.IPv4Network(base)) for base in _DOCUMENTATION)
    refuse_unless(
        network.is_global or documentation,
        code,
        f"{request.name}: '{text}' is not a public range, so no caller comes from it.",
    )


_DOCUMENTATION: Final = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")


def _dependants_agree(request: Request) -> None:
    """What was attached to a registry stays valid when the registry changes."""
    for other in request.world.under(request.id):
        if other.type_ == REPLICATION:
            _replicable(request.inputs, request.id)
    if request.old is not None and not request.may_be("sku.name", "Premium"):
        for other in request.world.users_of(request.id):
            refuse_unless(
                other.type_ != "azure-native:network:PrivateEndpoint",
                "SkuNotSupported",
                f"{request.id} has the private endpoint {other.id} and must stay Premium.",
            )


def _replicable(inputs: Any, id: str) -> None:
    refuse_unless(
        inputs.get("sku", {}).get("name") == "Premium",
        "SkuNotSupported",
        f"{id} must be Premium to be replicated.",
    )
    soft = (inputs.get("policies") or {}).get("softDeletePolicy") or {}
    refuse_unless(
        soft.get("status") != "enabled",
        "SoftDeletePolicyNotSupported",
        f"{id} has soft delete and cannot be replicated.",
    )


def _registry_is_replicable(request: Request) -> None:
    home = request.world.find(arm.parent_of(request.id))
    if home is not None:
        _replicable(home.inputs, home.id)
        refuse_unless(
            str(home.inputs.get("location")).lower() != str(request.get("location")).lower(),
            "InvalidReplicationLocation",
            f"{home.id} is at home in {request.get('location')} and needs no replication there.",
        )


def _registry(request: Request) -> dict[str, Any]:
    computed: dict[str, Any] = {
        "loginServer": f"{request.name}.azurecr.io",
        "provisioningState": "Succeeded",
        "creationDate": "2026-01-01T00:00:00Z",
        "dataEndpointHostNames": [],
        "privateEndpointConnections": [],
        "sku": {**(request.get("sku") or {}), "tier": request.get("sku.name")},
    }
    if request.get("dataEndpointEnabled") is True:
        computed["dataEndpointHostNames"] = [f"{request.name}.{request.get('location')}.data.azurecr.io"]
    return computed


def _replication(request: Request) -> dict[str, Any]:
    return {"provisioningState": "Succeeded"}


KINDS: Final = (
    Kind(
        token=REGISTRY,
        arm_type=_TYPE,
        path=("registryName",),
        required=("sku",),
        compute=_registry,
        shape=(_sku_is_known, _premium_has_its_price, _policies_agree, _rules_are_public),
        world=(_dependants_agree,),
        name_taken="AlreadyInUse",
        fixed={"zoneRedundancy": "ZoneRedundancyUpdateNotAllowed"},
        # Declared immutable by the API (x-ms-mutability: create, read).
    ),
    Kind(
        token=REPLICATION,
        arm_type=f"{_TYPE}/replications",
        path=("registryName", "replicationName"),
        compute=_replication,
        world=(_registry_is_replicable,),
        fixed={"zoneRedundancy": "ZoneRedundancyUpdateNotAllowed"},
    ),
)
