"""Each check of `make doctor` tells good from bad by what the services answer, and takes nothing that it does not
understand for good."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from operations.checking import BAD, OK, SKIPPED, Amiss
from operations.doctor import DOCTOR, capacity, machine, subscription
from rehearsal.graph import Graph
from tests.conftest import Rehearsed
from tests.operations.recorded import Recorded, answers, names, outcome, place, real
from tests.stackfiles import ROOT, Config

GOOD = answers("doctor")
Answers = list[dict[str, Any]]
SUBSCRIPTION = "/subscriptions/7d3c1a52-4be0-0000-0000-000000000020"
STAGING = "/subscriptions/7d3c1a52-4be0-0000-0000-000000000010"


def at(found: Answers, end: str) -> dict[str, Any]:
    """The answer to a path by its end."""
    (one,) = (each for each in found if each["at"].endswith(end))
    return one


def looked(name: str, change: Callable[[Answers], object] | None = None, config: Config | None = None) -> Any:
    found = copy.deepcopy(GOOD)
    if change:
        change(found)
    return outcome(DOCTOR, name, place("prod", Recorded(found), config))


ASKING = sorted({check.name for check in DOCTOR.checks if check.needs} - {"addresses"})
"""All that ask a cloud and apply to prod."""


class TestAnEnvironmentForWhichAllIsReady:
    @pytest.mark.parametrize("name", ASKING)
    def test_is_well(self, name: str) -> None:
        found = looked(name)
        assert (found.state, found.words) == (OK, (found.check.about,))

    def test_no_answer_is_recorded_that_no_check_asks_for(self) -> None:
        recorded = Recorded(copy.deepcopy(GOOD))
        here = place("prod", recorded)
        for name in ASKING:
            outcome(DOCTOR, name, here)
        nodes = place("prod", recorded, real("prod", {"network.egress": "natGateway"}, ("network.hub.routeTableId",)))
        outcome(DOCTOR, "addresses", nodes)
        home = {"home": {"project": {"name": "Shop"}}, "organization": "https://dev.azure.com/contoso"}
        staging = real("staging", {"azure.subscriptionId": SUBSCRIPTION.split("/")[2], "delivery": home})
        outcome(DOCTOR, "organization", place("staging", recorded, staging))
        asked = {line.split(" ", 1)[1].lower() for line in recorded.asked}
        assert {each["at"].lower() for each in GOOD} <= asked


UNEXPECTED: Mapping[str, dict[str, Any]] = {
    "a refusal": {"status": 403, "body": {"error": {"code": "AuthorizationFailed", "message": "no"}}},
    "a page to sign in on": {"status": 302, "body": "<html>", "type": "text/html"},
    "words": {"status": 200, "body": "all is well", "type": "text/plain"},
    "another form": {"status": 200, "body": {"value": [{"surprise": 1}]}},
    "a bare list": {"status": 200, "body": [1, 2]},
    "a failure": {"status": 400, "body": {"error": {"code": "InvalidApiVersionParameter", "message": "no"}}},
}


class TestAnAnswerThatIsNotUnderstood:
    @pytest.mark.parametrize("name", ASKING)
    @pytest.mark.parametrize("kind", UNEXPECTED)
    def test_is_never_taken_for_good(self, name: str, kind: str) -> None:
        def change(found: Answers) -> None:
            for each in found:
                each.update({"status": 200, "type": "application/json"} | UNEXPECTED[kind])

        found = looked(name, change)
        assert found.state == BAD
        assert all(": " in words and "Traceback" not in words for words in found.words)

    def test_tells_the_code_and_what_to_do(self) -> None:
        def change(found: Answers) -> None:
            at(found, "020/providers").update(UNEXPECTED["a refusal"])

        (words,) = looked("providers", change).words
        assert words.startswith("it cannot be told, the answer was 403 AuthorizationFailed: whoever is signed in lacks")


def without(end: str, key: str) -> Callable[[Answers], None]:
    def change(found: Answers) -> None:
        body = at(found, end)["body"]
        body["value"] = [each for each in body["value"] if key not in str(each)]

    return change


def says(end: str, body: Any, status: int = 200) -> Callable[[Answers], None]:
    return lambda found: at(found, end).update(body=body, status=status)


def role(id: str, scope: str = SUBSCRIPTION, condition: str | None = None) -> dict[str, Any]:
    said = {"roleDefinitionId": f"/x/roleDefinitions/{id}", "scope": scope, "condition": condition, "principalId": "x"}
    return {"id": "a", "name": "a", "properties": said}


def roles(*held: dict[str, Any]) -> Callable[[Answers], None]:
    return says("/roleAssignments", {"value": list(held)})


def sku(name: str, **new: Any) -> Callable[[Answers], None]:
    def change(found: Answers) -> None:
        body = at(found, "/skus")["body"]
        body["value"] = [{**each, **new} if each.get("name") == name else each for each in body["value"]]

    return change


def usage(end: str, name: str, limit: int) -> Callable[[Answers], None]:
    def change(found: Answers) -> None:
        for each in at(found, end)["body"]["value"]:
            if each["name"]["value"] == name:
                each["limit"] = limit

    return change


VAULT = "kv-app-prod-"
NO_TABLE = {"restrictions": [{"type": "Location", "reasonCode": "NotAvailableForSubscription", "restrictionInfo": {}}]}
NO_ZONE = {"restrictions": [{"type": "Zone", "restrictionInfo": {"zones": ["3"]}}]}
GONE = {"error": {"code": "NotFound", "message": "gone"}}
TAKEN = {"nameAvailable": False, "reason": "AlreadyExists", "message": "taken"}

AMISS: Mapping[str, tuple[str, Callable[[Answers], object], str]] = {
    "no role at all": ("rights", roles(), "the role Contributor is missing"),
    "a role on one group alone": (
        "rights",
        roles(role(subscription.OWNER, f"{SUBSCRIPTION}/resourceGroups/rg")),
        "the role Contributor is missing",
    ),
    "no right to grant": ("rights", roles(role(subscription.CONTRIBUTOR)), "Role Based Access Control Administrator"),
    "a right to grant with a condition": (
        "rights",
        roles(role(subscription.CONTRIBUTOR), role(subscription.ROLE_ADMINISTRATOR, condition="@Resource")),
        "Role Based Access Control Administrator",
    ),
    "no right to own plans": (
        "rights",
        roles(role(subscription.CONTRIBUTOR), role(subscription.ACCESS_ADMINISTRATOR)),
        "the role Security Admin is missing",
    ),
    "a provider that is not registered": (
        "providers",
        without("020/providers", "Microsoft.Dashboard"),
        "Microsoft.Dashboard is unknown: az provider register --namespace Microsoft.Dashboard",
    ),
    "a size that the region lacks": ("quota", without("/skus", "E8ds"), "Standard_E8ds_v5 is not to be had"),
    "a size that is barred": ("quota", sku("Standard_E8ds_v5", **NO_TABLE), "Standard_E8ds_v5 is not to be had"),
    "a size that a zone lacks": ("quota", sku("Standard_D4ds_v5", **NO_ZONE), "in the zones 3 of westeurope"),
    "too few cores of a family": (
        "quota",
        usage("Compute/locations/westeurope/usages", "standardDDSv5Family", 200),
        "288 cores of standardDDSv5Family may be needed, and 192 of 200 are left",
    ),
    "too few cores in the region": (
        "quota",
        usage("Compute/locations/westeurope/usages", "cores", 300),
        "376 cores of cores may be needed, and 288 of 300 are left",
    ),
    "no quota of a family": (
        "quota",
        without("Compute/locations/westeurope/usages", "standardEDSv5Family"),
        "tells of no quota standardEDSv5Family",
    ),
    "too few cores for agents": (
        "agents-quota",
        usage("DevOpsInfrastructure/locations/westeurope/usages", "standardDADSv5Family", 5),
        "managed agents may need 8 cores",
    ),
    "no quota for agents": (
        "agents-quota",
        without("DevOpsInfrastructure/locations/westeurope/usages", "DADS"),
        "there is no quota of standardDADSv5Family",
    ),
    "a vault of somebody else's": ("names", says("KeyVault/checkNameAvailability", TAKEN), "somebody else holds"),
    "a registry of somebody else's": (
        "names",
        says("ContainerRegistry/checkNameAvailability", TAKEN),
        "somebody else holds the name crshopprod",
    ),
    "a deleted workspace": (
        "names",
        says(
            "/deletedWorkspaces",
            {
                "value": [
                    {
                        "id": f"{SUBSCRIPTION}/resourceGroups/rg-shop-prod/providers/Microsoft.OperationalInsights/"
                        "workspaces/log-shop-prod",
                        "name": "log-shop-prod",
                        "location": "westeurope",
                    }
                ]
            },
        ),
        "a deleted workspace log-shop-prod would come back",
    ),
    "a hub that is gone": (
        "existing",
        says("/vnet-hub", {"error": {"code": "NotFound"}}, 404),
        "vnet-hub is not there",
    ),
    "a route table elsewhere": (
        "existing",
        says("/rt-to-hub", {"id": "x", "location": "northeurope"}),
        "lies in northeurope, the environment in westeurope",
    ),
    "administrators that are nobody": (
        "groups",
        says("0000a2", GONE, 404),
        "which is no group of the directory",
    ),
    "administrators without members": ("groups", says("a2/transitiveMembers", {"value": []}), "has 0 members"),
    "one approver alone": (
        "approvers",
        says("a3/transitiveMembers", {"value": [{"id": "one"}]}),
        "has 1 members: add people: whoever starts a release cannot approve it",
    ),
    "another service": ("agents-service", says("0000d1", {"appId": "other"}), "is other, and not DevOps"),
    "a service that is unknown": (
        "agents-service",
        says("0000d1", {"error": {"code": "x"}}, 404),
        "is nobody, and not",
    ),
    "no right on pools": (
        "organization",
        says("e476c39b998/2", {"value": [False]}),
        "you may not administer agent pools",
    ),
    "no extension": (
        "extensions",
        without("/installedextensions", "microsoft-security"),
        "microsoft-security-devops-azdevops is not installed",
    ),
    "no hosted job": (
        "parallelism",
        says("/resourcelimits", {"value": [{"parallelismTag": "Private", "isHosted": True, "totalCount": 0}]}),
        "the organisation has no hosted job",
    ),
}


class TestWhatIsAmiss:
    @pytest.mark.parametrize("case", AMISS)
    def test_is_told_in_one_line_with_its_remedy(self, case: str) -> None:
        name, change, said = AMISS[case]
        found = looked(name, change)
        assert found.state == BAD
        (words,) = [each for each in found.words if said in each]
        assert "\n" not in words
        assert len(words.split(": ", 1)[1]) > 5

    def test_every_check_that_asks_a_cloud_has_a_bad_case(self) -> None:
        assert {name for name, _, _ in AMISS.values()} == {*ASKING}

    def test_a_soft_deleted_vault_is_told_from_one_of_somebody_elses(self) -> None:
        def change(found: Answers) -> None:
            at(found, "KeyVault/checkNameAvailability")["body"] = TAKEN
            planned = place("prod", Recorded([])).settings.planned_names.workload_vault
            found.append(
                {
                    "at": f"management.azure.com{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/westeurope/"
                    f"deletedVaults/{planned}",
                    "body": {"id": "x", "name": planned, "properties": {"location": "westeurope"}},
                }
            )

        (words,) = looked("names", change).words
        assert words.startswith(f"a soft-deleted vault still holds the name {VAULT}")
        assert "raise generation" in words

    def test_a_name_that_is_the_environments_own_is_not_in_the_way(self) -> None:
        planned = place("prod", Recorded([])).settings.planned_names

        def change(found: Answers) -> None:
            own = f"management.azure.com{SUBSCRIPTION}/resourceGroups/{planned.resource_group}/providers"
            for end, kind, name in (
                ("KeyVault/checkNameAvailability", "Microsoft.KeyVault/vaults", planned.workload_vault),
                ("ContainerRegistry/checkNameAvailability", "Microsoft.ContainerRegistry/registries", planned.registry),
            ):
                at(found, end)["body"] = TAKEN
                found.append(
                    {"at": f"{own}/{kind}/{name}", "body": {"id": "x", "name": name, "location": "westeurope"}}
                )

        assert looked("names", change).state == OK

    def test_a_login_elsewhere_is_told(self) -> None:
        found = outcome(DOCTOR, "login", place("prod", Recorded([]), tid="another"))
        assert found.words == (
            "the sign-in is for the directory another: az login --tenant 7d3c1a52-4be0-0000-0000-000000000001",
        )

    @pytest.mark.parametrize(
        ("installed", "owned", "says"),
        [
            (["security-devops"], ["security-devops"], "is installed already"),
            ([], ["security-devops"], ""),
            ([], [], "is not installed"),
            (["security-devops"], None, ""),
        ],
    )
    def test_an_extension_has_one_owner(self, installed: list[str], owned: list[str] | None, says: str) -> None:
        from components.delivery.extensions import KNOWN
        from operations.doctor.organization import judge_extensions

        found = [*judge_extensions([(KNOWN[key].publisher, KNOWN[key].extension) for key in installed], owned)]
        assert [says in str(each) for each in found] == ([True] if says else [])


class TestTheMachine:
    def test_lacks_what_up_would_start(self) -> None:
        everything = {"pulumi": "/p", "az": "/a", "kubelogin": "/k"}
        nothing: dict[str, str | None] = dict.fromkeys(everything)
        assert [*machine.judge_tools((3, 11), "", {**everything}, reaching=True)] == []
        found = [str(each) for each in machine.judge_tools((3, 10), "there is none", nothing, reaching=True)]
        assert [words.split(":")[0] for words in found] == [
            "Python is 3.10",
            "Pulumi",
            "there is no az on PATH",
            "there is no kubelogin on PATH, and cluster.reachable is true",
        ]
        assert len([*machine.judge_tools((3, 11), "", {**nothing, "az": "/a"}, reaching=False)]) == 0

    def test_placeholders_are_named(self) -> None:
        config = real("prod", {"alerts.emails.x": "x@example.com"})
        here = place("prod", Recorded([]), real("prod"))
        assert outcome(DOCTOR, "placeholders", here).state == OK
        (words,) = outcome(DOCTOR, "placeholders", type(here)(**{**vars(here), "config": config})).words
        assert words == "placeholders stand in aks-cicd:alerts.emails.x: replace them by values of your own"

    def test_without_a_login_what_needs_one_is_skipped_by_name(self) -> None:
        here = place("prod", Recorded([]))
        found = {name: outcome(DOCTOR, name, here, frozenset()) for name in ASKING}
        assert {each.state for each in found.values()} == {SKIPPED}
        assert found["rights"].words == ("needs a login (az login)",)


class TestWhatIsSaidHereAndElsewhere:
    def test_the_readme_registers_the_providers_that_are_checked(self) -> None:
        (line,) = [line for line in (ROOT / "README.md").read_text().splitlines() if "az provider register" in line]
        said = line.split("for p in ")[1].split(";")[0].split()
        assert [f"Microsoft.{name}" for name in said] == list(subscription.PROVIDERS)

    def test_every_provider_that_the_stacks_use_is_among_them(self, rehearsed: Mapping[str, Rehearsed]) -> None:
        used = {
            part.split("/")[0].lower()
            for one in rehearsed.values()
            for each in Graph.of(one.export).resources
            if each.type.startswith("azure-native:")
            for part in each.id.split("/providers/")[1:]
        }
        # Of Azure itself, always registered.
        builtin = {"microsoft.authorization", "microsoft.resources"}
        assert used - builtin <= {name.lower() for name in subscription.PROVIDERS}
        assert len(used) > 10

    @pytest.mark.parametrize("stack", ["staging", "prod"])
    def test_public_addresses_are_those_that_the_stacks_make(
        self, stack: str, rehearsed: Mapping[str, Rehearsed]
    ) -> None:
        made = [*Graph.of(rehearsed[stack].export).of_kind("network:PublicIPAddress")]
        assert capacity.addresses(place(stack, Recorded([])).settings) == len(made)

    def test_names_are_said_once(self) -> None:
        assert len(names(DOCTOR)) == len(set(names(DOCTOR)))

    def test_addresses_that_are_used_up_are_told(self) -> None:
        quotas = {"PublicIPAddresses": capacity.Quota(3, 1000), "StandardSkuPublicIpAddresses": capacity.Quota(20, 20)}
        assert [*capacity.judge_addresses(1, {"PublicIPAddresses": quotas["PublicIPAddresses"]})] == []
        assert [*capacity.judge_addresses(1, quotas)] == [
            Amiss("1 of StandardSkuPublicIpAddresses needed, 0 left", "release one, or ask for more under Quotas")
        ]
        assert len([*capacity.judge_addresses(1, {})]) == 1
