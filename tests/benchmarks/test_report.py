"""A figure stands beside its aim, and a missed aim is said."""

from __future__ import annotations

from typing import Any

from benchmarks import report


def rounds(*ours_and_flat: tuple[float, float]) -> dict[str, Any]:
    def one(seconds: float) -> dict[str, dict[str, float]]:
        return {"staging": dict.fromkeys(report.OPERATIONS, seconds)}

    return {"program": [one(ours) for ours, _ in ours_and_flat], "flat": [one(flat) for _, flat in ours_and_flat]}


def environment(name: str, tier: str, seconds: float, rss: float) -> dict[str, Any]:
    return {
        "environment": name,
        "tier": tier,
        "resources": 40,
        "seconds": dict.fromkeys(report.OPERATIONS, seconds),
        "rss": rss,
    }


def test_pace_is_judged_by_medians() -> None:
    text = report.pace(rounds((1.2, 1.0), (1.2, 1.0), (99.0, 1.0)))
    assert text.count("1.20") == 2 * len(report.OPERATIONS)
    assert "met" in text
    assert "MISSED" not in text


def test_a_slow_program_is_said_to_be_slow() -> None:
    assert report.pace(rounds((1.4, 1.0))).count("MISSED") == len(report.OPERATIONS)


def test_memory_is_judged_by_both_processes_together() -> None:
    text = report.memory({"program": {"wall": 9.0, "peaks": {"python": 250.0, "cli": 200.0}}})
    assert "450" in text
    assert "MISSED" in text


def test_growth_is_what_the_later_environments_add() -> None:
    measured = [environment(f"e{n}", "production", 1.0, rss) for n, rss in enumerate((100, 200, 300, 302, 304, 306))]
    assert report.growth(measured) == 2.0


def test_environments_that_get_slower_are_not_level() -> None:
    slower = [environment(f"e{n}", tier, 1.0 + n, 100.0) for n in range(8) for tier in report.TIERS]
    assert report.level(slower).count("MISSED") == len(report.OPERATIONS) * 2
    level = [environment(f"e{n}", tier, 1.0, 100.0) for n in range(8) for tier in report.TIERS]
    assert "MISSED" not in report.level(level)


def test_a_table_lines_up() -> None:
    lines = report.table(("what", "s"), [("a", "1.00"), ("longer", "10.00")]).splitlines()
    assert lines == ["what        s", "──────  ─────", "a        1.00", "longer  10.00"]
