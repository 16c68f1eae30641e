"""Publishing what CI built to a real registry, with real oras, syft and helm; docker alone is played."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.scripts import publish_image
from pipelines.scripts.commands import CommandError
from pipelines.scripts.release import read
from tests.pipelines.fake_azure import FakeAzure, azure
from tests.pipelines.oci_images import image
from tests.pipelines.registries import USER, Registry, backend, door
from tests.pipelines.tooling import PATH, tool

CHART = Path(__file__).resolve().parents[2] / "workload" / "chart"
TOKEN = "token-of-nonprod-that-nobody-may-see"
COMMIT = "0123456789" * 4
FACTS = {
    "BUILD_REPOSITORY_URI": "https://dev.azure.com/example/shop/_git/application",
    "BUILD_SOURCEBRANCH": "refs/heads/main",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/example/",
    "SYSTEM_TEAMPROJECT": "shop",
    "SYSTEM_DEFINITIONID": "12",
}

DOCKER = """#!/bin/sh
# Holds its images in an OCI layout, and pushes as docker does, with what it is signed in to.
kept() {{ echo "${{1%:*}}.${{1#*:}}"; }}
case "$1" in
  image) grep -q "\\"$(kept "$3")\\"" {layout}/index.json || {{ echo "No such image: $3" >&2; exit 1; }} ;;
  tag) kept "$2" > {layout}/tagged ;;
  push)
    {oras} cp --from-oci-layout "{layout}:$(cat {layout}/tagged)" "$2" >&2 || exit 1
    echo "${{2##*:}}: digest: $({oras} resolve "$2") size: 400" ;;
esac
"""

Captured = pytest.CaptureFixture[str]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with backend(tmp_path_factory.mktemp("nonprod")) as running:
        yield running


@dataclass
class Stand:
    registry: Registry
    azure: FakeAzure
    directory: Path
    name: str
    digests: tuple[str, str]

    @property
    def out(self) -> Path:
        return self.directory / "out"

    def publish(self, *more: str) -> int:
        given = ["--registry", self.registry.server, "--image", self.name, "--tag", "7.1", "--chart", str(CHART)]
        given += ["--out", str(self.out), "--commit", COMMIT, "--run", "4711", *more]
        return publish_image.main(given, lambda _: None)

    def attached(self, digest: str, repository: str) -> dict[str, bytes]:
        """Content of what is attached, by type."""
        found = {}
        for each in self.registry.subjects.get((repository, digest), {}).values():
            content = self.registry.manifest(repository, each["digest"])
            assert content
            (layer,) = json.loads(content[1])["layers"]
            assert layer["mediaType"] == each["artifactType"]
            found[each["artifactType"]] = self.registry.call("GET", f"/v2/{repository}/blobs/{layer['digest']}")[2]
        return found


@pytest.fixture
def stand(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """A registry, an agent's environment, and a docker that has built both images."""
    for each in ("oras", "syft", "helm"):
        tool(each)
    name = f"shop-{next(_numbers)}"
    layout = tmp_path / "layout"
    digests = image(layout, f"{name}.7.1", "flask"), image(layout, f"{name}-tests.7.1", "pytest")
    (tmp_path / "docker").write_text(DOCKER.format(layout=layout, oras=tool("oras")), encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{PATH}")
    monkeypatch.setenv("HOME", str(tmp_path))
    for key, value in FACTS.items():
        monkeypatch.setenv(key, value)
    with door(port, TOKEN) as registry, azure(tmp_path) as fake:
        fake.registries = {"localhost:" + registry.server.partition(":")[2]: registry}
        yield Stand(registry, fake, tmp_path, name, digests)


def test_both_images_arrive_with_what_they_are_made_of_and_where_they_come_from(stand: Stand, capsys: Captured) -> None:
    assert stand.publish() == 0, capsys.readouterr().err
    for repository, digest, package in zip(
        (stand.name, f"{stand.name}-tests"), stand.digests, ("flask", "pytest"), strict=True
    ):
        assert stand.registry.digest(repository, "7.1") == digest
        attached = stand.attached(digest, repository)
        sbom, statement = (
            json.loads(attached["application/spdx+json"]),
            json.loads(attached["application/vnd.in-toto+json"]),
        )
        assert package in [each["name"] for each in sbom["packages"]]
        assert statement["subject"] == [
            {"name": f"{stand.registry.server}/{repository}", "digest": {"sha256": digest.removeprefix("sha256:")}}
        ]
        assert statement["predicate"]["buildDefinition"]["resolvedDependencies"] == [
            {"uri": f"git+{FACTS['BUILD_REPOSITORY_URI']}@refs/heads/main", "digest": {"gitCommit": COMMIT}}
        ]


def test_the_release_names_everything_that_lies_beside_it(stand: Stand, capsys: Captured) -> None:
    assert stand.publish() == 0
    found = read(stand.out / "release.json")
    assert found.images == ((stand.name, stand.digests[0]), (f"{stand.name}-tests", stand.digests[1]))
    assert (found.tag, found.commit, found.run) == ("7.1", COMMIT, 4711)
    with tarfile.open(stand.out / found.chart) as package:
        content = package.extractfile("shop/Chart.yaml")
        assert content
        chart = content.read().decode()
    assert re.search(r"^version: 0\.1\.4711$", chart, re.M)
    assert re.search(rf'^appVersion: "?{COMMIT}"?$', chart, re.M)
    assert {each.name for each in stand.out.iterdir()} == {
        found.chart,
        "release.json",
        "sbom.spdx.json",
        "tests-sbom.spdx.json",
        "provenance.json",
        "tests-provenance.json",
    }
    said = capsys.readouterr().out
    for name, value in zip(("digest", "testsDigest"), stand.digests, strict=True):
        assert f"##vso[task.setvariable variable={name};issecret=false;isOutput=true]{value}\n" in said


@pytest.mark.parametrize("repository", ["", "-tests"])
def test_a_tag_that_is_taken_is_refused_and_nothing_is_pushed(stand: Stand, capsys: Captured, repository: str) -> None:
    body = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []})
    media_type = "application/vnd.oci.image.index.v1+json"
    assert stand.registry.put_manifest(stand.name + repository, "7.1", media_type, body.encode())[0] == 201
    before = stand.registry.digest(stand.name + repository, "7.1")
    assert stand.publish() == 1
    assert re.search(
        rf"{stand.name}{repository}:7\.1 is there already \({before}\); a tag is never", capsys.readouterr().err
    )
    assert stand.registry.digest(stand.name + repository, "7.1") == before
    assert not (stand.out / "release.json").exists()
    assert not [each for each in stand.registry.asked if each.startswith("PUT")]


