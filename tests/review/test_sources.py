"""What a review is made from: exports, the engine's steps, and the JSON of a real preview."""

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
from pulumi import automation

from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.engine import Rehearsal
from rehearsal.run import Step
from review import digest, exports, steps
from review.compare import compare
from review.errors import ReviewError
from review.judgement import judge
from review.judgement.verdict import exit_code
from review.model import Changes, Op
from tests.conftest import ROOT, Rehearsed
from tests.rehearsal.handmade import component, export, resource, urn
from tests.review.edits import resources

REGISTRY = "azure-native:containerregistry:Registry"
OWNED = component("registry:TierRegistry", "registry")
OWN = resource(
    REGISTRY, "registry", OWNED["urn"], inputs={"registryName": "cr1"}, outputs={"name": "cr1"}, protect=True
)
STATE = export(OWNED, OWN)


def told(changes: Changes) -> list[tuple[str, str, str]]:
    return [(change.op, change.place, change.was) for change in changes.changes]


def step(op: str, new: Mapping[str, Any] | None, old: Mapping[str, Any] | None = None, **more: Any) -> Step:
    return Step(op, REGISTRY, more.pop("urn", OWN["urn"]), old or OWN["inputs"], new, None, more.pop("diff", {}))


def test_the_steps_of_a_quiet_preview_change_nothing(rehearsed: Mapping[str, Rehearsed]) -> None:
    for each in rehearsed.values():
        found = steps.changes(each.export, each.again.steps)

        assert found.changes == ()
        assert exit_code([judge(found)]) == 0


def test_the_steps_of_a_first_preview_create_everything(rehearsed: Mapping[str, Rehearsed]) -> None:
    for each in rehearsed.values():
        nothing = {"version": 3, "deployment": {"resources": resources(each.export)[:1]}}

        found = steps.changes(nothing, each.preview.steps)

        assert set(found.counts) == {Op.CREATE}
        made = exports.changes(nothing, each.export)
        assert {change.resource.urn for change in found.changes} == {change.resource.urn for change in made.changes}


def test_the_engine_decides_what_is_replaced() -> None:
    diff = {"sku": "update-replace"}
    new = {"registryName": "cr1", "sku": {"name": "Premium"}}
    made = [step(op, new, diff=diff) for op in ("create-replacement", "replace")]

    (change,) = steps.changes(STATE, [*made, step("delete-replaced", None)]).changes

    assert change.op is Op.REPLACE
    assert [each.path for each in change.differences if each.forces] == ["sku"]
    assert change.component == "registry"


def test_a_deletion_by_the_engine_is_one() -> None:
    same = Step("same", OWNED["type"], OWNED["urn"], {}, {}, None, {})

    assert told(steps.changes(STATE, [same, step("delete", None)])) == [
        ("delete", "registry/Registry.registry", ""),
    ]


def test_a_step_under_another_name_is_a_rename() -> None:
    moved = f"{OWN['urn'].rpartition('::')[0]}::images"

    (change,) = steps.changes(STATE, [step("same", OWN["inputs"], urn=moved)]).of(Op.RENAME)

    assert change.was == "registry/registry"
    assert change.after is not None
    assert change.after.protected


def test_a_changed_secret_is_told_though_it_is_sealed() -> None:
    state = export(resource(REGISTRY, "registry", inputs={"token": "[secret]"}))
    new = step("update", {"token": "[secret]"}, diff={"token": "update"}, urn=urn(REGISTRY, "registry"))

    (change,) = steps.changes(state, [new]).changes

    assert [(each.path, each.before, each.after) for each in change.differences] == [("token", "[secret]", "[secret]")]


def test_drift_that_only_the_cloud_knows_is_told() -> None:
    held = resource(
        REGISTRY, "registry", inputs={"zones": ["1", "2"], "admin": False}, outputs={"zones": ["2", "1"], "admin": True}
    )
    new = step(
        "update", held["inputs"], held["inputs"], diff={"zones[0]": "update", "admin": "update"}, urn=held["urn"]
    )

    (change,) = steps.changes(export(held), [new]).changes

    assert [(each.path, each.before, each.after) for each in change.differences] == [("admin", True, False)]


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


def test_the_json_of_a_real_preview_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the engine of this project writes it: components alone, because those need no provider."""
    written: list[str] = []
    run = automation.PulumiCommand.run

    def json_too(self: Any, arguments: list[str], *rest: Any, **more: Any) -> Any:
        asked = [*arguments, "--json", "--show-sames"] if arguments[0] == "preview" else arguments
        result = run(self, asked, *rest, **more)
        if arguments[0] == "preview":
            written.append(result.stdout)
        return result

    def program(*names: str) -> Any:
        return lambda: [pulumi.ComponentResource("aks-cicd:registry:TierRegistry", name) for name in names]

    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n", "utf-8")
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), print)
    with Rehearsal.open(
        tmp_path, tmp_path / "engine", None, cli=cli, program=program("a", "b"), configs={"dev": {}}
    ) as rehearsal:
        rehearsal.update("dev")
        rehearsal.use(program("a", "c"))
        monkeypatch.setattr(automation.PulumiCommand, "run", json_too)
        rehearsal.preview("dev")

    found = digest.changes(json.loads(written[0][written[0].index("{") :]))

    assert (found.stack, found.project) == ("dev", "demo")
    assert sorted(told(found)) == [("create", "TierRegistry.c", ""), ("delete", "TierRegistry.b", "")]


def test_the_program_does_not_import_the_review() -> None:
    """A user may delete it."""
    script = "import sys; import settings, contract, components.delivery.environment; print('review' in sys.modules)"

    shown = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "False"


def test_a_new_policy_exception_has_to_be_acknowledged() -> None:
    same = STATE["deployment"]["resources"]
    found = judge(compare(same, same, exceptions={"registry-is-private for 'registry'": "until 2027, a migration"}))

    assert found.acks == ("exception:staging/registry-is-private-for--registry-",)
    assert exit_code([found]) == 3


def test_providers_and_the_stack_itself_are_no_change() -> None:
    provider = resource("pulumi:providers:azure-native", "azure", inputs={"version": "3.29.0"})

    assert exports.changes(STATE, export(OWNED, OWN, provider)).changes == ()
