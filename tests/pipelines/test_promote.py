"""Promotion between two real registries on loopback, with an Azure CLI that imports as Azure does."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipelines.scripts import promote
from pipelines.scripts.commands import Patience
from pipelines.scripts.oci_registry import Repository
from pipelines.scripts.release import Release, write
from tests.pipelines.fake_azure import FakeAzure, azure, resource_id
from tests.pipelines.registries import USER, Registry, backend, door
from tests.pipelines.tooling import PATH, tool

SCRIPT = Path(promote.__file__)
TOKENS = {"nonprod": "token-of-nonprod-that-nobody-may-see", "prod": "token-of-prod-that-nobody-may-see"}
SIGNATURE = "application/vnd.cncf.notary.signature"
SBOM = "application/spdx+json"
PROVENANCE = "application/vnd.in-toto+json"

Captured = pytest.CaptureFixture[str]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Two registries for the module; each test has repositories of its own in them."""
    with backend(tmp_path_factory.mktemp("nonprod")) as nonprod, backend(tmp_path_factory.mktemp("prod")) as prod:
        yield nonprod, prod


@dataclass
class Stand:
    nonprod: Registry
    prod: Registry
    azure: FakeAzure
    directory: Path
    release: Release
    pauses: list[float] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.directory / "release.json"

    def arguments(self, *more: str) -> list[str]:
        source = ["--source-id", resource_id("nonprod"), "--source", self.nonprod.server]
        target = ["--target-id", resource_id("prod"), "--target", self.prod.server]
        return ["--release", str(self.file), *source, *target, *more]

    def promote(self, *more: str) -> int:
        return promote.main(self.arguments(*more), self.pauses.append)

    def attached(self, registry: Registry, digest: str) -> dict[str, str]:
        """What oras finds attached, directly."""
        environment = {**os.environ, "DOCKER_CONFIG": str(self.directory / "docker")}
        return Repository(registry.server, self.release.image, environment, Patience(0)).referrers(digest)

    def oras(self, *arguments: str) -> str:
        environment = {**os.environ, "DOCKER_CONFIG": str(self.directory / "docker")}
        done = subprocess.run(
            [tool("oras"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=self.directory,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def push(self, registry: Registry, reference: str, content: str) -> str:
        (self.directory / "layer").write_text(content, encoding="utf-8")
        said = self.oras("push", f"{registry.server}/{reference}", "layer", "--format", "json")
        return str(json.loads(said)["digest"])

    def attach(self, subject: str, kind: str, content: str) -> str:
        (self.directory / "attached").write_text(content, encoding="utf-8")
        reference = f"{self.nonprod.server}/{self.release.image}@{subject}"
        said = self.oras("attach", reference, "attached", "--artifact-type", kind, "--format", "json")
        return str(json.loads(said)["digest"])


def docker_config(stand_directory: Path, *registries: Registry) -> None:
    """For the test's own calls; the script signs in by itself."""
    auths = {each.server: {"auth": base64.b64encode(f"{USER}:{each.token}".encode()).decode()} for each in registries}
    (stand_directory / "docker").mkdir()
    (stand_directory / "docker" / "config.json").write_text(json.dumps({"auths": auths}), encoding="utf-8")


def built(stand: Stand) -> Stand:
    """Pushes both images of a release and writes its file."""
    number = next(_numbers)
    image, tests = f"team/shop-{number}", f"team/shop-{number}-tests"
    digest = stand.push(stand.nonprod, f"{image}:7.1", f"shop {number}")
    tests_digest = stand.push(stand.nonprod, f"{tests}:7.1", f"tests {number}")
    stand.release = Release(image, digest, tests, tests_digest, "7.1", "shop-0.1.7.tgz", "0" * 40, 7)
    write(stand.release, stand.file)
    return stand


@pytest.fixture(params=[True], ids=["referrers API"])
def stand(
    request: pytest.FixtureRequest, ports: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stand]:
    """Both registries, what CI left in the first, and the way to the second."""
    tool("oras")
    with (
        door(ports[0], TOKENS["nonprod"], referrers_api=request.param) as nonprod,
        door(ports[1], TOKENS["prod"]) as prod,
        azure(tmp_path) as fake,
    ):
        fake.registries = {"nonprod": nonprod, "prod": prod}
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{PATH}")
        docker_config(tmp_path, nonprod, prod)
        yield built(Stand(nonprod, prod, fake, tmp_path, Release("x", "x", "y", "y", "1", "x.tgz", "x", 1)))


@pytest.mark.parametrize("stand", [True, False], ids=["referrers API", "tag schema"], indirect=True)
def test_everything_that_is_attached_arrives_however_deep(stand: Stand, capsys: Captured) -> None:
    image = stand.release.digest
    sbom, provenance = stand.attach(image, SBOM, "sbom"), stand.attach(image, PROVENANCE, "provenance")
    signature, of_sbom = stand.attach(image, SIGNATURE, "signed"), stand.attach(sbom, SIGNATURE, "signed sbom")
    assert stand.promote() == 0
    assert stand.attached(stand.prod, image) == {sbom: SBOM, provenance: PROVENANCE, signature: SIGNATURE}
    assert stand.attached(stand.prod, sbom) == {of_sbom: SIGNATURE}
    pulled = stand.directory / "pulled"
    stand.oras("pull", f"{stand.prod.server}/{stand.release.image}@{of_sbom}", "--output", str(pulled))
    assert (pulled / "attached").read_text(encoding="utf-8") == "signed sbom"
    assert stand.prod.digest(stand.release.image, "7.1") == image
    assert stand.prod.digest(stand.release.testsImage, "7.1") == stand.release.testsDigest
    assert len(capsys.readouterr().out.splitlines()) == 8


def test_only_azure_writes_into_the_target_and_only_by_digest(stand: Stand) -> None:
    stand.attach(stand.release.digest, SBOM, "sbom")
    stand.prod.asked.clear()
    stand.nonprod.asked.clear()
    assert stand.promote() == 0
    assert stand.prod.tags(stand.release.image) == ["7.1"]
    assert not [asked for asked in stand.prod.asked + stand.nonprod.asked if not re.match("GET|HEAD", asked)]
    imports = [call for call in stand.azure.calls if call[:2] == ["acr", "import"]]
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", call[call.index("--source") + 1]) for call in imports)
    assert all(call[call.index("--registry") + 1] == resource_id("nonprod") for call in imports)
    assert not [call for call in imports if "--force" in call]


def test_the_tag_comes_last(stand: Stand) -> None:
    sbom = stand.attach(stand.release.digest, SBOM, "sbom")
    assert stand.promote() == 0
    assert stand.azure.imported[:3] == [stand.release.digest, sbom, f"{stand.release.image}:7.1"]


def test_an_index_arrives_with_its_parts_and_what_is_attached_to_them(stand: Stand) -> None:
    part = stand.release.digest
    reference = f"{stand.nonprod.server}/{stand.release.image}:all"
    stand.oras("manifest", "index", "create", reference, part)
    index = stand.oras("resolve", reference).strip()
    sbom = stand.attach(part, SBOM, "of the part")
    write(replace(stand.release, digest=index, tag="all"), stand.file)
    assert stand.promote() == 0
    assert stand.attached(stand.prod, part) == {sbom: SBOM}
    assert stand.azure.imported[:3] == [index, sbom, f"{stand.release.image}:all"]


def test_a_second_promotion_imports_nothing(stand: Stand, capsys: Captured) -> None:
    stand.attach(stand.release.digest, SBOM, "sbom")
    assert stand.promote() == 0
    stand.azure.imported.clear()
    capsys.readouterr()
    assert stand.promote() == 0
    assert stand.azure.imported == []
    assert all(line.endswith(": is there") for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("when", range(5))
def test_a_promotion_that_was_killed_leaves_no_tag_and_is_taken_up(stand: Stand, when: int) -> None:
    sbom = stand.attach(stand.release.digest, SBOM, "sbom")
    processes: list[subprocess.Popen[bytes]] = []
    stand.azure.at_import = lambda number: processes[0].send_signal(signal.SIGKILL) if number == when else None
    processes.append(subprocess.Popen([sys.executable, str(SCRIPT), *stand.arguments()]))
    assert processes[0].wait(60) == -signal.SIGKILL
    stand.azure.at_import = lambda _: None
    stand.azure.settle()  # the import that was under way still happens: Azure does not know
    for repository, complete in ((stand.release.image, 2), (stand.release.testsImage, 4)):
        assert stand.prod.tags(repository) in ([], ["7.1"] if when >= complete else [])
    assert stand.promote() == 0
    assert stand.attached(stand.prod, stand.release.digest) == {sbom: SBOM}
    assert stand.prod.tags(stand.release.testsImage) == ["7.1"]
    imported = stand.azure.imported
    assert len(imported) == len(set(imported)) == 5


def test_a_tag_that_is_taken_by_another_digest_is_refused_before_anything_is_imported(
    stand: Stand, capsys: Captured
) -> None:
    other = stand.push(stand.prod, f"{stand.release.testsImage}:7.1", "something else")
    assert stand.promote() == 1
    said = capsys.readouterr()
    assert re.fullmatch(
        rf"error: \S+:7\.1 is {other} already, and this release is .*a tag is never moved.*\n", said.err
    )
    assert stand.azure.imported == []
    assert stand.prod.tags(stand.release.image) == []


def test_a_tag_that_somebody_else_takes_meanwhile_is_refused(stand: Stand, capsys: Captured) -> None:
    def taken(number: int) -> None:
        if number == 1:
            stand.push(stand.prod, f"{stand.release.image}:7.1", "something else")

    stand.azure.at_import = taken
    assert stand.promote() == 1
    assert "a tag is never moved" in capsys.readouterr().err
    assert stand.prod.digest(stand.release.image, "7.1") != stand.release.digest
    assert stand.azure.imported == [stand.release.digest]


@pytest.mark.parametrize("key", ["digest", "testsDigest"])
def test_a_digest_that_is_not_in_the_source_is_refused_before_anything_is_imported(
    stand: Stand, capsys: Captured, key: str
) -> None:
    missing = "sha256:" + "0" * 64
    data = json.loads(stand.file.read_text(encoding="utf-8"))
    stand.file.write_text(json.dumps({**data, key: missing}), encoding="utf-8")
    assert stand.promote() == 1
    assert re.fullmatch(rf"error: \S+@{missing}: is not there; nothing was promoted\n", capsys.readouterr().err)
    assert (stand.azure.imported, stand.pauses) == ([], [])


@pytest.mark.parametrize("argument", ["--source", "--target"])
def test_a_registry_that_is_not_the_one_of_the_id_is_refused(stand: Stand, capsys: Captured, argument: str) -> None:
    assert stand.promote(argument, "other.azurecr.io") == 1
    said = capsys.readouterr().err
    assert re.fullmatch(rf"error: {argument}: 'other\.azurecr\.io' is not (non)?prod, which is 'localhost:.*\n", said)
    assert stand.azure.imported == []


def test_a_tag_in_place_of_a_digest_is_refused_before_anybody_is_asked(stand: Stand, capsys: Captured) -> None:
    data = json.loads(stand.file.read_text(encoding="utf-8"))
    stand.file.write_text(json.dumps({**data, "digest": "7.1"}), encoding="utf-8")
    assert stand.promote() == 1
    assert capsys.readouterr().err.startswith("error: release.json: digest: '7.1'; allowed: sha256: and 64")
    assert stand.azure.calls == []


@pytest.mark.parametrize(
    "late",
    [
        ["(TooManyRequests) Operation failed. Status: 429"] * 2,
        ["(AuthorizationFailed) The client does not have authorization to perform action"],
        ["Connection aborted.", "(ServiceUnavailable) 503"],
    ],
    ids=["429", "role", "network"],
)
def test_an_import_that_fails_for_now_is_tried_again(stand: Stand, late: list[str]) -> None:
    stand.azure.late = list(late)
    assert stand.promote() == 0
    assert stand.pauses == [2, 4][: len(late)]


def test_a_busy_registry_is_asked_again(stand: Stand) -> None:
    stand.nonprod.late, stand.prod.late = [429, 503], [429]
    assert stand.promote() == 0
    assert (stand.nonprod.late, stand.prod.late) == ([], [])


def test_what_is_not_visible_at_once_is_waited_for(stand: Stand) -> None:
    def hide(number: int) -> None:
        stand.prod.hidden = 2 if number in (0, 1) else 0

    stand.azure.at_import = hide
    stand.attach(stand.release.digest, SBOM, "sbom")
    assert stand.promote() == 0
    assert stand.pauses


def test_the_wait_ends_and_says_what_azure_said(stand: Stand, capsys: Captured) -> None:
    stand.azure.late = ["(AuthorizationFailed) The client does not have authorization"] * 500
    assert stand.promote("--wait", "3") == 1
    assert sum(stand.pauses) == 180
    said = capsys.readouterr().err
    assert re.fullmatch(r"error: \S+: sha256:\S+ \(image\): az acr import: .*AuthorizationFailed.*\n", said)
    assert stand.prod.tags(stand.release.image) == []


def test_a_refusal_is_told_at_once(stand: Stand, capsys: Captured) -> None:
    stand.azure.late = ["(QuotaExceeded) The registry is full."]
    assert stand.promote() == 1
    assert stand.pauses == []
    assert "The registry is full." in capsys.readouterr().err


def test_what_is_attached_and_does_not_show_in_the_target_fails_before_the_tag(stand: Stand, capsys: Captured) -> None:
    stand.attach(stand.release.digest, SIGNATURE, "signed")
    stand.prod.referrers_api = False  # and nobody keeps the tag schema there
    assert stand.promote("--wait", "1") == 1
    said = capsys.readouterr().err
    assert re.search(rf"1 of 2 manifests did not arrive: sha256:\S+ \({re.escape(SIGNATURE)}\)", said)
    assert stand.prod.tags(stand.release.image) == []


def test_a_token_is_in_no_argument_and_in_no_line(stand: Stand) -> None:
    command = [sys.executable, str(SCRIPT), *stand.arguments()]
    trace = stand.directory / "oras"
    trace.write_text(f'#!/bin/sh\necho "$@" >> {stand.directory}/asked\nexec {tool("oras")} "$@"\n', encoding="utf-8")
    trace.chmod(0o755)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    asked = (stand.directory / "asked").read_text(encoding="utf-8")
    assert asked.count("--password-stdin") == 2
    for token in TOKENS.values():
        assert token not in asked + done.stdout + done.stderr


def test_a_wrong_token_is_told_without_being_shown(stand: Stand, capsys: Captured) -> None:
    stand.nonprod.token = "another-one"
    stand.azure.registries["nonprod"] = replace(stand.nonprod, token=TOKENS["nonprod"])
    assert stand.promote("--wait", "0.1") == 1
    said = capsys.readouterr()
    assert re.fullmatch(r"error: oras login: exit 1: .*(401|[Uu]nauthorized).*\n", said.err)
    assert TOKENS["nonprod"] not in said.err


@pytest.mark.parametrize(
    ("name", "value"),
    [("--target-id", "prod"), ("--source-id", resource_id("nonprod") + "/"), ("--target-id", resource_id("nonprod"))],
)
def test_an_argument_that_is_no_registry_is_refused(stand: Stand, capsys: Captured, name: str, value: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        stand.promote(name, value)
    assert stopped.value.code == 2
    assert f"{name}: " in (said := capsys.readouterr().err)
    assert "allowed: " in said
    assert stand.azure.calls == []
