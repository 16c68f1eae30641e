"""The pages on environments and operations say what is so: their commands run, and their tables follow the stacks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from operations import costs
from operations.doctor import DOCTOR
from operations.errors import OperationsError
from operations.verify import VERIFY
from rehearsal.graph import Graph
from tests.conftest import Rehearsed
from tests.operations.recorded import names
from tests.stackfiles import ROOT

PAGES = ("new-environment", "operations")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a fresh clone would hold, with the tools and packages that `make` has brought already."""
    place = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
            # Older than the packages, so that `make` does not install them anew.
            os.utime(place / name, (0, 0))
    for tool in (".venv", ".tools"):
        (place / tool).symlink_to(ROOT / tool)
    return place


def commands(text: str) -> list[str]:
    """The blocks of shell that need no login."""
    return [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "# with a login" not in block]


def test_the_way_to_a_new_environment_runs_as_it_is_written(clone: Path) -> None:
    said = []
    for block in commands(page("new-environment")):
        answer = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=clone,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert answer.returncode == 0, f"{block}\n{answer.stdout[-3000:]}\n{answer.stderr}"
        said.append(answer.stdout)
    written, tree, doctor, listed = said
    assert re.search(r"qa: update[\s\S]*Policies: \d+ rules, all met[\s\S]*is written", written)
    assert "aks-shop-qa" in tree
    assert "skipped rights" in doctor
    assert "  - { key: qa, after: staging, approvers: false }" in listed


@pytest.mark.parametrize("name", PAGES)
def test_a_command_on_a_page_is_one_of_the_makefiles(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+)(?: [a-z-]+)*:", (ROOT / "Makefile").read_text(), re.MULTILINE))
    targets |= {"verify", "list-environment"}
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", page(name), re.MULTILINE)) <= targets


@pytest.mark.parametrize("name", [*PAGES, "unproven"])
def test_a_check_on_a_page_is_one_of_its_door(name: str) -> None:
    for door, register in (("doctor", DOCTOR), ("verify", VERIFY)):
        assert set(re.findall(rf"make {door} CHECK=([\w-]+)", page(name))) <= {*names(register)}


class TestCosts:
    @pytest.fixture
    def graphs(self, rehearsed: Mapping[str, Rehearsed]) -> dict[str, Graph]:
        return {name: Graph.of(one.export) for name, one in rehearsed.items()}

    def test_the_tables_of_the_page_are_those_of_the_stacks(self, graphs: dict[str, Graph]) -> None:
        """Mend it by `make preview && .venv/bin/python -m operations costs --write`."""
        assert costs.page(page("operations"), graphs) == page("operations")

    def test_a_stack_with_more_nodes_costs_more(self, graphs: dict[str, Graph]) -> None:
        found = {name: sum(line.least * line.price for line in costs.lines(graph)) for name, graph in graphs.items()}
        assert found["prod"] > 3 * found["staging"]
        assert all(line.least <= line.most for graph in graphs.values() for line in costs.lines(graph))

    def test_every_price_says_where_it_is_from_and_is_used_or_offered(self, graphs: dict[str, Graph]) -> None:
        known = costs.data()
        assert {each["source"] for each in known["prices"].values()} <= known["sources"].keys()
        assert all(each["price"] > 0 and each["region"] for each in known["prices"].values())
        used = {line.meter for graph in graphs.values() for line in costs.lines(graph)}
        assert known["prices"].keys() - used == {"registry Basic"}

    def test_a_price_that_is_missing_is_named(self, graphs: dict[str, Graph], monkeypatch: pytest.MonkeyPatch) -> None:
        known = {**costs.data(), "prices": {k: v for k, v in costs.data()["prices"].items() if k != "NAT gateway"}}
        monkeypatch.setattr(costs, "data", lambda: known)
        with pytest.raises(OperationsError, match="no price of NAT gateway"):
            costs.table(graphs["staging"])

    def test_a_page_without_a_place_for_the_tables_is_told(self, graphs: dict[str, Graph]) -> None:
        with pytest.raises(OperationsError, match="has no place for the tables"):
            costs.page("# Operations", graphs)
