"""What a change does: known lines have a source, and what nobody knows is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from rehearsal.cloud import Cloud
from rehearsal.cloud.azure import KINDS as AZURE
from rehearsal.cloud.azuredevops import KINDS as DELIVERY
from rehearsal.cloud.effects import effect
from rehearsal.cloud.kubernetes import KINDS as OBJECTS
from rehearsal.cloud.replacements import NOT_KNOWN, TABLE, WORDS, Effect, force_new, judge, sources, table
from tests.rehearsal.landscape import LANDSCAPE, estate, inputs_of, type_of

CLUSTER = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"
REGISTRY = "azure-native:containerregistry:Registry"
VAULT = "azure-native:keyvault:Vault"


@pytest.mark.parametrize(
    ("type_", "path", "does"),
    [
        (CLUSTER, "networkProfile.podCidr", Effect.REPLACE),
        (CLUSTER, "networkProfile", Effect.REPLACE),
        (CLUSTER, "dnsPrefix", Effect.REPLACE),
        (CLUSTER, "resourceName", Effect.REPLACE),
        (CLUSTER, "location", Effect.REPLACE),
        (CLUSTER, "kubernetesVersion", Effect.IN_PLACE),
        (CLUSTER, "addonProfiles.omsagent.enabled", Effect.IN_PLACE),
        (CLUSTER, "networkProfile.loadBalancerProfile.allocatedOutboundPorts", Effect.IN_PLACE),
        (CLUSTER, "networkProfile.podCidrs", Effect.REFUSED),
        (CLUSTER, "agentPoolProfiles[0].vmSize", Effect.REFUSED),
        (CLUSTER, "agentPoolProfiles[0].maxCount", Effect.IN_PLACE),
        (CLUSTER, "agentPoolProfiles[0].count", Effect.SERVICE_FILLS),
        (CLUSTER, "agentPoolProfiles[1]", Effect.UNKNOWN),
        (CLUSTER, "nodeProvisioningProfile", Effect.UNKNOWN),
        (CLUSTER, "tags.owner", Effect.IN_PLACE),
        (POOL, "vmSize", Effect.REPLACE),
        (POOL, "count", Effect.SERVICE_FILLS),
        (POOL, "nodeTaints[0]", Effect.IN_PLACE),
        (POOL, "maxPods", Effect.REFUSED),
        (REGISTRY, "zoneRedundancy", Effect.REPLACE),
        (REGISTRY, "registryName", Effect.REPLACE),
        (VAULT, "vaultName", Effect.REPLACE),
        (VAULT, "properties.networkAcls.ipRules[0].value", Effect.IN_PLACE),
        (VAULT, "properties", Effect.REFUSED),
        (VAULT, "properties.accessPolicies", Effect.UNKNOWN),
        ("azuredevops:index/git:Git", "projectId", Effect.REPLACE),
        ("azuredevops:index/git:Git", "name", Effect.IN_PLACE),
        ("kubernetes:core/v1:ConfigMap", "data.KEY", Effect.REPLACE),
        ("kubernetes:core/v1:ConfigMap", "metadata.labels.a", Effect.IN_PLACE),
        ("kubernetes:core/v1:Namespace", "metadata.name", Effect.REPLACE),
        ("azure-native:nobody:Knows", "tags", Effect.UNKNOWN),
    ],
)
def test_what_a_change_does_is_what_the_sources_say(type_: str, path: str, does: Effect) -> None:
    found = effect(type_, path)
    assert found.effect is does
    assert found.words == WORDS[does]
    assert found.source


def test_what_is_not_known_is_said_to_be_not_known() -> None:
    assert NOT_KNOWN.words == "may replace: not known"
    assert set(WORDS) == set(Effect)


def test_the_answer_to_the_engine_says_what_is_known() -> None:
    cloud = Cloud(estate())
    olds = inputs_of("cluster")
    news = {**olds, "dnsPrefix": "other", "kubernetesVersion": "1.35", "supportPlan": "AKSLongTermSupport"}
    told = {change.path: (change.replaces, change.effect) for change in cloud.diff(CLUSTER, olds, news).changes}
    assert told["dnsPrefix"] == (True, "replace")
    assert told["supportPlan"] == (False, "unknown")
    assert told["kubernetesVersion"] == (False, "in-place")


def test_the_longest_path_that_is_known_counts() -> None:
    kind = replace(AZURE[VAULT], fixed={"tags.locked": "Conflict"})
    assert judge(kind, "tags.locked").effect is Effect.REFUSED
    assert judge(kind, "tags.owner").effect is Effect.IN_PLACE


# The table itself


def lines() -> list[tuple[str, str, dict[str, str]]]:
    content: dict[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return [
        (type_, path, line)
        for part in ("every", "types")
        for type_, paths in content[part].items()
        for path, line in paths.items()
    ]


def test_every_line_has_an_effect_and_a_source_and_every_source_is_used() -> None:
    used = set()
    for type_, path, line in lines():
        assert set(line) == {"is", "source"}, (type_, path)
        assert line["is"] in ("replace", "in-place", "refused", "service-fills"), (type_, path)
        assert line["source"] in sources(), (type_, path)
        used.add(line["source"])
    # Of these two, the provider's schema marks every property: the kinds hold it, and not a line each.
    assert used | {"devops-schema", "kubernetes"} == set(sources())


def test_every_type_of_the_table_is_one_that_the_cloud_knows() -> None:
    content = yaml.safe_load(TABLE.read_text("utf-8"))
    assert set(content["types"]) <= set(AZURE)
    assert not set(content["types"]) & {*DELIVERY, *OBJECTS}


@pytest.mark.parametrize("key", LANDSCAPE)
def test_no_line_speaks_of_what_a_kind_refuses_as_taken_in_place(key: str) -> None:
    type_ = type_of(key)
    for path in AZURE[type_].fixed:
        assert effect(type_, path.replace("[*]", "[0]")).effect in (Effect.REFUSED, Effect.REPLACE)


def test_what_forces_a_new_resource_is_the_providers_list() -> None:
    assert force_new(POOL) == ("gpuInstanceProfile", "vmSize", "networkProfile.nodePublicIPTags")
    assert force_new(REGISTRY) == ("zoneRedundancy",)
    assert force_new("azure-native:network:Subnet") == ()
    assert "tags" in table("azure-native:network:Subnet")
