"""The Azure DevOps half: where delivery lives, the machines it runs on, and what it has in an environment."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from pulumi import Output

from components.delivery import (
    Configuration,
    DeliveryEnvironmentArgs,
    DeliveryHomeArgs,
    ExtensionsArgs,
    Facts,
    GitHubRepository,
    Home,
    ManagedAgents,
    ManagedAgentsArgs,
    Promotion,
    Pull,
    Seeds,
    Subscription,
    seeded,
    wanted_project,
)
from components.delivery.pipelines import CD, CI, PR
from components.gitops import Gitops, GitopsArgs
from components.naming import DeliveryNames
from components.placement import Placement
from contract import Contract
from settings import Home as WantedHome
from settings import Settings
from wiring.made import Made

ROOT: Final = Path(__file__).resolve().parent.parent


def delivery(settings: Settings, place: Placement, made: Made) -> DeliveryHomeArgs:
    wanted = settings.delivery.home
    assert wanted, "only where delivery lives"
    assert wanted.project, "and the settings see to it"
    assert made.registry, "CI pushes to a registry"
    assert made.ci_vault, "and reads a vault; the settings see to both"
    return DeliveryHomeArgs(
        place,
        project=wanted_project(**wanted.project.model_dump()),
        platform=_seeds(wanted, DeliveryNames.PLATFORM_REPOSITORY),
        application=GitHubRepository(**wanted.github.model_dump())
        if wanted.github
        else _seeds(wanted, DeliveryNames.APPLICATION_REPOSITORY),
        subscription=subscription(settings),
        registry_id=made.registry.id,
        ci_vault_id=made.ci_vault.id,
        run_records_id=made.observability.records.collection_rule_id,
        configuration=Configuration(
            seeded(ROOT, DeliveryNames.CONFIGURATION_REPOSITORY) if wanted.seed_configuration else Seeds({}),
            settings.cluster.admin_groups,
        )
        if settings.keeps_configuration
        else None,
        signing_key_id=made.signing_key.id if made.signing_key else None,
        updates=wanted.updates,
        reviewers=wanted.reviewers,
        branches_known=settings.delivery.protection_known,
        extensions=ExtensionsArgs(wanted.extensions),
    )


def agents(settings: Settings, place: Placement, home: Home, made: Made) -> ManagedAgentsArgs:
    assert settings.agents.service_principal_id, "managed agents have a principal; the settings see to it"
    return ManagedAgentsArgs(
        place,
        organization_url=settings.organization,
        project_id=home.project_id,
        project_name=home.project_name,
        network_id=made.network.id,
        subnet_id=made.network.subnet_ids["agents"],
        service_principal_id=settings.agents.service_principal_id,
        # Where delivery lives, what is built runs there too; elsewhere releases alone do.
        pipelines={name: home.pipelines[name] for name in ((PR, CI, CD) if settings.delivery.home else (CD,))},
        vm_size=settings.agents.vm_size,
        maximum=settings.agents.maximum,
    )


def gitops(settings: Settings, place: Placement, home: Home, made: Made) -> GitopsArgs:
    repository = DeliveryNames.CONFIGURATION_REPOSITORY
    return GitopsArgs(
        place,
        tenant_id=settings.azure.tenant_id,
        cluster_name=made.cluster.name,
        oidc_issuer=made.cluster.oidc_issuer,
        repository_url=Output.from_input(home.project_name).apply(
            lambda project: f"{settings.organization.rstrip('/')}/{quote(project)}/_git/{repository}"
        ),
        folder=DeliveryNames(settings.stack).folder,
        namespace=made.workload.namespace,
        inside=made.workload.inside,
    )


def releases(
    settings: Settings,
    place: Placement,
    home: Home,
    made: Made,
    source: Output[Contract] | None,
    agents: ManagedAgents | None,
    gitops: Gitops | None,
) -> DeliveryEnvironmentArgs:
    """`source`: the stack whose images are promoted to this one; `agents`: what releases run on inside the network;
    `gitops`: what fetches the workload, where the cluster pulls."""
    return DeliveryEnvironmentArgs(
        place,
        home,
        production=settings.production,
        gates=settings.gates,
        approver_group_id=settings.delivery.approvers,
        subscription=subscription(settings),
        facts=facts(settings, made, source, agents),
        cluster_id=made.cluster.id,
        namespace=made.workload.namespace,
        metrics_workspace_id=made.observability.metrics.workspace_id,
        run_records_id=made.observability.records.collection_rule_id,
        promotion=Promotion(source.registry.id, made.images.id) if source else None,
        pull=Pull(gitops.principal_id) if gitops else None,
        grafana_id=made.observability.grafana.id,
        verified_registry_id=made.images.id if settings.signing else None,
        ci_reads_facts=settings.delivery.home is not None,
        branches_known=settings.delivery.protection_known,
    )


def facts(settings: Settings, made: Made, source: Output[Contract] | None, agents: ManagedAgents | None) -> Facts:
    signing = settings.signing
    signed = signing if signing and signing.certificates else None
    return Facts(
        registry_login_server=made.images.login_server,
        registry_id=made.images.id,
        cluster_name=made.cluster.name,
        resource_group=made.group.name,
        namespace=made.workload.namespace,
        service_account=made.workload.service_account,
        workload_vault_uri=made.workload_vault.uri,
        log_workspace_id=made.logs.workspace_id,
        metrics_query_endpoint=made.observability.metrics.query_endpoint,
        run_records_endpoint=made.observability.records.ingestion_endpoint,
        run_records_rule=made.observability.records.immutable_id,
        grafana_endpoint=made.observability.grafana.endpoint,
        source_registry_id=source.registry.id if source else None,
        source_login_server=source.registry.login_server if source else None,
        ci_vault_name=made.ci_vault.name if made.ci_vault else None,
        signing_certificates=signed.bundle if signed else None,
        signing_subject=signed.subject if signed else None,
        signing_key=Output.concat(made.signing_key.uri, "/", signed.key_version)
        if signed and signed.key_version and made.signing_key
        else None,
        agent_pool=agents.name if agents else None,
    )


def _seeds(wanted: WantedHome, repository: str) -> Seeds:
    return seeded(ROOT, repository) if wanted.seed else Seeds({})


def subscription(settings: Settings) -> Subscription:
    azure = settings.azure
    return Subscription(azure.tenant_id, azure.subscription_id, azure.subscription_name or azure.subscription_id)
