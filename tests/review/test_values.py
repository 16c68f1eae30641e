"""Two values: lists by identity, and secrets that never appear."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.run import SECRET
from review.values import ABSENT, Difference, differences, veiled
from review.words import LONGEST, pair, value

MARK = "4dabf18193072939515e22adb298388d"
NAMED = st.lists(
    st.fixed_dictionaries({"name": st.text("abc", min_size=1), "size": st.integers(0, 3)}),
    unique_by=lambda each: each["name"],
)
SCALARS = st.lists(st.one_of(st.integers(0, 5), st.text("ab")))


def found(before: Any, after: Any) -> list[Difference]:
    return list(differences(veiled(before), veiled(after)))


def secret(text: str, *, plain: bool = False) -> dict[str, str]:
    return {MARK: "1b47061264138c4ac30d75fd1eb44270", ("plaintext" if plain else "ciphertext"): text}


@given(NAMED, st.randoms(use_true_random=False))
def test_entries_with_a_name_may_stand_in_any_order(entries: list[Any], random: Any) -> None:
    shuffled = random.sample(entries, len(entries))

    assert found({"pools": entries}, {"pools": shuffled}) == []


@given(SCALARS, st.randoms(use_true_random=False))
def test_plain_entries_may_stand_in_any_order(entries: list[Any], random: Any) -> None:
    assert found({"zones": entries}, {"zones": random.sample(entries, len(entries))}) == []


@given(NAMED, NAMED)
def test_no_difference_is_found_only_between_equal_lists(old: list[Any], new: list[Any]) -> None:
    by_name = [sorted(entries, key=lambda each: str(each["name"])) for entries in (old, new)]

    assert (found({"a": old}, {"a": new}) == []) is (by_name[0] == by_name[1])


def test_an_entry_keeps_its_name_in_the_path() -> None:
    old = [{"name": "a", "max": 1}, {"name": "b", "max": 2}]
    new = [{"name": "c", "max": 9}, {"name": "b", "max": 3}]

    paths = {each.path for each in found({"pools": old}, {"pools": new})}

    assert paths == {"pools[a]", "pools[b].max", "pools[c]"}


def test_the_order_of_a_command_counts() -> None:
    assert found({"command": ["a", "b"]}, {"command": ["b", "a"]})


def test_entries_without_a_name_are_not_taken_for_each_other() -> None:
    assert found({"to": [{"x": 1}, {"x": 2}]}, {"to": [{"x": 2}, {"x": 3}]})[0].path == "to[0].x"


def test_empty_and_absent_are_the_same() -> None:
    assert found({"tags": {}, "zones": []}, {"ids": None}) == []
    assert found({"on": False}, {}) == [Difference("on", False, ABSENT)]


def test_sealed_secrets_cannot_be_compared() -> None:
    assert found({"key": secret("one")}, {"key": secret("two")}) == []
    assert found({"key": secret('"one"', plain=True)}, {"key": secret("two")}) == []


def test_secrets_in_plain_text_are_compared_and_not_shown() -> None:
    before, after = ({"key": secret(f'"{word}"', plain=True)} for word in ("hunter2", "hunter3"))

    assert found(before, before) == []
    assert found(before, after) == [Difference("key", SECRET, SECRET)]


def test_a_password_that_nobody_marked_is_not_shown() -> None:
    shown = found(
        {"adminPassword": "hunter2", "variables": [{"name": "a", "secretValue": "hunter2"}], "keep": "x"},
        {"adminPassword": "hunter3", "variables": [{"name": "a", "secretValue": "hunter3"}], "keep": "y"},
    )

    assert {each.path for each in shown} == {"adminPassword", "variables[a].secretValue", "keep"}
    assert "hunter" not in json.dumps([str(each) for each in shown])


def test_a_secret_inside_what_comes_or_goes_is_not_shown() -> None:
    (come,) = found({}, {"block": {"clientSecret": "hunter2", "list": [secret('"hunter2"', plain=True)]}})

    assert come.after == {"clientSecret": SECRET, "list": [SECRET]}


@given(st.text(), st.text())
def test_a_value_is_one_short_line(before: str, after: str) -> None:
    for side in (*pair(Difference("p", before * 40, after * 40)), value(before * 40), value([before] * 40)):
        assert len(side.splitlines()) <= 1
        assert len(side) <= LONGEST + 20


def test_of_a_long_text_the_line_that_differs_is_shown() -> None:
    old = "\n".join(f"line {number} of a long file" for number in range(40))

    before, after = pair(Difference("content", old, old.replace("line 17 ", "line xx ")))

    assert (before, after) == ("line 18: line 17 of a long file", "line 18: line xx of a long file")
