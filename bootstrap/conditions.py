"""Conditions that narrow a role: which roles somebody may hand on, and which blobs he may write.

Written in the language of Azure's role assignment conditions. Pure text; `access.grant` sends it.
"""

from __future__ import annotations

from collections.abc import Iterable

_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

WRITES = ("write", "add/action", "delete", "move/action")
"""What the role Storage Blob Data Contributor may do with a blob beside reading it."""


def hands_on_only(role_ids: Iterable[str]) -> str:
    """Grants and takes away these roles and no others; ids are the GUIDs of their definitions.

    Raises ValueError for no role at all: a condition without one would be none.
    """
    roles = sorted(role_ids)
    if not roles:
        raise ValueError("a condition names at least one role")
    listed = "{" + ", ".join(roles) + "}"
    return " AND ".join(
        f"((!(ActionMatches{{'{_ASSIGNMENTS}/{action}'}})) OR "
        f"(@{source}[{_ASSIGNMENTS}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {listed}))"
        for action, source in (("write", "Request"), ("delete", "Resource"))
    )


def writes_only(paths: Iterable[str]) -> str:
    """Writes, moves and deletes only blobs whose path is like one of these (`*` is any text); reads all."""
    others = " AND ".join(f"!(ActionMatches{{'{_BLOBS}/{action}'}})" for action in WRITES)
    own = " OR ".join(f"@Resource[{_BLOBS}:path] StringLike '{path}'" for path in paths)
    return f"(({others}) OR ({own}))"


def state_of(project: str, stack: str) -> tuple[str, ...]:
    """Where the engine keeps one stack in a container: its state, what came before, copies, and the lock on it."""
    return (
        f".pulumi/stacks/{project}/{stack}.json*",
        f".pulumi/history/{project}/{stack}/*",
        f".pulumi/backups/{project}/{stack}/*",
        f".pulumi/locks/organization/{project}/{stack}/*",
    )
