"""Whether images can still be signed and verified: certificates have an end, and nobody notices it before."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Final

from operations.checking import Amiss, Judged, Place
from operations.verify.register import VERIFY
from validation import certificates

NOTICE: Final = datetime.timedelta(days=30)
"""As long as it takes to bring the next certificate to every stack."""


def _signs(place: Place) -> bool:
    return bool(place.settings.signing and place.settings.signing.certificates)


@VERIFY("signing", f"the certificate that images are signed with is good for {NOTICE.days} more days", applies=_signs)
def signing(place: Place) -> Judged:
    assert place.settings.signing
    return judge_certificates(place.settings.signing.certificates, datetime.datetime.now(datetime.UTC))


def judge_certificates(texts: Sequence[str], now: datetime.datetime) -> Iterator[Amiss]:
    """The first one signs; an older one may end, and takes what it signed with it."""
    end = certificates.read(texts[0]).not_valid_after_utc
    if end - now < NOTICE:
        yield Amiss(
            f"the first of aks-cicd:signing.certificates ends on {end:%Y-%m-%d}",
            "rotate the key: docs/supply-chain.md, Rotation",
        )
