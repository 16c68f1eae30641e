"""The repositories that pipelines are built from: what they were seeded with, and what guards their branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from rehearsal.delivery.index import REPOSITORY, SEED, Index, Thing
from rehearsal.delivery.pipelines import Pipeline
from rehearsal.graph import Graph, Resource
from rehearsal.words import count, counted

REVIEW: Final = "index:BranchPolicyMinReviewers"
BUILD: Final = "index:BranchPolicyBuildValidation"


@dataclass(frozen=True)
class Repository:
    """One repository; on GitHub it is no resource."""

    thing: Thing
    on_github: bool
    seeds: tuple[Resource, ...]
    policies: tuple[Resource, ...]

    @property
    def name(self) -> str:
        return self.thing.name

    @property
    def host(self) -> str:
        return "GitHub" if self.on_github else "Azure Repos"

    def lacks(self, kind: str) -> bool:
        """Whether no policy of this kind has to be satisfied."""
        standing = (each for each in self.policies if each.kind == kind)
        return not any(each.get("enabled", True) and each.get("blocking", True) for each in standing)


def is_policy(resource: Resource) -> bool:
    return resource.kind.startswith("index:BranchPolicy")


def repositories(graph: Graph, built: tuple[Pipeline, ...]) -> tuple[Repository, ...]:
    """Those that a stack owns, and those of GitHub that its pipelines are built from, by name."""
    own = [Thing("repository", each.id, each.name, each) for each in graph.of_kind(REPOSITORY)]
    github = {each.repository.id for each in built if each.on_github and each.stack == graph.stack}
    found = (
        *(Repository(thing, False, _seeds(graph, thing.id), _policies(graph, thing.id)) for thing in own),
        *(Repository(Thing("repository", name, name), True, (), ()) for name in github),
    )
    return tuple(sorted(found, key=lambda each: each.name))


def policy(index: Index, resource: Resource, stack: str) -> str:
    """A branch policy in words."""
    return _told(index, resource, stack) + _mark(resource)


def sign(index: Index, resource: Resource, stack: str) -> str:
    """The same in a few words."""
    return _told(index, resource, stack).partition(", ")[0] + _mark(resource)


def policies(index: Index, repository: Repository, stack: str) -> tuple[str, ...]:
    return tuple(policy(index, each, stack) for each in repository.policies)


def scopes(resource: Resource) -> tuple[str, ...]:
    """Ids of the repositories that a policy is for."""
    return tuple(str(scope.get("repositoryId", "")) for scope in resource.get("settings.scopes", []))


def place(resource: Resource) -> tuple[int, str]:
    """Where a policy stands among those of its repository: in the order of a pull request."""
    order = (*_WORDS, resource.kind)
    return order.index(resource.kind), resource.name


def _seeds(graph: Graph, id_: str) -> tuple[Resource, ...]:
    found = (each for each in graph.of_kind(SEED) if str(each.get("repositoryId")) == id_)
    return tuple(sorted(found, key=lambda each: each.name))


def _policies(graph: Graph, id_: str) -> tuple[Resource, ...]:
    found = (each for each in graph.resources if is_policy(each) and id_ in scopes(each))
    return tuple(sorted(found, key=place))


def _told(index: Index, resource: Resource, stack: str) -> str:
    tell = _WORDS.get(resource.kind)
    return tell(index, resource, stack) if tell else resource.short_type


def _mark(resource: Resource) -> str:
    """What holds nobody up is told as that."""
    if not resource.get("enabled", True):
        return " (OFF)"
    return "" if resource.get("blocking", True) else " (OPTIONAL)"


def _build(index: Index, resource: Resource, stack: str) -> str:
    name = index.pipeline_name(resource.get("settings.buildDefinitionId"), stack)
    minutes = resource.get("settings.validDuration", 0)
    return f"built by {name}" + (f", good for {count(round(minutes / 60), 'hour')}" if minutes else "")


def _review(index: Index, resource: Resource, stack: str) -> str:
    settings = resource.get("settings", {})
    beside = "" if settings.get("submitterCanVote") else " beside the author"
    resets = settings.get("onPushResetApprovedVotes") or settings.get("onPushResetAllVotes")
    words = (
        f"{count(settings.get('reviewerCount', 0), 'reviewer')}{beside}",
        "THE AUTHOR COUNTS" if settings.get("submitterCanVote") else "",
        "never who pushed last" if settings.get("lastPusherCannotApprove") else "",
        "a push resets votes" if resets else "",
    )
    return ", ".join(filter(None, words))


def _merges(index: Index, resource: Resource, stack: str) -> str:
    ways = {
        "allowSquash": "squash",
        "allowRebaseAndFastForward": "rebase",
        "allowBasicNoFastForward": "merge",
        "allowRebaseWithMerge": "rebase and merge",
    }
    allowed = [word for key, word in ways.items() if resource.get(f"settings.{key}")]
    return f"{', '.join(allowed) or 'nothing'} only"


def _owners(index: Index, resource: Resource, stack: str) -> str:
    return f"reviewed by {counted(resource.get('settings.autoReviewerIds'), 'named owner')}"


_WORDS: Final[Mapping[str, Callable[[Index, Resource, str], str]]] = {
    BUILD: _build,
    REVIEW: _review,
    "index:BranchPolicyCommentResolution": lambda *_: "comments resolved",
    "index:BranchPolicyMergeTypes": _merges,
    "index:BranchPolicyAutoReviewers": _owners,
}
