"""A small valid organisation on the stand-in, for tests to bend in one place, and the Azure side of its agents.

`SAMPLES` is in order of creation. Values that begin with "@" stand for the id, or an output, of another sample:
"@project", "@group.groupId". Azure's part of the landscape is that of `tests.rehearsal.landscape`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rehearsal.cloud import Cloud, Estate, Existing
from rehearsal.cloud.azuredevops.kinds import token
from rehearsal.cloud.values import placed

TENANT: Final = "72f988bf-0000-4000-8000-000000000001"
SUBSCRIPTION: Final = "10000000-0000-4000-8000-000000000001"
APPROVERS: Final = "20000000-0000-4000-8000-000000000001"
"""A group of the directory."""
AGENTS: Final = "20000000-0000-4000-8000-000000000003"
"""The directory's service principal of managed pools."""
NOWHERE: Final = "40000000-0000-4000-8000-00000000dead"
ORGANIZATION: Final = "https://dev.azure.com/contoso"
OLD_PROJECT: Final = Existing("project", "40000000-0000-4000-8000-000000000001", "Old")
OLD_REPOSITORY: Final = Existing("repository", "40000000-0000-4000-8000-000000000002", "legacy", OLD_PROJECT.id)
PERSON: Final = Existing("user", "40000000-0000-4000-8000-000000000003", "someone@example.com")
IDENTITY: Final = "azure-native:managedidentity:UserAssignedIdentity"
CREDENTIAL: Final = "azure-native:managedidentity:FederatedIdentityCredential"
_MAIN: Final = "refs/heads/main"
_SCOPES: Final = [{"repositoryId": "@repository", "repositoryRef": _MAIN, "matchType": "Exact"}]


def estate(**more: Any) -> Estate:
    given: dict[str, Any] = {
        "tenant_id": TENANT,
        "subscriptions": frozenset({SUBSCRIPTION}),
        "groups": frozenset({APPROVERS}),
        "service_principals": frozenset({AGENTS}),
        "organization": ORGANIZATION,
        "extensions": frozenset({"ms-devlabs.replacetokens"}),
        "delivery": frozenset({OLD_PROJECT, OLD_REPOSITORY, PERSON}),
    }
    return Estate(**(given | more))


def _of_project(**inputs: Any) -> dict[str, Any]:
    return {"projectId": "@project", **inputs}


def _check(kind: str, target: str, **inputs: Any) -> dict[str, Any]:
    return _of_project(targetResourceType=kind, targetResourceId=target, **inputs)


