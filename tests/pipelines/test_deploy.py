"""Deploying the application's chart into a real API server, with what the deploy identity may do and no more."""

from __future__ import annotations

import datetime
import json
import re
import signal

import pytest

from components.workload.plan import Quota
from pipelines.scripts import deploy
from tests.pipelines.control_plane import wait
from tests.pipelines.delivery import BAD, COMMIT, GOOD, NEWER, REGISTRY, TESTS, Delivery, digest, outputs
from tests.pipelines.fake_node import Image

Captured = pytest.CaptureFixture[str]
both = pytest.mark.parametrize("model", ["helm", "kubectl"])


@both
def test_the_image_runs_by_digest_from_the_environments_registry(
    delivery: Delivery, capsys: Captured, model: str
) -> None:
    assert delivery.deploy(GOOD, model=model) == 0
    found = json.loads(delivery.kubectl("get", "deployment", "shop", "--output=json"))["spec"]["template"]["spec"]
    assert [each["image"] for each in found["containers"]] == [f"{REGISTRY}/shop@{GOOD}"]
    assert found["serviceAccountName"] == "workload"
    said = outputs(capsys.readouterr().out)
    assert said["previousRevision"] == "none"
    assert datetime.datetime.fromisoformat(said["deployedAt"]).tzinfo
    assert not [name for name in delivery.there() if "pull" in name]


@both
def test_what_is_replaced_is_noted_before_anything_is_changed(delivery: Delivery, capsys: Captured, model: str) -> None:
    assert delivery.deploy(GOOD, model=model) == 0
    capsys.readouterr()
    assert delivery.deploy(BAD, model=model, timeout=4) == 1
    assert outputs(capsys.readouterr().out) == {"previousRevision": "1"}


@both
def test_pods_that_do_not_serve_are_a_failure_that_says_why(delivery: Delivery, capsys: Captured, model: str) -> None:
    assert delivery.deploy(BAD, model=model, timeout=4) == 1
    said = capsys.readouterr()
    assert re.fullmatch(r"error: .*; shop-\S+ waits: CrashLoopBackOff: back-off restarting.*\n", said.err)
    assert "deployedAt" not in outputs(said.out)


@pytest.mark.parametrize(("image", "tests"), [(digest("gone"), TESTS), (GOOD, digest("gone"))], ids=["image", "tests"])
def test_a_digest_that_the_registry_does_not_have_stops_before_anything_is_deployed(
    delivery: Delivery, capsys: Captured, image: str, tests: str
) -> None:
    assert delivery.deploy(image, tests=tests) == 1
    said = capsys.readouterr()
    assert re.fullmatch(
        rf"error: {REGISTRY}/\S+@{digest('gone')} cannot be pulled by the .*not found; nothing was deployed\n", said.err
    )
    assert said.out == ""
    assert sum(delivery.pauses) < 20  # whatever else is tried again, this is not
    wait(lambda: delivery.there() == [])


def test_a_registry_that_refuses_the_cluster_is_asked_for_some_minutes(
    delivery: Delivery, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "PULL_SECONDS", 10)
    delivery.cluster.images[GOOD] = Image(refused="401 Unauthorized")
    assert delivery.deploy(GOOD) == 1
    assert re.search(r"401 Unauthorized; nothing was deployed \(\d+ s waited\)", capsys.readouterr().err)
    assert sum(delivery.pauses) >= 10


def test_a_role_that_comes_late_is_waited_for(delivery: Delivery) -> None:
    delivery.cluster.images[GOOD] = Image(refused="401 Unauthorized")

    def granted(_: float) -> None:
        delivery.cluster.images[GOOD] = Image()
        delivery.pauses.append(0)

    assert deploy.main(delivery.deployment(GOOD), granted) == 0
    assert delivery.pauses


@both
def test_what_the_schema_refuses_changes_nothing(delivery: Delivery, capsys: Captured, model: str) -> None:
    assert delivery.deploy(GOOD, model=model) == 0
    before = delivery.there()
    delivery.change_chart("environments/wrong.yaml", "", "image: {tag: latest}")
    capsys.readouterr()
    assert delivery.deploy(NEWER, "--environment", "wrong", model=model) == 1
    said = capsys.readouterr().err
    assert "'tag' not allowed" in said
    assert len(said.splitlines()) == 1
    assert (delivery.runs(), delivery.there()) == (GOOD, before)


def test_an_object_that_the_server_refuses_changes_nothing_with_kubectl(delivery: Delivery, capsys: Captured) -> None:
    delivery.change_chart("templates/z.yaml", "", "apiVersion: v1\nkind: Namespace\nmetadata: {name: another}\n")
    assert delivery.deploy(GOOD, model="kubectl") == 1
    assert "namespaces" in capsys.readouterr().err
    wait(lambda: delivery.there() == [])


