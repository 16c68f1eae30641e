"""The report says what a person looks for, in names rather than ids, and the same text every time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from rehearsal import report
from rehearsal.details import details
from rehearsal.exposure import public_endpoint
from rehearsal.report import Names
from tests.rehearsal.handmade import component, export, one, resource

SUBSCRIPTION = "/subscriptions/0000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-one"
REGISTRY_ID = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/acrone"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}

DELIVERY = component("identity:Identities", "identities")
ACCESS = component("registry:Registry", "registry")
NESTED = component("registry:Rules", "rules", ACCESS["urn"])
ESTATE = (
    DELIVERY,
    ACCESS,
    NESTED,
    resource("pulumi:providers:azure-native", "default"),
    resource(
        "azure-native:managedidentity/v20230131:UserAssignedIdentity",
        "promote",
        DELIVERY["urn"],
        outputs={"name": "id-promote", "principalId": "AAAA-1"},
    ),
    resource(
        "azure-native:containerregistry:Registry",
        "images",
        ACCESS["urn"],
        protect=True,
        outputs={"name": "acrone", "sku": {"name": "Premium"}, "loginServer": "acrone.azurecr.io"},
    ),
    resource(
        "azure-native:authorization:ManagementLockByScope",
        "lock",
        ACCESS["urn"],
        outputs={"name": "keep", "level": "CanNotDelete", "scope": REGISTRY_ID},
    ),
    resource(
        "azure-native:authorization:RoleAssignment",
        "import",
        NESTED["urn"],
        outputs={
            "principalId": "aaaa-1",
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"{SUBSCRIPTION}/roleDefinitions/importer",
            "scope": REGISTRY_ID,
        },
    ),
    resource(
        "azure-native:authorization:RoleAssignment",
        "operators",
        NESTED["urn"],
        outputs={
            "principalId": "bbbb-2",
            "principalType": "Group",
            "roleDefinitionId": f"{SUBSCRIPTION}/roleDefinitions/reader",
            "scope": GROUP,
        },
    ),
    resource(
        "kubernetes:core/v1:Secret",
        "token",
        inputs={"metadata": {"name": "token", "namespace": "apps"}, "data": SECRET},
        retainOnDelete=True,
    ),
    resource("azure-native:network:Subnet", "old", delete=True),
)


def rendered(*states: dict[str, Any]) -> tuple[str, str]:
    whole = export(*states)
    names = Names.of([whole], lambda id_: id_.rsplit("/", 1)[-1].title())
    return report.tree(whole, names), report.render(report.summary(whole, names, ["look\nhere"]))


class TestTheTree:
    def test_shows_every_resource_below_its_component_and_no_other(self) -> None:
        tree, _ = rendered(*ESTATE)
        lines = [" ".join(line.split()) for line in tree.splitlines()]
        assert lines == [
            "├─ identities aks-cicd:identity:Identities",
            "│ └─ UserAssignedIdentity id-promote",
            "├─ registry aks-cicd:registry:Registry",
            "│ ├─ rules aks-cicd:registry:Rules",
            "│ │ ├─ RoleAssignment Importer → id-promote @ acrone",
            "│ │ └─ RoleAssignment Reader → group bbbb-2 @ resource group rg-one",
            "│ ├─ ManagementLockByScope keep CanNotDelete",
            "│ └─ Registry acrone Premium, public (protected)",
            "└─ Secret apps/token (kept on destroy)",
        ]

    def test_and_the_summary_do_not_depend_on_the_order_in_which_the_engine_was_ready(self) -> None:
        expected = rendered(*ESTATE)
        shuffled = list(ESTATE)
        for seed in range(10):
            random.Random(seed).shuffle(shuffled)
            assert rendered(*shuffled) == expected

    def test_shows_no_sealed_value(self) -> None:
        tree, summary = rendered(*ESTATE)
        assert "v1:x" not in tree + summary


class TestTheSummary:
    def test_answers_what_a_reviewer_asks_first(self) -> None:
        _, summary = rendered(*ESTATE)
        sections = {block.splitlines()[0]: block.splitlines()[1:] for block in summary.split("\n\n")}
        told = {title: [" ".join(line.split()) for line in lines] for title, lines in sections.items()}
        assert told == {
            "Resources (6)": ["(no component) 1", "identities 1", "registry 4"],
            "Reachable from the internet": ["Registry acrone.azurecr.io"],
            "Who may do what": [
                "group bbbb-2 (granted by registry)",
                "has the role Reader on resource group rg-one ← no stack at hand",
                "id-promote for nobody yet",
                "has the role Importer on acrone ← no stack at hand",
            ],
            "Gates": ["none"],
            "Repositories": ["none"],
            "Pipelines": ["none"],
            "Delivery": ["none"],
            "Protected, locked, or kept on destroy": [
                "kept on destroy Secret apps/token",
                "lock CanNotDelete keep @ acrone",
                "protected Registry acrone",
            ],
            "Watched": ["none"],
            "Warnings": ["- look", "here"],
        }

    def test_says_none_where_there_is_none(self) -> None:
        assert rendered()[1].count("none") == 9

    def test_names_the_identity_of_the_nodes_and_not_who_uses_it(self) -> None:
        """An identity that AKS makes itself is no resource of the stack, so the cluster is all there is to name."""
        cluster = resource(
            "azure-native:containerservice:ManagedCluster",
            "cluster",
            outputs={"name": "aks-one", "identityProfile": {"kubeletidentity": {"objectId": "AAAA-1"}}},
        )
        assert Names.of([export(cluster)]).principals == {"aaaa-1": "aks-one (kubelet)"}
        for states in ((cluster, ESTATE[4]), (ESTATE[4], cluster)):
            assert Names.of([export(*states)]).principals == {"aaaa-1": "id-promote"}

    def test_names_principals_of_earlier_stacks_too(self) -> None:
        names = Names.of([export(*ESTATE), export()])
        assert names.principals == {"aaaa-1": "id-promote"}


def watched(*states: dict[str, Any]) -> dict[str, str]:
    """The section "Watched" by the first words of its lines."""
    sections = report.summary(export(*states), Names.of([export(*states)]))
    (section,) = [each for each in sections if each.title == "Watched"]
    lines = (line.split("  ", 1) for line in section.lines)
    return {what: told.strip() for what, told in lines}


def warnings(*states: dict[str, Any]) -> str:
    return "\n".join(report.summary(export(*states), Names.of([export(*states)]))[-1].lines)


def of_monitor(type_: str, name: str, **outputs: Any) -> dict[str, Any]:
    return resource(f"azure-native:{type_}", name, outputs={"name": name, **outputs})


ON_CALL = of_monitor(
    "monitor:ActionGroup",
    "on-call",
    emailReceivers=[{"name": "team", "emailAddress": "team@example.com"}],
    webhookReceivers=[{"name": "chat", "serviceUri": "https://chat.example/tr0ub4dor"}],
)
TOLD = [{"actionGroupId": "/ON-CALL"}]
RULES = of_monitor(
    "alertsmanagement:PrometheusRuleGroup",
    "rules",
    rules=[{"alert": "A", "actions": TOLD}, {"alert": "B", "enabled": False}, {"record": "r"}],
)
LOGGED = of_monitor("monitor:ScheduledQueryRule", "logged", actions={"actionGroups": ["/on-call"]})
DELETED = of_monitor("monitor:ActivityLogAlert", "deleted", actions={"actionGroups": TOLD})


class TestWhatIsWatched:
    def test_is_counted_by_what_is_looked_at_without_what_is_switched_off(self) -> None:
        told = watched(ON_CALL, RULES, LOGGED, DELETED)
        assert told["alert rules"] == "1 on metrics, 1 on logs, 1 on the activity log, 1 switched off"
        assert told["recording rules"] == "1"

    def test_a_group_of_rules_that_is_off_watches_nothing(self) -> None:
        off = {**RULES, "outputs": {**RULES["outputs"], "enabled": False}}
        assert watched(ON_CALL, off) == {"alert rules": "2 switched off", "told": watched(ON_CALL)["told"]}

    def test_names_the_measures_of_delivery_and_how_long_their_records_are_kept(self) -> None:
        query = of_monitor(
            "operationalinsights:SavedSearch",
            "q",
            category="Delivery",
            displayName="Lead time (qa)",
            query="Runs_CL\n| x",
        )
        other = of_monitor("operationalinsights:SavedSearch", "o", category="Costs", displayName="Spent")
        table = of_monitor("operationalinsights:Table", "Runs_CL", retentionInDays=365)
        told = watched(query, other, table, of_monitor("operationalinsights:Table", "Other_CL", retentionInDays=7))
        assert told["measures of delivery"] == "Lead time"
        assert told["records of releases kept"] == "365 days"
        assert told["Other_CL kept"] == "7 days"

    def test_receivers_are_named_with_their_kind_and_no_address_of_a_webhook_is_shown(self) -> None:
        assert watched(ON_CALL)["told"] == "on-call: e-mail team <team@example.com>; webhook chat"
        assert "tr0ub4dor" not in "".join(rendered(ON_CALL))

    def test_whom_defender_writes_to_is_told(self) -> None:
        contact = of_monitor("security:SecurityContact", "default", emails="a@example.com;b@example.com")
        assert watched(contact)["told by Defender"] == "a@example.com, b@example.com"


class TestWhatItCostsToKeep:
    @pytest.mark.parametrize(
        ("quota", "told"), [(5, "cap 5 GB a day"), (0.5, "cap 0.5 GB a day"), (-1, "no cap"), (None, "no cap")]
    )
    def test_an_environment_without_a_cap_says_so(self, quota: float | None, told: str) -> None:
        logs = of_monitor(
            "operationalinsights:Workspace", "log", retentionInDays=30, workspaceCapping={"dailyQuotaGb": quota}
        )
        assert watched(logs)["logs kept"] == f"30 days, {told}"

    def test_tables_on_the_basic_plan_are_named_whoever_puts_them_there(self) -> None:
        logs = of_monitor("operationalinsights:Workspace", "log", retentionInDays=30)
        type_ = "Microsoft.OperationalInsights/workspaces/tables"
        put = [
            {"type": type_, "name": "log/ContainerLogV2", "properties": {"plan": "Basic"}},
            {"type": type_, "name": "log/Kept", "properties": {"plan": "Analytics"}},
            {"type": "Microsoft.Other/things", "name": "log/Other", "properties": {"plan": "Basic"}},
        ]
        plans = of_monitor("resources:Deployment", "plans", properties={"template": {"resources": put}})
        own = of_monitor("operationalinsights:Table", "Own_CL", plan="Basic")
        assert watched(logs, plans, own)["logs kept"].endswith("no cap, Basic plan: ContainerLogV2 Own_CL")

    def test_logs_that_go_to_a_workspace_of_somebody_else_are_kept_by_it(self) -> None:
        diagnostics = of_monitor("monitor:DiagnosticSetting", "to-log", workspaceId=f"{GROUP}/workspaces/log-central")
        assert watched(diagnostics)["logs kept"] == "by log-central, which this stack does not own"

    def test_traces_and_grafana_say_their_share_and_their_zones(self) -> None:
        told = watched(
            of_monitor("applicationinsights:Component", "appi", samplingPercentage=20),
            of_monitor(
                "dashboard:Grafana", "amg", properties={"grafanaMajorVersion": "12", "zoneRedundancy": "Enabled"}
            ),
        )
        assert told["traces kept"] == "20 %"
        assert told["Grafana"] == "version 12, zone redundant"

    def test_plans_say_whether_this_stack_owns_them_and_what_becomes_of_them(self) -> None:
        extensions = [{"name": "A", "isEnabled": "True"}, {"name": "B", "isEnabled": "False"}]
        plan = of_monitor("security:Pricing", "Containers", pricingTier="Standard", extensions=extensions)
        found = of_monitor("security:Automation", "export")
        owned = watched({**plan, "retainOnDelete": True}, found)
        assert owned["Defender plans"] == "owned: Containers (on, 1 extension, kept on destroy)"
        assert watched(found)["Defender plans"] == "owned elsewhere; what they find comes to the logs"


class TestAnAlertThatTellsNobody:
    @pytest.mark.parametrize(
        "change",
        [
            {"emailReceivers": [], "webhookReceivers": []},
            {"enabled": False},
        ],
        ids=["no receivers", "switched off"],
    )
    def test_is_warned_of_where_nobody_hears_its_action_group(self, change: dict[str, Any]) -> None:
        deaf = {**ON_CALL, "outputs": {**ON_CALL["outputs"], **change}}
        assert warnings(deaf, RULES, LOGGED, DELETED).startswith("- 3 alerts tell nobody")

    def test_is_warned_of_where_it_has_no_action_group(self) -> None:
        mute = {**LOGGED, "outputs": {"name": "logged"}}
        assert warnings(ON_CALL, mute).startswith("- 1 alert tells nobody")

    def test_is_not_an_alert_whose_action_group_another_stack_owns(self) -> None:
        assert warnings(RULES, LOGGED, DELETED) == ""

    def test_is_not_an_alert_with_a_second_group_that_is_heard(self) -> None:
        deaf = of_monitor("monitor:ActionGroup", "deaf")
        both = {**LOGGED, "outputs": {"name": "logged", "actions": {"actionGroups": ["/deaf", "/on-call"]}}}
        assert warnings(ON_CALL, deaf, both) == ""
        assert warnings(deaf, both) == ""


class TestWhatTheInternetReaches:
    """Azure leaves open what nobody closed, so an absent property counts as public."""

    @pytest.mark.parametrize(
        ("type_", "open_", "closed", "host"),
        [
            (
                "containerservice:ManagedCluster",
                {"fqdn": "aks.example"},
                {"apiServerAccessProfile": {"enablePrivateCluster": True}},
                "aks.example",
            ),
            (
                "containerregistry:Registry",
                {"loginServer": "acr.example"},
                {"publicNetworkAccess": "Disabled"},
                "acr.example",
            ),
            (
                "keyvault:Vault",
                {"properties": {"vaultUri": "kv.example"}},
                {"properties": {"publicNetworkAccess": "disabled"}},
                "kv.example",
            ),
        ],
    )
    def test_is_listed_unless_it_is_closed(
        self, type_: str, open_: dict[str, Any], closed: dict[str, Any], host: str
    ) -> None:
        assert public_endpoint(one(f"azure-native:{type_}", **open_)) == host
        assert public_endpoint(one(f"azure-native:{type_}", **{**open_, **closed})) == ""

    @pytest.mark.parametrize(
        ("type_", "properties"),
        [
            ("containerservice:ManagedCluster", {"apiServerAccessProfile": {"authorizedIPRanges": ["192.0.2.0/24"]}}),
            ("containerregistry:Registry", {"networkRuleSet": {"defaultAction": "Deny"}}),
            ("keyvault:Vault", {"properties": {"networkAcls": {"defaultAction": "Deny"}}}),
        ],
    )
    def test_is_marked_where_only_listed_addresses_get_through(self, type_: str, properties: dict[str, Any]) -> None:
        assert public_endpoint(one(f"azure-native:{type_}", **properties)) == "it (listed addresses only)"

    @pytest.mark.parametrize(
        ("type_", "keyless", "keys"),
        [
            ("operationalinsights:Workspace", {"features": {"disableLocalAuth": True}}, {}),
            ("applicationinsights:Component", {"disableLocalAuth": True}, {"disableLocalAuth": False}),
            ("dashboard:Grafana", {"properties": {"apiKey": "Disabled"}}, {"properties": {"apiKey": "Enabled"}}),
        ],
    )
    def test_is_marked_where_only_entra_id_lets_in(
        self, type_: str, keyless: dict[str, Any], keys: dict[str, Any]
    ) -> None:
        assert public_endpoint(one(f"azure-native:{type_}", **keyless)) == "it (Entra ID only)"
        assert public_endpoint(one(f"azure-native:{type_}", **keys)) == "it"

    @pytest.mark.parametrize(
        ("type_", "closed"),
        [
            ("monitor:AzureMonitorWorkspace", {"publicNetworkAccess": "Disabled"}),
            ("monitor:DataCollectionEndpoint", {"networkAcls": {"publicNetworkAccess": "Disabled"}}),
        ],
    )
    def test_counts_what_takes_metrics_and_logs_in(self, type_: str, closed: dict[str, Any]) -> None:
        assert public_endpoint(one(f"azure-native:{type_}")) == "it (Entra ID only)"
        assert public_endpoint(one(f"azure-native:{type_}", **closed)) == ""


@pytest.mark.parametrize(
    ("type_", "properties", "told"),
    [
        (
            "containerservice:ManagedCluster",
            {
                "kubernetesVersion": "1.34",
                "sku": {"tier": "Standard"},
                "apiServerAccessProfile": {"authorizedIPRanges": ["10.0.0.0/8"]},
                "agentPoolProfiles": [{"name": "sys", "vmSize": "D4", "count": 2, "availabilityZones": ["1", "2"]}],
            },
            "Kubernetes 1.34, tier Standard, API server public, from 10.0.0.0/8, pool sys: D4 2 nodes zones 1 2",
        ),
        (
            "containerservice:AgentPool",
            {"mode": "User", "vmSize": "D8", "enableAutoScaling": True, "minCount": 2, "maxCount": 9},
            "User, D8 2–9 nodes",
        ),
        (
            "containerregistry:Registry",
            {
                "sku": {"name": "Premium"},
                "publicNetworkAccess": "Disabled",
                "policies": {
                    "retentionPolicy": {"status": "disabled", "days": 7},
                    "softDeletePolicy": {"status": "enabled", "retentionDays": 30},
                },
            },
            "Premium, private, soft delete 30 d",
        ),
        ("keyvault:Vault", {"properties": {}}, "public, no purge protection"),
        ("containerregistry:Registry", {"networkRuleSet": {"defaultAction": "Deny"}}, "restricted"),
        ("network:Subnet", {"addressPrefix": "10.1.0.0/24"}, "10.1.0.0/24"),
        (
            "operationalinsights:Workspace",
            {"retentionInDays": 90, "workspaceCapping": {"dailyQuotaGb": 5}},
            "retention 90 d, cap 5 GB a day",
        ),
        ("operationalinsights:Workspace", {"retentionInDays": 30}, "retention 30 d, no cap"),
        ("operationalinsights:Table", {"plan": "Analytics", "retentionInDays": 365}, "plan Analytics, retention 365 d"),
        ("applicationinsights:Component", {"workspaceResourceId": "/x/log-one"}, "100 % kept, to log-one"),
        (
            "dashboard:Grafana",
            {"sku": {"name": "Standard"}, "properties": {"grafanaMajorVersion": "12"}},
            "Standard, version 12, public",
        ),
        (
            "alertsmanagement:PrometheusRuleGroup",
            {"rules": [{"alert": "A"}, {"record": "b"}, {"record": "c"}]},
            "1 alert rule, 2 recording rules",
        ),
        (
            "monitor:ScheduledQueryRule",
            {"severity": 0, "windowSize": "PT1H30M", "evaluationFrequency": "P1D"},
            "severity 0, over 1h30m, every 1d",
        ),
        (
            "monitor:ActivityLogAlert",
            {"condition": {"allOf": [{"field": "category", "equals": "Administrative"}, {"anyOf": []}]}},
            "Administrative",
        ),
        ("monitor:ActionGroup", {"smsReceivers": [{"name": "night"}]}, "text message night"),
        (
            "monitor:DataCollectionRule",
            {
                "dataFlows": [{"streams": ["a", "b"]}, {"streams": ["b"]}],
                "destinations": {"logAnalytics": [{"workspaceResourceId": "/x/log-one"}]},
            },
            "2 streams to log-one",
        ),
        (
            "security:Pricing",
            {"pricingTier": "Standard", "extensions": [{"isEnabled": "True"}]},
            "Standard, 1 extension",
        ),
        ("security:Pricing", {"pricingTier": "Free"}, "Free"),
        (
            "resources:Deployment",
            {
                "properties": {
                    "template": {
                        "resources": [
                            {
                                "type": "Microsoft.OperationalInsights/workspaces/tables",
                                "name": "log/Syslog",
                                "properties": {"plan": "Basic"},
                            }
                        ]
                    }
                }
            },
            "Syslog Basic",
        ),
        ("unknown:Thing", {"a": 1}, ""),
    ],
)
def test_details_are_the_properties_that_matter(type_: str, properties: dict[str, Any], told: str) -> None:
    assert details(one(f"azure-native:{type_}", **properties)) == told


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        (SUBSCRIPTION, "subscription 0000"),
        (GROUP, "resource group rg-one"),
        (REGISTRY_ID, "acrone"),
        ("", ""),
    ],
)
def test_a_scope_is_named_by_what_it_is(scope: str, name: str) -> None:
    assert report.scope_name(scope) == name
