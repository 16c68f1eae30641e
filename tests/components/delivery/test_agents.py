"""Managed agents: inside the network, for named pipelines only."""

from __future__ import annotations

import pytest
from pulumi import ResourceOptions
from pulumi_azuredevops import Provider

from components.access import role_name
from components.delivery import DeliveryHome, ManagedAgents, ManagedAgentsArgs
from components.placement import Placement
from tests.declared import NAMES, SERVICE
from tests.deliveries import NETWORK, SUBNET, Delivered, delivered, home_args

URL = "https://dev.azure.com/contoso"


@pytest.fixture(scope="module")
def found() -> Delivered:
    def build(place: Placement) -> None:
        inside = ResourceOptions(providers=[Provider("devops", org_service_url=URL)])
        lent = DeliveryHome("delivery", home_args(place), inside).home
        args = ManagedAgentsArgs(
            place,
            organization_url=URL,
            project_id=lent.project_id,
            project_name=lent.project_name,
            network_id=NETWORK,
            subnet_id=SUBNET,
            service_principal_id=SERVICE,
            pipelines={"cd": lent.pipelines["cd"]},
        )
        ManagedAgents("managed-agents", args, inside)

    return delivered(build)


def test_machines_stand_in_our_subnet_and_nobody_signs_in_there(found: Delivered) -> None:
    pool = found.azure.one("devopsinfrastructure:Pool")
    assert pool["fabricProfile"]["networkProfile"] == {"subnetId": SUBNET}
    assert pool["fabricProfile"]["osProfile"]["logonType"] == "Service"
    assert "identity" not in pool


def test_the_pool_serves_our_project_alone_and_is_open_to_no_other_pipeline(found: Delivered) -> None:
    pool = found.azure.one("devopsinfrastructure:Pool")
    (served,) = pool["organizationProfile"]["organizations"]
    assert (served["url"], served["projects"], served["openAccess"]) == (URL, ["Shop"], False)


def test_every_job_gets_a_new_machine(found: Delivered) -> None:
    assert found.azure.one("devopsinfrastructure:Pool")["agentProfile"]["kind"] == "Stateless"


def test_azures_service_may_see_and_join_the_network_and_nothing_else(found: Delivered) -> None:
    rights = {
        (role_name(each["roleDefinitionId"]), each["scope"])
        for each in found.azure.of("authorization:RoleAssignment").values()
        if each["principalId"] == SERVICE
    }
    assert rights == {("Reader", NETWORK), ("Network Contributor", NETWORK)}


def test_the_queue_that_azure_makes_is_opened_to_the_named_pipelines(found: Delivered) -> None:
    queues = {name: each for name, each in found.of("PipelineAuthorization").items() if each["type"] == "queue"}
    (cd,) = (int(id) for name, id in found.ids("BuildDefinition").items() if name == "cd")
    assert [each["pipelineId"] for each in queues.values()] == [cd]
    assert found.azure.one("devopsinfrastructure:Pool")["poolName"] == NAMES.agent_pool


def test_the_network_lets_the_service_in_before_it_puts_machines_there(found: Delivered) -> None:
    (options,) = (each.options for each in found.asked if (each.kind, each.name) == ("Pool", "agents"))
    before = {getattr(each, "_name", "") for each in options.depends_on or ()}  # type: ignore[union-attr]
    assert before == {"agents-service-reads-network", "agents-service-joins-network"}


def test_only_who_made_the_pool_administers_it(found: Delivered) -> None:
    profile = found.azure.one("devopsinfrastructure:Pool")["organizationProfile"]
    assert profile["permissionProfile"] == {"kind": "CreatorOnly"}
