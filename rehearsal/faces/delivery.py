"""The packages azuredevops and github, as the engine's provider protocol asks for them.

What differs from Azure: ids are of a type, the configuration names an organisation, and refusals are the service's own
sentences behind its own code.
"""

from __future__ import annotations

from typing import Any

from rehearsal.cloud import Cloud, CloudError
from rehearsal.faces.servicer import Provider


class DeliveryProvider(Provider):
    """Serves the resources of the organisation."""

    def __init__(self, package: str, cloud: Cloud) -> None:
        super().__init__(package, cloud, cloud.devops)

    def Configure(self, request: Any, context: Any) -> Any:
        response = super().Configure(request, context)
        with self._refusals(context):
            self.judge(self.configuration(context))
        return response

    def judge(self, configuration: dict[str, Any]) -> None:
        self._cloud.devops.configure(configuration)

    def inputs_of(self, type_: str, id: str) -> dict[str, Any]:
        return self._cloud.devops.inputs_of(type_, id)

    def words(self, refusal: CloudError) -> str:
        return str(refusal)


class GitHubProvider(DeliveryProvider):
    """Serves what is on GitHub."""

    def judge(self, configuration: dict[str, Any]) -> None:
        self._cloud.devops.configure_github(configuration)