def test_an_image_that_was_not_built_stops_before_anything_is_pushed(stand: Stand, capsys: Captured) -> None:
    assert stand.publish("--tag", "8.1") == 1
    assert "No such image: " in capsys.readouterr().err
    assert stand.registry.asked == []


def play_syft(stand: Stand, sbom: str) -> None:
    """For tests that look at something else: the real one takes its time."""
    played = stand.directory / "syft"
    played.write_text(f"#!/bin/sh\necho '{sbom}' > \"${{4#*=}}\"\n", encoding="utf-8")
    played.chmod(0o755)


def test_an_sbom_that_lists_nothing_is_a_failure(stand: Stand, capsys: Captured) -> None:
    play_syft(stand, '{"packages": []}')
    assert stand.publish() == 1
    assert f"the SBOM of {stand.name} lists no package" in capsys.readouterr().err
    assert not (stand.out / "release.json").exists()


def test_a_registry_that_is_busy_is_asked_again(stand: Stand) -> None:
    play_syft(stand, '{"packages": [1]}')
    stand.registry.late = [429, 503]
    assert stand.publish() == 0


def test_the_token_is_in_no_line_and_in_no_file(stand: Stand, capsys: Captured) -> None:
    play_syft(stand, '{"packages": [1]}')
    assert stand.publish() == 0
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err
    written = [each.read_bytes() for each in stand.out.iterdir()]
    assert not [each for each in written if TOKEN.encode() in each or USER.encode() in each]


def test_off_an_agent_it_says_what_is_missing(stand: Stand, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYSTEM_TEAMPROJECT")
    assert stand.publish() == 1
    assert "error: not set: SYSTEM_TEAMPROJECT; an agent sets them" in capsys.readouterr().err
    assert stand.azure.calls == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("--commit", "main"), ("--image", "prod.azurecr.io:443/shop"), ("--tag", "a b"), ("--registry", "https://x")],
)
def test_an_argument_that_cannot_be_is_refused(stand: Stand, capsys: Captured, name: str, value: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        stand.publish(name, value)
    assert stopped.value.code == 2
    assert f"{name}: " in (said := capsys.readouterr().err)
    assert "allowed: " in said


def test_newer_runs_have_higher_versions_of_the_chart() -> None:
    assert publish_image.chart_version("name: shop\nversion: 1.4.9-beta\n", 12) == "1.4.12"
    with pytest.raises(CommandError, match="not major"):
        publish_image.chart_version("version: one\n", 12)


def test_docker_pushes_only_with_what_the_script_signed_in_to(stand: Stand) -> None:
    reference = f"{stand.registry.server}/{stand.name}:7.1"
    assert subprocess.run(["docker", "tag", f"{stand.name}:7.1", reference], check=False).returncode == 0
    assert subprocess.run(["docker", "push", reference], check=False, capture_output=True).returncode == 1
