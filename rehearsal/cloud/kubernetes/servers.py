"""How objects live in the clusters: what the provider asks of an API server, and what that answers.

Every call carries the configuration of the provider instance that makes it, because that says which cluster is meant:
the id of an object (`namespace/name`) is its own in its cluster only. Objects are kept with their cluster and go with
it. Nothing runs here: no controller, no pods, no admission beyond what is written in `rules`.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN, Answer, CloudError, Diff
from rehearsal.cloud.kubernetes import forms, rules
from rehearsal.cloud.kubernetes.kinds import ADDRESS, KINDS, METADATA, ObjectKind
from rehearsal.cloud.kubernetes.reaching import reach
from rehearsal.cloud.replacements import changed, declared, touches
from rehearsal.cloud.traffic import Traffic
from rehearsal.cloud.values import guid, known, lookup
from rehearsal.cloud.world import Resource, World

_NAMESPACE: Final = "kubernetes:core/v1:Namespace"
# The last one is the Azure Policy add-on's.
_GIVEN: Final = frozenset({"default", "kube-node-lease", "kube-public", "kube-system", "gatekeeper-system"})
"""Namespaces that every cluster is made with."""
_AUTONAMED: Final = "pulumi.com/autonamed"

Configuration = Mapping[str, Any]


class ApiServers:
    """The API servers of one tenant's clusters. `inside_network`: whether the rehearsal runs where a private one is
    reached."""

    def __init__(self, world: World, lock: threading.RLock, traffic: Traffic, *, inside_network: bool) -> None:
        self._world = world
        self._lock = lock
        self._traffic = traffic
        self.inside_network = inside_network

    def named(
        self, type_: str, name: str, inputs: Mapping[str, Any], olds: Mapping[str, Any] | None = None, *, salt: str = ""
    ) -> dict[str, Any]:
        """The inputs with a name and, where the kind has one, a namespace, as the provider completes them."""
        kind = _kind(type_)
        result = copy.deepcopy(dict(inputs))
        metadata = result.get("metadata")
        if metadata is UNKNOWN:
            return result
        metadata = result["metadata"] = dict(metadata or {})
        if metadata.get("name") is None:
            before = lookup(olds or {}, "metadata.annotations")
            kept = isinstance(before, Mapping) and _AUTONAMED in before and lookup(olds or {}, "metadata.name")
            metadata["name"] = kept or f"{name}-{guid(salt, type_, name)[:8]}"
            metadata["annotations"] = {**(metadata.get("annotations") or {}), _AUTONAMED: "true"}
        if kind.namespaced and not metadata.get("namespace"):
            metadata["namespace"] = "default"
        return result

    def create(
        self, type_: str, inputs: Mapping[str, Any], configuration: Configuration, *, preview: bool = False
    ) -> Answer:
        kind = _kind(type_)
        with self._lock:
            if preview and configuration.get("kubeconfig") is UNKNOWN:
                return Answer("", known(inputs))
            cluster = self._reach(configuration)
            self._judge(kind, inputs)
            if preview:
                return Answer("", known(inputs))
            id = _id(kind, inputs)
        with self._traffic.write(type_, "create", f"{cluster.id}/{id}"), self._lock:
            cluster = self._reach(configuration)
            if not kind.served(cluster, self._world):
                raise CloudError("NotFound", f'no matches for kind "{kind.kind}" in version "{kind.api_version}"')
            self._check_namespace(kind, cluster, inputs)
            if (type_, id) in self._inside(cluster) or (type_ == _NAMESPACE and id in _GIVEN):
                raise CloudError("AlreadyExists", f'{kind.plural} "{_name(inputs)}" already exists')
            return self._store(kind, cluster, inputs, 1)

    def read(self, type_: str, id: str, configuration: Configuration) -> Answer | None:
        with self._lock:
            found = self._inside(self._reach(configuration)).get((type_, id))
            return Answer(id, copy.deepcopy(dict(found.outputs))) if found else None

    def inputs_of(self, type_: str, id: str, configuration: Configuration) -> dict[str, Any]:
        with self._lock:
            return copy.deepcopy(dict(self._existing(self._reach(configuration), type_, id).inputs))

    def update(
        self, type_: str, id: str, inputs: Mapping[str, Any], configuration: Configuration, *, preview: bool = False
    ) -> Answer:
        kind = _kind(type_)
        with self._lock:
            cluster = self._reach(configuration)
            old = self._existing(cluster, type_, id)
            self._judge(kind, inputs)
            if preview:
                return Answer(id, known(inputs))
        with self._traffic.write(type_, "update", f"{cluster.id}/{id}"), self._lock:
            old = self._existing(cluster, type_, id)
            return self._store(kind, cluster, inputs, int(lookup(old.outputs, "metadata.resourceVersion")) + 1)

    def delete(self, type_: str, id: str, configuration: Configuration) -> None:
        """Deletes an object, and with a namespace all that is in it. What is gone already is no error."""
        with self._lock:
            cluster = self._reach(configuration)
        with self._traffic.write(type_, "delete", f"{cluster.id}/{id}"):
            self.remove(cluster.id, type_, id)

    def diff(self, type_: str, olds: Mapping[str, Any], news: Mapping[str, Any], configuration: Configuration) -> Diff:
        kind = _kind(type_)
        mutable = str(configuration.get("enableConfigMapMutable")).lower() == "true"
        roots = ADDRESS if mutable else (*ADDRESS, *kind.force_new)
        changes = tuple(declared(type_, path, roots).at(path) for path in changed(olds, news))
        replaced = any(change.replaces for change in changes)
        moved = any(touches(change.path, root) for change in changes for root in ADDRESS)
        return Diff(changes, delete_before_replace=replaced and not moved)

    def drift(self, cluster_id: str, type_: str, id: str, inputs: Mapping[str, Any]) -> None:
        """Changes an object behind the program's back, as a person with kubectl would."""
        with self._lock:
            cluster = self._world.resources[cluster_id.lower()]
            old = self._existing(cluster, type_, id)
            self._judge(_kind(type_), inputs)
            self._store(_kind(type_), cluster, inputs, int(lookup(old.outputs, "metadata.resourceVersion")) + 1)

    def remove(self, cluster_id: str, type_: str, id: str) -> None:
        """Deletes an object, and with a namespace all that is in it."""
        with self._lock:
            inside = self._world.inside.get(cluster_id.lower(), {})
            inside.pop((type_, id), None)
            if type_ == _NAMESPACE:
                for key in [key for key in inside if key[1].startswith(f"{id}/")]:
                    del inside[key]

    def held(self) -> dict[str, tuple[Resource, ...]]:
        """The objects by lower-case id of their cluster: a picture, which later changes do not alter."""
        with self._lock:
            return {id: tuple(found.values()) for id, found in self._world.inside.items()}

    def objects(self, cluster_id: str) -> dict[tuple[str, str], Mapping[str, Any]]:
        """What a cluster holds, for tests to look at: outputs by type and id."""
        with self._lock:
            return {key: found.outputs for key, found in self._world.inside.get(cluster_id.lower(), {}).items()}

    def _reach(self, configuration: Configuration) -> Resource:
        return reach(self._world, configuration, inside_network=self.inside_network)

    def _inside(self, cluster: Resource) -> dict[tuple[str, str], Resource]:
        return self._world.inside.setdefault(cluster.id.lower(), {})

    def _existing(self, cluster: Resource, type_: str, id: str) -> Resource:
        found = self._inside(cluster).get((type_, id))
        if found is None:
            raise CloudError("NotFound", f'{_kind(type_).plural} "{id.rpartition("/")[2]}" not found')
        return found

    def _judge(self, kind: ObjectKind, inputs: Mapping[str, Any]) -> None:
        """What the server says of the object alone."""
        stated = (inputs.get("apiVersion", kind.api_version), inputs.get("kind", kind.kind))
        if stated != (kind.api_version, kind.kind):
            raise CloudError("BadRequest", f"the object is of {stated[0]} {stated[1]}, not what {kind.token} is")
        for path in rules.undeclared(inputs, {"apiVersion": None, "kind": None, "metadata": METADATA, **kind.fields}):
            raise CloudError("BadRequest", f"failed to create typed patch object: {path}: field not declared in schema")
        name = lookup(inputs, "metadata.name")
        fits, words = (
            (forms.is_dns_label, forms.LABEL_WORDS)
            if kind.token == _NAMESPACE
            else (forms.is_dns_subdomain, forms.SUBDOMAIN_WORDS)
        )
        problems = [] if name is UNKNOWN or fits(str(name)) else [("metadata.name", rules.wrong(name, words))]
        if not kind.namespaced and lookup(inputs, "metadata.namespace") is not None:
            problems.append(("metadata.namespace", "Forbidden: not allowed on this type"))
        problems += [*rules.metadata(inputs), *kind.rule(inputs)]
        if problems:
            said = ", ".join(f"{path}: {what}" for path, what in problems)
            raise CloudError("Invalid", f'{kind.kind} "{_name(inputs)}" is invalid: {said}')

    def _check_namespace(self, kind: ObjectKind, cluster: Resource, inputs: Mapping[str, Any]) -> None:
        namespace = str(lookup(inputs, "metadata.namespace"))
        if kind.namespaced and namespace not in _GIVEN and (_NAMESPACE, namespace) not in self._inside(cluster):
            raise CloudError("NotFound", f'namespaces "{namespace}" not found')

    def _store(self, kind: ObjectKind, cluster: Resource, inputs: Mapping[str, Any], version: int) -> Answer:
        id = _id(kind, inputs)
        outputs = copy.deepcopy(dict(inputs))
        outputs["metadata"] |= {
            "uid": guid(cluster.id, kind.token, id),
            "resourceVersion": str(version),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        if kind.token == _NAMESPACE:
            labels = outputs["metadata"].get("labels") or {}
            outputs["metadata"]["labels"] = {**labels, "kubernetes.io/metadata.name": id}
            outputs["status"] = {"phase": "Active"}
        stored = Resource(id, kind.token, _name(inputs), copy.deepcopy(dict(inputs)), outputs)
        self._inside(cluster)[(kind.token, id)] = stored
        return Answer(id, copy.deepcopy(outputs))


def _kind(type_: str) -> ObjectKind:
    kind = KINDS.get(type_)
    if kind is None:
        raise CloudError("NotImplemented", f"the stand-in does not know {type_}; add it to rehearsal/cloud/kubernetes")
    return kind


def _name(inputs: Mapping[str, Any]) -> str:
    return str(lookup(inputs, "metadata.name"))


def _id(kind: ObjectKind, inputs: Mapping[str, Any]) -> str:
    return f"{lookup(inputs, 'metadata.namespace')}/{_name(inputs)}" if kind.namespaced else _name(inputs)
