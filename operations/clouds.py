"""The ways to Azure, Azure DevOps, Microsoft Graph, Grafana and Prometheus, all by one sign-in and one transport.

Azure is asked by Microsoft's client of each service. Azure DevOps, Graph and the two query interfaces have no client
for Python that is kept up; they are asked by azure-core, which brings retries and tokens, and their answers are read
by models that say what is expected of them.

What it does not do: nothing here writes.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from azure.core import PipelineClient
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RedirectPolicy, RetryPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest
from azure.identity import AzureCliCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.devopsinfrastructure import DevOpsInfrastructureMgmtClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.monitor.query import LogsQueryClient
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

ARM: Final = "https://management.azure.com/.default"
DEVOPS: Final = "499b84ac-1321-427f-aa17-267ca6975798/.default"
"""The application of Azure DevOps, the same in every directory."""
GRAPH: Final = "https://graph.microsoft.com/.default"
GRAFANA: Final = "ce34e7e5-485f-4d76-964f-b3d2b16d1e4f/.default"
PROMETHEUS: Final = "https://prometheus.monitor.azure.com/.default"

T = TypeVar("T")


class Answer(BaseModel):
    """What is read of an answer; whatever else it says is none of our concern."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class NoLoginError(Exception):
    """Nobody is signed in; the message is that of the Azure CLI."""


class Remembered(TokenCredential):
    """A credential that keeps its tokens while they are good: the Azure CLI takes a second for each."""

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential
        self._tokens: dict[tuple[str, ...], AccessToken] = {}

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        kept = self._tokens.get(scopes)
        if kept is None or kept.expires_on < time.time() + 60:
            kept = self._tokens[scopes] = self._credential.get_token(*scopes, **options)
        return kept


@dataclass(frozen=True)
class Clouds:
    """Clients for one subscription and one organisation."""

    tenant_id: str
    subscription_id: str
    organization: str
    """URL of the Azure DevOps organisation."""
    credential: TokenCredential
    transport: Any = None
    """In place of the network; for tests."""

    @classmethod
    def signed_in(cls, tenant_id: str, subscription_id: str, organization: str) -> Clouds:
        return cls(tenant_id, subscription_id, organization, Remembered(AzureCliCredential(tenant_id=tenant_id)))

    def who(self) -> dict[str, Any]:
        """The claims of the sign-in's own token. Raises NoLoginError."""
        try:
            token = self.credential.get_token(ARM).token
        except ClientAuthenticationError as error:
            raise NoLoginError(str(error).splitlines()[0]) from None
        payload = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims

    @property
    def _how(self) -> dict[str, Any]:
        return {"transport": self.transport} if self.transport else {}

    @cached_property
    def resources(self) -> ResourceManagementClient:
        return ResourceManagementClient(self.credential, self.subscription_id, **self._how)

    @cached_property
    def roles(self) -> AuthorizationManagementClient:
        return AuthorizationManagementClient(self.credential, self.subscription_id, **self._how)

    @cached_property
    def compute(self) -> ComputeManagementClient:
        return ComputeManagementClient(self.credential, self.subscription_id, **self._how)

    @cached_property
    def network(self) -> NetworkManagementClient:
        return NetworkManagementClient(self.credential, self.subscription_id, **self._how)

    @cached_property
    def vaults(self) -> KeyVaultManagementClient:
        return KeyVaultManagementClient(self.credential, self.subscription_id, **self._how)

    @cached_property
    def registries(self) -> ContainerRegistryManagementClient:
        return ContainerRegistryManagementClient(self.credential, self.subscription_id, **self._how)

    @cached_property
    def workspaces(self) -> LogAnalyticsManagementClient:
        return LogAnalyticsManagementClient(self.credential, self.subscription_id, **self._how)

    @cached_property
    def agents(self) -> DevOpsInfrastructureMgmtClient:
        return DevOpsInfrastructureMgmtClient(self.credential, self.subscription_id, **self._how)

    @cached_property
    def logs(self) -> LogsQueryClient:
        return LogsQueryClient(self.credential, **self._how)

    def resource(self, id: str, api_version: str) -> dict[str, Any] | None:
        """A resource of Azure as its service tells it; None where there is none."""
        try:
            found = self.resources.resources.get_by_id(id, api_version=api_version)
        except HttpResponseError as error:
            if error.status_code == 404:
                return None
            raise
        said: dict[str, Any] = found.as_dict()
        return said

    def devops(self, path: str, form: type[T], *, host: str | None = None, **query: str) -> T:
        """An answer of the organisation; `path` begins behind its name."""
        base = self.organization if host is None else self.organization.replace("dev.azure.com", host)
        return self._read(base, path, DEVOPS, form, query)

    def graph(self, path: str, form: type[T], **query: str) -> T:
        return self._read("https://graph.microsoft.com/v1.0", path, GRAPH, form, query)

    def grafana(self, endpoint: str, path: str, form: type[T], **query: str) -> T:
        return self._read(endpoint, path, GRAFANA, form, query)

    def prometheus(self, endpoint: str, query: str) -> PromAnswer:
        """The answer of the metrics workspace to a query in PromQL."""
        return self._read(endpoint, "api/v1/query", PROMETHEUS, PromAnswer, {"query": query})

    def _read(self, base: str, path: str, scope: str, form: type[T], query: dict[str, str]) -> T:
        """Raises HttpResponseError where it is refused, ValueError where it says something else than expected."""
        request = HttpRequest("GET", f"{base.rstrip('/')}/{path}", params=query)
        policies = [
            UserAgentPolicy("aks-cicd"),
            # A page to sign in on is no answer: Azure DevOps redirects whoever it does not know.
            RedirectPolicy(permit_redirects=False),
            RetryPolicy(retry_total=2),
            BearerTokenCredentialPolicy(self.credential, scope),
        ]
        with PipelineClient(base, policies=policies, **self._how) as client:
            response = client.send_request(request)
            if response.status_code != 200:
                raise HttpResponseError(response=response)
            return TypeAdapter(form).validate_python(response.json())


class Series(Answer):
    metric: dict[str, str]
    value: tuple[float, str]


class PromResult(Answer):
    result: list[Series]


class PromAnswer(Answer):
    """Of Prometheus' own query interface."""

    status: str
    data: PromResult
