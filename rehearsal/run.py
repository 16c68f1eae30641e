"""What one operation of the engine did, as plain data: collected from its event stream.

Secrets and values that are not known yet appear as :data:`SECRET` and :data:`UNKNOWN`; the engine masks
them before they get here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

SECRET: Final = "[secret]"
UNKNOWN: Final = "[unknown]"
STACK_TYPE: Final = "pulumi:pulumi:Stack"

_SECRET_KEY: Final = "4dabf18193072939515e22adb298388d"
_UNKNOWN_VALUE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNCHANGED: Final = frozenset({"same", "read"})
_UNHANDLED: Final = "an unhandled error occurred: "
_ECHOES: Final = frozenset({"update failed", "preview failed", "resource monitor shut down"})
"""What the engine says after the error that matters; alone, they are better than nothing."""


@dataclass(frozen=True)
class Step:
    """One step on one resource. `diff` maps property paths to kinds, such as ``update-replace``."""

    op: str
    type: str
    urn: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    outputs: Mapping[str, Any] | None
    diff: Mapping[str, str]
    custom: bool = True
    was: str = ""
    """Its URN before, where an alias leads from another one."""

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True)
class Run:
    """One operation on one stack."""

    stack: str
    operation: str
    seconds: float
    steps: tuple[Step, ...]
    changes: Mapping[str, int]
    outputs: Mapping[str, Any]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def quiet(self) -> bool:
        """Nothing was, or would be, changed."""
        return not self.errors and all(op in _UNCHANGED for op, count in self.changes.items() if count)

    def changed(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.op not in _UNCHANGED)


class _Event(Protocol):
    """The parts of the SDK's `EngineEvent` that are read here."""

    diagnostic_event: Any
    summary_event: Any
    resource_pre_event: Any
    res_outputs_event: Any
    res_op_failed_event: Any


@dataclass
class Collector:
    """Takes the engine's events one by one. Used by one thread at a time, as the SDK delivers them."""

    stack: str
    operation: str
    watch: Callable[[int, str], None] = lambda count, name: None
    _steps: dict[tuple[str, str], Step] = field(default_factory=dict)
    _finished: set[tuple[str, str]] = field(default_factory=set)
    _changes: dict[str, int] = field(default_factory=dict)
    _warnings: dict[str, None] = field(default_factory=dict)
    _errors: dict[str, None] = field(default_factory=dict)

    def see(self, event: _Event) -> None:
        if event.diagnostic_event is not None:
            self._diagnostic(event.diagnostic_event)
        elif event.summary_event is not None:
            changes = event.summary_event.resource_changes
            self._changes = {_text(op): count for op, count in changes.items()}
        elif event.resource_pre_event is not None:
            step = _step(event.resource_pre_event.metadata)
            self._steps[step.urn, step.op] = step
        elif event.res_outputs_event is not None:
            self._done(_step(event.res_outputs_event.metadata))
        elif event.res_op_failed_event is not None:
            self._done(_step(event.res_op_failed_event.metadata))

    def run(self, seconds: float, failure: str | None) -> Run:
        """What was seen; `failure` is the whole output of a CLI that failed, for want of a better error."""
        errors = condensed(tuple(self._errors)) or ((failure.strip(),) if failure else ())
        steps = tuple(self._steps.values())
        stack = next((step for step in reversed(steps) if step.type == STACK_TYPE), None)
        return Run(
            stack=self.stack,
            operation=self.operation,
            seconds=seconds,
            steps=steps,
            changes=self._changes,
            outputs=(stack.outputs if stack else None) or {},
            warnings=tuple(self._warnings),
            errors=errors if failure else (),
        )

    def _done(self, step: Step) -> None:
        # A refresh announces `refresh` and ends with what it found: same, update or delete.
        self._steps.pop((step.urn, "refresh"), None)
        self._steps[step.urn, step.op] = step
        self._finished.add((step.urn, step.op))
        self.watch(len(self._finished), step.name)

    def _diagnostic(self, event: Any) -> None:
        text = str(event.message).strip()
        if event.severity == "warning":
            self._warnings[text] = None
        elif event.severity == "error":
            self._errors[f"{_resource(event.urn)}{text}"] = None


def condensed(errors: tuple[str, ...]) -> tuple[str, ...]:
    """The errors without the engine's repetitions of them."""
    echoed = {_UNHANDLED + error for error in errors}
    telling = tuple(error for error in errors if error not in echoed)
    return tuple(error for error in telling if error.rsplit(": ", 1)[-1] not in _ECHOES) or telling


def plain(value: Any) -> Any:
    """`value` with the engine's own marks for secrets and unknowns made readable."""
    if isinstance(value, Mapping):
        return SECRET if _SECRET_KEY in value else {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return UNKNOWN if value == _UNKNOWN_VALUE else value


def may_come_to(found: Any, value: Any) -> bool:
    """Whether what a preview found may turn out to be `value`: what is not known yet may turn out to be anything."""
    if found == UNKNOWN:
        return True
    if isinstance(found, Mapping) and isinstance(value, Mapping):
        return found.keys() == value.keys() and all(may_come_to(found[key], value[key]) for key in found)
    if isinstance(found, list) and isinstance(value, list):
        return len(found) == len(value) and all(map(may_come_to, found, value))
    return bool(found == value)


def _step(metadata: Any) -> Step:
    old, new = metadata.old, metadata.new
    state = new or old
    return Step(
        op=_text(metadata.op),
        type=metadata.type,
        urn=metadata.urn,
        old=plain(old.inputs) if old else None,
        new=plain(new.inputs) if new else None,
        outputs=plain(new.outputs) if new else None,
        diff={path: _text(diff.diff_kind) for path, diff in (metadata.detailed_diff or {}).items()},
        custom=bool(state and state.custom),
        was=old.urn if old and new and old.urn != new.urn else "",
    )


def _text(value: Any) -> str:
    """The SDK gives operations and kinds as enums, or as text where it does not know them."""
    return str(getattr(value, "value", value))


def _resource(urn: str | None) -> str:
    if not urn or f"::{STACK_TYPE}::" in urn:
        return ""
    type_, name = urn.rsplit("::", 2)[-2:]
    return f"{name} ({type_.rsplit('$', 1)[-1]}): "
