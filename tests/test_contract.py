"""What a stack tells another: read whole or refused with the stack, the output and the command that mends it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

import contract
from contract import Contract, ContractError, Expected
from tests.stackfiles import edited

HUB = "/subscriptions/0/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub"
TOLD: dict[str, Any] = {
    "environment": "staging",
    "tier": "nonproduction",
    "workload": "shop",
    "resourceGroup": "rg-shop-staging",
    "registry": {"id": "/registries/cr", "loginServer": "cr.azurecr.io", "access": "public"},
    "cluster": {"id": "/managedClusters/aks", "name": "aks", "oidcIssuer": "https://issuer"},
    "network": {"id": "/virtualNetworks/vnet", "addressSpace": "10.20.0.0/20", "hubId": HUB},
    "workloadVault": {"id": "/vaults/kv-app", "uri": "https://kv-app"},
    "ciVault": {"id": "/vaults/kv-ci", "uri": "https://kv-ci"},
    "logWorkspaceId": "/workspaces/log",
    "metricsWorkspaceId": "/accounts/amw",
    "metricsQueryEndpoint": "https://amw.westeurope.prometheus.monitor.azure.com",
    "grafanaEndpoint": "https://amg.weu.grafana.azure.com",
    "runRecords": {"endpoint": "https://dce", "ruleId": "/dataCollectionRules/dcr", "immutableId": "dcr-0"},
    "signing": {"subject": "C=NL,ST=Utrecht,O=Contoso"},
    "defenderPlansOf": "00000000-0000-0000-0000-000000000010",
    "delivery": {
        "organization": "https://dev.azure.com/contoso",
        "projectId": "5a4b3c00-1111-4222-8333-444455556666",
        "projectName": "Shop",
        "pipelines": {"pr": 1, "ci": 2, "cd": 3, "platform-pr": 4},
        "repositories": {"platform": "6a4b", "application": "7a4b"},
    },
    "github": {
        "owner": "contoso",
        "application": "shop",
        "platform": "platform",
        "subject": "repo:contoso@1/shop@2",
    },
}
ADDED = (
    "metricsWorkspaceId",
    "metricsQueryEndpoint",
    "grafanaEndpoint",
    "runRecords",
    "signing",
    "defenderPlansOf",
    "delivery",
    "github",
)
"""What a stack that runs the previous release does not tell yet."""
EXPECTED = Expected("shop", "nonproduction", "10.30.0.0/18", HUB)
HOME: dict[str, Any] = {"organization": "https://dev.azure.com/contoso", "lends_delivery": True}
OPTIONAL = ("ciVault", "network.hubId", "registry.access", *ADDED)


def told(new: dict[str, Any] | None = None, gone: tuple[str, ...] = ()) -> dict[str, Any]:
    """The contract of a staging stack with an edit."""
    return {key.removeprefix("aks-cicd:"): value for key, value in edited(copy.deepcopy(TOLD), new or {}, gone).items()}


def fields(node: Any, above: str = "") -> list[str]:
    """Every key of the contract, sections included."""
    found = []
    for key, value in node.items():
        found.append(above + key)
        if isinstance(value, dict):
            found += fields(value, f"{above}{key}.")
    return found


BY_NAME = ("delivery.pipelines", "delivery.repositories")
NEEDED = sorted(
    field for field in {*fields(TOLD)} - {*OPTIONAL} if not field.startswith(tuple(f"{b}." for b in BY_NAME))
)


def refused(found: Any, stack: str = "staging") -> str:
    with pytest.raises(ContractError) as raised:
        contract.understood(stack, found)
    return str(raised.value)


class TestBothStacksAreOnOnePlatform:
    ON_GITHUB: Mapping[str, Any] = {"owner": "contoso", "lends_delivery": True}

    def said(self, gone: tuple[str, ...], **expected: Any) -> str:
        theirs = contract.understood("staging", told(gone=gone))
        with pytest.raises(ContractError) as raised:
            contract.fitting("staging", theirs, Expected("shop", "nonproduction", "10.30.0.0/18", HUB, **expected))
        return str(raised.value)

    def test_one_owner_is_taken_whatever_its_case(self) -> None:
        theirs = contract.understood("staging", told(gone=("delivery",)))
        expected = Expected("shop", "nonproduction", "10.30.0.0/18", HUB, owner="Contoso", lends_delivery=True)
        assert contract.fitting("staging", theirs, expected) is theirs

    def test_another_owner_is_refused(self) -> None:
        said = self.said(("delivery",), owner="somebody", lends_delivery=True)
        assert "its repositories are of contoso, this one's of somebody; set aks-cicd:delivery.github.owner" in said

    def test_no_repositories_are_refused(self) -> None:
        said = self.said(("delivery", "github"), **self.ON_GITHUB)
        assert "it tells of no repositories on GitHub; run `pulumi up` on it" in said

    def test_the_other_platform_is_refused(self) -> None:
        here = self.said(("github",), **self.ON_GITHUB)
        assert "its delivery is on Azure DevOps, this one's on GitHub" in here
        there = self.said(("delivery",), **HOME)
        assert "its delivery is on GitHub, this one's on Azure DevOps; set aks-cicd:delivery.platform" in there


class TestAContractIsReadWhole:
    def test_it_comes_back_as_it_was_told(self) -> None:
        assert contract.understood("staging", TOLD).model_dump(by_alias=True) == TOLD

    def test_it_survives_the_state_file(self) -> None:
        published = contract.understood("staging", TOLD).model_dump(by_alias=True)
        assert contract.understood("staging", json.loads(json.dumps(published))) == contract.understood("staging", TOLD)

    @pytest.mark.parametrize("field", OPTIONAL)
    def test_what_only_some_stacks_have_may_be_missing(self, field: str) -> None:
        assert contract.understood("staging", told(gone=(field,))) == contract.understood(
            "staging", told({field: None})
        )

    def test_the_contract_of_the_previous_release_is_understood_and_fits(self) -> None:
        older = contract.understood("staging", told(gone=ADDED))
        assert contract.fitting("staging", older, EXPECTED) is older
        assert {field for field, value in older.model_dump(by_alias=True).items() if value is None} == {*ADDED}

    @pytest.mark.parametrize(
        "place", ["", "registry.", "cluster.", "network.", "workloadVault.", "runRecords.", "delivery."]
    )
    def test_a_newer_stack_may_tell_more(self, place: str) -> None:
        newer = told({f"{place}notYetKnown": {"a": 1}})
        assert contract.understood("staging", newer) == contract.understood("staging", TOLD)


class TestAContractThatIsMissingOrOlder:
    def test_a_stack_without_one_is_named_with_the_command_to_run(self) -> None:
        assert refused(None) == (
            "The stack staging has no output `contract`: "
            "run `pulumi up --stack staging` with this version of the program first."
        )

    @pytest.mark.parametrize("field", NEEDED)
    def test_a_missing_field_is_named_with_stack_output_and_command(self, field: str) -> None:
        assert refused(told(gone=(field,)), "qa") == (
            f"The output `contract` of the stack qa lacks or misstates {field}: "
            "run `pulumi up --stack qa` with this version of the program first."
        )

    @pytest.mark.parametrize("field", NEEDED)
    @pytest.mark.parametrize("value", [None, 7, ["x"]])
    def test_a_value_of_the_wrong_type_is_named(self, field: str, value: Any) -> None:
        assert f"misstates {field}: run `pulumi up --stack staging`" in refused(told({field: value}))

    def test_all_fields_are_named_at_once(self) -> None:
        said = refused(told({"cluster.name": 1}, ("logWorkspaceId", "registry.loginServer")))
        assert "misstates cluster.name, logWorkspaceId, registry.loginServer: run" in said

    @pytest.mark.parametrize("found", ["text", "", 7, True, [], [TOLD]])
    def test_an_output_that_is_no_mapping_is_refused_in_one_clear_message(self, found: Any) -> None:
        assert refused(found) == (
            "The output `contract` of the stack staging is no mapping of what a stack tells: "
            "run `pulumi up --stack staging` with this version of the program first."
        )

    @pytest.mark.parametrize("said", ["ten", "", "10.20.0.0", "10.20.0.1/20", "10.20.0.0/33", "fd00::/64"])
    def test_an_address_space_that_is_no_range_is_named_and_no_traceback(self, said: str) -> None:
        assert refused(told({"network.addressSpace": said})) == (
            "The output `contract` of the stack staging lacks or misstates network.addressSpace: "
            "run `pulumi up --stack staging` with this version of the program first."
        )

    def test_pulumi_prints_the_message_without_a_traceback(self) -> None:
        assert issubclass(ContractError, pulumi.RunError)


class TestAStackThatDoesNotFit:
    def test_one_that_fits_comes_back(self) -> None:
        theirs = contract.understood("staging", TOLD)
        assert contract.fitting("staging", theirs, EXPECTED) is theirs

    @staticmethod
    def misfit(expected: Expected, new: dict[str, Any] | None = None) -> str:
        theirs: Contract = contract.understood("staging", told(new))
        with pytest.raises(ContractError) as raised:
            contract.fitting("staging", theirs, expected)
        return str(raised.value)

    def test_another_workload_is_refused(self) -> None:
        assert self.misfit(replace(EXPECTED, workload="blog")) == (
            "The stack staging does not fit this one: it carries the workload shop, this one blog."
        )

    def test_another_tier_is_refused(self) -> None:
        """A production cluster must not pull from a nonproduction registry."""
        assert self.misfit(replace(EXPECTED, tier="production")) == (
            "The stack staging does not fit this one: its tier is nonproduction, needed is production."
        )

    @pytest.mark.parametrize("ours", ["10.20.0.0/20", "10.20.8.0/24", "10.0.0.0/8"])
    def test_ranges_that_overlap_on_one_hub_are_refused(self, ours: str) -> None:
        assert self.misfit(replace(EXPECTED, address_space=ours)) == (
            f"The stack staging does not fit this one: its range 10.20.0.0/20 overlaps with {ours} on the same hub."
        )

    @pytest.mark.parametrize("hub", [HUB.upper(), HUB.lower()])
    def test_a_hub_is_the_same_in_any_case(self, hub: str) -> None:
        expected = replace(EXPECTED, address_space="10.20.8.0/24")
        assert "on the same hub" in self.misfit(replace(expected, hub_id=hub))
        assert "on the same hub" in self.misfit(expected, {"network.hubId": hub})

    @pytest.mark.parametrize("ours", [TOLD["defenderPlansOf"], "ABCDEF00-0000-0000-0000-00000000000A"])
    def test_two_stacks_may_not_own_the_plans_of_one_subscription(self, ours: str) -> None:
        said = self.misfit(replace(EXPECTED, defender_plans_of=ours), {"defenderPlansOf": ours.lower()})
        assert said == (
            "The stack staging does not fit this one: both own the Defender plans of the subscription "
            f"{ours}; set aks-cicd:defender.plans to existing in one of them."
        )

    @pytest.mark.parametrize("ours", [None, "00000000-0000-0000-0000-000000000020"])
    @pytest.mark.parametrize("theirs", [None, TOLD["defenderPlansOf"]])
    def test_each_may_own_the_plans_of_its_own_subscription(self, ours: str | None, theirs: str | None) -> None:
        found = contract.understood("staging", told({"defenderPlansOf": theirs}))
        assert contract.fitting("staging", found, replace(EXPECTED, defender_plans_of=ours)) is found

    @pytest.mark.parametrize(
        ("theirs", "who"), [({"subject": "C=NL,ST=Utrecht,O=Fabrikam"}, "C=NL,ST=Utrecht,O=Fabrikam"), (None, "nobody")]
    )
    def test_images_are_signed_by_whom_this_environment_trusts(self, theirs: dict[str, str] | None, who: str) -> None:
        wanted = TOLD["signing"]["subject"]
        assert self.misfit(replace(EXPECTED, signed_by=wanted), {"signing": theirs}) == (
            f"The stack staging does not fit this one: its images are signed by {who}, wanted is {wanted}; give "
            "aks-cicd:signing.subject the same value in both."
        )
        assert contract.fitting("staging", contract.understood("staging", told()), replace(EXPECTED, signed_by=wanted))

    def test_a_private_registry_that_is_lent_needs_an_end_point(self) -> None:
        private = {"registry.access": "private"}
        assert self.misfit(replace(EXPECTED, reaches_registry=False), private) == (
            "The stack staging does not fit this one: its registry is private; set aks-cicd:stacks.registryPrivate to "
            "true."
        )

    @pytest.mark.parametrize(
        ("ours", "theirs"), [(None, "private"), (True, "private"), (False, "public"), (False, None)]
    )
    def test_a_registry_that_can_be_reached_may_be_lent(self, ours: bool | None, theirs: str | None) -> None:
        found = contract.understood("staging", told({"registry.access": theirs}))
        assert contract.fitting("staging", found, replace(EXPECTED, reaches_registry=ours)) is found

    def test_a_home_of_delivery_must_tell_of_its_project(self) -> None:
        assert self.misfit(replace(EXPECTED, **HOME), {"delivery": None, "github": None}) == (
            "The stack staging does not fit this one: it tells of no Azure DevOps project; run `pulumi up` on it with "
            "this version of the program first, or name the stack that owns the project as aks-cicd:stacks.delivery."
        )

    def test_a_cluster_that_pulls_needs_a_repository_to_pull_from(self) -> None:
        pulls = replace(EXPECTED, **HOME, pulls=True)
        assert self.misfit(pulls, {}) == (
            "The stack staging does not fit this one: it has no repository configuration, which this one pulls from "
            "(aks-cicd:delivery.model); set its aks-cicd:delivery.home.configuration to true and run `pulumi up` on "
            "it first."
        )
        there = contract.understood("staging", told({"delivery.repositories.configuration": "8a4b"}))
        assert contract.fitting("staging", there, pulls) is there

    def test_a_home_of_delivery_lies_in_the_same_organisation(self) -> None:
        assert self.misfit(replace(EXPECTED, lends_delivery=True, organization="https://dev.azure.com/other")) == (
            "The stack staging does not fit this one: its Azure DevOps organisation is https://dev.azure.com/contoso, "
            "this one's https://dev.azure.com/other; set aks-cicd:delivery.organization to the same."
        )

    @pytest.mark.parametrize("project", ["Shop", "SHOP"])
    def test_two_stacks_may_not_own_one_project(self, project: str) -> None:
        said = self.misfit(replace(EXPECTED, organization=HOME["organization"], project=project))
        assert said == (
            "The stack staging does not fit this one: both own the Azure DevOps project Shop; name one of them as "
            "aks-cicd:stacks.delivery of the other, and remove its aks-cicd:delivery.home."
        )

    @pytest.mark.parametrize(
        "ours",
        [
            HOME,
            {"organization": "https://dev.azure.com/other", "project": "Shop"},
            {"organization": "https://dev.azure.com/contoso", "project": "Blog"},
            {"organization": "HTTPS://dev.azure.com/Contoso", "lends_delivery": True},
        ],
    )
    def test_projects_of_other_names_or_organisations_may_stand_beside_each_other(self, ours: dict[str, Any]) -> None:
        theirs = contract.understood("staging", TOLD)
        assert contract.fitting("staging", theirs, replace(EXPECTED, **ours)) is theirs

    @pytest.mark.parametrize("hub", [None, HUB + "-west"])
    def test_ranges_may_overlap_where_no_hub_joins_them(self, hub: str | None) -> None:
        theirs = contract.understood("staging", TOLD)
        ours = replace(EXPECTED, address_space="10.20.0.0/20", hub_id=hub)
        assert contract.fitting("staging", theirs, ours) is theirs

    def test_two_networks_without_a_hub_may_overlap(self) -> None:
        theirs = contract.understood("staging", told({"network.hubId": None}))
        ours = replace(EXPECTED, address_space="10.20.0.0/20", hub_id=None)
        assert contract.fitting("staging", theirs, ours) is theirs

    def test_everything_that_does_not_fit_is_said_at_once(self) -> None:
        said = self.misfit(Expected("blog", "production", "10.20.0.0/16", HUB, TOLD["defenderPlansOf"]))
        for each in ("the workload shop", "its tier is nonproduction", "both own the Defender plans", "overlaps with"):
            assert each in said
