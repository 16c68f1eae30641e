"""What a stack tells once it is up: its export, from a file or from the backend that Pulumi is logged in to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operations.errors import OperationsError


def up(told: Mapping[str, Any], stack: str) -> None:
    """Raises OperationsError where these are not the outputs of the stack, once it is up."""
    contract = told.get("contract")
    if not isinstance(contract, Mapping):
        raise OperationsError(f"The stack {stack} is not up yet. Run pulumi up --stack {stack} first.")
    if (environment := str(contract.get("environment", ""))) != stack:
        raise OperationsError(f"That is the export of {environment}, and not of {stack}. Export the right stack.")


def outputs_of(export: Mapping[str, Any], stack: str) -> Mapping[str, Any]:
    """The outputs of a stack, from its export."""
    try:
        states = export["deployment"]["resources"] or []
        root: Mapping[str, Any] = next((each for each in states if each["type"] == "pulumi:pulumi:Stack"), {})
        return dict(root.get("outputs") or {})
    except (KeyError, TypeError):
        raise OperationsError(
            f"That is no export of {stack}. Write one: pulumi stack export --stack {stack} --file <file>."
        ) from None


def read_export(path: Path) -> dict[str, Any]:
    """Raises OperationsError where there is none."""
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OperationsError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise OperationsError(f"{path} is no export: it is no JSON. Write it by pulumi stack export.") from None
    return found


def ask_backend(root: Path, stack: str) -> dict[str, Any]:
    """The export of a stack from the backend that Pulumi is logged in to. Secrets stay sealed."""
    command = ["pulumi", "stack", "export", "--stack", stack, "--non-interactive"]
    try:
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=True)
    except FileNotFoundError:
        raise OperationsError("There is no pulumi on PATH. Install it, or give an export: EXPORT=<file>.") from None
    except subprocess.TimeoutExpired:
        raise OperationsError("pulumi stack export gave no answer within five minutes.") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        raise OperationsError(f"pulumi stack export failed: {said[0] if said else 'it says nothing'}") from None
    found: dict[str, Any] = json.loads(answer.stdout)
    return found
