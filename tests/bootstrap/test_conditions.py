"""A condition lets through what it names and nothing else; it is judged by a reader that is not its writer."""

from __future__ import annotations

import re

import pytest

from bootstrap.conditions import WRITES, hands_on_only, state_of, writes_only
from bootstrap.rights import POWERFUL
from components.access import INFRASTRUCTURE_ROLES, ROLES
from rehearsal.cloud.conditions import Asked, ConditionError, allows, check

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
PULL, IMPORT, OWNER = ROLES["AcrPull"], ROLES["Container Registry Data Importer and Data Reader"], "8e3af657"


def assigning(action: str, role: str) -> Asked:
    source = "request" if action == "write" else "resource"
    return Asked(f"{ASSIGNMENTS}/{action}", {f"@{source}[{ASSIGNMENTS.lower()}:roledefinitionid]": role})


def on_blob(action: str, path: str) -> Asked:
    return Asked(f"{BLOBS}/{action}", {f"@resource[{BLOBS.lower()}:path]": path})


class TestRolesAreHandedOn:
    @pytest.mark.parametrize("action", ["write", "delete"])
    @pytest.mark.parametrize(("role", "may"), [(PULL, True), (IMPORT, False), (OWNER, False), ("", False)])
    def test_only_those_that_are_named(self, action: str, role: str, may: bool) -> None:
        assert allows(hands_on_only([PULL]), assigning(action, role)) is may

    def test_another_action_is_not_held_up(self) -> None:
        assert allows(hands_on_only([PULL]), Asked(f"{ASSIGNMENTS}/read", {}))

    @pytest.mark.parametrize("powerful", sorted(POWERFUL))
    def test_no_environment_hands_on_what_plans_and_applies_it(self, powerful: str) -> None:
        assert not allows(hands_on_only(ROLES.values()), assigning("write", INFRASTRUCTURE_ROLES[powerful]))

    def test_a_condition_without_a_role_is_none(self) -> None:
        with pytest.raises(ValueError, match="at least one role"):
            hands_on_only([])

    def test_the_same_roles_give_the_same_text(self) -> None:
        assert hands_on_only([PULL, IMPORT]) == hands_on_only([IMPORT, PULL])


class TestStateIsWritten:
    OWN = writes_only(state_of("aks-cicd", "prod"))

    @pytest.mark.parametrize("action", WRITES)
    @pytest.mark.parametrize(
        ("path", "may"),
        [
            (".pulumi/stacks/aks-cicd/prod.json", True),
            (".pulumi/stacks/aks-cicd/prod.json.bak", True),
            (".pulumi/history/aks-cicd/prod/prod-1.history.json", True),
            (".pulumi/locks/organization/aks-cicd/prod/1.json", True),
            (".pulumi/stacks/aks-cicd/staging.json", False),
            (".pulumi/stacks/aks-cicd/prod-eu.json", False),
            (".pulumi/history/aks-cicd/prod-eu/1.json", False),
            (".pulumi/stacks/aks-cicd-bootstrap/bootstrap.json", False),
            (".pulumi/meta.yaml", False),
            ("", False),
        ],
    )
    def test_only_that_of_its_own_stack(self, action: str, path: str, may: bool) -> None:
        assert allows(self.OWN, on_blob(action, path)) is may

    def test_all_is_read(self) -> None:
        """Production reads what staging tells."""
        assert allows(self.OWN, on_blob("read", ".pulumi/stacks/aks-cicd/staging.json"))


class TestTheReader:
    @pytest.mark.parametrize(
        ("condition", "said"),
        [
            ("(ActionMatches{'a'}", "not closed"),
            ("ActionMatches{'a'} OR", "missing"),
            ("ActionMatches{'a'} ActionMatches{'b'}", "left over"),
            ("@Request[a:b] StringEquals 'c'", "not understood"),
            ("@Request[a:b] StringLike {c}", "compared"),
            ("AND", "no expression"),
        ],
    )
    def test_what_is_no_condition_is_refused(self, condition: str, said: str) -> None:
        with pytest.raises(ConditionError, match=re.escape(said)):
            check(condition)

    @pytest.mark.parametrize(
        ("condition", "holds"),
        [
            ("ActionMatches{'x/*'}", True),
            ("!(ActionMatches{'x/y'})", False),
            ("ActionMatches{'z'} OR ActionMatches{'x/y'}", True),
            ("ActionMatches{'z'} AND ActionMatches{'x/y'} OR ActionMatches{'x/y'}", True),
            ("ActionMatches{'z'} AND (ActionMatches{'x/y'} OR ActionMatches{'x/y'})", False),
        ],
    )
    def test_words_bind_as_they_do_there(self, condition: str, holds: bool) -> None:
        assert allows(condition, Asked("x/y", {})) is holds
