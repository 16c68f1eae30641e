"""What an environment is: the typed, validated form of its stack file. The only reader of Pulumi config.

Every section stands in the stack file as `aks-cicd:<section>`, in camelCase below that, so that for instance
`pulumi config set --path 'aks-cicd:cluster.version' 1.36` works. Unknown keys are refused. All problems are
reported at once, each with key, value, what is allowed and how to mend it; combinations are judged in
`validation.checks`.

What it does not do: it calls no cloud, and it fills in no default that a reviewer should see: how open a thing is,
its size and its address range must stand in the file.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pulumi
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components import addressing, regions
from components.delivery.checks import BusinessHours as ReleaseHours
from components.delivery.checks import Gates as ReleaseGates
from components.naming import Names
from contract import Expected
from policies import Exemption
from validation import checks
from validation.problems import Problem, SettingsError, unknown_key
from validation.reader import in_order, read_sections
from validation.types import (
    Address,
    Cidr,
    Clock,
    Cpu,
    Date,
    DistinguishedName,
    Email,
    Flag,
    GitHubId,
    GitHubName,
    GitHubOwnerName,
    GitHubRepositoryName,
    Guid,
    HttpsUrl,
    KeyVersion,
    KubernetesVersion,
    LabelKey,
    LabelValue,
    Line,
    Memory,
    NamespaceName,
    OrganizationUrl,
    PoolName,
    PrivateDnsZoneId,
    ProjectName,
    ReceiverName,
    Region,
    ResourcePattern,
    RouteTableId,
    RuleId,
    RunnerLabel,
    SecretName,
    ServiceAccountName,
    SigningCertificate,
    StackName,
    TagMap,
    Taint,
    TimeZone,
    UtcOffset,
    VirtualNetworkId,
    VmSize,
    WorkloadName,
    WorkspaceId,
    Zone,
    decimal,
    whole,
)

__all__ = ["PROJECT", "Problem", "Settings", "SettingsError", "load", "parse", "rehearsal"]

PROJECT = "aks-cicd"
"""Namespace of the config keys and of the component types; the `name` in Pulumi.yaml."""

Tier = Literal["nonproduction", "production"]
Platform = Literal["azureDevOps", "github"]
Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
Access = Literal["public", "restricted", "private"]
"""public: from anywhere, with a token. restricted: from named ranges. private: through a private endpoint only."""

_rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)


class Section(BaseModel):
    """One section of a stack file: frozen, camelCase in the file, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Azure(Section):
    """Directory, subscription and region of the environment."""

    tenant_id: Guid
    subscription_id: Guid
    subscription_name: Line | None = None
    """As Azure DevOps shows it beside a service connection; the id, if not said."""
    location: Region


class Stacks(Section):
    """The stacks this one leans on; what is not named here, the environment owns itself."""

    delivery: StackName | None = None
    """Where the Azure DevOps project, the CI vault and the CI identity live."""
    promotes_from: StackName | None = None
    """From whose registry images are promoted; production only."""
    registry: StackName | None = None
    """Whose registry the cluster pulls from, when the environment has none of its own."""
    registry_private: Flag = False
    """Whether that registry answers private end points alone, so that this environment needs one of its own."""


class Hub(Section):
    """A network that somebody else owns and that this environment's network is peered with."""

    virtual_network_id: VirtualNetworkId
    address_spaces: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """What is reached through the hub, its own range included."""
    route_table_id: RouteTableId | None = None
    """Sends all traffic to the hub's firewall; for the egress `hubRouteTable`."""
    egress_addresses: tuple[Address, ...] = ()
    """Public addresses of the hub's firewall."""


class Subnets(Section):
    """Ranges that replace planned ones, for an estate that has drawn its plan already."""

    nodes: Cidr | None = None
    agents: Cidr | None = None
    private_endpoints: Cidr | None = None
    api_server: Cidr | None = None


