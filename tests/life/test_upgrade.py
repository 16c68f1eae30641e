"""Environments that the first version of this program made are gone on from by today's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from operations.retire_plan import holds_data
from rehearsal.life import upgrade
from rehearsal.run import Run
from tests.conftest import ROOT

HOLD_DATA = {"ManagedCluster", "Registry", "Vault", "Workspace"}


pytestmark = pytest.mark.xdist_group("upgrade")


@pytest.fixture(scope="module")
def previews(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Run]]:
    with upgrade.taken_over(ROOT, tmp_path_factory.mktemp("upgrade") / "engine") as rehearsal:
        # Today's prod reads what only today's staging exports. An update does what its preview says.
        staging = rehearsal.update("staging")
        yield {"staging": staging, "prod": rehearsal.preview("prod")}


@pytest.mark.parametrize("stack", upgrade.STACKS)
def test_nothing_that_holds_data_is_replaced_or_deleted(stack: str, previews: Mapping[str, Run]) -> None:
    assert upgrade.losses(previews[stack]) == []
    kept = {step.type.rsplit(":", 1)[-1] for step in previews[stack].steps if step.op in ("same", "update")}
    assert kept >= HOLD_DATA


@pytest.mark.parametrize("stack", upgrade.STACKS)
def test_what_is_replaced_is_what_has_another_name_or_subnet(stack: str, previews: Mapping[str, Run]) -> None:
    """Grants got names of their own, and end points lost network policies that a reference may not send."""
    endpoints = {"staging": 1, "prod": 2}[stack]
    replaced = Counter(step.type.rsplit(":", 1)[-1] for step in previews[stack].steps if step.op == "replace")
    assert replaced == {
        "RoleAssignment": {"staging": 4, "prod": 5}[stack],
        "PrivateEndpoint": endpoints,
        "PrivateDnsZoneGroup": endpoints,
    }


@pytest.mark.parametrize("stack", upgrade.STACKS)
def test_nothing_is_deleted_for_good_and_nothing_else_is_touched(stack: str, previews: Mapping[str, Run]) -> None:
    ops = {step.op for step in previews[stack].changed() if step.custom and not step.type.startswith("pulumi:")}
    assert "delete" not in ops
    updated = {step.type.rsplit(":", 1)[-1] for step in previews[stack].changed() if step.op == "update"}
    assert updated <= {"Pricing"}


def test_a_loss_would_be_found(previews: Mapping[str, Run]) -> None:
    run = previews["staging"]
    vault = next(step for step in run.steps if holds_data(step.type))
    lost = Run(**{**run.__dict__, "steps": (type(vault)(**{**vault.__dict__, "op": "replace"}),)})
    assert upgrade.losses(lost) == [f"{vault.name} (replace)"]
