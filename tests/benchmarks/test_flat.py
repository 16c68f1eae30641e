"""The flat program has exactly the resources, inputs and links of the export that it was made from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
import pytest
from pulumi_azure_native import Provider, authorization, managedidentity, network, resources

from benchmarks import flat, source
from benchmarks.flat import Computed, Taken
from rehearsal import toolchain
from rehearsal.cloud import Cloud, Estate
from rehearsal.console import Console
from rehearsal.engine import Rehearsal

ROOT = Path(__file__).resolve().parents[2]
GUID = "00000000-0000-0000-0000-00000000000"
ROLE = f"/subscriptions/{GUID}2/providers/Microsoft.Authorization/roleDefinitions/4abbcc35-e782-43d8-92c5-2d3f1bd2253f"


class Part(pulumi.ComponentResource):
    """The second one waits for the first."""

    def __init__(self, name: str, group: resources.ResourceGroup, opts: pulumi.ResourceOptions) -> None:
        super().__init__("aks-cicd:part:Part", name, None, opts)
        self.identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=f"id-{name}",
            resource_group_name=group.name,
            location="westeurope",
            opts=pulumi.ResourceOptions(parent=self),
        )
        authorization.RoleAssignment(
            f"{name}-grant",
            role_assignment_name=f"{GUID}{len(name)}",
            principal_id=self.identity.principal_id,
            principal_type="ServicePrincipal",
            role_definition_id=ROLE,
            scope=group.id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def small() -> None:
    """Every sort of link: an id, a name, another output, a computed value, an empty one, a mapping, waiting."""
    azure = Provider("azure", subscription_id=f"{GUID}2", tenant_id=f"{GUID}1")
    inside = pulumi.ResourceOptions(providers=[azure])
    group = resources.ResourceGroup(
        "group", resource_group_name="rg-one", location="westeurope", opts=pulumi.ResourceOptions(provider=azure)
    )
    first = Part("one", group, inside)
    second = Part("second", group, pulumi.ResourceOptions(providers=[azure], depends_on=[first]))
    guard = network.NetworkSecurityGroup(
        "guard",
        network_security_group_name=second.identity.client_id.apply(lambda found: f"nsg-{found[:4]}"),
        resource_group_name=group.name,
        location="westeurope",
        tags={"group": group.name.apply(lambda _: "a" * 3)},
        security_rules=[],
        opts=pulumi.ResourceOptions(provider=azure),
    )
    pulumi.export("guard", {"id": guard.id, "size": 1})


pytestmark = pytest.mark.xdist_group("flat")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any], flat.Flat]:
    """The export of the small program, that of its flat one, and the flat one as data."""
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), print)
    place = tmp_path_factory.mktemp("flat")
    (place / "Pulumi.yaml").write_text("name: aks-cicd\nruntime: python\n", "utf-8")

    def exported(program: Callable[[], None]) -> dict[str, Any]:
        cloud = Cloud(Estate(tenant_id=f"{GUID}1", subscriptions=frozenset({f"{GUID}2"})))
        with Rehearsal.open(place, place / "engine", cloud, program=program, configs={"one": {}}, cli=cli) as rehearsal:
            rehearsal.preview("one")
            rehearsal.update("one")
            return rehearsal.export("one")

    ours = exported(small)
    flattened = flat.flatten(ours)
    module = ModuleType("flat_one")
    exec(source.write(flattened), module.__dict__)
    return ours, exported(module.main), flattened


Both = tuple[dict[str, Any], dict[str, Any], flat.Flat]


class TestOnTheEngine:
    def test_resources_inputs_and_links_are_the_same(self, both: Both) -> None:
        ours, theirs, _ = both
        assert flat.differences(ours, theirs) == []

    def test_no_component_is_left(self, both: Both) -> None:
        kept = [each for each in both[1]["deployment"]["resources"] if not each.get("custom")]
        assert [each["type"] for each in kept] == ["pulumi:pulumi:Stack"]

    def test_outputs_are_the_same(self, both: Both) -> None:
        ours, theirs = (
            next(each["outputs"] for each in export["deployment"]["resources"] if each["type"].endswith(":Stack"))
            for export in both[:2]
        )
        assert ours == theirs

    def test_what_a_component_waited_for_its_children_wait_for(self, both: Both) -> None:
        of = {each["urn"].rsplit("::", 1)[-1]: each for each in both[1]["deployment"]["resources"]}
        waits = {urn.rsplit("::", 1)[-1] for urn in of["second-identity"]["dependencies"]}
        assert "one-identity" in waits


class TestAsData:
    def test_a_declaration_comes_after_what_it_refers_to(self, both: Both) -> None:
        seen: set[str] = set()
        for each in both[2].declarations:
            assert {*flat.references(dict(each.inputs)), *each.depends_on, *filter(None, [each.provider])} <= seen
            seen.add(each.urn)

    def test_inputs_come_to_what_the_export_says(self, both: Both) -> None:
        ours, _, flattened = both
        said = {each["urn"]: flat.inputs(each) for each in ours["deployment"]["resources"]}
        for each in flattened.declarations:
            assert flat.values(dict(each.inputs)) == said[each.urn]

    def test_an_id_and_a_name_are_taken_and_anything_else_is_computed(self, both: Both) -> None:
        of = {each.name: each.inputs for each in both[2].declarations}
        assert isinstance(of["one-grant"]["scope"], Taken)
        assert of["one-grant"]["scope"].output == "id"
        assert of["one-grant"]["principalId"].output == "principalId"
        assert of["guard"]["resourceGroupName"].output == "name"
        assert isinstance(of["guard"]["networkSecurityGroupName"], Computed)
        assert isinstance(of["guard"]["tags"], Computed)
        assert of["guard"]["location"] == "westeurope"

    def test_a_sealed_value_stays_a_secret(self) -> None:
        sealed = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
        state = {"urn": "urn:pulumi:one::p::a:b:C::c", "type": "a:b:C", "custom": True, "inputs": {"key": sealed}}
        (declared,) = flat.flatten({"deployment": {"resources": [state]}}).declarations
        assert declared.inputs["key"] == Computed("[secret]", (), secret=True)


def test_names_stay_apart_without_their_parents() -> None:
    part = "urn:pulumi:one::p::aks-cicd:part:Part"
    resources = [
        {"urn": f"{part}$a:b:C::same", "type": "a:b:C", "custom": True, "id": parent, "parent": f"{part}::{parent}"}
        for parent in ("left", "right")
    ]
    # Under one type of parent the engine would have refused them; under two it does not.
    resources[1]["urn"] = str(resources[1]["urn"]).replace("part:Part", "other:Other")
    names = [each.name for each in flat.flatten({"deployment": {"resources": resources}}).declarations]
    assert names == ["left-same", "right-same"]


class TestDifferencesAreSeen:
    @pytest.mark.parametrize("which", ["inputs", "propertyDependencies", "resource"])
    def test_in(self, both: Both, which: str) -> None:
        ours = both[0]
        changed = json.loads(json.dumps(ours))
        guard = next(each for each in changed["deployment"]["resources"] if each["urn"].endswith("::guard"))
        if which == "resource":
            changed["deployment"]["resources"].remove(guard)
        else:
            guard[which]["location"] = ["elsewhere"] if which == "inputs" else guard[which]["resourceGroupName"]
        assert len(flat.differences(ours, changed)) == 1


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("azure-native:network:Subnet", ("pulumi_azure_native.network", "Subnet")),
        ("azuredevops:index/project:Project", ("pulumi_azuredevops", "Project")),
        ("kubernetes:core/v1:Namespace", ("pulumi_kubernetes.core.v1", "Namespace")),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", ("pulumi_kubernetes.networking.v1", "NetworkPolicy")),
        (
            "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass",
            ("pulumi_kubernetes.apiextensions", "CustomResource"),
        ),
        ("pulumi:providers:kubernetes", ("pulumi_kubernetes", "Provider")),
        ("pulumi:pulumi:StackReference", ("pulumi", "StackReference")),
    ],
)
def test_a_type_is_found_in_the_sdk(type_: str, expected: tuple[str, str]) -> None:
    assert source.location(type_) == expected
