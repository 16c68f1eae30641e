"""How the GitHub half hangs together: what stands before an environment, who its jobs are, what guards the branches.

Every function takes a landscape and what the stack files say of its environments, and returns findings: sentences, none
where all is well. What is wanted is written out here and not asked of the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.environments import Environment, Environments
from tests.graph import Landscape, Resource
from tests.platforms import APPLICATION, OWNER, PLATFORM, PREFIX, TEAM
from tests.stackfiles import ROOT

ISSUER = "https://token.actions.githubusercontent.com"
CREDENTIAL = "managedidentity:FederatedIdentityCredential"
MAIN = "refs/heads/main"
ACTIONS_APP = 15368
JUDGED = {
    "ActionsEnvironmentVariable",
    "ActionsRepositoryAccessLevel",
    "ActionsRepositoryPermissions",
    "RepositoryEnvironment",
    "RepositoryEnvironmentDeploymentPolicy",
    "RepositoryRuleset",
    "WorkflowRepositoryPermissions",
}
"""What exists on GitHub and is looked at here. Anything else could open or administer something."""

FACTS = {
    "CLUSTER_NAME",
    "GRAFANA_ENDPOINT",
    "LOG_WORKSPACE_ID",
    "METRICS_QUERY_ENDPOINT",
    "NAMESPACE",
    "REGISTRY_ID",
    "REGISTRY_LOGIN_SERVER",
    "RESOURCE_GROUP",
    "RUN_RECORDS_ENDPOINT",
    "RUN_RECORDS_RULE",
    "SERVICE_ACCOUNT",
    "WORKLOAD_VAULT_URI",
}
SIGN_IN = {"AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"}


def jobs(environment: Environment) -> dict[str, set[str]]:
    """The identities of an environment's jobs, by the environment on GitHub that they work in."""
    found = {environment.key: {"deploy", "dashboards"} | ({"promote"} if environment.source else set())}
    return {**found, "ci": {"ci"}} if environment.is_home else found


def facts(environment: Environment) -> dict[str, set[str]]:
    """Names of the variables of each environment on GitHub."""
    own = FACTS | SIGN_IN | {f"{job.upper()}_CLIENT_ID" for job in jobs(environment)[environment.key]}
    if environment.source:
        own |= {"SOURCE_LOGIN_SERVER", "SOURCE_REGISTRY_ID"}
    if environment.is_home:
        own |= {"CI_VAULT_NAME"}
    found = {environment.key: own}
    if environment.is_home:
        records = {"RUN_RECORDS_ENDPOINT", "RUN_RECORDS_RULE"}
        found["ci"] = SIGN_IN | records | {"CI_CLIENT_ID", "CI_VAULT_NAME", "REGISTRY_LOGIN_SERVER"}
    return found


# ---------------------------------------------------------------- environments


def wanted(name: str, environment: Environment) -> dict[str, Any]:
    """How an environment on GitHub must be set."""
    said: dict[str, Any] = {
        "canAdminsBypass": False,
        "deploymentBranchPolicy": {"customBranchPolicies": True, "protectedBranches": False},
        "preventSelfReview": False,
        "reviewers": None,
        "waitTimer": 0,
    }
    if environment.production and name != "ci":
        said |= {"preventSelfReview": True, "reviewers": [{"teams": [TEAM]}]}
    return said if not name.startswith("validate-") else {**said, "waitTimer": 0}


def names(environment: Environment) -> set[str]:
    """The environments on GitHub that a stack makes."""
    own = {environment.key} | ({"ci"} if environment.is_home else set())
    return own | ({f"validate-{environment.key}"} if environment.production else set())


