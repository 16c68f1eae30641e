"""What a resource type of Azure DevOps is to the stand-in: data, and a few functions over one request.

As for Azure, `shape` rules look at the inputs alone and run in a preview too, `world` rules look at what exists.
`links` do two things at once: what they name must exist when the resource is written, and cannot be deleted before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.values import blocks, lookup, texts
from rehearsal.cloud.world import Resource

if TYPE_CHECKING:
    from rehearsal.cloud.azuredevops.organization import Organization


@dataclass(frozen=True)
class Request:
    """One create or update as a rule sees it. `old` is the resource before an update; `id` is the one it will have."""

    kind: DevOpsKind
    id: str
    name: str
    inputs: Mapping[str, Any]
    there: Organization
    old: Resource | None = None

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a dotted path, or the default when it is absent or unknown."""
        value = lookup(self.inputs, path)
        return default if value is None or value is UNKNOWN else value

    def text(self, path: str) -> str:
        """The value at a path as text; empty when it is absent or unknown."""
        return str(self.get(path, ""))

    def given(self, path: str) -> bool:
        """Whether anything stands at a path, known or not."""
        return lookup(self.inputs, path) is not None

    def blocks(self, path: str) -> Iterable[Mapping[str, Any]]:
        return blocks(self.inputs, path)

    def texts(self, path: str) -> list[str]:
        return texts(self.inputs, path)

    @property
    def project(self) -> str:
        return self.text("projectId")

    def others(self) -> Iterable[Resource]:
        """The other resources of this kind in the same project."""
        return (
            found
            for found in self.there.of(self.kind.token)
            if found.id != self.id and same(found.inputs.get("projectId"), self.inputs.get("projectId"))
        )


Rule: TypeAlias = Callable[[Request], None]
Compute: TypeAlias = Callable[[Request], dict[str, Any]]
Holds: TypeAlias = Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
Leaving: TypeAlias = "Callable[[Organization, Resource], None]"


def _nothing(request: Request) -> dict[str, Any]:
    return {}


def _brings_nothing(request: Request) -> Iterable[Resource]:
    return ()


def _holds_nothing(inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return ()


@dataclass(frozen=True)
class DevOpsKind:
    """One resource type.

    `name_input` is what a person calls it by; a kind that is `autonamed` gets a name from the provider when none is
    given. `identify` makes the id; without it the id is a GUID, or a number where `numbered`. `links` say which kind
    an id at a path must lead to (`[*]` stands for any list index); `holds` are the kinds and ids of what else cannot be
    deleted before it. `defaults` are the provider's, as they show in outputs. `unique` is the refusal of a second one
    of a name in a project. `brings` is what the service makes along. `leaving` rules may refuse a delete.
    """

    token: str
    required: tuple[str, ...] = ()
    name_input: str | None = None
    autonamed: bool = False
    numbered: bool = False
    identify: Callable[[Request], str] | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    holds: Holds = _holds_nothing
    force_new: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unique: tuple[str, str] | None = None
    compute: Compute = _nothing
    brings: Callable[[Request], Iterable[Resource]] = _brings_nothing
    shape: tuple[Rule, ...] = ()
    world: tuple[Rule, ...] = ()
    leaving: tuple[Leaving, ...] = ()


def token(name: str) -> str:
    """The type token of a resource class of the provider's SDK."""
    return f"azuredevops:index/{name[0].lower()}{name[1:]}:{name}"


PROJECT: Final = token("Project")
REPOSITORY: Final = token("Git")
FILE: Final = token("GitRepositoryFile")
BRANCH: Final = token("GitRepositoryBranch")
DEFINITION: Final = token("BuildDefinition")
ENVIRONMENT: Final = token("Environment")
AZURE_ENDPOINT: Final = token("ServiceEndpointAzureRM")
GITHUB_ENDPOINT: Final = token("ServiceEndpointGitHub")
VARIABLE_GROUP: Final = token("VariableGroup")
GROUP: Final = token("Group")
TEAM: Final = token("Team")
USER: Final = token("User")
SERVICE_USER: Final = token("ServicePrincipalEntitlement")
QUEUE: Final = token("Queue")
POOL: Final = token("Pool")
EXTENSION: Final = token("Extension")

ENDPOINT: Final = "endpoint"
"""Stands for every kind of service connection."""


def same(one: object, other: object) -> bool:
    return str(one).lower() == str(other).lower()


def refuse_unless(holds: bool, code: str, message: str) -> None:
    """Raises the refusal when a condition does not hold."""
    if not holds:
        raise CloudError(code, message)


def one_of(path: str, *allowed: str) -> Rule:
    """The rule that a property is absent or one of those allowed."""

    def rule(request: Request) -> None:
        value = request.get(path)
        refuse_unless(
            value is None or value in allowed,
            "InvalidValue",
            f"expected {path} to be one of {list(allowed)}, got {value}",
        )

    return rule


def between(path: str, lowest: int, highest: int, unit: str = "") -> Rule:
    """The rule that a number is absent or lies in a range."""

    def rule(request: Request) -> None:
        value = request.get(path)
        refuse_unless(
            value is None or (isinstance(value, int) and lowest <= value <= highest),
            "InvalidValue",
            f"expected {path} to be in the range ({lowest} - {highest}){unit}, got {value}",
        )

    return rule


def full_ref(path: str, value: str) -> None:
    """Refuses a branch that is not written in full."""
    refuse_unless(
        value.startswith("refs/heads/") and len(value) > len("refs/heads/"),
        "InvalidRef",
        f"{path} is '{value}'; a branch is written in full, such as refs/heads/main",
    )
