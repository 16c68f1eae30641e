"""What deleting or replacing a resource loses, by its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rehearsal.cloud.replacements import WORDS, Effect
from rehearsal.words import count
from review.judgement.findings import Finding
from review.model import Change, Changes, Op


@dataclass(frozen=True)
class Loss:
    """What is gone after a deletion and, where that is less, after a replacement. `grave`: nobody gets it back."""

    deleted: str
    replaced: str = ""
    grave: bool = True

    def told(self, op: Op) -> str:
        return self.replaced if op is Op.REPLACE and self.replaced else self.deleted


_GATE: Final = Loss("the gate itself", "nothing once the new one stands; between the two, no gate", grave=False)
_NOT_WATCHED: Final = Loss("nobody is told any more", "nobody is told until the new one stands", grave=False)
_POLICY: Final = Loss(
    "the branch takes what the policy held back", "the branch is open until the new one stands", False
)

LOSSES: Final[Mapping[str, Loss]] = {
    "resources:ResourceGroup": Loss("everything in it, also what this program does not know"),
    "containerservice:ManagedCluster": Loss(
        "all workloads, their volumes and addresses; the API server's address; every grant to its identities",
        "all workloads and their volumes, until everything is deployed again to a cluster with another address",
    ),
    "containerservice:AgentPool": Loss(
        "its nodes: what runs there is evicted, and does not start where no other pool takes it",
        "its nodes: what runs there is evicted at once, without the surge of an upgrade",
    ),
    "containerservice:MaintenanceConfiguration": Loss(
        "the window: upgrades come at any hour", "the window, for a moment", grave=False
    ),
    "containerregistry:Registry": Loss(
        "every image in it, also the ones that run: nodes can pull none of them again",
        "every image in it, also the ones that run; the new one starts empty",
    ),
    "keyvault:Vault": Loss(
        "its secrets; they can be recovered for as long as soft delete keeps them, the name stays taken until then",
        "its secrets: the new one starts empty, and cannot have the old one's name while soft delete keeps that",
    ),
    "operationalinsights:Workspace": Loss(
        "all logs and records of releases in it; they can be recovered for 14 days",
        "all logs and records of releases in it: the new one starts empty",
    ),
    "operationalinsights:Table": Loss("all rows of the table"),
    "operationalinsights:SavedSearch": Loss("a saved query", grave=False),
    "operationsmanagement:Solution": Loss("the tables' schema; rows stay with the workspace", grave=False),
    "applicationinsights:Component": Loss("the way in for traces; those that were taken stay in the workspace"),
    "monitor:AzureMonitorWorkspace": Loss("all metrics in it"),
    "monitor:DataCollectionRule": Loss("what it collects is not collected any more", "a gap in what it collects"),
    "monitor:DataCollectionRuleAssociation": Loss(
        "what is collected by it is not collected any more", "a gap in what is collected", grave=False
    ),
    "monitor:DataCollectionEndpoint": Loss("the address that records are sent to", "the address changes"),
    "monitor:DiagnosticSetting": Loss("these logs are not kept any more", "a gap in these logs", grave=False),
    "monitor:ActionGroup": _NOT_WATCHED,
    "monitor:ActivityLogAlert": _NOT_WATCHED,
    "monitor:ScheduledQueryRule": _NOT_WATCHED,
    "alertsmanagement:PrometheusRuleGroup": _NOT_WATCHED,
    "dashboard:Grafana": Loss("dashboards that people made by hand, its address and every grant on it"),
    "managedidentity:UserAssignedIdentity": Loss(
        "the principal: whoever acts as it cannot sign in, and its grants are void",
        "the principal: its grants are void, also those that others made, and federation has to be set up anew",
    ),
    "managedidentity:FederatedIdentityCredential": Loss(
        "whoever signs in by it cannot any more", "nobody signs in by it until the new one stands", grave=False
    ),
    "authorization:RoleAssignment": Loss("the right", "the right, until the new one is in force", grave=False),
    "authorization:ManagementLockByScope": Loss("what stands in the way of a deletion", grave=False),
    "authorization:PolicyAssignment": Loss("what refuses pods", grave=False),
    "network:VirtualNetwork": Loss("the network with everything in it"),
    "network:Subnet": Loss("the range; Azure refuses while anything is in it"),
    "network:VirtualNetworkPeering": Loss(
        "the way to the other network", "the way to the other network, until the new one stands"
    ),
    "network:RouteTable": Loss("the routes: traffic takes Azure's own way out"),
    "network:NetworkSecurityGroup": Loss("the filter before its subnets", grave=False),
    "network:NatGateway": Loss("the way out of its subnets", "the way out, until the new one stands"),
    "network:PublicIPAddress": Loss(
        "the address: whoever lists it has to change the list", "the address: whoever lists it has to change the list"
    ),
    "network:PrivateEndpoint": Loss(
        "the private way to what it leads to", "the private way, until the new one stands; its address may change"
    ),
    "network:PrivateDnsZoneGroup": Loss(
        "the private name; clients find the public one", "the name for a moment", False
    ),
    "privatedns:PrivateZone": Loss("all private names in it"),
    "privatedns:VirtualNetworkLink": Loss(
        "the network does not find the private names", "the private names for a moment", grave=False
    ),
    "devcenter:DevCenter": Loss("the dev center with its projects"),
    "devcenter:Project": Loss("the dev center's project; agents hang on it"),
    "devopsinfrastructure:Pool": Loss("the pipelines' agents: jobs wait for ever", "the agents, until new ones run"),
    "resources:Deployment": Loss("the record of a deployment; what it made stays", grave=False),
    "security:Pricing": Loss("the plan of Defender: threats are not seen any more"),
    "security:SecurityContact": Loss("nobody is told of threats"),
    "security:Automation": Loss("alerts and findings are not exported any more"),
    "index:Project": Loss("repositories with their history, pipelines with their runs, environments and connections"),
    "index:Git": Loss("the repository with its whole history and all pull requests"),
    "index:GitRepositoryFile": Loss("the file, in a new commit", grave=False),
    "index:BuildDefinition": Loss(
        "the pipeline with all its runs and logs", "all its runs and logs; policies and gates lose their target"
    ),
    "index:Environment": Loss("its history of deployments and the gates before it"),
    "index:VariableGroup": Loss("facts that releases read", "its id: whoever was allowed to use it is not any more"),
    "index:ServiceEndpointAzureRM": Loss(
        "the connection: pipelines that use it stop", "its id: gates, permissions and federation hang on the old one"
    ),
    "index:Repository": Loss("the repository with its whole history and all pull requests"),
    "index:RepositoryFile": Loss("the file, in a new commit", grave=False),
    "index:RepositoryEnvironment": Loss("its history of deployments, its facts and the gates before it"),
    "index:ActionsEnvironmentVariable": Loss("a fact that releases read", "the fact, for a moment", grave=False),
    "index:Extension": Loss("the extension, for the whole organisation"),
    "index:Group": Loss("the group; where it approves, nobody can"),
    "index:GroupMembership": Loss("who is in the group", "who is in the group, for a moment", grave=False),
    "index:PipelineAuthorization": Loss("the pipeline's right to use it: runs wait for a permission", grave=False),
    "index:SecurityroleAssignment": Loss("the role", "the role, for a moment", grave=False),
    "index:ProjectPipelineSettings": Loss("the settings go back to Azure DevOps's own", grave=False),
    "index:CheckApproval": _GATE,
    "index:CheckBranchControl": _GATE,
    "index:CheckExclusiveLock": _GATE,
    "index:CheckRequiredTemplate": _GATE,
    "index:CheckBusinessHours": _GATE,
    "index:BranchPolicyBuildValidation": _POLICY,
    "index:BranchPolicyCommentResolution": _POLICY,
    "index:BranchPolicyMergeTypes": _POLICY,
    "index:BranchPolicyMinReviewers": _POLICY,
    "core:Namespace": Loss("everything in the namespace, volumes included"),
    "core:ConfigMap": Loss("its configuration", "nothing", grave=False),
    "core:ServiceAccount": Loss("pods that run as it cannot start, nor sign in"),
    "core:LimitRange": Loss("default limits of containers", grave=False),
    "core:ResourceQuota": Loss("the namespace's limits: it may take the whole cluster", grave=False),
    "networking.k8s.io:NetworkPolicy": Loss("the filter", "the filter, for a moment", grave=False),
    "secrets-store.csi.x-k8s.io:SecretProviderClass": Loss("pods that mount its secrets cannot start"),
    "azmonitoring.coreos.com:PodMonitor": Loss("its metrics", "a gap in its metrics", grave=False),
}
"""By kind, without provider and API version. What guards something else is also told as security that gets weaker, and
is acknowledged there."""

_MOST: Final = 4
"""Paths that one finding names; the change itself names all."""

UNKNOWN: Final = Loss("not known for this kind: look it up before you agree")


def losses(changes: Changes) -> Iterator[Finding]:
    """Everything that would be replaced or deleted, or would have to be.

    A component is only a name: its parts tell what is lost.
    """
    for change in changes.of(Op.DELETE, Op.REPLACE):
        if change.resource.custom:
            yield _finding(change)
    if changes.abandoned:
        yield Finding(
            "abandoned",
            "stack",
            f"stack {changes.stack}",
            f"its file goes: what it has ({count(changes.abandoned, 'resource')}) stays, and nobody manages it. "
            f"Take it down first: make retire STACK={changes.stack}",
        )
    for change in changes.of(Op.UPDATE):
        if doubtful := _paths(each.path for each in change.differences if each.doubtful):
            loss = LOSSES.get(change.kind, UNKNOWN)
            if loss.grave:
                text = f"{WORDS[Effect.UNKNOWN]} for {doubtful}; that would lose: {loss.told(Op.REPLACE)}"
                yield Finding.about(change, "doubt", text, grave=False)
        if refused := _paths(each.path for each in change.differences if each.refused):
            text = f"the service does not change {refused} in place: the update fails, or somebody has to replace it"
            yield Finding.about(change, "refused", text)


def _paths(paths: Iterable[str]) -> str:
    """Empty if there are none."""
    found = list(paths)
    more = [f"{len(found) - _MOST} more"] if len(found) > _MOST + 1 else []
    return ", ".join((*found[: _MOST if more else None], *more))


def _finding(change: Change) -> Finding:
    assert change.before is not None, "what is deleted or replaced was there"
    loss = LOSSES.get(change.kind, UNKNOWN)
    sign = "deleted" if change.op is Op.DELETE else "replaced"
    if change.before.retained:
        text = "stays in the cloud, and nobody manages it any more"
        return Finding.about(change, sign, text, grave=False)
    because = _paths(each.path for each in change.differences if each.forces)
    text = f"{f'because of {because}; ' if because else ''}lost: {loss.told(change.op)}"
    if change.before.protected:
        text += "; protected, so the engine refuses until the protection is removed"
    return Finding.about(change, sign, text, grave=loss.grave)
