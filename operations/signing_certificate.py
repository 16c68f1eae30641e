"""The door `signing-certificate`: the certificate that vouches for the key which images are signed with.

The program makes the key, but no deployment can make a certificate. So this door asks the vault for the newest version
of the key, writes down whose it is, and has the vault sign that: the key issues its certificate to itself. What is
written is public; it goes into the stack files, `keyVersion` beside it where delivery lives.

Needs the Azure CLI, signed in as somebody with the role *Key Vault Crypto User* on the key, for as long as it takes.
What it does not do: it changes no stack file and makes no version of a key.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import re
import tempfile
from pathlib import Path
from typing import Any, Final, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from components.signing import KEY_NAME
from operations.errors import OperationsError
from pipelines.scripts.commands import CommandError, run
from rehearsal import preview
from rehearsal.console import Console
from validation import certificates

ROOT: Final = Path(__file__).resolve().parent.parent
MONTHS: Final = 13
"""How long a certificate is valid: a year, and a month to put the next one in its place."""


class InVault(rsa.RSAPrivateKey):
    """A key that stays in its vault: it knows its public half, and has the vault sign."""

    def __init__(self, id: str, public: rsa.RSAPublicKey) -> None:
        self.id, self._public = id, public

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        digest = hashes.Hash(hashes.SHA256())
        digest.update(bytes(data))
        hashed = base64.b64encode(digest.finalize()).decode()
        asked = ["az", "keyvault", "key", "sign", "--id", self.id, "--algorithm", "RS256", "--digest", hashed]
        said = run([*asked, "--query", "signature", "--output", "tsv"]).strip()
        return base64.b64decode(said.replace("-", "+").replace("_", "/") + "=" * (-len(said) % 4))

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def decrypt(self, ciphertext: Any, padding: Any) -> NoReturn:
        raise NotImplementedError

    def private_numbers(self) -> NoReturn:
        raise NotImplementedError

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> NoReturn:
        raise NotImplementedError

    def __copy__(self) -> InVault:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> InVault:
        return self


def newest(vault: str) -> InVault:
    """The key's newest version."""
    named = ["--vault-name", vault, "--name", KEY_NAME]
    id = run(["az", "keyvault", "key", "show", *named, "--query", "key.kid", "--output", "tsv"]).strip()
    if not re.fullmatch(r"https://[^/]+/keys/[^/]+/[0-9a-f]{32}", id):
        raise CommandError(f"az keyvault key show: {id!r} is no version of a key")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "key.pem")
        run(["az", "keyvault", "key", "download", "--id", id, "--encoding", "PEM", "--file", str(file)])
        public = serialization.load_pem_public_key(file.read_bytes())
    if not isinstance(public, rsa.RSAPublicKey):
        raise CommandError(f"{id}: is no RSA key")
    return InVault(id, public)


def issue(key: InVault, subject: str, now: datetime.datetime) -> x509.Certificate:
    """Issued by the key to itself. CommandError when what the vault signed does not verify."""
    name = x509.Name(
        x509.NameAttribute(certificates.ATTRIBUTES[part], value) for part, value in certificates.parts(subject).items()
    )
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=MONTHS * 31))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, encipher_only=False, decipher_only=False, **usage), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    )
    made = builder.sign(key, hashes.SHA256())
    if reasons := list(certificates.amiss(made)):
        raise CommandError(f"the certificate is of no use: {', '.join(reasons)}")
    return made


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m operations signing-certificate",
        description="Makes the certificate of the key that images are signed with.",
        allow_abbrev=False,
    )
    parser.add_argument("--stack", required=True, help="where delivery lives")
    asked = parser.parse_args(arguments)
    (settings,) = (each.settings for each in preview.plan(ROOT, (asked.stack,)) if each.name == asked.stack)
    if not settings.signing or not settings.delivery.home:
        raise OperationsError(
            f"Pulumi.{asked.stack}.yaml: images are not signed there; name the stack where delivery lives, and set "
            "aks-cicd:signing.subject in it first"
        )
    try:
        key = newest(settings.planned_names.ci_vault)
        made = issue(key, settings.signing.subject, datetime.datetime.now(datetime.UTC))
    except CommandError as error:
        raise OperationsError(str(error)) from None
    text = made.public_bytes(serialization.Encoding.PEM).decode()
    Console().say(
        f"Valid until {made.not_valid_after_utc:%Y-%m-%d}. First of aks-cicd:signing.certificates in every stack file, "
        f"and here beside it\n\n    keyVersion: {key.id.rpartition('/')[2]}\n    certificates:\n      - |\n"
        + "".join(f"        {line}\n" for line in text.splitlines())
    )
    return 0
