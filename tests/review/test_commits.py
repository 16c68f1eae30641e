"""A commit's files beside the working tree, which nobody touches."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from review.commits import checkout, resolve, working_tree
from review.errors import ReviewError


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    (place / "sub").mkdir(parents=True)
    git(place, "init", "-q")
    (place / "Pulumi.yaml").write_text("name: one\n", "utf-8")
    (place / "sub" / "run.sh").write_text("#!/bin/sh\n", "utf-8")
    (place / "sub" / "run.sh").chmod(0o755)
    git(place, "add", "-A")
    git(place, "commit", "-qm", "The first (one)")
    git(place, "tag", "v1")
    (place / "Pulumi.yaml").write_text("name: two\n", "utf-8")
    git(place, "commit", "-qam", "The second")
    return place


def test_a_commit_is_found_by_branch_tag_or_id(root: Path) -> None:
    id_ = git(root, "rev-parse", "v1")

    found = [resolve(root, ref) for ref in ("v1", "main~1", id_, id_[:8])]

    assert {each.id for each in found} == {id_}
    assert {each.tree for each in found} == {git(root, "rev-parse", "v1^{tree}")}
    assert str(found[0]) == f"v1 ({id_[:10]}, “The first (one)”)"
    assert str(found[2]) == f"({id_[:10]}, “The first (one)”)"


@pytest.mark.parametrize("ref", ["nowhere", "--help", "v1:Pulumi.yaml", ""])
def test_what_is_no_commit_is_refused_with_the_way_out(ref: str, root: Path) -> None:
    with pytest.raises(ReviewError, match="is neither a file nor a commit that git knows here") as refused:
        resolve(root, ref)

    assert "Name a branch, tag or id; or fetch it (git fetch)." in str(refused.value)


def test_in_a_shallow_clone_the_way_out_is_another(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{root}", "shallow")

    with pytest.raises(ReviewError, match="this clone is shallow"):
        resolve(tmp_path / "shallow", "v1")


def test_without_a_repository_a_commit_cannot_be_meant(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"main is no file, and .+ is no git repository"):
        resolve(tmp_path, "main")


def test_the_files_are_those_of_the_commit_and_gone_afterwards(root: Path, tmp_path: Path) -> None:
    (root / "uncommitted").write_text("mine", "utf-8")
    before = git(root, "status", "--porcelain"), git(root, "worktree", "list"), git(root, "rev-parse", "HEAD")

    with checkout(root, resolve(root, "v1"), tmp_path / "place") as files:
        names = sorted(str(path.relative_to(files)) for path in files.rglob("*"))
        content = (files / "Pulumi.yaml").read_text("utf-8")
        executable = (files / "sub" / "run.sh").stat().st_mode & 0o100

    assert names == ["Pulumi.yaml", "sub", "sub/run.sh"]
    assert content == "name: one\n"
    assert executable
    assert not files.exists()
    assert before == (git(root, "status", "--porcelain"), git(root, "worktree", "list"), git(root, "rev-parse", "HEAD"))


def test_a_project_below_the_top_of_its_repository_is_checked_out_alone(root: Path, tmp_path: Path) -> None:
    with checkout(root / "sub", resolve(root / "sub", "v1"), tmp_path / "place") as files:
        assert [path.name for path in files.iterdir()] == ["run.sh"]


def test_the_working_tree_tells_what_it_stands_on(root: Path, tmp_path: Path) -> None:
    short = git(root, "log", "-1", "--format=%h")
    assert working_tree(root) == f"the working tree on {short}, “The second”"
    (root / "uncommitted").write_text("mine", "utf-8")
    assert working_tree(root).endswith("“The second”, with 1 uncommitted file")
    assert working_tree(tmp_path) == "the working tree"
