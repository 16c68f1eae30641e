"""Who signs images, and whose signatures count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from validation import certificates
from validation.checking import as_said, check, problem
from validation.problems import Problem

if TYPE_CHECKING:
    from settings import Delivery, Signing, Stacks


@check
def certificates_are_issued_to_the_subject(signing: Signing | None) -> Iterator[Problem]:
    for number, each in enumerate(signing.certificates if signing else ()):
        assert signing
        said = certificates.issued_to(certificates.read(each))
        if not certificates.parts(signing.subject).items() <= said.items():
            yield problem(
                f"signing.certificates[{number}]",
                ",".join(f"{key}={value}" for key, value in said.items()),
                f"a certificate that is issued to {signing.subject}",
                "make one for signing.subject, or correct that",
            )


@check
def images_are_signed_on_azure_devops(delivery: Delivery, signing: Signing | None) -> Iterator[Problem]:
    if signing and delivery.platform == "github":
        yield problem(
            "signing",
            as_said(signing),
            "left out with delivery.platform github",
            "remove it: the workflows sign nothing, so that every release would be refused",
        )


@check
def what_verifies_trusts_somebody(stacks: Stacks, signing: Signing | None) -> Iterator[Problem]:
    if signing and stacks.delivery and not signing.certificates:
        yield problem(
            "signing.certificates",
            None,
            f"at least one certificate, as in the stack {stacks.delivery}",
            "copy them from there, or leave signing out until there is one",
        )


@check
def what_looks_at_signatures_trusts_somebody(stacks: Stacks, signing: Signing | None) -> Iterator[Problem]:
    if signing and signing.admission == "audit" and not stacks.delivery and not signing.certificates:
        yield problem(
            "signing.admission",
            signing.admission,
            "off as long as there is no certificate",
            "make one first: every image would be reported",
        )


@check
def the_signing_key_is_where_delivery_lives(stacks: Stacks, signing: Signing | None) -> Iterator[Problem]:
    if not signing:
        return
    if stacks.delivery and signing.key_version:
        yield problem(
            "signing.keyVersion",
            signing.key_version,
            f"set where images are signed, in the stack {stacks.delivery}",
            "remove it: this environment only verifies",
        )
    if not stacks.delivery and bool(signing.certificates) != bool(signing.key_version):
        yield problem(
            "signing.keyVersion",
            signing.key_version,
            "the version of the key that the first of signing.certificates is for; both or neither",
            "set what `make signing-certificate` said",
        )
