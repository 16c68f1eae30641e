"""The two repositories as pipelines see them, laid over this project's directory.

What each holds is what it is seeded with (`pipelines/seeds.yaml`): a file that is not listed there is in no repository,
and a pipeline that names it finds nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from components.delivery import seeds
from rehearsal.errors import RehearsalError
from rehearsal.pipelines.nodes import Node, load

SEEDS: Final = seeds.LIST.as_posix()


@dataclass(frozen=True)
class Origin:
    """A file of a repository."""

    repository: str
    path: str

    def beside(self, path: str) -> Origin:
        """Another file of the same repository: from its root with a leading slash, else from this file's directory."""
        joined = path.lstrip("/") if path.startswith("/") else posixpath.join(posixpath.dirname(self.path), path)
        return Origin(self.repository, posixpath.normpath(joined))


class Sources:
    """Files by repository and path."""

    def __init__(self, root: Path) -> None:
        """RehearsalError when the list of seeds cannot be followed."""
        self.root = root
        try:
            self._files = {
                repository: {path: root / own for path, own in seeds.listed(root, repository).items()}
                for repository in yaml.safe_load((root / SEEDS).read_text("utf-8"))
            }
        except (OSError, seeds.SeedsError, yaml.YAMLError) as error:
            raise RehearsalError(f"{SEEDS} cannot be read ({error}); it lists what each repository holds") from None
        self._loaded: dict[str, Node] = {}

    def find(self, origin: Origin) -> Path | None:
        """Where a file of a repository lies here; None when it has no such file."""
        return self._files.get(origin.repository, {}).get(origin.path)

    def of(self, repository: str) -> Iterator[tuple[Origin, Path]]:
        """Every file of a repository."""
        return ((Origin(repository, path), file) for path, file in self._files.get(repository, {}).items())

    def name(self, path: Path) -> str:
        """What findings call a file."""
        return path.relative_to(self.root).as_posix()

    def load(self, path: Path) -> Node:
        """The document of a YAML file, read once. YamlError when it is none."""
        name = self.name(path)
        if name not in self._loaded:
            self._loaded[name] = load(path, name)
        return self._loaded[name]
