"""A flat program, as data: the custom resources of a stack export, one after another.

What a property takes from another resource stays an output: an input that equals the id or a top-level output of
one of the resources that the export names as its dependencies becomes `Taken`, any other dependent input
`Computed`. So the engine sees the same graph, and the flat program waits for the same values. Components are left
out; what a component waited for, its children now wait for by themselves.

What it does not keep: parents, protection and ignored changes, because none of them changes what a first update
does. Secrets keep their content where the export shows it (it is the stand-in's, and opens nothing): a kubeconfig
decides which cluster a provider talks to.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rehearsal.run import SECRET, STACK_TYPE, plain

PROVIDER: Final = "pulumi:providers:"
_ENGINES_OWN: Final = frozenset({"version", "__internal"})
"""Inputs of providers that the SDK sends as options and the engine stores among the inputs."""


@dataclass(frozen=True)
class Taken:
    """The id, or a top-level output, of another resource; `value` is what it came to."""

    urn: str
    output: str
    value: str


@dataclass(frozen=True)
class Computed:
    """A value that is known only when other resources are."""

    value: Any
    urns: tuple[str, ...]
    secret: bool = False


@dataclass(frozen=True)
class Declaration:
    """One resource of the flat program. `urn` is the one that it has in the export."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    provider: str | None
    depends_on: tuple[str, ...]
    adopts: str | None = None
    """Id of what was there already, for a resource that was imported and not made."""


@dataclass(frozen=True)
class Flat:
    """Declarations in an order in which each comes after what it refers to, and the stack's outputs."""

    declarations: tuple[Declaration, ...]
    outputs: Mapping[str, Any]


def flatten(export: Mapping[str, Any]) -> Flat:
    """The flat program of an export. The engine keeps resources in an order that respects their dependencies."""
    states = [state for state in export["deployment"]["resources"] if not state.get("delete")]
    by_urn = {state["urn"]: state for state in states}
    custom = [state for state in states if state.get("custom") and not _made_by_engine(state)]
    known = {state["urn"] for state in custom}
    names = _names(custom)
    declarations = tuple(
        Declaration(
            urn=state["urn"],
            type=state["type"],
            name=names[state["urn"]],
            inputs={
                key: _linked(value, state.get("propertyDependencies", {}).get(key) or (), by_urn)
                for key, value in inputs(state).items()
            },
            provider=_provider(state, known),
            depends_on=tuple(urn for urn in _waits_for(state, by_urn) if urn in known),
            adopts=state.get("importID"),
        )
        for state in custom
    )
    stack: Mapping[str, Any] = next((state for state in states if state["type"] == STACK_TYPE), {})
    ids = {state["id"]: Taken(state["urn"], "id", state["id"]) for state in custom if state.get("id")}
    return Flat(declarations, _replaced(plain(stack.get("outputs") or {}), ids))


def inputs(state: Mapping[str, Any]) -> dict[str, Any]:
    """What the program said: the inputs without what the engine adds, sealed values still sealed."""
    found = dict(state.get("inputs") or {})
    if not _is_provider(state):
        return found
    # Providers get what is not text as JSON. An object stays as it is: it may be a text that holds one.
    return {key: _from_json(value) for key, value in found.items() if key not in _ENGINES_OWN}


def values(linked: Any) -> Any:
    """`linked` with what was taken or computed put back: the inputs as the engine stores them."""
    if isinstance(linked, Taken | Computed):
        return linked.value
    if isinstance(linked, Mapping):
        return {key: values(inner) for key, inner in linked.items()}
    return [values(inner) for inner in linked] if isinstance(linked, list) else linked


def references(linked: Any) -> Iterator[str]:
    """The urns of all resources that `linked` takes something from."""
    if isinstance(linked, Taken):
        yield linked.urn
    elif isinstance(linked, Computed):
        yield from linked.urns
    elif isinstance(linked, Mapping | list):
        for inner in linked.values() if isinstance(linked, Mapping) else linked:
            yield from references(inner)


def differences(ours: Mapping[str, Any], flat: Mapping[str, Any]) -> list[str]:
    """What one export has and the other has not, among custom resources, their inputs, and the resources that each
    input comes from; empty: alike."""
    left, right = _custom(ours), _custom(flat)
    found = [f"only in the program: {key}" for key in sorted(left.keys() - right.keys())]
    found += [f"only in the flat program: {key}" for key in sorted(right.keys() - left.keys())]
    return found + [f"other inputs: {key}" for key in sorted(left.keys() & right.keys()) if left[key] != right[key]]


