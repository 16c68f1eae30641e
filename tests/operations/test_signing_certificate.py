"""The certificate of the signing key: what is written, and what the vault is asked for. The vault is played."""

from __future__ import annotations

import base64
import datetime
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from operations import signing_certificate as door
from operations.errors import OperationsError
from pipelines.scripts.commands import CommandError
from tests.signing import SUBJECT, VERSION
from tests.stackfiles import edited, shipped
from validation import certificates

KEY = f"https://kv-ci.vault.azure.net/keys/release-signing/{VERSION}"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def asked(key: rsa.RSAPrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the Azure CLI is asked, in a project where staging has its images signed."""
    config = {"config": edited(shipped("staging"), {"signing": {"subject": SUBJECT}})}
    (tmp_path / "Pulumi.staging.yaml").write_text(yaml.safe_dump(config), "utf-8")
    monkeypatch.setattr(door, "ROOT", tmp_path)
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> str:
        calls.append(command)
        if command[3] == "show":
            return f"{KEY}\n"
        if command[3] == "download":
            form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            Path(command[-1]).write_bytes(key.public_key().public_bytes(*form))
            return ""
        digest = base64.b64decode(command[command.index("--digest") + 1])
        return base64.b64encode(key.sign(digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))).decode()

    monkeypatch.setattr(door, "run", run)
    return calls


def test_it_prints_what_goes_into_the_stack_files(
    asked: list[list[str]], key: rsa.RSAPrivateKey, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.main(["--stack", "staging"]) == 0
    said = yaml.safe_load(capsys.readouterr().out.partition("\n\n")[2])
    assert said["keyVersion"] == VERSION
    (text,) = said["certificates"]
    made = certificates.read(text)
    assert made.public_key() == key.public_key()
    assert certificates.issued_to(made) == certificates.parts(SUBJECT)
    assert list(certificates.amiss(made)) == []
    assert datetime.timedelta(days=396) < made.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    assert {" ".join(call[1:4]) for call in asked} == {f"keyvault key {each}" for each in ("show", "download", "sign")}


def test_a_vault_that_signs_with_another_key_is_found(asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    ours = rsa.generate_private_key(65537, 2048).public_key()
    monkeypatch.setattr(door, "newest", lambda _: door.InVault(KEY, ours))
    with pytest.raises(OperationsError, match="of no use: it is not issued by its own key"):
        door.main(["--stack", "staging"])


def test_where_images_are_not_signed_it_says_what_to_set_first(asked: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "Pulumi.staging.yaml").write_text(yaml.safe_dump({"config": shipped("staging")}), "utf-8")
    with pytest.raises(
        OperationsError, match=r"Pulumi\.staging\.yaml: images are not signed there; .*signing\.subject"
    ):
        door.main(["--stack", "staging"])
    assert asked == []


def test_what_the_vault_has_against_it_is_one_line(asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(command: list[str], **_: object) -> str:
        raise CommandError("az keyvault key show: exit 1: (Forbidden) Caller is not authorized")

    monkeypatch.setattr(door, "run", refuse)
    with pytest.raises(OperationsError, match="Caller is not authorized"):
        door.main(["--stack", "staging"])
