"""The chart as a package, and that it is the same release whether helm or kubectl applies it."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.stackfiles import STACKS
from tests.workload.chart import (
    CHART,
    DIGEST,
    REGISTRY,
    Values,
    both_ends,
    environment,
    helm,
    manifest,
    needs_helm,
    objects,
)

pytestmark = needs_helm

VERSION, COMMIT = "1.4.0-20270103.2", "0123456789" * 4
"""A commit that is a number, too, and must stay a text."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("packages")
    helm("package", CHART, "--version", VERSION, "--app-version", COMMIT, "--destination", into)
    (made,) = into.iterdir()
    return made


class TestThePackage:
    def test_is_named_after_its_version(self, package: Path) -> None:
        assert package.name == f"shop-{VERSION}.tgz"

    def test_says_of_which_commit_it_is(self, package: Path) -> None:
        told = yaml.safe_load(helm("show", "chart", package))
        assert (told["name"], told["version"], told["appVersion"]) == ("shop", VERSION, COMMIT)
        for each in objects(manifest({}, chart=package)):
            assert each["metadata"]["labels"]["app.kubernetes.io/version"] == COMMIT
            assert each["metadata"]["labels"]["helm.sh/chart"] == f"shop-{VERSION}"

    def test_holds_the_values_of_the_environments(self, package: Path) -> None:
        with tarfile.open(package) as archive:
            for stack in STACKS:
                inside = f"shop/environments/{stack}.yaml"
                held = archive.extractfile(inside) if inside in archive.getnames() else None
                assert (yaml.safe_load(held) if held else {}) == environment(stack)

    def test_holds_what_is_deployed_and_nothing_else(self, package: Path) -> None:
        with tarfile.open(package) as archive:
            held = {name.removeprefix("shop/") for name in archive.getnames()}
        assert held == {str(path.relative_to(CHART)) for path in CHART.rglob("*") if path.is_file()}
        assert {Path(name).suffix for name in held} == {".yaml", ".json", ".tpl"}

    @both_ends
    def test_deploys_what_was_tested(self, values: Values, package: Path) -> None:
        """Only the version and the commit differ."""
        assert _unversioned(manifest(values, chart=package)) == _unversioned(manifest(values))


class TestBothModels:
    """`helm template` gives kubectl the objects that `helm upgrade` would send."""

    @both_ends
    def test_what_is_rendered_depends_on_the_values_alone(self, values: Values) -> None:
        first = manifest(values)
        assert manifest(values, "--is-upgrade") == first
        assert manifest(values, "--kube-version", "1.30.0", "--api-versions", "example.com/v1") == first

    @both_ends
    def test_nothing_is_applied_outside_of_the_release(self, values: Values) -> None:
        """Hooks and tests are helm's alone: kubectl would apply them as if they were part of it."""
        text = manifest(values)
        assert "helm.sh/hook" not in text
        assert manifest(values, "--no-hooks", "--skip-tests") == text

    @pytest.mark.parametrize("path", sorted((CHART / "templates").iterdir()), ids=lambda path: path.name)
    def test_no_template_asks_the_cluster_the_clock_or_chance(self, path: Path) -> None:
        asked = re.findall(
            r"\b(lookup|now|date\w*|rand\w+|uuidv4|gen[A-Z]\w+|getHostByName|Capabilities)\b", path.read_text()
        )
        assert asked == []

    @both_ends
    def test_every_object_has_a_name_of_its_own(self, values: Values) -> None:
        names = [(each["kind"], each["metadata"]["name"]) for each in objects(manifest(values))]
        assert len(names) == len(set(names))


@both_ends
def test_lint_has_nothing_to_say(values: Values, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(yaml.safe_dump({"image": {"registry": REGISTRY, "digest": DIGEST}, **values}))
    said = helm("lint", "--strict", CHART, "--values", tmp_path / "values.yaml")
    assert re.findall(r"\[(WARNING|ERROR)\]", said) == []
    assert "1 chart(s) linted, 0 chart(s) failed" in said


def _unversioned(text: str) -> str:
    return re.sub(rf'"(shop-)?({re.escape(VERSION)}|{COMMIT}|0\.1\.0|unreleased)"', '""', text)