def _custom(export: Mapping[str, Any]) -> dict[str, Any]:
    states = [state for state in export["deployment"]["resources"] if state.get("custom")]
    # A provider's id is made up anew in every run, and its logical name stays. URNs name components.
    keys = {
        state["urn"]: f"{state['type']} {state['urn'].rsplit('::', 1)[-1] if _is_provider(state) else state['id']}"
        for state in states
    }
    return {
        keys[state["urn"]]: (
            _opened(inputs(state)),
            {
                key: {keys[urn] for urn in urns or () if urn in keys}
                for key, urns in (state.get("propertyDependencies") or {}).items()
            },
        )
        for state in states
    }


def _linked(value: Any, urns: Sequence[str], by_urn: Mapping[str, Mapping[str, Any]]) -> Any:
    sources = [urn for urn in urns if by_urn[urn].get("custom")]
    shown = _opened(value)
    if shown != value:
        return Computed(shown, tuple(sources), secret=True)
    if not sources:
        return value
    takings: dict[str, Taken] = {}
    for urn in reversed(sources):
        takings |= _offered(by_urn[urn])
    linked = _replaced(value, takings)
    return linked if set(references(linked)) == set(sources) else Computed(value, tuple(sources))


def _opened(value: Any) -> Any:
    """The value with its secrets in plain text, or marked as such where the export has sealed them."""
    if isinstance(value, Mapping):
        if "plaintext" in value and plain(value) == SECRET:
            return json.loads(value["plaintext"])
        return {key: _opened(inner) for key, inner in value.items()} if plain(value) != SECRET else SECRET
    return [_opened(inner) for inner in value] if isinstance(value, list) else value


def _offered(state: Mapping[str, Any]) -> dict[str, Taken]:
    """What others may take, by value; the id wins over the name, and both over any other output."""
    texts = {key: text for key, text in plain(state.get("outputs") or {}).items() if isinstance(text, str)}
    texts.pop("id", None)
    ranked = sorted(texts, key=lambda key: (key != "name", key), reverse=True)
    offered = {texts[key]: Taken(state["urn"], key, texts[key]) for key in ranked if texts[key] not in ("", SECRET)}
    return offered | {state["id"]: Taken(state["urn"], "id", state["id"])}


def _replaced(value: Any, takings: Mapping[str, Taken]) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(inner, takings) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, takings) for inner in value]
    return takings.get(value, value) if isinstance(value, str) else value


def _waits_for(state: Mapping[str, Any], by_urn: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Dependencies that no input implies, and those of the components around the resource."""
    implied = {urn for urns in (state.get("propertyDependencies") or {}).values() for urn in urns or ()}
    waits = dict.fromkeys(urn for urn in state.get("dependencies") or () if urn not in implied)
    above = by_urn.get(state.get("parent", ""))
    while above and not above.get("custom"):
        waits |= dict.fromkeys(urn for urn in above.get("dependencies") or () if urn not in implied)
        above = by_urn.get(above.get("parent", ""))
    return list(waits)


def _names(custom: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Logical names; without their parents some would be the same, and these get their parent's name in front."""
    short = {state["urn"]: state["urn"].rsplit("::", 1)[-1] for state in custom}
    taken = Counter((state["type"], short[state["urn"]]) for state in custom)
    for state in custom:
        if taken[state["type"], short[state["urn"]]] > 1:
            short[state["urn"]] = f"{state['parent'].rsplit('::', 1)[-1]}-{short[state['urn']]}"
    return short


def _provider(state: Mapping[str, Any], known: set[str]) -> str | None:
    urn = str(state.get("provider", "")).rpartition("::")[0]
    return urn if urn in known else None


def _made_by_engine(state: Mapping[str, Any]) -> bool:
    """Default providers: the engine makes them by itself, for whoever names none."""
    return _is_provider(state) and not state.get("parent")


def _is_provider(state: Mapping[str, Any]) -> bool:
    return str(state["type"]).startswith(PROVIDER)


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, bool | list) else value
