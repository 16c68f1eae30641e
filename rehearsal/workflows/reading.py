"""Workflows as GitHub calls them: from a file of the application's repository into the platform's, job by job.

What each repository holds is what it is seeded with (`workflows/seeds.yaml`). Inputs are put in where they are named,
and a job or step whose condition an input alone makes false is left out. What depends on the run stays as it is.

What it does not do: it runs nothing, and knows no more of expressions than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from components.delivery import seeds
from rehearsal.errors import RehearsalError
from rehearsal.pipelines.finding import Place

APPLICATION, PLATFORM = "application", "platform"
ENTRIES: Final = {"pr": APPLICATION, "ci": APPLICATION, "cd": APPLICATION, "platform-pr": PLATFORM}
"""Workflows that something starts, and the repository of each."""
WORKFLOWS: Final = ".github/workflows/"
_OURS: Final = re.compile(r"example/platform/(\.github/workflows/[\w-]+\.yml)@main")
_OWN: Final = re.compile(r"\$/(\.github/[\w./-]+)")
_INPUT: Final = re.compile(r"\$\{\{\s*inputs\.([\w-]+)\s*\}\}")
_LINE: Final = "__line__"


@dataclass(frozen=True, eq=False)
class Step:
    at: Place
    name: str
    id: str
    uses: str
    given: Mapping[str, str]
    run: str
    env: Mapping[str, str]
    """Its own and its job's."""
    condition: str
    continue_on_error: bool


@dataclass(frozen=True, eq=False)
class Job:
    at: Place
    path: tuple[str, ...]
    """The jobs that call it, and its own name: how GitHub calls its check."""
    repository: str
    """Whose file it stands in."""
    environment: str
    runner: str
    permissions: Mapping[str, str]
    granted: tuple[Mapping[str, str], ...]
    """What those who call it have."""
    needs: tuple[str, ...]
    condition: str
    concurrency: Mapping[str, Any]
    continue_on_error: bool
    steps: tuple[Step, ...]

    @property
    def check(self) -> str:
        return " / ".join(self.path)


@dataclass(frozen=True, eq=False)
class Call:
    """A job that calls a workflow."""

    at: Place
    path: tuple[str, ...]
    needs: tuple[str, ...]
    given: Mapping[str, str]
    condition: str


@dataclass(frozen=True, eq=False)
class Workflow:
    name: str
    at: Place
    on: Mapping[str, Any]
    jobs: tuple[Job, ...]
    calls: tuple[Call, ...]

    def steps(self) -> Iterator[tuple[Job, Step]]:
        return ((job, step) for job in self.jobs for step in job.steps)


