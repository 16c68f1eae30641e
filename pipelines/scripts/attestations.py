"""What is said of an image and attached to it: an SBOM, and a statement of where the image comes from.

Whoever can push can attach. So what is attached counts only if it speaks of this image and of the run that a release
names: a statement that was copied from another image, or that another run wrote, is none. What else is attached goes
along with the image and is not judged. What it does not do: it knows no signatures (`signatures`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipelines.scripts.commands import CommandError
from pipelines.scripts.oci_registry import Repository
from pipelines.scripts.release import Release

SBOM_TYPE = "application/spdx+json"
PROVENANCE_TYPE = "application/vnd.in-toto+json"
NAMES = {SBOM_TYPE: "SBOM", PROVENANCE_TYPE: "provenance"}


def check(repository: Repository, digest: str, release: Release) -> list[str]:
    """Digests of an image's SBOMs and statements. CommandError when one is missing, or speaks of something else."""
    attached = repository.referrers(digest)
    found = []
    for kind, name in NAMES.items():
        own = sorted(each for each, of in attached.items() if of == kind)
        if not own:
            raise CommandError(f"{repository.at(digest)}: has no {name} attached")
        for each in own:
            content = repository.content(each, kind)
            if reasons := list(_sbom(content) if kind == SBOM_TYPE else _provenance(content, digest, release)):
                raise CommandError(f"{repository.at(each)}: is no {name} of {digest[:19]}…: {', '.join(reasons)}")
        found += own
    return found


def _sbom(content: bytes) -> Iterator[str]:
    said = _object(content)
    if not str(said.get("spdxVersion", "")).startswith("SPDX-2."):
        yield "it is no SPDX 2 document"
    elif not said.get("packages"):
        yield "it lists no package"


def _provenance(content: bytes, digest: str, release: Release) -> Iterator[str]:
    said = _object(content)
    predicate = said.get("predicate") or {}
    build, run = predicate.get("buildDefinition") or {}, (predicate.get("runDetails") or {}).get("metadata") or {}
    subjects = [(each.get("digest") or {}).get("sha256") for each in said.get("subject") or ()]
    commits = [(each.get("digest") or {}).get("gitCommit") for each in build.get("resolvedDependencies") or ()]
    if subjects != [digest.removeprefix("sha256:")]:
        yield f"it speaks of {', '.join(map(str, subjects)) or 'nothing'}"
    if commits != [release.commit]:
        yield f"it names the commit {', '.join(map(str, commits)) or '(none)'}, the release {release.commit}"
    # As Azure Pipelines and GitHub Actions name a run.
    if not re.search(rf"(buildId=|/actions/runs/){release.run}(/attempts/\d+)?$", str(run.get("invocationId", ""))):
        yield f"it names the run {run.get('invocationId', '(none)')}, the release {release.run}"


def _object(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
