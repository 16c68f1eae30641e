"""The GitHub half: where delivery lives there, and what it has in an environment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml
from pulumi import Output

from components.delivery import Promotion, rights, seeded
from components.delivery.github import (
    GitHubEnvironmentArgs,
    GitHubHomeArgs,
    Repositories,
    RepositoryArgs,
    Reviewers,
)
from components.delivery.seeds import GITHUB_LIST
from components.naming import DeliveryNames
from components.placement import Placement
from contract import Contract
from settings import Settings
from wiring.delivery import ROOT, facts, subscription
from wiring.made import Made

RULES: Final = ROOT / "workflows" / "rules.yaml"
"""The actions of others that workflows use, each with its commit, and the checks that a change must pass."""
OURS: Final = "example/platform"
"""How the workflows of the project name the platform's repository: no variable says where a workflow comes from."""


def actions(path: Path = RULES) -> list[str]:
    """Each as `owner/name@commit`."""
    found = yaml.safe_load(path.read_text("utf-8"))
    return sorted(f"{name}@{said['commit']}" for name, said in found["actions"].items())


def checks(path: Path = RULES) -> dict[str, list[str]]:
    """Names of the checks that must be green, by repository."""
    found: dict[str, list[str]] = yaml.safe_load(path.read_text("utf-8"))["checks"]
    return found


def github(settings: Settings, place: Placement, made: Made) -> GitHubHomeArgs:
    home = settings.delivery.home
    assert home, "only where delivery lives"
    assert home.repositories, "and the settings see to them"
    assert made.registry, "CI pushes to a registry"
    assert made.ci_vault, "and reads a vault; the settings see to both"
    wanted, required = home.repositories, checks()
    words = {OURS: f"{settings.owner}/{wanted.platform}"}

    def repository(name: str, key: str, *, shared: bool = False) -> RepositoryArgs:
        seeds = seeded(ROOT, key, GITHUB_LIST, words).files if wanted.create and home.seed else None
        return RepositoryArgs(name, required[key], home.reviewers, actions(), wanted.create, seeds, shared)

    return GitHubHomeArgs(
        place,
        owner=settings.owner,
        platform=repository(wanted.platform, DeliveryNames.PLATFORM_REPOSITORY, shared=True),
        application=repository(wanted.application, DeliveryNames.APPLICATION_REPOSITORY),
        owner_id=wanted.owner_id,
        application_id=wanted.application_id,
        subscription=subscription(settings),
        facts=facts(settings, made, None, None),
        registry_id=made.registry.id,
        ci_vault_id=made.ci_vault.id,
        run_records_id=made.observability.records.collection_rule_id,
    )


def github_releases(
    settings: Settings, place: Placement, home: Repositories, made: Made, source: Output[Contract] | None
) -> GitHubEnvironmentArgs:
    """`source`: the stack whose images are promoted to this one."""
    side = settings.delivery.github
    assert side, "only on GitHub"
    return GitHubEnvironmentArgs(
        place,
        home,
        production=settings.production,
        gates=settings.gates,
        reviewers=Reviewers(side.approver_teams, side.approver_users),
        wait_minutes=side.wait_minutes,
        subscription=subscription(settings),
        facts=facts(settings, made, source, None),
        jobs=rights.jobs(
            {
                "deploy": rights.deploy(
                    cluster_id=made.cluster.id,
                    namespace=made.workload.namespace,
                    metrics_workspace_id=made.observability.metrics.workspace_id,
                    run_records_id=made.observability.records.collection_rule_id,
                )
            },
            promotion=Promotion(source.registry.id, made.images.id) if source else None,
            grafana_id=made.observability.grafana.id,
        ),
    )
