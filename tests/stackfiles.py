"""The stack files that ship, for tests that edit them, and the steadiness of property tests."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import yaml

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "aks-cicd:"
STACKS = ("staging", "prod")

Config = dict[str, Any]


def steady(examples: int) -> hypothesis.settings:
    """The same examples in every run: a red test is red for everybody."""
    return hypothesis.settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=examples,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )


def shipped(stack: str) -> Config:
    """The `config` of a shipped stack file; anew for every caller, so that it may be edited."""
    return copy.deepcopy(_read(stack))


@functools.cache
def _read(stack: str) -> Config:
    config: Config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return config


def edited(config: Config, new: Mapping[str, Any], gone: Iterable[str] = ()) -> Config:
    """A copy with some keys set and some taken out; keys as they stand in the file after `aks-cicd:`."""
    tree = {key.removeprefix(PREFIX): copy.deepcopy(value) for key, value in config.items()}
    for path, value in new.items():
        *above, last = path.split(".")
        node = tree
        for part in above:
            node = node.setdefault(part, {})
        node[last] = copy.deepcopy(value)
    for path in gone:
        *above, last = path.split(".")
        node = tree
        for part in above:
            node = node[part]
        del node[last]
    return {PREFIX + key: value for key, value in tree.items()}
