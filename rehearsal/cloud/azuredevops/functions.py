"""The functions (invokes) of the provider that the stand-in answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azuredevops.kinds import GROUP, PROJECT, QUEUE, same
from rehearsal.cloud.azuredevops.organization import Organization


def _queue(there: Organization, args: Mapping[str, Any]) -> dict[str, Any]:
    project = there.need(PROJECT, args.get("projectId"))
    for queue in there.of(QUEUE):
        if same(queue.inputs.get("projectId"), project.id) and same(queue.outputs.get("name"), args.get("name")):
            pool = queue.outputs.get("agentPoolId", 0)
            return {"id": queue.id, "name": queue.outputs["name"], "projectId": project.id, "agentPoolId": pool}
    raise CloudError("AgentQueueNotFound", f"Unable to find agent queue with name: {args.get('name')}")


def _group(there: Organization, args: Mapping[str, Any]) -> dict[str, Any]:
    project = args.get("projectId")
    if project is not None:
        there.need(PROJECT, project)
    for group in there.of(GROUP):
        if same(group.name, args.get("name")) and same(group.inputs.get("scope") or "", project or ""):
            keys = ("descriptor", "groupId", "origin", "originId")
            told = {key: group.outputs[key] for key in keys}
            return {**told, "id": group.id, "name": group.name, "projectId": project}
    raise CloudError("GroupNotFound", f"Could not find group with name {args.get('name')}")


def _project(there: Organization, args: Mapping[str, Any]) -> dict[str, Any]:
    name, id = args.get("name"), args.get("projectId")
    for project in there.of(PROJECT):
        if (id is None or same(project.id, id)) and (name is None or same(project.name, name)):
            told = {key: value for key, value in project.outputs.items() if key != "id"}
            return {"features": {}, "description": "", **told, "id": project.id, "projectId": project.id}
    raise CloudError("TF200016", f"Project with name {name or id} does not exist")


INVOKES: Final[Mapping[str, Callable[[Organization, Mapping[str, Any]], dict[str, Any]]]] = {
    "azuredevops:index/getAgentQueue:getAgentQueue": _queue,
    "azuredevops:index/getGroup:getGroup": _group,
    "azuredevops:index/getProject:getProject": _project,
}
