"""Azure DevOps on the real engine: a first day, a quiet second preview, and what a taken-down environment leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pulumi import ResourceOptions
from pulumi_azure_native import Provider
from pulumi_azure_native.resources import ResourceGroup
from pulumi_azuredevops import Provider as DevOpsProvider

from components.delivery import DeliveryEnvironment, DeliveryHome, ManagedAgents, ManagedAgentsArgs, Seeds
from components.delivery.checks import PRODUCTION
from components.placement import Placement
from rehearsal import toolchain
from rehearsal.cloud import Cloud
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from tests.declared import NAMES, ROOT, SERVICE, SUBSCRIPTION, TAGS, TENANT
from tests.deliveries import NETWORK, SEEDS, SUBNET, environment_args, home_args, there
from tests.graph import Graph, Resource

URL = "https://dev.azure.com/contoso"


def program(platform: Seeds = SEEDS, *, environment: bool = True) -> Callable[[], None]:
    def run() -> None:
        inside = ResourceOptions(
            providers=[
                Provider("azure", subscription_id=SUBSCRIPTION, tenant_id=TENANT),
                DevOpsProvider("devops", org_service_url=URL),
            ]
        )
        azure = ResourceOptions(provider=inside.providers[0])  # type: ignore[index]
        group = ResourceGroup("environment", resource_group_name="rg-test", location="westeurope", opts=azure)
        place = Placement(NAMES, group.name, "westeurope", TAGS, protect=False)
        lent = DeliveryHome("delivery", home_args(place, platform=platform), inside).home
        if not environment:
            return
        DeliveryEnvironment("delivery-environment", environment_args(place, lent), inside)
        agents = ManagedAgentsArgs(
            place, URL, lent.project_id, lent.project_name, NETWORK, SUBNET, SERVICE, {"cd": lent.pipelines["cd"]}
        )
        ManagedAgents("managed-agents", agents, inside)

    return run


@contextmanager
def rehearsing(directory: Path, cloud: Cloud) -> Iterator[Rehearsal]:
    root = directory / "project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: aks-cicd\nruntime: python\n")
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), print)
    with Rehearsal.open(root, directory / "run", cloud, program=program(), configs={"test": {}}, cli=cli) as rehearsal:
        yield rehearsal


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(there())


@pytest.fixture
def engine(tmp_path: Path, cloud: Cloud) -> Iterator[Rehearsal]:
    with rehearsing(tmp_path, cloud) as rehearsal:
        yield rehearsal


pytestmark = pytest.mark.xdist_group("delivery-engine")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """What the engine knows after a first day: above all, what waited for what."""
    with rehearsing(tmp_path_factory.mktemp("graph"), Cloud(there())) as rehearsal:
        rehearsal.update("test")
        return Graph(rehearsal.export("test"))


class TestOrder:
    def of(self, graph: Graph, *classes: str) -> list[Resource]:
        return [each for each in graph.resources if each.type.rpartition(":")[2] in classes]

    def waiting(self, graph: Graph, resource: Resource) -> set[str]:
        """Logical names of all that stood before."""
        return {graph.by_urn[urn].name for urn in graph.waits_for(resource)}

    @pytest.mark.parametrize("thing", ["environment", "deploy-connection", "promote-connection"])
    def test_no_pipeline_is_let_in_before_every_gate_stands(self, graph: Graph, thing: str) -> None:
        (authorised,) = (each for each in graph.resources if each.name == f"{thing}-for-cd")
        gates = {f"{thing}-{gate}" for gate in PRODUCTION} | {f"{thing}-for-approvers"}
        assert gates <= self.waiting(graph, authorised)

    @pytest.mark.parametrize(("job", "pipeline"), [("ci", "ci"), ("deploy", "cd"), ("promote", "cd")])
    def test_no_pipeline_is_let_in_before_its_identity_has_credential_and_rights(
        self, graph: Graph, job: str, pipeline: str
    ) -> None:
        (authorised,) = (each for each in graph.resources if each.name == f"{job}-connection-for-{pipeline}")
        rights = {each.name for each in graph.of("authorization:RoleAssignment") if each.name.startswith(f"{job}-")}
        assert rights
        assert rights | {f"{job}-connection-signs-in"} <= self.waiting(graph, authorised)

    def test_nothing_waits_for_a_group_of_approvers_that_is_still_empty(self, graph: Graph) -> None:
        approvals = self.of(graph, "CheckApproval")
        assert len(approvals) == 3
        assert all("approvers-members" in self.waiting(graph, each) for each in approvals)

    def test_pipelines_come_after_the_seeds_that_hold_their_yaml(self, graph: Graph) -> None:
        seeds = {each.name for each in self.of(graph, "GitRepositoryFile")}
        assert seeds
        assert all(seeds <= self.waiting(graph, each) for each in self.of(graph, "BuildDefinition"))

    def test_policies_come_after_seeds(self, graph: Graph) -> None:
        for repository in ("platform", "application"):
            policies = [each for each in graph.resources if each.name.startswith(f"{repository}-is-")]
            seeds = {each.name for each in graph.resources if each.name.startswith(f"{repository}-seed-")}
            assert len(policies) == 4
            assert all(seeds <= self.waiting(graph, each) for each in policies)

    def test_only_what_holds_history_is_protected_outside_production(self, graph: Graph) -> None:
        kinds = {each.type.rpartition(":")[2] for each in graph.resources if each.protected}
        assert kinds == {"Project", "Git", "BuildDefinition"}


def test_a_first_day_passes_and_the_next_preview_is_quiet_even_when_the_seeds_have_changed(
    engine: Rehearsal, cloud: Cloud
) -> None:
    engine.preview("test")
    assert not cloud.devops.resources, "a preview makes nothing"
    engine.update("test")
    assert engine.preview("test").quiet

    edited = Seeds({path: f"{text}, edited" for path, text in SEEDS.files.items()})
    engine.use(program(edited))
    assert engine.preview("test").quiet

    fewer = Seeds(dict(sorted(SEEDS.files.items())[1:]))
    engine.use(program(fewer))
    assert engine.update("test").changes.keys() <= {"same", "delete", "discard"}
    kept = [each for kind, each in cloud.devops.resources.items() if kind[0].endswith(":GitRepositoryFile")]
    assert len(kept) == len(SEEDS.files) + 1, "no seed is taken back"


def test_an_environment_goes_without_the_directorys_group_and_the_home_does_not_go_by_mistake(
    engine: Rehearsal, cloud: Cloud
) -> None:
    engine.update("test")
    engine.use(program(environment=False))
    engine.update("test")
    left = {kind.rpartition(":")[2] for kind, _ in cloud.devops.resources}
    assert "Group" in left
    assert not left & {"Environment", "VariableGroup", "CheckApproval", "GroupMembership"}
    with pytest.raises(EngineError, match="protect"):
        engine.destroy("test")
    assert "Project" in {kind.rpartition(":")[2] for kind, _ in cloud.devops.resources}
