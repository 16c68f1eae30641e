"""Service connections. Issuer and subject of a federated one are the service's own: nobody can work them out."""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azuredevops.kinds import (
    AZURE_ENDPOINT,
    ENDPOINT,
    GITHUB_ENDPOINT,
    PROJECT,
    DevOpsKind,
    Request,
    one_of,
    refuse_unless,
    same,
)
from rehearsal.cloud.values import guid
from rehearsal.cloud.world import World

FEDERATION: Final = "WorkloadIdentityFederation"
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_CREDENTIAL: Final = "azure-native:managedidentity:FederatedIdentityCredential"


def _scheme(request: Request) -> str:
    """How a connection signs in; empty when that is not known yet."""
    key = "serviceEndpointAuthenticationScheme"
    return request.text(key) if request.given(key) else "ServicePrincipal"


def _credentials(request: Request) -> None:
    if request.inputs.get("credentials") is UNKNOWN:
        return
    federated = _scheme(request) == FEDERATION
    refuse_unless(
        not federated or not request.given("credentials") or request.given("credentials.serviceprincipalid"),
        "MissingArgument",
        "credentials.serviceprincipalid is required",
    )
    refuse_unless(
        not federated or request.given("credentials"),
        "InvalidArgument",
        "without credentials the service makes an application in the directory by itself, which needs a person's "
        "rights there: give the client id of an identity as credentials.serviceprincipalid",
    )
    secret = request.given("credentials.serviceprincipalkey") or request.given(
        "credentials.serviceprincipalcertificate"
    )
    refuse_unless(
        not (federated and secret),
        "InvalidArgument",
        f"serviceprincipalkey and serviceprincipalcertificate are not for the scheme {FEDERATION}",
    )
    refuse_unless(
        _scheme(request) != "ServicePrincipal" or not request.given("credentials") or secret,
        "InvalidArgument",
        "a connection of the scheme ServicePrincipal needs a serviceprincipalkey or a serviceprincipalcertificate",
    )


def _scope(request: Request) -> None:
    refuse_unless(request.given("azurermSpnTenantid"), "MissingArgument", "azurerm_spn_tenantid is required")
    subscription = [request.given(f"azurermSubscription{key}") for key in ("Id", "Name")]
    group = [request.given(f"azurermManagementGroup{key}") for key in ("Id", "Name")]
    refuse_unless(
        (all(subscription) and not any(group)) or (all(group) and not any(subscription)),
        "InvalidArgument",
        "one of either azurerm_subscription_id with azurerm_subscription_name or azurerm_management_group_id with "
        "azurerm_management_group_name must be given",
    )
    refuse_unless(
        not (request.given("resourceGroup") and request.given("credentials")),
        "InvalidArgument",
        "resource_group is for connections whose application the service makes, not together with credentials",
    )


def _name(request: Request) -> None:
    name = request.text("serviceEndpointName")
    refuse_unless(
        len(name) <= 256 and name == name.strip() and not re.search(r"[<>\x00-\x1f]", name),
        "InvalidServiceEndpointName",
        f"The name of the service connection '{name}' is not valid.",
    )


def _name_is_free(request: Request) -> None:
    for other in request.there.of(ENDPOINT):
        taken = same(other.name, request.name) and same(other.inputs.get("projectId"), request.project)
        refuse_unless(
            other.id == request.id or not taken,
            "DuplicateServiceConnectionException",
            f"Service connection with name {request.name} already exists. Only a user having Administrator/User role "
            f"permissions on service connection {request.name} can see it.",
        )


def _leads_to_this_tenant(request: Request) -> None:
    world = request.there.world
    tenant = request.text("azurermSpnTenantid")
    refuse_unless(
        same(tenant, world.estate.tenant_id), "AADSTS90002", f"Tenant '{tenant}' not found. Check the tenant ID."
    )
    subscription = request.text("azurermSubscriptionId")
    refuse_unless(
        not subscription or world.knows_subscription(subscription),
        "SubscriptionNotFound",
        f"The subscription '{subscription}' could not be found.",
    )


