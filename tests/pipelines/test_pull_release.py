"""A release where the cluster pulls: the folder is proposed, judged and merged in a real repository, and taken back."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability import prometheus_rules
from components.workload import collectors
from pipelines.scripts import check_configuration, pull_folder, reconciled, release_folder, restore_folder
from pipelines.scripts.acceptance import job
from pipelines.scripts.cluster import Place
from pipelines.scripts.commands import Patience
from pipelines.scripts.deploy import settings, values_of
from pipelines.scripts.oci_registry import Repository as Images
from pipelines.scripts.prometheus_query import Metrics, Point, Series
from pipelines.scripts.pull_folder import Target
from pipelines.scripts.release import Release, write
from pipelines.scripts.rollout import Chart, rendered
from tests.pipelines.fake_repos import MAIN, PROJECT, TOKEN, FakeRepos, served
from tests.pipelines.tooling import PATH, tool
from tests.stackfiles import ROOT

DIGEST, TESTS = "sha256:" + "a" * 64, "sha256:" + "b" * 64
REGISTRY = "crshopprod.azurecr.io"
REGISTRY_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/crshopprod"
RELEASE = Release("shop", DIGEST, "shop-tests", TESTS, "20260101.1", "shop-0.1.7.tgz", "c" * 40, 7)
TARGET = Target("prod", REGISTRY, "shop", "shop", "812-1")
METRICS = "https://metrics.example"

Captured = pytest.CaptureFixture[str]


def seeds() -> dict[str, str]:
    """What the repository starts with."""
    root = ROOT / "configuration"
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    tool("helm")
    monkeypatch.setenv("PATH", PATH)
    monkeypatch.delenv("TF_BUILD", raising=False)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart as CI packages it."""
    path = tmp_path_factory.mktemp("artifacts") / RELEASE.chart
    with tarfile.open(path, "w:gz") as packed:
        packed.add(ROOT / "workload" / "chart", "shop")
    write(RELEASE, path.parent / "release.json")
    return path


