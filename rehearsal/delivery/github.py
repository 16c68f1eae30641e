"""The GitHub half of the stacks, read from their exports: what stands before an environment, what guards a branch.

What a report says of it, in words; that nobody has to agree to production is told in capitals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rehearsal.graph import Graph, Resource
from rehearsal.words import count

ENVIRONMENT: Final = "index:RepositoryEnvironment"
RULESET: Final = "index:RepositoryRuleset"
_BRANCHES: Final = "index:RepositoryEnvironmentDeploymentPolicy"
_PRODUCTION: Final = "production"
CI: Final = "ci"


@dataclass(frozen=True)
class Gated:
    """An environment with its rules: name and words of each."""

    name: str
    rules: tuple[tuple[str, str], ...]


def is_here(graph: Graph) -> bool:
    return any(True for _ in graph.of_kind(ENVIRONMENT))


def gated(graph: Graph) -> list[Gated]:
    """The environments by name."""
    found = [Gated(str(each.get("environment")), tuple(_rules(graph, each))) for each in graph.of_kind(ENVIRONMENT)]
    return sorted(found, key=lambda each: each.name)


def _rules(graph: Graph, environment: Resource) -> Iterator[tuple[str, str]]:
    name = environment.get("environment")
    who = [*_reviewers(environment)]
    if who:
        own = "" if environment.get("preventSelfReview") is True else ", OF THEIR OWN RUNS TOO"
        yield "approval", f"one of {', '.join(who)}{own}"
    elif graph.tier == _PRODUCTION and name != CI:
        yield "approval", "NONE"
    branches = sorted(
        str(each.get("branchPattern") or each.get("tagPattern"))
        for each in graph.of_kind(_BRANCHES)
        if each.get("environment") == name
    )
    limited = environment.get("deploymentBranchPolicy.customBranchPolicies") is True
    yield "branch control", f"{', '.join(branches) or 'none'} alone" if limited else "NONE"
    if minutes := int(environment.get("waitTimer", 0) or 0):
        yield "wait", count(minutes, "minute")
    if environment.get("canAdminsBypass") is not False:
        yield "administrators", "PASS BY"


def _reviewers(environment: Resource) -> Iterator[str]:
    for block in environment.get("reviewers", []):
        yield from (f"team {int(id)}" for id in block.get("teams") or ())
        yield from (f"user {int(id)}" for id in block.get("users") or ())


def repositories(graph: Graph) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each repository whose branch is guarded, and what that takes."""
    for each in sorted(graph.of_kind(RULESET), key=lambda one: str(one.get("repository"))):
        yield str(each.get("repository")), tuple(_guards(each))


def _guards(ruleset: Resource) -> Iterator[str]:
    if ruleset.get("enforcement") != "active":
        yield f"{str(ruleset.get('enforcement')).upper()}: NO RULE HOLDS"
    pull = "rules.pullRequest"
    people = int(ruleset.get(f"{pull}.requiredApprovingReviewCount", 0) or 0)
    yield f"{count(people, 'review')} by others" if people else "NOBODY NEEDS TO REVIEW"
    for key, words in (
        ("requireLastPushApproval", "not by whoever pushed last"),
        ("dismissStaleReviewsOnPush", "anew after each push"),
        ("requiredReviewThreadResolution", "every conversation resolved"),
    ):
        if ruleset.get(f"{pull}.{key}") is True:
            yield words
    checks = [str(one.get("context")) for one in ruleset.get("rules.requiredStatusChecks.requiredChecks", [])]
    yield f"green: {', '.join(sorted(checks))}" if checks else "NO CHECK NEEDS TO BE GREEN"
    if methods := ruleset.get(f"{pull}.allowedMergeMethods", []):
        yield f"merged by {', '.join(methods)}"
    if ruleset.get("bypassActors", []):
        yield "SOMEBODY IS EXEMPT"
