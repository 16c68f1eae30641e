"""The stand-in as mocks: what a program sees in a unit test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_pulumi_func
from pulumi_azure_native import Provider, keyvault, managedidentity, resources

from rehearsal.cloud import Cloud, CloudError
from rehearsal.faces.mocks import CloudMocks
from tests.rehearsal.landscape import OTHER_SUBSCRIPTION, REGION, SUBSCRIPTION, TENANT, estate, refused

_STACK = "organization/platform/staging"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Mocks are the SDK's global state; the next test must not find ours."""
    before = settings.SETTINGS
    yield
    settings.configure(before)


def run(faces: CloudMocks, program: Callable[[], Any], *, preview: bool = False) -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(faces, project="platform", stack="test", preview=preview)
    asyncio.get_event_loop().run_until_complete(run_pulumi_func(program))


def seen(values: dict[str, Any], key: str) -> Callable[[Any], None]:
    return lambda value: values.__setitem__(key, value)


def vault() -> keyvault.Vault:
    group = resources.ResourceGroup("g", resource_group_name="rg-a", location=REGION)
    return keyvault.Vault(
        "v",
        vault_name="kv-a-1",
        resource_group_name=group.name,
        location=REGION,
        properties=keyvault.VaultPropertiesArgs(
            tenant_id=pulumi.Output.secret(TENANT),
            sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
            enable_rbac_authorization=True,
        ),
    )


def test_outputs_are_those_of_the_cloud_and_inputs_are_plain() -> None:
    cloud = Cloud(estate())
    values: dict[str, Any] = {}
    run(CloudMocks(cloud), lambda: vault().properties.vault_uri.apply(seen(values, "uri")))
    assert values == {"uri": "https://kv-a-1.vault.azure.net/"}
    found = next(found for found in cloud.resources.values() if found.name == "kv-a-1")
    assert found.inputs["properties"]["tenantId"] == TENANT


def test_a_refusal_reaches_the_test_with_its_code() -> None:
    inputs = {"resourceGroupName": "rg a", "location": REGION}
    args = pulumi.runtime.MockResourceArgs("azure-native:resources:ResourceGroup", "g", inputs, custom=True)
    with refused("InvalidResourceGroup", "rg a"):
        CloudMocks(Cloud(estate())).new_resource(args)


def test_components_pass_through_and_are_recorded() -> None:
    class Part(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("test:part:Part", "part")
            resources.ResourceGroup(
                "g", resource_group_name="rg-a", location=REGION, opts=pulumi.ResourceOptions(parent=self)
            )

    faces = CloudMocks(Cloud(estate()))
    run(faces, Part)
    assert [args.typ for args in faces.registered] == ["test:part:Part", "azure-native:resources:ResourceGroup"]


def test_an_explicit_provider_decides_the_subscription() -> None:
    def program() -> None:
        provider = Provider("far", subscription_id=OTHER_SUBSCRIPTION, tenant_id=TENANT)
        resources.ResourceGroup(
            "g", resource_group_name="rg-a", location=REGION, opts=pulumi.ResourceOptions(provider=provider)
        )

    cloud = Cloud(estate(subscriptions=frozenset({SUBSCRIPTION, OTHER_SUBSCRIPTION})))
    run(CloudMocks(cloud), program)
    assert list(cloud.resources) == [f"/subscriptions/{OTHER_SUBSCRIPTION}/resourcegroups/rg-a"]


def test_a_stack_reference_is_answered_from_what_the_test_gives() -> None:
    values: dict[str, Any] = {}

    def program() -> None:
        pulumi.StackReference(_STACK).get_output("registry").apply(seen(values, "registry"))

    run(CloudMocks(Cloud(estate()), {_STACK: {"registry": {"id": "x"}}}), program)
    assert values == {"registry": {"id": "x"}}


def test_a_stack_that_was_not_given_is_an_error_that_names_it() -> None:
    faces = CloudMocks(Cloud(estate()))
    args = pulumi.runtime.MockResourceArgs("pulumi:pulumi:StackReference", _STACK, {"name": _STACK})
    with refused("StackNotFound", _STACK):
        faces.new_resource(args)


def test_a_function_is_answered_by_the_cloud() -> None:
    token = "azure-native:authorization:getClientConfig"
    answer, _ = CloudMocks(Cloud(estate())).call(pulumi.runtime.MockCallArgs(token, {}, ""))
    assert (answer["tenantId"], answer["subscriptionId"]) == (TENANT, SUBSCRIPTION)


def test_a_preview_makes_nothing_and_leaves_computed_values_unknown() -> None:
    cloud = Cloud(estate())
    values: dict[str, Any] = {}

    def program() -> None:
        found = vault()
        identity = managedidentity.UserAssignedIdentity(
            "i", resource_name_="id-a", resource_group_name="rg-a", location=REGION
        )
        identity.principal_id.apply(seen(values, "principal"))
        found.properties.vault_uri.apply(seen(values, "uri"))
        found.location.apply(seen(values, "location"))

    run(CloudMocks(cloud), program, preview=True)
    assert values == {"location": REGION}
    assert cloud.resources == {}


def test_an_existing_resource_is_read_and_a_missing_one_is_an_error() -> None:
    cloud = Cloud(estate())
    made = cloud.create("azure-native:resources:ResourceGroup", "g", {"resourceGroupName": "rg-a", "location": REGION})
    faces = CloudMocks(cloud)
    args = pulumi.runtime.MockResourceArgs("azure-native:resources:ResourceGroup", "g", {}, resource_id=made.id)
    assert faces.new_resource(args) == (made.id, made.outputs)
    args.resource_id = f"{made.id}-gone"
    with pytest.raises(CloudError, match="ResourceNotFound"):
        faces.new_resource(args)
