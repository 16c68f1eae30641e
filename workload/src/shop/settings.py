"""What the service is told by its environment, and nothing else: the only reader of SHOP_*.

OTEL_* and AZURE_* are read by the libraries they belong to. Every problem is reported at once, with what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

KEY_FILE = "catalogue-api-key"
"""Secret of the vault, and the name of the file in which the driver mounts it."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsError(Exception):
    """What is wrong with the environment, a line for each problem."""


@dataclass(frozen=True)
class Settings:
    host: str = "127.0.0.1"
    """Address both ports listen on; the image sets 0.0.0.0."""
    port: int = 8080
    """0 for any that is free; the log says which."""
    metrics_port: int = 9090
    secrets_directory: Path = Path("/mnt/secrets")
    catalogue_url: str | None = None
    """None: the catalogue inside the process."""
    drain_seconds: float = 5
    """How long requests are still taken after SIGTERM, until no load balancer sends any."""
    connection_string: str | None = None
    """Of Application Insights; an address, not a secret: it takes nothing without an Entra token."""
    commit: str | None = None
    digest: str | None = None

    @property
    def secret_file(self) -> Path:
        return self.secrets_directory / KEY_FILE


def read(environment: Mapping[str, str]) -> Settings:
    """SettingsError names every variable that cannot be used. An empty one counts as not set."""
    problems: list[str] = []

    def get(name: str, convert: Callable[[str], T], default: T) -> T:
        text = environment.get(name, "")
        try:
            return convert(text) if text else default
        except ValueError as error:
            # What has an @ in it may hold a password.
            shown = repr(text) if "@" not in text else "(not shown)"
            problems.append(f"{name} = {shown}; allowed: {error}")
            return default

    base = Settings()
    found = Settings(
        host=get("SHOP_HOST", str, base.host),
        port=get("SHOP_PORT", _port, base.port),
        metrics_port=get("SHOP_METRICS_PORT", _port, base.metrics_port),
        secrets_directory=get("SHOP_SECRETS_DIRECTORY", _directory, base.secrets_directory),
        catalogue_url=get("SHOP_CATALOGUE_URL", _catalogue_url, base.catalogue_url),
        drain_seconds=get("SHOP_DRAIN_SECONDS", _drain, base.drain_seconds),
        connection_string=get("APPLICATIONINSIGHTS_CONNECTION_STRING", str, base.connection_string),
        commit=get("SHOP_COMMIT", str, base.commit),
        digest=get("SHOP_IMAGE_DIGEST", _digest, base.digest),
    )
    if found.port == found.metrics_port != 0:
        problems.append(f"SHOP_METRICS_PORT = '{found.port}'; allowed: another port than SHOP_PORT")
    if problems:
        raise SettingsError("\n".join(problems))
    return found


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or int(text) > 65535:
        raise ValueError("a port from 1 to 65535, or 0 for any that is free")
    return int(text)


def _drain(text: str) -> float:
    if not re.fullmatch(r"\d{1,2}([.]\d+)?", text, re.ASCII) or float(text) > 60:
        raise ValueError("seconds from 0 to 60")
    return float(text)


def _directory(text: str) -> Path:
    if not text.startswith("/"):
        raise ValueError("an absolute path")
    return Path(text)


def _digest(text: str) -> str:
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", text):
        raise ValueError("sha256: and 64 hexadecimal digits")
    return text


def _catalogue_url(text: str) -> str:
    """The key is sent there: never in the clear over a network, and to no address that hides what it is."""
    problem = "https://<host>[:port][/path]; http:// to the loopback interface alone, because the key is sent there"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(problem) from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not secure or not host or "@" in parts.netloc or parts.query or parts.fragment or not text.isprintable():
        raise ValueError(problem)
    return text.rstrip("/")
