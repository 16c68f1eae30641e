"""Who may do what in Azure: the closed list, written out, and what a landscape holds beside it.

Every function takes a landscape and what the stack files say of its environments, and returns findings: sentences, none
where all is well. The identities that plan and apply the infrastructure are made before there is a stack, so they
appear in none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests import roles
from tests.environments import Environment, Environments
from tests.graph import ROLE_ASSIGNMENT, Landscape, Resource

ADMINISTERS = "administers"
"""What the cluster itself grants to a group of the directory; no role of Azure's."""

Who = Callable[[Environment], Iterable[str]]
Where = Callable[[Environment], bool]


@dataclass(frozen=True)
class Right:
    who: str
    """`<stack>/<identity>`, or the object id of somebody of the directory."""
    what: str
    """A role."""
    on: str
    """`<stack>/<resource>`."""

    def __str__(self) -> str:
        return f"{self.who} has {self.what} on {self.on}"


@dataclass(frozen=True)
class Row:
    """One identity, or one sort of people, of every environment that has it."""

    identity: str
    who: Who
    may: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Role and scope by what they are for. In a scope, `{key}` is the environment, `{registry}` and `{source}` are
    those whose registries it pulls and promotes from."""
    where: Where = lambda environment: True


def own(*names: str) -> Who:
    return lambda environment: [f"{environment.key}/{name}" for name in names]


CLUSTER_USER = "Azure Kubernetes Service Cluster User Role"
IMPORTER = "Container Registry Data Importer and Data Reader"

TABLE = (
    Row(
        "CI",
        own("ci"),
        {
            "push to the nonproduction registry": ("AcrPush", "{key}/registry"),
            "read secrets of the CI vault": ("Key Vault Secrets User", "{key}/ci-vault"),
            "write run records": ("Monitoring Metrics Publisher", "{key}/run-records-collection"),
        },
        where=lambda environment: environment.is_home,
    ),
    Row(
        "deploy",
        own("deploy"),
        {
            "get cluster credentials": (CLUSTER_USER, "{key}/cluster"),
            "write in the workload's namespace": (
                "Azure Kubernetes Service RBAC Writer",
                "{key}/cluster/namespaces/{namespace}",
            ),
            "read metrics": ("Monitoring Data Reader", "{key}/metrics-workspace"),
            "write run records": ("Monitoring Metrics Publisher", "{key}/run-records-collection"),
        },
        where=lambda environment: not environment.pulls,
    ),
    Row(
        "release, where the cluster pulls",
        own("release"),
        {
            "see whether an image is there": ("AcrPull", "{registry}/registry"),
            "read metrics": ("Monitoring Data Reader", "{key}/metrics-workspace"),
            "write run records": ("Monitoring Metrics Publisher", "{key}/run-records-collection"),
        },
        where=lambda environment: environment.pulls,
    ),
    # What it reads lies in Azure DevOps.
    Row("Flux", own("flux"), where=lambda environment: environment.pulls),
    Row(
        "promote",
        own("promote"),
        {
            "import from the registry of the tier before": (IMPORTER, "{source}/registry"),
            "import to the environment's own": (IMPORTER, "{registry}/registry"),
        },
        where=lambda environment: environment.source is not None,
    ),
    Row(
        "signer",
        own("signer"),
        {"sign with one key": ("Key Vault Crypto User", "{key}/signing-key")},
        where=lambda environment: environment.is_home and environment.signed,
    ),
    # Its permissions in Azure Repos are looked at in tests/pulls.py.
    Row("proposer of updates", own("updates"), where=lambda environment: environment.updates),
    Row(
        "verifier",
        own("verify"),
        {"read images before they are deployed": ("AcrPull", "{registry}/registry")},
        where=lambda environment: environment.signed,
    ),
    Row(
        "admission check",
        own("admission-check"),
        {"read images as they come in": ("AcrPull", "{registry}/registry")},
        where=lambda environment: environment.audits,
    ),
    Row(
        "control plane of a cluster",
        own("control-plane"),
        {
            "join its own network": ("Network Contributor", "{key}/nodes-subnet"),
            "hand out its kubelet identity": ("Managed Identity Operator", "{key}/kubelet"),
        },
    ),
    Row(
        "control plane of a private cluster",
        own("control-plane"),
        {"put its API server into its own network": ("Network Contributor", "{key}/api-server-subnet")},
        where=lambda environment: environment.private,
    ),
    Row("kubelet", own("kubelet"), {"pull from its own tier's registry": ("AcrPull", "{registry}/registry")}),
    Row(
        "workload",
        own("workload"),
        {
            "read its workload vault": ("Key Vault Secrets User", "{key}/workload-vault"),
            "publish telemetry": ("Monitoring Metrics Publisher", "{key}/application-insights"),
        },
    ),
    Row(
        "Grafana",
        own("grafana"),
        {
            "read the metrics workspace": ("Monitoring Data Reader", "{key}/metrics-workspace"),
            "read monitoring data of its own environment": ("Monitoring Reader", "{key}/environment"),
        },
    ),
    Row("dashboard publisher", own("dashboards"), {"edit dashboards": ("Grafana Editor", "{key}/grafana")}),
    # Azure's own documents ask for both roles on the network that the agents' subnet lies in.
    Row(
        "managed agents' service",
        lambda environment: [environment.agents_service or ""],
        {
            "see its own network": ("Reader", "{key}/network"),
            "join its own network": ("Network Contributor", "{key}/network"),
        },
        where=lambda environment: environment.agents_service is not None,
    ),
    Row(
        "operators",
        lambda environment: environment.operators,
        {
            "get cluster credentials": (CLUSTER_USER, "{key}/cluster"),
            "administer the cluster": (ADMINISTERS, "{key}/cluster"),
            "administer dashboards": ("Grafana Admin", "{key}/grafana"),
        },
    ),
    Row(
        "add-ons of a cluster",
        own(*(f"cluster/addonProfiles/{each}" for each in ("azureKeyvaultSecretsProvider", "azurepolicy", "omsagent"))),
    ),
)


def table(environments: Environments) -> dict[str, set[Right]]:
    """The closed list for these environments: every identity, and all that it may do."""
    known: dict[str, set[Right]] = {}
    for environment in environments.values():
        source = environments[environment.source].registry if environment.source else None
        words = {**vars(environment), "source": source}
        for row in TABLE:
            for who in row.who(environment) if row.where(environment) else ():
                rights = {Right(who, role, scope.format_map(words)) for role, scope in row.may.values()}
                known.setdefault(who, set()).update(rights)
    return known


def rights(landscape: Landscape) -> list[Right]:
    """Everything that is granted, role assignments and what clusters grant by themselves."""
    found = [
        Right(
            landscape.principals.get(each.inputs["principalId"], each.inputs["principalId"]),
            roles.role(each.inputs["roleDefinitionId"]).name,
            landscape.named(each.inputs["scope"]),
        )
        for _, each in landscape.of(ROLE_ASSIGNMENT)
    ]
    for stack, cluster in landscape.of("containerservice:ManagedCluster"):
        groups = cluster.inputs.get("aadProfile", {}).get("adminGroupObjectIDs", ())
        found += [Right(group, ADMINISTERS, f"{stack}/{cluster.name}") for group in groups]
    return found


def beyond_the_table(landscape: Landscape, environments: Environments) -> list[str]:
    """Rights that the table does not have, and rights of the table that are missing."""
    granted = rights(landscape)
    listed = set().union(*table(environments).values())
    return [
        *(f"{each}, which the table does not say" for each in sorted(set(granted) - listed, key=str)),
        *(f"the table says that {each}, and nothing grants it" for each in sorted(listed - set(granted), key=str)),
        *(f"{each} twice" for each in sorted({each for each in granted if granted.count(each) > 1}, key=str)),
    ]


def unknown_identities(landscape: Landscape, environments: Environments) -> list[str]:
    """Identities that are made and that the table does not name, whether they may do something or not."""
    made, listed = set(landscape.principals.values()), set(table(environments))
    people = {who for who in listed if "/" not in who}
    return [
        *(f"the identity {each} is not in the table" for each in sorted(made - listed)),
        *(f"the table names {each}, and there is no such identity" for each in sorted(listed - people - made)),
    ]


def unclear_principals(landscape: Landscape, environments: Environments) -> list[str]:
    """Grants that do not say what they are for: Azure would have to look it up, and may not know it yet."""
    people = {group for each in environments.values() for group in each.operators}
    return [
        f"{stack}/{each.name} is for a {each.inputs.get('principalType')}, and {wanted} is granted to"
        for stack, each in landscape.of(ROLE_ASSIGNMENT)
        for wanted in ["Group" if each.inputs["principalId"] in people else "ServicePrincipal"]
        if each.inputs.get("principalType") != wanted
    ]


def back_doors(landscape: Landscape, environments: Environments) -> list[str]:
    """Ways to a right that are no role assignment, and that nobody would look for in the table."""
    found = []
    for stack, graph in landscape.graphs.items():
        for each in graph.resources:
            found += [f"{stack}/{each.name}: {words}" for words in _doors(each, environments[stack])]
    return found


def _doors(each: Resource, environment: Environment) -> Iterator[str]:
    said = each.inputs
    if each.type.startswith("azure-native:authorization:") and each.cls not in (
        "RoleAssignment",
        "ManagementLockByScope",
        "PolicyAssignment",
    ):
        yield f"{each.cls} is no role assignment and is not looked at"
    if each.kind == "authorization:PolicyAssignment" and said.get("identity"):
        yield "a policy acts as somebody"
    if each.kind.startswith("containerregistry:") and each.cls not in ("Registry", "Replication"):
        yield f"{each.cls} opens a registry beside its roles"
    if each.kind == "containerregistry:Registry":
        yield from (f"{key} is on" for key in ("adminUserEnabled", "anonymousPullEnabled") if said.get(key))
    if each.kind == "keyvault:Vault":
        if said["properties"].get("enableRbacAuthorization") is not True:
            yield "access policies count instead of roles"
        if said["properties"].get("accessPolicies"):
            yield "access policies are set"
    if each.kind == "containerservice:ManagedCluster":
        if said.get("disableLocalAccounts") is not True:
            yield "local accounts are on"
        if said.get("aadProfile", {}).get("enableAzureRBAC") is not True:
            yield "Azure's roles do not count"
    in_cluster = "rbac.authorization.k8s.io" in each.type and not (environment.pulls and _of_the_applier(each))
    if each.kind == "containerservice:TrustedAccessRoleBinding" or in_cluster:
        yield f"{each.cls} grants rights inside the cluster"
    if each.kind == "resources:Deployment" and "roleassignments" in json.dumps(said.get("properties")).lower():
        yield "its template assigns roles"


APPLIES = {
    "configmaps",
    "deployments.apps",
    "horizontalpodautoscalers.autoscaling",
    "jobs.batch",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
    "services",
}
"""What Flux writes for the workload, where the cluster pulls."""
SEES = {"events", "pods", "replicasets.apps"}
_READING = {"get", "list", "watch"}


def _of_the_applier(each: Resource) -> bool:
    """Whether it is the one exception: the role of the account that Flux applies with, and its binding."""
    said, name = each.inputs, "release-applier"
    if said["metadata"].get("name") != name:
        return False
    if each.cls == "Role":
        rules = said["rules"]
        written: set[str] = set()
        seen: set[str] = set()
        for rule in rules:
            kinds = {f"{kind}.{group}".rstrip(".") for group in rule["apiGroups"] for kind in rule["resources"]}
            (seen if set(rule["verbs"]) <= _READING else written).update(kinds)
        return written == APPLIES and seen == SEES and all("*" not in rule["verbs"] for rule in rules)
    account = {"kind": "ServiceAccount", "name": name, "namespace": said["metadata"]["namespace"]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    return each.cls == "RoleBinding" and said["roleRef"] == role and said["subjects"] == [account]


INVARIANTS = (beyond_the_table, unknown_identities, unclear_principals, back_doors)
