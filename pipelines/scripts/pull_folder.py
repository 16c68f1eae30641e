"""The folder of an environment in the repository of configuration: what lies in it, derived from a release.

`release.json` says which release it is and for whom; everything else follows from it: the objects as the chart renders
them, and the acceptance tests, which are the Job of `base` with the images, the name and the expectations of this
release. The Job is called by the attempt that wrote it, so that each attempt runs it anew, and its end means this one.
What does not follow is refused (`problems`).

What it does not do: it renders no chart (`rollout.rendered`), and calls nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from pipelines.scripts import release as releases
from pipelines.scripts.commands import CommandError
from pipelines.scripts.release import Release

FACTS = "release.json"
MANIFESTS = "release/manifests.yaml"
RELEASE, ACCEPTANCE = "release/kustomization.yaml", "acceptance/kustomization.yaml"
FILES = (FACTS, RELEASE, MANIFESTS, ACCEPTANCE)

JOB, IMAGE = "acceptance", "acceptance-tests"
"""The end of the Job's name in `base`, and what stands there for the image."""

KINDS = frozenset(
    {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Job",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
    }
)
"""What an application is made of; the cluster lets Flux apply nothing else for it."""

_ATTEMPT = r"[1-9][0-9]*-[1-9][0-9]*(-back)?"
_LABEL = r"[a-z]([a-z0-9-]{0,46}[a-z0-9])?"
_REFERENCE = re.compile(r"(?P<registry>[a-z0-9.-]+(:[0-9]+)?)/(?P<image>[^@:]+)@(?P<digest>sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Target:
    """Whose folder it is, and what the cluster calls what is in it."""

    environment: str
    registry: str
    """Login server that the cluster pulls from."""
    name: str
    namespace: str
    attempt: str
    """Of whom wrote it: the run of CD and the try, `812-1`; `812-1-back` when it took a release back."""

    @property
    def job(self) -> str:
        """What the acceptance tests are called in the cluster."""
        return f"{self.name}-{JOB}-{self.attempt}"


def path(environment: str, file: str = "") -> str:
    """From the root of the repository."""
    return f"/environments/{environment}" + (f"/{file}" if file else "")


def folder(target: Target, release: Release, manifests: str) -> dict[str, str]:
    """The files, by their place in the folder. CommandError when they could not be released."""
    files = {FACTS: _facts(target, release), MANIFESTS: manifests, **_derived(target, release)}
    if found := list(problems(files)):
        raise CommandError(f"{path(target.environment)}: {'; '.join(found)}; nothing was committed")
    return files


def empty(target: Target, release: Release) -> dict[str, str]:
    """The folder of an environment that runs nothing: Flux takes away what was there."""
    bare = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": target.namespace}
    nothing = _yaml({**bare, "resources": []})
    return {FACTS: _facts(target, release), MANIFESTS: "", RELEASE: nothing, ACCEPTANCE: nothing}


def _facts(target: Target, release: Release) -> str:
    return json.dumps({"schema": 1, **asdict(target), "release": asdict(release)}, indent=2) + "\n"


def _derived(target: Target, release: Release) -> dict[str, str]:
    bare = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": target.namespace}
    expected = [
        {"name": "EXPECTED_DIGEST", "value": release.digest},
        {"name": "EXPECTED_COMMIT", "value": release.commit},
    ]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "tests", "env": expected}]}}}}
    named = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": f"{target.name}-{JOB}"}, **patch}
    tests = {
        **bare,
        "resources": [f"../../../base/{JOB}"],
        "nameSuffix": f"-{target.attempt}",
        "images": [
            {"name": IMAGE, "newName": f"{target.registry}/{release.testsImage}", "digest": release.testsDigest}
        ],
        "patches": [{"patch": yaml.safe_dump(named, sort_keys=False)}],
    }
    return {RELEASE: _yaml({**bare, "resources": ["manifests.yaml"]}), ACCEPTANCE: _yaml(tests)}


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False)


def read(facts: str) -> tuple[Target, Release]:
    """Whose release it is, and which. CommandError for what says something else."""
    try:
        said = json.loads(facts)
    except ValueError:
        raise CommandError(f"{FACTS}: is not JSON") from None
    if not isinstance(said, dict) or said.keys() != {"schema", "release", *Target.__annotations__}:
        raise CommandError(
            f"{FACTS}: allowed are schema, release, {', '.join(Target.__annotations__)}, and all of them"
        )
    patterns = {"environment": _LABEL, "name": _LABEL, "namespace": _LABEL, "attempt": _ATTEMPT}
    patterns["registry"] = r"[a-z0-9][a-z0-9.-]*(:[0-9]+)?"
    wrong = [
        f"{key}: {said[key]!r}"
        for key, pattern in patterns.items()
        if not (isinstance(said[key], str) and re.fullmatch(pattern, said[key]))
    ]
    found = [f"release.{problem}" for problem in releases.judge({**said["release"], "schema": said["schema"]})]
    if wrong or found:
        raise CommandError(f"{FACTS}: {'; '.join([*wrong, *found])}")
    target = Target(**{key: said[key] for key in Target.__annotations__})
    return target, Release(**said["release"])


def problems(files: Mapping[str, str]) -> Iterator[str]:
    """What keeps a folder from being released; each names the file, and what is allowed."""
    if files.keys() != set(FILES):
        odd = sorted(files.keys() ^ set(FILES))
        yield f"{', '.join(odd)}: allowed are exactly {', '.join(FILES)}"
        return
    try:
        target, release = read(files[FACTS])
    except CommandError as error:
        yield str(error)
        return
    if files == empty(target, release):
        return
    for file, wanted in _derived(target, release).items():
        if files[file] != wanted:
            yield f"{file}: does not follow from {FACTS}; allowed is what a release writes"
    yield from (f"{MANIFESTS}: {words}" for words in _wrong(files[MANIFESTS], target, release))


def _wrong(manifests: str, target: Target, release: Release) -> Iterator[str]:
    try:
        objects = [each for each in yaml.safe_load_all(manifests) if each]
    except yaml.YAMLError as error:
        yield f"is not YAML ({' '.join(str(error).split())})"
        return
    if not all(isinstance(each, dict) and isinstance(each.get("metadata"), dict) for each in objects):
        yield "holds something that is no object of Kubernetes"
        return
    for each in objects:
        said = f"{each.get('kind')} {each['metadata'].get('name')}"
        if each.get("kind") not in KINDS:
            yield f"{said}: the cluster applies only {', '.join(sorted(KINDS))}"
        if each["metadata"].get("namespace") not in (None, target.namespace):
            yield f"{said}: is for the namespace {each['metadata']['namespace']}; allowed: {target.namespace}"
    used = [image for each in objects for image in _images(each)]
    wanted = f"{target.registry}/{release.image}@{release.digest}"
    if wanted not in used:
        yield f"runs {', '.join(used) or 'nothing'}, and not {wanted}"
    for image in sorted(set(used) - {wanted}):
        found = _REFERENCE.fullmatch(image)
        if not found or found["registry"] != target.registry:
            yield f"{image}: allowed is an image of {target.registry} by digest"


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str):
                yield inner
            else:
                yield from _images(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _images(inner)
