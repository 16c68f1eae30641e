"""What the deploy identity may write in its namespace, by the data actions of its role (`chart_role.yaml`); pure.

How a request becomes a data action is that of github.com/Azure/guard (authz/providers/azure/rbac): the API group, if
there is one, then the resource's plural, then read, write (create, update, patch) or delete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROLE: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))

NEEDED = ("read", "write", "delete")
"""A release is made, waited for, changed, and removed when the first one fails."""


def resource(api_version: str, kind: str) -> str:
    """`apps/deployments` of a Deployment; the plural as all kinds have it that the role names."""
    group = api_version.rpartition("/")[0]
    name = kind.lower()
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}es" if name.endswith("s") else f"{name}s"
    return f"{group}/{plural}" if group else plural


def missing(manifest: Mapping[str, Any], actions: Iterable[str]) -> list[str]:
    """What a release needs for an object and the role does not give."""
    name = resource(manifest["apiVersion"], manifest["kind"])
    given = set(actions)
    return [f"{name}/{verb}" for verb in NEEDED if not given & {f"{name}/{verb}", f"{name}/*"}]