class Stand:
    """The scripts at the hands of the release, with a repository of their own and a registry that has both images."""

    def __init__(self, repos: FakeRepos, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.repos, self.package = repos, package
        self.images = {("shop", DIGEST), ("shop-tests", TESTS)}
        self.pauses: list[float] = []
        self.series: list[tuple[str, str]] = []
        """Metrics that are there: name and Job."""
        monkeypatch.setattr(release_folder, "az_token", lambda *_: TOKEN)
        monkeypatch.setattr(release_folder, "signed_in", lambda *_: contextlib.nullcontext({}))
        monkeypatch.setattr(Images, "has", lambda images, digest: (images.name, digest) in self.images)
        monkeypatch.setattr(Metrics, "at", self._at)

    def _at(self, expression: str, moment: float) -> list[Series]:
        labels = 'job="kube-state-metrics", cluster="aks", namespace="shop"'
        pattern = rf'(\w+)\{{(condition="true", )?{labels}, job_name="([^"]+)"\}}'
        found = re.fullmatch(pattern, expression)
        assert found, expression
        assert bool(found[2]) == (found[1] == "kube_job_failed")
        there = (found[1], found[3]) in self.series
        return [Series({}, [Point(moment, 1.0)])] if there else []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def _common(self, attempt: str) -> list[str]:
        at = ["--organization", self.repos.url, "--project", PROJECT, "--environment", "prod", "--attempt", attempt]
        return [*at, "--namespace", "shop", "--merge", "20"]

    def release(self, attempt: str = "812-1", **changed: str) -> int:
        said = {
            "--release": str(self.package.parent / "release.json"),
            "--artifacts": str(self.package.parent),
            "--registry": REGISTRY,
            "--registry-id": REGISTRY_ID,
            "--name": "shop",
            "--service-account": "workload",
            **{f"--{key}": value for key, value in changed.items()},
        }
        words = [word for pair in said.items() for word in pair]
        return release_folder.main([*self._common(attempt), *words], self.pause)

    def restore(self, to: str, attempt: str = "812-1") -> int:
        words = [*self._common(attempt), "--to", to, "--endpoint", METRICS, "--cluster", "aks", "--timeout", "60"]
        clock = iter(range(0, 100000, 20))
        return restore_folder.main(words, lambda: "t", lambda: float(next(clock)), self.pause)

    def wait(self, job_: str, timeout: str = "60") -> int:
        words = ["--endpoint", METRICS, "--namespace", "shop", "--cluster", "aks", "--job", job_, "--timeout", timeout]
        clock = iter(range(1_700_000_000, 1_700_100_000, 20))
        return reconciled.main(words, lambda: "t", lambda: float(next(clock)), self.pause)

    @property
    def folder(self) -> dict[str, str]:
        prefix = "environments/prod/"
        return {path.removeprefix(prefix): text for path, text in self.repos.files().items() if path.startswith(prefix)}


@pytest.fixture
def stand(tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    repos = FakeRepos(tmp_path / "configuration.git")
    repos.start(seeds())
    with served(repos):
        yield Stand(repos, package, monkeypatch)


def out(capsys: Captured) -> dict[str, str]:
    """The output variables that were set."""
    said = capsys.readouterr().out
    return dict(re.findall(r"##vso\[task.setvariable variable=(\w+);[^\]]*isOutput=true\](.*)", said))


# ---------------------------------------------------------------- a release


def test_a_first_release_makes_the_folder_and_says_that_there_was_none(stand: Stand, capsys: Captured) -> None:
    assert stand.release() == 0
    assert out(capsys) == {"previousCommit": "none", "job": "shop-acceptance-812-1"}
    assert set(stand.folder) == set(pull_folder.FILES)
    assert f"{REGISTRY}/shop@{DIGEST}" in stand.folder[pull_folder.MANIFESTS]
    assert stand.repos.log() == [f"prod: shop {DIGEST[:19]} of run 7", "seed"]
    assert stand.repos.branches == {MAIN}, "the branch of the release goes with its merge"


def test_a_second_release_says_where_the_folder_was(stand: Stand, capsys: Captured) -> None:
    stand.release()
    before = stand.repos.git("rev-parse", MAIN)
    capsys.readouterr()
    assert stand.release("813-1") == 0
    assert out(capsys) == {"previousCommit": before, "job": "shop-acceptance-813-1"}


def test_what_is_merged_is_what_the_check_lets_through(stand: Stand, tmp_path: Path, capsys: Captured) -> None:
    stand.release()
    place = tmp_path / "checked-out"
    for path, text in stand.repos.files().items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(f"{text}\n" if text else "", "utf-8")
    assert check_configuration.main(["--root", str(place)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("missing", [("shop", DIGEST), ("shop-tests", TESTS)])
def test_a_digest_that_the_registry_does_not_have_changes_nothing(
    stand: Stand, missing: tuple[str, str], capsys: Captured
) -> None:
    stand.images.remove(missing)
    assert stand.release() == 1
    assert (
        capsys.readouterr().err == f"error: {REGISTRY}/{missing[0]}@{missing[1]}: is not there; nothing was committed\n"
    )
    assert stand.repos.log() == ["seed"]
    assert not stand.repos.requests


def test_a_chart_that_renders_something_else_changes_nothing(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: shop}\n"
    monkeypatch.setattr(release_folder, "rendered", lambda *_: text)
    assert stand.release() == 1
    said = capsys.readouterr().err
    assert "Secret token: the cluster applies only ConfigMap, Deployment" in said
    assert f"runs nothing, and not {REGISTRY}/shop@{DIGEST}" in said
    assert "nothing was committed" in said
    assert not stand.repos.requests


def test_a_build_that_is_red_ends_the_release_and_abandons_it(stand: Stand, capsys: Captured) -> None:
    stand.repos.build = "rejected"
    assert stand.release() == 1
    assert capsys.readouterr().err == (
        "error: pull request 1: was not merged: Checks of the pull request (rejected); nothing was released\n"
    )
    assert stand.repos.requests[1]["status"] == "abandoned"
    assert stand.repos.log() == ["seed"]


def test_a_build_that_does_not_end_is_not_waited_for_for_ever(stand: Stand, capsys: Captured) -> None:
    stand.repos.build = "running"
    assert stand.release() == 1
    assert "was not merged within 20 s: Checks of the pull request (running)" in capsys.readouterr().err
    assert stand.repos.requests[1]["status"] == "abandoned"


def test_the_release_of_another_environment_cannot_consent(stand: Stand, capsys: Captured) -> None:
    stand.repos.consenting = "somebody else"
    assert stand.release() == 1
    assert "Only a release (rejected)" in capsys.readouterr().err
    assert stand.repos.log() == ["seed"]


def test_a_folder_that_changed_meanwhile_is_a_conflict(stand: Stand, capsys: Captured) -> None:
    stand.repos.race = lambda repos: repos.merge_of_others({"environments/prod/release.json": "{}"})
    assert stand.release() == 1
    assert "conflicts: main has changed the same files meanwhile; run it again" in capsys.readouterr().err
    assert stand.repos.log() == ["somebody else", "seed"]


def test_another_environments_release_at_the_same_time_is_none(stand: Stand) -> None:
    stand.repos.race = lambda repos: repos.merge_of_others({"environments/staging/release.json": "{}"})
    assert stand.release() == 0
    assert stand.repos.log() == [f"prod: shop {DIGEST[:19]} of run 7", "somebody else", "seed"]


def test_a_service_that_is_late_is_waited_for(stand: Stand) -> None:
    stand.repos.late = [503, 429]
    assert stand.release() == 0
    assert stand.pauses[:2] == [2, 4]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"registry-id": "crshopprod"}, "--registry-id: 'crshopprod'; allowed: /subscriptions/<id>"),
        ({"attempt": "latest"}, "--attempt: 'latest'; allowed: the number of the run"),
    ],
)
def test_an_argument_that_says_nothing_is_refused(
    stand: Stand, changed: dict[str, str], said: str, capsys: Captured
) -> None:
    with pytest.raises(SystemExit) as ended:
        stand.release(**changed)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


