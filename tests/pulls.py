"""The pull model: no pipeline reaches a cluster, a folder changes by a release alone, and Flux may read and no more.

Every function takes a landscape and what the stack files say of its environments, and returns findings: sentences, none
where all is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.environments import Environment, Environments
from tests.gates import ENDPOINTS, MAIN
from tests.graph import ROLE_ASSIGNMENT, Graph, Landscape, Resource
from tests.roles import role

CLUSTER = "containerservice:ManagedCluster"
REPOSITORY = "configuration"
READS = {"GenericRead": "Allow"}
PROPOSES = {
    "GenericRead": "Allow",
    "GenericContribute": "Allow",
    "CreateBranch": "Allow",
    "PullRequestContribute": "Allow",
    **dict.fromkeys(("PolicyExempt", "PullRequestBypassPolicy", "EditPolicies", "ManagePermissions"), "Deny"),
}
CHANGES = {**READS, "GenericContribute": "Allow", "CreateBranch": "Allow", "PullRequestContribute": "Allow"}


def _pipelines(landscape: Landscape) -> dict[str, str]:
    """Object ids of everybody that a service connection makes a run be, and the connection's name."""
    clients = {
        each.inputs["credentials"]["serviceprincipalid"]: each.inputs["serviceEndpointName"]
        for _, each in landscape.devops(*ENDPOINTS)
    }
    return {
        each.outputs["principalId"]: clients[each.outputs["clientId"]]
        for _, each in landscape.of("managedidentity:UserAssignedIdentity")
        if each.outputs["clientId"] in clients
    }


def ways_to_a_cluster(landscape: Landscape, environments: Environments) -> list[str]:
    """Rights of a pipeline on a cluster that pulls: on itself, on anything below it, on its group, its subscription."""
    found, pipelines = [], _pipelines(landscape)
    for stack, cluster in landscape.of(CLUSTER):
        if not environments[stack].pulls:
            continue
        for _, each in landscape.of(ROLE_ASSIGNMENT):
            scope, id = each.inputs["scope"].lower().rstrip("/"), cluster.id.lower()
            touches = f"{scope}/".startswith(f"{id}/") or f"{id}/".startswith(f"{scope}/")
            if touches and each.inputs["principalId"] in pipelines:
                who, what = pipelines[each.inputs["principalId"]], role(each.inputs["roleDefinitionId"]).name
                found.append(f"{who} has {what} on {landscape.named(each.inputs['scope'])}, and {stack} pulls")
        names = {each.inputs["serviceEndpointName"] for _, each in landscape.devops(*ENDPOINTS)}
        found += [f"there is a connection deploy-{stack}, and {stack} pulls"] * (f"deploy-{stack}" in names)
        administrators = set(cluster.inputs["aadProfile"]["adminGroupObjectIDs"]) & set(pipelines)
        found += [f"{pipelines[each]} administers the cluster of {stack}" for each in sorted(administrators)]
        found += [
            f"{stack}/{each.name} lets {subject['name']} into the cluster"
            for each in landscape.graphs[stack].resources
            if each.cls in ("RoleBinding", "ClusterRoleBinding")
            for subject in each.inputs["subjects"]
            if subject["kind"] != "ServiceAccount"
        ]
    return found


def _group_of(graph: Graph, identity: str) -> Resource | None:
    """The project's group whose only member, by a membership that overwrites others, is this identity."""
    principal = graph.one("managedidentity:UserAssignedIdentity", identity).outputs["principalId"]
    users = {
        each.outputs["descriptor"]
        for each in graph.devops
        if each.cls == "ServicePrincipalEntitlement" and each.inputs["originId"] == principal
    }
    filled = {
        each.inputs["group"]
        for each in graph.devops
        if each.cls == "GroupMembership" and each.inputs.get("mode") == "overwrite"
        if len(each.inputs["members"]) == 1 and set(each.inputs["members"]) == users
    }
    groups = [each for each in graph.devops if each.cls == "Group" and each.outputs["descriptor"] in filled]
    return groups[0] if len(groups) == 1 and groups[0].inputs.get("scope") else None


