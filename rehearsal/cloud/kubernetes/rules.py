"""What the API server refuses in an object of a kind. A rule yields (path, what is wrong with it); unknowns pass."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.kubernetes import forms
from rehearsal.cloud.values import blocks, lookup, text, texts

Problems: TypeAlias = Iterator[tuple[str, str]]

_POD_SECURITY: Final = re.compile(r"pod-security\.kubernetes\.io/(enforce|audit|warn)(-version)?")
_RESOURCES: Final = re.compile(
    r"cpu|memory|ephemeral-storage|(requests|limits)\.(cpu|memory|ephemeral-storage)|requests\.storage|pods"
    r"|services(\.loadbalancers|\.nodeports)?|configmaps|secrets|persistentvolumeclaims|resourcequotas"
    r"|replicationcontrollers"
)
_DURATION: Final = re.compile(r"0|(\d+(y|w|d|h|m|s|ms))+")
_MEBIBYTE: Final = 1024 * 1024


def wrong(value: object, words: str) -> str:
    return f'Invalid value: "{value}": {words}'


def metadata(inputs: Mapping[str, Any]) -> Problems:
    """Labels and annotations, of any kind."""
    for part in ("labels", "annotations"):
        for key, value in _known(inputs, f"metadata.{part}"):
            path = f"metadata.{part}"
            if not forms.is_qualified_name(key):
                yield path, wrong(key, "a qualified name, at most 63 characters after the prefix")
            if not isinstance(value, str):
                yield f"{path}[{key}]", wrong(value, "must be a string")
            elif part == "labels" and not forms.is_label_value(value):
                yield path, wrong(value, "a valid label must be 63 characters or less, of alphanumerics, '-', '_', '.'")


def pod_security(inputs: Mapping[str, Any]) -> Problems:
    for key, value in _known(inputs, "metadata.labels"):
        match = _POD_SECURITY.fullmatch(key)
        if match and match[2] and not re.fullmatch(r"latest|v1\.\d+", str(value)):
            yield f"metadata.labels[{key}]", wrong(value, 'must be "latest" or "v1.x"')
        if match and not match[2] and value not in ("privileged", "baseline", "restricted"):
            yield f"metadata.labels[{key}]", wrong(value, "must be one of privileged, baseline, restricted")


def config_map(inputs: Mapping[str, Any]) -> Problems:
    size = 0
    for key, value in _known(inputs, "data"):
        if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key):
            yield (
                f"data[{key}]",
                wrong(key, "a valid config key is of alphanumeric characters, '-', '_' and '.'"),
            )
        if not isinstance(value, str):
            yield f"data[{key}]", wrong(value, "must be a string")
        size += len(str(value).encode())
    if size > _MEBIBYTE:
        yield "data", f"Too long: may not be more than {_MEBIBYTE} bytes"


def resource_quota(inputs: Mapping[str, Any]) -> Problems:
    for key, value in _known(inputs, "spec.hard"):
        if not (_RESOURCES.fullmatch(key) or ("/" in key and forms.is_qualified_name(key))):
            yield f"spec.hard[{key}]", wrong(key, "must be a standard resource for quota")
        yield from _quantity(f"spec.hard[{key}]", value)


def limit_range(inputs: Mapping[str, Any]) -> Problems:
    for index, item in enumerate(blocks(inputs, "spec.limits")):
        path = f"spec.limits[{index}]"
        if item.get("type") not in ("Container", "Pod", "PersistentVolumeClaim", UNKNOWN):
            yield f"{path}.type", wrong(item.get("type"), "must be Container, Pod or PersistentVolumeClaim")
        bounds = {part: dict(_known(item, part)) for part in ("min", "defaultRequest", "default", "max")}
        malformed = [
            problem
            for part, values in bounds.items()
            for key, value in values.items()
            for problem in _quantity(f"{path}.{part}[{key}]", value)
        ]
        yield from malformed
        if not malformed:
            yield from _in_order(path, bounds)


def _in_order(path: str, bounds: Mapping[str, Mapping[str, Any]]) -> Problems:
    parts = list(bounds)
    for lower, upper in ((low, high) for at, low in enumerate(parts) for high in parts[at + 1 :]):
        for key in bounds[lower].keys() & bounds[upper].keys():
            low, high = bounds[lower][key], bounds[upper][key]
            if forms.amount(low) > forms.amount(high):
                yield f"{path}.{lower}[{key}]", wrong(low, f"{lower} value {low} is greater than {upper} value {high}")


def network_policy(inputs: Mapping[str, Any]) -> Problems:
    if lookup(inputs, "spec.podSelector") is None:
        yield "spec.podSelector", "Required value"
    for index, value in enumerate(texts(inputs, "spec.policyTypes")):
        if value not in ("Ingress", "Egress"):
            yield f"spec.policyTypes[{index}]", wrong(value, 'supported values: "Egress", "Ingress"')
    for direction, ends in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(blocks(inputs, f"spec.{direction}")):
            path = f"spec.{direction}[{index}]"
            for number, port in enumerate(blocks(rule, "ports")):
                yield from _port(f"{path}.ports[{number}]", port)
            for number, peer in enumerate(blocks(rule, ends)):
                yield from _peer(f"{path}.{ends}[{number}]", peer)


def _port(path: str, port: Mapping[str, Any]) -> Problems:
    if port.get("protocol", "TCP") not in ("TCP", "UDP", "SCTP", UNKNOWN):
        yield f"{path}.protocol", wrong(port["protocol"], 'supported values: "SCTP", "TCP", "UDP"')
    if port.get("port", UNKNOWN) is not UNKNOWN and not forms.is_port(port["port"]):
        yield f"{path}.port", wrong(port["port"], "must be between 1 and 65535, or the name of a port")


def _peer(path: str, peer: Mapping[str, Any]) -> Problems:
    if not peer:
        yield path, "Required value: must specify a peer"
    if "ipBlock" in peer and len(peer) > 1:
        yield path, "Forbidden: may not specify both ipBlock and another peer"
    cidr = text(peer, "ipBlock.cidr")
    if cidr is None:
        return
    whole = _range(cidr)
    if whole is None:
        yield f"{path}.ipBlock.cidr", wrong(cidr, "must be a valid CIDR value, (e.g. 10.9.8.0/24)")
        return
    for index, value in enumerate(texts(peer, "ipBlock.except")):
        part = _range(value)
        if part is None or part == whole or not (part.version == whole.version and part.subnet_of(whole)):  # type: ignore[arg-type]
            yield f"{path}.ipBlock.except[{index}]", wrong(value, f"must be a strict subset of `cidr` {cidr}")


def _range(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        return None


def secret_provider_class(inputs: Mapping[str, Any]) -> Problems:
    for key, value in _known(inputs, "spec.parameters"):
        if not isinstance(value, str):
            yield f"spec.parameters.{key}", wrong(value, "must be of type string")


def pod_monitor(inputs: Mapping[str, Any]) -> Problems:
    for key in ("selector", "podMetricsEndpoints"):
        if lookup(inputs, f"spec.{key}") is None:
            yield f"spec.{key}", "Required value"
    for index, endpoint in enumerate(blocks(inputs, "spec.podMetricsEndpoints")):
        for key in ("interval", "scrapeTimeout"):
            value = endpoint.get(key, UNKNOWN)
            if value is not UNKNOWN and not _DURATION.fullmatch(str(value)):
                yield f"spec.podMetricsEndpoints[{index}].{key}", wrong(value, f"should match '{_DURATION.pattern}'")


_FLUX_DURATION: Final = re.compile(r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+")


def role(inputs: Mapping[str, Any]) -> Problems:
    for index, rule in enumerate(blocks(inputs, "rules")):
        if not texts(rule, "verbs"):
            yield f"rules[{index}].verbs", "Required value: verbs must contain at least one value"
        if "nonResourceURLs" in rule:
            yield f"rules[{index}].nonResourceURLs", "namespaced rules cannot apply to non-resource URLs"
        elif not texts(rule, "apiGroups"):
            yield f"rules[{index}].apiGroups", "Required value: resource rules must supply at least one api group"
        elif not texts(rule, "resources"):
            yield f"rules[{index}].resources", "Required value: resource rules must supply at least one resource"


def role_binding(inputs: Mapping[str, Any]) -> Problems:
    if lookup(inputs, "roleRef.kind") not in ("Role", "ClusterRole", UNKNOWN):
        yield "roleRef.kind", wrong(lookup(inputs, "roleRef.kind"), 'supported values: "ClusterRole", "Role"')
    if not lookup(inputs, "roleRef.name"):
        yield "roleRef.name", "Required value"
    for index, subject in enumerate(blocks(inputs, "subjects")):
        if subject.get("kind") not in ("ServiceAccount", "User", "Group", UNKNOWN):
            yield f"subjects[{index}].kind", wrong(subject.get("kind"), '"ServiceAccount", "User" or "Group"')
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            yield f"subjects[{index}].namespace", "Required value"


def git_repository(inputs: Mapping[str, Any]) -> Problems:
    yield from _flux(inputs, "url", "interval", durations=("interval", "timeout"))
    url, provider = lookup(inputs, "spec.url"), lookup(inputs, "spec.provider")
    if isinstance(url, str) and not re.match(r"(http|https|ssh)://", url):
        yield "spec.url", wrong(url, "should match '^(http|https|ssh)://.*$'")
    if provider not in (None, "generic", "azure", "github", UNKNOWN):
        yield "spec.provider", wrong(provider, 'supported values: "generic", "azure", "github"')
    if provider == "azure" and lookup(inputs, "spec.secretRef") is not None:
        yield "spec.secretRef", "cannot be set with the provider azure"


def kustomization(inputs: Mapping[str, Any]) -> Problems:
    yield from _flux(inputs, "interval", "prune", "sourceRef", durations=("interval", "retryInterval", "timeout"))
    kind = lookup(inputs, "spec.sourceRef.kind")
    if kind not in ("GitRepository", "OCIRepository", "Bucket", "ExternalArtifact", UNKNOWN):
        yield "spec.sourceRef.kind", wrong(kind, "must be a kind of source")
    policy = lookup(inputs, "spec.deletionPolicy")
    if policy not in (None, "MirrorPrune", "Delete", "WaitForTermination", "Orphan", UNKNOWN):
        yield "spec.deletionPolicy", wrong(policy, "must be MirrorPrune, Delete, WaitForTermination or Orphan")
    # What a cluster of several tenants refuses: the extension enforces it.
    own = lookup(inputs, "metadata.namespace")
    others = {"spec.sourceRef.namespace": lookup(inputs, "spec.sourceRef.namespace")}
    for index, part in enumerate(blocks(inputs, "spec.dependsOn")):
        others[f"spec.dependsOn[{index}].namespace"] = part.get("namespace")
    for path, other in others.items():
        if other not in (None, own, UNKNOWN):
            yield path, f"can't access '{other}', cross-namespace references have been blocked"


def _flux(inputs: Mapping[str, Any], *required: str, durations: Iterable[str]) -> Problems:
    for key in required:
        if lookup(inputs, f"spec.{key}") is None:
            yield f"spec.{key}", "Required value"
    for key in durations:
        value = lookup(inputs, f"spec.{key}")
        if value not in (None, UNKNOWN) and not _FLUX_DURATION.fullmatch(str(value)):
            yield f"spec.{key}", wrong(value, f"should match '{_FLUX_DURATION.pattern}'")


def undeclared(value: Any, fields: Any, path: str = "") -> Iterator[str]:
    """The paths that a schema of `kinds` does not have. None in a schema stands for anything."""
    if isinstance(fields, list) and isinstance(value, (list, tuple)):
        for child in value:
            yield from undeclared(child, fields[0], path)
    elif isinstance(fields, Mapping) and isinstance(value, Mapping):
        for key, child in value.items():
            if key not in fields:
                yield f"{path}.{key}"
            else:
                yield from undeclared(child, fields[key], f"{path}.{key}")
    elif isinstance(fields, (list, Mapping)) and value not in (None, UNKNOWN):
        yield path


def _quantity(path: str, value: object) -> Problems:
    if not forms.is_quantity(value):
        yield path, wrong(value, "quantities must match the regular expression of Kubernetes")


def _known(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    found = lookup(value, path)
    return [(key, child) for key, child in found.items() if child is not UNKNOWN] if isinstance(found, Mapping) else ()
