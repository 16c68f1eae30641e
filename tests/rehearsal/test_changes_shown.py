"""What a person reads about a change: danger first, and where nobody knows, that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal import report
from rehearsal.report import unstyled
from rehearsal.run import Run, Step

POOL = "azure-native:containerservice:AgentPool"
CLUSTER = "azure-native:containerservice:ManagedCluster"
GRAFANA = "azure-native:dashboard:Grafana"
CHECK = "azuredevops:index/checkApproval:CheckApproval"


def step(op: str, type_: str, name: str, **diff: str) -> Step:
    paths = {path.replace("__", "."): kind for path, kind in diff.items()}
    return Step(op, type_, f"urn:pulumi:s::p::{type_}::{name}", {}, {}, None, paths)


def shown(*steps: Step) -> str:
    run: Any = Run("s", "preview", 1.0, steps, {}, {}, (), ())
    return report.changes(run, unstyled)


def test_replacements_and_deletions_come_first() -> None:
    text = shown(
        step("create", POOL, "new"),
        step("update", POOL, "grown", maxCount="update"),
        step("delete", CHECK, "gate"),
        step("create-replacement", CLUSTER, "cluster", networkProfile__serviceCidr="update-replace"),
        step("replace", CLUSTER, "cluster", networkProfile__serviceCidr="update-replace"),
        step("delete-replaced", CLUSTER, "cluster"),
    )
    titles = [line for line in text.splitlines() if not line.startswith(" ")]
    assert titles == ["replace: 1", "delete: 1", "update: 1", "create: 1"]
    assert "  cluster (ManagedCluster)\n    networkProfile.serviceCidr: replaces" in text


def test_a_change_that_no_source_covers_may_replace() -> None:
    text = shown(step("update", GRAFANA, "grafana", properties__publicNetworkAccess="update"))
    assert "    properties.publicNetworkAccess: may replace: not known" in text
    assert text.endswith("1 change of which no public source says whether the service takes it")


@pytest.mark.parametrize(
    ("type_", "path", "words"),
    [
        (POOL, "maxCount", "in place"),
        (POOL, "osDiskSizeGB", "the service refuses it"),
        (POOL, "count", "in place; the service also changes it by itself"),
        (CHECK, "timeout", "in place"),
    ],
)
def test_what_is_known_of_a_change_is_said(type_: str, path: str, words: str) -> None:
    text = shown(step("update", type_, "it", **{path: "update"}))
    assert f"    {path}: {words}" in text
    assert "not known" not in text


def test_many_new_resources_are_a_number() -> None:
    text = shown(*(step("create", POOL, f"pool-{number}") for number in range(20)))
    assert text == "create: 20"


def test_nothing_is_said_to_be_nothing() -> None:
    assert shown(step("same", POOL, "pool")) == "Nothing changes."
