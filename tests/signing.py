"""Certificates and keys that images are signed with, as the tests need them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from validation.certificates import ATTRIBUTES, parts

SUBJECT = "C=NL,ST=Utrecht,O=Contoso,CN=releases"
CERTIFICATE = Path(__file__).with_name("signing.pem").read_text("utf-8")
"""Issued to that subject by a key that nobody has any more."""
VERSION = "0123456789abcdef" * 2
TRUSTING: Mapping[str, Any] = {"subject": SUBJECT, "certificates": [CERTIFICATE]}
"""The section `signing` of an environment that verifies."""
SIGNING: Mapping[str, Any] = {**TRUSTING, "keyVersion": VERSION}
"""The same where delivery lives."""


def certificate(key: rsa.RSAPrivateKey, subject: str = SUBJECT, *, days: int = 1, ca: bool = False) -> str:
    """Issued by the key to itself; with a negative number of days, one that was valid until then."""
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(ATTRIBUTES[part], value) for part, value in parts(subject).items()])
    uses = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=ca, encipher_only=False, decipher_only=False, **dict.fromkeys(uses, False)
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
