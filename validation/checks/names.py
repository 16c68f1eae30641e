"""Physical names: each fits its limit, and no two that stand beside each other are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.naming import Names
from validation.checking import camel, check, problem
from validation.problems import Problem

if TYPE_CHECKING:
    from settings import Azure, Overrides


def planned_names(stack: str, workload: str, azure: Azure, generation: int, names: Overrides) -> Names:
    own = {key: value for key, value in names.model_dump().items() if value}
    return Names(workload, stack, azure.subscription_id, generation, own)


@check
def names_fit_their_limits(
    stack: str, workload: str, azure: Azure, generation: int, names: Overrides
) -> Iterator[Problem]:
    for misfit in planned_names(stack, workload, azure, generation, names).misfits():
        rule = misfit.rule
        yield problem(
            f"names.{camel(misfit.what)}",
            misfit.name,
            f"{rule.shortest} to {rule.longest} {rule.words} (it has {len(misfit.name)} characters)",
            "shorten or correct the name",
        )


@check
def names_beside_each_other_differ(
    stack: str, workload: str, azure: Azure, generation: int, names: Overrides
) -> Iterator[Problem]:
    # Two vaults cannot share a name, and AKS makes the nodes' group itself.
    planned = planned_names(stack, workload, azure, generation, names)
    for first, second in (("resource_group", "node_resource_group"), ("ci_vault", "workload_vault")):
        if getattr(planned, first).lower() == getattr(planned, second).lower():
            yield problem(
                f"names.{camel(second)}",
                getattr(planned, second),
                f"another name than aks-cicd:names.{camel(first)}",
                "rename one of the two",
            )
