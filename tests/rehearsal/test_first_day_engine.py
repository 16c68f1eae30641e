"""What Azure made by itself, under the real engine: plans are imported, and tables are set by a deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pulumi
import pytest
from pulumi_azure_native import Provider, operationalinsights, resources, security

from rehearsal import toolchain
from rehearsal.cloud import Cloud
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from tests.rehearsal.landscape import REGION, SUBSCRIPTION, TENANT, estate
from tests.rehearsal.landscape_monitoring import template

_PLAN = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/pricings/Containers"
_TABLE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-a/providers/Microsoft.OperationalInsights/workspaces/log-a"
    "/tables/ContainerLogV2"
)


@pytest.fixture(scope="module")
def cli() -> toolchain.Cli:
    project = Path(__file__).resolve().parents[2]
    return toolchain.bring(toolchain.ways(project, Console()), print)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(estate())


@contextmanager
def engine(program: Callable[[], None], cloud: Cloud, cli: toolchain.Cli, root: Path) -> Iterator[Rehearsal]:
    project = root / "project"
    project.mkdir(exist_ok=True)
    (project / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    with Rehearsal.open(project, root / "run", cloud, program=program, configs={"one": {}}, cli=cli) as rehearsal:
        yield rehearsal


def azure() -> Provider:
    return Provider("azure", subscription_id=SUBSCRIPTION, tenant_id=TENANT)


def plan(imported: str | None) -> Callable[[], None]:
    def program() -> None:
        security.Pricing(
            "plan",
            scope_id=f"subscriptions/{SUBSCRIPTION}",
            pricing_name="Containers",
            pricing_tier="Standard",
            opts=pulumi.ResourceOptions(provider=azure(), import_=imported, retain_on_delete=True),
        )

    return program


def table(imported: bool) -> Callable[[], None]:
    def program() -> None:
        opts = pulumi.ResourceOptions(provider=azure())
        group = resources.ResourceGroup("group", resource_group_name="rg-a", location=REGION, opts=opts)
        workspace = operationalinsights.Workspace(
            "workspace", workspace_name="log-a", resource_group_name=group.name, location=REGION, opts=opts
        )
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[workspace]))
        if imported:
            operationalinsights.Table(
                "table",
                table_name="ContainerLogV2",
                workspace_name="log-a",
                resource_group_name="rg-a",
                plan="Basic",
                opts=pulumi.ResourceOptions.merge(after, pulumi.ResourceOptions(import_=_TABLE)),
            )
            return
        resources.Deployment(
            "tables",
            deployment_name="tables",
            resource_group_name=group.name,
            properties=resources.DeploymentPropertiesArgs(
                mode=resources.DeploymentMode.INCREMENTAL,
                template=template(
                    {
                        "type": "Microsoft.OperationalInsights/workspaces/tables",
                        "apiVersion": "2023-09-01",
                        "name": workspace.name.apply(lambda name: f"{name}/ContainerLogV2"),
                        "properties": {"plan": "Basic"},
                    }
                ),
            ),
            opts=after,
        )

    return program


def test_a_plan_that_the_subscription_has_cannot_be_created(cloud: Cloud, cli: toolchain.Cli, tmp_path: Path) -> None:
    with (
        engine(plan(None), cloud, cli, tmp_path) as run,
        pytest.raises(EngineError, match="cannot create already existing resource"),
    ):
        run.update("one")


def test_a_plan_is_imported_changed_kept_and_imported_again(cloud: Cloud, cli: toolchain.Cli, tmp_path: Path) -> None:
    with engine(plan(_PLAN), cloud, cli, tmp_path) as run:
        run.update("one")
        assert cloud.inputs_of(_PLAN)["pricingTier"] == "Standard"
        assert set(run.preview("one").changes) == {"same"}
        run.destroy("one")
        assert cloud.inputs_of(_PLAN)["pricingTier"] == "Standard"
        run.update("one")


def test_a_table_of_azures_own_cannot_be_imported_before_its_workspace_is_there(
    cloud: Cloud, cli: toolchain.Cli, tmp_path: Path
) -> None:
    with (
        engine(table(imported=True), cloud, cli, tmp_path) as run,
        pytest.raises(EngineError, match="does not exist"),
    ):
        run.preview("one")


def test_a_deployment_sets_tables_in_the_run_that_makes_their_workspace(
    cloud: Cloud, cli: toolchain.Cli, tmp_path: Path
) -> None:
    with engine(table(imported=False), cloud, cli, tmp_path) as run:
        run.preview("one")
        run.update("one")
        assert set(run.preview("one").changes) == {"same"}
        run.destroy("one")
    assert cloud.resources == {}
