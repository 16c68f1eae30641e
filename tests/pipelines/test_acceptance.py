"""The acceptance tests as a Job in a real API server: its quota and pod security let it in, its results come out."""

from __future__ import annotations

import re
import signal

import pytest

from components.workload.plan import Quota
from pipelines.scripts import acceptance
from pipelines.scripts.acceptance import BEGIN, END, Results
from pipelines.scripts.cluster import Place
from pipelines.scripts.commands import CommandError, Patience
from pipelines.scripts.release import Release
from tests.pipelines.control_plane import wait
from tests.pipelines.delivery import COMMIT, GOOD, REGISTRY, TESTS, Delivery, digest
from tests.pipelines.fake_node import Image

Captured = pytest.CaptureFixture[str]

PASSED = '<testsuites><testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite></testsuites>'
FAILED = '<testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>'


def log(results: str, before: str = "two tests\n") -> str:
    return f"{before}{BEGIN}\n{results}\n{END}\n"


def results_of(delivery: Delivery) -> str:
    file = delivery.directory / "results" / "acceptance.xml"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def jobs(delivery: Delivery) -> list[str]:
    return delivery.there("job,pod")


def test_results_come_out_and_nothing_stays_behind(delivery: Delivery, capsys: Captured) -> None:
    delivery.cluster.images[TESTS] = Image(log=log(PASSED))
    assert delivery.acceptance() == 0
    assert results_of(delivery) == PASSED + "\n"
    assert capsys.readouterr().out == "two tests\nshop: 2 tests, 0 failed, 1 skipped\n"
    wait(lambda: jobs(delivery) == [])


def test_a_test_that_fails_fails_the_release_and_its_results_come_out_too(delivery: Delivery, capsys: Captured) -> None:
    delivery.cluster.images[TESTS] = Image(code=1, log=log(FAILED))
    assert delivery.acceptance() == 1
    assert results_of(delivery) == FAILED + "\n"
    said = capsys.readouterr().err
    assert said == "error: the release fails its acceptance tests: 2 tests, 1 failed, 0 skipped\n"
    wait(lambda: jobs(delivery) == [])


def test_a_run_without_results_is_a_failure_even_if_it_ended_well(delivery: Delivery, capsys: Captured) -> None:
    delivery.cluster.images[TESTS] = Image(log=f"half of it\n{BEGIN}\n<testsuite>")
    assert delivery.acceptance() == 1
    assert "the tests left no results in their log" in capsys.readouterr().err
    assert (delivery.directory / "results" / "acceptance.log").read_text(encoding="utf-8").startswith("half of it")


def test_tests_that_do_not_end_are_ended(delivery: Delivery, capsys: Captured) -> None:
    delivery.cluster.images[TESTS] = Image(hangs=True, log="waiting for the service\n")
    assert delivery.acceptance(timeout=20) == 1
    said = capsys.readouterr()
    assert said.err == "error: the tests did not end within 20 s; the log shows how far they came\n"
    assert said.out == "waiting for the service\n"
    wait(lambda: jobs(delivery) == [])


def test_tests_that_cannot_start_say_why(delivery: Delivery, capsys: Captured) -> None:
    delivery.cluster.images.pop(TESTS)
    assert delivery.acceptance(timeout=10) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(r"error: the tests did not start within 10 s: \S+ waits: ErrImagePull: .*not found\n", said)


def test_a_quota_that_refuses_the_tests_is_told(delivery: Delivery, capsys: Captured) -> None:
    delivery.namespace = delivery.cluster.namespace(Quota(cpu="100m", memory="8Gi", pods=2))
    assert delivery.acceptance(timeout=10) == 1
    assert re.search(r"did not start within 10 s: .*exceeded quota: workload", capsys.readouterr().err)
    assert jobs(delivery) == []


def test_what_a_killed_run_left_is_replaced(delivery: Delivery) -> None:
    delivery.cluster.images[TESTS] = Image(hangs=True)
    process = delivery.start(acceptance, delivery.testing(timeout=600))
    wait(lambda: "job.batch/shop-acceptance" in jobs(delivery))
    process.kill()
    process.communicate()
    other = digest("other tests")
    delivery.cluster.images[other] = Image(log=log(PASSED))
    assert acceptance.main(delivery.testing(tests=other), delivery.pause) == 0


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_cancelled_leaves_nothing_behind(delivery: Delivery, sign: signal.Signals) -> None:
    delivery.cluster.images[TESTS] = Image(hangs=True)
    process = delivery.start(acceptance, delivery.testing(timeout=600))
    wait(lambda: "job.batch/shop-acceptance" in jobs(delivery))
    process.send_signal(sign)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (1, "error: stopped: the run was cancelled\n")
    wait(lambda: jobs(delivery) == [])


def test_a_log_does_not_command_the_agent(delivery: Delivery, capsys: Captured) -> None:
    before = "##vso[task.setvariable variable=previousRevision]1\nx ##[error]y\n"
    delivery.cluster.images[TESTS] = Image(log=log(PASSED, before))
    assert delivery.acceptance() == 0
    said = capsys.readouterr().out
    assert "task.setvariable" in said
    assert not re.search(r"##(vso)?\[", said)


def test_the_job_asks_the_service_of_its_own_release_and_knows_what_to_expect() -> None:
    release = Release("shop", GOOD, "shop-tests", TESTS, "1", "x.tgz", COMMIT, 1)
    made = acceptance.job(Place("shop", "ns", 300, Patience(0)), release, REGISTRY)
    pod = made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == f"{REGISTRY}/shop-tests@{TESTS}"
    assert {each["name"]: each["value"] for each in container["env"]} == {
        "BASE_URL": "http://shop",
        "METRICS_URL": "http://shop-metrics:9090",
        "EXPECTED_DIGEST": GOOD,
        "EXPECTED_COMMIT": COMMIT,
    }
    assert (made["spec"]["backoffLimit"], made["spec"]["activeDeadlineSeconds"] > 300) == (0, True)
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod
    # Its pods must not become end points of the service they test.
    assert made["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "shop-acceptance"
    assert "app.kubernetes.io/instance" not in made["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize(
    ("code", "results", "said"),
    [
        (0, Results(2, 0, 1), ""),
        (0, Results(2, 1, 0), "the release fails its acceptance tests: 2 tests, 1 failed, 0 skipped"),
        (1, Results(2, 0, 0), "the release fails its acceptance tests: 2 tests, 0 failed, 0 skipped"),
        (137, Results(2, 0, 0), "the tests ended with 137, which is no verdict: 2 tests, 0 failed, 0 skipped"),
        (0, Results(0, 0, 0), "no test ran: 0 tests, 0 failed, 0 skipped"),
        (0, Results(3, 0, 3), "no test ran: 3 tests, 0 failed, 3 skipped"),
    ],
)
def test_only_tests_that_ran_and_passed_are_a_pass(code: int, results: Results, said: str) -> None:
    assert acceptance.judge(code, results) == said


def test_the_last_results_of_a_log_count() -> None:
    assert acceptance.junit(log("<a/>") + log(PASSED)) == PASSED + "\n"
    assert acceptance.junit(log(FAILED).replace("\n", "\r\n")).strip() == FAILED


@pytest.mark.parametrize(
    ("text", "said"),
    [("<testsuite>", "are not XML"), ("", "are not XML"), ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities")],
)
def test_what_is_no_junit_is_refused(text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        acceptance.read(text)


def test_an_error_counts_as_a_failure() -> None:
    assert acceptance.read('<testsuite><testcase name="a"><error/></testcase></testsuite>') == Results(1, 1, 0)
