"""Every physical name and every tag of an environment, from one place.

A name is `<abbreviation>-<workload>-<environment>[-<purpose>]`; abbreviations follow the Cloud Adoption
Framework. Names that are unique in all of Azure end in a short hash of subscription, workload, environment and
generation: stable for ever, different for every environment, and renewed by raising `generation` when a
soft-deleted vault still holds the old name.

What this module does not do: it never asks the cloud whether a name is free, and it never cuts a name to make it
fit. Workload and environment are limited by the settings so that every legal combination fits; an override that
does not fit is a settings error (`Names.misfits`).
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

WORKLOAD = r"[a-z][a-z0-9]{1,11}"
"""What a workload may be called: 2-12 lower-case letters and digits, so that a registry's name can hold it."""

ENVIRONMENT = r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,9}"
"""What an environment (a stack) may be called: 2-10 characters, so that a vault's 24 hold it beside purpose and
hash."""

_ASSIGNMENTS = uuid.UUID("5f0a4d3e-6f0c-5b0e-9d53-3f6d8f2b7c11")
"""Namespace of the role assignments' names; changing it would replace every role assignment."""


@dataclass(frozen=True)
class Rule:
    """What Azure accepts as the name of one kind of resource: length and pattern (resource-name rules)."""

    longest: int
    pattern: str
    words: str
    """The pattern, said for the reader of a message; goes on from the length."""
    shortest: int = 1


_HYPHENATED = (
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?",
    "letters, digits and hyphens, a letter or digit at both ends",
)
_LETTER_FIRST = (
    r"[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?",
    "letters, digits and hyphens, a letter first, no hyphen last",
)
_DOTTED = (
    r"[A-Za-z0-9](?:[\w.-]*\w)?",
    "letters, digits and . _ -, a letter or digit first, no . or - last",
)
_GROUP = (r"[\w().-]*[\w()-]", "letters, digits and ( ) . _ -, no . last")

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        # Overlay networking copies the names of these three into node labels, which hold 63 characters.
        "resourceGroup": Rule(63, *_GROUP),
        "nodeResourceGroup": Rule(63, *_GROUP),
        "virtualNetwork": Rule(63, *_DOTTED, shortest=2),
        "subnet": Rule(63, *_DOTTED),
        "networkSecurityGroup": Rule(80, *_DOTTED),
        "natGateway": Rule(80, *_DOTTED),
        "publicIpAddress": Rule(80, *_DOTTED),
        "privateEndpoint": Rule(64, *_DOTTED, shortest=2),
        "virtualNetworkPeering": Rule(80, *_DOTTED),
        "virtualNetworkLink": Rule(80, *_DOTTED),
        "cluster": Rule(
            63,
            r"[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?",
            "letters, digits, _ and -, a letter or digit at both ends",
        ),
        "dnsPrefix": Rule(54, *_HYPHENATED),
        "identity": Rule(128, r"[A-Za-z0-9][\w-]*", "letters, digits, _ and -, a letter or digit first", shortest=3),
        "registry": Rule(50, r"[a-z0-9]+", "lower-case letters and digits", shortest=5),
        "vault": Rule(
            24,
            r"[A-Za-z](?:-?[A-Za-z0-9])*",
            "letters, digits and single hyphens, a letter first, no hyphen last",
            shortest=3,
        ),
        "workspace": Rule(63, *_HYPHENATED, shortest=4),
        "diagnosticSetting": Rule(260, r"[\w-]+", "letters, digits, _ and -"),
        "lock": Rule(90, *_GROUP),
        "metricsWorkspace": Rule(63, *_HYPHENATED, shortest=4),
        # Microsoft's own templates cut them to these lengths.
        "dataCollectionEndpoint": Rule(44, *_HYPHENATED, shortest=3),
        "dataCollectionRule": Rule(64, *_HYPHENATED, shortest=3),
        # The service takes 30 characters, the portal 23; unique in all of Azure.
        "grafana": Rule(23, *_LETTER_FIRST, shortest=2),
        "dashboard": Rule(30, *_LETTER_FIRST, shortest=2),
        "applicationInsights": Rule(260, *_HYPHENATED),
        "deployment": Rule(64, *_HYPHENATED),
        "actionGroup": Rule(260, *_HYPHENATED),
        "alert": Rule(260, *_HYPHENATED),
        "savedSearch": Rule(63, *_HYPHENATED),
        "securityExport": Rule(260, *_HYPHENATED),
        "federatedCredential": Rule(
            120, r"[A-Za-z0-9][\w-]*", "letters, digits, _ and -, a letter or digit first", shortest=3
        ),
        # Both unique in all of Azure; they belong to the bootstrap.
        "storageAccount": Rule(24, r"[a-z0-9]+", "lower-case letters and digits", shortest=3),
        "devCenter": Rule(26, *_HYPHENATED, shortest=3),
        "devCenterProject": Rule(63, *_HYPHENATED, shortest=3),
        # Unique in all of Azure, and the name of the pool in Azure DevOps.
        "agentPool": Rule(44, *_HYPHENATED, shortest=3),
    }
)

