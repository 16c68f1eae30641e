"""A policy exception that comes, or reaches further, is told; one that stays or goes is not."""

from __future__ import annotations

from typing import Any

import pytest

from review.exceptions import KEY, added


def config(**more: Any) -> dict[str, Any]:
    entry = {"rule": "registry-is-private", "reason": "A migration.", "until": "2027-01-31", **more}
    return {KEY: [{key: value for key, value in entry.items() if value is not None}]}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, config(), True),
        (config(), config(), False),
        (config(), {}, False),
        (config(), config(reason="Another."), False),
        (config(), config(until="2027-02-01"), True),
        (config(), config(until="2026-12-31"), False),
        (config(), config(rule="vault-is-private"), True),
        (config(resource="pool-a"), config(), True),
        (config(), config(resource="pool-a"), False),
        (config(resource="pool-*"), config(resource="pool-a"), False),
        (config(resource="pool-a"), config(resource="pool-*"), True),
        (config(resource="pool-a"), config(resource="pool-b"), True),
        ({KEY: "no list"}, {KEY: ["no entry"]}, False),
    ],
)
def test_only_what_lets_more_through_is_told(before: dict[str, Any], after: dict[str, Any], told: bool) -> None:
    assert bool(added(before, after)) is told


def test_the_reason_and_the_end_are_told() -> None:
    assert added({}, config(resource="registry")) == {
        "registry-is-private of registry": "until 2027-01-31: A migration."
    }
