"""The schema of the chart's values, walked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.workload.chart import CHART

Node = dict[str, Any]


def schema() -> Node:
    found: Node = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    return found


def nodes() -> list[tuple[str, Node]]:
    """Every key, as `section.key`, with what is said of it."""
    return list(_below(schema(), ""))


def _below(node: Node, above: str) -> Iterator[tuple[str, Node]]:
    for key, child in node.get("properties", {}).items():
        yield f"{above}{key}", child
        yield from _below(child, f"{above}{key}.")


def sections() -> dict[str, Node]:
    """The objects, by the path that their keys begin with."""
    return {"": schema(), **{f"{path}.": node for path, node in nodes() if node.get("type") == "object"}}


def required() -> set[str]:
    return {f"{above}{key}" for above, node in sections().items() for key in node["required"]}
