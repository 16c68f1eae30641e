"""Which pipelines may use a connection, an environment, a repository, a variable group or a queue.

One by one: a pipeline that is not named here cannot use the thing, whoever wrote it. An authorisation without a
pipeline would let in every pipeline of the project, those of tomorrow included, so there is no way to ask for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pulumi import Input, Resource, ResourceOptions
from pulumi_azuredevops import PipelineAuthorization

Kind = Literal["endpoint", "environment", "queue", "repository", "variablegroup"]
"""As Azure DevOps names what is authorised; `endpoint` is a service connection."""


def authorize(
    name: str,
    kind: Kind,
    resource_id: Input[str],
    pipelines: Mapping[str, Input[int]],
    *,
    project_id: Input[str],
    parent: Resource,
    after: Sequence[Resource] = (),
) -> list[PipelineAuthorization]:
    """Lets each of the pipelines (name to id) use a resource, as soon as `after` stands: its gates, above all.

    The id of a repository is the bare one; the provider puts the project before it.
    """
    return [
        PipelineAuthorization(
            f"{name}-for-{pipeline}",
            project_id=project_id,
            resource_id=resource_id,
            type=kind,
            pipeline_id=pipelines[pipeline],
            opts=ResourceOptions(parent=parent, depends_on=list(after)),
        )
        for pipeline in sorted(pipelines)
    ]
