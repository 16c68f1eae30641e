"""Key vaults. Their names live in one world-wide space and stay taken after a soft delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.azure.registry import check_public_range
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid

VAULT: Final = "azure-native:keyvault:Vault"
KEY: Final = "azure-native:keyvault:Key"


def _tenant_is_ours(request: Request) -> None:
    tenant = request.get("properties.tenantId")
    ours = request.world.estate.tenant_id
    refuse_unless(
        tenant is None or arm.same(str(tenant), ours),
        "BadRequest",
        f"Vault {request.name}: tenant '{tenant}' is not the tenant of its subscription, '{ours}'.",
    )
    refuse_unless(
        request.given("properties.tenantId"),
        "BadRequest",
        f"Vault {request.name}: properties.tenantId is missing.",
    )


def _sku_is_known(request: Request) -> None:
    refuse_unless(
        request.may_be("properties.sku.name", "standard", "premium") and request.may_be("properties.sku.family", "A"),
        "BadRequest",
        f"Vault {request.name}: the sku must be family A, name standard or premium.",
    )


def _soft_delete_stays(request: Request) -> None:
    refuse_unless(
        request.get("properties.enableSoftDelete") is not False,
        "BadRequest",
        f"Vault {request.name}: enableSoftDelete cannot be false.",
    )
    refuse_unless(
        request.get("properties.enablePurgeProtection") is not False,
        "BadRequest",
        f'The property "enablePurgeProtection" cannot be set to false for vault {request.name}: leave it out.',
    )
    days = request.get("properties.softDeleteRetentionInDays", 90)
    refuse_unless(
        7 <= days <= 90,
        "BadRequest",
        f"Vault {request.name}: softDeleteRetentionInDays is {days}; allowed are 7 to 90.",
    )


def _purge_protection_stays(request: Request) -> None:
    before = request.old.inputs.get("properties", {}) if request.old is not None else {}
    refuse_unless(
        before.get("enablePurgeProtection") is not True or request.get("properties.enablePurgeProtection") is True,
        "BadRequest",
        f"Vault {request.name}: purge protection is irreversible.",
    )


def _rules_are_public(request: Request) -> None:
    for rule in request.blocks("properties.networkAcls.ipRules"):
        check_public_range(request, rule.get("value"), "BadRequest")


def _access_is_one_model(request: Request) -> None:
    rbac = request.may_be("properties.enableRbacAuthorization", True)
    refuse_unless(
        rbac or request.given("properties.accessPolicies"),
        "BadRequest",
        f"Vault {request.name}: without enableRbacAuthorization the property accessPolicies is required.",
    )


def _vault(request: Request) -> dict[str, Any]:
    properties = dict(request.get("properties") or {})
    properties.setdefault("enableSoftDelete", True)
    properties.setdefault("softDeleteRetentionInDays", 90)
    properties |= {"vaultUri": f"https://{request.name}.vault.azure.net/", "provisioningState": "Succeeded"}
    properties["hsmPoolResourceId"] = ""
    return {"properties": properties}


def _key(request: Request) -> dict[str, Any]:
    """A key that exists is answered as it is, whatever is asked for later; so it has one version here."""
    vault = request.get("vaultName", "unknown")
    uri = f"https://{vault}.vault.azure.net/keys/{request.name}"
    properties = request.get("properties") or {}
    kept = ("attributes", "keyOps", "keySize", "kty")
    said = {key: properties[key] for key in kept if key in properties}
    return {**said, "keyUri": uri, "keyUriWithVersion": f"{uri}/{guid(request.id, 'version').replace('-', '')}"}


def _key_can_be_made(request: Request) -> None:
    refuse_unless(
        request.may_be("properties.kty", "RSA", "RSA-HSM", "EC", "EC-HSM"),
        "BadParameter",
        f"Key {request.name}: kty must be RSA, RSA-HSM, EC or EC-HSM.",
    )
    refuse_unless(
        not str(request.get("properties.kty", "")).startswith("RSA")
        or request.may_be("properties.keySize", None, 2048, 3072, 4096),
        "BadParameter",
        f"Key {request.name}: keySize must be 2048, 3072 or 4096.",
    )


def _rotation_fits(request: Request) -> None:
    """Source: Microsoft's page on rotation of keys."""
    expires = request.given("properties.rotationPolicy.attributes.expiryTime")
    for action in request.blocks("properties.rotationPolicy.lifetimeActions"):
        trigger = action.get("trigger")
        refuse_unless(
            expires or not isinstance(trigger, Mapping) or "timeBeforeExpiry" not in trigger,
            "BadParameter",
            f"Key {request.name}: what never expires has no time before it does (timeBeforeExpiry).",
        )


KINDS: Final = (
    Kind(
        token=KEY,
        arm_type="Microsoft.KeyVault/vaults/keys",
        path=("vaultName", "keyName"),
        located=False,
        required=("properties",),
        compute=_key,
        shape=(_key_can_be_made, _rotation_fits),
    ),
    Kind(
        token=VAULT,
        arm_type="Microsoft.KeyVault/vaults",
        path=("vaultName",),
        required=("properties",),
        compute=_vault,
        shape=(_tenant_is_ours, _sku_is_known, _soft_delete_stays, _access_is_one_model, _rules_are_public),
        world=(_purge_protection_stays,),
        fixed={"properties.softDeleteRetentionInDays": "BadRequest", "properties.tenantId": "BadRequest"},
        name_taken="VaultAlreadyExists",
        # Soft delete cannot be switched off, so a deleted vault always keeps its name until it is purged.
        soft_deleted=True,
    ),
)
