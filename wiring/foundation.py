"""What an environment stands on: logs, network, vaults, registry."""

from __future__ import annotations

from components.network import Network, NetworkArgs, Peering
from components.observability.logs import Logs, LogsArgs
from components.placement import Placement
from components.registry import BorrowedRegistryArgs, RegistryArgs
from components.signing import SigningKeyArgs
from components.vault import SecretStore, VaultArgs
from contract import Images
from settings import Settings, Vault


def logs(settings: Settings, place: Placement) -> LogsArgs:
    return LogsArgs(place, **settings.logs.model_dump())


def network(settings: Settings, place: Placement, logs: Logs) -> NetworkArgs:
    return NetworkArgs(
        place,
        address_space=settings.network.address_space,
        subnets=settings.subnets,
        egress=settings.network.egress,
        zones=settings.egress_zones,
        workspace_id=logs.workspace_id,
        hub=Peering(**settings.network.hub.model_dump()) if settings.network.hub else None,
        private_zones=settings.private_zones,
        service_endpoints=settings.service_endpoints,
    )


def workload_vault(settings: Settings, place: Placement, logs: Logs, network: Network) -> VaultArgs:
    return _vault(settings, place, settings.vaults.workload, place.names.workload_vault, logs, network)


def ci_vault(settings: Settings, place: Placement, logs: Logs, network: Network) -> VaultArgs:
    assert settings.vaults.ci, "only where delivery lives"
    return _vault(settings, place, settings.vaults.ci, place.names.ci_vault, logs, network)


def signing_key(place: Placement, ci_vault: SecretStore) -> SigningKeyArgs:
    return SigningKeyArgs(place, vault_name=ci_vault.name)


def _vault(
    settings: Settings, place: Placement, wanted: Vault, physical_name: str, logs: Logs, network: Network
) -> VaultArgs:
    return VaultArgs(
        place,
        physical_name=physical_name,
        tenant_id=settings.azure.tenant_id,
        access=wanted.access,
        soft_delete_days=wanted.soft_delete_days,
        workspace_id=logs.workspace_id,
        allowed_ranges=wanted.allowed_ranges,
        allowed_subnet_ids=(network.subnet_ids["nodes"],),
        link=network.private_links.get("vault"),
    )


def registry(settings: Settings, place: Placement, logs: Logs, network: Network) -> RegistryArgs:
    assert settings.registry, "only where an environment has one of its own"
    return RegistryArgs(
        place,
        access=settings.registry.access,
        workspace_id=logs.workspace_id,
        allowed_ranges=network.admitting(settings.registry.allowed_ranges),
        untagged_retention_days=settings.registry.untagged_retention_days,
        soft_delete_days=settings.registry.soft_delete_days,
        zone_redundant=settings.registry.zone_redundant,
        replicas=settings.registry.replicas,
        link=network.private_links.get("registry"),
    )


def borrowed_registry(place: Placement, images: Images, network: Network) -> BorrowedRegistryArgs:
    return BorrowedRegistryArgs(place, images.id, link=network.private_links["registry"])
