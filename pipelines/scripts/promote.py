#!/usr/bin/env python3
"""Promotes a release from one registry to the next: both images by digest, with everything that is attached to them.

Needs Python 3.11, the Azure CLI and oras. Both images are looked for in the source before anything is imported. Then,
image by image: the manifest, each thing attached to it (signature, SBOM, provenance, the signature of an SBOM: the
import of a registry leaves them behind), a look whether all of it arrived, and last of all the tag. So a tag in the
target means that the promotion was complete; one that was cut short is taken up where it ended.

The import is a call to Azure, from registry to registry: nothing passes through here, and no right to push is needed.
What is read is read from the registries themselves, so that a closed one needs an agent inside its network.

What it does not do: it moves no tag, deletes nothing, and judges nothing that is attached (`verify_image.py` does,
before and after it).

Exit codes: 0 promoted (or it was already), 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import arguments as kinds
from pipelines.scripts import release as releases
from pipelines.scripts.agent import fail
from pipelines.scripts.commands import LATE, CommandError, Patience, run
from pipelines.scripts.oci_registry import Manifest, Repository, signed_in

_TAKEN = re.compile(r"already exists", re.I)


@dataclass(frozen=True)
class RegistryId:
    """A registry as Azure Resource Manager names it."""

    text: str

    @property
    def name(self) -> str:
        return self.text.rpartition("/")[2]

    def arguments(self) -> list[str]:
        """How the Azure CLI is told which one is meant."""
        _, _, subscription, _, group, *_ = self.text.split("/")
        return ["--name", self.name, "--resource-group", group, "--subscription", subscription]


@dataclass(frozen=True)
class Way:
    """From where to where one image goes."""

    source_id: RegistryId
    target_id: RegistryId
    source: Repository
    target: Repository


def check_server(registry: RegistryId, server: str, argument: str, patience: Patience) -> None:
    """CommandError unless the registry answers there. Whoever mixes two environments up must not get far."""
    asked = ["az", "acr", "show", *registry.arguments(), "--query", "loginServer", "--output", "tsv"]
    said = run(asked, patience=patience).strip()
    if said != server:
        raise CommandError(
            f"{argument}: {server!r} is not {registry.name}, which is {said!r}; "
            "take both from the variable group of the environment"
        )


def promote(way: Way, digest: str, tag: str, patience: Patience) -> None:
    """Brings one image over. CommandError when it cannot be, or did not arrive whole."""
    wanted = way.source.belongings(digest)
    for manifest in wanted:
        if manifest.kind != "part":  # parts come with their index
            print(f"{way.target.name}: {manifest}: {_bring(way, manifest, patience)}", flush=True)
    _verify(way, wanted, patience)
    print(f"{way.target.name}:{tag}: {_tag(way, digest, tag, patience)}", flush=True)


def refuse_moved_tag(target: Repository, tag: str, digest: str) -> None:
    there = target.resolve(tag)
    if there not in (None, digest):
        raise CommandError(
            f"{target.server}/{target.name}:{tag} is {there} already, and this release is {digest}; "
            "a tag is never moved: build the release anew, with a tag of its own"
        )


def _bring(way: Way, manifest: Manifest, patience: Patience) -> str:
    if way.target.has(manifest.digest):
        return "is there"
    attempt = 0
    while True:
        failure = _import(way, manifest.digest, ["--repository", way.target.name])
        if way.target.has(manifest.digest):
            return "imported"
        if (failure and not LATE.search(failure)) or not patience.waited(attempt):
            raise CommandError(f"{way.target.name}: {manifest}: {failure or 'was imported, and is not there'}")
        attempt += 1


def _tag(way: Way, digest: str, tag: str, patience: Patience) -> str:
    attempt = 0
    done = "is there"
    while way.target.resolve(tag) != digest:
        refuse_moved_tag(way.target, tag, digest)
        done = "tagged"
        failure = _import(way, digest, ["--image", f"{way.target.name}:{tag}"])
        late = not failure or _TAKEN.search(failure) or LATE.search(failure)  # taken: by a try that seemed to fail
        if way.target.resolve(tag) != digest and not (late and patience.waited(attempt)):
            raise CommandError(f"{way.target.name}:{tag}: {failure or 'was imported, and is not there'}")
        attempt += 1
    return done


def _import(way: Way, digest: str, goal: Sequence[str]) -> str:
    """What Azure had against it. The source is named by its id: only then Azure reads it as whoever is signed in."""
    command = ["az", "acr", "import", *way.target_id.arguments(), "--source", f"{way.source.name}@{digest}"]
    try:
        run([*command, "--registry", way.source_id.text, *goal, "--output", "none"], seconds=1800)
    except CommandError as error:
        return str(error)
    return ""


def _verify(way: Way, wanted: Sequence[Manifest], patience: Patience) -> None:
    """Every manifest is in the target, and what is attached in the source is found attached there."""
    attempt = 0
    while missing := _missing(way, wanted):
        if not patience.waited(attempt):
            raise CommandError(
                f"{way.target.server}/{way.target.name}: {len(missing)} of {len(wanted)} manifests did not arrive: "
                f"{', '.join(map(str, missing))}; run it again"
            )
        attempt += 1


def _missing(way: Way, wanted: Sequence[Manifest]) -> Sequence[Manifest]:
    attached = {
        subject: way.target.referrers(subject)
        for subject in {each.subject for each in wanted if each.kind not in ("image", "part")}
        if way.target.has(subject)
    }
    return [
        each
        for each in wanted
        if not (
            way.target.has(each.digest)
            if each.kind in ("image", "part")
            else attached.get(each.subject, {}).get(each.digest) == each.kind
        )
    ]


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Promotes a release from one registry to the next.")
    parser.add_argument("--release", required=True, type=Path, help="release.json of CI")
    parser.add_argument("--source-id", required=True, type=kinds.registry_id, help="resource id of the one that has it")
    parser.add_argument("--source", required=True, type=kinds.host, help="login server of the one that has it")
    parser.add_argument("--target-id", required=True, type=kinds.registry_id, help="resource id of the one it goes to")
    parser.add_argument("--target", required=True, type=kinds.host, help="login server of the one it goes to")
    parser.add_argument("--wait", type=float, default=10, help="minutes to wait for what comes late")
    options = parser.parse_args(arguments)
    source_id, target_id = RegistryId(options.source_id), RegistryId(options.target_id)
    if source_id.text.lower() == target_id.text.lower():
        parser.error(f"--target-id: {target_id.text!r} is the source; allowed: the registry of the next tier")
    patience = Patience(options.wait * 60, pause)
    try:
        found = releases.read(options.release)
        check_server(source_id, options.source, "--source", patience)
        check_server(target_id, options.target, "--target", patience)
        names = {options.source: source_id.name, options.target: target_id.name}
        with signed_in(names, patience) as environment:
            ways = [
                Way(
                    source_id,
                    target_id,
                    Repository(options.source, name, environment, patience),
                    Repository(options.target, name, environment, patience),
                )
                for name, _ in found.images
            ]
            for way, (_, digest) in zip(ways, found.images, strict=True):
                if not way.source.has(digest):
                    raise CommandError(f"{way.source.at(digest)}: is not there; nothing was promoted")
                refuse_moved_tag(way.target, found.tag, digest)
            for way, (_, digest) in zip(ways, found.images, strict=True):
                promote(way, digest, found.tag, patience)
    except CommandError as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
