"""What one stack tells another: one definition, used by the stack that exports it and by the stack that reads it.

The contract is the stack output `contract`, a mapping with the camelCase keys of `Contract`. It holds ids, names and
host names, and no secret. A field that is added stays optional for one release, so that a stack can be brought up
before the one it leans on has been.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated, Any

import pulumi
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from components.addressing import overlaps
from components.delivery import DeliveryHome, Home
from components.delivery.github import GitHubHome, Repositories
from components.delivery.pipelines import CD, CI, PLATFORM_PR, PR
from components.naming import DeliveryNames
from components.registry import TierRegistry

CONFIGURATION = DeliveryNames.CONFIGURATION_REPOSITORY

OUTPUT = "contract"
"""Name of the stack output."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class RegistryFacts(_Part):
    id: str
    """Resource id."""
    login_server: str
    """Host name that images are pushed to and pulled from."""
    access: str | None = None
    """`public`, `restricted` or `private`; only the owner says."""


class ClusterFacts(_Part):
    id: str
    name: str
    oidc_issuer: str
    """URL that workload identities are federated with."""


def _cidr(value: str) -> str:
    if "/" not in value:
        raise ValueError("a range has a prefix length")
    return str(IPv4Network(value))


class NetworkFacts(_Part):
    id: str
    address_space: Annotated[str, AfterValidator(_cidr)]
    """CIDR notation, IPv4."""
    hub_id: str | None = None
    """The network it is peered with."""


class VaultFacts(_Part):
    id: str
    uri: str


class SigningFacts(_Part):
    subject: str
    """What certificates are issued to that images are signed with."""


class RunRecordFacts(_Part):
    endpoint: str
    """Base URL of the ingestion API."""
    rule_id: str
    """Resource id of the collection rule; who may send is granted there."""
    immutable_id: str
    """What a sender names the rule by."""


class DeliveryFacts(_Part):
    organization: str
    """URL of the Azure DevOps organisation."""
    project_id: str
    project_name: str
    pipelines: dict[str, int]
    """Ids of the build definitions by name."""
    repositories: dict[str, str]
    """Ids of the repositories in Azure Repos by name."""


class GitHubFacts(_Part):
    owner: str
    """The organisation on GitHub."""
    application: str
    platform: str
    """Names of its two repositories."""
    subject: str
    """What the subject of the tokens of the application's runs begins with."""


class Contract(_Part):
    """One environment, as far as others need to know it."""

    environment: str
    tier: str
    workload: str
    resource_group: str
    registry: RegistryFacts
    """The registry that the cluster pulls from; its own, or that of the stack it leans on."""
    cluster: ClusterFacts
    network: NetworkFacts
    workload_vault: VaultFacts
    ci_vault: VaultFacts | None = None
    """Only where delivery lives."""
    signing: SigningFacts | None = None
    """Only where images are signed, or verified."""
    log_workspace_id: str
    metrics_workspace_id: str | None = None
    metrics_query_endpoint: str | None = None
    """Base URL of the Prometheus API."""
    grafana_endpoint: str | None = None
    run_records: RunRecordFacts | None = None
    """Where pipelines send what they did."""
    defender_plans_of: str | None = None
    """The subscription whose Defender plans this stack owns; one stack may."""
    delivery: DeliveryFacts | None = None
    """Only where delivery lives, on Azure DevOps."""
    github: GitHubFacts | None = None
    """Only where delivery lives, on GitHub."""


class ContractError(pulumi.RunError):
    """A stack that this one leans on does not tell what is needed, or tells what does not fit."""


def publish(facts: Mapping[str, Any]) -> None:
    """Exports the contract of the stack that is being run; `facts` are the fields of `Contract`, outputs allowed."""
    told = pulumi.Output.from_input(facts).apply(lambda known: Contract(**known).model_dump(by_alias=True))
    pulumi.export(OUTPUT, told)


