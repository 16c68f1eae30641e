"""Which pipeline may use what: a closed list, written out, and what a landscape holds beside it.

Every function takes a landscape and what the stack files say of its environments, and returns findings: sentences, none
where all is well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.environments import Environments
from tests.gates import CHECKS, ENDPOINTS, things
from tests.graph import Landscape, Resource

UNREVIEWED = ("pr", "platform-pr", "configuration-pr")
"""Pipelines that run what nobody has looked at yet."""


def table(environments: Environments) -> set[tuple[str, str, str]]:
    """Which pipeline may use what: pipeline, kind of thing, `<stack>: <name>`."""
    allowed: set[tuple[str, str, str]] = set()
    for each in environments.values():
        key, jobs = (
            each.key,
            [
                "release" if each.pulls else "deploy",
                "dashboards",
                *(["promote"] if each.source else []),
                *(["verify"] if each.signed else []),
            ],
        )
        allowed |= {("cd", "endpoint", f"{key}: {job}-{key}") for job in jobs}
        allowed |= {("cd", "environment", f"{key}: {key}"), ("cd", "variablegroup", f"{key}: environment-{key}")}
        if each.agents_service:
            building = ("pr", "ci", "cd") if each.is_home else ("cd",)
            allowed |= {(pipeline, "queue", f"{key}: agents") for pipeline in building}
        if each.is_home:
            allowed |= {("updates", "endpoint", f"{key}: updates")} if each.updates else set()
            allowed |= {("ci", "endpoint", f"{key}: signer")} if each.signed else set()
            allowed |= {("ci", "endpoint", f"{key}: ci"), ("ci", "variablegroup", f"{key}: environment-{key}")}
            readers = ("pr", "ci", "cd", *(["configuration-pr"] if each.configuration else []))
            allowed |= {(pipeline, "repository", f"{key}: platform") for pipeline in readers}
            if each.github:
                allowed |= {(pipeline, "endpoint", f"{key}: {each.github}") for pipeline in ("pr", "ci", "cd")}
    return allowed


def authorised(landscape: Landscape) -> Iterator[tuple[Resource, tuple[str, str, str]]]:
    """Every authorisation, in the words of the table."""
    pipelines = {
        (each.inputs["projectId"], each.id): each.inputs["name"] for _, each in landscape.devops("BuildDefinition")
    }
    names = {(thing.kind, thing.id): f"{thing.stack}: {thing.name}" for thing in things(landscape)}
    for kind, cls in (("variablegroup", "VariableGroup"), ("repository", "Git")):
        names |= {(kind, each.id): f"{stack}: {each.inputs['name']}" for stack, each in landscape.devops(cls)}
    for stack, each in landscape.devops("PipelineAuthorization"):
        kind, id = each.inputs["type"], str(each.inputs["resourceId"])
        # Azure makes a queue along with the pool, so it is no resource of any stack.
        pools = {
            urn.rpartition("::")[2] for urn in each.comes_from("resourceId") if ":devopsinfrastructure:Pool::" in urn
        }
        name = f"{stack}: {min(pools)}" if kind == "queue" and pools else f"{stack}: {id}"
        pipeline = str(each.inputs.get("pipelineId", "every pipeline"))
        project = each.inputs.get("pipelineProjectId") or each.inputs["projectId"]
        yield each, (pipelines.get((project, pipeline), pipeline), kind, names.get((kind, id), name))


def authorisations_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Pipelines that may use what the table does not give them, and those that may not although it does."""
    listed, found = table(environments), [words for _, words in authorised(landscape)]
    return [
        *(f"{pipeline} may use the {kind} {name}" for pipeline, kind, name in sorted(set(found) - listed)),
        *(f"{pipeline} may not use the {kind} {name}" for pipeline, kind, name in sorted(listed - set(found))),
        *(f"{words} is authorised twice" for words in sorted({each for each in found if found.count(each) > 1})),
    ]


def open_to_all(landscape: Landscape, environments: Environments) -> list[str]:
    """What every pipeline of the project may use, those of tomorrow included."""
    found = [
        f"{stack}/{each.name} lets in every pipeline"
        for stack, each in landscape.devops("PipelineAuthorization")
        if not each.inputs.get("pipelineId")
    ]
    found += [
        f"{stack}/{each.name} is open to every pipeline"
        for stack, each in landscape.devops("VariableGroup")
        if each.inputs.get("allowAccess") is not False
    ]
    for stack, pool in landscape.of("devopsinfrastructure:Pool"):
        profile = pool.inputs["organizationProfile"]
        found += [
            f"{stack}/{pool.name} serves {each['url']} beyond one project"
            for each in profile["organizations"]
            if each.get("openAccess") is not False or len(each.get("projects") or ()) != 1
        ]
        if profile.get("permissionProfile", {}).get("kind") != "CreatorOnly":
            found.append(f"{stack}/{pool.name} is administered by others than who made it")
    return found


def ways_around_cd(landscape: Landscape, environments: Environments) -> list[str]:
    """Production's things that another pipeline than CD may use, and connections that code without review may use."""
    return [
        f"{pipeline} may use the {kind} {name}"
        for each, (pipeline, kind, name) in authorised(landscape)
        for production in [environments[name.partition(":")[0]].production]
        if (production and pipeline != "cd") or (kind in ("endpoint", "environment") and pipeline in UNREVIEWED)
        if not _to_github(each, environments)
    ]


def _to_github(each: Resource, environments: Environments) -> bool:
    """The PR pipeline reads its own repository by that connection."""
    return each.inputs["resourceId"] in {environment.github for environment in environments.values()}


def let_in_too_early(landscape: Landscape, environments: Environments) -> list[str]:
    """Pipelines that are let in before every gate stands, or before the identity has its credential and its rights."""
    found = []
    for stack, each in landscape.devops("PipelineAuthorization"):
        graph = landscape.graphs[stack]
        before = graph.waits_for(each)
        missing = {urn for urn in _first(landscape, stack, each) if urn not in before}
        found += [f"{stack}/{each.name} does not wait for {graph.by_urn[urn].name}" for urn in sorted(missing)]
    return found


def _first(landscape: Landscape, stack: str, authorisation: Resource) -> Iterator[str]:
    """What must stand before a pipeline is let in, by URN."""
    graph, id = landscape.graphs[stack], str(authorisation.inputs["resourceId"])
    for each in graph.devops:
        if each.cls in CHECKS and (each.inputs["targetResourceType"], each.inputs["targetResourceId"]) == (
            authorisation.inputs["type"],
            id,
        ):
            yield each.urn
        if each.cls == "SecurityroleAssignment" and each.inputs["resourceId"].rpartition("_")[2] == id:
            yield each.urn
    clients = {
        each.id: each.inputs.get("credentials", {}).get("serviceprincipalid")
        for _, each in landscape.devops(*ENDPOINTS)
    }
    for identity in graph.of("managedidentity:UserAssignedIdentity"):
        if identity.outputs["clientId"] == clients.get(id):
            for each in graph.azure:
                if _concerns(each, identity.outputs, identity.urn):
                    yield each.urn


def _concerns(each: Resource, identity: Mapping[str, Any], urn: str) -> bool:
    if each.kind == "authorization:RoleAssignment":
        return bool(each.inputs["principalId"] == identity["principalId"])
    return each.kind == "managedidentity:FederatedIdentityCredential" and urn in each.comes_from("resourceName")


INVARIANTS = (authorisations_amiss, open_to_all, ways_around_cd, let_in_too_early)
