"""Identities of the pipelines: federation, order, and that nothing is secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pulumi.runtime import rpc

from components.delivery.checks import ChecksArgs
from components.delivery.identity import PipelineIdentity, PipelineIdentityArgs
from components.delivery.project import DeliveryProject, DeliveryProjectArgs
from components.delivery.rights import Right
from components.placement import Placement
from tests.declared import SUBSCRIPTION, TENANT
from tests.deliveries import CONNECTED, GRAFANA, REGISTRY, Delivered, delivered, environment

SECRET = re.compile(r"(?i)password|secret|token|key$|certificate|accesskey|serviceprincipalkey|\bpat\b")
HARMLESS = frozenset({"isSecret", "shareSecrets", "enforceReferencedRepoScopedToken"})
"""Flags whose names mention a secret."""


@pytest.fixture(scope="module")
def found() -> Delivered:
    return environment(grafana_id=GRAFANA)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and not rpc.is_rpc_secret(value):
        for key, inner in value.items():
            yield from leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


class TestFederation:
    def test_issuer_and_subject_are_those_of_the_own_connection(self, found: Delivered) -> None:
        credentials = found.azure.of("managedidentity:FederatedIdentityCredential")
        made = {
            each.name: each for each in found.azure.cloud.devops.resources.values() if "ServiceEndpoint" in each.type_
        }
        assert len(credentials) == len(made) == 4
        for job, connection in (
            ("ci", "ci"),
            ("deploy", "deploy-test"),
            ("promote", "promote-test"),
            ("dashboards", "dashboards-test"),
        ):
            credential, outputs = credentials[f"{job}-connection-signs-in"], made[connection].outputs
            assert credential["issuer"] == outputs["workloadIdentityFederationIssuer"]
            assert credential["subject"] == outputs["workloadIdentityFederationSubject"]
            assert credential["audiences"] == ["api://AzureADTokenExchange"]
            assert credential["resourceName"] == f"id-shop-test-{job}"

    def test_a_connection_signs_in_as_its_own_identity_without_a_secret(self, found: Delivered) -> None:
        clients = {
            each.name: each.outputs["clientId"]
            for each in found.azure.cloud.resources.values()
            if each.type_.endswith("UserAssignedIdentity")
        }
        connections = found.of("ServiceEndpointAzureRM")
        for job in ("ci", "deploy", "promote", "dashboards"):
            connection = connections[f"{job}-connection"]
            assert connection["serviceEndpointAuthenticationScheme"] == "WorkloadIdentityFederation"
            assert connection["credentials"] == {"serviceprincipalid": clients[f"id-shop-test-{job}"]}
            assert connection["features"] == {"validate": False}
            assert (connection["azurermSpnTenantid"], connection["azurermSubscriptionId"]) == (TENANT, SUBSCRIPTION)

    def test_credentials_of_one_identity_are_written_one_after_another(self) -> None:
        def build(place: Placement) -> None:
            project = DeliveryProject("project", DeliveryProjectArgs("Shop"))
            args = PipelineIdentityArgs(
                place,
                purpose="shared",
                connections=("one", "two", "three"),
                subscription=CONNECTED,
                checks=ChecksArgs(project.id, production=False),
                rights={"shared-pulls": Right("AcrPull", REGISTRY)},
                pipelines={},
            )
            PipelineIdentity("shared", args)

        options = delivered(build).options("FederatedIdentityCredential")
        before = [[getattr(each, "_name", "") for each in option.depends_on or ()] for option in options]  # type: ignore[union-attr]
        assert before == [[], ["shared-connection-1-signs-in"], ["shared-connection-2-signs-in"]]


class TestAuthorisation:
    def test_nothing_is_authorised_for_all_pipelines(self, found: Delivered) -> None:
        authorised = found.of("PipelineAuthorization")
        assert authorised
        assert {name for name, each in authorised.items() if not each.get("pipelineId")} == set()

    def test_each_pipeline_may_use_what_it_needs_and_no_more(self, found: Delivered) -> None:
        pipelines = {int(id): name for name, id in found.ids("BuildDefinition").items()}
        things = {
            (kind, id): name
            for kind, type_ in (
                ("endpoint", "ServiceEndpointAzureRM"),
                ("environment", "Environment"),
                ("variablegroup", "VariableGroup"),
                ("repository", "Git"),
            )
            for name, id in found.ids(type_).items()
        }
        allowed = {
            (pipelines[each["pipelineId"]], things[each["type"], each["resourceId"]])
            for each in found.of("PipelineAuthorization").values()
        }
        assert allowed == {
            ("pr", "platform"),
            ("ci", "platform"),
            ("cd", "platform"),
            ("ci", "ci"),
            ("cd", "deploy-test"),
            ("cd", "promote-test"),
            ("cd", "dashboards-test"),
            ("cd", "test"),
            ("cd", "environment-test"),
        }

    def test_what_is_built_for_a_pull_request_has_no_connection(self, found: Delivered) -> None:
        """Nobody has reviewed it yet."""
        ids = found.ids("BuildDefinition")
        unreviewed = {int(ids["pr"]), int(ids["platform-pr"])}
        opened = {
            each["type"] for each in found.of("PipelineAuthorization").values() if each["pipelineId"] in unreviewed
        }
        assert opened == {"repository"}

    def test_ci_reads_the_facts_only_where_delivery_lives(self) -> None:
        found = environment(production=False, promotion=None, ci_reads_facts=True, protect=False)
        ci = int(found.ids("BuildDefinition")["ci"])
        (group,) = found.ids("VariableGroup").values()
        opened = {
            (each["type"], each["resourceId"])
            for each in found.of("PipelineAuthorization").values()
            if each["pipelineId"] == ci
        }
        assert ("variablegroup", group) in opened


class TestNothingIsSecret:
    def test_no_input_holds_a_secret(self, found: Delivered) -> None:
        for each in found.azure.registered:
            for key, value in leaves(each.inputs):
                assert not rpc.is_rpc_secret(value), f"{each.name}: {key}"
                assert key in HARMLESS or not SECRET.search(key) or value in (None, ""), f"{each.name}: {key}"

    def test_no_fact_is_secret_and_the_group_is_not_open_to_all(self, found: Delivered) -> None:
        group = found.one("VariableGroup")
        assert group["allowAccess"] is False
        assert not [each for each in group["variables"] if each.get("isSecret") or "secretValue" in each]
