"""How Kubernetes writes names, labels and quantities. Source: the API conventions, and the messages of its server."""

from __future__ import annotations

import re
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_QUANTITY: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE])?")
_PORT_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SCALES: Final = {
    **{suffix: 1024.0 ** (power + 1) for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))},
    **{suffix: 1000.0 ** (power + 1) for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"))},
    **{suffix: 1000.0 ** -(power + 1) for power, suffix in enumerate(("m", "u", "n"))},
}

LABEL_WORDS: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character"
)
SUBDOMAIN_WORDS: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character"
)


def is_dns_label(value: str) -> bool:
    return len(value) <= 63 and _LABEL.fullmatch(value) is not None


def is_dns_subdomain(value: str) -> bool:
    return len(value) <= 253 and _SUBDOMAIN.fullmatch(value) is not None


def is_qualified_name(value: str) -> bool:
    """A key of a label or an annotation: a name of 63 characters, after a DNS subdomain and "/" if there is one."""
    prefix, slash, name = value.rpartition("/")
    return (not slash or is_dns_subdomain(prefix)) and len(name) <= 63 and _QUALIFIED.fullmatch(name) is not None


def is_label_value(value: str) -> bool:
    return value == "" or (len(value) <= 63 and _QUALIFIED.fullmatch(value) is not None)


def is_quantity(value: object) -> bool:
    return not isinstance(value, bool) and _QUANTITY.fullmatch(str(value)) is not None


def amount(value: object) -> float:
    """What a quantity stands for."""
    number, suffix = re.fullmatch(r"(.*?)([KMGTPE]i|[numkMGTPE])?", str(value)).groups()  # type: ignore[union-attr]
    return float(number) * _SCALES.get(suffix, 1.0)


def is_port(value: object) -> bool:
    """A number, or the name of a container's port."""
    if isinstance(value, int) and not isinstance(value, bool):
        return 1 <= value <= 65535
    return isinstance(value, str) and len(value) <= 15 and "--" not in value and bool(_PORT_NAME.fullmatch(value))