# ---------------------------------------------------------------- what the cluster makes of it


def test_the_end_of_the_tests_is_the_end_of_the_release(stand: Stand, capsys: Captured) -> None:
    stand.series = [("kube_job_spec_completions", "j-1-1"), ("kube_job_status_succeeded", "j-1-1")]
    assert stand.wait("j-1-1") == 0
    assert out(capsys) == {"deployedAt": "2023-11-14T22:13:40Z"}


def test_tests_that_fail_fail_the_release_and_say_where_their_log_is(stand: Stand, capsys: Captured) -> None:
    stand.series = [("kube_job_spec_completions", "j-1-1"), ("kube_job_failed", "j-1-1")]
    assert stand.wait("j-1-1") == 1
    said = capsys.readouterr()
    assert "fails its acceptance tests; their log: ContainerLogV2 | where" in said.err
    assert "deployedAt" in said.out


def test_tests_of_an_earlier_attempt_say_nothing(stand: Stand, capsys: Captured) -> None:
    stand.series = [("kube_job_spec_completions", "j-1-1"), ("kube_job_status_succeeded", "j-1-1")]
    assert stand.wait("j-1-2") == 1
    said = capsys.readouterr()
    assert "j-1-2: after 60 s the cluster has not brought it to serve; what Flux says: KubeEvents" in said.err
    assert "deployedAt" not in said.out


def test_tests_that_do_not_end_are_not_waited_for_for_ever(stand: Stand, capsys: Captured) -> None:
    stand.series = [("kube_job_spec_completions", "j-1-1")]
    assert stand.wait("j-1-1") == 1
    assert "after 60 s its acceptance tests have not ended" in capsys.readouterr().err


def test_what_a_release_waits_for_is_collected() -> None:
    """The add-on drops what no rule reads and its minimal profile does not list."""
    asked: list[str] = []

    class Nothing:
        def at(self, expression: str, moment: float) -> list[Series]:
            asked.append(expression.partition("{")[0])
            return []

    reconciled.Waiting(Nothing(), "shop", "aks", "j-1-1").seen(0)  # type: ignore[arg-type]
    rules = [rule.expression for group in prometheus_rules.load() for rule in group.rules]
    assert set(asked) <= set(collectors.kept(rules)["kubestate"])
    assert len(asked) == 3


# ---------------------------------------------------------------- the way back


def test_a_release_is_taken_back_by_a_commit_and_its_tests_run_anew(stand: Stand) -> None:
    stand.release("811-1")
    good, before = stand.folder, stand.repos.git("rev-parse", MAIN)
    stand.release("812-1")
    stand.series = [
        ("kube_job_spec_completions", "shop-acceptance-812-1-back"),
        ("kube_job_status_succeeded", "shop-acceptance-812-1-back"),
    ]
    assert stand.restore(before) == 0
    assert stand.repos.log()[0] == "prod: back from 812-1"
    after = stand.folder
    assert after[pull_folder.MANIFESTS] == good[pull_folder.MANIFESTS]
    assert json.loads(after[pull_folder.FACTS])["release"] == json.loads(good[pull_folder.FACTS])["release"]
    assert json.loads(after[pull_folder.FACTS])["attempt"] == "812-1-back"


