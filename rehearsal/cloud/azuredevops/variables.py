"""Variable groups, and those whose values are secrets of a vault."""

from __future__ import annotations

from typing import Final

from rehearsal.cloud.azuredevops.endpoints import FEDERATION, is_trusted
from rehearsal.cloud.azuredevops.kinds import (
    AZURE_ENDPOINT,
    PROJECT,
    VARIABLE_GROUP,
    DevOpsKind,
    Request,
    refuse_unless,
)

_VAULT: Final = "azure-native:keyvault:Vault"


def _variables(request: Request) -> None:
    variables = request.get("variables", None)
    refuse_unless(
        variables is None or len(variables) > 0, "MissingArgument", 'At least 1 "variable" block is required.'
    )
    names = [str(each.get("name")) for each in request.blocks("variables")]
    for each in request.blocks("variables"):
        name = each.get("name")
        refuse_unless(name is not None, "MissingArgument", "variable.name is required")
        refuse_unless(
            [other.lower() for other in names].count(str(name).lower()) == 1,
            "InvalidVariables",
            f"Duplicate variable found: {name}.",
        )
        secret, plain = each.get("secretValue") is not None, each.get("value") is not None
        refuse_unless(not (secret and plain), "InvalidVariables", f"{name}: value conflicts with secret_value")
        refuse_unless(
            not secret or (each.get("isSecret") is not False and each.get("isSecret") is not None),
            "InvalidVariables",
            f"{name}: a secret_value needs is_secret",
        )
        refuse_unless(
            not (plain and each.get("isSecret") is True),
            "InvalidVariables",
            f"{name}: a secret is given as secret_value, not as value, which the service would never give back",
        )
        refuse_unless(
            not (request.given("keyVault") and (secret or plain)),
            "InvalidVariables",
            f"{name}: the values of a group that is linked to a vault are in the vault",
        )


def _vault(request: Request) -> None:
    for key in ("name", "serviceEndpointId"):
        refuse_unless(
            not request.given("keyVault") or request.given(f"keyVault.{key}"),
            "MissingArgument",
            f"key_vault.{key} is required",
        )


def _vault_answers(request: Request) -> None:
    """The service asks the vault at once, through the connection: that must be able to sign in by then."""
    if not request.given("keyVault"):
        return
    name = request.text("keyVault.name")
    refuse_unless(
        any(found.name.lower() == name.lower() for found in request.there.world.of_type(_VAULT)),
        "KeyVaultNotFound",
        f"Failed to query the Azure Key Vault {name}: the vault does not exist.",
    )
    endpoint = request.there.need(AZURE_ENDPOINT, request.text("keyVault.serviceEndpointId"), request.project)
    issuer = str(endpoint.outputs.get("workloadIdentityFederationIssuer"))
    subject = str(endpoint.outputs.get("workloadIdentityFederationSubject"))
    refuse_unless(
        endpoint.inputs.get("serviceEndpointAuthenticationScheme") != FEDERATION
        or is_trusted(request.there.world, issuer, subject),
        "AADSTS70025",
        f"Failed to query the Azure Key Vault {name}: no identity trusts the connection {endpoint.name} yet.",
    )


KINDS: Final = (
    DevOpsKind(
        VARIABLE_GROUP,
        required=("projectId", "variables"),
        name_input="name",
        autonamed=True,
        numbered=True,
        links={"projectId": PROJECT, "keyVault.serviceEndpointId": AZURE_ENDPOINT},
        force_new=("projectId",),
        unique=("VariableGroupExistsException", "Variable group with name {name} already exists."),
        defaults={"allowAccess": False},
        shape=(_variables, _vault),
        world=(_vault_answers,),
    ),
)
