#!/usr/bin/env python3
"""Verifies a release in a registry: both images are there, with an SBOM and a provenance statement that are theirs.

Needs Python 3.11, the Azure CLI and oras; with `--certificates` and `--subject`, which an environment has whose images
are signed, notary too (tools.sh). Then images, SBOMs and statements must each carry a signature that was made with one
of these certificates. CD asks before and after a promotion, and before anything is deployed.

What it does not do: it changes nothing, and judges nothing else that is attached.

Exit codes: 0 verified, 1 not, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
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
from pipelines.scripts.signatures import Trust


def verify(repository: Repository, digest: str, release: releases.Release, trust: Trust | None) -> None:
    """CommandError unless the image and what is said of it hold."""
    if not repository.has(digest):
        raise CommandError(f"{repository.at(digest)}: is not there")
    said = attestations.check(repository, digest, release)
    if trust:
        signatures.verify(repository, [digest, *said], trust)
    print(f"{repository.at(digest)}: SBOM and provenance are its own{', and all are signed' if trust else ''}")


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Verifies a release in a registry.")
    parser.add_argument("--release", required=True, type=Path, help="release.json of CI")
    parser.add_argument("--registry", required=True, type=kinds.host, help="login server of the registry")
    parser.add_argument("--certificates", type=kinds.certificates, help="that signatures may be made with")
    parser.add_argument("--subject", type=kinds.subject, help="that these carry")
    parser.add_argument("--wait", type=float, default=10, help="minutes to wait for what comes late")
    options = parser.parse_args(arguments)
    if (options.certificates is None) != (options.subject is None):
        parser.error("--certificates and --subject: one is missing; allowed: both, where images are signed, or neither")
    trust = Trust(options.certificates, options.subject) if options.certificates else None
    patience = Patience(options.wait * 60, pause)
    try:
        found = releases.read(options.release)
        with signed_in({options.registry: options.registry.partition(".")[0]}, patience) as environment:
            for name, digest in found.images:
                verify(Repository(options.registry, name, environment, patience), digest, found, trust)
    except CommandError as error:
        return fail(f"{error}; nothing was changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