@dataclass(frozen=True)
class Images:
    """The registry that an environment pulls from, as `RegistryFacts` tells of it."""

    id: pulumi.Output[str]
    login_server: pulumi.Output[str]
    access: str | None = None


def images(own: TierRegistry | None, lender: pulumi.Output[Contract] | None) -> Images:
    """An environment's own registry, or the one in the contract of the stack that lends it."""
    if own:
        return Images(own.id, own.login_server, own.access)
    assert lender is not None, "an environment has a registry of its own or borrows one"
    return Images(lender.registry.id, lender.registry.login_server)


def delivery_home(own: DeliveryHome | None, lender: pulumi.Output[Contract] | None, *, pulls: bool) -> Home:
    """The home of delivery: of this stack, or in the contract of the stack that owns it. `pulls`: whether this
    environment needs the repository of configuration."""
    if own:
        return own.home
    assert lender is not None, "delivery has a home here or in another stack"
    told = lender.delivery
    return Home(
        told.project_id,
        told.project_name,
        {name: told.pipelines[name] for name in (PR, CI, CD, PLATFORM_PR)},
        told.repositories.apply(lambda known: known.get(CONFIGURATION)) if pulls else None,
    )


def github_home(own: GitHubHome | None, lender: pulumi.Output[Contract] | None) -> Repositories:
    """The repositories on GitHub: of this stack, or in the contract of the stack that owns delivery."""
    if own:
        return own.home
    assert lender is not None, "delivery has a home here or in another stack"
    told = lender.github
    return Repositories(told.owner, told.application, told.platform, told.subject)


@dataclass(frozen=True)
class Expected:
    """What must hold of the stack that is read, for this one to lean on it."""

    workload: str
    tier: str
    address_space: str
    hub_id: str | None
    """This environment's range and hub: two ranges on one hub may not overlap."""
    defender_plans_of: str | None = None
    """The subscription whose Defender plans this environment would own."""
    organization: str = ""
    """URL of the Azure DevOps organisation; empty on GitHub."""
    owner: str = ""
    """The organisation on GitHub; empty on Azure DevOps."""
    lends_delivery: bool = False
    """Whether that stack is where delivery lives."""
    project: str | None = None
    """Name of the Azure DevOps project that this environment would own."""
    pulls: bool = False
    """Whether the cluster pulls, and so needs the repository of configuration."""
    signed_by: str | None = None
    """What certificates are issued to that this environment wants the images of that stack signed with."""
    reaches_registry: bool | None = None
    """Where that stack lends its registry: whether this environment has an end point for a private one. None where
    the way there is somebody else's, such as a hub's."""


def read(stack: str, expected: Expected) -> pulumi.Output[Contract]:
    """The contract of another stack of this project.

    Raises ContractError when that stack has no contract, an older one that lacks something, or one that does not fit.
    """
    reference = pulumi.StackReference(f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}")
    return reference.get_output(OUTPUT).apply(lambda found: fitting(stack, understood(stack, found), expected))


def understood(stack: str, found: Any) -> Contract:
    """A contract from a stack's output."""
    mend = f"run `pulumi up --stack {stack}` with this version of the program first"
    if found is None:
        raise ContractError(f"The stack {stack} has no output `{OUTPUT}`: {mend}.")
    if not isinstance(found, Mapping):
        raise ContractError(f"The output `{OUTPUT}` of the stack {stack} is no mapping of what a stack tells: {mend}.")
    try:
        return Contract.model_validate(found)
    except ValidationError as error:
        fields = ", ".join(sorted(".".join(map(str, detail["loc"])) for detail in error.errors()))
        raise ContractError(
            f"The output `{OUTPUT}` of the stack {stack} lacks or misstates {fields}: {mend}."
        ) from None


def fitting(stack: str, theirs: Contract, expected: Expected) -> Contract:
    """The contract, if all of it fits. Raises ContractError with everything that does not."""
    said = list(_disagreements(theirs, expected))
    if said:
        raise ContractError(f"The stack {stack} does not fit this one: " + "; ".join(said) + ".")
    return theirs


