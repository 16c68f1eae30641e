"""Settings of the two collectors that run in every cluster, for metrics and for container logs; pure.

Both read a ConfigMap of a fixed name in kube-system, and what is not said there takes their default. Each names the
version of its own schema; another one is ignored as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

NAMESPACE = "kube-system"
METRICS = "ama-metrics-settings-configmap"
LOGS = "container-azm-ms-agentconfig"

_SCRAPED = {
    "apiserver": False,
    "cadvisor": True,
    "controlplane-apiserver": True,
    "controlplane-etcd": True,
    "coredns": False,
    "kubelet": True,
    "kubeproxy": False,
    "kubestate": True,
    "networkobservabilityCilium": True,
    "networkobservabilityHubble": False,
    "networkobservabilityRetina": False,
    "nodeexporter": True,
    "prometheuscollectorhealth": False,
    "windowsexporter": False,
    "windowskubeproxy": False,
}
"""What the metrics add-on scrapes by itself, by its own names. There are no Windows nodes, and Cilium has no proxy."""

_TARGETS = {
    "cadvisor": "cadvisor",
    "kube-state-metrics": "kubestate",
    "kubelet": "kubelet",
    "node": "nodeexporter",
}
"""The label `job` of what is scraped, to the add-on's name of the target."""

_SELECTION = re.compile(r"([a-zA-Z_]\w*)\{[^}]*\bjob=\"([^\"]+)\"")

_UNLOGGED = ("gatekeeper-system", "kube-system")
"""Namespaces of the platform, whose logs are many and go elsewhere or nowhere. The collector's own default."""


def kept(rules: Iterable[str]) -> dict[str, list[str]]:
    """The metrics that rules read, by the add-on's name of the target.

    The add-on drops what its minimal profile does not list. Four metrics that alerts read are not on it, so rules
    that look healthy would never fire; and the list is Microsoft's to change. So whatever a rule reads is listed here.
    """
    found: dict[str, set[str]] = {target: set() for target in _TARGETS.values()}
    for expression in rules:
        for metric, job in _SELECTION.findall(expression):
            if job in _TARGETS:
                found[_TARGETS[job]].add(metric)
    return {target: sorted(metrics) for target, metrics in sorted(found.items()) if metrics}


def metrics(rules: Iterable[str]) -> dict[str, str]:
    """Settings of the metrics add-on, in its schema v1, which all its versions read."""
    lists = {target: "|".join(names) for target, names in kept(rules).items()}
    return {
        "schema-version": "v1",
        "config-version": "v1",
        # An alias would become the label `cluster`, with "_" for every "-"; rule groups look for the cluster's name.
        "prometheus-collector-settings": 'cluster_alias = ""',
        "default-scrape-settings-enabled": _section(_SCRAPED),
        # Pods are scraped by pod monitors, which a reviewer sees, and by no annotation.
        "pod-annotation-based-scraping": 'podannotationnamespaceregex = ""',
        "default-targets-metrics-keep-list": _section({**lists, "minimalingestionprofile": True}),
        "debug-mode": _section({"enabled": False}),
    }


def logs() -> dict[str, str]:
    """Settings of the log collector, in its schema v1: both streams of all containers, into the table ContainerLogV2.

    Environment variables of containers are not collected: they are where applications keep what nobody should read.
    """
    sections: dict[str, dict[str, bool | str | tuple[str, ...]]] = {
        "stdout": {"enabled": True, "exclude_namespaces": _UNLOGGED},
        "stderr": {"enabled": True, "exclude_namespaces": _UNLOGGED},
        "env_var": {"enabled": False},
        "enrich_container_logs": {"enabled": False},
        "collect_all_kube_events": {"enabled": False},
        "schema": {"containerlog_schema_version": "v2"},
    }
    written = (f"[log_collection_settings.{name}]\n{_section(values)}" for name, values in sections.items())
    return {
        "schema-version": "v1",
        "config-version": "v1",
        "log-data-collection-settings": "[log_collection_settings]\n" + "\n".join(written),
    }


def _section(values: Mapping[str, bool | str | tuple[str, ...]]) -> str:
    """TOML of the sort that the collectors read."""
    return "\n".join(f"{key} = {_value(value)}" for key, value in values.items())


def _value(value: bool | str | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(f'"{each}"' for each in value) + "]"