def test_a_first_release_that_fails_leaves_nothing_to_run(stand: Stand) -> None:
    stand.release()
    assert stand.restore("none") == 0
    for file in (pull_folder.RELEASE, pull_folder.ACCEPTANCE):
        assert yaml.safe_load(stand.folder[file])["resources"] == []
    target, release = pull_folder.read(stand.folder[pull_folder.FACTS])
    assert list(pull_folder.problems(pull_folder.empty(target, release))) == []


@pytest.mark.parametrize("to", ["", "$(previousCommit)"])
def test_where_nothing_was_changed_nothing_is_taken_back(stand: Stand, to: str) -> None:
    stand.release("811-1")
    assert stand.restore(to) == 0
    assert len(stand.repos.requests) == 1


def test_a_folder_that_somebody_has_changed_since_is_left_alone(stand: Stand, capsys: Captured) -> None:
    stand.release("811-1")
    before = stand.repos.git("rev-parse", MAIN)
    stand.release("813-1")
    capsys.readouterr()
    assert stand.restore(before, "812-1") == 0
    assert "is not of 812-1; nothing is taken back" in capsys.readouterr().out
    assert len(stand.repos.requests) == 2


def test_an_old_release_that_does_not_serve_either_is_said_at_once(stand: Stand, capsys: Captured) -> None:
    stand.release("811-1")
    before = stand.repos.git("rev-parse", MAIN)
    stand.release("812-1")
    stand.series = [("kube_job_failed", "shop-acceptance-812-1-back")]
    assert stand.restore(before) == 1
    assert "the environment may run what failed: look at once" in capsys.readouterr().err


# ---------------------------------------------------------------- what a pull request may bring


def _checked(tmp_path: Path, changes: Mapping[str, str | None]) -> list[str]:
    """What the check says of the seeds with a whole folder, and changes of some files."""
    chart = Chart(ROOT / "workload" / "chart", settings(RELEASE, REGISTRY, "workload"))
    files = pull_folder.folder(TARGET, RELEASE, rendered("shop", "shop", chart))
    whole = {**seeds(), **{f"environments/prod/{path}": text for path, text in files.items()}}
    for path, text in {**whole, **changes}.items():
        if text is not None:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, "utf-8")
    return list(check_configuration.problems(tmp_path))


def test_a_whole_repository_has_no_problem(tmp_path: Path) -> None:
    assert _checked(tmp_path, {}) == []