def environments_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Environments that are missing, too many, elsewhere, or set otherwise than wanted; and branches they let in."""
    found = []
    for key, environment in environments.items():
        there = {each.inputs["environment"]: each for each in _of(landscape, key, "RepositoryEnvironment")}
        if there.keys() != names(environment):
            found.append(f"{key} has the environments {', '.join(sorted(there))}")
        for name, each in there.items():
            if each.inputs["repository"] != APPLICATION:
                found.append(f"{key}: the environment {name} is of {each.inputs['repository']}")
            for rule, value in wanted(name, environment).items():
                if (said := each.inputs.get(rule)) != value:
                    found.append(f"{key}: the environment {name} has {rule} {said}, not {value}")
            if each.protected is not (environment.production and name == key):
                found.append(f"{key}: the environment {name} is {'' if each.protected else 'not '}protected")
            policies = [
                (policy.inputs.get("branchPattern"), policy.inputs.get("tagPattern"))
                for policy in _of(landscape, key, "RepositoryEnvironmentDeploymentPolicy")
                if policy.inputs["environment"] == name
            ]
            if policies != [("main", None)]:
                found.append(f"{key}: the environment {name} takes {policies}")
    return found


def variables_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Variables that a job would miss, or that hold something else than what the stack made."""
    found = []
    for key, environment in environments.items():
        for name, expected in facts(environment).items():
            there = {
                each.inputs["variableName"]: each
                for each in _of(landscape, key, "ActionsEnvironmentVariable")
                if each.inputs["environment"] == name
            }
            found += [f"{key}: the environment {name} lacks {each}" for each in sorted(expected - there.keys())]
            found += [f"{key}: the environment {name} has {each} too" for each in sorted(there.keys() - expected)]
            clients = {
                f"{job.upper()}_CLIENT_ID": landscape.graphs[key]
                .one("managedidentity:UserAssignedIdentity", job)
                .outputs["clientId"]
                for job in jobs(environment)[name]
            }
            found += [
                f"{key}: {each} of the environment {name} is not the identity's"
                for each, id in clients.items()
                if each in there and there[each].inputs["value"] != id
            ]
    return found


# ---------------------------------------------------------------- identities


def credentials_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Credentials that are neither of a job's environment nor of the workload, and gates that come after them."""
    found = []
    for key, environment in environments.items():
        graph = landscape.graphs[key]
        expected = {
            identity: f"{PREFIX}:environment:{name}" for name, held in jobs(environment).items() for identity in held
        }
        clusters = {
            each.outputs["oidcIssuerProfile"]["issuerURL"] for each in graph.of("containerservice:ManagedCluster")
        }
        account = f"system:serviceaccount:{environment.namespace}:"
        there: dict[str, list[Resource]] = {}
        for each in graph.of(CREDENTIAL):
            owner = _owner(landscape, key, each)
            there.setdefault(owner, []).append(each)
            said = each.inputs
            of_workload = said["issuer"] in clusters and said["subject"].startswith(account) and owner == "workload"
            of_a_job = (said["issuer"], said["subject"]) == (ISSUER, expected.get(owner))
            if not of_workload and not of_a_job:
                found.append(f"{key}/{each.name} lets {said['subject']} of {said['issuer']} be {owner}")
            if said.get("audiences") != ["api://AzureADTokenExchange"]:
                found.append(f"{key}/{each.name} is for {said.get('audiences')}")
            if of_a_job:
                found += [f"{key}/{each.name} {words}" for words in _too_early(landscape, key, each)]
        found += [f"{key}/{each} has no credential" for each in sorted(expected.keys() - there.keys())]
        found += [f"{key}/{each} has {len(held)} credentials" for each, held in there.items() if len(held) != 1]
    return found


def _too_early(landscape: Landscape, key: str, credential: Resource) -> Iterator[str]:
    """An identity that can be taken before its gates stand."""
    name = credential.inputs["subject"].rpartition(":")[2]
    before = landscape.graphs[key].waits_for(credential)
    for each in _of(landscape, key, "RepositoryEnvironment", "RepositoryEnvironmentDeploymentPolicy"):
        if each.inputs["environment"] == name and each.urn not in before:
            yield f"does not wait for {each.name}"


def _owner(landscape: Landscape, key: str, credential: Resource) -> str:
    identities = landscape.graphs[key].of("managedidentity:UserAssignedIdentity")
    return next((each.name for each in identities if credential.id.lower().startswith(f"{each.id.lower()}/")), "nobody")


# ---------------------------------------------------------------- repositories


def actions() -> list[str]:
    said: Mapping[str, Any] = yaml.safe_load((ROOT / "workflows" / "rules.yaml").read_text("utf-8"))["actions"]
    return sorted(f"{name}@{each['commit']}" for name, each in said.items())


CHECKS = {
    PLATFORM: {"checks"},
    APPLICATION: {"pr / checks", "pr / scan", "pr / build"},
}
"""Names of the checks that must be green, by repository."""


def rules_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """Branch rules that are missing, off, leave somebody out, or ask for less than the policies of Azure Repos do."""
    found = []
    for key, environment in environments.items():
        rulesets = _of(landscape, key, "RepositoryRuleset")
        guarded = sorted(each.inputs["repository"] for each in rulesets)
        if guarded != (sorted(CHECKS) if environment.is_home else []):
            found.append(f"{key} guards {', '.join(guarded)}")
        for each in rulesets:
            found += [f"{key}/{each.name}: {words}" for words in _rules(each.inputs, environment.reviewers)]
    return found


