"""What rules see: a resource, and the stack that it stands in, as plain data.

The data come from an export of a stack or, by way of the policy pack, from the engine. The engine tells no ids of
resources, and before an update many values are not known; so whatever hangs together is found by the dependencies that
the engine keeps for every property, and by ids only where these are known too. A rule that asks for a value that nobody
knows yet is stopped by `NotKnownError`: it is not broken, it cannot be judged.

What it does not do: it judges nothing, and it knows no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final


class _Unknown:
    def __repr__(self) -> str:
        return "(not known)"


UNKNOWN: Final = _Unknown()
"""Stands for a value that is known after the update only."""

Properties = Mapping[str, Any]
"""What a resource says, in camelCase as the engine has it."""


class NotKnownError(Exception):
    """A rule asked for a value that is not known before the update; the message is its path."""


def kind(type_: str) -> str:
    """The type without provider and version: `network:Subnet`, `devops:Environment`, `kubernetes:Namespace`."""
    package, _, rest = type_.partition(":")
    module, _, name = rest.rpartition(":")
    if package == "azure-native":
        return f"{module.partition('/')[0]}:{name}"
    return f"{'devops' if package == 'azuredevops' else package}:{name}"


def each(properties: Any, path: str) -> Iterator[Any]:
    """The values at a dotted path; `*` stands for every entry of a list or a mapping. What is missing has no value.

    Raises NotKnownError.
    """
    yield from _each(properties, path.split("."), path)


def _each(value: Any, parts: Sequence[str], path: str) -> Iterator[Any]:
    if value is UNKNOWN:
        raise NotKnownError(path)
    if not parts:
        yield value
    elif parts[0] == "*":
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        for one in inner:
            yield from _each(one, parts[1:], path)
    elif isinstance(value, Mapping) and parts[0] in value:
        yield from _each(value[parts[0]], parts[1:], path)


def get(properties: Properties, path: str) -> Any:
    """The one value at a dotted path, None where there is none. Raises NotKnownError."""
    return next(each(properties, path), None)


def production(properties: Properties) -> bool:
    """Whether a resource belongs to production, which its tags say."""
    return bool(get(properties, "tags.tier") == "production")


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of a stack."""

    urn: str
    type: str
    properties: Properties = field(default_factory=dict)
    """What it says and what the cloud has answered."""
    inputs: Properties = field(default_factory=dict)
    """What it says."""
    id: str = ""
    """Empty where nobody tells."""
    protect: bool = False
    delete_first: bool = False
    """Whether a replacement waits for the deletion; the engine tells in an update, a state does not."""
    after: frozenset[str] = frozenset()
    """URNs of what had to be there first."""
    made_from: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """URNs of what each input is made from."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def kind(self) -> str:
        return kind(self.type)

    def get(self, path: str) -> Any:
        """The one value at a dotted path, None where there is none. Raises NotKnownError."""
        return next(self.each(path), None)

    def each(self, path: str) -> Iterator[Any]:
        """The values at a dotted path. Raises NotKnownError, also for a resource of which nothing is known yet."""
        if not self.properties:
            raise NotKnownError(f"{self.name}.{path}")
        yield from each(self.properties, path)

    def text(self, path: str) -> str:
        """The text at a path, as far as it is there and known."""
        try:
            found = self.get(path)
        except NotKnownError:
            return ""
        return found if isinstance(found, str) else "" if found is None else str(found)


def _id(resource: Resource) -> str:
    return resource.id


class Stack:
    """The resources of one stack."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        # The engine keeps them in the order in which they were ready, which no two runs share.
        self.resources = tuple(sorted(resources, key=lambda one: one.urn))

    @classmethod
    def of_export(cls, export: Mapping[str, Any]) -> Stack:
        """The stack of an export as `pulumi stack export` writes it."""
        raw = export["deployment"].get("resources", ())
        return cls(_exported(one) for one in raw if not one.get("delete"))

    def of(self, *kinds: str) -> tuple[Resource, ...]:
        return tuple(one for one in self.resources if one.kind in kinds)

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return {one.urn: one for one in self.resources}

    @cached_property
    def production(self) -> bool:
        return any(production(one.properties) for one in self.of("resources:ResourceGroup"))

    def linked(
        self, resource: Resource, path: str, *kinds: str, answer: Callable[[Resource], str] = _id
    ) -> Resource | None:
        """The resource of these kinds that an input names, by its id or by what `answer` gives.

        None where the input names something else, such as a resource of another stack.
        """
        value = resource.text(path).lower()
        candidates = self.of(*kinds)
        if value:
            named = [one for one in candidates if _names(value, answer(one).lower())]
            if named:
                return max(named, key=lambda one: len(answer(one)))
        sources = resource.made_from.get(path.partition(".")[0], frozenset())
        unclear = (one for one in candidates if one.urn in sources and not (value and answer(one)))
        return next(unclear, None)

    def before(self, resource: Resource) -> frozenset[str]:
        """URNs of all that must be there before a resource, directly or by way of others."""
        if resource.urn not in self._before:
            seen: set[str] = set()
            open_ = [resource]
            while open_:
                current = open_.pop()
                for urn in current.after.union(*current.made_from.values()) - seen:
                    seen.add(urn)
                    if urn in self.by_urn:
                        open_.append(self.by_urn[urn])
            self._before[resource.urn] = frozenset(seen)
        return self._before[resource.urn]

    @cached_property
    def _before(self) -> dict[str, frozenset[str]]:
        return {}


def _names(value: str, answer: str) -> bool:
    """Whether a value is what a resource is called, something below it, or the last part of its id."""
    below = value.startswith(f"{answer}/") or ("/" not in value and answer.endswith(f"/{value}"))
    return bool(answer) and (value == answer or below)


def _exported(raw: Mapping[str, Any]) -> Resource:
    inputs, outputs = raw.get("inputs", {}), raw.get("outputs", {})
    return Resource(
        urn=raw["urn"],
        type=raw["type"],
        properties={**outputs, **inputs},
        inputs=inputs,
        id=str(raw.get("id", "")),
        protect=bool(raw.get("protect")),
        after=frozenset(raw.get("dependencies") or ()),
        made_from={key: frozenset(urns or ()) for key, urns in (raw.get("propertyDependencies") or {}).items()},
    )


def arm_type(id: str) -> str:
    """The type of the resource that an Azure id names: `Microsoft.KeyVault/vaults`. Empty for what is above one."""
    _, provider, below = id.rpartition("/providers/")
    namespace, *parts = below.split("/")
    return "/".join((namespace, *parts[::2])) if provider else ""
