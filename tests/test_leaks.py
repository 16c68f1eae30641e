"""No secret, token or password in what either shipped stack left behind."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests import leaks
from tests.breaches import SHIPPED, Breach, Invariant
from tests.conftest import Rehearsed
from tests.graph import Landscape


@pytest.mark.parametrize("invariant", leaks.INVARIANTS, ids=lambda each: each.__name__)
def test_nothing_is_given_away(invariant: Invariant, rehearsed: Mapping[str, Rehearsed]) -> None:
    landscape = Landscape({stack: run.export for stack, run in rehearsed.items()})
    assert invariant(landscape, SHIPPED) == []


FACTS = ("prod", "VariableGroup", "facts")
A_SECRET = {leaks.MARK: leaks.SECRET, "ciphertext": "v1:…"}


def _fact(value: object) -> dict[str, object]:
    return {"variables": [{"name": "registryId", "value": value}]}


BREACHES = (
    Breach(
        "a sealed fact",
        leaks.secrets,
        lambda it: it.say(*FACTS, **_fact(A_SECRET)),
        "prod/facts holds a secret: variables.*.value",
    ),
    Breach(
        "a secret in an output",
        leaks.secrets,
        lambda it: it.find("prod", "Registry", "registry")["outputs"].update(adminPassword=A_SECRET),
        "prod/registry holds a secret: adminPassword",
    ),
    Breach(
        "a secret among what the stack tells",
        leaks.secrets,
        lambda it: it.find("staging", "Stack", "aks-cicd-staging")["outputs"]["contract"].update(key=A_SECRET),
        "holds a secret: contract.key",
    ),
    Breach(
        "the webhook's address, not sealed",
        leaks.secrets,
        lambda it: it.find("prod", "ActionGroup", "operators")["inputs"]["webhookReceivers"][0].update(
            serviceUri={leaks.MARK: leaks.SECRET, "plaintext": "https://…"}
        ),
        "prod/operators holds webhookReceivers.*.serviceUri unsealed",
    ),
    Breach(
        "a secret of the cluster",
        leaks.secrets,
        lambda it: it.mark("staging", "LimitRange", "limits", type="kubernetes:core/v1:Secret"),
        "staging/limits is a secret",
    ),
    *(
        Breach(
            f"{key} in plain text",
            leaks.secrets,
            lambda it, key=key: it.say("prod", "ServiceEndpointAzureRM", "deploy-connection", **{key: "x"}),  # type: ignore[misc]
            f"prod/deploy-connection says {key} in plain text",
        )
        for key in ("password", "personalAccessToken", "clientSecret", "serviceprincipalkey", "sharedKey")
    ),
    *(
        Breach(
            what,
            leaks.secrets,
            lambda it, value=value: it.say(*FACTS, **_fact(value)),  # type: ignore[misc]
            f"prod/facts: variables.*.value is {what}",
        )
        for what, value in {
            "a personal access token": "abcdefghij234567" * 3 + "abcd",
            "a key in a connection string": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc==;",
            "a signed address": "https://a.blob.core.windows.net/b?sv=2024&sig=abc",
            "a private key": "-----BEGIN RSA PRIVATE KEY-----",
            "a bearer's token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
            "a password in an address": "https://user:pass@dev.azure.com/contoso",
            "a client's secret": "abc8Q~" + "a" * 34,
            "a GitHub token": "ghp_" + "a" * 36,
        }.items()
    ),
    Breach(
        "a personal access token of the newer form",
        leaks.secrets,
        lambda it: it.say(*FACTS, **_fact("a" * 76 + "AZDO" + "b" * 4)),
        "prod/facts: variables.*.value is a personal access token",
    ),
    Breach(
        "a secret variable",
        leaks.marked_variables,
        lambda it: it.say(*FACTS, variables=[{"name": "key", "isSecret": True}]),
        "prod/facts holds the secret key",
    ),
    Breach(
        "a group that is linked to a vault",
        leaks.marked_variables,
        lambda it: it.say(*FACTS, keyVault={"name": "kv"}),
        "prod/facts holds the secret",
    ),
    Breach(
        "the provider is given a token",
        leaks.told_providers,
        lambda it: it.say("prod", "azuredevops", it.names("prod", "azuredevops")[0], personalAccessToken=A_SECRET),
        "is told personalAccessToken",
    ),
    Breach(
        "telemetry by key",
        leaks.open_telemetry,
        lambda it: it.say("prod", "Component", "application-insights", disableLocalAuth=None),
        "prod/application-insights takes rows from whoever knows its key",
    ),
)


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_it_is_found(breach: Breach, rehearsed: Mapping[str, Rehearsed]) -> None:
    breach.must_be_found({stack: run.export for stack, run in rehearsed.items()})


def test_every_invariant_is_shown_to_catch_something() -> None:
    assert {breach.invariant for breach in BREACHES} == set(leaks.INVARIANTS)