MANIFEST = "environments/prod/release/manifests.yaml"
JOB = "base/acceptance/job.yaml"
POD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, namespace: %s}\nspec: {c: [{image: %s}]}\n"
WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "another image": (
        {MANIFEST: POD % ("shop", f"evil.io/shop@{DIGEST}")},
        "allowed is an image of crshopprod.azurecr.io",
    ),
    "a tag": ({MANIFEST: POD % ("shop", f"{REGISTRY}/shop:latest")}, "by digest"),
    "another digest": ({MANIFEST: POD % ("shop", f"{REGISTRY}/shop@{TESTS}")}, f"and not {REGISTRY}/shop@{DIGEST}"),
    "another namespace": (
        {MANIFEST: POD % ("kube-system", f"{REGISTRY}/shop@{DIGEST}")},
        "for the namespace kube-system",
    ),
    "no YAML": ({MANIFEST: "{"}, "is not YAML"),
    "a text": ({MANIFEST: "text"}, "no object of Kubernetes"),
    "a file that is not there": ({MANIFEST: None}, "release/manifests.yaml: allowed are exactly"),
    "a file too many": ({"environments/prod/release/more.yaml": "a: b"}, "release/more.yaml: allowed are exactly"),
    "a kustomization of one's own": (
        {"environments/prod/release/kustomization.yaml": "resources: [https://evil.io]"},
        "release/kustomization.yaml: does not follow from release.json",
    ),
    "facts that are none": ({"environments/prod/release.json": "[]"}, "release.json: allowed are schema"),
    "facts that are no JSON": ({"environments/prod/release.json": "{"}, "release.json: is not JSON"),
    "an environment with an impossible name": (
        {"environments/PROD/release.json": "{}"},
        "is no folder of an environment",
    ),
    "tests with an image of their own": (
        {JOB: seeds()[JOB].replace("acceptance-tests", "evil.io/x")},
        "base/acceptance/job.yaml: allowed is a Job that stays",
    ),
    "tests that clean up after themselves": (
        {
            "base/acceptance/job.yaml": seeds()["base/acceptance/job.yaml"].replace(
                "backoffLimit", "ttlSecondsAfterFinished"
            )
        },
        "base/acceptance/job.yaml: allowed is a Job that stays",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_follow_from_a_release_is_found(what: str, tmp_path: Path) -> None:
    changes, said = WRONG[what]
    found = _checked(tmp_path, changes)
    assert any(said in each for each in found), found


def test_a_release_for_another_environment_is_found(tmp_path: Path) -> None:
    _checked(tmp_path, {})
    shutil.copytree(tmp_path / "environments" / "prod", tmp_path / "environments" / "staging")
    assert list(check_configuration.problems(tmp_path)) == [
        "environments/staging/release.json: is a release for another environment"
    ]


def test_a_link_is_found(tmp_path: Path) -> None:
    _checked(tmp_path, {})
    (tmp_path / "environments" / "prod" / "release" / "link.yaml").symlink_to("/etc/passwd")
    assert any("link.yaml: is a link" in each for each in check_configuration.problems(tmp_path))


# ---------------------------------------------------------------- both models bring the same


def built(tmp_path: Path, part: str) -> list[dict[str, Any]]:
    """What Flux applies: the part, built by kustomize as Flux builds it."""
    command = [tool("kustomize"), "build", str(tmp_path / "environments" / "prod" / part)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return sorted((each for each in yaml.safe_load_all(done.stdout) if each), key=_name)


def _name(each: Mapping[str, Any]) -> tuple[str, str]:
    return each["kind"], each["metadata"]["name"]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_both_models_bring_the_same_objects_for_the_same_digest(
    environment: str, package: Path, tmp_path: Path
) -> None:
    """For one digest: what Helm renders for the push model, and what Flux makes of the folder of the pull model."""
    target = Target(environment, REGISTRY, "shop", "shop", "812-1")
    pulled = release_folder.render(package, target, RELEASE, "workload")
    files = pull_folder.folder(target, RELEASE, pulled)
    for path, text in {**seeds(), **{f"environments/prod/{path}": text for path, text in files.items()}}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    directory = tmp_path / "values"
    directory.mkdir()
    values = values_of(package, environment, directory)
    words = Chart(package, settings(RELEASE, REGISTRY, "workload"), values).arguments()
    command = [tool("helm"), "template", "shop", str(package), "--namespace", "shop", *words]
    pushed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wanted = sorted((each for each in yaml.safe_load_all(pushed) if each), key=_name)
    assert [_name(each) for each in built(tmp_path, "release")] == [_name(each) for each in wanted]
    assert built(tmp_path, "release") == wanted


def test_both_models_run_the_same_tests(package: Path, tmp_path: Path) -> None:
    """But for its name, which says the attempt, and that Flux's stays, the Job is the one of the push model."""
    files = pull_folder.folder(TARGET, RELEASE, release_folder.render(package, TARGET, RELEASE, "workload"))
    for path, text in {**seeds(), **{f"environments/prod/{path}": text for path, text in files.items()}}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    (found,) = built(tmp_path, "acceptance")
    wanted = job(Place("shop", "shop", 900, Patience(0)), RELEASE, REGISTRY)
    assert found["metadata"].pop("name") == TARGET.job
    assert found["metadata"].pop("namespace") == "shop"
    wanted["metadata"].pop("name")
    assert wanted["spec"].pop("ttlSecondsAfterFinished")
    env = [each["spec"]["template"]["spec"]["containers"][0].pop("env") for each in (found, wanted)]
    assert sorted(env[0], key=str) == sorted(env[1], key=str)
    assert found == wanted


def test_the_kinds_that_a_release_may_hold_are_those_that_the_cluster_applies() -> None:
    from components.gitops import WRITES, rules

    plural = {each for rule in rules() if tuple(rule["verbs"]) == WRITES for each in rule["resources"]}
    singular = {re.sub(r"ies$", "y", each.lower() + "s") for each in pull_folder.KINDS}
    assert {each.replace("networkpolicys", "networkpolicies") for each in singular} == plural
