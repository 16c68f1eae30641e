"""Registries: who gets in, and which images stay."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import Properties, get, kind, production
from policies.rule import ADVISORY, MANDATORY, on_resource

REGISTRY = "containerregistry:Registry"


@on_resource(
    "registry-admin-user",
    REGISTRY,
    severity=MANDATORY,
    reason="The admin user is a password that everybody shares and that no grant limits.",
    remedy="Leave adminUserEnabled off and grant a role to an identity.",
    psrule=("Azure.ACR.AdminUser",),
    cis=("5.1.2",),
)
def no_admin_user(type_: str, registry: Properties) -> Iterator[str]:
    if get(registry, "adminUserEnabled"):
        yield "the admin user is on"


@on_resource(
    "registry-anonymous-pull",
    REGISTRY,
    severity=MANDATORY,
    reason="Whoever finds the registry could read every image in it.",
    remedy="Leave anonymousPullEnabled off.",
    psrule=("Azure.ACR.AnonymousAccess",),
    cis=("5.1.2",),
)
def no_anonymous_pull(type_: str, registry: Properties) -> Iterator[str]:
    if get(registry, "anonymousPullEnabled"):
        yield "anybody may pull"


@on_resource(
    "registry-back-door",
    "containerregistry:*",
    severity=MANDATORY,
    reason="Tokens, tasks and connected registries write to a registry beside the roles that are granted on it.",
    remedy="Grant a role to an identity instead.",
)
def roles_alone_open_it(type_: str, properties: Properties) -> Iterator[str]:
    if kind(type_) not in (REGISTRY, "containerregistry:Replication"):
        yield f"a {kind(type_).partition(':')[2]} opens a registry beside its roles"


@on_resource(
    "registry-sku",
    REGISTRY,
    severity=MANDATORY,
    reason="Basic's throughput does not carry pipelines and clusters.",
    remedy="Choose Standard or Premium.",
    psrule=("Azure.ACR.MinSku",),
)
def more_than_basic(type_: str, registry: Properties) -> Iterator[str]:
    if get(registry, "sku.name") not in ("Standard", "Premium"):
        yield f"the sku is {get(registry, 'sku.name')}"


@on_resource(
    "registry-public-access",
    REGISTRY,
    severity=ADVISORY,
    reason="A production registry that answers the whole internet has tokens alone between an attacker and its images.",
    remedy="Set aks-cicd:registry.access to private, or to restricted with allowedRanges.",
    psrule=("Azure.ACR.Firewall",),
)
def production_is_closed(type_: str, registry: Properties) -> Iterator[str]:
    closed = get(registry, "publicNetworkAccess") == "Disabled"
    if production(registry) and not closed and get(registry, "networkRuleSet.defaultAction") != "Deny":
        yield "it answers the whole internet"


@on_resource(
    "registry-live-images",
    REGISTRY,
    severity=MANDATORY,
    reason="An image that runs by digest may have lost its tag; purged, it is missing when its pod moves.",
    remedy="Remove the retention policy; soft delete keeps what somebody deletes.",
)
def production_purges_nothing(type_: str, registry: Properties) -> Iterator[str]:
    if production(registry) and get(registry, "policies.retentionPolicy.status") == "enabled":
        yield "untagged manifests are purged"


@on_resource(
    "registry-soft-delete",
    REGISTRY,
    severity=ADVISORY,
    reason="What somebody deletes from the production registry would be gone at once.",
    remedy="Set aks-cicd:registry.softDeleteDays.",
    psrule=("Azure.ACR.SoftDelete",),
)
def production_can_restore(type_: str, registry: Properties) -> Iterator[str]:
    if production(registry) and get(registry, "policies.softDeletePolicy.status") != "enabled":
        yield "deleted images cannot be restored"
