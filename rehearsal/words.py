"""Small words that the tree, the summary and the drawing share."""

from __future__ import annotations

from typing import Any


def last(id_: Any) -> str:
    """The name at the end of an ARM id."""
    return str(id_).rstrip("/").rsplit("/", 1)[-1] if id_ else ""


def scope_name(scope: Any) -> str:
    """The last name of the scope of a grant; for what is no single resource, also what it is."""
    parts = str(scope or "").strip("/").split("/")
    match [part.lower() for part in parts]:
        case ["subscriptions", _]:
            return f"subscription {parts[1]}"
        case ["subscriptions", _, "resourcegroups", _]:
            return f"resource group {parts[3]}"
        case [*_, "managedclusters", _, "namespaces", _]:
            return f"namespace {parts[-1]} of {parts[-3]}"
    return parts[-1]


def count(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def counted(values: Any, one: str) -> str:
    return count(len(values or []), one)


def after(label: str, value: Any, unit: str = "") -> str:
    return f"{label} {value}{unit}" if value not in (None, "", [], {}) else ""


def joined(values: Any) -> str:
    return " ".join(map(str, values)) if isinstance(values, list) else ""
