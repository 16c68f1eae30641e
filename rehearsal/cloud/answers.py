"""What the stand-in says: its answers, its refusals, and the estate it starts from.

Plain immutable values without behaviour. They are shared by both faces, so nothing in here knows about
Pulumi's wire format or about unit-test mocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


class CloudError(Exception):
    """A refusal, with the error code that Azure uses for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class UnansweredError(CloudError):
    """The service has done what was asked, and its answer was lost. `id` is the thing it was done to."""

    def __init__(self, code: str, message: str, id: str) -> None:
        super().__init__(code, message)
        self.id = id


class GoneError(CloudError):
    """There is nobody to answer any more: the provider has ended."""


class Unknown:
    """The type of `UNKNOWN`: a value that a preview cannot know yet."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        return self


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Answer:
    """What a create, read or update returns. `id` is empty in the preview of a create."""

    id: str
    outputs: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One changed input. `path` is a camelCase property path such as `agentPoolProfiles[0].vmSize`.

    `effect` is what the change does, as far as known, and `source` who says so; see `rehearsal.cloud.replacements`.
    """

    path: str
    replaces: bool
    effect: str = "unknown"
    source: str = ""


@dataclass(frozen=True)
class Diff:
    """What lies between two sets of inputs of one resource."""

    changes: tuple[Change, ...]
    delete_before_replace: bool = False


@dataclass(frozen=True)
class Existing:
    """One thing of Azure DevOps or GitHub that exists before the program runs.

    `kind` is project, repository, definition, endpoint, environment, variablegroup, group, user, team, queue or pool.
    `id` is the one that Azure DevOps itself uses; of a group, a user and a team it is the id of the identity, from
    which the descriptor follows. `project` is the id of the project it lies in; a group without one is the
    organisation's.

    Of GitHub, `kind` is github-owner, -repository, -team or -user. `id` is GitHub's number; of a repository it is what
    the subject of its tokens begins with. `project` is the name of a repository's owner.
    """

    kind: str
    id: str
    name: str
    project: str = ""


@dataclass(frozen=True)
class Estate:
    """What exists before the program runs, and is therefore not of its making.

    `resource_ids` are ARM ids in any case; the groups and parents that lie on their way exist as well.
    The other sets are object ids of the directory, apart from `subscriptions`, which are GUIDs, and `applications`,
    which are client ids. `organization` is the URL of the one Azure DevOps organisation; without it, any URL that is
    well formed is taken for it. `extensions` are those installed there, written `publisher.extension`, and `delivery`
    what else it holds.
    """

    tenant_id: str
    subscriptions: frozenset[str]
    resource_ids: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    service_principals: frozenset[str] = frozenset()
    applications: frozenset[str] = frozenset()
    organization: str = ""
    extensions: frozenset[str] = frozenset()
    delivery: frozenset[Existing] = frozenset()

    def merged(self, other: Estate) -> Estate:
        """Both estates as one. They must lie in one tenant, as the stacks of one delivery system do."""
        if other.tenant_id.lower() != self.tenant_id.lower():
            raise ValueError(f"one stand-in is one tenant: {self.tenant_id}, not also {other.tenant_id}")
        homes = {url.rstrip("/").lower(): url for url in (other.organization, self.organization) if url}
        if len(homes) > 1:
            raise ValueError(f"one stand-in is one organisation, not {' and '.join(sorted(homes))}")
        return Estate(
            tenant_id=self.tenant_id,
            subscriptions=self.subscriptions | other.subscriptions,
            resource_ids=self.resource_ids | other.resource_ids,
            groups=self.groups | other.groups,
            users=self.users | other.users,
            service_principals=self.service_principals | other.service_principals,
            applications=self.applications | other.applications,
            organization=next(iter(homes.values()), ""),
            extensions=self.extensions | other.extensions,
            delivery=self.delivery | other.delivery,
        )