class Workflows:
    """Those of the project in a directory. RehearsalError when the seeds cannot be followed, or a file is missing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self._files = {name: seeds.listed(root, name, seeds.GITHUB_LIST) for name in (APPLICATION, PLATFORM)}
        except seeds.SeedsError as error:
            raise RehearsalError(str(error)) from None
        self.all = {name: self._entry(name, repository) for name, repository in ENTRIES.items()}
        self.files: dict[str, Mapping[str, Any]] = {}
        """Every workflow file of both repositories as it stands, by its path here."""
        for repository, files in self._files.items():
            for path, own in files.items():
                if path.startswith(WORKFLOWS):
                    self.files[own] = self._load(repository, path)[0]

    def scripts(self) -> Path:
        return self.root / "pipelines" / "scripts"

    def has(self, repository: str, path: str) -> bool:
        return path in self._files[repository]

    def actions(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every composite action, by its path in the platform's repository."""
        for path, own in self._files[PLATFORM].items():
            if path.endswith("/action.yml"):
                yield path, _read(self.root / own)

    def _load(self, repository: str, path: str) -> tuple[Mapping[str, Any], str]:
        if path not in self._files[repository]:
            raise RehearsalError(f"{seeds.GITHUB_LIST}: the repository {repository} has no {path}, and it is called")
        own = self._files[repository][path]
        return _read(self.root / own), own

    def _entry(self, name: str, repository: str) -> Workflow:
        said, file = self._load(repository, f"{WORKFLOWS}{name}.yml")
        jobs: list[Job] = []
        calls: list[Call] = []
        self._expand(said, file, repository, (), {}, (), jobs, calls)
        return Workflow(name, Place(file, 1), _on(said), tuple(jobs), tuple(calls))

    def _expand(
        self,
        said: Mapping[str, Any],
        file: str,
        repository: str,
        above: tuple[str, ...],
        inputs: Mapping[str, Any],
        granted: tuple[Mapping[str, str], ...],
        jobs: list[Job],
        calls: list[Call],
    ) -> None:
        for name, raw in _entries(said["jobs"]):
            job = _filled(raw, inputs)
            condition = str(job.get("if", ""))
            if _false(condition, inputs):
                continue
            at, path = Place(file, raw.get(_LINE, 1)), (*above, name)
            needs, own = _list(job.get("needs")), _plain(job.get("permissions", {}))
            if uses := str(job.get("uses", "")):
                found = _OURS.fullmatch(uses) or _OWN.fullmatch(uses)
                if found is None:
                    raise RehearsalError(f"{at}: {uses} calls no workflow of the platform's repository")
                called, where = self._load(PLATFORM, found[1])
                given = _plain(job.get("with", {}))
                calls.append(Call(at, path, needs, {key: str(value) for key, value in given.items()}, condition))
                taken = {**_defaults(called), **given}
                self._expand(called, where, PLATFORM, path, taken, (*granted, own), jobs, calls)
                continue
            env = _plain(job.get("env", {}))
            jobs.append(
                Job(
                    at,
                    path,
                    repository,
                    _environment(job.get("environment")),
                    str(job.get("runs-on", "")),
                    own,
                    granted,
                    needs,
                    condition,
                    _plain(job.get("concurrency", {})),
                    bool(job.get("continue-on-error")),
                    tuple(self._steps(job, file, env, inputs)),
                )
            )

    def _steps(
        self, job: Mapping[str, Any], file: str, env: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> Iterator[Step]:
        for raw in job.get("steps", ()):
            condition = str(raw.get("if", ""))
            if _false(condition, inputs):
                continue
            own = {**env, **_plain(raw.get("env", {}))}
            yield Step(
                Place(file, raw.get(_LINE, 1)),
                str(raw.get("name", "")),
                str(raw.get("id", "")),
                str(raw.get("uses", "")),
                {key: str(value) for key, value in _plain(raw.get("with", {})).items()},
                str(raw.get("run", "")),
                {key: str(value) for key, value in own.items()},
                condition,
                bool(raw.get("continue-on-error")),
            )


class _Lines(yaml.SafeLoader):
    """Mappings know the line that they begin on."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        found: dict[Any, Any] = super().construct_mapping(node, deep=True)
        found[_LINE] = node.start_mark.line + 1
        return found


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.load(path.read_text("utf-8"), _Lines)
    except (OSError, yaml.YAMLError) as error:
        raise RehearsalError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(found, dict) or not ("jobs" in found or "runs" in found):
        raise RehearsalError(f"{path.name} is no workflow and no action")
    return found


def _on(said: Mapping[Any, Any]) -> Mapping[str, Any]:
    """YAML 1.1 reads the word `on` as true."""
    found: Mapping[str, Any] = said.get(True) or said.get("on") or {}
    return found


def _defaults(called: Mapping[Any, Any]) -> dict[str, Any]:
    inputs = (_on(called).get("workflow_call") or {}).get("inputs") or {}
    return {name: said.get("default", "") for name, said in _entries(inputs)}


def declared(said: Mapping[Any, Any]) -> dict[str, Mapping[str, Any]]:
    """The inputs of a workflow that is called."""
    return dict(_entries((_on(said).get("workflow_call") or {}).get("inputs") or {}))


def _entries(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((str(key), value) for key, value in said.items() if key != _LINE)


def _plain(said: Any) -> dict[str, Any]:
    return dict(_entries(said)) if isinstance(said, Mapping) else {}


def _list(said: Any) -> tuple[str, ...]:
    return tuple(said) if isinstance(said, list) else (str(said),) if said else ()


def _environment(said: Any) -> str:
    return str(said.get("name", "")) if isinstance(said, Mapping) else str(said or "")


def _filled(value: Any, inputs: Mapping[str, Any]) -> Any:
    """With the inputs put in. A whole value keeps its sort."""
    if isinstance(value, dict):
        return {key: _filled(inner, inputs) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, inputs) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _INPUT.fullmatch(value)
    if whole and whole[1] in inputs:
        return inputs[whole[1]]
    return _INPUT.sub(lambda found: str(inputs.get(found[1], found[0])), value)


def _false(condition: str, inputs: Mapping[str, Any]) -> bool:
    """Whether an input alone makes it false: `inputs.x`, or `inputs.x != ''`."""
    text = re.sub(r"^\$\{\{\s*|\s*\}\}$", "", condition).strip()
    if text in ("False", "false"):
        return True  # an input that was put in
    found = re.fullmatch(r"inputs\.([\w-]+)( != '')?", text)
    return found is not None and found[1] in inputs and inputs[found[1]] in ("", False, "false")