SAMPLES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "extension": (
        "Extension",
        {"publisherId": "ms-securitydevops", "extensionId": "microsoft-security-devops-azdevops"},
    ),
    "project": ("Project", {"name": "Shop", "visibility": "private", "features": {"boards": "disabled"}}),
    "features": ("ProjectFeatures", _of_project(features={"testplans": "disabled"})),
    "settings": ("ProjectPipelineSettings", _of_project(enforceJobScope=True)),
    "repository": (
        "Git",
        _of_project(name="platform", defaultBranch=_MAIN, initialization={"initType": "Clean"}),
    ),
    "branch": ("GitRepositoryBranch", {"repositoryId": "@repository", "name": "next", "refBranch": _MAIN}),
    "file": (
        "GitRepositoryFile",
        {"repositoryId": "@repository", "file": "azure-pipelines.yml", "content": "steps: []", "branch": _MAIN},
    ),
    "folder": ("BuildFolder", _of_project(path="\\Delivery")),
    "variables": (
        "VariableGroup",
        _of_project(
            name="run",
            variables=[
                {"name": "REGION", "value": "westeurope"},
                {"name": "KEY", "isSecret": True, "secretValue": "hush"},
            ],
        ),
    ),
    "pipeline": (
        "BuildDefinition",
        _of_project(
            name="ci",
            path="\\Delivery",
            agentPoolName="Azure Pipelines",
            jobAuthorizationScope="project",
            repository={
                "repoType": "TfsGit",
                "repoId": "@repository",
                "branchName": _MAIN,
                "ymlPath": "azure-pipelines.yml",
            },
            ciTrigger={"useYaml": True},
            variableGroups=["@variables"],
        ),
    ),
    "connection": (
        "ServiceEndpointAzureRM",
        _of_project(
            serviceEndpointName="deploy",
            serviceEndpointAuthenticationScheme="WorkloadIdentityFederation",
            credentials={"serviceprincipalid": "@identity.clientId"},
            azurermSpnTenantid=TENANT,
            azurermSubscriptionId=SUBSCRIPTION,
            azurermSubscriptionName="Sandbox",
        ),
    ),
    "github": (
        "ServiceEndpointGitHub",
        _of_project(serviceEndpointName="github", authPersonal={"personalAccessToken": "hush"}),
    ),
    "environment": ("Environment", _of_project(name="staging", description="Where it is tried.")),
    "pool": ("Pool", {"name": "machines", "autoProvision": False}),
    "queue": ("Queue", _of_project(agentPoolId="@pool")),
    "group": ("Group", {"displayName": "Approvers", "scope": "@project"}),
    "people": ("Group", {"originId": APPROVERS}),
    "membership": ("GroupMembership", {"group": "@group", "members": ["@people"], "mode": "add"}),
    "team": ("Team", _of_project(name="Operators")),
    "role": (
        "SecurityroleAssignment",
        {
            "scope": "distributedtask.environmentreferencerole",
            "resourceId": "@project_@environment",
            "identityId": "@group.groupId",
            "roleName": "User",
        },
    ),
    "may_use": (
        "PipelineAuthorization",
        _of_project(resourceId="@environment", type="environment", pipelineId="@pipeline"),
    ),
    "may_sign_in": (
        "PipelineAuthorization",
        _of_project(resourceId="@connection", type="endpoint", pipelineId="@pipeline"),
    ),
    "may_read": (
        "PipelineAuthorization",
        _of_project(resourceId="@repository", type="repository", pipelineId="@pipeline"),
    ),
    "may_queue": ("PipelineAuthorization", _of_project(resourceId="@queue", type="queue", pipelineId="@pipeline")),
    "approval": (
        "CheckApproval",
        _check("environment", "@environment", approvers=["@group.originId"], timeout=1440, requesterCanApprove=False),
    ),
    "branches": (
        "CheckBranchControl",
        _check("endpoint", "@connection", allowedBranches=_MAIN, verifyBranchProtection=True),
    ),
    "lock": ("CheckExclusiveLock", _check("environment", "@environment", timeout=60)),
    "hours": (
        "CheckBusinessHours",
        _check(
            "environment",
            "@environment",
            startTime="08:00",
            endTime="17:30",
            timeZone="W. Europe Standard Time",
            monday=True,
        ),
    ),
    "template": (
        "CheckRequiredTemplate",
        _check(
            "repository",
            "@project.@repository",
            requiredTemplates=[
                {
                    "repositoryType": "azuregit",
                    "repositoryName": "Shop/platform",
                    "repositoryRef": _MAIN,
                    "templatePath": "pipelines/cd.yml",
                }
            ],
        ),
    ),
    "may_push": (
        "GitPermissions",
        _of_project(repositoryId="@repository", principal="@group", permissions={"GenericContribute": "Deny"}),
    ),
    "may_file": (
        "AreaPermissions",
        _of_project(path="/", principal="@group", permissions={"WORK_ITEM_WRITE": "Allow"}),
    ),
    "may_edit": (
        "BuildDefinitionPermissions",
        _of_project(buildDefinitionId="@pipeline", principal="@group", permissions={"EditBuildDefinition": "Deny"}),
    ),
    "may_connect": (
        "ServiceendpointPermissions",
        _of_project(serviceendpointId="@connection", principal="@group", permissions={"Use": "Allow"}),
    ),
    "service_user": ("ServicePrincipalEntitlement", {"originId": AGENTS}),
    "validation": (
        "BranchPolicyBuildValidation",
        _of_project(
            settings={"displayName": "PR", "buildDefinitionId": "@pipeline", "validDuration": 720, "scopes": _SCOPES}
        ),
    ),
    "reviewers": (
        "BranchPolicyMinReviewers",
        _of_project(settings={"reviewerCount": 1, "submitterCanVote": False, "scopes": _SCOPES}),
    ),
    "comments": ("BranchPolicyCommentResolution", _of_project(settings={"scopes": _SCOPES})),
    "merges": ("BranchPolicyMergeTypes", _of_project(settings={"allowSquash": True, "scopes": _SCOPES})),
    "owners": (
        "BranchPolicyAutoReviewers",
        _of_project(settings={"autoReviewerIds": ["@group.groupId"], "scopes": _SCOPES}),
    ),
}


