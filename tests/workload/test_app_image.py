"""The image's recipe: what it starts from, what it takes in, and as whom it runs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

WORKLOAD = Path(__file__).resolve().parents[2] / "workload"


@dataclass(frozen=True)
class Step:
    word: str
    rest: str

    @property
    def form(self) -> list[str] | None:
        """The words of an exec form, which no shell reads; None for a shell form."""
        if not self.rest.startswith("["):
            return None
        words: list[str] = json.loads(self.rest)
        return words


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    steps: tuple[Step, ...]

    def of(self, word: str) -> list[Step]:
        return [step for step in self.steps if step.word == word]

    def environment(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for step in self.of("ENV") for pair in step.rest.split())


def stages() -> dict[str, Stage]:
    text = (WORKLOAD / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    found: dict[str, Stage] = {}
    for part in re.split(r"^(?=FROM )", text, flags=re.M)[1:]:
        lines = [line.split(None, 1) for line in part.splitlines() if line.strip()]
        base, name = re.fullmatch(r"(\S+) AS (\w+)", lines[0][1]).groups()  # type: ignore[union-attr]
        found[name] = Stage(name, base, tuple(Step(*line) for line in lines[1:]))
    return found


def lineage(name: str) -> list[Stage]:
    """A stage and those it stands on."""
    known, found = stages(), []
    while name in known:
        found.append(known[name])
        name = known[name].base
    return found


def test_both_images_that_the_pipelines_build_are_there() -> None:
    assert {"runtime", "test"} < stages().keys()


def test_everything_stands_on_one_base_that_is_pinned_by_digest() -> None:
    bases = {stage.base for stage in stages().values()} - stages().keys()
    [base] = bases
    assert re.fullmatch(r"docker\.io/library/python:3\.13\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)
    copied = {word for stage in stages().values() for step in stage.of("COPY") for word in step.rest.split()}
    assert {word.removeprefix("--from=") for word in copied if word.startswith("--from=")} <= stages().keys()


@pytest.mark.parametrize("target", ["runtime", "test"])
def test_it_runs_without_root_as_a_number_that_kubernetes_can_judge(target: str) -> None:
    [user] = stages()[target].of("USER")
    assert re.fullmatch(r"([1-9]\d{3,}):\1", user.rest)


@pytest.mark.parametrize("target", ["runtime", "test"])
def test_no_shell_stands_between_kubernetes_and_the_process(target: str) -> None:
    [entry] = stages()[target].of("ENTRYPOINT")
    assert entry.form
    assert entry.form[0] == "python"
    assert not [step for stage in lineage(target) for step in stage.of("CMD")]
    assert all(step.form for stage in stages().values() for step in stage.of("RUN"))


@pytest.mark.parametrize("target", ["runtime", "test"])
def test_nothing_is_written_where_the_root_file_system_is_read_only(target: str) -> None:
    env = {name: value for stage in reversed(lineage(target)) for name, value in stage.environment().items()}
    assert env["PYTHONDONTWRITEBYTECODE"] == "1"
    assert env["HOME"] == "/tmp"
    assert [step.rest for step in stages()[target].of("WORKDIR")] == ["/tmp"]
    # Where it may write is where nothing is imported from.
    assert env["PYTHONSAFEPATH"] == "1"


def test_every_package_is_installed_by_its_hash() -> None:
    installs = [
        step.form for stage in stages().values() for step in stage.of("RUN") if step.form and "install" in step.form
    ]
    assert len(installs) == 2
    for words in installs:
        assert "--require-hashes" in words
        assert words[words.index("--only-binary") + 1] == ":all:"  # nothing of a package runs while it is built
        assert words[-2] == "--requirement"
        assert (WORKLOAD / Path(words[-1]).name).is_file()


def copied(stage: Stage) -> list[str]:
    """What comes from the sources into a stage."""
    words = [step.rest.split() for step in stage.of("COPY")]
    return [word for line in words if not line[0].startswith("--from") for word in line[:-1]]


def test_what_is_copied_is_there_and_nothing_else_is_sent_to_the_builder() -> None:
    wanted = {path for stage in stages().values() for path in copied(stage)}
    lines = [line for line in (WORKLOAD / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert all((WORKLOAD / path).exists() for path in wanted)

    def is_sent(path: str) -> bool:
        """The last line that fits decides, for the path or for a directory above it."""
        sent = True
        for line in lines:
            pattern = line.removeprefix("!")
            above = [path, *(str(parent) for parent in Path(path).parents)]
            if any(fnmatch(part, pattern) for part in above if part != "."):
                sent = line.startswith("!")
        return sent

    assert all(is_sent(path) for path in wanted)
    for path in (
        "Dockerfile",
        "chart",
        "tests/unit",
        "tests/fakes",
        ".venv",
        "build",
        ".git",
        "requirements-test.lock",
    ):
        assert not is_sent(path), path


def test_the_service_and_its_tests_do_not_meet_in_one_image() -> None:
    service = {path for stage in (*lineage("runtime"), stages()["build"]) for path in copied(stage)}
    assert service == {"requirements.lock", "src"}
    tests = {path for stage in lineage("test") for path in copied(stage)}
    assert tests == {"requirements-acceptance.lock", "tests/acceptance"}


def test_the_image_says_what_it_was_built_from() -> None:
    runtime = stages()["runtime"]
    assert [step.rest for step in runtime.of("ARG")] == ["COMMIT=unknown"]
    assert runtime.environment()["SHOP_COMMIT"] == "$COMMIT"
    assert any("org.opencontainers.image.revision=$COMMIT" in step.rest for step in runtime.of("LABEL"))


def test_the_service_listens_where_the_cluster_looks_for_it() -> None:
    env = stages()["runtime"].environment()
    assert env["SHOP_HOST"] == "0.0.0.0"
    [ports] = stages()["runtime"].of("EXPOSE")
    assert ports.rest.split() == [env["SHOP_PORT"], env["SHOP_METRICS_PORT"]] == ["8080", "9090"]
