"""What every request must look like, whatever its type: its place, property names that ARM knows, tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.kinds import Request

# Below these the keys are the user's own words, not property names.
_FREE_KEYS = frozenset(
    {
        "tags",
        "nodeLabels",
        "config",
        "identityProfile",
        "userAssignedIdentities",
        "addonProfiles",
        "annotations",
        "labels",
        "actionProperties",
        "customProperties",
        "webhookProperties",
        "labelIncludeFilter",
        "streamDeclarations",
        "extensionSettings",
        "additionalExtensionProperties",
    }
)
_SNAKE = re.compile(r"^[a-z0-9]+(_[a-z0-9]+)+$")


def check_shape(request: Request) -> None:
    for key in request.kind.required:
        if not request.given(key):
            raise CloudError("InvalidRequestContent", f"The request for {request.id} lacks the property '{key}'.")
    if request.kind.located and not request.given("location"):
        raise CloudError("LocationRequired", f"The location property is required for {request.id}.")
    for path in snake_paths(request.inputs, ""):
        # The SDK translates argument classes, but leaves the keys of a plain dictionary in a union alone.
        raise CloudError(
            "InvalidRequestContent",
            f"Could not find member '{path}' on {request.kind.arm_type}: names are camelCase.",
        )
    _check_tags(request)


def snake_paths(value: Any, path: str) -> Iterator[str]:
    """The paths of property names that are written in snake case."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            if _SNAKE.match(str(key)):
                yield f"{path}{key}"
            if key not in _FREE_KEYS:
                yield from snake_paths(child, f"{path}{key}.")
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from snake_paths(child, path)


def _check_tags(request: Request) -> None:
    tags = request.get("tags", {})
    if len(tags) > 50:
        raise CloudError("InvalidTagsCount", f"{request.id} has {len(tags)} tags; allowed are 50.")
    for key, value in tags.items():
        if len(key) > 512 or re.search(r"[<>%&\\?/]", key):
            raise CloudError(
                "InvalidTagNameCharacters",
                f"The tag name '{key}' has characters of '<>%&\\?/' or is too long.",
            )
        if isinstance(value, str) and len(value) > 256:
            raise CloudError("InvalidTagValueLength", f"The value of tag '{key}' has more than 256 characters.")
