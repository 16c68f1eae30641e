"""Signatures as the Notary Project specifies them: what is signed, with whose certificate, and whether that holds.

Stands on `notary` (pipelines/scripts/notary), which tools.sh builds. Each certificate is issued by a signing key to
itself; the first one is that of the key that signs today. What it does not do: it holds no key.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.scripts.commands import CommandError, run
from pipelines.scripts.oci_registry import Repository

SIGNATURE_TYPE = "application/vnd.cncf.notary.signature"
ENVELOPE_TYPE = "application/cose"
_THUMBPRINT = "io.cncf.notary.x509chain.thumbprint#S256"
_REASONS = (
    ("no signature is associated", "it is not signed"),
    ("does not match the X.509 trusted identities", "its signer is not who is trusted"),
    ("does not contain any trusted certificate", "its signer's certificate is not trusted"),
    ("descriptor mismatch", "its signature is of something else"),
)


@dataclass(frozen=True)
class Trust:
    """Whose signatures count."""

    certificates: tuple[str, ...]
    """PEM."""
    subject: str
    """Distinguished name that they carry."""


@contextlib.contextmanager
def written(certificates: Sequence[str]) -> Iterator[Path]:
    """A file that holds them, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="certificates-") as directory:
        file = Path(directory, "certificates.pem")
        file.write_text("\n".join(certificates), encoding="ascii")
        yield file


def verify(repository: Repository, digests: Sequence[str], trust: Trust) -> None:
    """CommandError unless each of the manifests has a signature that counts."""
    with written(trust.certificates) as file:
        for digest in digests:
            asked = ["notary", "verify", "--certificates", str(file), "--subject", trust.subject, repository.at(digest)]
            try:
                run(asked, environment=repository.environment, patience=repository.patience)
            except CommandError as error:
                raise CommandError(f"{repository.at(digest)}: {_reason(str(error))}") from None


def _reason(said: str) -> str:
    return next((f"{words} ({said})" for sign, words in _REASONS if sign in said), said)


def sign(descriptor: str, key: str, certificate: str, out: Path) -> None:
    """Writes an envelope over the manifest with that descriptor."""
    with written([certificate]) as file:
        run(["notary", "sign", "--key", key, "--certificates", str(file), "--out", str(out)], feed=descriptor)


def attach(repository: Repository, digest: str, envelope: Path, certificate: str) -> None:
    """Attaches an envelope to the manifest that it signs."""
    thumbprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
    attached = ["oras", "attach", repository.at(digest), f"{envelope.name}:{ENVELOPE_TYPE}"]
    marked = ["--artifact-type", SIGNATURE_TYPE, "--annotation", f"{_THUMBPRINT}={json.dumps([thumbprint])}"]
    environment, patience = repository.environment, repository.patience
    run([*attached, *marked], directory=envelope.parent, environment=environment, patience=patience)