def _identity_exists(request: Request) -> None:
    client = request.text("credentials.serviceprincipalid")
    refuse_unless(
        not client or _scheme(request) != FEDERATION or _is_client(request.there.world, client),
        "AADSTS700016",
        f"Application with identifier '{client}' was not found in the directory: it is the client id of an identity "
        "that exists, not its object id or name.",
    )


def _is_client(world: World, client: str) -> bool:
    if any(same(client, one) for one in world.estate.applications):
        return True
    return any(same(found.outputs.get("clientId"), client) for found in list(world.resources.values()))


def _validation(request: Request) -> None:
    if not request.get("features.validate", False) or _scheme(request) != FEDERATION:
        return
    trusted = request.old is not None and is_trusted(
        request.there.world,
        str(request.old.outputs.get("workloadIdentityFederationIssuer")),
        str(request.old.outputs.get("workloadIdentityFederationSubject")),
    )
    refuse_unless(
        trusted,
        "AADSTS70025",
        "The client has no configured federated identity credentials: the connection cannot be validated before its "
        "issuer and subject are known and trusted.",
    )


def is_trusted(world: World, issuer: str, subject: str) -> bool:
    """Whether some identity trusts what a connection signs in with."""
    return any(
        found.inputs.get("issuer") == issuer and found.inputs.get("subject") == subject
        for found in world.of_type(_CREDENTIAL)
    )


def _azure(request: Request) -> dict[str, Any]:
    tenant = request.text("azurermSpnTenantid")
    client = request.text("credentials.serviceprincipalid")
    authorization = {"tenantid": tenant, "serviceprincipalid": client, "scheme": _scheme(request)}
    outputs: dict[str, Any] = {"authorization": authorization, "servicePrincipalId": client}
    if _scheme(request) == FEDERATION:
        application = guid("application", tenant)
        outputs |= {
            "workloadIdentityFederationIssuer": f"https://login.microsoftonline.com/{tenant}/v2.0",
            "workloadIdentityFederationSubject": (
                f"/eid1/c/pub/t/{_short(tenant)}/a/{_short(application)}/sc/{guid(request.there.url)}/{request.id}"
            ),
        }
    return outputs


def _short(value: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(guid(value).replace("-", ""))).decode().rstrip("=")


def _one_authentication(request: Request) -> None:
    refuse_unless(
        not (request.given("authPersonal") and request.given("authOauth")),
        "InvalidArgument",
        "auth_personal conflicts with auth_oauth",
    )
    refuse_unless(
        not request.given("authPersonal") or request.given("authPersonal.personalAccessToken"),
        "MissingArgument",
        "auth_personal.personal_access_token is required",
    )
    refuse_unless(
        not request.given("authOauth") or request.given("authOauth.oauthConfigurationId"),
        "MissingArgument",
        "auth_oauth.oauth_configuration_id is required",
    )


def _github(request: Request) -> dict[str, Any]:
    scheme = (
        "Token" if request.given("authPersonal") else "OAuth" if request.given("authOauth") else "InstallationToken"
    )
    return {"authorization": {"scheme": scheme}}


KINDS: Final = (
    DevOpsKind(
        AZURE_ENDPOINT,
        required=("projectId", "serviceEndpointName"),
        name_input="serviceEndpointName",
        links={"projectId": PROJECT},
        force_new=(
            "projectId",
            "serviceEndpointAuthenticationScheme",
            "azurermSpnTenantid",
            "azurermSubscriptionId",
            "azurermSubscriptionName",
            "azurermManagementGroupId",
            "azurermManagementGroupName",
            "environment",
            "resourceGroup",
        ),
        defaults={"serviceEndpointAuthenticationScheme": "ServicePrincipal", "environment": "AzureCloud"},
        compute=_azure,
        shape=(
            one_of("serviceEndpointAuthenticationScheme", "ServicePrincipal", "ManagedServiceIdentity", FEDERATION),
            _credentials,
            _scope,
            _name,
        ),
        world=(_name_is_free, _leads_to_this_tenant, _identity_exists, _validation),
    ),
    DevOpsKind(
        GITHUB_ENDPOINT,
        required=("projectId", "serviceEndpointName"),
        name_input="serviceEndpointName",
        links={"projectId": PROJECT},
        force_new=("projectId",),
        compute=_github,
        shape=(_one_authentication, _name),
        world=(_name_is_free,),
    ),
)
