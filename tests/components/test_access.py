"""Grants: the roles that exist, and what each grant says."""

from __future__ import annotations

import re
import uuid

import pytest
from pulumi import ComponentResource

from components import access
from components.naming import Names
from components.placement import Placement
from tests.declared import GROUP, NAMES, SUBSCRIPTION, WORKSPACE, Declared, declared

ELSEWHERE = "8d7e6f00-1111-4222-8333-444455556666"
ZONE = f"/subscriptions/{ELSEWHERE}/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/"
ZONE += "privatelink.azurecr.io"


def granted(role: str, on: str) -> Declared:
    def build(place: Placement) -> None:
        parent = ComponentResource("aks-cicd:test:Parent", "parent")
        access.grant("people-read", role, to=GROUP, on=on, names=NAMES, parent=parent, kind="Group")

    return declared(build, ZONE)


def test_a_grant_has_the_same_name_in_every_run() -> None:
    first, second = (
        granted("AcrPull", WORKSPACE).one("authorization:RoleAssignment")["roleAssignmentName"] for _ in range(2)
    )
    assert first == second
    assert uuid.UUID(first)


def test_grants_of_different_environments_never_share_a_name() -> None:
    """Azure takes a name once in a tenant."""
    other = Names("shop", "other", SUBSCRIPTION)
    assert NAMES.role_assignment("people-read") != other.role_assignment("people-read")


def test_a_role_is_named_as_seen_from_the_scopes_subscription() -> None:
    """Azure answers with that one; another would show as a change in every refresh."""
    ours = granted("AcrPull", WORKSPACE).one("authorization:RoleAssignment")["roleDefinitionId"]
    theirs = granted("Private DNS Zone Contributor", ZONE).one("authorization:RoleAssignment")["roleDefinitionId"]
    assert ours.split("/")[2] == SUBSCRIPTION
    assert theirs.split("/")[2] == ELSEWHERE


@pytest.mark.parametrize("role", access.ROLES)
def test_every_role_is_known_to_azure(role: str) -> None:
    """The stand-in refuses a definition that it does not know."""
    assert granted(role, WORKSPACE).one("authorization:RoleAssignment")["principalType"] == "Group"


def test_a_role_that_is_not_listed_cannot_be_granted() -> None:
    with pytest.raises(KeyError):
        access.role_definition_id("Owner", SUBSCRIPTION)


def test_roles_have_names_for_people_and_unknown_ones_keep_their_id() -> None:
    assert access.role_name(access.role_definition_id("AcrPull", SUBSCRIPTION)) == "AcrPull"
    assert re.fullmatch(r"[0-9a-f-]{36}", access.role_name(f"/x/roleDefinitions/{uuid.uuid4()}"))
