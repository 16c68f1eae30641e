"""The door `costs`: what each stack costs a month at list prices, as a table for docs/operations.md.

Quantities are read from exports, so that they follow the stack files; prices and assumptions are data (prices.yaml).
What no price is known for is named instead of guessed.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from operations import outputs
from operations.errors import OperationsError
from rehearsal.graph import Graph, Resource

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = Path("docs/operations.md")
EXPORTS: Final = Path("build/preview")
BEGIN, END = "<!-- costs: python -m operations costs --write -->", "<!-- costs end -->"
DAYS: Final = 30


@cache
def data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((ROOT / "operations" / "prices.yaml").read_text("utf-8"))
    return found


@dataclass(frozen=True)
class Line:
    """One thing that costs: how much of it there is in a month, at least and at most, in the unit of its price."""

    meter: str
    least: float
    most: float
    words: str

    @property
    def price(self) -> float:
        return float(data()["prices"][self.meter]["price"])

    @property
    def unit(self) -> str:
        return str(data()["prices"][self.meter]["per"])


def lines(graph: Graph) -> Iterator[Line]:
    """What an export holds that costs by itself, and what its use is assumed to cost."""
    hours, assumed = float(data()["hoursPerMonth"]), data()["assumed"]
    pools = [*_pools(graph)]
    for size in sorted({size for size, _, _ in pools}):
        least = sum(low for name, low, _ in pools if name == size)
        most = sum(high for name, _, high in pools if name == size)
        yield Line(size, least * hours, most * hours, f"{least} to {most} nodes")
    for cluster in graph.of_kind("containerservice:ManagedCluster"):
        if (tier := cluster.get("sku.tier")) != "Free":
            yield Line(f"cluster {tier}", hours, hours, "1")
    for registry in graph.of_kind("containerregistry:Registry"):
        yield Line(f"registry {registry.get('sku.name')}", DAYS, DAYS, "1")
    for kind, meter in (
        ("network:NatGateway", "NAT gateway"),
        ("network:PublicIPAddress", "public address"),
        ("network:PrivateEndpoint", "private end point"),
    ):
        if count := len([*graph.of_kind(kind)]):
            yield Line(meter, count * hours, count * hours, str(count))
    if [*graph.of_kind("security:Pricing")]:
        least = sum(_cores(size) * low for size, low, _ in pools)
        most = sum(_cores(size) * high for size, _, high in pools)
        yield Line("Defender for Containers", least, most, f"{least} to {most} cores")
        vaults = len([*graph.of_kind("keyvault:Vault")])
        yield Line("Defender for Key Vault", vaults, vaults, str(vaults))
    yield from _logs(graph, assumed)
    per_node = float(assumed["samplesMillionsPerNode"]) / 10
    fewest, many = sum(low for _, low, _ in pools), sum(high for _, _, high in pools)
    words = f"{assumed['samplesMillionsPerNode']} million a node"
    yield Line("samples taken in", fewest * per_node, many * per_node, words)


def _logs(graph: Graph, assumed: Mapping[str, Any]) -> Iterator[Line]:
    for workspace in graph.of_kind("operationalinsights:Workspace"):
        daily = float(assumed["logsGbPerDay"][graph.tier])
        cap = float(workspace.get("workspaceCapping.dailyQuotaGb", daily))
        most = max(daily, cap)
        words = f"{daily:g} GB a day" + (f", capped at {cap:g}" if cap != daily else "")
        yield Line("logs taken in", daily * DAYS, most * DAYS, words)
        longer = int(workspace.get("retentionInDays")) - int(assumed["logsFreeDays"])
        if longer > 0:
            yield Line("logs kept longer", daily * longer, most * longer, f"{longer} days more")


def _pools(graph: Graph) -> Iterator[tuple[str, int, int]]:
    """Size, fewest and most nodes of each pool."""
    for cluster in graph.of_kind("containerservice:ManagedCluster"):
        for pool in cluster.get("agentPoolProfiles", ()):
            yield str(pool["vmSize"]), int(pool["minCount"]), int(pool["maxCount"])
    for own in graph.of_kind("containerservice:AgentPool"):
        yield _size(own)


def _size(pool: Resource) -> tuple[str, int, int]:
    return str(pool.get("vmSize")), int(pool.get("minCount")), int(pool.get("maxCount"))


def _cores(size: str) -> int:
    """As the name of a size tells: the number behind its family."""
    found = re.match(r"Standard_[A-Z]+(\d+)", size)
    assert found, f"{size} tells of no cores"
    return int(found[1])


def table(graph: Graph) -> str:
    """The costs of one stack as Markdown. Raises OperationsError where a price is missing."""
    found = [*lines(graph)]
    if missing := sorted({line.meter for line in found} - data()["prices"].keys()):
        raise OperationsError(f"operations/prices.yaml has no price of {', '.join(missing)}: add it, with its source.")
    rows = ["| what | how much | list price | at least | at most |", "|---|---|---|--:|--:|"]
    for line in found:
        least, most = line.least * line.price, line.most * line.price
        rows.append(f"| {line.meter} | {line.words} | {line.price:g} per {line.unit} | {least:,.0f} | {most:,.0f} |")
    totals = [sum(getattr(line, side) * line.price for line in found) for side in ("least", "most")]
    rows.append(f"| **in all** | | | **{totals[0]:,.0f}** | **{totals[1]:,.0f}** |")
    return "\n".join(rows)


def section(graphs: Mapping[str, Graph]) -> str:
    """All tables, and what they leave out."""
    said = data()
    parts = [
        f"US dollars a month, by list prices looked up on {said['lookedUp']} in public material of 2022 to 2025: for "
        "East US and, for\nlogs, West Europe. Nobody asked Azure: take them for the order of magnitude."
    ]
    for name, graph in graphs.items():
        parts += [f"### {name}", table(graph)]
    parts += ["Not in the tables:", "\n".join(f"- {each}" for each in said["left"])]
    return "\n\n".join(parts)


def page(text: str, graphs: Mapping[str, Graph]) -> str:
    """The page with its tables made anew."""
    head, found, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise OperationsError(f"{PAGE} has no place for the tables, between {BEGIN} and {END}.")
    return f"{head}{BEGIN}\n\n{section(graphs)}\n\n{END}{tail}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m operations costs", allow_abbrev=False)
    parser.add_argument("--write", action="store_true", help=f"puts the tables into {PAGE}")
    asked = parser.parse_args(arguments)
    graphs = {path.stem: Graph.of(outputs.read_export(path)) for path in _ordered(_stacks())}
    if not graphs:
        raise OperationsError(f"There is no export in {EXPORTS}. Run make preview first.")
    if asked.write:
        path = ROOT / PAGE
        path.write_text(page(path.read_text("utf-8"), graphs), "utf-8")
    else:
        print(section(graphs), file=sys.stdout)
    return 0


def _ordered(paths: Iterable[Path]) -> list[Path]:
    """Nonproduction first, as everywhere."""
    return sorted(paths, key=lambda path: (path.stem.startswith("prod"), path.stem))


def _stacks() -> Iterator[Path]:
    """The exports of environments; what lies beside them is none."""
    return (path for path in (ROOT / EXPORTS).glob("*.json") if (ROOT / f"Pulumi.{path.stem}.yaml").is_file())
