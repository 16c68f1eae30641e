"""Where delivery lives, who approves, and when production may be changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from validation.checking import as_said, check, problem
from validation.problems import Problem

if TYPE_CHECKING:
    from settings import Agents, Delivery, Stacks


@check
def delivery_has_one_home(tier: str, stacks: Stacks, delivery: Delivery) -> Iterator[Problem]:
    if tier == "nonproduction" and stacks.delivery is None and delivery.home is None:
        yield problem(
            "delivery.home",
            None,
            "set where delivery lives, and no other stack is named as its home",
            "describe the project, or name the stack that owns it as stacks.delivery"
            if delivery.platform == "azureDevOps"
            else "describe the repositories, or name the stack that owns them as stacks.delivery",
        )
    if stacks.delivery and delivery.home:
        yield problem(
            "delivery.home",
            as_said(delivery.home),
            f"left out: delivery lives in the stack {stacks.delivery}",
            "remove it, or remove stacks.delivery",
        )


@check
def production_has_approvers(tier: str, delivery: Delivery) -> Iterator[Problem]:
    on_azure_devops = delivery.platform == "azureDevOps"
    if tier == "production" and delivery.gates.approval and not delivery.approvers and on_azure_devops:
        yield problem(
            "delivery.approvers",
            None,
            "the object id of a group of the directory, because releases to production are approved",
            "name the group whose members approve, or switch delivery.gates.approval off",
        )
    if tier == "nonproduction" and delivery.approvers and on_azure_devops:
        yield problem(
            "delivery.approvers", delivery.approvers, "set in production only", "remove it: nothing waits for approval"
        )


@check
def business_hours_begin_before_they_end(delivery: Delivery) -> Iterator[Problem]:
    hours = delivery.gates.business_hours
    if hours and hours.start >= hours.end:
        yield problem(
            "delivery.gates.businessHours.end",
            hours.end,
            f"a time after start ({hours.start}), on the same day",
            "swap the two, or choose a time zone in which they do not span midnight",
        )
    if hours and len(set(hours.days)) != len(hours.days):
        yield problem("delivery.gates.businessHours.days", hours.days, "each day once", "remove the repetition")


@check
def an_existing_project_keeps_its_services(delivery: Delivery) -> Iterator[Problem]:
    project = delivery.home.project if delivery.home else None
    if project and project.id and project.services:
        yield problem(
            "delivery.home.project.services",
            project.services,
            "left out with delivery.home.project.id",
            "remove it: the services of an existing project are its owner's",
        )
    if delivery.home and delivery.home.github and not (project and project.id):
        yield problem(
            "delivery.home.project.id",
            None,
            "the id of the project in which the Azure Pipelines app has made its connection",
            "make the project first: the app is installed by a person, and its connection lies in a project",
        )


@check
def managed_agents_name_their_service(agents: Agents) -> Iterator[Problem]:
    if agents.kind == "managed" and not agents.service_principal_id:
        yield problem(
            "agents.servicePrincipalId",
            None,
            "the object id of DevOpsInfrastructure in this directory, with agents.kind managed",
            "run `az ad sp show --id 31687f79-5e43-4c1e-8c63-d9f4bff5cf8b --query id`",
        )
