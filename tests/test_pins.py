"""Nothing that is built on, run in a pipeline or installed moves by itself: every version is written down.

What images and pipelines install is held by a hash too. Hosted agents and Azure's own tasks have no digest that one
could name; agents have a version, and tasks a major version.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stackfiles import ROOT

FILES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]
OURS = [path for path in FILES if path.relative_to(ROOT).parts[0] != "tests"]
"""Tests name what is wrong on purpose."""


PINNED = {str(path.relative_to(ROOT)) for path in OURS if path.match("requirements*.txt")}
"""Files that give every package of theirs a version."""


def named(*patterns: str) -> list[Path]:
    found = [path for path in OURS if any(path.match(pattern) for pattern in patterns)]
    assert found, f"no file is called {', '.join(patterns)}: mend the test"
    return found


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def instructions(text: str) -> Iterator[str]:
    """Lines of a file, those that are continued joined, without comments."""
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.partition(" #")[0].strip()


def base_images(dockerfile: str) -> list[str]:
    """The images that a build starts from, its own stages left out."""
    lines = [line.split() for line in instructions(dockerfile) if line.upper().startswith("FROM ")]
    stages = {words[-1] for words in lines if "AS" in [word.upper() for word in words]}
    return [words[1] for words in lines if words[1] not in stages]


def loose_images(dockerfile: str) -> list[str]:
    return [image for image in base_images(dockerfile) if not re.fullmatch(r"\S+:[\w.-]+@sha256:[0-9a-f]{64}", image)]


def loose_requirements(text: str) -> list[str]:
    return [
        line
        for line in instructions(text)
        if not re.match(r"--(requirement|constraint) \S+$", line)
        and not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9][\w.!+]*( ;.*)?( --hash=sha256:[0-9a-f]{64})*", line)
    ]


def without_hash(text: str) -> list[str]:
    return [line for line in instructions(text) if "--hash=sha256:" not in line]


def loose_commands(text: str) -> list[str]:
    """Commands that fetch programs, in a version that may be another one tomorrow, or without a check of what comes."""
    found = []
    for line in instructions(text):
        file = re.search(r"(?:-r|--requirement) ([\w./-]+)", line)
        if re.search(r"\bpip install\b", line) and "--require-hashes" not in line and not (file and file[1] in PINNED):
            found.append(line)
        if re.search(r"\bgo install\b", line) and not re.search(r"@(\$\{VERSIONS|v\d+\.\d+\.\d+)", line):
            found.append(line)
        if re.search(r"\b(npm install|npx)\b", line) and not re.search(r"@\d+\.\d+\.\d+", line):
            found.append(line)
        if re.search(r"\b(curl|wget)\s+\S*.*https?://", line):
            found.append(line)
    return found


@pytest.mark.parametrize("path", named("Dockerfile", "*.Dockerfile"), ids=ids)
def test_a_base_image_is_named_by_version_and_digest(path: Path) -> None:
    assert base_images(path.read_text("utf-8"))
    assert loose_images(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", named("*requirements*.txt", "*requirements*.lock"), ids=ids)
def test_a_python_package_has_one_version(path: Path) -> None:
    assert loose_requirements(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", named("*requirements*.lock"), ids=ids)
def test_what_images_and_pipelines_install_is_held_by_its_hash(path: Path) -> None:
    assert without_hash(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", named("*.yml", "*.yaml", "*.sh", "Dockerfile", "Makefile", ".ci/run"), ids=ids)
def test_nothing_is_fetched_that_could_be_another_tomorrow(path: Path) -> None:
    assert loose_commands(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", named("go.mod"), ids=ids)
def test_every_go_module_is_in_the_sums(path: Path) -> None:
    required = re.findall(r"^\t(\S+) (v\S+)", path.read_text("utf-8"), re.M)
    sums = path.with_name("go.sum").read_text("utf-8")
    replaced = dict(re.findall(r"^replace (\S+) => (\S+ v\S+)", path.read_text("utf-8"), re.M))
    wanted = {name: replaced.get(name, f"{name} {version}") for name, version in required}
    assert wanted
    assert [name for name, said in wanted.items() if f"{said} h1:" not in sums and f"{said}/go.mod" not in sums] == []


def test_a_tool_that_pipelines_install_has_a_full_version() -> None:
    tools = (ROOT / "pipelines/scripts/tools.sh").read_text("utf-8")
    modules = set(re.findall(r"^  \[([\w-]+)\]=\S+/", tools, re.M))
    versions = dict(re.findall(r"^  \[([\w-]+)\]=(v\S+)", tools, re.M))
    assert modules == {*versions, "notary"}
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", version) for version in versions.values())
    templates = "".join(path.read_text("utf-8") for path in (ROOT / "pipelines").rglob("*.yml"))
    said = re.findall(r"kubeloginVersion: (\S+)", templates)
    assert said
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", version) for version in said)


@pytest.mark.parametrize("path", named("pipelines/*.yml", "pipelines/templates/*.yml"), ids=ids)
def test_agents_and_tasks_have_a_version(path: Path) -> None:
    text = path.read_text("utf-8")
    assert [image for image in re.findall(r"vmImage: (\S+)", text) if "latest" in image] == []
    assert [task for task in re.findall(r"task: (\S+)", text) if not re.fullmatch(r"\w+@\d+", task)] == []


class TestWhatIsLooseIsFound:
    def test_an_image_without_digest(self) -> None:
        said = "FROM python:3.13 AS base\nFROM base AS build\nFROM python@sha256:" + "0" * 64
        assert loose_images(said) == ["python:3.13", "python@sha256:" + "0" * 64]

    @pytest.mark.parametrize("line", ["requests", "requests>=2", "requests==2.*", "git+https://x.example/y", "./wheel"])
    def test_a_package_without_version(self, line: str) -> None:
        assert loose_requirements(f"# why\n{line}  # because\npytest==9.2.0\n") == [line]

    def test_a_package_without_hash(self) -> None:
        assert without_hash(f"a==1 \\\n    --hash=sha256:{'0' * 64}\nb==2\n") == ["b==2"]

    @pytest.mark.parametrize(
        "line",
        [
            "pip install requests",
            "python3 -m pip install --requirement pipelines/x.txt",
            "go install oras.land/oras/cmd/oras@latest",
            "npx renovate",
            "npm install typescript",
            "curl -sL https://get.helm.sh/install | bash",
        ],
    )
    def test_a_command_that_fetches_the_newest(self, line: str) -> None:
        assert loose_commands(f"- bash: {line}\n") == [f"- bash: {line}"]