OVERRIDABLE: Mapping[str, str] = MappingProxyType(
    {
        "resource_group": "resourceGroup",
        "node_resource_group": "nodeResourceGroup",
        "virtual_network": "virtualNetwork",
        "cluster": "cluster",
        "registry": "registry",
        "ci_vault": "vault",
        "workload_vault": "vault",
        "workspace": "workspace",
        "metrics_workspace": "metricsWorkspace",
        "grafana": "grafana",
    }
)
"""The names that a setting may replace (an estate with rules of its own), and the rule each must meet."""


@dataclass(frozen=True)
class Misfit:
    """A name that Azure would refuse: which one, as what, and the rule it breaks."""

    what: str
    name: str
    rule: Rule


def stable_hash(*parts: str, length: int = 6) -> str:
    """Lower-case base-32 digits of the parts' SHA-256; six digits tell 2**30 environments apart."""
    digest = hashlib.sha256("/".join(parts).lower().encode()).digest()
    return base64.b32encode(digest).decode().lower()[:length]


@dataclass(frozen=True)
class Names:
    """The names of one environment. Equal arguments give equal names, on every machine and in every release."""

    workload: str
    environment: str
    subscription_id: str
    generation: int = 1
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Keys of `OVERRIDABLE` to whole names; for estates whose rules this scheme does not meet."""

    @property
    def hash(self) -> str:
        """What makes a globally unique name this environment's own."""
        return stable_hash(self.subscription_id, self.workload, self.environment, str(self.generation))

    def _name(self, abbreviation: str, purpose: str = "") -> str:
        return "-".join(filter(None, (abbreviation, self.workload, self.environment, purpose)))

    @property
    def resource_group(self) -> str:
        return self.overrides.get("resource_group") or self._name("rg")

    @property
    def node_resource_group(self) -> str:
        """The group that AKS makes and locks for the nodes; not a group of ours."""
        return self.overrides.get("node_resource_group") or self._name("rg", "nodes")

    @property
    def virtual_network(self) -> str:
        return self.overrides.get("virtual_network") or self._name("vnet")

    @property
    def cluster(self) -> str:
        return self.overrides.get("cluster") or self._name("aks")

    @property
    def dns_prefix(self) -> str:
        """First label of the API server's host name; cannot change in a cluster's life."""
        return self._name("aks")

    @property
    def registry(self) -> str:
        """Letters and digits only, unique in all of Azure."""
        return self.overrides.get("registry") or f"cr{self.workload}{self._plain_environment}{self.hash}"

    @property
    def ci_vault(self) -> str:
        return self.overrides.get("ci_vault") or self._vault("ci")

    @property
    def workload_vault(self) -> str:
        return self.overrides.get("workload_vault") or self._vault("app")

    @property
    def workspace(self) -> str:
        return self.overrides.get("workspace") or self._name("log")

    @property
    def diagnostic_setting(self) -> str:
        """One per resource, so the resource's own id keeps it apart."""
        return "to-log-analytics"

    @property
    def metrics_workspace(self) -> str:
        return self.overrides.get("metrics_workspace") or self._name("amw")

    @property
    def grafana(self) -> str:
        """First label of its host name, unique in all of Azure; too short for the workload's name."""
        return self.overrides.get("grafana") or f"amg-{self.environment}-{self.hash}"

    @property
    def application_insights(self) -> str:
        return self._name("appi")

    @property
    def action_group(self) -> str:
        return self._name("ag")

    @property
    def security_export(self) -> str:
        return self._name("export")

    @property
    def dev_center(self) -> str:
        return self._name("dc")

    @property
    def dev_center_project(self) -> str:
        return self._name("dcp")

    @property
    def agent_pool(self) -> str:
        """Pipelines name the pool by it; unique in all of Azure, so it ends in the hash."""
        return f"{self._name('agents')}-{self.hash}"

    @property
    def storage_account(self) -> str:
        """Letters and digits only, unique in all of Azure; too short for the environment's name."""
        return f"st{self.workload}{self.hash}"

    @property
    def key_vault(self) -> str:
        """Of keys alone, apart from the vaults that hold secrets."""
        return self._vault("key")

    def federated_credential(self, connection: str) -> str:
        """One per service connection of an identity."""
        return f"connection-{connection}"

    def data_collection_endpoint(self, purpose: str) -> str:
        return self._name("dce", purpose)

    def data_collection_rule(self, purpose: str) -> str:
        return self._name("dcr", purpose)

    def alert(self, purpose: str) -> str:
        return self._name("alert", purpose)

    def saved_search(self, purpose: str) -> str:
        """Unique in its workspace, which may serve several environments."""
        return self._name("query", purpose)

    def deployment(self, purpose: str) -> str:
        """Of a template: what Azure made by itself is set by one."""
        return self._name("deploy", purpose)

    def dashboard(self, purpose: str) -> str:
        return f"{self.environment}-{purpose}"

    def subnet(self, purpose: str) -> str:
        return f"snet-{purpose}"

    def network_security_group(self, purpose: str) -> str:
        return self._name("nsg", purpose)

    def nat_gateway(self) -> str:
        return self._name("ng")

    def public_ip_address(self, purpose: str) -> str:
        return self._name("pip", purpose)

    def private_endpoint(self, purpose: str) -> str:
        return self._name("pep", purpose)

    def virtual_network_peering(self, purpose: str) -> str:
        return self._name("peer", purpose)

    def virtual_network_link(self) -> str:
        """One per DNS zone, which may be shared: the name tells whose network it is."""
        return self._name("link")

    def identity(self, purpose: str) -> str:
        return self._name("id", purpose)

    def lock(self, purpose: str) -> str:
        return self._name("lock", purpose)

    def role_assignment(self, purpose: str) -> str:
        """A GUID, as Azure demands; the same in every run, so that nothing is granted twice. It names the role too:
        Azure refuses to change the role of an assignment, and a new name makes the provider replace it."""
        own = (self.subscription_id.lower(), self.workload, self.environment, str(self.generation), purpose)
        return str(uuid.uuid5(_ASSIGNMENTS, "/".join(own)))

    @property
    def _plain_environment(self) -> str:
        return self.environment.replace("-", "")

    def _vault(self, purpose: str) -> str:
        return f"kv-{purpose}-{self.environment}-{self.hash}"

    def all(self) -> Iterator[tuple[str, str, str]]:
        """Every kind of name with its longest purpose: (what, kind of `RULES`, name)."""
        for what, kind in OVERRIDABLE.items():
            yield what, kind, getattr(self, what)
        yield "dns_prefix", "dnsPrefix", self.dns_prefix
        yield "diagnostic_setting", "diagnosticSetting", self.diagnostic_setting
        yield "nat_gateway", "natGateway", self.nat_gateway()
        yield "virtual_network_link", "virtualNetworkLink", self.virtual_network_link()
        longest = "private-endpoints"
        yield "subnet", "subnet", self.subnet(longest)
        yield "network_security_group", "networkSecurityGroup", self.network_security_group(longest)
        yield "public_ip_address", "publicIpAddress", self.public_ip_address(longest)
        yield "private_endpoint", "privateEndpoint", self.private_endpoint(longest)
        yield "virtual_network_peering", "virtualNetworkPeering", self.virtual_network_peering(longest)
        yield "identity", "identity", self.identity(longest)
        yield "lock", "lock", self.lock(longest)
        yield "application_insights", "applicationInsights", self.application_insights
        yield "action_group", "actionGroup", self.action_group
        yield "security_export", "securityExport", self.security_export
        yield "dev_center", "devCenter", self.dev_center
        yield "dev_center_project", "devCenterProject", self.dev_center_project
        yield "agent_pool", "agentPool", self.agent_pool
        yield "storage_account", "storageAccount", self.storage_account
        yield "key_vault", "vault", self.key_vault
        longest_connection = DeliveryNames(self.environment).connection("dashboards")
        yield "federated_credential", "federatedCredential", self.federated_credential(longest_connection)
        yield "data_collection_endpoint", "dataCollectionEndpoint", self.data_collection_endpoint("delivery")
        yield "data_collection_rule", "dataCollectionRule", self.data_collection_rule("containers")
        yield "alert", "alert", self.alert("registry-access-from-outside")
        yield "saved_search", "savedSearch", self.saved_search("deployment-frequency")
        yield "deployment", "deployment", self.deployment("log-table-plans")
        yield "dashboard", "dashboard", self.dashboard("supply-chain")

    def misfits(self) -> tuple[Misfit, ...]:
        """The names that Azure would refuse; empty for every combination that the settings accept."""
        found = []
        for what, kind, name in self.all():
            rule = RULES[kind]
            if not (rule.shortest <= len(name) <= rule.longest and re.fullmatch(rule.pattern, name, re.ASCII)):
                found.append(Misfit(what, name, rule))
        return tuple(found)