def agents(group_id: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """A managed pool with what it needs, for the landscape of Azure; its subnet's grant is there already."""

    def at(**inputs: Any) -> dict[str, Any]:
        return {"resourceGroupName": "rg-test", "location": "westeurope", **inputs}

    center = f"{group_id}/providers/Microsoft.DevCenter"
    return {
        "center": ("devcenter:DevCenter", at(devCenterName="dc-test")),
        "center_project": (
            "devcenter:Project",
            at(projectName="dcp-test", devCenterId=f"{center}/devcenters/dc-test"),
        ),
        "agents": (
            "devopsinfrastructure:Pool",
            at(
                poolName="mdp-test",
                maximumConcurrency=3,
                devCenterProjectResourceId=f"{center}/projects/dcp-test",
                agentProfile={"kind": "Stateless"},
                organizationProfile={
                    "kind": "AzureDevOps",
                    "organizations": [{"url": ORGANIZATION, "parallelism": 3}],
                    "permissionProfile": {"kind": "Inherit"},
                },
                fabricProfile={
                    "kind": "Vmss",
                    "sku": {"name": "Standard_D2ads_v5"},
                    "images": [{"wellKnownImageName": "ubuntu-24.04", "buffer": "*"}],
                    "networkProfile": {
                        "subnetId": f"{group_id}/providers/Microsoft.Network/virtualNetworks/vnet-test/subnets/agents"
                    },
                },
            ),
        ),
    }


def type_of(key: str) -> str:
    return token(SAMPLES[key][0])


class Made:
    """A cloud with an identity in Azure and as much of the organisation as a test wants. Ids are kept by sample."""

    def __init__(self, **more: Any) -> None:
        self.cloud = Cloud(estate(**more))
        self.ids: dict[str, str] = {}
        self.outputs: dict[str, Mapping[str, Any]] = {}
        group = {"resourceGroupName": "rg-test", "location": "westeurope"}
        self.cloud.create("azure-native:resources:ResourceGroup", "group", group)
        answer = self.cloud.create(IDENTITY, "identity", {**group, "resourceName": "id-deploy"})
        self.outputs["identity"], self.ids["identity"] = answer.outputs, answer.id

    def resolved(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self.resolved(child) for key, child in value.items()}
        if isinstance(value, list):
            return [self.resolved(child) for child in value]
        if not isinstance(value, str) or "@" not in value:
            return value
        known = "|".join(sorted(self.ids, key=len, reverse=True))
        return re.sub(rf"@({known})(?:\.([a-z]\w+))?", self._one, value)

    def _one(self, match: re.Match[str]) -> str:
        key, output = match.groups()
        return str(self.outputs[key][output]) if output else self.ids[key]

    def inputs(self, key: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The inputs of a sample, changed at some paths. None takes a property away."""
        inputs: Any = SAMPLES[key][1]
        for path, value in (changes or {}).items():
            inputs = placed(inputs, path, value)
        found: dict[str, Any] = self.resolved(inputs)
        return found

    def make(self, key: str, changes: Mapping[str, Any] | None = None, *, called: str = "") -> str:
        answer = self.cloud.devops.create(type_of(key), called or key, self.inputs(key, changes))
        self.ids[called or key], self.outputs[called or key] = answer.id, answer.outputs
        return answer.id

    def update(self, key: str, changes: Mapping[str, Any], *, preview: bool = False) -> dict[str, Any]:
        return self.cloud.devops.update(type_of(key), self.ids[key], self.inputs(key, changes), preview=preview).outputs

    def delete(self, key: str) -> None:
        self.cloud.devops.delete(type_of(key), self.ids[key])

    def trust(self, changes: Mapping[str, Any] | None = None) -> str:
        """Lets the identity trust the connection, as its outputs say."""
        inputs: Any = {
            "resourceGroupName": "rg-test",
            "resourceName": "id-deploy",
            "federatedIdentityCredentialResourceName": "fc-deploy",
            "issuer": self.outputs["connection"]["workloadIdentityFederationIssuer"],
            "subject": self.outputs["connection"]["workloadIdentityFederationSubject"],
            "audiences": ["api://AzureADTokenExchange"],
        }
        return self.cloud.create(CREDENTIAL, "credential", {**inputs, **(changes or {})}).id


def before(key: str) -> Made:
    """A cloud with everything that comes before a sample."""
    made = Made()
    for other in SAMPLES:
        if other == key:
            return made
        made.make(other)
    raise KeyError(key)


def whole() -> Made:
    made = Made()
    for key in SAMPLES:
        made.make(key)
    return made