def users_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Users of the repository that may do more or less than they need, or that are somebody else."""
    found, expected = [], set()
    for environment in environments.values():
        if not environment.pulls:
            continue
        graph, repository = landscape.graphs[environment.key], _repository(landscape, environment)
        for identity, may in (("release", CHANGES), ("flux", READS)):
            group = _group_of(graph, identity)
            if group is None:
                found.append(f"{environment.key}: no group holds {identity} as its only member")
                continue
            said = [
                each
                for each in graph.devops
                if each.cls == "GitPermissions" and each.inputs["principal"] == group.outputs["descriptor"]
            ]
            expected |= {each.urn for each in said}
            if [(each.inputs.get("repositoryId"), each.inputs["permissions"]) for each in said] != [(repository, may)]:
                found.append(f"{environment.key}: {identity} may {[each.inputs['permissions'] for each in said]}")
    for environment in environments.values():
        if environment.updates:
            expected |= {each.urn for each in _proposals(landscape, environment, found)}
    found += [
        f"{stack}/{each.name} permits something in a repository"
        for stack, each in landscape.devops("GitPermissions")
        if each.urn not in expected
    ]
    return found


def _proposals(landscape: Landscape, environment: Environment, found: list[str]) -> list[Resource]:
    """What the proposer of updates may do: once in each repository that has pins, and no more than propose."""
    graph = landscape.graphs[environment.key]
    principal = graph.one("managedidentity:UserAssignedIdentity", "updates").outputs["principalId"]
    users = [
        each.outputs["descriptor"]
        for each in graph.devops
        if each.cls == "ServicePrincipalEntitlement" and each.inputs["originId"] == principal
    ]
    said = [each for each in graph.devops if each.cls == "GitPermissions" and each.inputs["principal"] in users]
    pinned = sorted(each.id for each in graph.devops if each.cls == "Git" and each.inputs["name"] != REPOSITORY)
    if sorted(str(each.inputs.get("repositoryId")) for each in said) != pinned:
        found.append(f"{environment.key}: updates are not proposed to the repositories that have pins, and only there")
    found += [
        f"{environment.key}: {each.name} permits {each.inputs['permissions']}"
        for each in said
        if each.inputs["permissions"] != PROPOSES or each.inputs.get("branchName")
    ]
    return said


def _repository(landscape: Landscape, environment: Environment) -> str:
    home = landscape.graphs[environment.home]
    found = [each.id for each in home.devops if each.cls == "Git" and each.inputs["name"] == REPOSITORY]
    return found[0] if found else "no repository"


def folders_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Folders that somebody else than the environment's release can change, and files that nobody reviews."""
    found = []
    for environment in environments.values():
        repository = _repository(landscape, environment)
        if environment.pulls:
            found += list(_consent(landscape, environment, repository, _of_folder(landscape, environment)))
        if environment.configuration:
            found += list(_consent(landscape, environment, repository, _of_the_rest(landscape, environment)))
    return found


def _of_folder(landscape: Landscape, environment: Environment) -> dict[str, Any]:
    group = _group_of(landscape.graphs[environment.key], "release")
    return {
        "autoReviewerIds": [group.outputs["originId"] if group else "?"],
        "pathFilters": [f"/environments/{environment.key}/*"],
        "minimumNumberOfReviewers": 1,
        # It stands behind the gates of its environment.
        "submitterCanVote": True,
    }


def _of_the_rest(landscape: Landscape, environment: Environment) -> dict[str, Any]:
    graph = landscape.graphs[environment.key]
    directory = {
        each.outputs["descriptor"]
        for each in graph.devops
        if each.cls == "Group" and each.inputs.get("originId") in environment.operators
    }
    filled = {
        each.inputs["group"]
        for each in graph.devops
        if each.cls == "GroupMembership" and each.inputs["mode"] == "overwrite"
        if set(each.inputs["members"]) == directory and directory
    }
    groups = [each for each in graph.devops if each.cls == "Group" and each.outputs["descriptor"] in filled]
    return {
        "autoReviewerIds": [each.outputs["originId"] for each in groups if each.inputs.get("scope")],
        "pathFilters": ["/*", "!/environments/*"],
        "minimumNumberOfReviewers": environment.reviewers,
        "submitterCanVote": False,
    }


