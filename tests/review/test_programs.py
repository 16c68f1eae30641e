"""Versions of the program in processes of their own, and what is kept of a base."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from semver import Version

from rehearsal.toolchain import Cli
from review import programs
from review.commits import Commit
from review.errors import ReviewError
from review.programs import Kept

CLI = Cli(Path("/opt/pulumi/bin/pulumi"), Version(3, 259, 0))
BASE = Commit("main", "a" * 40, "b" * 40, "A change")


def program(root: Path, code: str) -> Path:
    """A version whose rehearsal does what a test wants."""
    (root / "rehearsal").mkdir(parents=True)
    (root / "rehearsal" / "__init__.py").touch()
    (root / "rehearsal" / "__main__.py").write_text(f"import os, sys, pathlib\n{code}", "utf-8")
    return root


def test_a_version_runs_in_its_own_directory_with_the_engine_of_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    code = (
        "to = pathlib.Path(sys.argv[2]); to.mkdir()\n"
        "(to / 'staging.json').write_text(repr([os.getcwd(), os.environ['PATH'].split(':')[0],"
        " os.environ.get('PYTHONPATH', ''), sys.argv[1], *sys.argv[3:]]).replace(chr(39), chr(34)))\n"
    )

    made = programs.rehearsed(program(tmp_path / "v1", code), "v1", ["staging", "prod"], CLI, tmp_path / "to")

    expected = [str(tmp_path / "v1"), "/opt/pulumi/bin", "", "export", "staging", "prod"]
    assert json.loads(json.dumps(made["staging"])) == expected


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("sys.exit('error: Two problems:\\n  network')", "v1 cannot be rehearsed. Two problems:\n  network"),
        ("raise RuntimeError('boom')", "v1 cannot be rehearsed. RuntimeError: boom"),
    ],
)
def test_a_version_that_cannot_be_rehearsed_says_so(code: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ReviewError) as refused:
        programs.rehearsed(program(tmp_path / "v1", code), "v1", [], CLI, tmp_path / "to")

    assert str(refused.value) == message


def test_a_version_older_than_the_door_is_told_as_such(tmp_path: Path) -> None:
    told = "sys.exit(\"usage: python -m rehearsal\\nerror: argument door: invalid choice: 'export'\")"
    for place in (program(tmp_path / "v1", told), tmp_path):
        with pytest.raises(ReviewError, match="is older than this review: its rehearsal has no door `export`"):
            programs.rehearsed(place, "v1", [], CLI, tmp_path / "to")


class TestWhatIsKeptOfABase:
    @pytest.fixture
    def kept(self, tmp_path: Path) -> Kept:
        return Kept(tmp_path / "base")

    @pytest.fixture
    def made(self, tmp_path: Path) -> Path:
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "staging.json").write_text('{"version": 3}', "utf-8")
        return tmp_path / "made"

    def test_is_found_again(self, kept: Kept, made: Path) -> None:
        key = kept.key(BASE, ["staging"], CLI)
        assert kept.find(key) is None

        kept.keep(key, made)

        assert kept.find(key) == {"staging": {"version": 3}}
        assert kept.find(kept.key(replace(BASE, ref="HEAD", id="c" * 40), ["staging"], CLI)), "the content is the same"

    def test_is_never_that_of_other_files_stacks_engines_or_packages(
        self, kept: Kept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = {
            kept.key(BASE, ["staging"], CLI),
            kept.key(replace(BASE, tree="c" * 40), ["staging"], CLI),
            kept.key(BASE, ["staging", "prod"], CLI),
            kept.key(BASE, ["staging"], replace(CLI, version=Version(3, 260, 0))),
        }
        monkeypatch.setattr(metadata, "distributions", list)
        keys.add(kept.key(BASE, ["staging"], CLI))

        assert len(keys) == 5

    @pytest.mark.parametrize("damage", ["staging.json", "whole.json"])
    def test_is_not_used_when_it_is_not_whole(self, damage: str, kept: Kept, made: Path, tmp_path: Path) -> None:
        key = kept.key(BASE, ["staging"], CLI)
        kept.keep(key, made)
        (tmp_path / "base" / key / damage).write_text('{"version": 4}', "utf-8")

        assert kept.find(key) is None
        kept.keep(key, made)
        assert kept.find(key) == {"staging": {"version": 3}}

    def test_is_let_go_when_it_was_not_used_for_long(self, kept: Kept, made: Path, tmp_path: Path) -> None:
        for age, tree in enumerate("0123456"):
            key = kept.key(replace(BASE, tree=tree), [], CLI)
            kept.keep(key, made)
            os.utime(tmp_path / "base" / key, (age, age))

        left = [tree for tree in "0123456" if kept.find(kept.key(replace(BASE, tree=tree), [], CLI))]

        assert left == ["2", "3", "4", "5", "6"]
