"""The measured figures as text: compact tables, with the aim beside the figure. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final, TypeAlias

AIM_TIMES: Final = 1.3
"""The program beside a flat one with the same resources: at most this many times its wall time."""
AIM_MEGABYTES: Final = 400.0
"""The most that the Python process and the CLI may hold, both peaks added up."""
LEVEL: Final = 1.15
"""A later environment may cost this many times an earlier one of its tier and still count as level: noise of a
machine that does other things too. What grows with every environment goes far beyond it after twenty."""

OPERATIONS: Final = ("preview", "update", "second preview")
TIERS: Final = ("nonproduction", "production")

Row: TypeAlias = Sequence[str]
Measured: TypeAlias = Mapping[str, Any]
"""What a scenario left, or the whole of them; the shape is `benchmarks.worker`'s."""


def pace(rounds: Measured) -> str:
    """Medians of both programs, warm, and the worst stretch between them."""
    rows = []
    for stack in rounds["program"][0]:
        for operation in OPERATIONS:
            ours, flat = (_median(rounds[subject], stack, operation) for subject in ("program", "flat"))
            rows.append((stack, operation, _s(ours), _s(flat), f"{ours / flat:.2f}", _verdict(ours / flat, AIM_TIMES)))
    head = ("stack", "operation", "program s", "flat s", "times", f"aim {AIM_TIMES}")
    return table(head, rows)


def memory(scenarios: Mapping[str, Measured]) -> str:
    """Peaks of processes that did nothing else; `scenarios` by what they ran."""
    rows = []
    for name, scenario in scenarios.items():
        python, cli = scenario["peaks"]["python"], scenario["peaks"]["cli"]
        judged = _verdict(python + cli, AIM_MEGABYTES)
        rows.append((name, _s(scenario["wall"]), _mb(python), _mb(cli) if cli else "–", _mb(python + cli), judged))
    return table(("fresh process", "wall s", "Python MB", "CLI MB", "together", f"aim {AIM_MEGABYTES:.0f}"), rows)


def environments(measured: Sequence[Measured]) -> str:
    """One line for each environment in the order in which they were made, all in one process."""
    rows = [
        (
            each["environment"],
            each["tier"],
            str(each["resources"]),
            *(_s(each["seconds"][operation]) for operation in OPERATIONS),
            _mb(each["rss"]),
        )
        for each in measured
    ]
    return table(("environment", "tier", "resources", *(f"{each} s" for each in OPERATIONS), "RSS MB after"), rows)


def level(measured: Sequence[Measured]) -> str:
    """The later half of the environments beside the earlier one, by tier, and what each adds to memory."""
    rows = []
    for tier in TIERS:
        own = [each for each in measured if each["tier"] == tier]
        early, late = own[: len(own) // 2], own[(len(own) + 1) // 2 :]
        for operation in OPERATIONS if early else ():
            before, after = (median(each["seconds"][operation] for each in half) for half in (early, late))
            verdict = _verdict(after / before, LEVEL)
            rows.append((tier, operation, _s(before), _s(after), f"{after / before:.2f}", verdict))
    text = table(("tier", "operation", "early half s", "late half s", "times", f"aim {LEVEL}"), rows)
    return f"{text}\n\nPython's memory grew by {growth(measured):.1f} MB with each environment."


def growth(measured: Sequence[Measured]) -> float:
    """MB that one more environment adds, over the later half: the earlier one still fills caches."""
    late = measured[len(measured) // 2 :]
    return float(late[-1]["rss"] - late[0]["rss"]) / max(len(late) - 1, 1)


def table(head: Row, rows: Sequence[Row]) -> str:
    """Columns as wide as their widest cell; text to the left, figures to the right."""
    columns = list(zip(head, *rows, strict=True))
    cells = [_aligned(column) for column in columns]
    lines = ["  ".join(line).rstrip() for line in zip(*cells, strict=True)]
    return "\n".join([lines[0], "  ".join("─" * len(column[0]) for column in cells), *lines[1:]])


def _aligned(column: Row) -> list[str]:
    width = max(map(len, column))
    figures = any(cell[:1].isdigit() for cell in column[1:])
    return [cell.rjust(width) if figures else cell.ljust(width) for cell in column]


def _median(rounds: Sequence[Measured], stack: str, operation: str) -> float:
    return float(median(each[stack][operation] for each in rounds))


def _verdict(value: float, aim: float) -> str:
    return "met" if value <= aim else "MISSED"


def _s(seconds: float) -> str:
    return f"{seconds:.2f}"


def _mb(megabytes: float) -> str:
    return f"{megabytes:.0f}"
