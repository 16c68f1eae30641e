"""Certificates as a variable of a pipeline holds them: PEM, in base64, so that it is one line."""

from __future__ import annotations

import base64
import binascii
import re

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\n?")


def bundle(text: str) -> tuple[str, ...]:
    """The certificates of an environment's variable. ValueError when there are none."""
    try:
        found = tuple(_PEM.findall(base64.b64decode(text, validate=True).decode("ascii")))
    except (binascii.Error, UnicodeDecodeError):
        found = ()
    if not found:
        raise ValueError(text)
    return found
