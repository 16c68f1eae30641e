"""One environment of the delivery system, top to bottom as the architecture.

`settings` says what is wanted, `wiring` tells each component in its own terms, and with what those before it made.
"""

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_azure_native import Provider
from pulumi_azure_native.resources import ResourceGroup
from pulumi_azuredevops import Provider as DevOpsProvider

import contract
import wiring
from components import naming
from components.cluster import Cluster
from components.cluster.admission import Admission
from components.cluster.signatures import SignatureAudit
from components.defender import Defender
from components.delivery import DeliveryEnvironment, DeliveryHome, ManagedAgents
from components.delivery.github import GitHubEnvironment, GitHubHome, github
from components.gitops import Gitops
from components.network import Network
from components.observability import Observability
from components.observability.logs import Logs
from components.placement import Placement
from components.protection import Locks
from components.registry import BorrowedRegistry, TierRegistry
from components.signing import SigningKey
from components.vault import SecretStore
from components.workload import Workload
from contract import Contract
from settings import load

settings = load()
for warning in settings.warnings:
    pulumi.warn(warning)

# The stacks that this one leans on: they are up, and they fit.
upstream: dict[str | None, Output[Contract]] = {
    stack: contract.read(stack, settings.expects(stack)) for stack in settings.leans_on
}

# Where everything goes.
azure = Provider("azure", subscription_id=settings.azure.subscription_id, tenant_id=settings.azure.tenant_id)
platform: pulumi.ProviderResource
if settings.on_github:
    platform = github("github", settings.owner)
else:
    platform = DevOpsProvider("azure-devops", org_service_url=settings.organization)
inside = ResourceOptions(providers=[azure, platform])
names = settings.planned_names
tags = naming.tags(settings.workload, settings.stack, settings.tier, settings.tags)
group = ResourceGroup(
    "environment",
    resource_group_name=names.resource_group,
    location=settings.azure.location,
    tags=tags,
    opts=ResourceOptions(provider=azure, protect=settings.production),
)
place = Placement(names, group.name, settings.azure.location, tags, protect=settings.production)

# What all logs go to.
logs = Logs("logs", wiring.logs(settings, place), inside)

# The network: ranges, guards, the way out, the way to what is private.
network = Network("network", wiring.network(settings, place, logs), inside)

# Secrets: what the workload reads and, where delivery lives, what only CI reads.
workload_vault = SecretStore("workload-vault", wiring.workload_vault(settings, place, logs, network), inside)
ci_vault: SecretStore | None = None
if settings.vaults.ci:
    ci_vault = SecretStore("ci-vault", wiring.ci_vault(settings, place, logs, network), inside)

# What CI has images signed with; it lies beside the secrets of CI, and whoever reads those may not use it.
signing_key: SigningKey | None = None
if settings.signing and ci_vault:
    signing_key = SigningKey("signing-key", wiring.signing_key(place, ci_vault), inside)

# Images: a registry of the environment's own, or the one of the stack that it leans on.
registry: TierRegistry | None = None
if settings.registry:
    registry = TierRegistry("registry", wiring.registry(settings, place, logs, network), inside)
images = contract.images(registry, upstream.get(settings.stacks.registry))
borrowed: BorrowedRegistry | None = None
if settings.stacks.registry_private:
    borrowed = BorrowedRegistry("registry", wiring.borrowed_registry(place, images, network), inside)

# The cluster that runs the workload.
cluster = Cluster("cluster", wiring.cluster(settings, place, network, images, logs), inside)

# What it lets in: images of its tier's registry, and pods that need nothing of the node.
admission = Admission("admission", wiring.admission(settings, place, cluster, images), inside)

# What watches it, and who is told.
observability = Observability("observability", wiring.observability(settings, place, group, cluster, logs), inside)

# The workload's place in the cluster: what the platform owns and a deployer may not write.
workload = Workload("workload", wiring.workload(settings, place, cluster, workload_vault, observability), inside)

# Where images are signed, the cluster may look at that too.
audit: SignatureAudit | None = None
if settings.signing and settings.signing.admission == "audit":
    audit = SignatureAudit("signatures", wiring.signature_audit(settings, place, cluster, images, workload), inside)

made = wiring.Made(
    group, logs, network, workload_vault, ci_vault, signing_key, registry, images, cluster, observability, workload
)

# Where delivery lives, in this stack or in the one that it leans on, and what it has in this environment: its gates,
# who deploys and promotes, what a release must know, machines inside the network that pipelines run on; with the pull
# model, what fetches the workload into the cluster.
delivery: DeliveryHome | GitHubHome | None = None
releases: DeliveryEnvironment | GitHubEnvironment
agents: ManagedAgents | None = None
gitops: Gitops | None = None
lender, source = upstream.get(settings.stacks.delivery), upstream.get(settings.stacks.promotes_from)
if settings.on_github:
    ours = GitHubHome("delivery", wiring.github(settings, place, made), inside) if settings.delivery.home else None
    delivery, repositories = ours, contract.github_home(ours, lender)
    asked = wiring.github_releases(settings, place, repositories, made, source)
    releases = GitHubEnvironment("releases", asked, inside)
else:
    own = DeliveryHome("delivery", wiring.delivery(settings, place, made), inside) if settings.delivery.home else None
    delivery, home = own, contract.delivery_home(own, lender, pulls=settings.pulls)
    if settings.pulls:
        gitops = Gitops("gitops", wiring.gitops(settings, place, home, made), inside)
    if settings.agents.kind == "managed":
        agents = ManagedAgents("agents", wiring.agents(settings, place, home, made), inside)
    wanted = wiring.releases(settings, place, home, made, source, agents, gitops)
    releases = DeliveryEnvironment("releases", wanted, inside)

# What Defender for Cloud watches and finds.
defender: Defender | None = None
if settings.defender.plans != "none":
    defender = Defender("defender", wiring.defender(settings, place, group, logs), inside)

# In production, nobody deletes what holds state; the locks come last and go first.
if settings.production:
    images_here = registry or borrowed
    parts = (
        logs,
        network,
        workload_vault,
        images_here,
        cluster,
        admission,
        observability,
        workload,
        audit,
        gitops,
        agents,
        releases,
        defender,
    )
    Locks("locks", wiring.locks(settings, place, made, after=parts), inside)

# What other stacks may know, and what people still do by hand: the line of an environment in `release.yml`, and the
# rules of a branch on GitHub.
contract.publish(wiring.told(settings, made, delivery))
if agents or settings.agents.label:
    pulumi.export("agentPool", agents.name if agents else settings.agents.label)
if isinstance(delivery, DeliveryHome) and delivery.on_github:
    pulumi.export("onGitHub", delivery.on_github)
