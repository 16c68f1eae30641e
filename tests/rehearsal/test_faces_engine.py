"""The stand-in as resource providers, under the real engine: a whole life of a small landscape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from pulumi_azure_native import (
    Provider,
    authorization,
    containerregistry,
    containerservice,
    keyvault,
    managedidentity,
    network,
    resources,
)

from rehearsal import toolchain
from rehearsal.cloud import Cloud
from rehearsal.console import Console
from rehearsal.engine import EngineError, Program, Rehearsal
from tests.rehearsal.landscape import (
    NETWORK_CONTRIBUTOR,
    NOBODY,
    OTHER_SUBSCRIPTION,
    REGION,
    SUBSCRIPTION,
    TENANT,
    estate,
)


def under(subscription: str = SUBSCRIPTION) -> pulumi.ResourceOptions:
    provider = Provider(f"azure-{subscription[-1]}", subscription_id=subscription, tenant_id=TENANT)
    return pulumi.ResourceOptions(provider=provider)


def landscape() -> None:
    opts = under()
    group = resources.ResourceGroup("group", resource_group_name="rg-a", location=REGION, opts=opts)
    control = managedidentity.UserAssignedIdentity(
        "control", resource_name_="id-a", resource_group_name=group.name, location=REGION, opts=opts
    )
    vnet = network.VirtualNetwork(
        "vnet",
        resource_group_name=group.name,
        location=REGION,
        address_space=network.AddressSpaceArgs(address_prefixes=["10.0.0.0/16"]),
        opts=opts,
    )
    nodes = network.Subnet(
        "nodes",
        subnet_name="nodes",
        virtual_network_name=vnet.name,
        resource_group_name=group.name,
        address_prefix="10.0.0.0/22",
        opts=opts,
    )
    grant = authorization.RoleAssignment(
        "join",
        scope=vnet.id,
        principal_id=control.principal_id,
        principal_type="ServicePrincipal",
        role_definition_id=NETWORK_CONTRIBUTOR,
        opts=opts,
    )
    registry = containerregistry.Registry(
        "registry",
        registry_name="acra0001",
        resource_group_name=group.name,
        location=REGION,
        sku=containerregistry.SkuArgs(name="Premium"),
        tags={"owner": pulumi.Output.secret("hush")},
        opts=opts,
    )
    vault = keyvault.Vault(
        "vault",
        vault_name="kv-a-0001",
        resource_group_name=group.name,
        location=REGION,
        properties=keyvault.VaultPropertiesArgs(
            tenant_id=TENANT,
            sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
            enable_rbac_authorization=True,
        ),
        opts=opts,
    )
    cluster = containerservice.ManagedCluster(
        "cluster",
        resource_name_="aks-a",
        resource_group_name=group.name,
        location=REGION,
        dns_prefix="aks-a",
        identity=containerservice.ManagedClusterIdentityArgs(
            type=containerservice.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[control.id]
        ),
        oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
        agent_pool_profiles=[
            containerservice.ManagedClusterAgentPoolProfileArgs(
                name="system", mode="System", count=2, vm_size="Standard_D4ds_v5", vnet_subnet_id=nodes.id, max_pods=30
            )
        ],
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[grant])),
    )
    credentials = containerservice.list_managed_cluster_user_credentials_output(
        resource_group_name=group.name, resource_name=cluster.name, opts=pulumi.InvokeOptions(provider=opts.provider)
    )
    pulumi.export("issuer", cluster.oidc_issuer_profile.issuer_url)
    pulumi.export("kubelet", cluster.identity_profile["kubeletidentity"].object_id)
    pulumi.export("identities", cluster.identity.user_assigned_identities)
    pulumi.export("registry", registry.login_server)
    pulumi.export("vault", vault.properties.vault_uri)
    pulumi.export("credentials", credentials.kubeconfigs[0].name)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(estate(subscriptions=frozenset({SUBSCRIPTION, OTHER_SUBSCRIPTION})))


@pytest.fixture(scope="module")
def cli() -> toolchain.Cli:
    project = Path(__file__).resolve().parents[2]
    return toolchain.bring(toolchain.ways(project, Console()), print)


@pytest.fixture
def engine(tmp_path: Path, cloud: Cloud, cli: toolchain.Cli) -> Iterator[Rehearsal]:
    root = tmp_path / "project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    stacks: dict[str, dict[str, str]] = {"one": {}, "two": {}}
    with Rehearsal.open(root, tmp_path / "run", cloud, program=landscape, configs=stacks, cli=cli) as rehearsal:
        yield rehearsal


def test_a_landscape_lives_through_preview_update_drift_and_destroy(engine: Rehearsal, cloud: Cloud) -> None:
    assert engine.preview("one").changes == {"create": 10}
    assert cloud.resources == {}, "a preview makes nothing"

    engine.update("one")
    state = engine.export("one")["deployment"]["resources"]
    outputs = next(found["outputs"] for found in state if found["type"] == "pulumi:pulumi:Stack")
    assert outputs["vault"] == "https://kv-a-0001.vault.azure.net/"
    assert outputs["registry"] == "acra0001.azurecr.io"
    assert outputs["issuer"].startswith(f"https://{REGION}.oic.prod-aks.azure.com/{TENANT}/")
    assert outputs["credentials"] == "clusterUser"
    assert all("principalId" in found for found in outputs["identities"].values())

    assert engine.preview("one").changes == {"same": 10}

    registry = next(found for found in cloud.resources.values() if found.name == "acra0001")
    cloud.drift(registry.id, "adminUserEnabled", True)
    engine.refresh("one")
    assert engine.preview("one").changes == {"same": 9, "update": 1}

    engine.destroy("one")
    assert cloud.resources == {}


def test_secrets_stay_sealed_in_the_state(engine: Rehearsal) -> None:
    engine.update("one")
    state = engine.export("one")
    assert "hush" not in str(state)
    registry = next(found for found in state["deployment"]["resources"] if found["type"].endswith(":Registry"))
    assert "ciphertext" in str(registry["outputs"]["tags"])


def test_a_refusal_fails_the_run_with_code_and_message(engine: Rehearsal) -> None:
    def program() -> None:
        opts = under()
        group = resources.ResourceGroup("group", resource_group_name="rg-a", location=REGION, opts=opts)
        authorization.RoleAssignment(
            "grant",
            scope=group.id,
            principal_id=NOBODY,
            principal_type="Group",
            role_definition_id=NETWORK_CONTRIBUTOR,
            opts=opts,
        )

    engine.use(program)
    engine.preview("one")
    with pytest.raises(EngineError, match='Code="PrincipalNotFound" Message="Principal'):
        engine.update("one")


def test_a_bad_name_fails_the_preview(engine: Rehearsal) -> None:
    def program() -> None:
        resources.ResourceGroup("g", resource_group_name="rg a", location=REGION, opts=under())

    engine.use(program)
    with pytest.raises(EngineError, match="InvalidResourceGroup"):
        engine.preview("one")


def test_two_providers_in_one_program_keep_their_subscriptions_apart(engine: Rehearsal, cloud: Cloud) -> None:
    def program() -> None:
        here, far = under(), under(OTHER_SUBSCRIPTION)
        for number in range(4):
            name = f"rg-{number}"
            resources.ResourceGroup(f"here-{number}", resource_group_name=name, location=REGION, opts=here)
            resources.ResourceGroup(f"far-{number}", resource_group_name=name, location=REGION, opts=far)

    engine.use(program)
    engine.update("one")
    for subscription in (SUBSCRIPTION, OTHER_SUBSCRIPTION):
        assert sum(f"/{subscription}/" in id for id in cloud.resources) == 4


def test_two_stacks_share_one_cloud(engine: Rehearsal) -> None:
    def group(name: str) -> Program:
        def program() -> None:
            resources.ResourceGroup("g", resource_group_name=name, location=REGION, opts=under())

        return program

    engine.use(group("rg-a"))
    engine.update("one")
    with pytest.raises(EngineError, match="cannot create already existing resource"):
        engine.update("two")
    engine.use(group("rg-b"))
    engine.update("two")


def test_a_changed_address_replaces_and_a_changed_tag_updates(engine: Rehearsal) -> None:
    def group(name: str, tag: str) -> Program:
        def program() -> None:
            resources.ResourceGroup("g", resource_group_name=name, location=REGION, tags={"t": tag}, opts=under())

        return program

    engine.use(group("rg-a", "1"))
    engine.update("one")
    engine.use(group("rg-a", "2"))
    assert engine.preview("one").changes.get("update") == 1
    engine.use(group("rg-b", "1"))
    assert engine.preview("one").changes.get("replace") == 1
