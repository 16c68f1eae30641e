"""Commits of the project's repository: which one a word means, and its files in a directory of their own.

The repository is only read. The files come from `git archive`, so that neither the user's working tree nor the list
of worktrees in `.git` knows of a review, also not of one that was killed.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehearsal.words import count
from review.errors import ReviewError


@dataclass(frozen=True)
class Commit:
    """`tree` stands for the content of all its files."""

    ref: str
    id: str
    tree: str
    subject: str

    def __str__(self) -> str:
        ref = f"{self.ref} " if not self.id.startswith(self.ref) else ""
        return f"{ref}({self.id[:10]}, “{self.subject}”)"


def resolve(root: Path, ref: str) -> Commit:
    """The commit that a branch, tag or id stands for.

    Raises:
        ReviewError: there is none, or no repository.
    """
    if _git(root, "rev-parse", "--git-dir") is None:
        raise ReviewError(f"{ref} is no file, and {root.name} is no git repository in which it could be a commit.")
    found = _git(root, "log", "-1", "--format=%H %T %s", "--end-of-options", f"{ref}^{{commit}}", "--")
    if not found:
        shallow = _git(root, "rev-parse", "--is-shallow-repository") == "true"
        mend = "fetch it: this clone is shallow (git fetch --unshallow)" if shallow else "or fetch it (git fetch)"
        raise ReviewError(
            f"{ref} is neither a file nor a commit that git knows here. Name a branch, tag or id; {mend}."
        )
    id_, tree, subject = found.split(" ", 2)
    return Commit(ref, id_, tree, subject)


def working_tree(root: Path) -> str:
    """The working tree in words: the commit it stands on, and how many files differ from that."""
    at = _git(root, "log", "-1", "--format=%h, “%s”")
    changed = len((_git(root, "status", "--porcelain") or "").splitlines())
    if not at:
        return "the working tree"
    return f"the working tree on {at}" + (f", with {count(changed, 'uncommitted file')}" if changed else "")


@contextmanager
def checkout(root: Path, commit: Commit, place: Path) -> Iterator[Path]:
    """The files of a commit, below `place`, until the block ends."""
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=f"{commit.id[:10]}-") as name:
        packed = subprocess.Popen(
            ["git", "archive", "--format=tar", commit.id], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert packed.stdout is not None
        assert packed.stderr is not None
        with packed:
            try:
                with tarfile.open(fileobj=packed.stdout, mode="r|") as files:
                    files.extractall(name, filter="data")
            except (tarfile.TarError, OSError) as error:
                said = packed.stderr.read().decode(errors="replace").strip() or str(error)
                raise ReviewError(f"The files of {commit} could not be read: {said}") from None
        yield Path(name)


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None if it fails, or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.rstrip("\n")
