"""What runs when something fails is what Azure Pipelines would run."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.pipelines.evaluation import UNKNOWN
from rehearsal.pipelines.finding import Finding, Place
from rehearsal.pipelines.model import Pipeline, Starts, Variables
from rehearsal.pipelines.nodes import Map, Node, Seq, Text
from rehearsal.pipelines.shape import Shape
from rehearsal.pipelines.simulation import Mishap, Run, simulate

AT = Place("file.yml", 1)


def node(value: Any) -> Node:
    if isinstance(value, dict):
        return Map(tuple((Text(key, AT), node(one)) for key, one in value.items()), AT)
    return Seq(tuple(map(node, value)), AT) if isinstance(value, list) else Text(str(value), AT)


def pipeline(**body: Any) -> Pipeline:
    findings: list[Finding] = []
    body = {"pool": "agents", **body}
    content, shape = node(body), Shape(findings)
    assert isinstance(content, Map)
    stages = shape.stages(content, shape.pool(content.get("pool"), None))
    assert not findings, findings
    return Pipeline("p", AT, None, Starts(AT, (), ()), (), (), None, AT, (), Variables(), stages)


def step(name: str, **more: Any) -> dict[str, Any]:
    return {"bash": "x", "name": name, **more}


def run(made: Pipeline, *failing: str, refused: dict[str, str] | None = None, lost: str = "") -> dict[str, Any]:
    """Which steps ran, by name, and whether the run is `good`."""
    places = list(made.places)
    mishap = Mishap(
        frozenset(each for *_, each in places if each.name in failing),
        frozenset(job for _, job, _, _ in places if job.name == lost),
        {stage: (refused or {})[stage.name] for stage in made.stages if stage.name in (refused or {})},
    )
    result: Run = simulate(made, mishap)
    return {**{each.name: ran for each, ran in result.ran.items()}, "good": result.good}


def test_a_step_runs_after_good_ones_and_by_its_condition_after_bad_ones() -> None:
    steps = [
        step("a"),
        step("b"),
        step("even", condition="succeededOrFailed()"),
        step("only", condition="failed()"),
        step("always", condition="always()"),
        step("by", condition="eq(variables['Agent.JobStatus'], 'Failed')"),
    ]
    made = pipeline(steps=steps)
    assert run(made) == {"a": True, "b": True, "even": True, "only": False, "always": True, "by": False, "good": True}
    assert run(made, "a") == {
        "a": True, "b": False, "even": True, "only": True, "always": True, "by": True, "good": False
    }  # fmt: skip


def test_a_failure_that_is_let_pass_fails_nothing() -> None:
    made = pipeline(steps=[step("a", continueOnError="true"), step("b")])
    assert run(made, "a") == {"a": True, "b": True, "good": True}
    job = {"job": "j", "continueOnError": "true", "steps": [step("a"), step("b")]}
    made = pipeline(jobs=[job, {"job": "k", "dependsOn": "j", "steps": [step("c")]}])
    assert run(made, "a") == {"a": True, "b": False, "c": True, "good": True}


def jobs(condition: str | None) -> Pipeline:
    last: dict[str, Any] = {"job": "c", "dependsOn": ["b"], "steps": [step("c")]}
    if condition:
        last["condition"] = condition
    return pipeline(
        jobs=[
            {"job": "a", "steps": [step("a")]},
            {"job": "b", "dependsOn": "a", "steps": [step("b")]},
            last,
        ]
    )


@pytest.mark.parametrize(
    ("condition", "good", "first_fails", "second_fails"),
    [
        (None, True, False, False),
        ("succeeded()", True, False, False),
        # Of what is waited for by way of others, too; and of a job that was skipped, nothing is true but always().
        ("failed()", False, True, True),
        ("failed('b')", False, False, True),
        ("succeeded('b')", True, False, False),
        ("succeededOrFailed()", True, True, True),
        ("succeededOrFailed('b')", True, False, True),
        ("always()", True, True, True),
        ("in(dependencies.b.result, 'Failed', 'Skipped')", False, True, True),
        ("eq(dependencies.a.result, 'Failed')", False, False, False),  # not waited for itself
        ("eq(variables['x'], 'y')", UNKNOWN, UNKNOWN, UNKNOWN),
        ("and(succeeded(), eq(variables['x'], 'y'))", UNKNOWN, False, False),
        ("canceled()", False, False, False),
        ("nonsense(", UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_a_job_asks_for_all_that_it_depends_on(
    condition: str | None, good: Any, first_fails: Any, second_fails: Any
) -> None:
    made = jobs(condition)
    assert [run(made)["c"], run(made, "a")["c"], run(made, "b")["c"]] == [good, first_fails, second_fails]


def stages(condition: str | None = None, **more: Any) -> Pipeline:
    second: dict[str, Any] = {"stage": "two", "jobs": [{"job": "j", "steps": [step("b")]}], **more}
    if condition:
        second["condition"] = condition
    return pipeline(stages=[{"stage": "one", "jobs": [{"job": "j", "steps": [step("a")]}]}, second])


def test_a_stage_waits_for_the_one_before_it_unless_it_says_otherwise() -> None:
    assert run(stages(), "a")["b"] is False
    assert run(stages(dependsOn=[]), "a")["b"] is True
    assert run(stages("always()"), "a")["b"] is True
    assert run(stages("eq(dependencies.one.result, 'Failed')"), "a")["b"] is True


@pytest.mark.parametrize("result", ["Skipped", "Failed", "Canceled"])
def test_a_stage_that_its_gates_refuse_runs_nothing_and_leaves_its_result(result: str) -> None:
    assert run(stages(), refused={"one": result}) == {"a": False, "b": False, "good": result == "Skipped"}
    assert run(stages("always()"), refused={"one": result})["b"] is True


def test_a_job_of_another_stage_is_asked_by_its_stage() -> None:
    job = {"job": "j", "condition": "eq(stageDependencies.one.j.result, 'Failed')", "steps": [step("b")]}
    made = stages("always()", jobs=[job])
    assert [run(made)["b"], run(made, "a")["b"]] == [False, True]


def deployment(**hooks: Any) -> Pipeline:
    once = {hook: {"steps": [step(hook)]} for hook in hooks if hook != "ends"}
    ends = {end: {"steps": [step(end)]} for end in hooks.get("ends", ())}
    strategy = {"runOnce": {**once, **({"on": ends} if ends else {})}}
    return pipeline(jobs=[{"deployment": "d", "environment": "e", "strategy": strategy}])


def test_the_hooks_of_a_deployment_follow_each_other_and_end_in_success_or_failure() -> None:
    made = deployment(preDeploy=1, deploy=1, postRouteTraffic=1, ends=("success", "failure"))
    good = {"preDeploy": True, "deploy": True, "postRouteTraffic": True, "success": True, "failure": False}
    assert run(made) == {**good, "good": True}
    bad = {"preDeploy": True, "deploy": True, "postRouteTraffic": False, "success": False, "failure": True}
    assert run(made, "deploy") == {**bad, "good": False}


def test_a_lost_agent_runs_nothing_more_and_its_job_is_canceled() -> None:
    back = {"job": "back", "dependsOn": "j", "condition": "in(dependencies.j.result, 'Canceled')", "steps": [step("b")]}
    made = pipeline(jobs=[{"job": "j", "steps": [step("a", condition="always()")]}, back])
    assert run(made, lost="j") == {"a": False, "b": True, "good": False}
