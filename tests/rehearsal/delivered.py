"""The Azure DevOps half of two small stacks, written by hand: a home of delivery, and a production that uses it."""

from __future__ import annotations

from typing import Any

from components.access import ROLES
from tests.rehearsal.handmade import component, export, resource

Export = dict[str, Any]

GROUP = "/subscriptions/0001/resourceGroups/rg"
IMAGES = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/crone"
PROMOTED = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/crtwo"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
IMPORTER = "Container Registry Data Importer and Data Reader"
RULE = f"{GROUP}/providers/Microsoft.Insights/dataCollectionRules/dcr"
IDENTITIES = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
MAIN = "refs/heads/main"
CD_YAML = (
    "trigger: none\nresources:\n  pipelines:\n  - {pipeline: ci, source: ci, trigger: {branches: {include: [main]}}}"
)


def devops(kind: str, name: str, id_: str, parent: str, stack: str, /, **outputs: Any) -> dict[str, Any]:
    type_ = f"azuredevops:index/{kind[0].lower()}{kind[1:]}:{kind}"
    return resource(type_, name, parent, stack, id=id_, outputs=outputs)


def azure(type_: str, name: str, id_: str, parent: str, stack: str, /, **outputs: Any) -> dict[str, Any]:
    return resource(f"azure-native:{type_}", name, parent, stack, id=id_, outputs=outputs)


class Stack:
    """Collects the resources of one stack; those of Azure DevOps and their rights in one component."""

    def __init__(self, name: str, tier: str) -> None:
        self.name = name
        self.root = component("delivery:Delivery", "delivery", stack=name)
        self.states = [self.root]
        tags = {"tags": {"tier": tier}}
        self.states.append(azure("resources:ResourceGroup", "group", f"{GROUP}-{name}", "", name, name=name, **tags))

    def have(self, kind: str, name: str, id_: str, /, **outputs: Any) -> None:
        self.states.append(devops(kind, name, id_, self.root["urn"], self.name, **outputs))

    def azure(self, type_: str, name: str, id_: str, /, **outputs: Any) -> None:
        self.states.append(azure(type_, name, id_, self.root["urn"], self.name, name=name, **outputs))

    def repository(self, name: str, pipeline: int, **files: str) -> None:
        self.have("Git", name, f"r-{name}", name=name)
        for path, content in files.items():
            seed = {"repositoryId": f"r-{name}", "file": f"{path}.yml", "content": content}
            self.have("GitRepositoryFile", f"{name}-{path}", f"r-{name}/{path}", **seed)
            self.states[-1]["retainOnDelete"] = True
        scopes = {"scopes": [{"repositoryId": f"r-{name}", "repositoryRef": MAIN}]}
        built = {**scopes, "buildDefinitionId": pipeline, "validDuration": 720}
        votes = {"reviewerCount": 1, "submitterCanVote": False, "lastPusherCannotApprove": True}
        reviewed = {**scopes, **votes, "onPushResetApprovedVotes": True}
        on = {"enabled": True, "blocking": True}
        self.have("BranchPolicyBuildValidation", f"{name}-built", "1", settings=built, **on)
        self.have("BranchPolicyMinReviewers", f"{name}-reviewed", "2", settings=reviewed, **on)
        self.have("BranchPolicyMergeTypes", f"{name}-squashed", "4", settings={**scopes, "allowSquash": True}, **on)

    def pipeline(self, name: str, id_: int, repository: str) -> None:
        code = {"repoType": "TfsGit", "repoId": f"r-{repository}", "ymlPath": f"{name}.yml"}
        self.have("BuildDefinition", name, str(id_), name=name, repository=code)

    def allow(self, pipeline: int | None, area: str, id_: str) -> None:
        name = f"{area}-{id_}-for-{pipeline}"
        self.have("PipelineAuthorization", name, name, type=area, resourceId=id_, pipelineId=pipeline)

    def connection(self, name: str, **roles: str) -> None:
        """A connection with its identity, and roles (words with _ for spaces) on scopes."""
        federation = {
            "workloadIdentityFederationIssuer": "https://issuer",
            "workloadIdentityFederationSubject": f"sc/{name}",
        }
        scheme = {"serviceEndpointAuthenticationScheme": "WorkloadIdentityFederation"}
        client = {"serviceEndpointName": name, "servicePrincipalId": f"c-{name}"}
        self.have("ServiceEndpointAzureRM", f"{name}-connection", f"e-{name}", **client, **scheme, **federation)
        identity = f"{IDENTITIES}/id-{name}"
        ids = {"clientId": f"c-{name}", "principalId": f"p-{name}"}
        self.azure("managedidentity:UserAssignedIdentity", f"id-{name}", identity, **ids)
        trust = {"issuer": "https://issuer", "subject": f"sc/{name}"}
        credential = f"{identity}/federatedIdentityCredentials/fc"
        self.azure("managedidentity:FederatedIdentityCredential", f"fc-{name}", credential, **trust)
        for role, scope in roles.items():
            self.grant(f"p-{name}", role.replace("_", " "), scope)

    def grant(self, principal: str, role: str, scope: str) -> None:
        told = {"roleDefinitionId": f"/x/roleDefinitions/{ROLES[role]}", "scope": scope}
        kind = {"principalId": principal, "principalType": "ServicePrincipal"}
        name = f"{principal}-{role}-{scope.rpartition('/')[2]}"
        self.azure("authorization:RoleAssignment", name, f"{scope}/{name}", **kind, **told)

    def gate(self, check: str, area: str, id_: str, **outputs: Any) -> None:
        target = {"targetResourceType": area, "targetResourceId": id_}
        self.have(f"Check{check}", f"{id_}-{check}", f"{id_}-{check}", **target, **outputs)

    def guarded(self, area: str, id_: str) -> None:
        """All gates of production."""
        self.gate("Approval", area, id_, approvers=["g-local"], minimumRequiredApprovers=1, timeout=4320)
        self.gate("BranchControl", area, id_, allowedBranches=MAIN, verifyBranchProtection=True)
        self.gate("ExclusiveLock", area, id_)
        template = {"repositoryName": "Shop/platform", "repositoryRef": MAIN, "templatePath": "t/release.yml"}
        self.gate("RequiredTemplate", area, id_, requiredTemplates=[template])
        hours = {"startTime": "08:00", "endTime": "17:00", "timeZone": "UTC"}
        self.gate("BusinessHours", area, id_, **hours, **dict.fromkeys(("monday", "tuesday", "wednesday"), True))

    def find(self, name: str) -> dict[str, Any]:
        """The resource with this logical name."""
        return next(state for state in self.states if state["urn"].endswith(f"::{name}"))

    def drop(self, name: str) -> None:
        self.states.remove(self.find(name))

    @property
    def export(self) -> Export:
        return export(*self.states, stack=self.name)


