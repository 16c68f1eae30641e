"""Which stacks a stack may lean on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from validation.checking import check, problem
from validation.problems import Problem

if TYPE_CHECKING:
    from settings import Stacks


@check
def stacks_lean_one_way(stack: str, stacks: Stacks) -> Iterator[Problem]:
    for field, said in (
        ("delivery", stacks.delivery),
        ("promotesFrom", stacks.promotes_from),
        ("registry", stacks.registry),
    ):
        if said == stack:
            yield problem(
                f"stacks.{field}",
                said,
                "the name of another stack",
                "name the stack it leans on, or leave out what the environment owns itself",
            )


@check
def only_a_borrowed_registry_is_said_to_be_private_here(stacks: Stacks) -> Iterator[Problem]:
    if stacks.registry_private and not stacks.registry:
        yield problem(
            "stacks.registryPrivate",
            stacks.registry_private,
            "set with stacks.registry only",
            "remove it; how open the environment's own registry is stands in registry.access",
        )


@check
def delivery_lives_in_nonproduction(tier: str, stacks: Stacks) -> Iterator[Problem]:
    if tier == "production" and stacks.delivery is None:
        yield problem(
            "stacks.delivery",
            None,
            "the nonproduction stack that owns the Azure DevOps project",
            "name it; whoever administers delivery must not do so by way of production",
        )


@check
def promotion_goes_to_production(tier: str, stacks: Stacks) -> Iterator[Problem]:
    if tier == "nonproduction" and stacks.promotes_from:
        yield problem("stacks.promotesFrom", stacks.promotes_from, "set in production only", "remove it")
    if tier == "production" and not (stacks.promotes_from or stacks.registry):
        yield problem(
            "stacks.promotesFrom",
            None,
            "the nonproduction stack whose images are promoted (or `registry`: a production stack)",
            "name the stack that images come from",
        )
