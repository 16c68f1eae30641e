"""A small program that does everything wrong and that the engine and the cloud let pass: the invariants find it out.

The other tests of the invariants edit what the real program left behind; this one shows that a program leaves behind
what they look for. What the cloud refuses by itself is not in it.
"""

from __future__ import annotations

import pulumi
import pulumi_azuredevops as ado
import pytest
from pulumi import Output, ResourceOptions
from pulumi_azure_native import Provider
from pulumi_azure_native.authorization import RoleAssignment
from pulumi_azure_native.containerregistry import Registry, SkuArgs
from pulumi_azure_native.managedidentity import FederatedIdentityCredential, UserAssignedIdentity
from pulumi_azure_native.resources import ResourceGroup

from components.access import role_definition_id
from rehearsal import toolchain
from rehearsal.cloud import Cloud
from rehearsal.console import Console
from rehearsal.engine import Rehearsal
from tests import authorisations, delivery, gates, leaks, registries, rights
from tests.breaches import Invariant
from tests.declared import GROUP, ROOT, SUBSCRIPTION, TENANT
from tests.deliveries import there
from tests.environments import Environment
from tests.graph import Landscape

PRODUCTION = Environment(
    key="prod",
    production=True,
    home="prod",
    registry="prod",
    source=None,
    private=False,
    agents_service=None,
    namespace="shop",
    updates=False,
    audits=False,
    signed=False,
    operators=(GROUP,),
    approvers=GROUP,
    approval_hours=72,
    business_hours=None,
    reviewers=1,
    github=None,
    pulls=False,
    configuration=False,
    subscription=SUBSCRIPTION,
    owns_plans=True,
)


def careless() -> None:
    azure = ResourceOptions(provider=Provider("azure", subscription_id=SUBSCRIPTION, tenant_id=TENANT))
    devops = ResourceOptions(
        provider=ado.Provider(
            "azure-devops", org_service_url="https://dev.azure.com/example", personal_access_token="a-token"
        )
    )
    group = ResourceGroup("environment", resource_group_name="rg-shop", location="westeurope", opts=azure)
    Registry(
        "registry",
        registry_name="crshopcareless",
        resource_group_name=group.name,
        location="westeurope",
        sku=SkuArgs(name="Premium"),
        admin_user_enabled=True,
        opts=azure,
    )
    identities = {
        name: UserAssignedIdentity(
            name, resource_name_=f"id-{name}", resource_group_name=group.name, location="westeurope", opts=azure
        )
        for name in ("deploy", "somebody")
    }
    RoleAssignment(
        "deploy-pushes",
        role_assignment_name="6f0e5a00-1111-4222-8333-444455556666",
        scope=group.id,
        role_definition_id=role_definition_id("AcrPush", SUBSCRIPTION),
        principal_id=identities["deploy"].principal_id,
        principal_type="ServicePrincipal",
        opts=azure,
    )
    project = ado.Project("project", name="Shop", opts=devops)
    pulumi.export("contract", {"delivery": {"projectName": project.name}})
    repository = ado.Git(
        "application-repository",
        project_id=project.id,
        name="application",
        default_branch="refs/heads/main",
        initialization=ado.GitInitializationArgs(init_type="Clean"),
        opts=devops,
    )
    for path in ("one.md", "other.md"):
        ado.GitRepositoryFile(
            path, repository_id=repository.id, file=path, content=path, branch="refs/heads/main", opts=devops
        )
    cd = ado.BuildDefinition(
        "cd",
        project_id=project.id,
        name="cd",
        repository=ado.BuildDefinitionRepositoryArgs(repo_type="TfsGit", repo_id=repository.id, yml_path="cd.yml"),
        opts=devops,
    )
    _releases(project, cd, identities["deploy"], identities["somebody"], azure, devops)


