"""Identities and grants: who exists, who may do what where, and how they sign in.

The closed list stands here once more, beside the components that grant, so that a right which is added in one place
alone is found. A stack is judged by itself: whether a right is missing, and what the rights of two stacks add up to,
is left to the tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from policies.model import UNKNOWN, Properties, Resource, Stack, arm_type, each, get, kind
from policies.rule import MANDATORY, on_resource, on_stack
from policies.rules.cluster import CLUSTER
from policies.rules.registry import REGISTRY

GRANT = "authorization:RoleAssignment"
IDENTITY = "managedidentity:UserAssignedIdentity"
CREDENTIAL = "managedidentity:FederatedIdentityCredential"
CONNECTION = "devops:ServiceEndpointAzureRM"
GRAFANA = "dashboard:Grafana"
EXTENSION = "kubernetesconfiguration:Extension"

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
        "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
        "4abbcc35-e782-43d8-92c5-2d3f1bd2253f": "Azure Kubernetes Service Cluster User Role",
        "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": "Azure Kubernetes Service RBAC Writer",
        "577a9874-89fd-4f24-9dbd-b5034d0ad23a": "Container Registry Data Importer and Data Reader",
        "22926164-76b3-42b3-bc55-97df8dab3e41": "Grafana Admin",
        "a79a5197-3a5c-4973-a920-486035ffd60f": "Grafana Editor",
        "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
        "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
        "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
        "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
        "b0d8363b-8ddd-447d-831f-62ca05bff136": "Monitoring Data Reader",
        "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Monitoring Reader",
        "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
        "b12aa53e-6015-4669-85d0-8515ebb3ae7f": "Private DNS Zone Contributor",
        "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
        "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
        "7f6c6a51-bcf8-42ba-9220-52d62157d7db": "Azure Kubernetes Service RBAC Reader",
        "28bf596f-4eb7-45ce-b5bc-6cf482fec137": "Locks Contributor",
        "36243c78-bf99-498c-9df9-86d9f8d28608": "Resource Policy Contributor",
        "fb1c8493-542b-48eb-b624-b4c8fea62acd": "Security Admin",
        "39bc4728-0917-49c7-9d2c-d95423bc2eb4": "Security Reader",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
        # Powerful; refused unless the list below names them.
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
        "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    }
)
"""Azure's built-in roles by id, as Microsoft's list of built-in roles has them."""

POWERFUL = ("Owner", "Contributor", "User Access Administrator", "Role Based Access Control Administrator")

_CLUSTER_USER = "Azure Kubernetes Service Cluster User Role"
_IMPORTER = "Container Registry Data Importer and Data Reader"
_RUN_RECORDS = ("Monitoring Metrics Publisher", "run-records-collection")
_ELSEWHERE = "another's "
"""Stands before the type of what this stack does not make."""

_WHOLE = "subscription or group"
_HANDS_ON = "Role Based Access Control Administrator"
_WRITES_STATE = ("Storage Blob Data Contributor", "state-container")
_UNSEALS = ("Key Vault Crypto User", "state-key")

PEOPLE = "(a group of people)"
SERVICE = "(a service of Azure's)"

MAY: Mapping[str, frozenset[tuple[str, str]]] = MappingProxyType(
    {
        "ci": frozenset({("AcrPush", "registry"), ("Key Vault Secrets User", "ci-vault"), _RUN_RECORDS}),
        "deploy": frozenset(
            {
                (_CLUSTER_USER, "cluster"),
                ("Azure Kubernetes Service RBAC Writer", "a namespace of cluster"),
                ("Monitoring Data Reader", "metrics-workspace"),
                _RUN_RECORDS,
            }
        ),
        # What stands in for `deploy` where the cluster pulls.
        "release": frozenset(
            {
                ("AcrPull", "registry"),
                ("AcrPull", f"{_ELSEWHERE}Microsoft.ContainerRegistry/registries"),
                ("Monitoring Data Reader", "metrics-workspace"),
                _RUN_RECORDS,
            }
        ),
        # Reads a repository of Azure DevOps, and nothing of Azure.
        "flux": frozenset(),
        "promote": frozenset(
            {(_IMPORTER, "registry"), (_IMPORTER, f"{_ELSEWHERE}Microsoft.ContainerRegistry/registries")}
        ),
        "updates": frozenset(),
        "admission-check": frozenset(
            {("AcrPull", "registry"), ("AcrPull", f"{_ELSEWHERE}Microsoft.ContainerRegistry/registries")}
        ),
        "signer": frozenset({("Key Vault Crypto User", "signing-key")}),
        "verify": frozenset(
            {("AcrPull", "registry"), ("AcrPull", f"{_ELSEWHERE}Microsoft.ContainerRegistry/registries")}
        ),
        "dashboards": frozenset({("Grafana Editor", "grafana")}),
        "control-plane": frozenset(
            {
                ("Managed Identity Operator", "kubelet"),
                ("Network Contributor", "nodes-subnet"),
                ("Network Contributor", "api-server-subnet"),
                # With a DNS zone of the estate's AKS links zone and network by itself.
                ("Network Contributor", "network"),
                ("Private DNS Zone Contributor", f"{_ELSEWHERE}Microsoft.Network/privateDnsZones"),
            }
        ),
        "kubelet": frozenset(
            {("AcrPull", "registry"), ("AcrPull", f"{_ELSEWHERE}Microsoft.ContainerRegistry/registries")}
        ),
        "workload": frozenset(
            {("Key Vault Secrets User", "workload-vault"), ("Monitoring Metrics Publisher", "application-insights")}
        ),
        "grafana": frozenset(
            {
                ("Monitoring Data Reader", "metrics-workspace"),
                ("Monitoring Reader", "environment"),
                ("Log Analytics Reader", f"{_ELSEWHERE}Microsoft.OperationalInsights/workspaces"),
            }
        ),
        PEOPLE: frozenset({(_CLUSTER_USER, "cluster"), ("Grafana Admin", "grafana"), _WRITES_STATE, _UNSEALS}),
        # Of the bootstrap: who plans and applies an environment, whose group another stack has made.
        "plan-*": frozenset(
            {
                ("Storage Blob Data Reader", "state-container"),
                _UNSEALS,
                *(
                    (role, f"{_ELSEWHERE}{_WHOLE}")
                    for role in ("Reader", _CLUSTER_USER, "Azure Kubernetes Service RBAC Reader", "Security Reader")
                ),
            }
        ),
        "apply-*": frozenset(
            {
                _WRITES_STATE,
                _UNSEALS,
                *(
                    (role, f"{_ELSEWHERE}{_WHOLE}")
                    for role in (
                        "Contributor",
                        _HANDS_ON,
                        "Azure Kubernetes Service RBAC Cluster Admin",
                        "Locks Contributor",
                        "Resource Policy Contributor",
                        "Security Admin",
                    )
                ),
                (_HANDS_ON, f"{_ELSEWHERE}Microsoft.ContainerRegistry/registries"),
            }
        ),
        "author": frozenset(),
        # Of managed agents. Azure's documents ask for both on the network that their subnet lies in.
        SERVICE: frozenset({("Reader", "network"), ("Network Contributor", "network")}),
    }
)
"""The closed list: who, by logical name, may have which role on what, by logical name too."""


def may(who: str) -> frozenset[tuple[str, str]]:
    """What somebody may have, by logical name."""
    return frozenset().union(*(rights for pattern, rights in MAY.items() if fnmatchcase(who, pattern)))


def known(who: str) -> bool:
    """Whether the list names an identity."""
    return any(fnmatchcase(who, pattern) for pattern in MAY)


def role(definition_id: str) -> str:
    """The name of a role by the id of its definition; one that is not on record is called by its GUID."""
    guid = definition_id.rpartition("/")[2].lower()
    return ROLES.get(guid, guid)


def _who(stack: Stack, grant: Resource) -> str:
    if grant.get("principalType") == "Group":
        return PEOPLE
    if found := stack.linked(grant, "principalId", IDENTITY, GRAFANA, answer=_principal):
        return found.name
    return SERVICE if grant.get("principalId") else "nobody"


def _principal(of: Resource) -> str:
    return of.text("principalId") or of.text("identity.principalId")


def _on(stack: Stack, grant: Resource) -> str:
    scope = str(grant.get("scope"))
    kinds = {one.kind for one in stack.resources if not one.kind.startswith(("pulumi:", "aks-cicd:"))}
    found = stack.linked(grant, "scope", *kinds)
    if found is None:
        return f"{_ELSEWHERE}{arm_type(scope) or _WHOLE}"
    return f"a namespace of {found.name}" if found.kind == CLUSTER and "/namespaces/" in scope else found.name


@on_stack(
    "grant-table",
    severity=MANDATORY,
    reason="What an identity may do stands in a closed list; a right beside it is one that nobody has weighed.",
    remedy="Remove the grant, or add the right to the list of policies/rules/identity.py with its reason.",
    cis=("5.1.2", "5.1.3"),
)
def nobody_may_more(stack: Stack) -> Iterator[tuple[Resource, str]]:
    own_registry = bool(stack.of(REGISTRY))
    for grant in stack.of(GRANT):
        who, what, on = _who(stack, grant), role(str(grant.get("roleDefinitionId"))), _on(stack, grant)
        borrowed = who in ("kubelet", "release", "verify", "admission-check") and on.startswith(_ELSEWHERE)
        if (what, on) not in may(who) or (borrowed and own_registry):
            yield grant, f"{who} has {what} on {on}, which the closed list does not say"


@on_stack(
    "grant-scope",
    severity=MANDATORY,
    reason="A role on a resource group or a subscription reaches what nobody thought of.",
    remedy="Grant on the one resource that is needed.",
)
def grants_reach_one_resource(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for grant in stack.of(GRANT):
        scope = str(grant.get("scope"))
        # Grafana reads the monitoring data of everything in its environment.
        reading = (
            role(str(grant.get("roleDefinitionId"))) == "Monitoring Reader" and "/resourcegroups/" in scope.lower()
        )
        if "/providers/" not in scope and not (reading or _plans_or_applies(stack, grant)):
            yield grant, f"it reaches all of {scope}"


def _plans_or_applies(stack: Stack, grant: Resource) -> bool:
    """Whether a grant is one that the list has for who plans or applies an environment."""
    who = _who(stack, grant)
    listed = (role(str(grant.get("roleDefinitionId"))), _on(stack, grant)) in may(who)
    return listed and who.startswith(("plan-", "apply-"))


@on_stack(
    "grant-powerful-role",
    severity=MANDATORY,
    reason="Whoever has such a role can give himself every other, or do without.",
    remedy="Grant the least role that does; Microsoft's list of built-in roles has them.",
    psrule=("Azure.RBAC.LimitOwner",),
)
def no_powerful_role(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for grant in stack.of(GRANT):
        if (found := role(str(grant.get("roleDefinitionId")))) not in POWERFUL:
            continue
        if not _plans_or_applies(stack, grant):
            yield grant, f"it grants {found}"
        elif found == _HANDS_ON and "RoleDefinitionId" not in str(grant.get("condition")):
            yield grant, "it may hand on any role, its own among them"


@on_resource(
    "grant-principal-type",
    GRANT,
    severity=MANDATORY,
    reason="Without the type Azure looks the principal up, and a new one may not be known yet; people come as groups.",
    remedy="Set principalType to ServicePrincipal or Group.",
    psrule=("Azure.RBAC.UseGroups",),
)
def grants_say_what_they_are_for(type_: str, grant: Properties) -> Iterator[str]:
    if (found := get(grant, "principalType")) not in ("ServicePrincipal", "Group"):
        yield f"its principalType is {found}"


@on_stack(
    "grant-replacement",
    severity=MANDATORY,
    reason="Azure refuses a second assignment of the same role to the same principal on the same scope.",
    remedy="Set delete_before_replace, as components.access.grant does.",
)
def grants_are_replaced_delete_first(stack: Stack) -> Iterator[tuple[Resource, str]]:
    # A state does not tell; where nobody is replaced delete-first, that is what is judged.
    if any(one.delete_first for one in stack.of(GRANT)):
        yield from ((grant, "it is replaced create-first") for grant in stack.of(GRANT) if not grant.delete_first)


@on_resource(
    "grant-back-door",
    "authorization:*",
    "containerservice:TrustedAccessRoleBinding",
    "kubernetes:*",
    "resources:Deployment",
    severity=MANDATORY,
    reason="A right that is no role assignment is not found in the closed list.",
    remedy="Grant a built-in role by a role assignment.",
    cis=("4.1.1",),
)
def rights_are_role_assignments(type_: str, properties: Properties) -> Iterator[str]:
    what = kind(type_)
    if what.startswith("authorization:") and "Role" in what and what != GRANT:
        yield f"a {what.partition(':')[2]} is no role assignment"
    in_cluster = "rbac.authorization.k8s.io" in type_ and not _within_a_namespace(type_, properties)
    if what == "containerservice:TrustedAccessRoleBinding" or in_cluster:
        yield f"a {type_.rpartition(':')[2]} grants rights inside the cluster"
    if what == "resources:Deployment":
        template = json.dumps(get(properties, "properties.template"), default=str).lower()
        if "microsoft.authorization/" in template:
            yield "its template assigns roles"


_NOBODYS = frozenset(
    {
        "*",
        "namespaces",
        "pods/exec",
        "resourcequotas",
        "limitranges",
        "rolebindings",
        "roles",
        "secrets",
        "serviceaccounts",
    }
)
"""Kinds that no role of ours may name: with them an application could read secrets, or give itself more."""


def _within_a_namespace(type_: str, properties: Properties) -> bool:
    """Whether it is the exception: what Flux applies an application as, which is a service account of one namespace."""
    namespace = get(properties, "metadata.namespace")
    if type_.endswith(":Role"):
        named = {str(one) for one in each(properties, "rules.*.resources.*")}
        wide = "*" in {str(one) for key in ("verbs", "apiGroups") for one in each(properties, f"rules.*.{key}.*")}
        return not wide and not {one.partition("/")[0] for one in named} & _NOBODYS and not named & _NOBODYS
    return (
        type_.endswith(":RoleBinding")
        and get(properties, "roleRef.kind") == "Role"
        and all(
            (get(one, "kind"), get(one, "namespace")) == ("ServiceAccount", namespace)
            for one in each(properties, "subjects.*")
        )
    )


@on_stack(
    "pull-without-way-in",
    severity=MANDATORY,
    reason="A cluster that fetches what it runs needs no pipeline that reaches it; such a one could pass by the gates.",
    remedy="Take the grant away, or set aks-cicd:delivery.model to push.",
)
def no_pipeline_reaches_a_cluster_that_pulls(stack: Stack) -> Iterator[tuple[Resource, str]]:
    if not stack.of(EXTENSION):
        return
    path = "credentials.serviceprincipalid"
    used = [stack.linked(one, path, IDENTITY, answer=lambda one: one.text("clientId")) for one in stack.of(CONNECTION)]
    names = {one.name for one in used if one}
    for grant in stack.of(GRANT):
        on = stack.linked(grant, "scope", CLUSTER, EXTENSION)
        if on and (who := _who(stack, grant)) in names:
            yield grant, f"the pipelines' identity {who} has a role on {on.name}"


@on_resource(
    "flux-tenancy",
    EXTENSION,
    "kubernetes:Kustomization",
    severity=MANDATORY,
    reason="Flux itself may do everything in the cluster; what it fetches must be applied as somebody who may not.",
    remedy="Leave multiTenancy.enforce on, and name the service account of each Kustomization.",
)
def flux_applies_as_somebody_else(type_: str, properties: Properties) -> Iterator[str]:
    if kind(type_) == EXTENSION:
        settings = get(properties, "configurationSettings") or {}
        if settings.get("multiTenancy.enforce") not in ("true", UNKNOWN):
            yield "it does not keep tenants apart"
    elif not get(properties, "spec.serviceAccountName"):
        yield "it names no service account"


@on_stack(
    "identity-table",
    severity=MANDATORY,
    reason="An identity that is not in the closed list is one whose rights nobody has weighed.",
    remedy="Remove it, or add it to the list of policies/rules/identity.py with what it may do.",
)
def identities_are_known(stack: Stack) -> Iterator[tuple[Resource, str]]:
    yield from ((one, "the closed list does not name it") for one in stack.of(IDENTITY) if not known(one.name))
