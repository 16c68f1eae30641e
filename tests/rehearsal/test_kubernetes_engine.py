"""The workload's place in a cluster, under the real engine: from the first preview to the last delete."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi_azure_native import Provider
from pulumi_azure_native.resources import ResourceGroup

from components.placement import Placement
from components.workload import UNREACHABLE
from rehearsal import toolchain
from rehearsal.cloud import Cloud, Estate
from rehearsal.cloud.azure import INVOKES
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from tests.declared import NAMES, SUBSCRIPTION, TAGS, TENANT, WORKSPACE
from tests.workloads import COMPONENT, cluster, workload

OBJECTS = 14
"""In the cluster; the provider comes on top."""


@dataclass
class Scene:
    """What the program declares; a test changes it between two runs, as a person changes the settings."""

    private: bool = False
    addons: bool = True
    protect: bool = False
    wanted: dict[str, Any] = field(default_factory=dict)

    def program(self) -> None:
        azure = Provider("azure", subscription_id=SUBSCRIPTION, tenant_id=TENANT)
        provided = pulumi.ResourceOptions(providers=[azure])

        class Everything(pulumi.ComponentResource):
            """Hands the provider down, as the components of the real program are handed it."""

            def __init__(everything) -> None:  # noqa: N805  # the scene is `self`
                super().__init__("aks-cicd:test:Everything", "everything", None, provided)

        everything = Everything()
        below = pulumi.ResourceOptions(parent=everything)
        group = ResourceGroup("environment", resource_group_name="rg-test", location="westeurope", opts=below)
        place = Placement(NAMES, group.name, "westeurope", TAGS, self.protect)
        made = cluster(place, private=self.private, addons=self.addons, opts=below)
        workload(place, made, opts=below, **self.wanted)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def cloud() -> Cloud:
    estate = Estate(
        tenant_id=TENANT,
        subscriptions=frozenset({SUBSCRIPTION}),
        resource_ids=frozenset({WORKSPACE, COMPONENT}),
    )
    return Cloud(estate)


@pytest.fixture(scope="module")
def cli() -> toolchain.Cli:
    project = Path(__file__).resolve().parents[2]
    return toolchain.bring(toolchain.ways(project, Console()), print)


@pytest.fixture
def engine(tmp_path: Path, cloud: Cloud, cli: toolchain.Cli, scene: Scene) -> Iterator[Rehearsal]:
    root = tmp_path / "project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: aks-cicd\nruntime: python\n")
    configs: dict[str, dict[str, str]] = {"one": {}}
    with Rehearsal.open(root, tmp_path / "run", cloud, program=scene.program, configs=configs, cli=cli) as rehearsal:
        yield rehearsal


def objects(cloud: Cloud) -> dict[tuple[str, str], Any]:
    made = [found.id for found in cloud.resources.values() if found.name == NAMES.cluster]
    return dict(cloud.kubernetes.objects(made[0])) if made else {}


def test_a_workload_is_previewed_made_quiet_refreshed_and_gone(engine: Rehearsal, cloud: Cloud) -> None:
    preview = engine.preview("one")
    assert sum(step.type.startswith("kubernetes:") for step in preview.steps) == OBJECTS
    assert objects(cloud) == {}
    update = engine.update("one")
    assert update.warnings == ()
    assert len(objects(cloud)) == OBJECTS
    assert engine.preview("one").quiet
    assert engine.refresh("one").changed() == ()
    assert engine.preview("one").quiet
    engine.destroy("one")
    assert cloud.resources == {}


def test_changed_settings_change_objects_in_place(engine: Rehearsal, scene: Scene, cloud: Cloud) -> None:
    """Above all the ConfigMaps: deleted and made anew, a pod that starts in between would fail."""
    engine.update("one")
    scene.wanted = {"rules": (), "telemetry": None, "secrets": ("database-url",)}
    changed = {step.name: step.op for step in engine.update("one").changed()}
    assert changed == {
        "ama-metrics-settings-configmap": "update",
        "secrets": "update",
        "telemetry": "update",
        "workload-publishes-telemetry": "delete",
    }
    assert engine.preview("one").quiet
    _, found = next((key, each) for key, each in objects(cloud).items() if key[1] == "shop/workload-secrets")
    assert "payment-key" not in found["spec"]["parameters"]["objects"]


def test_a_renewed_certificate_authority_replaces_nothing(engine: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.update("one")
    name = "azure-native:containerservice:listManagedClusterUserCredentials"
    before = INVOKES[name]

    def renewed(*args: Any) -> dict[str, Any]:
        answer = before(*args)
        (config,) = answer["kubeconfigs"]
        text = base64.b64decode(config["value"]).decode().replace("authority-data: ", "authority-data: UkVORVc=")
        return {"kubeconfigs": [{**config, "value": base64.b64encode(text.encode()).decode()}]}

    monkeypatch.setitem(INVOKES, name, renewed)
    assert {(step.name, step.op) for step in engine.update("one").changed()} == {("cluster-objects", "update")}


class TestAPrivateCluster:
    def test_cannot_be_filled_from_outside_and_the_message_says_why(
        self, engine: Rehearsal, scene: Scene, cloud: Cloud
    ) -> None:
        scene.private = True
        engine.preview("one")
        with pytest.raises(EngineError) as raised:
            engine.update("one")
        said = str(raised.value)
        assert "configured Kubernetes cluster is unreachable" in said
        assert "dial tcp: lookup" in said
        assert "no such host" in said
        assert "Traceback" not in said
        assert objects(cloud) == {}

    def test_is_made_from_outside_filled_from_inside_and_deleted_from_outside(
        self, engine: Rehearsal, scene: Scene, cloud: Cloud
    ) -> None:
        scene.private, scene.wanted = True, {"reachable": False}
        assert engine.update("one").warnings == (UNREACHABLE,)
        assert objects(cloud) == {}
        assert any(found.name == NAMES.identity("workload") for found in cloud.resources.values())
        assert engine.preview("one").quiet

        cloud.kubernetes.inside_network = True
        scene.wanted = {"reachable": True}
        second = engine.update("one")
        assert second.warnings == ()
        assert second.changes["create"] == OBJECTS + 1
        assert len(objects(cloud)) == OBJECTS
        assert engine.preview("one").quiet

        cloud.kubernetes.inside_network = False
        engine.destroy("one")
        assert cloud.resources == {}


def test_every_object_waits_for_its_namespace_and_goes_with_its_cluster(engine: Rehearsal) -> None:
    engine.update("one")
    exported = engine.export("one")["deployment"]["resources"]
    by_type = {found["type"]: found["urn"] for found in exported}
    namespace = by_type["kubernetes:core/v1:Namespace"]
    for found in exported:
        if found["type"].startswith("kubernetes:"):
            assert found["deletedWith"] == by_type["azure-native:containerservice:ManagedCluster"], found["urn"]
            within = found["inputs"]["metadata"].get("namespace") == "shop"
            assert (namespace in found.get("dependencies", [])) is within, found["urn"]


def test_a_cluster_without_the_add_ons_says_which_kind_it_lacks(engine: Rehearsal, scene: Scene) -> None:
    scene.addons = False
    with pytest.raises(EngineError, match=r'no matches for kind "(SecretProviderClass|PodMonitor)"'):
        engine.update("one")


def test_in_production_nobody_deletes_the_namespace_by_mistake(engine: Rehearsal, scene: Scene) -> None:
    scene.protect = True
    engine.update("one")
    exported = engine.export("one")["deployment"]["resources"]
    (namespace,) = [found for found in exported if found["type"].endswith(":Namespace")]
    assert namespace["protect"] is True


def test_the_kubeconfig_is_sealed_in_the_state_and_opens_nothing(engine: Rehearsal) -> None:
    engine.update("one")
    exported = engine.export("one")["deployment"]["resources"]
    (provider,) = [found for found in exported if found["type"] == "pulumi:providers:kubernetes"]
    assert set(provider["inputs"]["kubeconfig"]) >= {"ciphertext"}
    assert provider["inputs"]["clusterIdentifier"].startswith("https://")
