"""What GitHub's kinds have in common: tokens, and the links to a repository and its environment.

Ids are those of the provider, names joined by colons, as its documentation shows them for imports.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.values import guid
from rehearsal.cloud.world import Resource

if TYPE_CHECKING:
    from rehearsal.cloud.azuredevops.kinds import Request
    from rehearsal.cloud.azuredevops.organization import Organization


def token(name: str) -> str:
    """The type token of a resource class of the provider's SDK."""
    return f"github:index/{name[0].lower()}{name[1:]}:{name}"


REPOSITORY: Final = token("Repository")
ENVIRONMENT: Final = token("RepositoryEnvironment")
POLICY: Final = token("RepositoryEnvironmentDeploymentPolicy")
VARIABLE: Final = token("ActionsEnvironmentVariable")
FILE: Final = token("RepositoryFile")
RULESET: Final = token("RepositoryRuleset")
TEAM: Final = token("Team")
USER: Final = "github:user"
"""Nobody declares a user."""

FULL: Final = 100
"""Variables that an environment can have (GitHub Docs, variables reference, limits)."""


def number(*parts: str) -> int:
    """An id as GitHub has them, which depends on the parts alone."""
    return int(guid("github", *parts)[:8], 16)


def not_found(what: str) -> CloudError:
    return CloudError("404", f"404 Not Found: {what}")


def repository_of(request: Request) -> Resource:
    """The repository that a request names. Refuses one that is not there."""
    name = request.text("repository")
    found = request.there.find(REPOSITORY, name)
    if found is None:
        raise not_found(f"there is no repository {name}, or the token may not see it")
    return found


def repository_exists(request: Request) -> None:
    repository_of(request)


def environment_of(there: Organization, repository: str, name: str) -> Resource | None:
    return there.find(ENVIRONMENT, f"{repository}:{name}")


def environment_exists(request: Request) -> None:
    repository, name = request.text("repository"), request.text("environment")
    if environment_of(request.there, repository, name) is None:
        raise not_found(f"the repository {repository} has no environment {name}")


def others(request: Request) -> Iterator[Resource]:
    """The other resources of the kind. An id is made of names here, so that one that is made anew has none yet."""
    for found in request.there.of(request.kind.token):
        if request.old is None or found.id != request.id:
            yield found
