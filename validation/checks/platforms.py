"""Which platform carries releases, and what belongs to the other one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from validation.checking import as_said, check, problem
from validation.problems import Problem
from validation.reader import takes

if TYPE_CHECKING:
    from settings import Agents, Delivery, Repositories

GITHUB, AZURE_DEVOPS = "github", "azureDevOps"
REVIEWERS = 6
"""The most that an environment on GitHub has (REST API, create or update an environment)."""


@check
def each_platform_says_where_it_is(delivery: Delivery) -> Iterator[Problem]:
    if delivery.platform == AZURE_DEVOPS and delivery.organization is None:
        yield problem("delivery.organization", None, takes(delivery, "organization"), "add it to the stack file")
    if delivery.platform == GITHUB and delivery.github is None:
        yield problem(
            "delivery.github",
            None,
            f"{takes(delivery, 'github')}, because delivery.platform is github",
            "add it to the stack file",
        )
    if delivery.home and delivery.platform == AZURE_DEVOPS and delivery.home.project is None:
        yield problem("delivery.home.project", None, takes(delivery.home, "project"), "add it to the stack file")
    if delivery.home and delivery.platform == GITHUB and delivery.home.repositories is None:
        yield problem(
            "delivery.home.repositories",
            None,
            f"{takes(delivery.home, 'repositories')}, because delivery.platform is github",
            "add it to the stack file",
        )


@check
def nothing_is_said_of_the_other_platform(delivery: Delivery) -> Iterator[Problem]:
    home, gates = delivery.home, delivery.gates
    of_azure_devops: dict[str, Any] = {
        "organization": delivery.organization,
        "home.project": home and home.project and as_said(home.project),
        "home.github": home and home.github and as_said(home.github),
        "home.configuration": _set(home, "configuration"),
        "home.seedConfiguration": _set(home, "seed_configuration"),
        "home.extensions": _set(home, "extensions"),
        "home.updates": _set(home, "updates"),
        "approvers": delivery.approvers,
        "protectionKnown": _set(delivery, "protection_known"),
    }
    of_github: dict[str, Any] = {
        "github": delivery.github and as_said(delivery.github),
        "home.repositories": home and home.repositories and as_said(home.repositories),
    }
    for key, said in (of_azure_devops if delivery.platform == GITHUB else of_github).items():
        if said is not None:
            other = GITHUB if delivery.platform == AZURE_DEVOPS else AZURE_DEVOPS
            mend = _INSTEAD.get(key, "remove it")
            yield problem(f"delivery.{key}", said, f"left out, unless delivery.platform is {other}", mend)
    if delivery.platform == GITHUB and delivery.model == "pull":
        yield problem(
            "delivery.model",
            delivery.model,
            "push with delivery.platform github",
            "set it to push: the repository of configuration, and what reads it, are Azure DevOps's",
        )
    if delivery.platform == GITHUB:
        for key, said, why in (
            ("businessHours", gates.business_hours and as_said(gates.business_hours), "an environment knows no hours"),
            ("approvalHours", _set(gates, "approval_hours"), "a release waits for its approval for 30 days"),
        ):
            if said is not None:
                yield problem(
                    f"delivery.gates.{key}", said, "left out with delivery.platform github", f"remove it: there, {why}"
                )


_INSTEAD = {
    "home.project": "remove it, and name the repositories in delivery.home.repositories",
    "approvers": "remove it, and name teams or people in delivery.github.approverTeams or approverUsers",
}


def _set(section: Any, field: str) -> Any:
    """The value of a field that stands in the file."""
    return getattr(section, field) if section and field in section.model_fields_set else None


@check
def github_knows_who_approves(tier: str, delivery: Delivery) -> Iterator[Problem]:
    side = delivery.github
    if side is None or delivery.platform != GITHUB:
        return
    approvers = [*side.approver_teams, *side.approver_users]
    if tier == "production" and delivery.gates.approval and not approvers:
        yield problem(
            "delivery.github.approverTeams",
            None,
            "at least one team or user, because releases to production are approved",
            "add the id that `gh api orgs/<owner>/teams/<team> --jq .id` tells, or switch delivery.gates.approval off",
        )
    if len(approvers) > REVIEWERS:
        yield problem(
            "delivery.github.approverTeams",
            list(side.approver_teams),
            f"together with approverUsers at most {REVIEWERS}",
            "name a team that has them all as members",
        )
    if tier == "nonproduction" and approvers:
        yield problem(
            "delivery.github.approverTeams" if side.approver_teams else "delivery.github.approverUsers",
            list(side.approver_teams or side.approver_users),
            "set in production only",
            "remove it: nothing waits for approval",
        )


@check
def the_subject_is_the_one_that_github_issues(delivery: Delivery) -> Iterator[Problem]:
    if delivery.platform != GITHUB or not (delivery.home and delivery.home.repositories):
        return
    yield from _subject(delivery.home.repositories)


def _subject(said: Repositories) -> Iterator[Problem]:
    key = "delivery.home.repositories"
    if said.create and said.subject == "classic":
        yield problem(
            f"{key}.subject",
            said.subject,
            f"immutable with {key}.create: GitHub issues no other for a repository that is made now",
            "set it to immutable, with the ownerId",
        )
        return
    ids = {"ownerId": said.owner_id, "applicationId": said.application_id}
    if said.subject == "classic":
        for name, value in ids.items():
            if value is not None:
                yield problem(
                    f"{key}.{name}",
                    value,
                    f"left out with {key}.subject classic, which holds no ids",
                    "remove it, or set the subject to immutable",
                )
        return
    if said.create and said.application_id is not None:
        yield problem(
            f"{key}.applicationId", said.application_id, f"left out with {key}.create", "remove it: GitHub chooses it"
        )
    asked = {"ownerId": "gh api users/<owner> --jq .id", "applicationId": "gh api repos/<owner>/<name> --jq .id"}
    for name in ("ownerId",) if said.create else ids:
        if ids[name] is None:
            yield problem(
                f"{key}.{name}",
                None,
                f"the id that {key}.subject immutable holds beside the name",
                f"add what `{asked[name]}` tells",
            )


@check
def repositories_differ(delivery: Delivery) -> Iterator[Problem]:
    said = delivery.home.repositories if delivery.home else None
    if said and said.application.lower() == said.platform.lower():
        yield problem(
            "delivery.home.repositories.platform",
            said.platform,
            "another repository than the application's",
            "name two: who changes the application must not change the way to production",
        )


@check
def runners_fit_the_platform(delivery: Delivery, agents: Agents) -> Iterator[Problem]:
    github = delivery.platform == GITHUB
    if agents.kind == "managed" and github:
        yield problem(
            "agents.kind",
            agents.kind,
            "hosted or selfHosted with aks-cicd:delivery.platform github",
            "set it to selfHosted, with the label of runners inside the network: managed agents serve Azure DevOps",
        )
    if agents.kind == "selfHosted" and not github:
        yield problem(
            "agents.kind",
            agents.kind,
            "hosted or managed with aks-cicd:delivery.platform azureDevOps",
            "set it to managed, which makes agents inside the network",
        )
    if agents.kind == "selfHosted" and agents.label is None:
        yield problem(
            "agents.label",
            None,
            "the label of the runners inside the network, with agents.kind selfHosted",
            "add the label that they were registered with",
        )
    if agents.kind != "selfHosted" and agents.label is not None:
        yield problem("agents.label", agents.label, "left out unless agents.kind is selfHosted", "remove it")
