"""Images are signed and verified between real registries, with a real verifier; the vault alone is played."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import itertools
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pipelines.scripts import agent, promote, publish_image, sign_image, verify_image
from pipelines.scripts.attestations import PROVENANCE_TYPE, SBOM_TYPE
from pipelines.scripts.certificates import bundle
from pipelines.scripts.release import Release, write
from pipelines.scripts.signatures import SIGNATURE_TYPE
from tests.pipelines.fake_azure import FakeAzure, azure, resource_id
from tests.pipelines.registries import Registry, backend, door
from tests.pipelines.test_promote import docker_config
from tests.pipelines.tooling import PATH, tool
from tests.signing import SUBJECT, certificate

KEY = "https://kv-ci.vault.azure.net/keys/release-signing/0123456789abcdef0123456789abcdef"
OTHER_KEY = KEY[:-1] + "0"
COMMIT = "0123456789" * 4
FACTS = dict.fromkeys(
    ("BUILD_REPOSITORY_URI", "BUILD_SOURCEBRANCH", "SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "SYSTEM_DEFINITIONID"),
    "https://dev.azure.com/contoso/",
)

Captured = pytest.CaptureFixture[str]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Ours, and somebody else's."""
    return rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    with backend(tmp_path_factory.mktemp("nonprod")) as nonprod, backend(tmp_path_factory.mktemp("prod")) as prod:
        yield nonprod, prod


def encoded(*certificates: str) -> str:
    return base64.b64encode("".join(certificates).encode()).decode()


