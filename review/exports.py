"""Source: two stack exports, one from before and one from after.

What the engine would do stands in neither, so `compare` judges that by what the cloud is known to change in place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from review.compare import State, compare
from review.errors import ReviewError
from review.model import Changes

VERSIONS: Final = (3, 4)
"""Of the engine's deployment format. 4 adds features that say nothing about a resource."""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Raises ReviewError for what is no export, is of another version, or of another project."""
    return compare(states(before, "before"), states(after, "after"))


def read(path: Path) -> dict[str, Any]:
    """A stack export from a file. Raises ReviewError."""
    found = read_json(path)
    states(found, str(path))
    return dict(found)


def read_json(path: Path) -> Mapping[str, Any]:
    """An object of JSON from a file. Raises ReviewError."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ReviewError(f"{path} cannot be read: {error.strerror}. Name a file that exists.") from None
    except ValueError as error:  # of JSON, or of UTF-8
        raise ReviewError(f"{path} is not one document of JSON: {error}. Was it written to the end?") from None
    if not isinstance(found, Mapping):
        raise ReviewError(f"{path} holds no object of JSON. Name a stack export, or what `preview --json` writes.")
    return found


def states(export: Mapping[str, Any], called: str) -> Sequence[State]:
    """The resources of an export. Raises ReviewError."""
    deployment = export.get("deployment")
    if "version" not in export or not isinstance(deployment, Mapping):
        raise ReviewError(f"{called} is no stack export. Write one with: pulumi stack export --stack <stack>")
    if export["version"] not in VERSIONS:
        raise ReviewError(
            f"{called} is a stack export of version {export['version']}; "
            f"{' and '.join(map(str, VERSIONS))} can be read. Write it again with the Pulumi CLI of this project."
        )
    found = deployment.get("resources") or []
    if not all(isinstance(each, Mapping) and {"urn", "type"} <= each.keys() for each in found):
        raise ReviewError(f"{called} has a resource without a URN or a type: it is damaged. Export the stack again.")
    return list(found)
