"""What a pipeline is authorised to use, and the agent queues and pools among it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azuredevops.kinds import (
    DEFINITION,
    ENDPOINT,
    ENVIRONMENT,
    POOL,
    PROJECT,
    QUEUE,
    REPOSITORY,
    VARIABLE_GROUP,
    DevOpsKind,
    Request,
    one_of,
    refuse_unless,
    same,
    token,
)
from rehearsal.cloud.values import lookup
from rehearsal.cloud.world import Resource

TARGETS: Final = {
    "endpoint": ENDPOINT,
    "environment": ENVIRONMENT,
    "queue": QUEUE,
    "repository": REPOSITORY,
    "variablegroup": VARIABLE_GROUP,
}


def _all_pipelines(request: Request) -> None:
    refuse_unless(
        request.given("pipelineId") or request.get("type") != "environment",
        "AccessDenied",
        "creating authorized resource: to open an environment to all pipelines, the caller must be an administrator of "
        "all environments of the project: name one by pipeline_id.",
    )


def _target_exists(request: Request) -> None:
    wanted = request.text("resourceId")
    kind = TARGETS[request.text("type")]
    if kind == REPOSITORY and "." in wanted:
        raise CloudError(
            "ResourceNotFound",
            f"The repository {request.project}.{wanted} was not found: the provider puts the project before the id "
            "by itself, so give the bare id of the repository.",
        )
    request.there.need(kind, wanted, request.project)
    pipeline = request.get("pipelineId")
    if pipeline is not None:
        request.there.need(DEFINITION, pipeline, request.text("pipelineProjectId") or request.project)


def _authorises(inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield TARGETS[str(inputs["type"])], str(inputs["resourceId"])
    if inputs.get("pipelineId") is not None:
        yield DEFINITION, str(inputs["pipelineId"])


def _authorised_once(request: Request) -> None:
    refuse_unless(
        request.old is not None or request.there.find(request.kind.token, request.id) is None,
        "AuthorizationExists",
        f"Another resource already authorises {request.text('resourceId')} in this way.",
    )


def _pool_or_name(request: Request) -> None:
    refuse_unless(
        request.given("agentPoolId") != request.given("name"),
        "InvalidArgument",
        "exactly one of agent_pool_id and name is required",
    )


def _queue(request: Request) -> dict[str, Any]:
    pool = request.there.find(POOL, request.get("agentPoolId")) if request.given("agentPoolId") else None
    return {"name": pool.name if pool else request.name, "agentPoolId": request.get("agentPoolId", 0)}


def _queue_is_new(request: Request) -> None:
    pool: Resource | None = request.there.find(POOL, request.get("agentPoolId"))
    name = pool.name if pool else request.name
    for other in request.others():
        refuse_unless(
            not same(lookup(other.outputs, "name"), name),
            "AgentQueueExists",
            f"An agent queue with the name {name} already exists in the project.",
        )


_AUTHORIZATION: Final = ("projectId", "resourceId", "type", "pipelineId", "pipelineProjectId")

KINDS: Final = (
    DevOpsKind(
        token("PipelineAuthorization"),
        required=("projectId", "resourceId", "type"),
        identify=lambda request: "/".join(str(request.get(key, "")) for key in _AUTHORIZATION[:4]),
        links={"projectId": PROJECT},
        holds=_authorises,
        force_new=_AUTHORIZATION,
        shape=(one_of("type", *TARGETS), _all_pipelines),
        world=(_target_exists, _authorised_once),
    ),
    DevOpsKind(
        QUEUE,
        required=("projectId",),
        name_input="name",
        numbered=True,
        links={"projectId": PROJECT, "agentPoolId": POOL},
        force_new=("projectId", "agentPoolId", "name"),
        compute=_queue,
        shape=(_pool_or_name,),
        world=(_queue_is_new,),
    ),
    DevOpsKind(
        POOL,
        name_input="name",
        autonamed=True,
        numbered=True,
        force_new=("poolType",),
        unique=("AgentPoolExists", "An agent pool with the name {name} already exists."),
        defaults={"autoProvision": False, "autoUpdate": True, "poolType": "automation"},
        shape=(one_of("poolType", "automation", "deployment"),),
    ),
)