class PrivateDnsZones(Section):
    """Zones that exist already. One that is not named is made here; the API server's is then AKS's own."""

    registry: PrivateDnsZoneId | None = None
    vault: PrivateDnsZoneId | None = None
    api_server: PrivateDnsZoneId | None = None


class Network(Section):
    """The environment's own virtual network, and how it reaches the rest of the world."""

    address_space: Cidr
    subnets: Subnets = Subnets()
    pod_range: Cidr = "10.244.0.0/16"
    service_range: Cidr = "10.245.0.0/16"
    """Pods and services live inside the cluster; the same ranges serve in every environment."""
    egress: Literal["loadBalancer", "natGateway", "hubRouteTable"]
    hub: Hub | None = None
    private_dns_zones: PrivateDnsZones = PrivateDnsZones()


class Registry(Section):
    """The tier's registry. Its sku follows from what is asked of it."""

    access: Access
    allowed_ranges: tuple[Cidr, ...] = ()
    untagged_retention_days: Annotated[int, whole(0, 365, "days (0 keeps all)")] = 0
    soft_delete_days: Annotated[int, whole(0, 90, "days (0 is off)")] = 0
    zone_redundant: Flag = False
    replicas: tuple[Region, ...] = ()


class Vault(Section):
    access: Access
    allowed_ranges: tuple[Cidr, ...] = ()
    soft_delete_days: Annotated[int, whole(7, 90, "days")] = 90
    """Fixed when the vault is made."""


class Vaults(Section):
    workload: Vault
    ci: Vault | None = None
    """Only where delivery lives: the secrets of the CI pipeline, which nothing else reads."""

    @property
    def all(self) -> tuple[Vault, ...]:
        return (self.workload, self.ci) if self.ci else (self.workload,)


class Pool(Section):
    """A node pool; always autoscaled, equal limits make its size fixed."""

    vm_size: VmSize
    min_nodes: Annotated[int, whole(1, 1000, "nodes")]
    max_nodes: Annotated[int, whole(1, 1000, "nodes")]
    os_disk: Literal["ephemeral", "managed"] = "ephemeral"
    os_disk_gb: Annotated[int, whole(30, 2048, "GiB")] = 128
    max_pods: Annotated[int, whole(50, 250, "pods per node")] = 110


class UserPool(Pool):
    labels: dict[LabelKey, LabelValue] = {}
    taints: tuple[Taint, ...] = ()


class Window(Section):
    """A weekly maintenance window; `start` is local to `utcOffset`."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    start: Clock
    hours: Annotated[int, whole(4, 24, "hours")] = 4
    utc_offset: UtcOffset = "+00:00"


class Upgrades(Section):
    """Which upgrades AKS makes by itself, and when it may."""

    channel: Literal["none", "patch", "stable", "rapid"] = "patch"
    """stable and rapid change the minor version too; the `version` of the settings then serves creation only."""
    window: Window
    node_os_channel: Literal["None", "SecurityPatch", "NodeImage"] = "NodeImage"
    node_os_window: Window


class Cluster(Section):
    version: KubernetesVersion
    sku: Literal["Free", "Standard", "Premium"]
    """Free has no service level; production refuses it."""
    access: Literal["public", "private"]
    reachable: Flag = True
    """Whether the API server can be reached from where `pulumi up` runs; a private one cannot, from outside."""
    authorized_ranges: tuple[Cidr, ...] = ()
    """Who may reach a public API server; empty: everybody, with an Entra token."""
    admin_groups: Annotated[tuple[Guid, ...], Field(min_length=1)]
    """Entra groups whose members administer the cluster."""
    zones: tuple[Zone, ...] = ()
    system_pool: Pool
    user_pools: Annotated[dict[PoolName, UserPool], Field(min_length=1)]
    upgrades: Upgrades
    image_cleaner_hours: Annotated[int, whole(24, 2160, "hours")] = 168
    run_command: Flag = False
    admission: Literal["deny", "audit"] = "deny"
    """What becomes of pods that break the rules on images and Pod Security: refused, or reported."""


class Quota(Section):
    """What all pods of the workload may ask for together, as Kubernetes writes quantities."""

    cpu: Cpu = "4"
    memory: Memory = "8Gi"
    pods: Annotated[int, whole(1, 1000, "pods")] = 20


class Namespace(Section):
    """The workload's place in the cluster."""

    name: NamespaceName | None = None
    """The workload's own name, if not said."""
    service_account: ServiceAccountName = "workload"
    secrets: tuple[SecretName, ...] = ()
    """Of the workload vault, mounted by pods; they must be in the vault before the first pod starts."""
    quota: Quota = Quota()