@dataclass
class Stand:
    nonprod: Registry
    prod: Registry
    azure: FakeAzure
    directory: Path
    release: Release
    ours: rsa.RSAPrivateKey
    theirs: rsa.RSAPrivateKey
    certificate: str
    pauses: list[float] = field(default_factory=list)

    def oras(self, *arguments: str) -> str:
        environment = {**os.environ, "DOCKER_CONFIG": str(self.directory / "docker")}
        command = [tool("oras"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.directory, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def push(self, repository: str, content: str) -> str:
        (self.directory / "layer").write_text(content, encoding="utf-8")
        said = self.oras("push", f"{self.nonprod.server}/{repository}:7.1", "layer", "--format", "json")
        return str(json.loads(said)["digest"])

    def attach(self, repository: str, subject: str, kind: str, content: object) -> str:
        (self.directory / "attached").write_text(json.dumps(content), encoding="utf-8")
        reference = f"{self.nonprod.server}/{repository}@{subject}"
        said = self.oras("attach", reference, f"attached:{kind}", "--artifact-type", kind, "--format", "json")
        return str(json.loads(said)["digest"])

    def provenance(self, digest: str, commit: str = COMMIT, run: int = 7) -> object:
        now = datetime.datetime.now(datetime.UTC)
        return publish_image.provenance("shop", digest, commit, agent.origin(run, FACTS), now)

    def step(self, name: str, *more: str, registry: Registry | None = None) -> int:
        given = [name, "--directory", str(self.directory / "signing"), *more]
        given += [] if name == "sign" else ["--registry", (registry or self.nonprod).server]
        given += ["--release", str(self.directory / "release.json")] if name == "list" else []
        given += [] if name == "list" or "--certificates" in more else ["--certificates", encoded(self.certificate)]
        given += ["--key", KEY] if name == "sign" and "--key" not in more else []
        given += ["--subject", SUBJECT] if name == "attach" else []
        return sign_image.main(given, self.pauses.append)

    def sign(self) -> None:
        assert [self.step(name) for name in ("list", "sign", "attach")] == [0, 0, 0]

    def verify(self, registry: Registry, *certificates: str, subject: str = SUBJECT) -> int:
        given = ["--release", str(self.directory / "release.json"), "--registry", registry.server]
        given += ["--certificates", encoded(*(certificates or (self.certificate,))), "--subject", subject]
        return verify_image.main(given, self.pauses.append)

    def unsigned(self, registry: Registry) -> int:
        """As in an environment whose images are not signed."""
        given = ["--release", str(self.directory / "release.json"), "--registry", registry.server]
        return verify_image.main(given, self.pauses.append)

    def promote(self) -> int:
        source = ["--source-id", resource_id("nonprod"), "--source", self.nonprod.server]
        target = ["--target-id", resource_id("prod"), "--target", self.prod.server]
        return promote.main(["--release", str(self.directory / "release.json"), *source, *target], self.pauses.append)


@pytest.fixture
def stand(
    ports: tuple[int, int],
    keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stand]:
    """What CI has published, unsigned, and a vault with two keys."""
    for each in ("oras", "notary"):
        tool(each)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{PATH}")
    tokens = "token-of-nonprod-that-nobody-may-see", "token-of-prod-that-nobody-may-see"
    with door(ports[0], tokens[0]) as nonprod, door(ports[1], tokens[1]) as prod, azure(tmp_path) as fake:
        fake.registries = {"nonprod": nonprod, "prod": prod, nonprod.server: nonprod, prod.server: prod}
        fake.keys = {KEY: keys[0], OTHER_KEY: keys[1]}
        docker_config(tmp_path, nonprod, prod)
        name = f"shop-{next(_numbers)}"
        it = Stand(
            nonprod,
            prod,
            fake,
            tmp_path,
            Release("x", "x", "y", "y", "1", "x.tgz", "x", 1),
            *keys,
            certificate(keys[0]),
        )
        digests = it.push(name, name), it.push(f"{name}-tests", f"tests of {name}")
        it.release = Release(name, digests[0], f"{name}-tests", digests[1], "7.1", "shop-0.1.7.tgz", COMMIT, 7)
        write(it.release, tmp_path / "release.json")
        for repository, digest in it.release.images:
            it.attach(repository, digest, SBOM_TYPE, {"spdxVersion": "SPDX-2.3", "packages": [{"name": "flask"}]})
            it.attach(repository, digest, PROVENANCE_TYPE, it.provenance(digest))
        yield it


def refused(stand: Stand, captured: Captured, why: str, digest: str = "") -> None:
    """The scripts said one line, about that digest."""
    said = captured.readouterr().err
    assert re.fullmatch(rf"error: \S+@{digest or 'sha256:[0-9a-f]+'}: {why}.*\n", said), said


def test_everything_that_is_signed_verifies_before_and_after_its_promotion(stand: Stand) -> None:
    stand.sign()
    assert stand.verify(stand.nonprod) == 0
    assert stand.promote() == 0
    assert stand.verify(stand.prod) == 0
    kinds = [each["artifactType"] for each in stand.prod.subjects[stand.release.image, stand.release.digest].values()]
    assert sorted(kinds) == sorted([SBOM_TYPE, PROVENANCE_TYPE, SIGNATURE_TYPE])


def test_the_signer_asks_no_registry_and_who_pushes_asks_no_vault(stand: Stand) -> None:
    assert stand.step("list") == 0
    listed, calls = len(stand.nonprod.asked), len(stand.azure.calls)
    assert stand.step("sign") == 0
    assert len(stand.nonprod.asked) == listed
    assert {" ".join(each[:3]) for each in stand.azure.calls[calls:]} == {"keyvault key sign"}
    assert len(stand.azure.calls[calls:]) == 6, "two images, each with SBOM and provenance"
    calls = len(stand.azure.calls)
    assert stand.step("attach") == 0
    assert {" ".join(each[:2]) for each in stand.azure.calls[calls:]} == {"acr login"}


def test_an_image_that_is_not_signed_is_refused(stand: Stand, capsys: Captured) -> None:
    assert stand.verify(stand.nonprod) == 1
    refused(stand, capsys, "it is not signed", stand.release.digest)


def test_an_image_that_somebody_else_signed_is_refused(stand: Stand, capsys: Captured) -> None:
    other = encoded(certificate(stand.theirs))
    assert (stand.step("list"), stand.step("sign", "--key", OTHER_KEY, "--certificates", other)) == (0, 0)
    assert stand.step("attach", "--certificates", other) == 0
    capsys.readouterr()
    assert stand.verify(stand.nonprod) == 1
    refused(stand, capsys, "its signer's certificate is not trusted", stand.release.digest)


def test_a_signature_of_another_image_does_not_count(stand: Stand, capsys: Captured) -> None:
    assert (stand.step("list"), stand.step("sign")) == (0, 0)
    own, tests = ((stand.directory / "signing" / f"{each[1][7:]}.cose") for each in stand.release.images)
    own.write_bytes(tests.read_bytes())
    stand.step("attach")
    capsys.readouterr()
    assert stand.verify(stand.nonprod) == 1
    refused(stand, capsys, "its signature is of something else", stand.release.digest)


def test_an_image_is_refused_when_its_sbom_is_not_signed(stand: Stand, capsys: Captured) -> None:
    stand.sign()
    late = stand.attach(
        stand.release.image, stand.release.digest, SBOM_TYPE, {"spdxVersion": "SPDX-2.3", "packages": [{"name": "x"}]}
    )
    capsys.readouterr()
    assert stand.verify(stand.nonprod) == 1
    refused(stand, capsys, "it is not signed", late)


def test_a_certificate_that_is_over_signs_nothing(stand: Stand, capsys: Captured) -> None:
    stand.certificate = certificate(stand.ours, days=-1)
    assert (stand.step("list"), stand.step("sign")) == (0, 1)
    assert re.search("was invalid at signing time.*nothing is released", capsys.readouterr().err)


def test_a_certificate_for_somebody_else_is_refused(stand: Stand, capsys: Captured) -> None:
    stand.sign()
    capsys.readouterr()
    assert stand.verify(stand.nonprod, subject=SUBJECT.replace("Contoso", "Fabrikam")) == 1
    refused(stand, capsys, "its signer is not who is trusted", stand.release.digest)


def test_what_was_signed_before_a_rotation_verifies_after_it(stand: Stand) -> None:
    stand.sign()
    before = stand.certificate
    stand.certificate = certificate(stand.theirs)
    assert stand.verify(stand.nonprod, stand.certificate, before) == 0
    assert stand.verify(stand.nonprod, stand.certificate) == 1


def test_a_certificate_of_another_key_signs_nothing(stand: Stand, capsys: Captured) -> None:
    assert stand.step("list") == 0
    assert stand.step("sign", "--key", OTHER_KEY) == 1
    refused(stand, capsys, ".*(certificate is not the key's|signature is invalid|verification).*nothing is released")
    assert not [*(stand.directory / "signing").glob("*.cose")]


def test_a_role_that_is_minutes_old_is_waited_for(stand: Stand) -> None:
    stand.step("list")
    stand.azure.late = ["(Forbidden) Caller is not authorized to perform action on resource."]
    assert stand.step("sign") == 0
    assert stand.pauses == [2]


def test_a_key_that_is_not_there_is_told_at_once(stand: Stand, capsys: Captured) -> None:
    stand.step("list")
    assert stand.step("sign", "--key", KEY[:-1] + "e") == 1
    assert "(KeyNotFound)" in capsys.readouterr().err
    assert stand.pauses == []


def test_attaching_needs_what_was_signed(stand: Stand, capsys: Captured) -> None:
    assert stand.step("sign") == 1
    assert "nothing is listed to be signed; run `list` first" in capsys.readouterr().err
    stand.step("list")
    assert stand.step("attach") == 1
    assert "is not signed; run `sign` first" in capsys.readouterr().err


class TestWhatIsAttachedMustBeTheImagesOwn:
    """Also where nothing is signed."""

    def test_it_is_when_ci_attached_it(self, stand: Stand) -> None:
        assert stand.unsigned(stand.nonprod) == 0

    @pytest.mark.parametrize("kind", [SBOM_TYPE, PROVENANCE_TYPE])
    def test_a_missing_one_is_found(self, stand: Stand, capsys: Captured, kind: str) -> None:
        attached = stand.nonprod.subjects[stand.release.image, stand.release.digest]
        for digest in [digest for digest, each in attached.items() if each["artifactType"] == kind]:
            del attached[digest]
        assert stand.unsigned(stand.nonprod) == 1
        refused(stand, capsys, f"has no {'SBOM' if kind == SBOM_TYPE else 'provenance'} attached")

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"digest": "sha256:" + "1" * 64}, "it speaks of 1111"),
            ({"commit": "9" * 40}, "it names the commit 9999"),
            ({"run": 8}, "it names the run .*buildId=8, the release 7"),
        ],
    )
    def test_a_statement_about_something_else_is_found(
        self, stand: Stand, capsys: Captured, change: dict[str, object], why: str
    ) -> None:
        said = {"digest": stand.release.digest, "commit": COMMIT, "run": 7, **change}
        name, digest = stand.release.images[0]
        stand.attach(name, digest, PROVENANCE_TYPE, stand.provenance(**said))  # type: ignore[arg-type]
        assert stand.unsigned(stand.nonprod) == 1
        refused(stand, capsys, rf"is no provenance of \S+: {why}")

    @pytest.mark.parametrize("content", [{}, [], {"spdxVersion": "SPDX-2.3", "packages": []}])
    def test_an_sbom_that_says_nothing_is_found(self, stand: Stand, capsys: Captured, content: object) -> None:
        stand.attach(*stand.release.images[0], SBOM_TYPE, content)
        assert stand.unsigned(stand.nonprod) == 1
        refused(stand, capsys, r"is no SBOM of \S+: it (is no SPDX 2 document|lists no package)")

    def test_an_image_that_is_not_there_is_refused(self, stand: Stand, capsys: Captured) -> None:
        missing = "sha256:" + "0" * 64
        write(dataclasses.replace(stand.release, digest=missing), stand.directory / "release.json")
        assert stand.unsigned(stand.nonprod) == 1
        refused(stand, capsys, "is not there; nothing was changed", missing)


@pytest.mark.parametrize(
    ("name", "value"),
    [("--certificates", "$(signingCertificates)"), ("--subject", "$(signingSubject)"), ("--subject", "Contoso")],
)
def test_an_argument_that_cannot_be_is_refused(capsys: Captured, name: str, value: str) -> None:
    given = {"--certificates": encoded("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")}
    given |= {"--subject": SUBJECT, "--release": "release.json", "--registry": "prod.azurecr.io", name: value}
    with pytest.raises(SystemExit) as stopped:
        verify_image.main([word for pair in given.items() for word in pair])
    assert stopped.value.code == 2
    assert f"argument {name}: " in (said := capsys.readouterr().err)
    assert "allowed: " in said


def test_half_of_what_verification_needs_is_refused(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        verify_image.main(["--release", "x", "--registry", "prod.azurecr.io", "--subject", SUBJECT])
    assert "--certificates and --subject: one is missing" in capsys.readouterr().err


def test_a_bundle_holds_its_certificates_in_order() -> None:
    texts = [f"-----BEGIN CERTIFICATE-----\n{each}\n-----END CERTIFICATE-----\n" for each in ("AA==", "BB==")]
    assert list(bundle(encoded(*texts))) == texts
