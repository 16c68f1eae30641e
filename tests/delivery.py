"""How the Azure DevOps half hangs together: federation, the order of the first day, policies, and what is kept.

Every function takes a landscape and what the stack files say of its environments, and returns findings: sentences, none
where all is well. Order is read from the dependencies that the engine has recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from tests.environments import Environment, Environments
from tests.gates import ENDPOINTS, MAIN
from tests.graph import Landscape, Resource

AUDIENCES = ["api://AzureADTokenExchange"]
CREDENTIAL = "managedidentity:FederatedIdentityCredential"
PROVES = {"issuer": "workloadIdentityFederationIssuer", "subject": "workloadIdentityFederationSubject"}
"""What a credential trusts, and the output of a connection that it comes from."""


# ---------------------------------------------------------------- federation


def connections_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Connections that sign in by anything but one credential of the one identity that they name."""
    found = []
    for stack, each in landscape.devops():
        if each.cls.startswith("ServiceEndpoint") and each.cls not in ENDPOINTS:
            found.append(f"{stack}/{each.name}: a {each.cls} holds a secret")
    for stack, connection in landscape.devops(*ENDPOINTS):
        name, said = f"{stack}/{connection.name}", connection.inputs
        scheme = said.get("serviceEndpointAuthenticationScheme")
        shown = sorted(said.get("credentials", {}))
        if scheme != "WorkloadIdentityFederation" or shown != ["serviceprincipalid"]:
            found.append(f"{name} signs in by {scheme} with {', '.join(shown) or 'nothing'}")
        credentials = _credentials_of(landscape, stack, connection)
        if len(credentials) != 1:
            found.append(f"{name} has {len(credentials)} credentials")
        for credential in credentials:
            found += [f"{name}: {words}" for words in _mismatches(landscape, stack, connection, credential)]
    return found


def _credentials_of(landscape: Landscape, stack: str, connection: Resource) -> list[Resource]:
    return [
        each
        for each in landscape.graphs[stack].of(CREDENTIAL)
        if any(connection.urn in each.comes_from(key) for key in PROVES)
        or each.inputs.get("subject") == connection.outputs[PROVES["subject"]]
    ]


def _mismatches(landscape: Landscape, stack: str, connection: Resource, credential: Resource) -> Iterator[str]:
    for key, output in PROVES.items():
        if credential.comes_from(key) != {connection.urn}:
            yield f"{key} of {credential.name} is not taken from the connection alone"
        if credential.inputs.get(key) != connection.outputs[output]:
            yield f"{key} of {credential.name} is not that of the connection"
    if credential.inputs.get("audiences") != AUDIENCES:
        yield f"{credential.name} is for {credential.inputs.get('audiences')}"
    owner = _owner(landscape, stack, credential)
    if owner is None or owner.outputs["clientId"] != connection.inputs.get("credentials", {}).get("serviceprincipalid"):
        yield f"{credential.name} belongs to another identity than the connection names"
    elif owner.urn not in connection.comes_from("credentials"):
        yield "it does not take the client id from the identity"


def _owner(landscape: Landscape, stack: str, credential: Resource) -> Resource | None:
    identities = landscape.graphs[stack].of("managedidentity:UserAssignedIdentity")
    return next((each for each in identities if credential.id.lower().startswith(each.id.lower() + "/")), None)