def staging() -> Stack:
    stack = Stack("staging", "nonproduction")
    stack.have("Project", "project", "P", name="Shop", visibility="private", features={"boards": "disabled"})
    stack.have("Extension", "extension", "x", extensionId="scanner", publisherId="ms")
    stack.repository("application", 1, ci="trigger: [main]", cd=CD_YAML, readme="")
    stack.repository("platform", 4)
    for name, id_, repository in (("pr", 1, "application"), ("ci", 2, "application"), ("cd", 3, "application")):
        stack.pipeline(name, id_, repository)
        stack.allow(id_, "repository", "r-platform")
    stack.pipeline("platform-pr", 4, "platform")
    stack.azure("containerregistry:Registry", "crone", IMAGES)
    stack.azure("monitor:DataCollectionRule", "dcr", RULE, dataFlows=[{"outputStream": "Custom-Runs_CL"}])
    stack.connection("ci", AcrPush=IMAGES, Monitoring_Metrics_Publisher=RULE)
    stack.gate("BranchControl", "endpoint", "e-ci", allowedBranches=MAIN, verifyBranchProtection=True)
    stack.allow(2, "endpoint", "e-ci")
    stack.have("Environment", "environment", "7", name="staging")
    stack.gate("ExclusiveLock", "environment", "7")
    stack.allow(3, "environment", "7")
    stack.have("VariableGroup", "facts", "8", name="environment-staging", variables=[{"name": "a"}, {"name": "b"}])
    for pipeline in (3, 2):
        stack.allow(pipeline, "variablegroup", "8")
    return stack


def prod() -> Stack:
    """Its environment has the id of staging's: ids of Azure DevOps are numbers."""
    stack = Stack("prod", "production")
    directory = {"origin": "aad", "originId": "a-directory-id", "displayName": "Somebody", "descriptor": "d-aad"}
    stack.have("Group", "directory-group", "d-aad", **directory)
    local = {"origin": "vsts", "originId": "g-local", "groupId": "g-local", "descriptor": "d-local"}
    stack.have("Group", "approvers", "d-local", displayName="approvers-prod", **local)
    stack.have("GroupMembership", "members", "m", group="d-local", members=["d-aad"], mode="overwrite")
    stack.have("Environment", "environment", "7", name="prod")
    stack.guarded("environment", "7")
    stack.allow(3, "environment", "7")
    place = {"scope": "distributedtask.environmentreferencerole", "resourceId": "P_7"}
    stack.have("SecurityroleAssignment", "seen", "s", identityId="g-local", roleName="User", **place)
    nodes = {"identityProfile": {"kubeletidentity": {"objectId": "p-nodes"}}}
    stack.azure("containerservice:ManagedCluster", "aks", CLUSTER, **nodes)
    stack.azure("containerregistry:Registry", "crtwo", PROMOTED)
    stack.grant("p-nodes", "AcrPull", PROMOTED)
    deploys = {"Azure_Kubernetes_Service_RBAC_Writer": f"{CLUSTER}/namespaces/shop"}
    stack.connection("deploy-prod", **deploys)
    stack.guarded("endpoint", "e-deploy-prod")
    stack.allow(3, "endpoint", "e-deploy-prod")
    stack.connection("promote-prod", Container_Registry_Data_Importer_and_Data_Reader=IMAGES)
    stack.grant("p-promote-prod", IMPORTER, PROMOTED)
    stack.guarded("endpoint", "e-promote-prod")
    stack.allow(3, "endpoint", "e-promote-prod")
    machines: dict[str, Any] = {"images": [{"wellKnownImageName": "ubuntu"}], "sku": {"name": "D2"}}
    machines["networkProfile"] = {"subnetId": "/x/subnets/snet-agents"}
    stack.azure("devopsinfrastructure:Pool", "agents", "/pool", maximumConcurrency=4, fabricProfile=machines)
    stack.allow(3, "queue", "99")
    return stack
