"""From the state of one version to the preview of another: what there is, what is lent, and when to go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2

from rehearsal import against, toolchain
from rehearsal.against import lent_by, resources, tells_more
from rehearsal.cloud import Cloud, Estate
from rehearsal.console import Console
from rehearsal.engine import Rehearsal, StateError, said
from rehearsal.faces.objects import ObjectProvider
from rehearsal.preview import plan
from rehearsal.program import ProgramError
from rehearsal.run import UNKNOWN, Run, may_come_to, plain
from tests.conftest import ROOT, STACKS, Rehearsed
from tests.rehearsal.handmade import export, resource

CONTRACT = {"contract": {"registry": {"id": "/r"}}}


def reading(stack: str, *outputs: Mapping[str, Any]) -> dict[str, Any]:
    """`prod`, which has read what another stack told."""
    references = [
        resource("pulumi:pulumi:StackReference", f"o/aks-cicd/{stack}", stack="prod", outputs={"outputs": each})
        | {"id": f"o/aks-cicd/{stack}"}
        for each in outputs
    ]
    made = export(*references, stack="prod")
    made["deployment"]["manifest"] = {}
    return made


def test_a_stack_of_which_there_is_no_export_is_lent_by_who_read_it() -> None:
    lent = lent_by("staging", {"prod": reading("staging", CONTRACT)})

    (stack,) = resources(lent)
    assert stack["urn"] == "urn:pulumi:staging::aks-cicd::pulumi:pulumi:Stack::aks-cicd-staging"
    assert stack["outputs"] == CONTRACT


def test_a_stack_that_nobody_has_read_has_to_be_named() -> None:
    with pytest.raises(ProgramError, match="prod reads qa, and no export says what qa tells"):
        lent_by("qa", {"prod": reading("staging", CONTRACT)})


def run(outputs: Mapping[str, Any], **changes: int) -> Run:
    return Run("staging", "preview", 1.0, (), changes, outputs, (), ())


@pytest.mark.parametrize(
    ("outputs", "changes", "more"),
    [
        ({"a": 1}, {"same": 3}, False),
        ({"a": 2}, {"update": 1}, True),
        ({"a": UNKNOWN}, {"update": 1}, False),
        ({"a": UNKNOWN}, {"update": 1, "replace": 1}, True),
        ({"a": 1, "b": 1}, {"update": 1}, True),
        ({}, {"update": 1}, True),
    ],
)
def test_others_read_anew_only_where_they_would_read_something_else(
    outputs: Mapping[str, Any], changes: Mapping[str, int], more: bool
) -> None:
    assert tells_more(run(outputs, **changes), {"a": 1}) is more


@pytest.mark.parametrize(
    ("found", "value", "fits"),
    [
        (UNKNOWN, [1], True),
        ([1, UNKNOWN], [1, 2], True),
        ([1, UNKNOWN], [2, 2], False),
        ([1], [1, 2], False),
        ({"a": UNKNOWN}, {"a": {}}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("x", "y", False),
    ],
)
def test_what_is_unknown_may_come_to_anything(found: Any, value: Any, fits: bool) -> None:
    assert may_come_to(found, value) is fits


def test_what_a_state_has_exists_as_if_it_had_been_made_here(rehearsed: Mapping[str, Rehearsed]) -> None:
    exports = {stack: each.export for stack, each in rehearsed.items()}

    cloud = against.stood_in(plan(ROOT, STACKS), exports.values())

    for each in exports.values():
        for state in resources(each):
            if not state.get("custom") or state["type"].startswith("pulumi:"):
                continue
            package = state["type"].partition(":")[0]
            if package == "azure-native":
                found = cloud.read(state["type"], state["id"])
                assert found is not None, state["id"]
                assert found.outputs == plain(state["outputs"])
            elif package == "azuredevops":
                assert cloud.devops.read(state["type"], state["id"]) is not None, state["urn"]
            else:
                held = [each for found in cloud.kubernetes.held().values() for each in found]
                assert state["id"] in [each.id for each in held]
    assert cloud.kubernetes.inside_network


def test_the_queue_of_a_managed_pool_is_the_one_that_was_authorised(rehearsed: Mapping[str, Rehearsed]) -> None:
    """Nothing else in a state tells it, and the stand-in would make up another one."""
    text = json.dumps(rehearsed["prod"].export)
    state = next(
        each
        for each in resources(rehearsed["prod"].export)
        if each["urn"].endswith("PipelineAuthorization::agents-for-cd")
    )
    export_ = json.loads(text.replace(str(state["inputs"]["resourceId"]), "4711"))
    pool = next(each for each in resources(export_) if each["urn"].endswith(":Pool::agents"))

    cloud = against.stood_in(plan(ROOT, ["prod"]), [export_])

    asked = {"projectId": state["inputs"]["projectId"], "name": pool["outputs"]["name"]}
    token = "azuredevops:index/getAgentQueue:getAgentQueue"
    assert cloud.devops.invoke(token, asked)["id"] == "4711"


def provider_diff(old: str, new: str) -> Any:
    def struct(kubeconfig: str) -> Any:
        made = struct_pb2.Struct()
        made.update({"kubeconfig": kubeconfig})
        return made

    face = ObjectProvider("kubernetes", Cloud(Estate("t", frozenset({"s"}))))
    return face.DiffConfig(provider_pb2.DiffRequest(olds=struct(old), news=struct(new)), None)


def kubeconfig(server: str) -> str:
    parts = {
        "contexts": "context: {cluster: c, user: u}",
        "clusters": f"cluster: {{server: '{server}'}}",
        "users": "user: {}",
    }
    names = {"contexts": "x", "clusters": "c", "users": "u"}
    lines = [f"{key}: [{{name: {names[key]}, {part}}}]" for key, part in parts.items()]
    return "\n".join(["current-context: x", *lines])


def test_a_kubeconfig_that_is_sealed_away_says_nothing_of_the_cluster() -> None:
    """Else every object of an exported stack would be replaced along with its provider."""
    one, other = kubeconfig("https://one"), kubeconfig("https://other")

    assert list(provider_diff(one, other).replaces) == ["kubeconfig"]
    assert list(provider_diff(one, one).replaces) == []
    assert list(provider_diff("[sealed]", one).replaces) == []


def test_an_export_that_the_engine_does_not_take_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n", "utf-8")
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), print)
    broken = export(resource("aks-cicd:registry:TierRegistry", "a", parent="urn:pulumi:dev::demo::nobody::there"))
    with (
        Rehearsal.open(
            tmp_path, tmp_path / "engine", None, cli=cli, program=lambda: None, configs={"dev": {}}
        ) as engine,
        pytest.raises(StateError, match="The engine does not take the export of dev: ") as refused,
    ):
        engine.take("dev", broken)

    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "engine").glob("*.import.json"))


def test_a_state_is_gone_on_from(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n", "utf-8")
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), print)

    def program() -> None:
        pulumi.ComponentResource("aks-cicd:registry:TierRegistry", "a")
        pulumi.export("key", pulumi.Output.secret("hush-hush"))

    with Rehearsal.open(tmp_path, tmp_path / "engine", None, cli=cli, program=program, configs={"dev": {}}) as engine:
        engine.update("dev")
        state = engine.export("dev", sealed=False)
    with Rehearsal.open(tmp_path, tmp_path / "engine", None, cli=cli, program=program, configs={"dev": {}}) as engine:
        engine.take(
            "dev", {**state, "deployment": {k: v for k, v in state["deployment"].items() if k != "secrets_providers"}}
        )
        found, told = engine.told("dev")
        sealed = json.dumps(engine.export("dev"))

    assert found.quiet
    assert {step["op"] for step in told["steps"]} == {"same"}
    assert "hush-hush" not in sealed


def test_of_a_crash_no_more_than_its_beginning_is_said() -> None:
    assert said("\n code: 1\n stdout: x\n stderr: error: no\n  such thing\n") == "no such thing"
    assert len(said("stderr: " + "trace\n" * 1000)) == 500