@dataclass(frozen=True)
class DeliveryNames:
    """What an environment is called inside the Azure DevOps project.

    The rule is `<kind>-<key>`, where the key is the environment's (its stack's name) as it stands, and the key alone
    for the environment itself. Azure Pipelines resolves such names before the first job of a run, so the pipelines'
    YAML derives them by the same rule in template expressions (`deploy-${{ environment.key }}`). What a project has
    once is named by its kind alone: `ci`, `pr`, `platform`. With keys of at most ten characters, every name stays far
    below the limits of Azure DevOps.
    """

    key: str

    CI_CONNECTION: ClassVar[str] = "ci"
    SIGNER_CONNECTION: ClassVar[str] = "signer"
    UPDATES_CONNECTION: ClassVar[str] = "updates"
    PLATFORM_REPOSITORY: ClassVar[str] = "platform"
    APPLICATION_REPOSITORY: ClassVar[str] = "application"
    CONFIGURATION_REPOSITORY: ClassVar[str] = "configuration"
    """Made where an environment pulls."""
    MAINTAINERS: ClassVar[str] = "maintainers"
    """The project's group of those who review what all environments have in common."""

    @property
    def environment(self) -> str:
        return self.key

    @property
    def variable_group(self) -> str:
        return f"environment-{self.key}"

    @property
    def approvers(self) -> str:
        """The project's group of those who approve releases to the environment."""
        return f"approvers-{self.key}"

    @property
    def folder(self) -> str:
        """Of the environment in the repository of configuration."""
        return f"environments/{self.key}"

    def users(self, job: str) -> str:
        """The project's group that has one identity as its member: `release`, `flux`."""
        return f"{job}-{self.key}"

    @property
    def validation(self) -> str:
        """The environment on GitHub that a person is asked at, before the environment itself."""
        return f"validate-{self.key}"

    @property
    def infrastructure(self) -> str:
        """The environment that a change to the infrastructure itself passes; its gates are asked, not a release's."""
        return f"infrastructure-{self.key}"

    def connection(self, job: str) -> str:
        """The service connection of one job, such as `deploy`, `promote`, `verify`, `plan` or `apply`."""
        return f"{job}-{self.key}"


def tags(workload: str, environment: str, tier: str, own: Mapping[str, str]) -> dict[str, str]:
    """The tags of every resource: the estate's own (owner, cost centre, …) and the four that tell whose it is."""
    return dict(sorted({**own, **standard_tags(workload, environment, tier)}.items()))


def standard_tags(workload: str, environment: str, tier: str) -> dict[str, str]:
    """The tags that the program sets itself; settings may not name them."""
    return {"workload": workload, "environment": environment, "tier": tier, "managed-by": "pulumi"}
