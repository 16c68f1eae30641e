"""What the application is built from: direct requirements, each with its lock file of exact versions and hashes."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
WORKLOAD = ROOT / "workload"
NAMES = ("requirements", "requirements-acceptance", "requirements-test")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def wanted(path: Path) -> list[Requirement]:
    """Requirements of a file and of those it names, comments left out."""
    found: list[Requirement] = []
    for line in path.read_text("utf-8").splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("--requirement "):
            found += wanted(path.parent / text.removeprefix("--requirement "))
        elif text:
            found.append(Requirement(text))
    return found


def entries(name: str) -> list[str]:
    """Of a lock file: each package with its hashes, on one line."""
    text = (WORKLOAD / f"{name}.lock").read_text("utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def locked(name: str) -> dict[str, str]:
    """Version by package."""
    requirements = [Requirement(entry.split("--hash")[0].strip()) for entry in entries(name)]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_is_exact_and_says_why_it_is_there(name: str) -> None:
    for line in (WORKLOAD / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith(("#", "--requirement ")):
            continue
        assert re.match(r"[a-z0-9-]+==[0-9.]+\s*(#|$)", line), line
        assert "#" in line or line.split("==")[0] in ("pytest", "mypy", "ruff")  # these say it by their names


@pytest.mark.parametrize("name", NAMES)
def test_the_lock_satisfies_the_requirements(name: str) -> None:
    versions = locked(name)
    for each in wanted(WORKLOAD / f"{name}.txt"):
        assert each.specifier.contains(versions[canonicalize_name(each.name)]), f"{each}: lock it again"


@pytest.mark.parametrize("name", NAMES)
def test_the_lock_holds_all_that_its_packages_need(name: str) -> None:
    """As far as they are installed here in the same version; the direct ones are."""
    versions = locked(name)
    known = {package for package, version in versions.items() if _installed(package) == version}
    assert {canonicalize_name(each.name) for each in wanted(WORKLOAD / f"{name}.txt")} <= known
    for package in known:
        for text in metadata.requires(package) or ():
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                version = versions.get(canonicalize_name(need.name))
                assert version, f"{package} needs {need}"
                assert need.specifier.contains(version, prereleases=True), f"{package} needs {need}, not {version}"


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@pytest.mark.parametrize("name", NAMES)
def test_every_package_is_known_by_its_hash_and_comes_from_no_named_place(name: str) -> None:
    lines = entries(name)
    assert lines
    assert all(HASH.search(line) for line in lines)
    assert "://" not in "".join(lines)


def test_what_is_tested_is_what_is_shipped() -> None:
    shipped, tested, accepting = locked("requirements"), locked("requirements-test"), locked("requirements-acceptance")
    assert shipped.items() <= tested.items()
    assert accepting.items() <= tested.items()


def test_the_acceptance_tests_carry_nothing_of_the_service() -> None:
    direct = {canonicalize_name(each.name) for each in wanted(WORKLOAD / "requirements.txt")}
    assert not direct & locked("requirements-acceptance").keys()


def test_the_application_and_the_platform_are_judged_by_the_same_tools() -> None:
    ours = {each.name: str(each.specifier) for each in wanted(ROOT / "requirements.txt")}
    theirs = {each.name: str(each.specifier) for each in wanted(WORKLOAD / "requirements-test.txt")}
    assert {name: theirs[name] for name in ("mypy", "pytest", "ruff")} == {
        name: ours[name] for name in ("mypy", "pytest", "ruff")
    }