def _rules(said: Mapping[str, Any], reviewers: int) -> Iterator[str]:
    if (said["enforcement"], said["target"]) != ("active", "branch"):
        yield f"is {said['enforcement']} for a {said['target']}"
    if said["conditions"] != {"refName": {"includes": [MAIN], "excludes": []}}:
        yield f"is for {said['conditions']}"
    if said.get("bypassActors"):
        yield f"does not hold for {said['bypassActors']}"
    expected = {
        "requiredApprovingReviewCount": reviewers,
        "requireLastPushApproval": True,
        "dismissStaleReviewsOnPush": True,
        "requiredReviewThreadResolution": True,
        "allowedMergeMethods": ["squash"],
    }
    rules = said["rules"]
    for rule, value in expected.items():
        if (rules.get("pullRequest") or {}).get(rule) != value:
            yield f"has {rule} {(rules.get('pullRequest') or {}).get(rule)}"
    for rule in ("deletion", "nonFastForward"):
        if rules.get(rule) is not True:
            yield f"has {rule} {rules.get(rule)}"
    checks = rules.get("requiredStatusChecks") or {}
    if checks.get("strictRequiredStatusChecksPolicy") is not True:
        yield "takes a branch that is behind"
    required = {(each["context"], each.get("integrationId")) for each in checks.get("requiredChecks", ())}
    if required != {(name, ACTIONS_APP) for name in CHECKS[said["repository"]]}:
        yield f"demands {sorted(map(str, required))}"


def actions_amiss(landscape: Landscape, environments: Environments) -> list[str]:
    """What runs may do beyond what the pipelines need: actions of others, and the token of a run."""
    found = []
    for key, environment in environments.items():
        for cls in ("ActionsRepositoryPermissions", "WorkflowRepositoryPermissions"):
            held = sorted(each.inputs["repository"] for each in _of(landscape, key, cls))
            if held != (sorted(CHECKS) if environment.is_home else []):
                found.append(f"{key} has {cls} of {', '.join(held)}")
        for each in _of(landscape, key, "ActionsRepositoryPermissions"):
            said = each.inputs
            config = {"githubOwnedAllowed": False, "verifiedAllowed": False, "patternsAlloweds": actions()}
            if (said.get("allowedActions"), said.get("allowedActionsConfig")) != ("selected", config):
                found.append(
                    f"{key}/{each.name} allows {said.get('allowedActions')} {said.get('allowedActionsConfig')}"
                )
            if said.get("enabled") is not True:
                found.append(f"{key}/{each.name}: nothing runs")
        for each in _of(landscape, key, "WorkflowRepositoryPermissions"):
            token = (each.inputs.get("defaultWorkflowPermissions"), each.inputs.get("canApprovePullRequestReviews"))
            if token != ("read", False):
                found.append(f"{key}/{each.name}: the token of a run has {token}")
        shared = [
            (each.inputs["repository"], each.inputs["accessLevel"])
            for each in _of(landscape, key, "ActionsRepositoryAccessLevel")
        ]
        if shared != ([(PLATFORM, "organization")] if environment.is_home else []):
            found.append(f"{key} shares {shared}")
    found += [f"{each} is pinned by no commit" for each in actions() if not re.search("@[0-9a-f]{40}$", each)]
    return found


def strangers(landscape: Landscape, environments: Environments) -> list[str]:
    """What nobody looks at, what is on the other platform, and providers that lead elsewhere."""
    found = [
        f"{stack}/{each.name}: a {each.cls} is not looked at"
        for stack, each in landscape.on_github()
        if each.cls not in JUDGED
    ]
    found += [f"{stack}/{each.name}: a {each.cls} on Azure DevOps" for stack, each in landscape.devops()]
    for stack, graph in landscape.graphs.items():
        for each in graph.resources:
            if each.type == "pulumi:providers:github" and each.inputs.get("owner") != OWNER:
                found.append(f"{stack}: the provider leads to {each.inputs.get('owner')}")
    return found


def _of(landscape: Landscape, key: str, *classes: str) -> list[Resource]:
    return [each for stack, each in landscape.on_github(*classes) if stack == key]


INVARIANTS = (
    environments_amiss,
    variables_amiss,
    credentials_amiss,
    rules_amiss,
    actions_amiss,
    strangers,
)
