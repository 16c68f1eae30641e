"""Where state lies: storage that only Entra tokens open, and the key that seals the secrets in it.

What was overwritten or deleted can be brought back: every write keeps the version before, blobs and the container are
deleted softly, and nobody who works with state may purge either. The key is renewed every year and its versions never
expire, because a state that was sealed with an old version needs that version to be read.

What it does not do: it moves no state, and it makes no environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Output, ResourceOptions
from pulumi_azure_native import keyvault, storage
from pulumi_azure_native.monitor import (
    DiagnosticSetting,
    DiagnosticsLogSettingsArgs,
    DiagnosticsMetricSettingsArgs,
)

from bootstrap.rights import Store, administrator
from components.access import grant
from components.observability.logs import Logs
from components.placement import Placement
from components.vault import SecretStore, VaultArgs

CONTAINER = "state"
KEY = "state"
ROTATED = "P1Y"
"""How old a version of the key is when the next one is made; ISO 8601."""


@dataclass(frozen=True)
class StateStoreArgs:
    place: Placement
    tenant_id: str
    logs: Logs
    administrators: Sequence[str]
    """Object ids of groups."""
    restricted: bool
    allowed_ranges: tuple[str, ...]
    """Public ranges in CIDR notation; count where it is restricted."""
    recovery_days: int
    redundancy: str


def rules(ranges: Sequence[str]) -> list[str]:
    """The ranges as the firewall of a storage account takes them: a single address alone, and nothing smaller than
    four addresses as a range."""
    found = []
    for cidr in ranges:
        address, _, length = cidr.partition("/")
        head, _, last = address.rpartition(".")
        single = {"32": [address], "31": [address, f"{head}.{int(last) + 1}"]}
        found += single.get(length, [cidr])
    return found


class StateStore(ComponentResource):
    """Storage and key. `backend` and `secrets_provider` are what `pulumi login` and `--secrets-provider` take."""

    backend: Output[str]
    secrets_provider: Output[str]
    store: Store
    account_id: Output[str]
    vault_id: Output[str]

    def __init__(self, name: str, args: StateStoreArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:bootstrap:StateStore", name, None, opts)
        self._args = args
        account = self._account()
        container = self._container(account)
        vault = self._vault()
        key = self._key(vault)
        self.store = Store(container.id, key.id)
        self.account_id, self.vault_id = account.id, vault.id
        self.backend = Output.concat("azblob://", container.name, "?storage_account=", account.name)
        # With its version: what was sealed with this one is opened with this one, whichever is the newest.
        self.secrets_provider = key.key_uri_with_version.apply(lambda uri: uri.replace("https://", "azurekeyvault://"))
        for number, group in enumerate(args.administrators, 1):
            for purpose, right in administrator(number, self.store).items():
                grant(purpose, right.role, to=group, on=right.scope, names=args.place.names, parent=self, kind="Group")
        self.register_outputs({"backend": self.backend, "secretsProvider": self.secrets_provider})

    def _account(self) -> storage.StorageAccount:
        args, place = self._args, self._args.place
        return storage.StorageAccount(
            "state",
            account_name=place.names.storage_account,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            kind=storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name=f"Standard_{args.redundancy}"),
            access_tier=storage.AccessTier.HOT,
            # Entra ID alone: a key of the account would be a right that stands in no role assignment.
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            allowed_copy_scope=storage.AllowedCopyScope.AAD,
            is_local_user_enabled=False,
            enable_https_traffic_only=True,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            encryption=storage.EncryptionArgs(
                key_source=storage.KeySource.MICROSOFT_STORAGE, require_infrastructure_encryption=True
            ),
            public_network_access=storage.PublicNetworkAccess.ENABLED,
            network_rule_set=storage.NetworkRuleSetArgs(
                bypass="AzureServices",
                default_action=storage.DefaultAction.DENY if args.restricted else storage.DefaultAction.ALLOW,
                ip_rules=[
                    storage.IPRuleArgs(i_p_address_or_range=each, action=storage.Action.ALLOW)
                    for each in rules(args.allowed_ranges)
                    if args.restricted
                ],
            ),
            opts=ResourceOptions(parent=self, protect=True),
        )

    def _container(self, account: storage.StorageAccount) -> storage.BlobContainer:
        args, place = self._args, self._args.place
        kept = storage.DeleteRetentionPolicyArgs(enabled=True, days=args.recovery_days)
        service = storage.BlobServiceProperties(
            "state-service",
            blob_services_name="default",
            account_name=account.name,
            resource_group_name=place.resource_group,
            is_versioning_enabled=True,
            delete_retention_policy=kept,
            container_delete_retention_policy=kept,
            opts=ResourceOptions(parent=self, protect=True),
        )
        self._log_access(service)
        return storage.BlobContainer(
            "state-container",
            container_name=CONTAINER,
            account_name=account.name,
            resource_group_name=place.resource_group,
            public_access=storage.PublicAccess.NONE,
            # From its first blob on, versions are kept.
            opts=ResourceOptions(parent=self, protect=True, depends_on=[service]),
        )

    def _vault(self) -> SecretStore:
        args, place = self._args, self._args.place
        return SecretStore(
            "key-vault",
            VaultArgs(
                place,
                physical_name=place.names.key_vault,
                tenant_id=args.tenant_id,
                access="restricted" if args.restricted else "public",
                soft_delete_days=args.recovery_days,
                workspace_id=args.logs.workspace_id,
                allowed_ranges=args.allowed_ranges,
            ),
            ResourceOptions(parent=self),
        )

    def _key(self, vault: SecretStore) -> keyvault.Key:
        return keyvault.Key(
            "state-key",
            key_name=KEY,
            vault_name=vault.name,
            resource_group_name=self._args.place.resource_group,
            tags=self._args.place.tags,
            properties=keyvault.KeyPropertiesArgs(
                kty=keyvault.JsonWebKeyType.RSA,
                key_size=3072,
                key_ops=["encrypt", "decrypt"],
                attributes=keyvault.KeyAttributesArgs(enabled=True, exportable=False),
                rotation_policy=keyvault.RotationPolicyArgs(
                    # No expiry: an old state still needs the version that it was sealed with.
                    lifetime_actions=[
                        keyvault.LifetimeActionArgs(
                            action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.ROTATE),
                            trigger=keyvault.TriggerArgs(time_after_create=ROTATED),
                        )
                    ]
                ),
            ),
            opts=ResourceOptions(parent=self, protect=True),
        )

    def _log_access(self, service: storage.BlobServiceProperties) -> None:
        """Who read or wrote which state. The service has the categories, the account has none."""
        DiagnosticSetting(
            "state-diagnostics",
            name=self._args.place.names.diagnostic_setting,
            resource_uri=service.id,
            workspace_id=self._args.logs.workspace_id,
            logs=[
                DiagnosticsLogSettingsArgs(category=category, enabled=True)
                for category in ("StorageRead", "StorageWrite", "StorageDelete")
            ],
            metrics=[DiagnosticsMetricSettingsArgs(category="Transaction", enabled=True)],
            opts=ResourceOptions(parent=self),
        )
