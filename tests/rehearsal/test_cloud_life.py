"""What happens to things that exist: answers, updates, differences, deletes, locks, drift, previews."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from rehearsal.cloud import UNKNOWN, Cloud, CloudError
from rehearsal.cloud.azure import KINDS
from rehearsal.cloud.values import placed
from tests.rehearsal.landscape import (
    API,
    CLUSTER,
    CONTROL,
    GROUP,
    KUBELET,
    LANDSCAPE,
    NETWORK_CONTRIBUTOR,
    NODES,
    OTHER_SUBSCRIPTION,
    READER,
    REGION,
    REGISTRY,
    SUBSCRIPTION,
    TENANT,
    VAULT,
    VNET,
    WORKSPACE,
    before,
    estate,
    inputs_of,
    make,
    refused,
    type_of,
    whole,
)

_NET = VNET.rsplit("/", 2)[0]
_GROUP_ID = VNET.split("/providers/")[0]


def outputs(cloud: Cloud, id: str) -> Mapping[str, Any]:
    return cloud.resources[id.lower()].outputs


def update(cloud: Cloud, key: str, id: str, changes: Mapping[str, Any], *, preview: bool = False) -> dict[str, Any]:
    return cloud.update(type_of(key), id, inputs_of(key, changes), preview=preview).outputs


# Answers


def test_computed_values_are_what_the_services_compute() -> None:
    cloud = whole()
    cluster = outputs(cloud, CLUSTER)
    assert outputs(cloud, REGISTRY)["loginServer"] == "acrtest1.azurecr.io"
    assert outputs(cloud, VAULT)["properties"]["vaultUri"] == "https://kv-test-1.vault.azure.net/"
    assert outputs(cloud, CONTROL)["tenantId"] == TENANT
    assert cluster["currentKubernetesVersion"].startswith("1.36.")
    assert cluster["oidcIssuerProfile"]["issuerURL"].startswith(f"https://{REGION}.oic.prod-aks.azure.com/{TENANT}/")
    assert cluster["privateFQDN"].endswith(f".privatelink.{REGION}.azmk8s.io")
    assert outputs(cloud, f"{_NET}/publicIPAddresses/pip-test")["ipAddress"].startswith(("203.0.113.", "198.51.100."))
    endpoint = outputs(cloud, f"{_NET}/privateEndpoints/pe-registry")
    assert endpoint["customDnsConfigs"][0]["fqdn"] == "acrtest1.azurecr.io"
    assert endpoint["customDnsConfigs"][0]["ipAddresses"][0].startswith("10.0.5.")
    assert endpoint["networkInterfaces"][0]["id"].startswith(_NET)


def test_runs_are_repeatable() -> None:
    one, other = whole(), whole()
    assert {id: found.outputs for id, found in one.resources.items()} == {
        id: found.outputs for id, found in other.resources.items()
    }


def test_identities_of_a_cluster_go_in_as_a_list_and_come_out_as_a_map() -> None:
    cloud = whole()
    identities = outputs(cloud, CLUSTER)["identity"]["userAssignedIdentities"]
    assert identities[CONTROL]["principalId"] == outputs(cloud, CONTROL)["principalId"]
    assert identities[CONTROL]["clientId"] == outputs(cloud, CONTROL)["clientId"]


def test_the_kubelet_is_the_identity_that_was_given() -> None:
    cloud = whole()
    kubelet = outputs(cloud, CLUSTER)["identityProfile"]["kubeletidentity"]
    assert kubelet["objectId"] == outputs(cloud, KUBELET)["principalId"]


def test_a_cluster_brings_its_node_group_pools_and_add_on_identities() -> None:
    cloud = whole()
    addon = outputs(cloud, CLUSTER)["addonProfiles"]["omsagent"]["identity"]
    for number, scope in enumerate(
        (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-test-nodes", addon["resourceId"])
    ):
        name = f"30000000-0000-4000-8000-00000000010{number}"
        make(cloud, "may_pull", {"roleAssignmentName": name, "scope": scope})


def test_an_id_is_built_under_the_subscription_of_its_provider() -> None:
    cloud = Cloud(estate(subscriptions=frozenset({SUBSCRIPTION, OTHER_SUBSCRIPTION})))
    answer = cloud.create(type_of("group"), "g", inputs_of("group"), subscription=OTHER_SUBSCRIPTION)
    assert answer.id == f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-test"
    with refused("SubscriptionNotFound"):
        cloud.create(type_of("group"), "g", inputs_of("group"))
    with refused("SubscriptionNotFound"):
        cloud.create(type_of("group"), "g", inputs_of("group"), subscription=GROUP)


def test_ids_are_compared_without_case() -> None:
    cloud = whole()
    assert cloud.read(type_of("cluster"), CLUSTER.upper()) is not None
    make(cloud, "may_pull", {"roleAssignmentName": "30000000-0000-4000-8000-000000000200", "scope": VNET.upper()})


def test_a_second_stacks_estate_can_be_admitted_later() -> None:
    cloud = before("diagnostics")
    far = WORKSPACE.replace(SUBSCRIPTION, OTHER_SUBSCRIPTION)
    with refused("SubscriptionNotFound"):
        make(cloud, "diagnostics", {"workspaceId": far})
    cloud.admit(estate(subscriptions=frozenset({OTHER_SUBSCRIPTION}), resource_ids=frozenset({far})))
    make(cloud, "diagnostics", {"workspaceId": far})
    with pytest.raises(ValueError, match="one tenant"):
        cloud.admit(estate(tenant_id=GROUP))


def test_a_missing_name_is_made_up_and_then_kept() -> None:
    cloud = before("vnet")
    inputs = inputs_of("vnet", {"virtualNetworkName": None})
    first = cloud.named(type_of("vnet"), "net", inputs)
    again = cloud.named(type_of("vnet"), "net", inputs, {"virtualNetworkName": "old"})
    assert first["virtualNetworkName"].startswith("net")
    assert first == cloud.named(type_of("vnet"), "net", inputs)
    assert again["virtualNetworkName"] == "old"


def test_missing_required_inputs_are_seen_before_anything_is_sent() -> None:
    problems = whole().check(type_of("nodes"), {"virtualNetworkName": "x"})
    assert [key for key, _ in problems] == ["resourceGroupName"]


def test_the_kubeconfig_of_a_cluster_without_local_accounts_holds_no_key() -> None:
    cloud = whole()
    args = {"resourceGroupName": "rg-test", "resourceName": "aks-test"}
    answer = cloud.invoke("azure-native:containerservice:listManagedClusterUserCredentials", args)
    assert answer["kubeconfigs"][0]["name"] == "clusterUser"
    with refused("BadRequest", "local accounts"):
        cloud.invoke("azure-native:containerservice:listManagedClusterAdminCredentials", args)
    with refused("ResourceNotFound"):
        cloud.invoke(
            "azure-native:containerservice:listManagedClusterUserCredentials", args | {"resourceName": "aks-gone"}
        )
    assert cloud.invoke("azure-native:authorization:getClientConfig", {})["tenantId"] == TENANT


# Updates


@pytest.mark.parametrize(
    ("key", "id", "changes", "code"),
    [
        ("cluster", CLUSTER, {"dnsPrefix": "other"}, "PropertyChangeNotAllowed"),
        ("cluster", CLUSTER, {"nodeResourceGroup": "other"}, "PropertyChangeNotAllowed"),
        ("cluster", CLUSTER, {"networkProfile.podCidr": "192.168.0.0/17"}, "PropertyChangeNotAllowed"),
        ("cluster", CLUSTER, {"networkProfile.outboundType": "loadBalancer"}, "PropertyChangeNotAllowed"),
        ("cluster", CLUSTER, {"agentPoolProfiles[0].vmSize": "Standard_D8ds_v5"}, "PropertyChangeNotAllowed"),
        ("cluster", CLUSTER, {"agentPoolProfiles[0].osDiskSizeGB": 120}, "PropertyChangeNotAllowed"),
        ("cluster", CLUSTER, {"agentPoolProfiles[0].availabilityZones": ["1"]}, "PropertyChangeNotAllowed"),
        ("cluster", CLUSTER, {"kubernetesVersion": "1.35"}, "OperationNotAllowed"),
        ("pool", f"{CLUSTER}/agentPools/apps", {"vmSize": "Standard_D8ds_v5"}, "PropertyChangeNotAllowed"),
        ("pool", f"{CLUSTER}/agentPools/apps", {"osDiskType": "Managed"}, "PropertyChangeNotAllowed"),
        ("registry", REGISTRY, {"zoneRedundancy": "Enabled"}, "ZoneRedundancyUpdateNotAllowed"),
        ("vault", VAULT, {"properties.softDeleteRetentionInDays": 31}, "BadRequest"),
        ("vault", VAULT, {"properties.enablePurgeProtection": None}, "BadRequest"),
        (
            "endpoint",
            f"{_NET}/privateEndpoints/pe-registry",
            {"privateLinkServiceConnections[0].name": "other"},
            "PrivateEndpointUpdateNotAllowed",
        ),
        (
            "link",
            f"{_NET}/privateDnsZones/privatelink.azurecr.io/virtualNetworkLinks/to-vnet",
            {"virtualNetwork.id": LANDSCAPE["peering"][1]["remoteVirtualNetwork"]["id"]},
            "BadRequest",
        ),
        (
            "address",
            f"{_NET}/publicIPAddresses/pip-test",
            {"zones": ["1"]},
            "ResourceAvailabilityZonesCannotBeModified",
        ),
        ("nat", f"{_NET}/natGateways/nat-test", {"zones": ["1"]}, "ResourceAvailabilityZonesCannotBeModified"),
    ],
)
def test_what_is_fixed_at_creation_cannot_be_updated(key: str, id: str, changes: Mapping[str, Any], code: str) -> None:
    with refused(code):
        update(whole(), key, id, changes)


@pytest.mark.parametrize(
    "changes",
    [{"roleDefinitionId": READER}, {"scope": VNET}, {"principalId": GROUP, "principalType": "Group"}],
)
def test_a_grant_cannot_be_changed_in_place(changes: Mapping[str, Any]) -> None:
    cloud = whole()
    grant = next(id for id in cloud.resources if id.endswith("000000000004"))
    with refused("RoleAssignmentUpdateNotPermitted"):
        update(cloud, "may_pull", grant, changes)


def test_what_may_change_is_changed() -> None:
    cloud = whole()
    update(cloud, "cluster", CLUSTER, {"kubernetesVersion": "1.37", "tags": {"a": "b"}})
    assert outputs(cloud, CLUSTER)["currentKubernetesVersion"].startswith("1.37.")
    assert outputs(cloud, CLUSTER)["tags"] == {"a": "b"}


def test_an_upgrade_cannot_skip_a_minor_version() -> None:
    cloud = before("cluster")
    make(cloud, "cluster", {"kubernetesVersion": "1.34"})
    with refused("OperationNotAllowed", "skips"):
        update(cloud, "cluster", CLUSTER, {"kubernetesVersion": "1.36"})


def test_a_new_inline_pool_is_refused() -> None:
    pool = LANDSCAPE["cluster"][1]["agentPoolProfiles"][0] | {"name": "more"}
    with refused("BadRequest", "A new agent pool was introduced: more"):
        update(whole(), "cluster", CLUSTER, {"agentPoolProfiles[1]": pool})


def test_a_registry_with_an_endpoint_stays_premium() -> None:
    cloud = before("lock", frozenset({"replication"}))
    with refused("SkuNotSupported", "pe-registry"):
        update(cloud, "registry", REGISTRY, {"sku.name": "Standard", "publicNetworkAccess": "Enabled"})


def test_a_network_cannot_shrink_under_its_subnets() -> None:
    with refused("NetcfgSubnetRangeOutsideVnet"):
        update(whole(), "vnet", VNET, {"addressSpace.addressPrefixes": ["10.0.0.0/22"]})


def test_what_does_not_exist_cannot_be_updated() -> None:
    with refused("ResourceNotFound"):
        update(Cloud(estate()), "vault", VAULT, {})


# Differences


@pytest.mark.parametrize("key", LANDSCAPE)
def test_equal_inputs_make_no_difference(key: str) -> None:
    assert whole().diff(type_of(key), inputs_of(key), inputs_of(key)).changes == ()


@pytest.mark.parametrize("key", LANDSCAPE)
def test_another_address_is_another_resource(key: str) -> None:
    cloud, kind = whole(), KINDS[type_of(key)]
    for name in kind.addressing:
        (change,) = cloud.diff(kind.token, inputs_of(key), inputs_of(key, {name: "other"})).changes
        assert (change.path, change.replaces) == (name, True)


@pytest.mark.parametrize("key", [key for key in LANDSCAPE if KINDS[type_of(key)].located])
def test_another_location_is_another_resource(key: str) -> None:
    (change,) = whole().diff(type_of(key), inputs_of(key), inputs_of(key, {"location": "elsewhere"})).changes
    assert change.replaces


@pytest.mark.parametrize(
    ("key", "path", "value", "replaces"),
    [
        ("cluster", "dnsPrefix", "other", True),
        ("cluster", "nodeResourceGroup", "other", True),
        ("cluster", "networkProfile.podCidr", "192.168.0.0/17", True),
        ("cluster", "networkProfile.outboundType", "loadBalancer", True),
        ("cluster", "agentPoolProfiles[0].vmSize", "Standard_D8ds_v5", False),
        ("cluster", "agentPoolProfiles[0].count", 3, False),
        ("cluster", "kubernetesVersion", "1.37", False),
        ("pool", "vmSize", "Standard_D8ds_v5", True),
        ("pool", "maxCount", 6, False),
        ("registry", "zoneRedundancy", "Enabled", True),
        ("registry", "sku.name", "Standard", False),
        ("endpoint", "subnet.id", NODES, True),
        ("address", "sku.name", "Basic", True),
        ("may_pull", "principalId", GROUP, True),
        ("may_pull", "roleDefinitionId", NETWORK_CONTRIBUTOR, False),
        ("vault", "properties.softDeleteRetentionInDays", 31, False),
        ("vnet", "tags.owner", "me", False),
    ],
)
def test_a_change_replaces_exactly_when_the_provider_says_so(key: str, path: str, value: Any, replaces: bool) -> None:
    old = inputs_of(key, {"tags": {"owner": "you"}}) if path.startswith("tags") else inputs_of(key)
    (change,) = whole().diff(type_of(key), old, placed(old, path, value)).changes
    assert change.path == path
    assert change.replaces is replaces


def test_a_block_that_goes_takes_what_forces_a_replacement_with_it() -> None:
    (change,) = (
        whole().diff(type_of("cluster"), inputs_of("cluster"), inputs_of("cluster", {"networkProfile": None})).changes
    )
    assert change.replaces


# Deletes


@pytest.mark.parametrize(
    ("key", "id", "code"),
    [
        ("nodes", NODES, "InUseSubnetCannotBeDeleted"),
        ("api", API, "InUseSubnetCannotBeDeleted"),
        ("vnet", VNET, "InUseVirtualNetworkCannotBeDeleted"),
        ("nsg", f"{_NET}/networkSecurityGroups/nsg-test", "InUseNetworkSecurityGroupCannotBeDeleted"),
        ("routes", f"{_NET}/routeTables/rt-test", "InUseRouteTableCannotBeDeleted"),
        ("nat", f"{_NET}/natGateways/nat-test", "InUseNatGatewayCannotBeDeleted"),
        ("address", f"{_NET}/publicIPAddresses/pip-test", "PublicIPAddressCannotBeDeleted"),
        ("kubelet", KUBELET, "IdentityInUse"),
        ("zone", f"{_NET}/privateDnsZones/privatelink.azurecr.io", "CannotDeleteResource"),
    ],
)
def test_what_is_in_use_cannot_be_deleted(key: str, id: str, code: str) -> None:
    cloud = whole()
    with refused(code):
        cloud.delete(type_of(key), id)
    assert id.lower() in cloud.resources


def test_a_network_whose_subnet_is_in_use_cannot_be_deleted() -> None:
    cloud = before("lock", frozenset({"link"}))
    with refused("InUseSubnetCannotBeDeleted"):
        cloud.delete(type_of("vnet"), VNET)


def test_what_nothing_uses_can_be_deleted_and_deleting_again_succeeds() -> None:
    cloud = whole()
    for _ in range(2):
        cloud.delete(type_of("pool"), f"{CLUSTER}/agentPools/apps")
    assert f"{CLUSTER}/agentPools/apps".lower() not in cloud.resources
    assert cloud.read(type_of("pool"), f"{CLUSTER}/agentPools/apps") is None


def test_a_group_takes_everything_in_it_along() -> None:
    cloud = whole(frozenset({"lock"}))
    cloud.delete(type_of("group"), _GROUP_ID)
    assert {found.name for found in cloud.resources.values()} == {"default"}, "the contact is the subscription's"


def test_a_deleted_vault_keeps_its_name() -> None:
    cloud = whole(frozenset({"lock"}))
    cloud.delete(type_of("vault"), VAULT)
    with refused("ConflictError", "deleted state"):
        make(cloud, "vault")
    make(cloud, "vault", {"vaultName": "kv-test-2"})


def test_a_deleted_registry_gives_its_name_back() -> None:
    cloud = before("endpoint")
    cloud.delete(type_of("registry"), REGISTRY)
    make(cloud, "registry")


def test_a_whole_landscape_can_be_taken_down_in_reverse_order() -> None:
    cloud = Cloud(estate())
    made = [(key, make(cloud, key)) for key in LANDSCAPE]
    for key, id in reversed(made):
        cloud.delete(type_of(key), id)
    assert cloud.resources == {}


# Locks


@pytest.mark.parametrize(("key", "id"), [("vault", VAULT), ("group", _GROUP_ID)])
def test_a_lock_keeps_what_it_covers_and_what_lies_above(key: str, id: str) -> None:
    cloud = whole()
    with refused("ScopeLocked"):
        cloud.delete(type_of(key), id)


def test_a_lock_covers_what_lies_below() -> None:
    cloud = before("lock")
    make(cloud, "lock", {"scope": _GROUP_ID})
    with refused("ScopeLocked", "rg-test"):
        cloud.delete(type_of("workspace"), WORKSPACE)


def test_a_lock_can_be_removed_and_then_keeps_nothing() -> None:
    cloud = whole()
    cloud.delete(type_of("lock"), f"{VAULT}/providers/Microsoft.Authorization/locks/keep")
    cloud.delete(type_of("vault"), VAULT)


def test_a_delete_lock_lets_updates_pass_and_a_read_only_lock_does_not() -> None:
    cloud = whole()
    update(cloud, "vault", VAULT, {"tags": {"a": "b"}})
    make(cloud, "lock", {"lockName": "frozen", "level": "ReadOnly"})
    with refused("ScopeLocked", "write"):
        update(cloud, "vault", VAULT, {"tags": {}})


# Previews, drift, faults


@pytest.mark.parametrize("key", LANDSCAPE)
def test_a_preview_knows_inputs_and_nothing_that_is_computed(key: str) -> None:
    cloud = Cloud(estate())
    answer = cloud.create(type_of(key), key, inputs_of(key), preview=True)
    assert answer.id == ""
    assert "name" not in answer.outputs or answer.outputs["name"] == inputs_of(key).get("name")
    assert "principalId" not in answer.outputs or key.startswith("may_")
    assert cloud.resources == {}


@pytest.mark.parametrize("key", LANDSCAPE)
def test_a_preview_accepts_an_unknown_value_anywhere(key: str) -> None:
    cloud = Cloud(estate())
    for path in _every_path(inputs_of(key)):
        cloud.create(type_of(key), key, inputs_of(key, {path: UNKNOWN}), preview=True)


def _every_path(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all values and blocks, the innermost and the outermost."""
    children: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        # A key that holds a dot (a setting of Flux) has no path.
        children = ((f"{path}.{key}" if path else key, child) for key, child in value.items() if "." not in key)
    elif isinstance(value, list):
        children = ((f"{path}[{index}]", child) for index, child in enumerate(value))
    for below, child in children:
        yield below
        yield from _every_path(child, below)


