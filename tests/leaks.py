"""What must not stand in a state: secrets, tokens and passwords, sealed or in plain text.

Every function takes a landscape and what the stack files say of its environments, and returns findings: sentences, none
where all is well.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.environments import Environments
from tests.graph import Landscape, Resource

MARK = "4dabf18193072939515e22adb298388d"
"""The engine's own mark of a value that is not plain; with this one beside it, of a secret."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"

SEALED = {
    ("monitor:ActionGroup", "webhookReceivers.*.serviceUri"): "whoever knows a webhook's address can write to it",
    ("providers:kubernetes", "kubeconfig"): "Azure hands it out as a secret; without local accounts it signs in nobody",
}
"""Secrets that a state may hold: kind of resource and path, and why it is one."""

OPEN = {
    ("applicationinsights:Component", "instrumentationKey"): "names the component; it takes rows by Entra ID alone",
}
"""What is called a secret and is none."""

PROVIDERS = {
    "azure-native": {"environment", "subscriptionId", "tenantId"},
    "azuredevops": {"orgServiceUrl"},
    "github": {"owner", "baseUrl"},
    "kubernetes": {"kubeconfig", "clusterIdentifier", "enableConfigMapMutable"},
}
"""All that providers are told. Each signs in as whoever runs the program."""

_NAMES = re.compile(
    r"(?i)(password|passphrase|secret|secretvalue|token|accesskey|accountkey|sharedkey|privatekey|instrumentationkey|primarykey"
    r"|serviceprincipalkey|clientcertificate|kubeconfig|sas|pat)$"
)
_VALUES = {
    "a personal access token": re.compile(r"\b[a-z2-7]{52}\b|\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b"),
    "a key in a connection string": re.compile(
        r"(?i)(AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)\s*="
    ),
    "a signed address": re.compile(r"[?&]sig=[^&]"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a bearer's token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    # Hosts in .example are reserved for examples, and are nowhere.
    "a password in an address": re.compile(r"://[^/\s:@]+:[^/\s:@]+@(?![\w.-]*\.example\b)"),
    "a client's secret": re.compile(r"\b[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{34}"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})"),
}


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every plain value and every secret as a whole, with its path; `*` is any position of a list."""
    if isinstance(value, Mapping) and value.get(MARK) != SECRET:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, (*path, "*"))
    else:
        yield ".".join(path), value


@functools.cache
def _forms(value: str) -> tuple[str, ...]:
    """What a value looks like. Kept, because the same texts are looked at again and again."""
    return tuple(what for what, form in _VALUES.items() if form.search(value))


def _everything(landscape: Landscape) -> Iterator[tuple[str, Resource, str, Any]]:
    for stack, graph in landscape.graphs.items():
        for each in graph.resources:
            for side in (each.inputs, each.outputs):
                for path, value in leaves(side):
                    yield stack, each, path, value


def secrets(landscape: Landscape, environments: Environments) -> list[str]:
    """Secrets in inputs or outputs beside the few that must be there, and any that is not sealed."""
    found = {
        f"{stack}/{each.name} is a secret"
        for stack, graph in landscape.graphs.items()
        for each in graph.resources
        if each.cls == "Secret"
    }
    for stack, each, path, value in _everything(landscape):
        if isinstance(value, Mapping):
            if (each.kind, path) not in SEALED:
                found.add(f"{stack}/{each.name} holds a secret: {path}")
            if set(value) != {MARK, "ciphertext"}:
                found.add(f"{stack}/{each.name} holds {path} unsealed")
        elif isinstance(value, str):
            if value and _NAMES.search(path.rpartition(".")[2]) and (each.kind, path) not in OPEN:
                found.add(f"{stack}/{each.name} says {path} in plain text")
            found |= {f"{stack}/{each.name}: {path} is {what}" for what in _forms(value)}
    return sorted(found)


def marked_variables(landscape: Landscape, environments: Environments) -> list[str]:
    """Variables of a group that are secret: they are read from the vault at run time."""
    return [
        f"{stack}/{each.name} holds the secret {variable.get('name')}"
        for stack, each in landscape.devops("VariableGroup")
        for variable in each.inputs["variables"]
        if variable.get("isSecret") or "secretValue" in variable or each.inputs.get("keyVault")
    ]


def told_providers(landscape: Landscape, environments: Environments) -> list[str]:
    """What providers are told beside where to go."""
    return [
        f"{stack}: the provider {each.name} is told {key}"
        for stack, graph in landscape.graphs.items()
        for each in graph.resources
        if each.type.startswith("pulumi:providers:")
        for key in sorted(set(each.inputs) - PROVIDERS.get(each.cls, set()) - {"version", "__internal"})
    ]


def open_telemetry(landscape: Landscape, environments: Environments) -> list[str]:
    """Components whose key alone would let anybody write to them: the key stands in the state in plain text."""
    return [
        f"{stack}/{each.name} takes rows from whoever knows its key"
        for stack, each in landscape.of("applicationinsights:Component")
        if each.inputs.get("disableLocalAuth") is not True
    ]


INVARIANTS = (secrets, marked_variables, told_providers, open_telemetry)
