"""What a change of a property does to its resource: the engine's word where there is one, else what is known.

`rehearsal/cloud/replacements.yaml` and the kinds of the stand-in say what replaces, what is taken in place and what the
service refuses. What is not known there is said to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rehearsal.cloud.azure import KINDS
from rehearsal.cloud.delivering import KINDS as DELIVERY
from rehearsal.cloud.replacements import Effect, judge, touches
from review.model import Op
from review.values import Difference, pattern


def marked(op: Op, type_: str, found: Sequence[Difference], forcing: Sequence[str] | None) -> tuple[Difference, ...]:
    """The differences with what each does; `forcing` are the paths that the engine names, None without an engine."""
    if op is Op.REPLACE:
        return tuple(replace(each, forces=_forces(type_, each, forcing)) for each in found)
    effects = [_effect(type_, each.pattern) for each in found]
    return tuple(
        replace(each, refused=effect is Effect.REFUSED, doubtful=effect is Effect.UNKNOWN)
        for each, effect in zip(found, effects, strict=True)
    )


def remade(old: Mapping[str, Any], new: Mapping[str, Any], found: Sequence[Difference]) -> bool:
    """Whether, without an engine to say so, the cloud has or would make another resource under the same name."""
    if not new.get("custom"):
        return False
    ids = str(old.get("id", "")), str(new.get("id", ""))
    if ids[0] != ids[1] and all(id_.startswith("/") for id_ in ids):
        return True
    return any(_fixed(new["type"], each.pattern) for each in found)


def _forces(type_: str, each: Difference, forcing: Sequence[str] | None) -> bool:
    if forcing is None:
        return _fixed(type_, each.pattern)
    return any(touches(each.pattern, pattern(path)) for path in forcing)


def _fixed(type_: str, path: str) -> bool:
    if _effect(type_, path) is Effect.REPLACE:
        return True
    delivery = DELIVERY.get(type_)
    return bool(delivery and any(touches(path, root) for root in delivery.force_new))


def _effect(type_: str, path: str) -> Effect | None:
    """None where the provider's schema says it of every property (Azure DevOps, Kubernetes), or nobody asks."""
    kind = KINDS.get(type_)
    return None if kind is None or path.startswith("(") else judge(kind, path).effect