def test_a_nested_computed_value_is_unknown_in_a_preview_not_absent() -> None:
    answer = Cloud(estate()).create(type_of("vault"), "vault", inputs_of("vault"), preview=True)
    assert answer.outputs["properties"]["vaultUri"] is UNKNOWN
    cluster = Cloud(estate()).create(type_of("cluster"), "cluster", inputs_of("cluster"), preview=True)
    assert cluster.outputs["identity"]["userAssignedIdentities"] is UNKNOWN
    assert cluster.outputs["oidcIssuerProfile"]["issuerURL"] is UNKNOWN


def test_a_preview_applies_name_and_shape_rules() -> None:
    cloud = Cloud(estate())
    with refused("VaultNameNotValid"):
        cloud.create(type_of("vault"), "vault", inputs_of("vault", {"vaultName": "1"}), preview=True)
    with refused("SkuNotSupported"):
        cloud.create(type_of("registry"), "registry", inputs_of("registry", {"sku.name": "Basic"}), preview=True)
    with refused("SubscriptionNotFound"):
        inputs = inputs_of("diagnostics", {"workspaceId": WORKSPACE.replace(SUBSCRIPTION, OTHER_SUBSCRIPTION)})
        cloud.create(type_of("diagnostics"), "diagnostics", inputs, preview=True)