def credentials_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Credentials that are neither of a connection nor of the workload, and two of one identity written at a time."""
    found = []
    for stack, graph in landscape.graphs.items():
        of_connections = {
            each.urn
            for _, connection in landscape.devops(*ENDPOINTS)
            for each in _credentials_of(landscape, stack, connection)
        }
        clusters = {each.outputs["oidcIssuerProfile"]["issuerURL"] for each in graph.of(_CLUSTER)}
        account = f"system:serviceaccount:{environments[stack].namespace}:"
        for each in graph.of(CREDENTIAL):
            of_flux = environments[stack].pulls and each.inputs["subject"] == FLUX
            of_ratify = environments[stack].audits and each.inputs["subject"] == RATIFY
            of_cluster = each.inputs["subject"].startswith(account) or of_flux or of_ratify
            if each.urn not in of_connections and not (each.inputs["issuer"] in clusters and of_cluster):
                found.append(f"{stack}/{each.name} lets in {each.inputs['subject']} of {each.inputs['issuer']}")
        found += [
            f"{stack}/{one.name} and {other.name} of one identity can be written at a time"
            for one, other in combinations(graph.of(CREDENTIAL), 2)
            if _owner(landscape, stack, one) == _owner(landscape, stack, other)
            and one.urn not in graph.waits_for(other)
            and other.urn not in graph.waits_for(one)
        ]
    return found


_CLUSTER = "containerservice:ManagedCluster"
RATIFY = "system:serviceaccount:gatekeeper-system:ratify-admin"
FLUX = "system:serviceaccount:flux-system:source-controller"
"""What reads the repository of configuration, where the cluster pulls."""


# ---------------------------------------------------------------- repositories


POLICIES: Mapping[str, Mapping[str, Any]] = {
    "BranchPolicyBuildValidation": {"queueOnSourceUpdateOnly": True, "manualQueueOnly": False},
    "BranchPolicyMinReviewers": {
        "submitterCanVote": False,
        "lastPusherCannotApprove": True,
        "allowCompletionWithRejectsOrWaits": False,
        "onPushResetApprovedVotes": True,
        "onPushResetAllVotes": True,
    },
    "BranchPolicyCommentResolution": {},
    "BranchPolicyMergeTypes": {
        "allowSquash": True,
        "allowRebaseAndFastForward": False,
        "allowBasicNoFastForward": False,
        "allowRebaseWithMerge": False,
    },
}
VALIDATED_BY = {"platform": "platform-pr", "application": "pr", "configuration": "configuration-pr"}
"""The repositories of Azure Repos, and the pipeline that builds pull requests to each."""


def repositories_of(environment: Environment) -> set[str]:
    missing = {"application"} if environment.github else set()
    return set(VALIDATED_BY) - missing - (set() if environment.configuration else {"configuration"})


def policies_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Repositories whose main branch takes a change that is not built, reviewed by another person, and settled."""
    found = []
    for environment in environments.values():
        graph = landscape.graphs[environment.key]
        repositories = {each.inputs["name"]: each for each in graph.devops if each.cls == "Git"}
        expected = repositories_of(environment) if environment.is_home else set()
        if set(repositories) != expected:
            found.append(f"{environment.key} has the repositories {sorted(repositories)}, not {sorted(expected)}")
        for name, repository in repositories.items():
            found += [f"{environment.key}: {name} {words}" for words in _laxities(landscape, environment, repository)]
    return found


def _laxities(landscape: Landscape, environment: Environment, repository: Resource) -> Iterator[str]:
    graph, name = landscape.graphs[environment.key], repository.inputs["name"]
    if repository.inputs.get("defaultBranch") != MAIN:
        yield f"has {repository.inputs.get('defaultBranch')} as its branch"
    scope = {"repositoryId": repository.id, "repositoryRef": MAIN, "matchType": "Exact"}
    pipelines = {each.id: each.inputs["name"] for each in graph.devops if each.cls == "BuildDefinition"}
    for kind, settings in POLICIES.items():
        if name == "configuration" and kind == "BranchPolicyMinReviewers":
            continue  # file by file, `tests.pulls`: a release may not wait for a second person
        wanted = {"enabled": True, "blocking": True, **settings}
        if kind == "BranchPolicyMinReviewers":
            wanted["reviewerCount"] = environment.reviewers
        policies = [
            each for each in graph.devops if each.cls == kind and scope in each.inputs["settings"].get("scopes", ())
        ]
        if len(policies) != 1:
            yield f"has {len(policies)} of {kind}"
        for each in policies:
            said = {"enabled": True, "blocking": True, **each.inputs, **each.inputs["settings"]}
            for key, value in wanted.items():
                if said.get(key) != value:
                    yield f"{kind} has {key} {said.get(key)!r}, not {value!r}"
            built = pipelines.get(str(said.get("buildDefinitionId")))
            if kind == "BranchPolicyBuildValidation" and built != VALIDATED_BY.get(name):
                yield f"{kind} starts {built}, not {VALIDATED_BY.get(name)}"


