#!/usr/bin/env python3
"""Signs what CI has published, in three steps, because whoever may sign may push nothing, and the other way round.

  list    as the identity `ci`: writes down each manifest that is to be signed: images, SBOMs, provenance
  sign    as the identity `signer`: has the vault sign each of them; asks no registry
  attach  as the identity `ci`: attaches the signatures, and verifies all of them as a release would

Needs Python 3.11, the Azure CLI, oras and notary (tools.sh). All steps share a directory. Until the last one has
succeeded nothing is released: the artifact `release` comes after it. What it does not do: it signs nothing that the run
has not published itself, because the digests are those of its own release.json.

Exit codes: 0 done, 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import arguments as kinds
from pipelines.scripts import attestations, signatures
from pipelines.scripts import release as releases
from pipelines.scripts.agent import fail
from pipelines.scripts.commands import CommandError, Patience
from pipelines.scripts.oci_registry import Repository, signed_in


def list_manifests(options: argparse.Namespace, patience: Patience) -> None:
    found = releases.read(options.release)
    options.directory.mkdir(parents=True, exist_ok=True)
    with signed_in({options.registry: options.registry.partition(".")[0]}, patience) as environment:
        for name, digest in found.images:
            repository = Repository(options.registry, name, environment, patience)
            for each in (digest, *attestations.check(repository, digest, found)):
                listed = {"repository": name, "descriptor": repository.descriptor(each)}
                file = options.directory / f"{each.removeprefix('sha256:')}.json"
                file.write_text(json.dumps(listed), encoding="utf-8")
                print(f"{repository.at(each)}: is to be signed", flush=True)


def listed(directory: Path) -> list[tuple[str, str, str, Path]]:
    """Repository, digest, descriptor and envelope of each manifest. CommandError when there is none."""
    found = []
    for file in sorted(directory.glob("*.json")):
        said = json.loads(file.read_text(encoding="utf-8"))
        digest = f"sha256:{file.stem}"
        found.append((said["repository"], digest, json.dumps(said["descriptor"]), file.with_suffix(".cose")))
    if not found:
        raise CommandError(f"{directory}: nothing is listed to be signed; run `list` first")
    return found


def sign(options: argparse.Namespace, patience: Patience) -> None:
    for name, digest, descriptor, envelope in listed(options.directory):
        attempt = 0
        while True:
            try:
                signatures.sign(descriptor, options.key, options.certificates[0], envelope)
                break
            except CommandError as error:
                # The role on the key may be minutes old.
                if not patience.late(str(error)) or not patience.waited(attempt):
                    raise CommandError(f"{name}@{digest}: {error}; nothing is released") from None
                attempt += 1
        print(f"{name}@{digest}: signed", flush=True)


def attach(options: argparse.Namespace, patience: Patience) -> None:
    trust = signatures.Trust(options.certificates, options.subject)
    with signed_in({options.registry: options.registry.partition(".")[0]}, patience) as environment:
        for name, digest, _, envelope in listed(options.directory):
            if not envelope.is_file():
                raise CommandError(f"{name}@{digest}: is not signed; run `sign` first")
            repository = Repository(options.registry, name, environment, patience)
            signatures.attach(repository, digest, envelope, options.certificates[0])
            signatures.verify(repository, [digest], trust)
            print(f"{repository.at(digest)}: signed and verified", flush=True)


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Signs what CI has published, in three steps.")
    steps = parser.add_subparsers(dest="step", required=True)
    for name, needs in (("list", "registry"), ("sign", "key"), ("attach", "registry")):
        step = steps.add_parser(name)
        step.add_argument("--directory", required=True, type=Path, help="that the steps share")
        step.add_argument("--wait", type=float, default=10, help="minutes to wait for what comes late")
        if needs == "registry":
            step.add_argument("--registry", required=True, type=kinds.host, help="login server of the registry")
        if name == "list":
            step.add_argument("--release", required=True, type=Path, help="release.json")
        else:
            step.add_argument("--certificates", required=True, type=kinds.certificates, help="the first signs")
        if name == "sign":
            step.add_argument("--key", required=True, type=kinds.key, help="URL of the key and its version")
        if name == "attach":
            step.add_argument("--subject", required=True, type=kinds.subject, help="that the certificates carry")
    options = parser.parse_args(arguments)
    try:
        {"list": list_manifests, "sign": sign, "attach": attach}[options.step](
            options, Patience(options.wait * 60, pause)
        )
    except CommandError as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