def test_values_of_the_environment_come_out_of_the_package_but_do_not_choose_the_image(delivery: Delivery) -> None:
    values = "image: {registry: elsewhere.example, digest: 'sha256:" + "0" * 64 + "'}\nreplicas: {min: 3, max: 5}\n"
    delivery.change_chart("environments/qa.yaml", "", values)
    assert delivery.deploy(GOOD, "--environment", "qa") == 0
    assert delivery.kubectl("get", "hpa", "shop", "--output=jsonpath={.spec.minReplicas}") == "3"
    assert delivery.runs() == GOOD
    assert delivery.deploy(GOOD, "--environment", "unknown-to-the-chart") == 0
    assert delivery.kubectl("get", "hpa", "shop", "--output=jsonpath={.spec.minReplicas}") == "2"


def test_a_chart_that_runs_something_else_is_found_out(delivery: Delivery, capsys: Captured) -> None:
    other = f"{REGISTRY}/shop@{NEWER}"
    delivery.change_chart("templates/deployment.yaml", 'image: {{ include "shop.image" . }}', f"image: {other}")
    assert delivery.deploy(GOOD) == 1
    assert f"runs {other}, and not {REGISTRY}/shop@{GOOD}" in capsys.readouterr().err


def test_pods_that_the_quota_refuses_are_told(delivery: Delivery, capsys: Captured) -> None:
    delivery.namespace = delivery.cluster.namespace(Quota(cpu="200m", memory="128Mi", pods=2))
    assert delivery.deploy(GOOD, timeout=4) == 1
    assert "no pod: " in (said := capsys.readouterr().err)
    assert "exceeded quota: workload" in said


@both
def test_a_release_that_is_being_changed_is_left_alone(delivery: Delivery, capsys: Captured, model: str) -> None:
    assert delivery.deploy(GOOD, model=model) == 0
    delivery.killed(BAD, model=model)
    capsys.readouterr()
    assert delivery.deploy(NEWER, model=model) == 1
    said = capsys.readouterr()
    assert re.search(
        r"shop: revision 2 is pending-upgrade since \S+ UTC: another run .*; try again after \d+ s", said.err
    )
    assert (outputs(said.out), delivery.runs()) == ({}, BAD)


@both
@pytest.mark.parametrize("first", [True, False], ids=["first deployment", "upgrade"])
def test_a_release_that_a_killed_run_left_is_put_right_first(
    delivery: Delivery, capsys: Captured, monkeypatch: pytest.MonkeyPatch, model: str, first: bool
) -> None:
    monkeypatch.setattr(deploy, "MARGIN", -3600)
    if not first:
        assert delivery.deploy(GOOD, model=model) == 0
    delivery.killed(BAD, model=model)
    capsys.readouterr()
    assert delivery.deploy(NEWER, model=model) == 0
    said = capsys.readouterr()
    assert "by a run that was killed; it is put right first" in said.err
    assert outputs(said.out)["previousRevision"] == ("none" if first else "3")
    assert delivery.runs() == NEWER


def test_a_run_that_is_cancelled_leaves_a_release_that_can_be_changed(delivery: Delivery) -> None:
    process = delivery.start(deploy, delivery.deployment(BAD, timeout=600))
    wait(lambda: "deployment.apps/shop" in delivery.there())
    process.send_signal(signal.SIGTERM)
    out, said = process.communicate(timeout=30)
    assert (process.returncode, outputs(out)) == (1, {"previousRevision": "none"})
    assert re.match(r"error: stopped: the run was cancelled", said)
    assert delivery.statuses() == {1: "failed"}
    assert delivery.deploy(GOOD) == 0


@both
def test_what_somebody_changed_by_hand_is_put_right(delivery: Delivery, model: str) -> None:
    assert delivery.deploy(GOOD, model=model) == 0
    delivery.kubectl("patch", "hpa", "shop", "--patch", '{"spec": {"minReplicas": 1}}')
    assert delivery.deploy(GOOD, model=model) == 0
    assert delivery.kubectl("get", "hpa", "shop", "--output=jsonpath={.spec.minReplicas}") == "2"


def test_kubectl_does_not_take_over_what_helm_keeps(delivery: Delivery, capsys: Captured) -> None:
    assert delivery.deploy(GOOD) == 0
    assert delivery.deploy(NEWER, model="kubectl") == 1
    assert "shop was deployed by Helm; use --model helm" in capsys.readouterr().err
    assert delivery.runs() == GOOD


