"""What a review is made from: exports, and what the engine tells of a preview."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.engine import Rehearsal
from review import digest, exports
from review.errors import ReviewError
from review.model import Changes, Op
from tests.conftest import ROOT
from tests.rehearsal.handmade import component, export, resource

REGISTRY = "azure-native:containerregistry:Registry"
OWNED = component("registry:TierRegistry", "registry")
OWN = resource(
    REGISTRY, "registry", OWNED["urn"], inputs={"registryName": "cr1"}, outputs={"name": "cr1"}, protect=True
)
STATE = export(OWNED, OWN)


def told(changes: Changes) -> list[tuple[str, str, str]]:
    return [(change.op, change.place, change.was) for change in changes.changes]


def preview(*made: Mapping[str, Any], **summary: int) -> dict[str, Any]:
    return {"steps": list(made), "changeSummary": summary}


def planned(op: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, **more: Any) -> dict[str, Any]:
    state = new or old or {}
    found = {"op": op, "urn": state["urn"], "oldState": old, "newState": new, "detailedDiff": None}
    return {key: each for key, each in (found | more).items() if each is not None}


def test_a_preview_of_the_cli_gives_the_same_model() -> None:
    new = copy.deepcopy(OWN) | {"protect": False}
    new["inputs"]["adminUserEnabled"] = True
    same = planned("same", OWNED, OWNED)
    made = preview(same, planned("update", OWN, new, detailedDiff={"adminUserEnabled": {"kind": "add"}}), update=1)

    assert digest.changes(made).changes == exports.changes(STATE, export(OWNED, new)).changes


def test_a_rename_of_the_cli_is_one() -> None:
    new = OWN | {"urn": f"{OWN['urn'].rpartition('::')[0]}::images"}

    assert told(digest.changes(preview(planned("same", OWN, new), same=1)))[0][0] == Op.RENAME


def test_a_replacement_of_the_cli_is_one_change() -> None:
    new = copy.deepcopy(OWN)
    new["inputs"]["location"] = "northeurope"
    why = {"detailedDiff": {"location": {"kind": "update-replace"}}}
    made = preview(
        planned("create-replacement", OWN, new, **why),
        planned("replace", OWN, new, **why),
        planned("delete-replaced", OWN, None),
        replace=1,
    )

    (change,) = digest.changes(made).changes

    assert (change.op, [each.path for each in change.differences if each.forces]) == (Op.REPLACE, ["location"])


def test_a_replacement_told_by_the_old_one_alone_is_one() -> None:
    (change,) = digest.changes(preview(planned("delete-replaced", OWN, None), replace=1)).changes

    assert (change.op, change.place) == (Op.REPLACE, "Registry.registry")


def test_a_protection_that_goes_is_a_change_though_the_engine_says_it_is_the_same() -> None:
    new = {key: value for key, value in OWN.items() if key != "protect"}

    (change,) = digest.changes(preview(planned("same", OWN, new), same=1), export=export(OWN)).changes

    assert [(each.path, each.before, each.after) for each in change.differences] == [("(protect)", True, False)]


def test_a_state_that_was_previewed_without_protection_keeps_its_own() -> None:
    """The engine stops at the first protected resource that goes, so it gets a state without any."""
    bare = {key: value for key, value in OWN.items() if key != "protect"}

    (change,) = digest.changes(preview(planned("delete", bare, None), delete=1), export=export(OWN)).changes

    assert change.before is not None
    assert change.before.protected


def test_what_the_cloud_has_answered_before_counts_until_it_answers_anew() -> None:
    """A preview tells neither ids nor outputs of what would be: names, and the picture, come from those of before."""
    old = resource(REGISTRY, "registry", outputs={"name": "cr1", "loginServer": "cr1.azurecr.io"})
    new = {key: value for key, value in old.items() if key not in ("id", "outputs")} | {"inputs": {"size": 2}}

    found = digest.changes(preview(planned("update", old, new), update=1))

    (change,) = found.changes
    assert change.after is not None
    assert (change.after.id, change.told) == ("/registry", "Registry cr1")
    assert [state["outputs"]["loginServer"] for state in found.states] == ["cr1.azurecr.io"]


def test_a_changed_secret_is_told_though_it_is_sealed() -> None:
    state = resource(REGISTRY, "registry", inputs={"token": "[secret]"})
    made = preview(planned("update", state, state, detailedDiff={"token": {"kind": "update"}}), update=1)

    (change,) = digest.changes(made).changes

    assert [(each.path, each.before, each.after) for each in change.differences] == [("token", "[secret]", "[secret]")]


def test_a_changed_secret_in_a_list_is_told_by_its_entry() -> None:
    state = resource(REGISTRY, "registry", inputs={"hooks": [{"name": "a", "url": "[secret]"}, {"name": "b"}]})
    made = preview(planned("update", state, state, detailedDiff={"hooks[0].url": {"kind": "update"}}), update=1)

    (change,) = digest.changes(made).changes

    assert [each.path for each in change.differences] == ["hooks[a].url"]
    assert digest.changes(made, sealed=True).changes == ()


def test_what_the_engine_says_of_secrets_that_it_had_not_is_nothing() -> None:
    state = resource(REGISTRY, "registry", inputs={"token": "[secret]", "size": 1})
    new = copy.deepcopy(state)
    for kind, op in (("update", "update"), ("update-replace", "replace")):
        made = preview(planned(op, state, new, detailedDiff={"token": {"kind": kind}}), **{op: 1})

        assert digest.changes(made, sealed=True).changes == ()
        assert digest.changes(made).changes != ()
    new["inputs"]["size"] = 2
    why = {"token": {"kind": "update-replace"}, "size": {"kind": "update"}}
    (change,) = digest.changes(preview(planned("replace", state, new, detailedDiff=why)), sealed=True).changes
    assert (change.op, [each.path for each in change.differences]) == (Op.UPDATE, ["size"])


def test_drift_that_only_the_cloud_knows_is_told() -> None:
    held = resource(
        REGISTRY, "registry", inputs={"zones": ["1", "2"], "admin": False}, outputs={"zones": ["2", "1"], "admin": True}
    )
    why = {"zones[0]": {"kind": "update"}, "admin": {"kind": "update"}}

    (change,) = digest.changes(preview(planned("update", held, held, detailedDiff=why), update=1)).changes

    assert [(each.path, each.before, each.after) for each in change.differences] == [("admin", True, False)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": [], "changeSummary": {}, "format": 2}, "has format, which previews did not have so far"),
        ({"sequence": 1, "timestamp": 2}, "is not what `pulumi preview --json` writes"),
        ({"steps": []}, "has no changeSummary"),
        (preview({"op": "create"}), "has a step without a URN"),
        (preview({"op": "transmogrify", "urn": "u", "newState": OWN}), "a kind that is not known (transmogrify)"),
        (preview({"op": "create", "urn": "u"}), "has a step without a state (u)"),
        (preview({"op": "create", "urn": "u", "newState": {"id": "x"}}), "without a URN or a type (u)"),
        (preview(planned("create", None, OWN), create=2), "counts 2 resources to create, and tells of 1"),
        (
            {"diagnostics": [{"severity": "error", "message": "no such role\n"}], "changeSummary": {}},
            "is of a preview that failed: no such role",
        ),
    ],
)
def test_json_of_another_version_is_refused(given: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ReviewError) as refused:
        digest.changes(given)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is not one document of JSON"),
        ("[]", "holds no object of JSON"),
        ("{}", "is no stack export"),
        ('{"version": 9, "deployment": {}}', "is a stack export of version 9; 3 and 4 can be read"),
        ('{"version": 3, "deployment": {"resources": [{}]}}', "has a resource without a URN or a type"),
    ],
)
def test_a_file_that_is_no_export_is_refused(content: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    if content is not None:
        path.write_text(content, "utf-8")

    with pytest.raises(ReviewError) as refused:
        exports.read(path)

    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_another_project_and_another_stack_are_refused() -> None:
    text = json.dumps(STATE)

    with pytest.raises(ReviewError, match="One side is of the project aks-cicd, the other of web"):
        exports.changes(STATE, json.loads(text.replace("::aks-cicd::", "::web::")))
    with pytest.raises(ReviewError, match="One side is of the stack staging, the other of prod"):
        exports.changes(STATE, export(resource(REGISTRY, "registry", stack="prod"), stack="prod"))


def test_what_is_about_to_be_deleted_is_not_compared() -> None:
    """After a failed replacement the old one stands in the state a second time."""
    assert exports.changes(STATE, export(OWNED, OWN, OWN | {"delete": True})).changes == ()


def test_what_the_engine_of_this_project_tells_is_read(tmp_path: Path) -> None:
    """Components alone, because those need no provider."""

    def program(*names: str) -> Any:
        return lambda: [pulumi.ComponentResource("aks-cicd:registry:TierRegistry", name) for name in names]

    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n", "utf-8")
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), print)
    with Rehearsal.open(
        tmp_path, tmp_path / "engine", None, cli=cli, program=program("a", "b"), configs={"dev": {}}
    ) as engine:
        engine.update("dev")
        engine.use(program("a", "c"))
        _, made = engine.told("dev")

    found = digest.changes(made)

    assert (found.stack, found.project) == ("dev", "demo")
    assert sorted(told(found)) == [("create", "TierRegistry.c", ""), ("delete", "TierRegistry.b", "")]


def test_the_program_does_not_import_the_review() -> None:
    """A user may delete it."""
    script = "import sys; import settings, contract, components.delivery.environment; print('review' in sys.modules)"

    shown = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "False"


def test_providers_and_the_stack_itself_are_no_change() -> None:
    provider = resource("pulumi:providers:azure-native", "azure", inputs={"version": "3.29.0"})

    assert exports.changes(STATE, export(OWNED, OWN, provider)).changes == ()
