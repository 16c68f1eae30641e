"""What certificates say that images are signed with: read once, for the settings and for the door that makes them.

Each is issued by the key to itself, so that to trust it is to trust one key and nobody's word about it. What else the
Notary Project demands of a signer's certificate is judged here, because its verifier would refuse every image later.

What it does not do: it knows no time. Whether a certificate is still valid depends on the day, which settings do not
know; `make verify` looks.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

ATTRIBUTES = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
"""Parts of a distinguished name that are taken."""

DEMANDED = ("C", "ST", "O")
"""Parts that the Notary Project demands of a name that is trusted."""

RSA_BITS = (2048, 3072, 4096)
CURVES = ("secp256r1", "secp384r1", "secp521r1")


def parts(name: str) -> dict[str, str]:
    """The parts of a distinguished name such as `C=NL,ST=Utrecht,O=Contoso`. ValueError with what is wrong with it."""
    found: dict[str, str] = {}
    for part in name.split(","):
        key, said, value = (piece.strip() for piece in part.partition("="))
        if not said or key not in ATTRIBUTES or not value or key in found or set(value) & set('=+"\\;<>#'):
            raise ValueError(part.strip() or "(nothing)")
        found[key] = value
    if missing := [key for key in DEMANDED if key not in found]:
        raise ValueError(f"no {missing[0]}")
    return found


def read(text: str) -> x509.Certificate:
    """The one certificate of a PEM text. ValueError where it is none, or more than one."""
    (found,) = x509.load_pem_x509_certificates(text.encode())
    return found


def amiss(certificate: x509.Certificate) -> Iterator[str]:
    """Why no signature could be made with it."""
    key = certificate.public_key()
    rsa = isinstance(key, RSAPublicKey) and key.key_size in RSA_BITS
    curve = isinstance(key, EllipticCurvePublicKey) and key.curve.name in CURVES
    if not (rsa or curve):
        yield "its key is neither RSA with 2048, 3072 or 4096 bits nor on the curve P-256, P-384 or P-521"
    try:
        certificate.verify_directly_issued_by(certificate)
    except Exception:  # whatever is wrong with it, it did not sign itself
        yield "it is not issued by its own key"
    extensions = {type(each.value): each.value for each in certificate.extensions}
    usage = extensions.get(x509.KeyUsage)
    if not isinstance(usage, x509.KeyUsage) or not usage.digital_signature or usage.key_cert_sign:
        yield "its key usage is not digitalSignature alone"
    constraints = extensions.get(x509.BasicConstraints)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        yield "it is an authority's"


def issued_to(certificate: x509.Certificate) -> dict[str, str]:
    """The parts of its subject that a distinguished name may have."""
    known = {oid: key for key, oid in ATTRIBUTES.items()}
    return {known[each.oid]: str(each.value) for each in certificate.subject if each.oid in known}