def test_an_object_that_the_chart_no_longer_has_is_deleted_with_kubectl(delivery: Delivery) -> None:
    more = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: no-longer}\n"
    delivery.change_chart("templates/z.yaml", "", more)
    assert delivery.deploy(GOOD, model="kubectl") == 0
    assert "configmap/no-longer" in delivery.there()
    (delivery.chart / "templates" / "z.yaml").unlink()
    assert delivery.deploy(NEWER, model="kubectl") == 0
    assert "configmap/no-longer" not in delivery.there()


def test_only_the_newest_revisions_are_kept_with_kubectl(delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.scripts.rollout.KEPT", 2)
    for image in (GOOD, NEWER, GOOD):
        assert delivery.deploy(image, model="kubectl") == 0
    kept = [name for name in delivery.there("configmap") if "revision" in name]
    assert kept == ["configmap/shop-revision-2", "configmap/shop-revision-3"]


def test_the_pod_that_pulls_names_both_images_and_no_label_of_the_service() -> None:
    pod = deploy.pull_pod("shop-pull", ["a", "b"], {"app.kubernetes.io/name": "shop-pull"})
    assert [each["image"] for each in pod["spec"]["containers"]] == ["a", "b"]
    assert pod["metadata"]["labels"] == {"app.kubernetes.io/name": "shop-pull"}


def _pod(**states: object) -> dict[str, object]:
    containers = [{"name": name, "image": f"r/{name}@sha256:1"} for name in states]
    statuses = [{"name": name, "state": state} for name, state in states.items() if state is not None]
    return {"spec": {"containers": containers}, "status": {"containerStatuses": statuses}}


def _waits(reason: str, message: str = "") -> dict[str, object]:
    return {"waiting": {"reason": reason, "message": message}}


@pytest.mark.parametrize(
    ("pod", "verdict"),
    [
        (_pod(a={"terminated": {"exitCode": 0}}, b={"running": {}}), (True, "", False)),
        # The image has no `true`: it is there all the same.
        (_pod(a=_waits("RunContainerError", 'exec: "true": not found')), (True, "", False)),
        (_pod(a={"terminated": {"exitCode": 128, "reason": "StartError"}}), (True, "", False)),
        (_pod(a={"running": {}}, b=_waits("ContainerCreating")), (False, "r/b@sha256:1 is not there yet", False)),
        (_pod(a=None), (False, "r/a@sha256:1 is not there yet", False)),
        (_pod(a=_waits("ErrImagePull", "dial tcp: i/o timeout")), (False, "dial tcp: i/o timeout", False)),
        (_pod(a=_waits("ImagePullBackOff", "r/a: not found")), (False, "r/a: not found", True)),
        (_pod(a=_waits("ErrImagePull", "code = NotFound desc = x")), (False, "code = NotFound desc = x", True)),
        (_pod(a=_waits("InvalidImageName")), (False, "InvalidImageName", True)),
    ],
)  # fmt: skip
def test_an_image_counts_as_pulled_when_the_node_says_so(
    pod: dict[str, object], verdict: tuple[bool, str, bool]
) -> None:
    done, against, final = deploy.pulled(pod)
    assert (done, final) == (verdict[0], verdict[2])
    assert against.endswith(verdict[1])


@pytest.mark.parametrize(
    ("name", "value"),
    [("--registry", "https://prod.azurecr.io"), ("--registry", "prod.azurecr.io/shop"), ("--name", "Shop"),
     ("--namespace", ""), ("--model", "flux")],
)  # fmt: skip
def test_an_argument_that_cannot_be_is_refused(
    tmp_path_factory: object, capsys: Captured, name: str, value: str
) -> None:
    given = ["--release", "r", "--artifacts", "a", "--registry", "r", "--name", "n", "--namespace", "n"]
    with pytest.raises(SystemExit) as stopped:
        deploy.main([*given, "--service-account", "s", name, value])
    assert stopped.value.code == 2
    assert name in capsys.readouterr().err


def test_a_release_without_its_chart_package_is_told(delivery: Delivery, capsys: Captured) -> None:
    given = delivery.deployment(GOOD)
    (delivery.directory / "shop-0.1.1.tgz").unlink()
    assert deploy.main(given) == 1
    assert "shop-0.1.1.tgz: is no chart package" in capsys.readouterr().err
    (delivery.directory / "shop-0.1.1.tgz").write_bytes(b"no package")
    assert deploy.main(given) == 1
    assert "shop-0.1.1.tgz: is no chart package" in capsys.readouterr().err
    assert COMMIT not in delivery.there()