def _consent(landscape: Landscape, environment: Environment, repository: str, wanted: dict[str, Any]) -> Iterator[str]:
    scope = {"repositoryId": repository, "repositoryRef": MAIN, "matchType": "Exact"}
    about = wanted["pathFilters"]
    policies = [
        each.inputs
        for each in landscape.graphs[environment.key].devops
        if each.cls == "BranchPolicyAutoReviewers" and each.inputs["settings"].get("pathFilters") == about
    ]
    if len(policies) != 1:
        yield f"{environment.key}: {len(policies)} policies are about {about}"
    for each in policies:
        said = {"enabled": True, "blocking": True, **each, **each["settings"]}
        for key, value in {"enabled": True, "blocking": True, "scopes": [scope], **wanted}.items():
            if said.get(key) != value:
                yield f"{environment.key}: the policy about {about} has {key} {said.get(key)!r}, not {value!r}"


def followers_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Clusters that pull and do not follow their own folder, or apply it as somebody who may do more."""
    found = []
    for environment in environments.values():
        graph = landscape.graphs[environment.key]
        extensions = graph.of("kubernetesconfiguration:Extension")
        objects = {each.cls: each for each in graph.resources if ".toolkit.fluxcd.io/" in each.type}
        if not environment.pulls:
            found += [f"{environment.key} does not pull, and has {each.cls} {each.name}" for each in extensions]
            found += [f"{environment.key} does not pull, and has {each.cls}" for each in objects.values()]
            continue
        found += [f"{environment.key}: {words}" for words in _follower(graph, environment, extensions)]
    return found


def _follower(graph: Graph, environment: Environment, extensions: list[Resource]) -> Iterator[str]:
    flux = graph.one("managedidentity:UserAssignedIdentity", "flux").outputs
    cluster = graph.one(CLUSTER)
    settings = extensions[0].inputs["configurationSettings"] if len(extensions) == 1 else {}
    for key, value in {
        "multiTenancy.enforce": "true",
        "workloadIdentity.enable": "true",
        "workloadIdentity.azureClientId": flux["clientId"],
    }.items():
        if settings.get(key) != value:
            yield f"Flux has {key} {settings.get(key)!r}, not {value!r}"
    if not all(each.id.lower().startswith(f"{cluster.id.lower()}/") for each in extensions):
        yield "Flux is in another cluster"
    sources = [each.inputs for each in graph.resources if each.cls == "GitRepository"]
    for each in sources:
        spec = each["spec"]
        if (spec.get("provider"), spec.get("ref"), spec.get("secretRef")) != ("azure", {"branch": "main"}, None):
            yield f"it fetches {spec}"
        if not spec["url"].endswith("/_git/configuration"):
            yield f"it fetches {spec['url']}"
    if len(sources) != 1:
        yield f"it has {len(sources)} sources"
    parts = {each.name: each.inputs["spec"] for each in graph.resources if each.cls == "Kustomization"}
    if set(parts) != {"release", "acceptance"}:
        yield f"it follows {sorted(parts)}"
    for name, spec in parts.items():
        wanted = {
            "path": f"./environments/{environment.key}/{name}",
            "prune": True,
            "wait": True,
            "serviceAccountName": "release-applier",
            "targetNamespace": environment.namespace,
            "deletionPolicy": "Orphan",
            "sourceRef": {"kind": "GitRepository", "name": sources[0]["metadata"]["name"]} if sources else None,
            "dependsOn": [{"name": "release"}] if name == "acceptance" else None,
        }
        for key, value in wanted.items():
            if spec.get(key) != value:
                yield f"{name} has {key} {spec.get(key)!r}, not {value!r}"


INVARIANTS = (ways_to_a_cluster, users_amiss, folders_amiss, followers_amiss)
