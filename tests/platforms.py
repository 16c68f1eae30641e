"""The shipped stacks on GitHub: their files with the sections of delivery exchanged, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.stackfiles import STACKS, Config, edited, shipped

OWNER, APPLICATION, PLATFORM = "example", "shop", "platform"
OWNER_ID, APPLICATION_ID, TEAM = 4711, 815, 42
PREFIX = f"repo:{OWNER}@{OWNER_ID}/{APPLICATION}@{APPLICATION_ID}"
RUNNERS = "inside-prod"
TOKEN = "ghp_" + "0123456789" * 3 + "012345"
"""As GitHub's look; leads nowhere."""

EDITS: Mapping[str, Mapping[str, Any]] = {
    "staging": {
        "delivery": {
            "platform": "github",
            "github": {"owner": OWNER},
            "home": {
                "repositories": {
                    "application": APPLICATION,
                    "subject": "immutable",
                    "ownerId": OWNER_ID,
                    "applicationId": APPLICATION_ID,
                }
            },
        }
    },
    "prod": {
        "delivery": {"platform": "github", "github": {"owner": OWNER, "approverTeams": [TEAM]}},
        "agents": {"kind": "selfHosted", "label": RUNNERS},
    },
}


def on_github(stack: str, new: Mapping[str, Any] | None = None) -> Config:
    """A shipped stack file on GitHub, with further edits."""
    return edited(edited(shipped(stack), EDITS[stack]), new or {})


CONFIGS: Mapping[str, Config] = {stack: on_github(stack) for stack in STACKS}
