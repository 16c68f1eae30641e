"""What the subscription must allow and hold: a sign-in, rights, providers, and what the stack file refers to by id."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from operations.checking import LOGIN, Amiss, Judged, Place
from operations.doctor.register import DOCTOR
from settings import Settings

PROVIDERS: Final = (
    "Microsoft.AlertsManagement",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.Dashboard",
    "Microsoft.DevCenter",
    "Microsoft.DevOpsInfrastructure",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.ManagedIdentity",
    "Microsoft.Monitor",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.OperationsManagement",
    "Microsoft.PolicyInsights",
    "Microsoft.Security",
)
"""Of what the program makes, and of the add-ons of a cluster. The README's command registers the same."""

OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR: Final = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ROLE_ADMINISTRATOR: Final = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
ACCESS_ADMINISTRATOR: Final = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
SECURITY_ADMINISTRATOR: Final = "fb1c8493-542b-48eb-b624-b4c8fea62acd"


@DOCTOR("login", "somebody is signed in to the directory of the environment")
def login(place: Place) -> Judged:
    from operations.clouds import NoLoginError

    tenant = place.settings.azure.tenant_id
    try:
        claims = place.clouds.who()
    except NoLoginError as error:
        yield Amiss(str(error), f"az login --tenant {tenant}")
        return
    if claims.get("tid") != tenant:
        yield Amiss(f"the sign-in is for the directory {claims.get('tid')}", f"az login --tenant {tenant}")


@DOCTOR("rights", "whoever is signed in may make resources, grant roles and own Defender's plans", LOGIN)
def rights(place: Place) -> Judged:
    who = place.clouds.who()["oid"]
    subscription = f"/subscriptions/{place.settings.azure.subscription_id}"
    held = {
        str(each.role_definition_id).rpartition("/")[2]
        for each in place.clouds.roles.role_assignments.list_for_subscription(filter=f"assignedTo('{who}')")
        if _covers(str(each.scope), subscription) and not each.condition
    }
    return judge_rights(held, owns_plans=place.settings.defender.plans == "managed")


def _covers(scope: str, subscription: str) -> bool:
    """Whether a grant is on the subscription as a whole, or above."""
    above = scope == "/" or scope.lower().startswith("/providers/microsoft.management/")
    return above or scope.lower() == subscription.lower()


def judge_rights(held: Collection[str], *, owns_plans: bool) -> Iterator[Amiss]:
    """`held` are ids of roles on the whole subscription, held without a condition."""
    if OWNER in held:
        return
    remedy = "have it granted on the subscription (or Owner); a custom role that holds the same does too"
    if CONTRIBUTOR not in held:
        yield Amiss("the role Contributor is missing", remedy)
    if not {ROLE_ADMINISTRATOR, ACCESS_ADMINISTRATOR} & {*held}:
        yield Amiss("the role Role Based Access Control Administrator is missing, or bound to a condition", remedy)
    if owns_plans and SECURITY_ADMINISTRATOR not in held:
        yield Amiss("the role Security Admin is missing, and this stack owns Defender's plans", remedy)


@DOCTOR("providers", "every resource provider that the program uses is registered", LOGIN)
def providers(place: Place) -> Judged:
    found = {str(each.namespace): str(each.registration_state) for each in place.clouds.resources.providers.list()}
    return judge_providers(found)


def judge_providers(states: Mapping[str, str]) -> Iterator[Amiss]:
    known = {name.lower(): state for name, state in states.items()}
    for name in PROVIDERS:
        state = known.get(name.lower(), "unknown")
        if state != "Registered":
            yield Amiss(f"{name} is {state}", f"az provider register --namespace {name}")


API_VERSIONS: Final[Mapping[str, str]] = {
    "microsoft.network/virtualnetworks": "2024-05-01",
    "microsoft.network/routetables": "2024-05-01",
    "microsoft.network/privatednszones": "2024-06-01",
    "microsoft.operationalinsights/workspaces": "2023-09-01",
}
"""Of what a stack file refers to by id."""


@DOCTOR(
    "existing",
    "what the stack file refers to by id is there, and where it must be",
    LOGIN,
    applies=lambda place: bool(place.settings.existing.resource_ids),
)
def existing(place: Place) -> Judged:
    found = {}
    for id in sorted(place.settings.existing.resource_ids):
        parts = id.split("/")
        resource = place.clouds.resource(id, API_VERSIONS["/".join(parts[6:8]).lower()])
        found[id] = None if resource is None else str(resource["location"]).lower().replace(" ", "")
    return judge_existing(place.settings, found)


def judge_existing(settings: Settings, locations: Mapping[str, str | None]) -> Iterator[Amiss]:
    """`locations` by id; None for what is not there, or not to be seen."""
    hub = settings.network.hub
    for id, location in locations.items():
        name = "/".join(id.split("/")[7:])
        if location is None:
            yield Amiss(f"{name} is not there", "correct its id in the stack file, or have it made")
        elif hub and id == hub.route_table_id and location != settings.azure.location:
            yield Amiss(
                f"{name} lies in {location}, the environment in {settings.azure.location}",
                "name a route table of the same region: Azure takes no other",
            )
        elif id == settings.logs.workspace_id and location != (settings.logs.location or settings.azure.location):
            yield Amiss(f"{name} lies in {location}", f"set logs.location to {location}")
