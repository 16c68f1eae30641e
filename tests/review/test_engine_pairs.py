"""Settings and program edited, previewed by the engine: the verdict is the one that a careful reviewer would give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest

from review import digest
from review.judgement import Judgement, judge
from review.judgement.verdict import Exit, exit_code
from review.model import Changes
from tests.conftest import Rehearsed
from tests.review.conftest import Told
from tests.review.engine_edits import EnginePair
from tests.review.engine_pairs import PAIRS

BATCHES = sorted({pair.batch for pair in PAIRS})


def changes_of(batch: str, told: Told, rehearsed: Mapping[str, Rehearsed]) -> Changes:
    exports = {stack: each.export for stack, each in rehearsed.items()}
    return digest.changes(told[batch], batch, export=exports[batch.split()[0]], around=exports.values())


def touched(place: str, pair: EnginePair) -> str:
    return next((pattern for pattern in pair.touches if fnmatchcase(place, pattern)), "")


def judged(pair: EnginePair, told: Told, rehearsed: Mapping[str, Rehearsed]) -> Judgement:
    """What is found where the pair says that it touches something."""
    whole = changes_of(pair.batch, told, rehearsed)
    found = judge(whole)

    def own(place: str) -> bool:
        return bool(touched(place, pair))

    return replace(
        found,
        changes=replace(whole, changes=tuple(each for each in whole.changes if own(each.place))),
        losses=tuple(each for each in found.losses if own(each.place)),
        weaker=tuple(each for each in found.weaker if own(each.place)),
        costs=tuple(each for each in found.costs if own(each.place)),
    )


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_the_verdict_is_that_of_a_careful_reviewer(
    pair: EnginePair, engine_told: Told, rehearsed: Mapping[str, Rehearsed]
) -> None:
    found = judged(pair, engine_told, rehearsed)

    assert {touched(each.place, pair): each.op.value for each in found.changes.changes} == dict(pair.touches)
    named = [ack.replace(f":{pair.stack}/", ":", 1) for ack in found.acks]
    assert [ack for ack in named if not any(fnmatchcase(ack, wanted) for wanted in pair.acks)] == []
    assert [wanted for wanted in pair.acks if not any(fnmatchcase(ack, wanted) for ack in named)] == []
    said = " | ".join(finding.text for finding in (*found.losses, *found.weaker, *found.costs))
    assert [words for words in pair.says if words not in said] == []
    expected = Exit.TO_ACKNOWLEDGE if pair.acks else Exit.CHANGES if pair.touches else Exit.NO_CHANGE
    assert exit_code([found]) is expected


@pytest.mark.parametrize("batch", BATCHES)
def test_the_pairs_explain_all_that_the_engine_finds(
    batch: str, engine_told: Told, rehearsed: Mapping[str, Rehearsed]
) -> None:
    """So nothing is told of a change that nobody made."""
    pairs = [pair for pair in PAIRS if pair.batch == batch]

    places = [each.place for each in changes_of(batch, engine_told, rehearsed).changes]

    assert [place for place in places if not any(touched(place, pair) for pair in pairs)] == []


def test_what_only_waits_for_an_update_is_told_as_waiting(
    engine_told: Told, rehearsed: Mapping[str, Rehearsed]
) -> None:
    """The engine calls it an update, or even a replacement: it knows no output of what is updated."""
    for batch in ("staging b", "prod a"):
        steps = {step["op"] for step in engine_told[batch]["steps"] if "workload-signs-in" in step["urn"]}
        waiting = [each.place for each in changes_of(batch, engine_told, rehearsed).waiting]

        assert steps == {"update"}
        assert "workload/FederatedIdentityCredential.workload-signs-in" in waiting
    replaced = {step["urn"] for step in engine_told["prod a"]["steps"] if "replace" in step["op"]}
    assert len(replaced) > 1
    assert all("RoleAssignment" in urn for urn in replaced)
