"""What the arguments of the scripts may say: each kind once, with an error that names what is allowed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from pipelines.scripts.certificates import bundle
from pipelines.scripts.release import COMMIT, REPOSITORY, TAG


def kind(pattern: str, allowed: str) -> Callable[[str], str]:
    """A text of that form. `allowed` says it for people."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"{text!r}; allowed: {allowed}")
        return text

    return check


host = kind(r"[a-z0-9][a-z0-9.-]*(:[0-9]+)?", "the host name of a registry, without https:// and path")
label = kind(r"[a-z]([a-z0-9-]{0,46}[a-z0-9])?", "small letters, digits and hyphens, at most 48")
vault = kind(r"[A-Za-z][0-9A-Za-z-]{1,22}[0-9A-Za-z]", "the name of a key vault, not its address")
repository = kind(REPOSITORY, "a repository, without registry and tag")
tag = kind(TAG, "a tag of a registry")
commit = kind(COMMIT, "40 hexadecimal digits")
attempt = kind(r"[1-9][0-9]*-[1-9][0-9]*", "the number of the run, a hyphen, and the number of the try")
subject = kind(r"[A-Z]+=[^,='\"\\]+(,[A-Z]+=[^,='\"\\]+)*", "a distinguished name, such as C=NL,ST=Utrecht,O=Contoso")
key = kind(
    r"https://[a-z0-9.-]+/keys/[A-Za-z0-9-]+/[0-9a-f]{32}", "the URL of a key with its version, as the vault names it"
)


def certificates(text: str) -> tuple[str, ...]:
    """Certificates, PEM in base64."""
    try:
        return bundle(text)
    except ValueError:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise argparse.ArgumentTypeError(f"{shown!r}; allowed: certificates, PEM in base64") from None


registry_id = kind(
    r"(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ContainerRegistry/registries/[a-z0-9]+)",
    "/subscriptions/<id>/resourceGroups/<name>/providers/Microsoft.ContainerRegistry/registries/<name>",
)
