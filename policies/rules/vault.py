"""Vaults, and secrets that are not in one."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import Properties, Resource, Stack, each, get, kind, production
from policies.rule import ADVISORY, MANDATORY, on_resource, on_stack

VAULT = "keyvault:Vault"
KEY = "keyvault:Key"


@on_resource(
    "vault-rbac",
    VAULT,
    severity=MANDATORY,
    reason="Access policies give rights that stand in no role assignment, so that nobody finds them in the list.",
    remedy="Set enableRbacAuthorization, remove accessPolicies and grant roles.",
    psrule=("Azure.KeyVault.RBAC", "Azure.KeyVault.AccessPolicy"),
)
def roles_decide(type_: str, vault: Properties) -> Iterator[str]:
    if get(vault, "properties.enableRbacAuthorization") is not True:
        yield "access policies count instead of roles"
    if get(vault, "properties.accessPolicies"):
        yield "access policies are set"


@on_resource(
    "vault-soft-delete",
    VAULT,
    severity=MANDATORY,
    reason="A vault that is deleted by mistake could not be brought back.",
    remedy="Leave enableSoftDelete on.",
    psrule=("Azure.KeyVault.SoftDelete",),
)
def can_be_restored(type_: str, vault: Properties) -> Iterator[str]:
    if get(vault, "properties.enableSoftDelete") is False:
        yield "soft delete is off"


@on_resource(
    "vault-purge-protection",
    VAULT,
    severity=MANDATORY,
    reason="Whoever may delete a vault could also purge it, and every secret with it.",
    remedy="Set enablePurgeProtection; it cannot be taken back.",
    psrule=("Azure.KeyVault.PurgeProtect",),
)
def cannot_be_purged(type_: str, vault: Properties) -> Iterator[str]:
    if get(vault, "properties.enablePurgeProtection") is not True:
        yield "it can be purged"


PURPOSES = (frozenset({"sign", "verify"}), frozenset({"encrypt", "decrypt"}), frozenset({"wrapKey", "unwrapKey"}))
"""What one key may be for: signatures, secrets, or other keys."""


@on_stack(
    "key-purpose",
    severity=MANDATORY,
    reason="A key that leaves its vault proves and hides nothing; one for two purposes gives both to whoever has one.",
    remedy="Let keyOps be sign, verify; or encrypt, decrypt; or wrapKey, unwrapKey; and attributes.exportable false.",
)
def a_key_has_one_purpose_and_stays(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for key in stack.of(KEY):
        if key.get("properties.attributes.exportable") is not False:
            yield key, "it can be exported"
        operations = {*each(key.properties, "properties.keyOps.*")}
        if not operations:
            yield key, "it may do whatever keys can"
        elif not any(operations <= purpose for purpose in PURPOSES):
            yield key, f"it may {', '.join(sorted(operations))}: more than one purpose"


@on_resource(
    "vault-public-access",
    VAULT,
    severity=ADVISORY,
    reason="A production vault that answers the whole internet has tokens alone between an attacker and its secrets.",
    remedy="Set access below aks-cicd:vaults to private, or to restricted with allowedRanges.",
    psrule=("Azure.KeyVault.Firewall",),
)
def production_is_closed(type_: str, vault: Properties) -> Iterator[str]:
    closed = get(vault, "properties.publicNetworkAccess") == "Disabled"
    if production(vault) and not closed and get(vault, "properties.networkAcls.defaultAction") != "Deny":
        yield "it answers the whole internet"


@on_resource(
    "secret-in-state",
    "keyvault:Secret",
    "kubernetes:Secret",
    "devops:VariableGroup",
    "devops:BuildDefinition",
    severity=MANDATORY,
    reason="Whatever is declared stands in the state, and whoever reads the state has it.",
    remedy="Write the secret into a vault by hand, and let the job or the pod that needs it read it there.",
    psrule=("Azure.KeyVault.SecretName", "Azure.Deployment.SecretLeak"),
)
def no_secret_is_declared(type_: str, properties: Properties) -> Iterator[str]:
    if kind(type_) in ("keyvault:Secret", "kubernetes:Secret"):
        yield "it is a secret"
    for variable in each(properties, "variables.*"):
        if get(variable, "isSecret") or "secretValue" in variable:
            yield f"the variable {get(variable, 'name')} is a secret"
    if get(properties, "keyVault"):
        yield "it hands the secrets of a vault to every job that uses it"
