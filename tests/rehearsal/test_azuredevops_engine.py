"""A delivery project on the stand-in, under the real engine: from the first preview to the last delete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_azuredevops as devops
import pytest
from pulumi_azure_native import Provider
from pulumi_azure_native.managedidentity import FederatedIdentityCredential, UserAssignedIdentity
from pulumi_azure_native.resources import ResourceGroup

from rehearsal import toolchain
from rehearsal.cloud import Cloud
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from tests.rehearsal.landscape_azuredevops import APPROVERS, ORGANIZATION, SUBSCRIPTION, TENANT, estate

MAIN = "refs/heads/main"


@dataclass
class Scene:
    """What the program declares; a test changes it between two runs."""

    url: str = ORGANIZATION
    project: str = "Shop"
    reviewers: int = 1
    files_after_policies: bool = False
    computed_subject: bool = False

    def program(self) -> None:
        azure = pulumi.ResourceOptions(provider=Provider("azure", subscription_id=SUBSCRIPTION, tenant_id=TENANT))
        opts = pulumi.ResourceOptions(provider=devops.Provider("delivery", org_service_url=self.url))

        def after(*others: pulumi.Resource) -> pulumi.ResourceOptions:
            return pulumi.ResourceOptions(provider=opts.provider, depends_on=list(others))

        group = ResourceGroup("group", resource_group_name="rg-test", location="westeurope", opts=azure)
        identity = UserAssignedIdentity(
            "deployer", resource_name_="id-deploy", resource_group_name=group.name, location="westeurope", opts=azure
        )
        project = devops.Project("project", name=self.project, features={"boards": "disabled"}, opts=opts)
        repository = devops.Git(
            "repository",
            project_id=project.id,
            name="platform",
            default_branch=MAIN,
            initialization=devops.GitInitializationArgs(init_type="Clean"),
            opts=opts,
        )
        pipeline = devops.BuildDefinition(
            "ci",
            project_id=project.id,
            name="ci",
            path="\\Delivery",
            job_authorization_scope="project",
            repository=devops.BuildDefinitionRepositoryArgs(
                repo_type="TfsGit", repo_id=repository.id, branch_name=MAIN, yml_path="azure-pipelines.yml"
            ),
            ci_trigger=devops.BuildDefinitionCiTriggerArgs(use_yaml=True),
            opts=opts,
        )
        number = pipeline.id.apply(int)

        def policies(*earlier: pulumi.Resource) -> list[pulumi.Resource]:
            scope = devops.BranchPolicyBuildValidationSettingsScopeArgs(
                repository_id=repository.id, repository_ref=MAIN, match_type="Exact"
            )
            return [
                devops.BranchPolicyBuildValidation(
                    "validation",
                    project_id=project.id,
                    settings=devops.BranchPolicyBuildValidationSettingsArgs(
                        display_name="PR", build_definition_id=number, scopes=[scope]
                    ),
                    opts=after(*earlier),
                ),
                devops.BranchPolicyMinReviewers(
                    "reviewers",
                    project_id=project.id,
                    settings=devops.BranchPolicyMinReviewersSettingsArgs(
                        reviewer_count=self.reviewers,
                        scopes=[
                            devops.BranchPolicyMinReviewersSettingsScopeArgs(
                                repository_id=repository.id, repository_ref=MAIN, match_type="Exact"
                            )
                        ],
                    ),
                    opts=after(*earlier),
                ),
            ]

        def seed(*earlier: pulumi.Resource) -> list[pulumi.Resource]:
            return [
                devops.GitRepositoryFile(
                    name,
                    repository_id=repository.id,
                    file=name,
                    content="steps: []",
                    branch=MAIN,
                    overwrite_on_create=True,
                    opts=after(*earlier),
                )
                for name in ("azure-pipelines.yml", "README.md")
            ]

        if self.files_after_policies:
            seed(*policies())
        else:
            policies(*seed())

        connection = devops.ServiceEndpointAzureRM(
            "connection",
            project_id=project.id,
            service_endpoint_name="deploy",
            service_endpoint_authentication_scheme="WorkloadIdentityFederation",
            credentials=devops.ServiceEndpointAzureRMCredentialsArgs(serviceprincipalid=identity.client_id),
            azurerm_spn_tenantid=TENANT,
            azurerm_subscription_id=SUBSCRIPTION,
            azurerm_subscription_name="Sandbox",
            opts=opts,
        )
        subject: pulumi.Input[str] = connection.workload_identity_federation_subject
        if self.computed_subject:
            subject = f"sc://contoso/{self.project}/deploy"
        FederatedIdentityCredential(
            "credential",
            resource_name_=identity.name,
            resource_group_name=group.name,
            federated_identity_credential_resource_name="fc-deploy",
            audiences=["api://AzureADTokenExchange"],
            issuer=connection.workload_identity_federation_issuer,
            subject=subject,
            opts=azure,
        )
        environment = devops.Environment("staging", project_id=project.id, name="staging", opts=opts)
        for type_, id in (("environment", environment.id), ("endpoint", connection.id), ("repository", repository.id)):
            devops.PipelineAuthorization(
                f"ci-uses-{type_}", project_id=project.id, resource_id=id, type=type_, pipeline_id=number, opts=opts
            )
        people = devops.Group("people", origin_id=APPROVERS, opts=opts)
        approvers = devops.Group("approvers", display_name="Approvers", scope=project.id, opts=opts)
        devops.GroupMembership("membership", group=approvers.descriptor, members=[people.descriptor], opts=opts)
        devops.CheckApproval(
            "approval",
            project_id=project.id,
            target_resource_id=environment.id,
            target_resource_type="environment",
            approvers=[approvers.origin_id],
            opts=opts,
        )
        devops.CheckBranchControl(
            "branches",
            project_id=project.id,
            target_resource_id=connection.id,
            target_resource_type="endpoint",
            allowed_branches=MAIN,
            opts=opts,
        )
        devops.VariableGroup(
            "variables",
            project_id=project.id,
            name="run",
            variables=[
                devops.VariableGroupVariableArgs(
                    name="KEY", is_secret=True, secret_value=pulumi.Output.secret("hush-hush")
                ),
            ],
            opts=opts,
        )
        queue = devops.get_agent_queue_output(
            project_id=project.id, name="Azure Pipelines", opts=pulumi.InvokeOutputOptions(provider=opts.provider)
        )
        pulumi.export("queue", queue.id)
        pulumi.export("url", repository.web_url)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(estate())


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


def test_a_delivery_project_is_previewed_made_quiet_refreshed_and_gone(
    engine: Rehearsal, scene: Scene, cloud: Cloud
) -> None:
    engine.preview("one")
    assert cloud.devops.resources == {}
    engine.update("one")
    assert len(cloud.devops.resources) == 18
    assert engine.preview("one").quiet
    assert engine.refresh("one").changed() == ()
    assert engine.preview("one").quiet

    exported = engine.export("one")
    assert "hush-hush" not in str(exported)
    outputs = next(each for each in exported["deployment"]["resources"] if each["type"] == "pulumi:pulumi:Stack")
    assert outputs["outputs"]["url"] == f"{ORGANIZATION}/Shop/_git/platform"
    assert int(outputs["outputs"]["queue"])

    scene.reviewers = 2
    assert {(step.name, step.op) for step in engine.update("one").changed()} == {("reviewers", "update")}

    engine.destroy("one")
    assert cloud.devops.resources == {}
    assert cloud.resources == {}


def test_a_seed_that_comes_after_the_policies_is_refused(engine: Rehearsal, scene: Scene) -> None:
    scene.files_after_policies = True
    with pytest.raises(EngineError, match="TF402455: Pushes to this branch are not permitted"):
        engine.update("one")


def test_a_computed_subject_is_refused(engine: Rehearsal, scene: Scene) -> None:
    scene.computed_subject = True
    with pytest.raises(EngineError, match="a subject it never issued"):
        engine.update("one")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("contoso", r"it is written as https://dev\.azure\.com/<organisation>"),
        ("https://dev.azure.com/fabrikam", "404 Not Found"),
    ],
)
def test_a_provider_that_leads_elsewhere_is_refused_before_anything_is_made(
    engine: Rehearsal, scene: Scene, cloud: Cloud, url: str, words: str
) -> None:
    scene.url = url
    with pytest.raises(EngineError, match=words):
        engine.preview("one")
    assert cloud.devops.resources == {}
