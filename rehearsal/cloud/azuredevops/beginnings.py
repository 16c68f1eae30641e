"""What is there without anybody having declared it: the estate, and what every project begins with."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.cloud.answers import Existing
from rehearsal.cloud.azuredevops.kinds import (
    AZURE_ENDPOINT,
    DEFINITION,
    ENVIRONMENT,
    EXTENSION,
    GROUP,
    POOL,
    PROJECT,
    QUEUE,
    REPOSITORY,
    TEAM,
    USER,
    VARIABLE_GROUP,
)
from rehearsal.cloud.github import kinds as github
from rehearsal.cloud.values import guid
from rehearsal.cloud.world import Resource

_WORDS: Final = {
    "project": PROJECT,
    "repository": REPOSITORY,
    "definition": DEFINITION,
    "endpoint": AZURE_ENDPOINT,
    "environment": ENVIRONMENT,
    "variablegroup": VARIABLE_GROUP,
    "group": GROUP,
    "user": USER,
    "team": TEAM,
    "queue": QUEUE,
    "pool": POOL,
    "github-repository": github.REPOSITORY,
    "github-team": github.TEAM,
    "github-user": github.USER,
}
OWNER: Final = "github-owner"
"""No thing, but whose all things on GitHub are."""
_BUILT_IN: Final = ("Build Administrators", "Contributors", "Project Administrators", "Project Valid Users", "Readers")


def descriptor(prefix: str, id: str) -> str:
    return f"{prefix}.{base64.urlsafe_b64encode(f'S-1-9-{id}'.encode()).decode().rstrip('=')}"


def local_group(id: str, name: str, project: str, scope_name: str) -> dict[str, Any]:
    """What a group of Azure DevOps itself answers."""
    return {
        "descriptor": descriptor("vssgp", id),
        "displayName": name,
        "groupId": id,
        "originId": id,
        "origin": "vsts",
        "scope": project,
        "subjectKind": "group",
        "domain": f"vstfs:///Classification/TeamProject/{project}" if project else "vstfs:///Framework",
        "principalName": f"[{scope_name}]\\{name}",
        "url": f"https://vssps.dev.azure.com/_apis/Graph/Groups/{descriptor('vssgp', id)}",
    }


def built_in(project: Resource) -> Iterator[Resource]:
    """What every project has from its first moment: an empty repository of its name, groups, a team, queues."""
    repository = guid(project.id, "repository")
    inputs = {"projectId": project.id, "name": project.name}
    yield Resource(repository, REPOSITORY, project.name, inputs, dict(inputs))
    for name in (*_BUILT_IN, f"{project.name} Team"):
        outputs = local_group(guid(project.id, "group", name), name, project.id, project.name)
        given = {"projectId": project.id, "scope": project.id, "displayName": name}
        yield Resource(outputs["descriptor"], GROUP, name, given, outputs)
    for name in ("Azure Pipelines", "Default"):
        queue = {"projectId": project.id, "name": name}
        number = int(guid(project.id, "queue", name)[:8], 16) % 9000 + 30000
        yield Resource(str(number), QUEUE, name, queue, {**queue, "agentPoolId": 9 if name != "Default" else 1})


def entered(existing: Existing) -> Resource:
    type_ = _WORDS.get(existing.kind)
    if type_ is None:
        raise ValueError(f"'{existing.kind}' of Azure DevOps is not one of {', '.join(_WORDS)}")
    inputs: dict[str, Any] = {"name": existing.name}
    if existing.project:
        inputs["projectId"] = existing.project
    outputs, id = {**inputs, "id": existing.id}, existing.id
    if type_ == github.REPOSITORY:
        inputs, id = {"name": existing.name}, existing.name
        outputs = {**inputs, "fullName": f"{existing.project}/{existing.name}", "subject": existing.id}
        return Resource(id, type_, existing.name, inputs, outputs)
    if type_ == GROUP:
        outputs = local_group(existing.id, existing.name, existing.project, existing.project or "organization")
        inputs, id = {"displayName": existing.name, "scope": existing.project, **inputs}, outputs["descriptor"]
    elif type_ in (USER, TEAM):
        outputs["descriptor"] = descriptor("aad" if type_ == USER else "vssgp", existing.id)
    elif type_ in (AZURE_ENDPOINT,):
        inputs = outputs = {**inputs, "serviceEndpointName": existing.name}
    return Resource(id, type_, existing.name, inputs, outputs)


def installed(full: str) -> Resource:
    """An extension, from its name as `publisher.extension`."""
    publisher, _, extension = full.partition(".")
    inputs = {"publisherId": publisher, "extensionId": extension}
    return Resource(f"{publisher}/{extension}", EXTENSION, extension, inputs, dict(inputs))
