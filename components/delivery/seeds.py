"""What a new repository starts with.

The lists stand in `pipelines/seeds.yaml` and, for GitHub, in `workflows/seeds.yaml`, because they are about files, and
those who add a file to the pipelines look there: for each repository the patterns of its files, what is cut off their
paths, and what is put before the rest. Files are pushed once, one by one, before the rules of the branch stand; what is
added to the list later reaches a repository that exists by a pull request, like any other change.

What it does not do: it seeds nothing that is not text, and it follows no link out of the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import yaml

LIST = Path("pipelines") / "seeds.yaml"
GITHUB_LIST = Path("workflows") / "seeds.yaml"


class SeedsError(pulumi.RunError):
    """A list that does not say which files, or names some that are not there. Pulumi prints it without a traceback."""


@dataclass(frozen=True)
class Seeds:
    """Path in the repository to content."""

    files: Mapping[str, str]


def seeded(root: Path, repository: str, list_: Path = LIST, words: Mapping[str, str] | None = None) -> Seeds:
    """The seeds of a repository, from the list of the project that lies in `root`. `words` are replaced in all files:
    what cannot be said by a variable.

    Raises:
        SeedsError: as `listed`, or a file that is not UTF-8.
    """
    files = {path: _text(root, own, list_) for path, own in listed(root, repository, list_).items()}
    for old, new in (words or {}).items():
        files = {path: content.replace(old, new) for path, content in files.items()}
    return Seeds(files)


def listed(root: Path, repository: str, list_: Path = LIST) -> dict[str, str]:
    """Path in the repository to path in the project, in order.

    Raises:
        SeedsError: no list, no such repository in it, or a pattern that matches nothing.
    """
    if not (root / list_).is_file():
        raise SeedsError(f"{list_} is missing; restore it, or set aks-cicd:delivery.home.seed to false")
    lists = yaml.safe_load((root / list_).read_text("utf-8"))
    if not isinstance(lists, Mapping) or repository not in lists:
        raise SeedsError(f"{list_} lists no repository {repository}; add it, with the patterns of its files")
    files = {
        entry.get("into", "") + path.removeprefix(entry.get("without", "")): path
        for entry in lists[repository]
        for path in _matching(root, entry["files"], list_)
    }
    return dict(sorted(files.items()))


def _matching(root: Path, pattern: Any, list_: Path) -> Iterator[str]:
    found = sorted(path for path in root.glob(str(pattern)) if path.is_file() and _shown(path, root))
    if not found:
        raise SeedsError(f"{list_}: {pattern} matches no file; mend the pattern or remove it")
    yield from (path.relative_to(root).as_posix() for path in found)


def _shown(path: Path, root: Path) -> bool:
    """Neither what Python and its tools leave behind, nor a link."""
    parts = path.relative_to(root).parts
    left_behind = any(part == "__pycache__" or part.endswith((".egg-info", "_cache")) for part in parts)
    return not left_behind and not path.is_symlink()


def _text(root: Path, path: str, list_: Path) -> str:
    try:
        return (root / path).read_text("utf-8")
    except UnicodeDecodeError:
        raise SeedsError(f"{list_}: {path} is no text in UTF-8; a repository is seeded with text only") from None
