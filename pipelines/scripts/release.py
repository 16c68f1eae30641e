"""What CI hands to CD: `release.json`, which names two images by digest, the chart package and where they come from.

A release names no registry: each environment has its own, and a release that brought one along could be deployed from
a place that nobody scans. What it does not do: it asks no registry whether the images are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pipelines.scripts.commands import CommandError

SCHEMA = 1

DIGEST = r"sha256:[0-9a-f]{64}"
REPOSITORY = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
COMMIT = r"[0-9a-f]{40}"
_HOST = re.compile(r"[^/]*[.:][^/]*/|localhost/")

_TEXTS = {
    "image": (REPOSITORY, "a repository, without registry and tag"),
    "digest": (DIGEST, "sha256: and 64 hexadecimal digits; a tag can be moved"),
    "testsImage": (REPOSITORY, "a repository, without registry and tag"),
    "testsDigest": (DIGEST, "sha256: and 64 hexadecimal digits; a tag can be moved"),
    "tag": (TAG, "a tag of a registry"),
    "chart": (r"[A-Za-z0-9][A-Za-z0-9._+-]*\.tgz", "the file name of a chart package beside it"),
    "commit": (COMMIT, "40 hexadecimal digits"),
}


@dataclass(frozen=True)
class Release:
    image: str
    """Repository, the same in every registry."""
    digest: str
    testsImage: str  # noqa: N815 - the fields are those of the file
    """The acceptance tests, which run inside the cluster."""
    testsDigest: str  # noqa: N815
    tag: str
    """Unique, and never moved: it keeps the images from being purged, nobody deploys by it."""
    chart: str
    """File name of the chart package, beside the file."""
    commit: str
    run: int
    """Id of the run of CI."""

    @property
    def images(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Repository and digest of the application and of its acceptance tests."""
        return (self.image, self.digest), (self.testsImage, self.testsDigest)


def judge(data: Any) -> list[str]:
    """What is wrong with it; each names the key, the value and what is allowed."""
    if not isinstance(data, Mapping):
        return ["it is no object of keys and values"]
    known = {"schema", *(each.name for each in fields(Release))}
    problems = [f"{key}: is missing" for key in sorted(known - data.keys())]
    problems += [f"{key}: is unknown; allowed: {', '.join(sorted(known))}" for key in sorted(data.keys() - known)]
    if data.get("schema", SCHEMA) != SCHEMA:
        problems.append(f"schema: {data['schema']!r}; allowed: {SCHEMA}; CI and CD take their scripts from one commit")
    for key, (pattern, allowed) in _TEXTS.items():
        value = data.get(key)
        if key in data and not (isinstance(value, str) and re.fullmatch(pattern, value) and not _host(key, value)):
            problems.append(f"{key}: {value!r}; allowed: {allowed}")
    run = data.get("run")
    if "run" in data and (type(run) is not int or run < 1):
        problems.append(f"run: {run!r}; allowed: the number of a run")
    if "image" in data and data["image"] == data.get("testsImage"):
        problems.append(f"testsImage: {data['image']!r} is the image itself; allowed: a repository of its own")
    return problems


def read(path: Path) -> Release:
    """The release in the file. CommandError when there is none, or it says what it may not."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(
            f"{path}: cannot be read ({error.strerror}); download the artifact `release` first"
        ) from None
    except ValueError:
        raise CommandError(f"{path}: is not JSON") from None
    if problems := judge(data):
        raise CommandError(f"{path.name}: {'; '.join(problems)}")
    return Release(**{each.name: data[each.name] for each in fields(Release)})


def write(release: Release, path: Path) -> None:
    data = {"schema": SCHEMA, **asdict(release)}
    if problems := judge(data):
        raise CommandError(f"{path.name}: {'; '.join(problems)}")
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _host(key: str, value: str) -> bool:
    return key in ("image", "testsImage") and bool(_HOST.match(value))