class Logs(Section):
    """The Log Analytics workspace: an existing one, or our own with retention and an optional cap."""

    workspace_id: WorkspaceId | None = None
    """Of a workspace that exists."""
    retention_days: Annotated[int, whole(30, 730, "days")] | None = None
    daily_cap_gb: Annotated[int, whole(1, 10_000, "GB a day")] | None = None
    location: Region | None = None
    """Of an existing workspace that lies in another region than the environment."""
    basic_tables: tuple[Literal["AKSControlPlane", "ContainerLogV2"], ...] = ()
    """Tables on the Basic plan: cheap to fill, paid by query, not to be alerted on. No alert of ours reads these."""


class Grafana(Section):
    version: Literal["12", "13"]
    """Major version; an upgrade cannot be taken back."""
    zone_redundant: Flag = False
    """Fixed when it is made."""


class Objectives(Section):
    """What the workload promises, over 30 days; the service-level alerts judge it by these."""

    availability_percent: Annotated[float, decimal(94, 100, "percent")] = 99.9
    latency_percent: Annotated[float, decimal(94, 100, "percent")] = 95.0
    latency_milliseconds: Annotated[int, whole(5, 10_000, "milliseconds")] = 300
    """`latencyPercent` of requests are answered within this; must be the end of a bucket of the histogram."""


class Monitoring(Section):
    """Metrics, traces and dashboards."""

    metrics_location: Region | None = None
    """Of metrics workspace and Grafana, where the environment's region has none."""
    grafana: Grafana
    objectives: Objectives = Objectives()
    trace_sampling_percent: Annotated[int, whole(1, 100, "percent")] = 100
    gate_hours: Annotated[int, whole(1, 47, "hours")] = 24
    """After how long a release that waits at a gate is reported."""
    dashboards_in_portal: Flag = False
    """Dashboards also in the Azure portal (a preview of Azure's)."""


class Alerts(Section):
    """Who is told, by name of the receiver. Channels of Teams have an e-mail address, or a webhook of Workflows."""

    emails: dict[ReceiverName, Email] = {}
    webhooks: dict[ReceiverName, HttpsUrl] = {}
    """Addresses of webhooks are credentials: `pulumi config set --secret --path`."""


class Defender(Section):
    """Who owns the subscription's plans: this stack, somebody else, or nobody."""

    plans: Literal["managed", "existing", "none"]
    contacts: tuple[Email, ...] = ()
    """Whom Defender for Cloud writes to; with managed plans."""


class Agents(Section):
    """Where pipelines run: on the platform's own machines, or inside our network.

    hosted: Microsoft's or GitHub's. managed: Azure DevOps has them made inside the network. selfHosted: runners of
    GitHub that somebody else keeps there.
    """

    kind: Literal["hosted", "managed", "selfHosted"]
    label: RunnerLabel | None = None
    """Of the runners inside the network, with kind selfHosted."""
    service_principal_id: Guid | None = None
    """Object id, in this directory, of DevOpsInfrastructure (application 31687f79-5e43-4c1e-8c63-d9f4bff5cf8b)."""
    vm_size: VmSize = "Standard_D2ads_v5"
    maximum: Annotated[int, whole(1, 100, "agents")] = 4


