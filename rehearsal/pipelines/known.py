"""What is known of Azure Pipelines beside its grammar: the data files, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

_HERE: Final = Path(__file__).resolve().parent

KNOWN: Final[Mapping[str, Any]] = yaml.safe_load((_HERE / "known.yaml").read_text("utf-8"))
TASKS: Final[Mapping[str, Any]] = yaml.safe_load((_HERE / "tasks.yaml").read_text("utf-8"))["tasks"]


@dataclass(frozen=True)
class Predefined:
    """A variable that Azure Pipelines sets."""

    name: str
    like: str
    """What its value looks like."""
    compile: bool = False
    foreign: bool = False
    only: str = ""


def predefined(aliases: Iterable[str]) -> Mapping[str, Predefined]:
    """By name in lower case; `aliases` are those of the pipelines that a pipeline names as resources."""
    found = [Predefined(name, **facts) for name, facts in KNOWN["variables"].items()]
    for alias in aliases:
        for name, facts in KNOWN["pipelineResource"].items():
            found.append(Predefined(f"resources.pipeline.{alias}.{name}", **facts))
    return {one.name.lower(): one for one in found}
