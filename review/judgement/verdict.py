"""The judgement of one stack's changes, and what a review of several stacks comes to: a line, and an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from rehearsal.words import count
from review.errors import ReviewError
from review.judgement.costs import costs
from review.judgement.findings import Finding
from review.judgement.losses import losses
from review.judgement.weaker import weaker
from review.model import Changes, Op


class Exit(IntEnum):
    """What the door ends with; 1 is an error."""

    NO_CHANGE = 0
    CHANGES = 2
    TO_ACKNOWLEDGE = 3


@dataclass(frozen=True)
class Judgement:
    changes: Changes
    losses: tuple[Finding, ...]
    weaker: tuple[Finding, ...]
    costs: tuple[Finding, ...]

    @property
    def stack(self) -> str:
        return self.changes.stack

    @property
    def acks(self) -> tuple[str, ...]:
        """Names of all that has to be acknowledged, each once."""
        grave = (finding.ack(self.stack) for finding in (*self.losses, *self.weaker) if finding.grave)
        return tuple(dict.fromkeys(grave))

    @property
    def changed(self) -> bool:
        return bool(self.changes.changes or self.losses or self.weaker)


def judge(changes: Changes) -> Judgement:
    return Judgement(changes, tuple(losses(changes)), tuple(weaker(changes)), tuple(costs(changes)))


def open_acks(judged: Sequence[Judgement], acknowledged: Iterable[str] = ()) -> tuple[str, ...]:
    """What nobody has acknowledged yet.

    Raises:
        ReviewError: something is acknowledged that this change does not do: it was said of another one.
    """
    wanted = [ack for each in judged for ack in each.acks]
    if strange := sorted(set(acknowledged) - set(wanted)):
        known = f" To acknowledge: {' '.join(wanted)}" if wanted else " Nothing has to be acknowledged."
        raise ReviewError(f"ACK names {' '.join(strange)}, which this change does not do.{known}")
    return tuple(ack for ack in wanted if ack not in set(acknowledged))


def exit_code(judged: Sequence[Judgement], acknowledged: Iterable[str] = ()) -> Exit:
    """Raises ReviewError as `open_acks`."""
    if open_acks(judged, acknowledged):
        return Exit.TO_ACKNOWLEDGE
    return Exit.CHANGES if any(each.changed for each in judged) else Exit.NO_CHANGE


@dataclass(frozen=True)
class Verdict:
    """Whether to look closer, in as few words as possible, and why."""

    head: str
    told: str = ""

    def __str__(self) -> str:
        return f"{self.head}: {self.told}." if self.told else f"{self.head}."


def verdict(judged: Sequence[Judgement], acknowledged: Iterable[str] = ()) -> Verdict:
    """Raises ReviewError as `open_acks`."""
    if not any(each.changed for each in judged):
        return Verdict("No change")
    counts: Counter[Op] = Counter()
    for each in judged:
        counts.update(each.changes.counts)
    losses = [finding for each in judged for finding in each.losses]
    lost = sum(finding.grave for finding in losses)
    weak = sum(finding.grave for each in judged for finding in each.weaker)
    doubts = sum(finding.sign == "doubt" for finding in losses)
    found = [f"{lost} {'losses' if lost > 1 else 'loss'}"] if lost else []
    found += [f"security gets weaker in {count(weak, 'place')}"] if weak else []
    told = found + ([f"{count(doubts, 'resource')} may be replaced, which is not known"] if doubts else [])
    told += [f"{counts[op]} to {op}" for op in Op if counts[op]]
    if open_acks(judged, acknowledged):
        head = "Acknowledge before you agree"
    elif found:
        head = "Acknowledged"
    else:
        head = "No security gets weaker" if doubts else "Nothing is lost, and no security gets weaker"
    return Verdict(head, ", ".join(told))