class Project(Section):
    """The Azure DevOps project: our own, or one that exists."""

    name: ProjectName
    id: Guid | None = None
    """Of a project that exists; its services and settings are then its owner's."""
    services: tuple[Literal["artifacts", "boards", "testplans"], ...] = ()
    """Of our own project, beside repositories and pipelines."""


class GitHub(Section):
    """An application whose repository is on GitHub."""

    repository: GitHubName
    connection_id: Guid
    """Of the service connection that installing the Azure Pipelines app has made in the project."""


class Repositories(Section):
    """The two repositories on GitHub, of the owner that `delivery.github` names."""

    application: GitHubRepositoryName
    platform: GitHubRepositoryName = "platform"
    create: Flag = False
    """Whether the program makes them. Otherwise they exist, and are found by name."""
    subject: Literal["classic", "immutable"]
    """How GitHub names the application's repository in the tokens of runs: by names alone, or by names with ids, as for
    all repositories that were made, renamed or moved since 15 July 2026."""
    owner_id: GitHubId | None = None
    application_id: GitHubId | None = None
    """Of owner and repository, with the subject `immutable`; of a repository that the program makes, it knows it."""


class Home(Section):
    """What delivery has once, in the stack that owns it."""

    project: Project | None = None
    """On Azure DevOps."""
    github: GitHub | None = None
    """An application that Azure Pipelines builds from GitHub."""
    repositories: Repositories | None = None
    """On GitHub."""
    reviewers: Annotated[int, whole(1, 10, "people beside the author")] = 1
    configuration: Flag = False
    """Whether there is a repository of configuration although this stack pushes: another one pulls from it."""
    seed_configuration: Flag = True
    """Whether a new one is filled; apart from `seed`: it may be made when the others have long been their teams'."""
    extensions: tuple[Literal["code-to-cloud", "security-devops"], ...] = ("security-devops",)
    """Of the organisation, that this stack installs; leave out what is there already."""
    updates: Flag = False
    """Whether a pipeline proposes newer versions of what is pinned; its identity takes a Basic licence."""
    seed: Flag = True
    """Whether new repositories are filled. Off, the program lets go of what it has seeded; nothing is deleted."""


class BusinessHours(Section):
    """When releases may start."""

    start: Clock
    end: Clock
    time_zone: TimeZone = "UTC"
    """As Windows names it, such as W. Europe Standard Time."""
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


class Gates(Section):
    """What stands before a release. A gate of the tier that is switched off is a warning in every preview."""

    approval: Flag = True
    branch_control: Flag = True
    exclusive_lock: Flag = True
    required_template: Flag = True
    business_hours: BusinessHours | None = None
    approval_hours: Annotated[int, whole(1, 720, "hours")] = 72
    """How long a release waits for its approval before its stage is skipped."""


class GitHubSide(Section):
    """Where delivery is on GitHub, and who opens its gates there."""

    owner: GitHubOwnerName
    """The organisation that both repositories are of."""
    approver_teams: tuple[GitHubId, ...] = ()
    approver_users: tuple[GitHubId, ...] = ()
    """Ids of who approves releases; production. Any of them is enough."""
    wait_minutes: Annotated[int, whole(0, 43_200, "minutes")] = 0
    """How long a release waits in any case before it begins."""


class Delivery(Section):
    """What carries an image to an environment: Azure Pipelines, or GitHub Actions."""

    platform: Platform = "azureDevOps"
    organization: OrganizationUrl | None = None
    """Of Azure DevOps."""
    github: GitHubSide | None = None
    """With platform github."""
    model: Literal["push", "pull"] = "push"
    """push: CD deploys to the cluster. pull: CD changes the repository of configuration, and the cluster follows it."""
    home: Home | None = None
    """Only where delivery lives."""
    approvers: Guid | None = None
    """Object id of the directory's group that approves releases on Azure DevOps; production."""
    gates: Gates = Gates()
    protection_known: Flag = True
    """Whether Azure DevOps can see that the branches of all linked repositories are protected."""


