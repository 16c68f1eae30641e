#!/usr/bin/env python3
"""Publishes what CI built: both images, what they are made of and where they come from, the chart package.

Needs Python 3.11, docker, oras, syft, helm and the Azure CLI, on an agent. Local images NAME:TAG and NAME-tests:TAG
are pushed; from then on only digests count. Each gets an SBOM, read from the registry and not from the local image,
and a provenance statement, attached to it so that they go where it goes. `release.json` is written last: where it is,
everything else is.

A tag is unique: one that the registry has already is refused. What it does not do: it builds nothing, and signs
nothing; the provenance is the word of this run, unless a later step signs it (`sign_image.py`).

Exit codes: 0 published, 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import arguments as kinds
from pipelines.scripts.agent import Origin, UnknownOriginError, fail, origin, set_variable
from pipelines.scripts.attestations import PROVENANCE_TYPE, SBOM_TYPE
from pipelines.scripts.commands import CommandError, Patience, run
from pipelines.scripts.oci_registry import Repository, signed_in
from pipelines.scripts.release import Release, write


def provenance(image: str, digest: str, commit: str, built: Origin, now: datetime.datetime) -> dict[str, Any]:
    """Where an image comes from, as SLSA 1.0 says it in an in-toto statement."""
    repository = f"git+{built.repository}"
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": image, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": built.kind,
                "externalParameters": {"repository": repository, "ref": built.ref},
                "resolvedDependencies": [{"uri": f"{repository}@{built.ref}", "digest": {"gitCommit": commit}}],
            },
            "runDetails": {
                "builder": {"id": built.builder},
                "metadata": {
                    "invocationId": built.invocation,
                    "finishedOn": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                },
            },
        },
    }


def chart_version(shown: str, run_id: int) -> str:
    """Major and minor of the chart's own version, and the run: newer runs have higher versions."""
    found = re.search(r"^version: v?(\d+)\.(\d+)\.\d+\S*$", shown, re.M)
    if not found:
        raise CommandError("the chart's version is not major.minor.patch; mend Chart.yaml")
    return f"{found[1]}.{found[2]}.{run_id}"


def push(repository: Repository, tag: str) -> str:
    """The digest that the registry gives the local image."""
    reference = f"{repository.server}/{repository.name}:{tag}"
    run(["docker", "tag", f"{repository.name}:{tag}", reference])
    push = ["docker", "push", reference]
    said = run(push, environment=repository.environment, seconds=1800, patience=repository.patience)
    found = re.findall(r"digest: (sha256:[0-9a-f]{64})", said)
    digest = repository.resolve(tag)
    if not digest or digest not in found:
        raise CommandError(f"{reference}: docker pushed {found}, and the registry has {digest}; is the tag unique?")
    return digest


def describe(repository: Repository, digest: str, file: Path) -> None:
    """Writes the SBOM of what the registry has. CommandError for one that lists nothing."""
    made = ["syft", "scan", f"registry:{repository.at(digest)}", "--output", f"spdx-json={file}"]
    quiet = {**repository.environment, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    run(made, environment=quiet, seconds=1800, patience=repository.patience)
    if not json.loads(file.read_text(encoding="utf-8")).get("packages"):
        raise CommandError(f"{file.name}: the SBOM of {repository.name} lists no package")


def attach(repository: Repository, digest: str, file: Path, kind: str) -> None:
    attached = ["oras", "attach", repository.at(digest), f"{file.name}:{kind}", "--artifact-type", kind]
    run(attached, directory=file.parent, environment=repository.environment, patience=repository.patience)


def package(chart: Path, run_id: int, commit: str, out: Path) -> str:
    """File name of the chart package."""
    version = chart_version(run(["helm", "show", "chart", str(chart)]), run_id)
    made = ["helm", "package", str(chart), "--version", version, "--app-version", commit, "--destination", str(out)]
    found = re.search(r"([^/\s]+\.tgz)\s*$", run(made))
    if not found:
        raise CommandError(f"{chart}: helm package does not say what it wrote")
    return found[1]


def publish(options: argparse.Namespace, built: Origin, patience: Patience) -> Release:
    names = (options.image, f"{options.image}-tests")
    for name in names:
        run(["docker", "image", "inspect", f"{name}:{options.tag}"])
    digests = []
    chart = package(options.chart, options.run, options.commit, options.out)
    with signed_in({options.registry: options.registry.partition(".")[0]}, patience) as environment:
        repositories = [Repository(options.registry, name, environment, patience) for name in names]
        for repository in repositories:
            if there := repository.resolve(options.tag):
                raise CommandError(
                    f"{repository.server}/{repository.name}:{options.tag} is there already ({there}); a tag is never "
                    "moved: start a new run, or let the tag contain the attempt"
                )
        for repository, prefix in zip(repositories, ("", "tests-"), strict=True):
            digest = push(repository, options.tag)
            sbom, statement = options.out / f"{prefix}sbom.spdx.json", options.out / f"{prefix}provenance.json"
            describe(repository, digest, sbom)
            name = f"{repository.server}/{repository.name}"
            now = datetime.datetime.now(datetime.UTC)
            said = provenance(name, digest, options.commit, built, now)
            statement.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
            attach(repository, digest, sbom, SBOM_TYPE)
            attach(repository, digest, statement, PROVENANCE_TYPE)
            print(f"{repository.name}: {digest}, with SBOM and provenance", flush=True)
            digests.append(digest)
    made = Release(names[0], digests[0], names[1], digests[1], options.tag, chart, options.commit, options.run)
    write(made, options.out / "release.json")
    return made


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Publishes what CI built.")
    parser.add_argument("--registry", required=True, type=kinds.host, help="login server of the registry")
    parser.add_argument("--image", required=True, type=kinds.repository, help="repository; the tests' has -tests")
    parser.add_argument("--tag", required=True, type=kinds.tag, help="unique")
    parser.add_argument("--chart", required=True, type=Path, help="directory of the chart")
    parser.add_argument("--out", required=True, type=Path, help="directory for what CD needs")
    parser.add_argument("--commit", required=True, type=kinds.commit, help="that was built")
    parser.add_argument("--run", required=True, type=int, help="id of the run")
    parser.add_argument("--wait", type=float, default=10, help="minutes to wait for what comes late")
    options = parser.parse_args(arguments)
    try:
        built = origin(options.run)
        options.out.mkdir(parents=True, exist_ok=True)
        made = publish(options, built, Patience(options.wait * 60, pause))
    except (CommandError, UnknownOriginError) as error:
        return fail(str(error))
    set_variable("digest", made.digest, output=True)
    set_variable("testsDigest", made.testsDigest, output=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
