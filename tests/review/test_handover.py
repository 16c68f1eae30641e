"""An export as the engine gets it: nothing in it keeps the engine from looking, and no secret of a real stack."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from rehearsal.run import SECRET, plain
from review.handover import SEALED, importable
from tests.rehearsal.handmade import export, resource

REGISTRY = "azure-native:containerregistry:Registry"
MARK = "4dabf18193072939515e22adb298388d"
SECRETS = ({"ciphertext": "v1:abc"}, {"plaintext": '"hunter2"'})


def state(secret: dict[str, str]) -> dict[str, Any]:
    value = {MARK: "1b47061264138c4ac30d75fd1eb44270", **secret}
    made = export(resource(REGISTRY, "registry", protect=True, inputs={"a": [value]}, outputs={"b": {"c": value}}))
    made["deployment"] |= {
        "secrets_providers": {"type": "azurekeyvault", "state": {}},
        "pending_operations": [{"type": "creating"}],
    }
    return made


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_that_nobody_can_open_are_the_same_everywhere(secret: dict[str, str]) -> None:
    given = state(secret)
    before = copy.deepcopy(given)

    made = importable(given, sealed=True)

    _, registry = made["deployment"]["resources"]
    assert plain(registry["inputs"]) == {"a": [SECRET]}
    assert plain(registry["outputs"]) == {"b": {"c": SECRET}}
    assert json.loads(registry["inputs"]["a"][0]["plaintext"]) == SEALED
    assert "secrets_providers" not in made["deployment"]
    assert not any(text in json.dumps(made) for text in ("hunter2", "v1:abc"))
    assert given == before


def test_secrets_of_a_rehearsal_stay_as_they_are() -> None:
    made = importable(state(SECRETS[0]), sealed=False)

    assert "v1:abc" in json.dumps(made)
    assert "secrets_providers" in made["deployment"]


def test_neither_protection_nor_pending_operations_stop_the_engine() -> None:
    made = importable(state(SECRETS[0]), sealed=False)

    assert not any("protect" in each for each in made["deployment"]["resources"])
    assert "pending_operations" not in made["deployment"]