def _disagreements(theirs: Contract, expected: Expected) -> Iterable[str]:
    if theirs.workload != expected.workload:
        yield f"it carries the workload {theirs.workload}, this one {expected.workload}"
    if theirs.tier != expected.tier:
        yield f"its tier is {theirs.tier}, needed is {expected.tier}"
    if _same(expected.defender_plans_of, theirs.defender_plans_of):
        yield (
            f"both own the Defender plans of the subscription {expected.defender_plans_of}; "
            "set aks-cicd:defender.plans to existing in one of them"
        )
    if expected.reaches_registry is False and theirs.registry.access == "private":
        yield "its registry is private; set aks-cicd:stacks.registryPrivate to true"
    if expected.signed_by and expected.signed_by != (signer := theirs.signing.subject if theirs.signing else None):
        yield (
            f"its images are signed by {signer or 'nobody'}, wanted is {expected.signed_by}; give "
            "aks-cicd:signing.subject the same value in both"
        )
    on_github = [*_disagreements_on_github(theirs, expected)] if expected.lends_delivery else []
    yield from on_github or _disagreements_on_delivery(theirs.delivery, expected)
    ranges = {"theirs": theirs.network.address_space, "ours": expected.address_space}
    if _same(expected.hub_id, theirs.network.hub_id) and list(overlaps(ranges)):
        yield f"its range {ranges['theirs']} overlaps with {ranges['ours']} on the same hub"


def _disagreements_on_delivery(theirs: DeliveryFacts | None, expected: Expected) -> Iterable[str]:
    if expected.lends_delivery and theirs is None and not expected.owner:
        yield (
            "it tells of no Azure DevOps project; run `pulumi up` on it with this version of the program first, "
            "or name the stack that owns the project as aks-cicd:stacks.delivery"
        )
    if theirs is None or expected.owner:
        return
    if expected.lends_delivery and expected.pulls and CONFIGURATION not in theirs.repositories:
        yield (
            f"it has no repository {CONFIGURATION}, which this one pulls from (aks-cicd:delivery.model); set its "
            "aks-cicd:delivery.home.configuration to true and run `pulumi up` on it first"
        )
    same_organization = _same(expected.organization, theirs.organization)
    if expected.lends_delivery and not same_organization:
        yield (
            f"its Azure DevOps organisation is {theirs.organization}, this one's {expected.organization}; "
            "set aks-cicd:delivery.organization to the same"
        )
    if same_organization and _same(expected.project, theirs.project_name):
        yield (
            f"both own the Azure DevOps project {theirs.project_name}; name one of them as aks-cicd:stacks.delivery "
            "of the other, and remove its aks-cicd:delivery.home"
        )


def _disagreements_on_github(theirs: Contract, expected: Expected) -> Iterable[str]:
    ours, home = bool(expected.owner), theirs.github
    if ours and theirs.delivery:
        yield "its delivery is on Azure DevOps, this one's on GitHub; set aks-cicd:delivery.platform to the same"
    elif not ours and home and not theirs.delivery:
        yield "its delivery is on GitHub, this one's on Azure DevOps; set aks-cicd:delivery.platform to the same"
    elif ours and home is None:
        yield (
            "it tells of no repositories on GitHub; run `pulumi up` on it with this version of the program first, "
            "or name the stack that owns them as aks-cicd:stacks.delivery"
        )
    elif ours and home and not _same(expected.owner, home.owner):
        yield (
            f"its repositories are of {home.owner}, this one's of {expected.owner}; "
            "set aks-cicd:delivery.github.owner to the same"
        )


def _same(ours: str | None, theirs: str | None) -> bool:
    """Whether both name one thing: Azure's ids differ in nothing when they differ in case."""
    return ours is not None and theirs is not None and ours.lower() == theirs.lower()