def order_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """What is not one after another: seeds as commits on each other, then pipelines, then policies."""
    found = []
    for stack, graph in landscape.graphs.items():
        before = {each.urn: graph.waits_for(each) for each in graph.devops}
        seeds = [each for each in graph.devops if each.cls == "GitRepositoryFile"]
        found += [
            f"{stack}: the seeds {one.name} and {other.name} can be pushed at a time"
            for one, other in combinations(seeds, 2)
            if one.inputs["repositoryId"] == other.inputs["repositoryId"]
            and one.urn not in before[other.urn]
            and other.urn not in before[one.urn]
        ]
        for each in graph.devops:
            repository = _repository_of(each)
            found += [
                f"{stack}: {each.name} does not wait for the seed {seed.name}"
                for seed in seeds
                if repository == seed.inputs["repositoryId"] and seed.urn not in before[each.urn]
            ]
        for each in graph.devops:
            if each.cls == "BranchPolicyBuildValidation":
                built = str(each.inputs["settings"]["buildDefinitionId"])
                found += [
                    f"{stack}: {each.name} does not wait for its pipeline"
                    for pipeline in graph.devops
                    if pipeline.cls == "BuildDefinition"
                    and pipeline.id == built
                    and pipeline.urn not in before[each.urn]
                ]
    return found


def _repository_of(each: Resource) -> str | None:
    """The repository of Azure Repos that a pipeline or a policy is about."""
    if each.cls == "BuildDefinition":
        return str(each.inputs["repository"]["repoId"])
    if each.cls in POLICIES:
        return str(each.inputs["settings"]["scopes"][0]["repositoryId"])
    return None


# ---------------------------------------------------------------- pipelines


FROM = {
    "pr": "application",
    "ci": "application",
    "cd": "application",
    "platform-pr": "platform",
    "configuration-pr": "configuration",
    "updates": "platform",
}
"""The pipelines, and the repository that the YAML of each lies in."""


def pipelines_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Pipelines that read their YAML elsewhere, reach other projects, hold variables, or start by themselves."""
    found = []
    for environment in environments.values():
        graph = landscape.graphs[environment.key]
        repositories = {each.inputs["name"]: each.id for each in graph.devops if each.cls == "Git"}
        pipelines = {each.inputs["name"]: each for each in graph.devops if each.cls == "BuildDefinition"}
        here = set(FROM) - (set() if environment.configuration else {"configuration-pr"})
        here -= set() if environment.updates else {"updates"}
        if set(pipelines) != (here if environment.is_home else set()):
            found.append(f"{environment.key} has the pipelines {sorted(pipelines)}")
        for name, each in pipelines.items():
            source, said = each.inputs["repository"], f"{environment.key}: {name}"
            on_github = bool(environment.github) and FROM.get(name) == "application"
            expected = ("GitHub", environment.github) if on_github else ("TfsGit", None)
            if (source["repoType"], source.get("serviceConnectionId")) != expected or source.get("branchName") != MAIN:
                found.append(f"{said} reads {source}")
            if not on_github and source["repoId"] != repositories.get(FROM.get(name, "")):
                found.append(f"{said} reads another repository than {FROM.get(name)}")
            if each.inputs.get("jobAuthorizationScope") != "project":
                found.append(f"{said} reaches other projects")
            if each.inputs.get("variables") or each.inputs.get("variableGroups"):
                found.append(f"{said} holds variables")
            if {"skipFirstRun": True} not in each.inputs.get("features", ()):
                found.append(f"{said} starts when it is made")
            forks = each.inputs.get("pullRequestTrigger", {}).get("forks", {})
            if forks.get("enabled") or forks.get("shareSecrets"):
                found.append(f"{said} builds what comes from forks")
    return found


# ---------------------------------------------------------------- what is kept


def unprotected(landscape: Landscape, environments: Environments) -> list[str]:
    """What would take history along if it were deleted by mistake, and what is others' by the time that we go."""
    found = []
    for stack, each in landscape.devops():
        production = environments[stack].production
        protected = each.cls in ("Project", "Git", "BuildDefinition") or (each.cls == "Environment" and production)
        retained = each.cls in ("Extension", "GitRepositoryFile") or bool(
            each.cls == "Group" and each.inputs.get("originId")
        )
        if each.protected != protected:
            found.append(f"{stack}/{each.name} is {'not ' if protected else ''}protected")
        if each.retained != retained:
            found.append(f"{stack}/{each.name} does not {'stay' if retained else 'go'} when the stack goes")
    return found


INVARIANTS = (
    connections_amiss,
    credentials_amiss,
    policies_amiss,
    order_amiss,
    pipelines_amiss,
    unprotected,
)