def test_the_preview_of_an_update_knows_name_and_location_only() -> None:
    cloud = whole()
    seen = update(cloud, "control", CONTROL, {"tags": {"a": "b"}}, preview=True)
    assert seen["name"] == "id-control"
    assert seen["location"] == REGION
    assert "principalId" not in seen
    assert "tags" not in outputs(cloud, CONTROL)


def test_drift_is_seen_by_reading() -> None:
    cloud = whole()
    cloud.drift(REGISTRY, "adminUserEnabled", True)
    answer = cloud.read(type_of("registry"), REGISTRY)
    assert answer is not None
    assert answer.outputs["adminUserEnabled"] is True
    assert cloud.inputs_of(REGISTRY)["adminUserEnabled"] is True


def test_a_fault_fails_as_often_as_asked_and_leaves_nothing_behind() -> None:
    cloud = before("vault")
    cloud.fail(type_of("vault"), CloudError("TooManyRequests", "later"))
    with refused("TooManyRequests"):
        make(cloud, "vault")
    assert VAULT.lower() not in cloud.resources
    make(cloud, "vault")


def test_credentials_of_one_identity_written_at_once_are_refused() -> None:
    cloud = before("credential")
    cloud.delay(type_of("credential"), 0.2)
    codes: list[str] = []

    def write(number: int) -> None:
        try:
            make(
                cloud, "credential", {"federatedIdentityCredentialResourceName": f"fc-{number}", "subject": str(number)}
            )
        except CloudError as refusal:
            codes.append(refusal.code)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert codes == ["ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"]


def test_many_writers_at_once_lose_nothing() -> None:
    cloud = before("vnet")
    writers = [
        threading.Thread(target=make, args=(cloud, "workspace", {"workspaceName": f"log-{number:03}"}))
        for number in range(50)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sum(found.type_ == type_of("workspace") for found in cloud.resources.values()) == 50