class Signing(Section):
    """Images are signed by CI, and verified before they are promoted and deployed; left out, neither."""

    subject: DistinguishedName
    """What the certificates are issued to."""
    certificates: tuple[SigningCertificate, ...] = ()
    """That signatures may be made with; with the first, CI signs. None yet: there is a key, and nothing is signed."""
    key_version: KeyVersion | None = None
    """Of the key that the first certificate is for; only where delivery lives."""
    admission: Literal["off", "audit"] = "off"
    """Whether the cluster looks at signatures too and reports (Image Integrity, a preview of Azure's)."""

    @property
    def bundle(self) -> str:
        """The certificates in one line, as a variable of a pipeline may be."""
        return base64.b64encode("".join(self.certificates).encode()).decode()


class PolicyException(Section):
    """A rule of the policy pack that this environment does not follow for now."""

    rule: RuleId
    resource: ResourcePattern | None = None
    """Logical names; every resource, if not said."""
    reason: Line
    until: Date
    """The last day that it holds. Settings know no day: the pack says when it is over."""


class Overrides(Section):
    """Whole physical names that replace planned ones, for an estate with rules of its own."""

    resource_group: Line | None = None
    node_resource_group: Line | None = None
    virtual_network: Line | None = None
    cluster: Line | None = None
    registry: Line | None = None
    ci_vault: Line | None = None
    workload_vault: Line | None = None
    workspace: Line | None = None
    metrics_workspace: Line | None = None
    grafana: Line | None = None


@dataclass(frozen=True)
class Existing:
    """What the environment expects to find before it is made."""

    tenant_id: str
    subscription_ids: frozenset[str]
    """Of the environment itself, and of what it refers to."""
    resource_ids: frozenset[str]
    groups: frozenset[str]
    service_principals: frozenset[str]
    organization: str
    """URL of the Azure DevOps organisation; empty on GitHub."""
    project: Project | None
    """In Azure DevOps."""
    github: GitHub | None
    """The connection lies in the project."""
    extensions: tuple[str, ...]
    """Of the organisation, that an earlier life of this environment has left there; by what they are for."""
    owner: str = ""
    """Of the repositories on GitHub."""
    repositories: Repositories | None = None
    """On GitHub, whether they exist or are made."""
    teams: frozenset[int] = frozenset()
    users: frozenset[int] = frozenset()
    """On GitHub, by id."""


