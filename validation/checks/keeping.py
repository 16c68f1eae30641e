"""What keeps images, secrets and logs, and who is told: registry, vaults, workspace, receivers, Defender's plans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from validation.checking import as_said, check, problem
from validation.problems import Problem, below
from validation.reader import takes

if TYPE_CHECKING:
    from settings import Alerts, Azure, Defender, Logs, Registry, Stacks, Vaults


@check
def registry_is_its_own_or_anothers(registry: Registry | None, stacks: Stacks) -> Iterator[Problem]:
    if stacks.registry and registry:
        yield problem(
            "registry",
            as_said(registry),
            f"left out with aks-cicd:stacks.registry {stacks.registry}",
            "remove one of the two: an environment has its own registry or uses another's",
        )
    if not stacks.registry and not registry:
        yield problem(
            "registry",
            None,
            "a mapping with the key access at least, or left out with aks-cicd:stacks.registry",
            "say how open it is: registry.access",
        )


@check
def no_live_image_is_purged(tier: str, azure: Azure, registry: Registry | None) -> Iterator[Problem]:
    if registry is None:
        return
    if tier == "production" and registry.untagged_retention_days:
        yield problem(
            "registry.untaggedRetentionDays",
            registry.untagged_retention_days,
            "0 in production",
            "use softDeleteDays: an image that runs by digest may have lost its tag",
        )
    if tier == "nonproduction" and registry.soft_delete_days:
        yield problem(
            "registry.softDeleteDays",
            registry.soft_delete_days,
            "0 in nonproduction",
            "use untaggedRetentionDays; Azure refuses both at once",
        )
    if registry.soft_delete_days and registry.replicas:
        yield problem(
            "registry.softDeleteDays",
            registry.soft_delete_days,
            "0 with replicas",
            "remove one of the two: soft delete does not work in a geo-replicated registry",
        )
    if azure.location in registry.replicas or len(set(registry.replicas)) != len(registry.replicas):
        yield problem(
            "registry.replicas",
            registry.replicas,
            f"each region once, without {azure.location}",
            "remove the repetition",
        )


@check
def ci_vault_lives_with_delivery(stacks: Stacks, vaults: Vaults) -> Iterator[Problem]:
    if stacks.delivery and vaults.ci:
        yield problem(
            "vaults.ci",
            as_said(vaults.ci),
            f"left out: the CI vault lives in {stacks.delivery}",
            "remove it, or remove stacks.delivery",
        )
    if not stacks.delivery and not vaults.ci:
        yield problem(
            "vaults.ci",
            None,
            "a mapping with the key access at least, because delivery lives here",
            "say how open it is: vaults.ci.access",
        )


@check
def logs_go_to_one_workspace(logs: Logs) -> Iterator[Problem]:
    for key, said in (("retentionDays", logs.retention_days), ("dailyCapGb", logs.daily_cap_gb)):
        if logs.workspace_id and said:
            yield problem(
                f"logs.{key}",
                said,
                "left out with aks-cicd:logs.workspaceId",
                "remove it: an existing workspace keeps its own",
            )
    if not logs.workspace_id and not logs.retention_days:
        yield problem(
            "logs.retentionDays",
            None,
            takes(logs, "retention_days"),
            "say how long logs are kept, or name a workspace",
        )


@check
def existing_workspace_says_where_it_is(logs: Logs) -> Iterator[Problem]:
    if logs.location and not logs.workspace_id:
        yield problem(
            "logs.location",
            logs.location,
            "left out without aks-cicd:logs.workspaceId",
            "remove it: a workspace of our own lies in the environment's region",
        )
    if logs.basic_tables and logs.workspace_id:
        yield problem(
            "logs.basicTables",
            logs.basic_tables,
            "left out with aks-cicd:logs.workspaceId",
            "remove it: the plans of an existing workspace are its owner's",
        )
    if len(set(logs.basic_tables)) != len(logs.basic_tables):
        yield problem("logs.basicTables", logs.basic_tables, "each table once", "remove the repetition")


@check
def alerts_reach_somebody(alerts: Alerts) -> Iterator[Problem]:
    if not (alerts.emails or alerts.webhooks):
        yield problem(
            "alerts.emails",
            None,
            "at least one receiver, by e-mail or webhook",
            "name who is told when something fires",
        )


@check
def receivers_have_names_of_their_own(alerts: Alerts) -> Iterator[Problem]:
    # Azure takes a name once in an action group, whatever the kind of receiver, and without regard to case.
    taken: dict[str, str] = {}
    for kind, receivers in (("emails", alerts.emails), ("webhooks", alerts.webhooks)):
        for name in receivers:
            key = below(f"alerts.{kind}", name)
            if name.lower() in taken:
                allowed = f"another name than aks-cicd:{taken[name.lower()]}"
                yield problem(key, receivers[name], allowed, "rename one of the two receivers")
            taken.setdefault(name.lower(), key)


@check
def managed_plans_have_a_contact(defender: Defender) -> Iterator[Problem]:
    if defender.plans == "managed" and not defender.contacts:
        yield problem(
            "defender.contacts",
            None,
            "at least one e-mail address with aks-cicd:defender.plans managed",
            "name whom Defender for Cloud writes to",
        )
    if defender.plans != "managed" and defender.contacts:
        yield problem(
            "defender.contacts",
            defender.contacts,
            f"left out with aks-cicd:defender.plans {defender.plans}",
            "remove them: the contact belongs to whoever owns the plans",
        )
