"""The figures of a review: what they are held against, and what is compared."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks import review
from benchmarks.review import COLD, PREVIEWS, WARM


def test_a_review_is_held_against_two_previews() -> None:
    told = review.shown({PREVIEWS: [20.0, 40.0, 30.0], COLD: [45.1], WARM: [15.0]})

    rows = {line.split("  ")[0]: line.split()[-2:] for line in told.splitlines()[2:]}
    assert rows[COLD] == ["1.50", "MISSED"]
    assert rows[WARM] == ["0.50", "met"]
    assert "30.0" in told


def test_what_is_reviewed_differs_in_one_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tmp_path / "small"
    small.mkdir()
    (small / "Pulumi.staging.yaml").write_text("config:\n  aks-cicd:logs:\n    retentionDays: 30\n", "utf-8")
    monkeypatch.setattr(review, "ROOT", small)

    project = review.copied(tmp_path / "copy")

    diff = subprocess.run(["git", "diff", "--unified=0"], cwd=project, capture_output=True, text=True, check=True)
    changed = [line for line in diff.stdout.splitlines() if line.startswith(("+ ", "- "))]
    assert changed == ["-    retentionDays: 30", "+    retentionDays: 61"]