def _releases(
    project: ado.Project,
    cd: ado.BuildDefinition,
    named: UserAssignedIdentity,
    federated: UserAssignedIdentity,
    azure: ResourceOptions,
    devops: ResourceOptions,
) -> None:
    environment = ado.Environment("environment", project_id=project.id, name="prod", opts=devops)
    connection = ado.ServiceEndpointAzureRM(
        "deploy-connection",
        project_id=project.id,
        service_endpoint_name="deploy-prod",
        service_endpoint_authentication_scheme="WorkloadIdentityFederation",
        credentials=ado.ServiceEndpointAzureRMCredentialsArgs(serviceprincipalid=named.client_id),
        azurerm_spn_tenantid=TENANT,
        azurerm_subscription_id=SUBSCRIPTION,
        azurerm_subscription_name="Shop",
        features=ado.ServiceEndpointAzureRMFeaturesArgs(validate=False),
        opts=devops,
    )
    FederatedIdentityCredential(
        "deploy-signs-in",
        federated_identity_credential_resource_name="deploy",
        resource_name_=federated.name,
        resource_group_name="rg-shop",
        issuer=connection.workload_identity_federation_issuer,
        subject=connection.workload_identity_federation_subject,
        audiences=["api://AzureADTokenExchange"],
        opts=azure,
    )
    ado.PipelineAuthorization(
        "everybody", project_id=project.id, resource_id=connection.id, type="endpoint", opts=devops
    )
    ado.PipelineAuthorization(
        "cd",
        project_id=project.id,
        resource_id=environment.id,
        type="environment",
        pipeline_id=cd.id.apply(int),
        opts=devops,
    )
    ado.CheckExclusiveLock(
        "late",
        project_id=project.id,
        target_resource_id=environment.id,
        target_resource_type="environment",
        opts=devops,
    )
    builders = ado.Group("builders", scope=project.id, display_name="builders", opts=devops)
    ado.SecurityroleAssignment(
        "builders-administer",
        scope="distributedtask.environmentreferencerole",
        resource_id=Output.concat(project.id, "_", environment.id),
        identity_id=builders.group_id,
        role_name="Administrator",
        opts=devops,
    )
    ado.VariableGroup(
        "facts",
        project_id=project.id,
        name="environment-prod",
        allow_access=True,
        variables=[ado.VariableGroupVariableArgs(name="key", secret_value="a-key", is_secret=True)],
        opts=devops,
    )


pytestmark = pytest.mark.xdist_group("breaches")


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    directory = tmp_path_factory.mktemp("careless")
    root = directory / "project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: aks-cicd\nruntime: python\n")
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), print)
    run = directory / "run"
    with Rehearsal.open(root, run, Cloud(there()), program=careless, configs={"prod": {}}, cli=cli) as rehearsal:
        rehearsal.update("prod")
        return Landscape({"prod": rehearsal.export("prod")})


@pytest.mark.parametrize(
    ("invariant", "said"),
    [
        (rights.beyond_the_table, "prod/deploy has AcrPush on prod/environment, which the table does not say"),
        (rights.unknown_identities, "the identity prod/somebody is not in the table"),
        (registries.registry_access, "prod/deploy can write to prod/registry"),
        (rights.back_doors, "prod/registry: adminUserEnabled is on"),
        (gates.gates_amiss, "prod: the environment prod has 0 of CheckApproval"),
        (gates.approvers_amiss, f"prod: the endpoint deploy-prod: 0 groups hold {GROUP} as their only member"),
        (gates.administrators, "prod/builders-administer: "),
        (authorisations.authorisations_amiss, "every pipeline may use the endpoint prod: deploy-prod"),
        (authorisations.open_to_all, "prod/everybody lets in every pipeline"),
        (authorisations.open_to_all, "prod/facts is open to every pipeline"),
        (authorisations.ways_around_cd, "every pipeline may use the endpoint prod: deploy-prod"),
        (authorisations.let_in_too_early, "prod/cd does not wait for late"),
        (delivery.connections_amiss, "deploy-signs-in belongs to another identity than the connection names"),
        (delivery.policies_amiss, "prod: application has 0 of BranchPolicyMinReviewers"),
        (delivery.order_amiss, "prod: the seeds one.md and other.md can be pushed at a time"),
        (delivery.pipelines_amiss, "prod: cd reaches other projects"),
        (delivery.unprotected, "prod/project is not protected"),
        (leaks.secrets, "prod/facts says variables.*.secretValue in plain text"),
        (leaks.secrets, "prod/azure-devops holds a secret: personalAccessToken"),
        (leaks.marked_variables, "prod/facts holds the secret key"),
        (leaks.told_providers, "prod: the provider azure-devops is told personalAccessToken"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_careless_program_is_found_out(invariant: Invariant, said: str, landscape: Landscape) -> None:
    findings = invariant(landscape, {"prod": PRODUCTION})
    assert any(said in each for each in findings), findings