class Settings(Section):
    """One environment. The stack's name is the environment's name."""

    stack: StackName
    tier: Tier
    workload: WorkloadName
    generation: Annotated[int, whole(1, 99, "lives of this environment")] = 1
    azure: Azure
    stacks: Stacks = Stacks()
    tags: TagMap = {}
    names: Overrides = Overrides()
    network: Network
    registry: Registry | None = None
    vaults: Vaults
    cluster: Cluster
    namespace: Namespace = Namespace()
    logs: Logs
    monitoring: Monitoring
    alerts: Alerts
    defender: Defender
    agents: Agents
    delivery: Delivery
    signing: Signing | None = None
    exceptions: tuple[PolicyException, ...] = ()

    @property
    def production(self) -> bool:
        return self.tier == "production"

    @property
    def pulls(self) -> bool:
        """Whether the cluster fetches what it runs, and no pipeline reaches it."""
        return self.delivery.model == "pull"

    @property
    def keeps_configuration(self) -> bool:
        """Whether this stack makes the repository that clusters pull from."""
        home = self.delivery.home
        return home is not None and (home.configuration or self.pulls)

    @property
    def on_github(self) -> bool:
        return self.delivery.platform == "github"

    @property
    def organization(self) -> str:
        """URL of the Azure DevOps organisation; empty on GitHub."""
        return self.delivery.organization or ""

    @property
    def owner(self) -> str:
        """Of the repositories on GitHub; empty on Azure DevOps."""
        return self.delivery.github.owner if self.delivery.github else ""

    @property
    def leans_on(self) -> tuple[str, ...]:
        """The stacks that must be up before this one."""
        said = (self.stacks.delivery, self.stacks.promotes_from, self.stacks.registry)
        return tuple(dict.fromkeys(name for name in said if name))

    @property
    def hub_id(self) -> str | None:
        return self.network.hub.virtual_network_id if self.network.hub else None

    @property
    def subnets(self) -> dict[str, str]:
        """Ranges of the subnets that this environment needs, by purpose."""
        planned = addressing.plan(self.network.address_space, checks.own_subnets(self.network))
        wanted = {
            addressing.NODES: True,
            addressing.AGENTS: self.agents.kind == "managed",
            addressing.PRIVATE_ENDPOINTS: bool(self.private_zones),
            addressing.API_SERVER: self.cluster.access == "private",
        }
        return {purpose: cidr for purpose, cidr in planned.items() if wanted[purpose]}

    @property
    def private_zones(self) -> dict[str, str | None]:
        """What is reached by a private end point, to the id of an existing DNS zone or None."""
        zones = self.network.private_dns_zones
        private = {
            "registry": self.stacks.registry_private or bool(self.registry and self.registry.access == "private")
        }
        private["vault"] = any(vault.access == "private" for vault in self.vaults.all)
        return {kind: getattr(zones, kind) for kind, wanted in private.items() if wanted}

    @property
    def egress_zones(self) -> tuple[str, ...]:
        """Zones of the egress address: all that the region has, because changing them would replace the address."""
        return ("1", "2", "3") if self.azure.location in regions.WITH_ZONES else ()

    @property
    def service_endpoints(self) -> tuple[str, ...]:
        """A restricted vault lets the nodes in by their subnet, which needs this service end point."""
        return ("Microsoft.KeyVault",) if any(vault.access == "restricted" for vault in self.vaults.all) else ()

    def expects(self, stack: str) -> Expected:
        """What must hold of a stack that this one leans on."""
        tier = self.tier if stack == self.stacks.registry else "nonproduction"
        return Expected(
            self.workload,
            tier,
            self.network.address_space,
            self.hub_id,
            self.defender_plans_of,
            organization=self.organization,
            owner=self.owner,
            lends_delivery=stack == self.stacks.delivery,
            project=home.project.name if (home := self.delivery.home) and home.project else None,
            pulls=self.pulls,
            signed_by=self.signing.subject if self.signing else None,
            reaches_registry=None if stack != self.stacks.registry or self.hub_id else self.stacks.registry_private,
        )

    @property
    def defender_plans_of(self) -> str | None:
        """The subscription whose Defender plans this environment owns."""
        return self.azure.subscription_id if self.defender.plans == "managed" else None

    @property
    def metrics_location(self) -> str:
        return self.monitoring.metrics_location or self.azure.location

    @property
    def objectives(self) -> dict[str, float]:
        """The service-level objectives as ratios and seconds."""
        said = self.monitoring.objectives
        return {
            "availability": said.availability_percent / 100,
            "latency": said.latency_percent / 100,
            "latency_threshold_seconds": said.latency_milliseconds / 1000,
        }

    @property
    def registry_clients(self) -> tuple[str, ...] | None:
        """Ranges that clients of a private registry may come from; None where it answers others too."""
        if self.registry is None or self.registry.access != "private":
            return None
        hub = self.network.hub.address_spaces if self.network.hub else ()
        return (self.network.address_space, *hub)

    @property
    def gates(self) -> ReleaseGates:
        """The gates as components take them."""
        said = self.delivery.gates.model_dump()
        hours = said.pop("business_hours")
        if hours:
            hours = ReleaseHours(**{**hours, "days": tuple(day.lower() for day in hours["days"])})
        return ReleaseGates(**said, business_hours=hours)

    @property
    def planned_names(self) -> Names:
        return checks.planned_names(self.stack, self.workload, self.azure, self.generation, self.names)

    @property
    def existing(self) -> Existing:
        """What the file refers to by id: networks, zones, workspaces, principals, a project and its connection.

        And what an earlier generation has left behind, because others use it by then.
        """
        ids = frozenset(value for _, value in checks.leaves(self) if value.lower().startswith("/subscriptions/"))
        home = self.delivery.home
        later_life = self.generation > 1
        if later_life and self.defender_plans_of:
            contact = "providers/Microsoft.Security/securityContacts/default"
            ids |= {f"/subscriptions/{self.defender_plans_of}/{contact}"}
        return Existing(
            tenant_id=self.azure.tenant_id,
            subscription_ids=frozenset({self.azure.subscription_id, *(each.split("/")[2].lower() for each in ids)}),
            resource_ids=ids,
            groups=frozenset({*self.cluster.admin_groups, *filter(None, [self.delivery.approvers])}),
            service_principals=frozenset(filter(None, [self.agents.service_principal_id])),
            organization=self.organization,
            project=home.project if home and home.project and home.project.id else None,
            github=home.github if home else None,
            extensions=home.extensions if home and home.project and later_life else (),
            owner=self.owner,
            repositories=home.repositories if home else None,
            teams=frozenset(self.delivery.github.approver_teams if self.delivery.github else ()),
            users=frozenset(self.delivery.github.approver_users if self.delivery.github else ()),
        )

    @property
    def exemptions(self) -> tuple[Exemption, ...]:
        """The exceptions as the policy pack takes them."""
        return tuple(Exemption(**each.model_dump()) for each in self.exceptions)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reviewer should know although it is allowed."""
        return tuple(checks.warnings(self))


def parse(stack: str, config: Mapping[str, Any], *, rehearsal: bool = False) -> Settings:
    """The settings of a stack from its config (`aks-cicd:<section>` to plain values).

    Raises SettingsError with all problems. Reserved placeholders are refused unless this is a rehearsal.
    """
    known = [field.alias or name for name, field in Settings.model_fields.items() if name != "stack"]
    own = {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items() if key.startswith(f"{PROJECT}:")}
    problems = [unknown_key(f"{PROJECT}:{key}", key, known, own[key]) for key in own if key not in known]
    sections, found = read_sections(Settings, PROJECT, {"stack": stack} | {k: own[k] for k in known if k in own})
    problems += found
    problems += checks.run(sections)
    if not rehearsal:
        problems += checks.placeholders(PROJECT, own)
    if problems:
        raise SettingsError(stack, in_order(problems, Settings, PROJECT))
    return Settings.model_construct(None, **sections)


def load() -> Settings:
    """The settings of the stack that is being run, from Pulumi's config."""
    return parse(pulumi.get_stack(), configured(), rehearsal=rehearsing())


def configured() -> dict[str, Any]:
    """What Pulumi's config says of the stack that is being run, by whole key."""
    from pulumi.runtime.config import CONFIG, get_config_env

    return {key: _value(text) for key, text in {**get_config_env(), **CONFIG.get()}.items()}


def rehearsing() -> bool:
    """Whether this run is one of a rehearsal."""
    return _rehearsing.get()


@contextlib.contextmanager
def rehearsal() -> Iterator[None]:
    """Within it, reserved placeholders are allowed: nothing of this run reaches a cloud."""
    token = _rehearsing.set(True)
    try:
        yield
    finally:
        _rehearsing.reset(token)


def _value(text: str) -> Any:
    """Pulumi hands structured values over as JSON and plain ones as bare text."""
    try:
        return json.loads(text) if text[:1] in "{[" else text
    except ValueError:
        return text
