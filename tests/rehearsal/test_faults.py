"""Faults: they befall the tries that a plan says and no others, and a run that met one can be finished by the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal import toolchain
from rehearsal.cloud import Cloud, CloudError, Disturbance, UnansweredError
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from rehearsal.faults import KNOWN, OPERATIONS, SERVICES, Fault, FaultError, Plan, arrange, disturbances, parse
from tests.rehearsal import landscape, landscape_azuredevops
from tests.rehearsal.landscape import CLUSTER, VAULT, estate, refused, type_of
from tests.rehearsal.test_faces_engine import landscape as small
from tests.rehearsal.test_kubernetes_refusals import NAMESPACE, PUBLIC, create

_VAULT = "azure-native:keyvault:Vault"
_GRANT = "azure-native:authorization:RoleAssignment"


# Which tries fail


def outcomes(cloud: Cloud, type_: str, operation: str, keys: str) -> str:
    """What becomes of writes of these keys, one after the other: `.` done, `x` refused, `?` unanswered."""
    told = ""
    for key in keys:
        try:
            with cloud._traffic.write(type_, operation, key):
                told += "."
        except UnansweredError as lost:
            told = told[:-1] + ("?" if lost.id == key else "!")
        except CloudError:
            told += "x"
    return told


@pytest.mark.parametrize(
    ("fault", "keys", "told"),
    [
        (Fault("internal"), "aaa", "x.."),
        (Fault("internal", nth=2), "aaa", ".x."),
        (Fault("internal", nth=2, times=2), "abca", ".xx."),
        (Fault("internal", times=0), "abca", "xxxx"),
        (Fault("internal", every=True), "abab", "xx.."),
        (Fault("internal", every=True, nth=2), "ababab", "..xx.."),
        (Fault("internal", operation="create"), "aa", "x."),
        (Fault("internal", operation="delete"), "aa", ".."),
        (Fault("internal", _VAULT), "aa", "x."),
        (Fault("internal", _GRANT), "aa", ".."),
        (Fault("throttled", times=3), "aa", ".."),
        (Fault("throttled", times=4), "aa", "x."),
        (Fault("throttled", times=0), "aa", "xx"),
        (Fault("time-out"), "aa", "?."),
    ],
)
def test_a_fault_befalls_the_tries_that_were_asked_for_and_no_others(fault: Fault, keys: str, told: str) -> None:
    cloud = Cloud(estate())
    arrange(cloud, Plan((fault,)))
    assert outcomes(cloud, _VAULT, "create", keys) == told


def test_each_type_has_its_own_count_and_so_has_each_operation() -> None:
    cloud = Cloud(estate())
    arrange(cloud, Plan((Fault("internal"),)))
    assert [outcomes(cloud, type_, "create", "aa") for type_ in (_VAULT, _GRANT)] == ["x.", "x."]
    assert outcomes(cloud, _VAULT, "delete", "aa") == "x."


def test_faults_on_one_type_come_one_after_the_other() -> None:
    cloud = Cloud(estate())
    arrange(cloud, Plan((Fault("internal", _VAULT), Fault("forbidden", _VAULT, times=2))))
    assert outcomes(cloud, _VAULT, "create", "aaaaa") == "xxx.."
    assert [met.code for met in cloud.met] == ["InternalServerError", "AuthorizationFailed", "AuthorizationFailed"]


def test_what_the_provider_tries_again_is_noted_and_not_heard() -> None:
    cloud = Cloud(estate())
    arrange(cloud, Plan((Fault("throttled", times=2),)))
    outcomes(cloud, _VAULT, "create", "a")
    assert [(met.code, met.key, met.heard) for met in cloud.met] == [("TooManyRequests", "a", False)] * 2


def test_calm_ends_every_fault() -> None:
    cloud = Cloud(estate())
    arrange(cloud, Plan((Fault("internal", times=0),)))
    cloud.calm()
    assert outcomes(cloud, _VAULT, "create", "aa") == ".."


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_fault_befalls_something_and_names_its_source(name: str) -> None:
    known = KNOWN[name]
    planned = disturbances(Plan((Fault(name),)))
    assert planned
    assert all(isinstance(each, Disturbance) and each.error.code == known.code for each in planned)
    assert {each.type_ for each in planned} <= SERVICES[known.service]
    assert set(known.operations) <= set(OPERATIONS)
    assert len(known.source) > 10
    assert known.message


# What a write leaves behind


def test_a_principal_that_is_not_known_yet_is_known_after_some_tries() -> None:
    cloud = landscape.before("may_pull")
    arrange(cloud, Plan((Fault("principal-unknown", times=2),)))
    before = len(cloud.resources)
    for _ in range(2):
        with refused("PrincipalNotFound", "replication delay"):
            landscape.make(cloud, "may_pull")
    assert len(cloud.resources) == before
    landscape.make(cloud, "may_pull")
    assert len(cloud.resources) == before + 1


def test_what_timed_out_was_done_all_the_same() -> None:
    cloud = landscape.before("vault")
    arrange(cloud, Plan((Fault("time-out", _VAULT),)))
    with pytest.raises(UnansweredError) as lost:
        landscape.make(cloud, "vault")
    assert lost.value.id == VAULT
    assert VAULT.lower() in cloud.resources
    with pytest.raises(UnansweredError):
        cloud.delete(_VAULT, VAULT)
    assert VAULT.lower() not in cloud.resources


def test_azure_devops_and_the_clusters_fail_too_and_leave_nothing() -> None:
    made = landscape_azuredevops.before("environment")
    arrange(made.cloud, Plan((Fault("devops-internal", every=True),)))
    before = made.cloud.devops.resources.keys()
    with refused("TF400898"):
        made.make("environment")
    assert made.cloud.devops.resources.keys() == before
    made.make("environment")
    for _ in range(1):
        with refused("TF400898"):
            made.delete("environment")
    made.delete("environment")

    cloud = landscape.before("cluster")
    landscape.make(cloud, "cluster", PUBLIC)
    arrange(cloud, Plan((Fault("not-ready", NAMESPACE, "create"), Fault("server-busy", NAMESPACE, "delete"))))
    with refused("InternalError"):
        create(cloud, NAMESPACE)
    assert cloud.kubernetes.objects(CLUSTER) == {}
    create(cloud, NAMESPACE)
    with refused("TooManyRequests"), cloud._traffic.write(NAMESPACE, "delete", "shop"):
        pass


# What is asked for


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("sharks"), "no fault named 'sharks'"),
        (Fault("sharks"), "principal-unknown"),
        (Fault("principal-unknown", _VAULT), _GRANT),
        (Fault("internal", "azure-native:keyvault:Vaults"), _VAULT),
        (Fault("internal", operation="read"), "create, update, delete"),
        (Fault("soft-deleted", operation="delete"), "it does: create"),
        (Fault("internal", nth=0), "nth is 1 or more"),
        (Fault("internal", times=-1), "times 0 or more"),
    ],
)
def test_a_plan_that_cannot_be_followed_says_what_can_and_arranges_nothing(fault: Fault, says: str) -> None:
    cloud = Cloud(estate())
    with pytest.raises(FaultError) as caught:
        arrange(cloud, Plan((Fault("internal"), fault)))
    assert says in str(caught.value)
    assert outcomes(cloud, _VAULT, "create", "a") == "."


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("internal", Fault("internal")),
        (f"internal,type={_VAULT},operation=create", Fault("internal", _VAULT, "create")),
        ("throttled, nth=2, times=0, every", Fault("throttled", nth=2, times=0, every=True)),
    ],
)
def test_a_fault_is_written_in_one_line(text: str, fault: Fault) -> None:
    assert parse(text) == fault


@pytest.mark.parametrize(
    "text", ["internal,nth=x", "internal,typ=x", "internal,type=", "internal,", "internal,times=-1"]
)
def test_a_fault_that_is_not_written_so_is_refused(text: str) -> None:
    with pytest.raises(FaultError, match="Settings are"):
        parse(text)


# Under the real engine


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(estate())


@pytest.fixture
def engine(tmp_path: Path, cloud: Cloud) -> Iterator[Rehearsal]:
    project = Path(__file__).resolve().parents[2]
    root = tmp_path / "project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    cli = toolchain.bring(toolchain.ways(project, Console()), print)
    with Rehearsal.open(root, tmp_path / "run", cloud, program=small, configs={"one": {}}, cli=cli) as rehearsal:
        yield rehearsal


def known_to_the_engine(engine: Rehearsal) -> set[str]:
    states: list[dict[str, Any]] = engine.export("one")["deployment"]["resources"]
    return {state["id"].lower() for state in states if str(state.get("id", "")).startswith("/subscriptions/")}


def test_every_type_failing_once_ends_complete_without_duplicates_or_orphans(engine: Rehearsal, cloud: Cloud) -> None:
    arrange(cloud, Plan((Fault("internal", operation="create"),)))
    told = []
    for _ in range(10):
        try:
            engine.update("one")
            break
        except EngineError as error:
            told.append(("InternalServerError" in str(error), known_to_the_engine(engine) == set(cloud.resources)))
    assert told
    assert all(named and kept for named, kept in told)
    assert len({met.type_ for met in cloud.met}) == 8
    assert engine.preview("one").quiet
    assert known_to_the_engine(engine) == set(cloud.resources)


def test_what_timed_out_is_known_to_the_engine_and_not_made_a_second_time(engine: Rehearsal, cloud: Cloud) -> None:
    arrange(cloud, Plan((Fault("time-out", _VAULT, "create"),)))
    with pytest.raises(EngineError, match="OperationTimedOut"):
        engine.update("one")
    assert known_to_the_engine(engine) == set(cloud.resources)
    again = engine.update("one")
    assert again.changes.get("create", 0) < 8
    assert known_to_the_engine(engine) == set(cloud.resources)
    assert engine.preview("one").quiet


def test_throttling_that_the_provider_waits_out_is_not_seen(engine: Rehearsal, cloud: Cloud) -> None:
    arrange(cloud, Plan((Fault("throttled", operation="create", times=3),)))
    engine.update("one")
    assert not any(met.heard for met in cloud.met)
    assert len(cloud.met) == 3 * 8


def test_a_provider_that_ends_ends_the_run_and_the_next_one_completes(engine: Rehearsal, cloud: Cloud) -> None:
    arrange(cloud, Plan((Fault("azure-gone", "azure-native:network:Subnet", "create"),)))
    with pytest.raises(EngineError, match="EOF"):
        engine.update("one")
    assert known_to_the_engine(engine) == set(cloud.resources)
    assert not any("/subnets/" in id for id in cloud.resources)
    engine.update("one")
    assert engine.preview("one").quiet
    assert type_of("vault") == _VAULT


def test_what_the_engine_holds_secret_is_confided_to_the_cloud(engine: Rehearsal, cloud: Cloud) -> None:
    engine.preview("one")
    assert "hush" in cloud.confided
