"""An Azure CLI of our own: an `az` on the PATH that does what the real one does with registries, vaults and tokens.

What it imports it copies between the registries of `registries`, as Azure does: one manifest with its blobs, an index
with its parts, never what is attached. It is strict, so that a call that Azure would refuse fails here too.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from tests.pipelines.registries import Registry, serving

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"

_AZ = """#!{python} -IS
import json, sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:{port}/", json.dumps(sys.argv[1:]).encode())
code, out, err = json.load(urllib.request.urlopen(request))
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""


class AzureError(Exception):
    """What the CLI says on stderr, when it ends with 1."""


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise AzureError(message)


def resource_id(name: str) -> str:
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-{name}"
        f"/providers/Microsoft.ContainerRegistry/registries/{name}"
    )


@dataclass
class FakeAzure:
    registries: dict[str, Registry] = field(default_factory=dict)
    """By name."""
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Values by vault and name."""
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    """By URL, which ends in the version."""
    late: list[str] = field(default_factory=list)
    """What the calls to come say before they are done as they should: those that import, or read a secret."""
    calls: list[list[str]] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)
    at_import: Callable[[int], None] = lambda _: None
    """Is told how many imports there were, before the next one is done."""
    directory: Path = Path()
    """Holds the `az`."""
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def run(self, arguments: list[str]) -> tuple[int, str, str]:
        self.calls.append(arguments)
        with self._busy:
            try:
                return 0, self._run(arguments), ""
            except AzureError as error:
                return 1, "", f"ERROR: {error}\n"

    def settle(self) -> None:
        """Waits for what is being done, also for somebody who is gone."""
        with self._busy:
            pass

    def _run(self, arguments: list[str]) -> str:
        parser = _Arguments()
        for name in ("name", "resource-group", "subscription", "query", "output"):
            parser.add_argument(f"--{name}")
        doing = " ".join(arguments[:3] if arguments[:1] == ["keyvault"] else arguments[:2])
        rest = arguments[len(doing.split()) :]
        if doing == "acr login":
            parser.add_argument("--expose-token", action="store_true", required=True)
            asked = parser.parse_args(rest)
            assert (asked.query, asked.output) == ("accessToken", "tsv")
            return self._registry(asked.name).token + "\n"
        if doing == "acr show":
            asked = parser.parse_args(rest)
            assert (asked.query, asked.output) == ("loginServer", "tsv")
            return self._registry(asked.name, asked).server + "\n"
        if doing == "acr import":
            for name in ("source", "registry", "image", "repository"):
                parser.add_argument(f"--{name}")
            parser.add_argument("--force", action="store_true")
            self._import(parser.parse_args(rest))
            return ""
        if doing == "keyvault key sign":
            for name in ("id", "algorithm", "digest"):
                parser.add_argument(f"--{name}")
            return self._signature(parser.parse_args(rest))
        if doing == "keyvault secret show":
            parser.add_argument("--vault-name")
            return self._secret(parser.parse_args(rest))
        raise AzureError(f"'{doing}' is misspelled or not recognized by the system.")

    def _registry(self, name: str, asked: argparse.Namespace | None = None) -> Registry:
        if asked and f"rg-{name} {SUBSCRIPTION}" != f"{asked.resource_group} {asked.subscription}":
            raise AzureError(f"The resource with name '{name}' could not be found in {asked.resource_group}.")
        if name not in self.registries:
            raise AzureError(f"The resource with name '{name}' could not be found in subscription '{SUBSCRIPTION}'.")
        return self.registries[name]

    def _import(self, asked: argparse.Namespace) -> None:
        self.at_import(len(self.imported))
        if self.late:
            raise AzureError(self.late.pop(0))
        target = self._registry(asked.name, asked)
        source = next((each for name, each in self.registries.items() if resource_id(name) == asked.registry), None)
        if source is None:
            raise AzureError("Source cannot be found. Please provide a valid image and source registry.")
        repository, _, reference = asked.source.partition("@")
        if not source.manifest(repository, reference):
            raise AzureError(f"(InvalidSource) Operation failed. {asked.source}: manifest is not found.")
        goal, _, tag = (asked.image or asked.repository or asked.source).partition(":")
        if tag and target.manifest(goal, tag) and not asked.force:
            raise AzureError(f"(Conflict) Operation failed. Tag {goal}:{tag} already exists in target registry.")
        _copy(source, repository, reference, target, goal, tag)
        self.imported.append(asked.image or reference)

    def _signature(self, asked: argparse.Namespace) -> str:
        """Of a hash, as the vault makes it: with what RFC 7518 calls PS256, PS384 or PS512."""
        if self.late:
            raise AzureError(self.late.pop(0))
        if asked.id not in self.keys:
            raise AzureError(f"(KeyNotFound) A key with (name/id) {asked.id} was not found in this key vault.")
        assert (asked.query, asked.output) == ("signature", "tsv")
        hash = {"PS256": hashes.SHA256(), "PS384": hashes.SHA384(), "PS512": hashes.SHA512()}[asked.algorithm]
        made = padding.PSS(padding.MGF1(hash), salt_length=hash.digest_size)
        signed = self.keys[asked.id].sign(base64.b64decode(asked.digest), made, utils.Prehashed(hash))
        return base64.b64encode(signed).decode() + "\n"

    def _secret(self, asked: argparse.Namespace) -> str:
        if self.late:
            raise AzureError(self.late.pop(0))
        if asked.vault_name not in self.secrets:
            raise AzureError(f"Failed to resolve '{asked.vault_name}.vault.azure.net'")
        if asked.name not in self.secrets[asked.vault_name]:
            raise AzureError(f"(SecretNotFound) A secret with (name/id) {asked.name} was not found in this key vault.")
        assert (asked.query, asked.output) == ("value", "json")
        return json.dumps(self.secrets[asked.vault_name][asked.name]) + "\n"


def _copy(source: Registry, repository: str, reference: str, target: Registry, goal: str, tag: str) -> None:
    found = source.manifest(repository, reference)
    assert found, f"{repository}@{reference}"
    media_type, body = found
    manifest = json.loads(body)
    for part in manifest.get("manifests", ()):
        _copy(source, repository, part["digest"], target, goal, "")
    for blob in [*filter(None, [manifest.get("config")]), *manifest.get("layers", ())]:
        status, _, content = source.call("GET", f"/v2/{repository}/blobs/{blob['digest']}")
        assert status == 200, blob
        target.put_blob(goal, blob["digest"], content)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    status, said = target.put_manifest(goal, tag or digest, media_type, body)
    assert status == 201, said


@contextlib.contextmanager
def azure(directory: Path) -> Iterator[FakeAzure]:
    """Writes the `az` into the directory; what it does is decided here, while the test looks on."""
    fake = FakeAzure(directory=directory)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.dumps(fake.run(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: Any) -> None:
            """Silence: what was asked stands in `calls`."""

    with serving(Handler) as port:
        (directory / "az").write_text(_AZ.format(python=sys.executable, port=port), encoding="utf-8")
        (directory / "az").chmod(0o755)
        yield fake
