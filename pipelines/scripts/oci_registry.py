"""A registry as its readers see it: is a manifest there, where does a tag point, what is attached to a digest.

Stands on `oras`. `az` gives a token for the registry; it goes in by stdin, and is kept for the length of the script in
a directory that only the script can read. Registries without the referrers API are read by the tag schema: `oras`
does that by itself. What it does not do: it writes nothing into a registry.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.scripts.commands import CommandError, Patience, json_of, run

TOKEN_USER = "00000000-0000-0000-0000-000000000000"
"""The name under which Azure's registries take a token for a password."""

NOT_FOUND = re.compile(r"not found|manifest[ _]unknown|name[ _]unknown|\b404\b", re.I)

LIMIT = 200
"""Manifests that may hang on one image. More is no release, but a mistake or an attack."""


@contextlib.contextmanager
def signed_in(registries: Mapping[str, str], patience: Patience) -> Iterator[dict[str, str]]:
    """The environment for commands that read these registries (login server to name), which are signed in to."""
    with tempfile.TemporaryDirectory(prefix="registries-") as directory:
        environment = {**os.environ, "DOCKER_CONFIG": directory}
        for server, name in registries.items():
            asked = ["az", "acr", "login", "--name", name, "--expose-token", "--query", "accessToken"]
            token = run([*asked, "--output", "tsv"], patience=patience).strip()
            if not token:
                raise CommandError(f"az acr login: gives no token for {name}")
            signed = ["oras", "login", server, "--username", TOKEN_USER, "--password-stdin"]
            run(signed, feed=token, environment=environment, patience=patience)
        yield environment


@dataclass(frozen=True)
class Manifest:
    """One that belongs to an image: the image itself, a part of it, or what is attached to one of these."""

    digest: str
    kind: str
    """`image`, `part`, or the type of what is attached."""
    subject: str = ""
    """Digest of what it is part of, or attached to."""

    def __str__(self) -> str:
        return f"{self.digest[:19]}… ({self.kind})"


@dataclass(frozen=True)
class Repository:
    """One repository of a registry, read with the environment that `signed_in` gives."""

    server: str
    name: str
    environment: Mapping[str, str] = field(repr=False)
    patience: Patience = field(repr=False)

    def at(self, digest: str) -> str:
        return f"{self.server}/{self.name}@{digest}"

    def has(self, digest: str) -> bool:
        return self._descriptor(self.at(digest)) is not None

    def resolve(self, tag: str) -> str | None:
        """The digest that the tag points to."""
        found = self._descriptor(f"{self.server}/{self.name}:{tag}")
        return found["digest"] if found else None

    def referrers(self, digest: str) -> dict[str, str]:
        """What is attached to it directly: digest to type."""
        asked = ["oras", "discover", "--format", "json", "--depth", "1", self.at(digest)]
        found = json_of(asked, environment=self.environment, patience=self.patience)
        return {each["digest"]: each.get("artifactType") or "unknown" for each in found.get("referrers") or ()}

    def descriptor(self, digest: str) -> dict[str, Any]:
        """Media type, digest and size of a manifest. CommandError when it is not there."""
        found = self._descriptor(self.at(digest))
        if found is None:
            raise CommandError(f"{self.at(digest)}: is not there")
        return {key: found[key] for key in ("mediaType", "digest", "size")}

    def content(self, digest: str, kind: str) -> bytes:
        """The one file of what is attached. CommandError unless it has one, of that type; `oras` checks its digest."""
        files = [each for each in self._manifest(digest).get("layers") or () if each.get("mediaType") == kind]
        if len(files) != 1:
            raise CommandError(f"{self.at(digest)}: holds {len(files)} files of the type {kind}, instead of one")
        asked = ["oras", "blob", "fetch", "--output", "-", self.at(files[0]["digest"])]
        return run(asked, environment=self.environment, patience=self.patience).encode()

    def parts(self, digest: str) -> list[str]:
        """The manifests of an index, such as one for each platform."""
        return [each["digest"] for each in self._manifest(digest).get("manifests") or ()]

    def belongings(self, digest: str) -> list[Manifest]:
        """The image and all that hangs on it, however deep; each comes after its subject."""
        found = [Manifest(digest, "image")]
        for each in found:  # it grows while it is read
            known = {other.digest for other in found}
            news = [Manifest(part, "part", each.digest) for part in self.parts(each.digest)]
            news += [Manifest(other, kind, each.digest) for other, kind in sorted(self.referrers(each.digest).items())]
            found += [new for new in news if new.digest not in known]
            if len(found) > LIMIT:
                raise CommandError(f"{self.at(digest)}: more than {LIMIT} manifests hang on it; is it the right image?")
        return found

    def _manifest(self, digest: str) -> Any:
        asked = ["oras", "manifest", "fetch", self.at(digest)]
        return json_of(asked, environment=self.environment, patience=self.patience)

    def _descriptor(self, reference: str) -> Any:
        """None for what is not there; whoever cannot read is told so, and does not take it for missing."""
        asked = ["oras", "manifest", "fetch", "--descriptor", reference]
        try:
            return json_of(asked, environment=self.environment, patience=self.patience)
        except CommandError as error:
            if NOT_FOUND.search(str(error).rpartition(reference)[2]):
                return None
            raise
