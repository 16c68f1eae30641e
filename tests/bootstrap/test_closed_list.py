"""Who plans and applies the infrastructure may do what is written out and nothing else, over all three projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests import authorisations, delivery, gates, infrastructure, leaks, rights
from tests.breaches import SHIPPED, Breach, Invariant
from tests.conftest import Bootstrapped, Rehearsed
from tests.graph import Landscape
from tests.infrastructure import BOOTSTRAP

Exports = Mapping[str, Mapping[str, Any]]

OF_ANY_STACK = (
    rights.back_doors,
    delivery.connections_amiss,
    delivery.order_amiss,
    authorisations.open_to_all,
    authorisations.let_in_too_early,
    leaks.secrets,
)
"""Invariants of the environments that ask the stack files nothing; they hold for the bootstrap too."""


@pytest.fixture
def exports(rehearsed: Mapping[str, Rehearsed], bootstrapped: Bootstrapped) -> Exports:
    return {**{stack: run.export for stack, run in rehearsed.items()}, BOOTSTRAP: bootstrapped.export}


@pytest.mark.parametrize("invariant", [*infrastructure.INVARIANTS, *OF_ANY_STACK], ids=lambda each: each.__name__)
def test_nothing_is_amiss(invariant: Invariant, exports: Exports) -> None:
    # Where an invariant asks what kind of environment it is, the bootstrap is as plain as can be.
    environments = {**SHIPPED, BOOTSTRAP: SHIPPED["staging"]} if invariant in OF_ANY_STACK else SHIPPED
    assert invariant(Landscape(exports), environments) == []


def test_these_identities_plan_and_apply(exports: Exports) -> None:
    """The checks above go through what there is; this says what there must be."""
    found = {
        who: len([each for each in infrastructure.granted(Landscape(exports)) if each.who == who])
        for who in Landscape(exports).principals.values()
        if who.startswith(f"{BOOTSTRAP}/")
    }
    assert found == {
        "bootstrap/author": 0,
        "bootstrap/plan-staging": 6,
        "bootstrap/apply-staging": 7,
        "bootstrap/plan-prod": 6,
        "bootstrap/apply-prod": 9,
    }


def test_these_things_are_gated(exports: Exports) -> None:
    landscape = Landscape(exports)
    approved = {"Approval", "BranchControl", "ExclusiveLock", "RequiredTemplate"}
    assert {
        f"{each.kind} {each.name}": {
            kind.removeprefix("Check") for kind in infrastructure.gates(each, landscape, SHIPPED)
        }
        for each in infrastructure.own_things(landscape)
    } == {
        "endpoint author": {"BranchControl"},
        "endpoint plan-staging": set(),
        "endpoint plan-prod": set(),
        # Whoever applies staging owns the project, and with it production's gates.
        "endpoint apply-staging": approved,
        "environment infrastructure-staging": approved,
        "endpoint apply-prod": {*approved, "BusinessHours"},
        "environment infrastructure-prod": {*approved, "BusinessHours"},
    }


def test_every_class_of_azure_devops_is_judged(exports: Exports) -> None:
    judged = {
        *gates.JUDGED,
        "AreaPermissions",
        "GitPermissions",
        "ServicePrincipalEntitlement",
    }
    assert {each.cls for each in Landscape(exports).graphs[BOOTSTRAP].devops} <= judged


BREACHES = (
    Breach(
        "whoever applies production also owns staging",
        infrastructure.rights_amiss,
        lambda it: it.say(
            BOOTSTRAP,
            "RoleAssignment",
            "apply-prod-makes-environment",
            scope=it.find("staging", "ResourceGroup", "environment")["id"],
        ),
        "bootstrap/apply-prod has Contributor on staging/environment, which the table does not say",
    ),
    Breach(
        "a plan may write state",
        infrastructure.rights_amiss,
        lambda it: it.say(
            BOOTSTRAP,
            "RoleAssignment",
            "plan-prod-reads-state",
            roleDefinitionId="/x/ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        ),
        "bootstrap/plan-prod has Storage Blob Data Contributor on bootstrap/state-container",
    ),
    Breach(
        "whoever applies staging writes the state of production",
        infrastructure.rights_amiss,
        lambda it: it.say(BOOTSTRAP, "RoleAssignment", "apply-staging-writes-state", condition=None),
        "bootstrap/apply-staging has Storage Blob Data Contributor on bootstrap/state-container, which",
    ),
    Breach(
        "whoever applies production hands on any role on the registry of staging",
        infrastructure.rights_amiss,
        lambda it: it.say(BOOTSTRAP, "RoleAssignment", "apply-prod-hands-on-importer", condition=None),
        "bootstrap/apply-prod has Role Based Access Control Administrator on staging/registry, which",
    ),
    Breach(
        "nobody may grant the importer's role",
        infrastructure.rights_amiss,
        lambda it: it.drop(BOOTSTRAP, "RoleAssignment", "apply-prod-hands-on-importer"),
        f"of {rights.IMPORTER} on staging/registry, and nothing grants it",
    ),
    Breach(
        "one more identity",
        infrastructure.identities_amiss,
        lambda it: it.add(BOOTSTRAP, ("UserAssignedIdentity", "author"), "somebody"),
        "the identity bootstrap/author is missing",
    ),
    Breach(
        "the drift pipeline may apply",
        infrastructure.authorisations_amiss,
        lambda it: it.say(
            BOOTSTRAP,
            "PipelineAuthorization",
            "apply-prod-connection-for-infrastructure",
            pipelineId=int(it.find(BOOTSTRAP, "BuildDefinition", "pipeline-drift")["id"]),
        ),
        "drift may use the endpoint bootstrap: apply-prod",
    ),
    Breach(
        "CD may apply",
        infrastructure.authorisations_amiss,
        lambda it: it.say(
            BOOTSTRAP,
            "PipelineAuthorization",
            "apply-staging-connection-for-infrastructure",
            pipelineId=int(it.find("staging", "BuildDefinition", "pipeline-cd")["id"]),
        ),
        "cd may use the endpoint bootstrap: apply-staging",
    ),
    Breach(
        "nobody approves a change to the environment that owns the gates",
        infrastructure.gates_amiss,
        lambda it: it.drop(BOOTSTRAP, "CheckApproval", "infrastructure-staging-approval"),
        "the environment infrastructure-staging has 0 of CheckApproval",
    ),
    Breach(
        "a branch that nobody has reviewed applies production",
        infrastructure.administers_what_it_changes,
        lambda it: it.say(
            BOOTSTRAP, "CheckBranchControl", "apply-prod-connection-branch-control", allowedBranches="refs/heads/*"
        ),
        "the endpoint apply-prod takes a run of any branch",
    ),
    Breach(
        "whoever plans administers the project",
        infrastructure.project_amiss,
        lambda it: it.say(
            BOOTSTRAP,
            "GroupMembership",
            "plan-prod-membership",
            group=it.find(BOOTSTRAP, "GroupMembership", "apply-prod-membership")["inputs"]["group"],
        ),
        "plan-prod is in Project Administrators",
    ),
    Breach(
        "the author of pull requests passes by the policies",
        infrastructure.project_amiss,
        lambda it: it.say(BOOTSTRAP, "GitPermissions", "author-opens-pull-requests", permissions__PolicyExempt="Allow"),
        "author-opens-pull-requests is",
    ),
    Breach(
        "approvers administer what they approve",
        infrastructure.project_amiss,
        lambda it: it.say(
            BOOTSTRAP, "SecurityroleAssignment", "infrastructure-prod-for-approvers", roleName="Administrator"
        ),
        "is Administrator",
    ),
    Breach(
        "the storage of state can be deleted",
        infrastructure.unprotected,
        lambda it: it.mark(BOOTSTRAP, "StorageAccount", "state", protect=False),
        "state is not protected",
    ),
)


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_it_is_found(breach: Breach, exports: Exports) -> None:
    breach.must_be_found(exports)


def test_every_invariant_is_shown_to_catch_something() -> None:
    assert {breach.invariant for breach in BREACHES} == set(infrastructure.INVARIANTS)
