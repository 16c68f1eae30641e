"""The cloud itself: create, read, update, delete, diff and invoke over the known kinds.

All state of the stand-in lives here, in one process, behind one lock, so that several stacks can work on it
at the same time as they would on one Azure tenant. It keeps no history and talks to no network. What a type
accepts and answers is data in `rehearsal.cloud.azure`; this module only says in which order it is asked.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from rehearsal.cloud import adoption, arm
from rehearsal.cloud import state as state_
from rehearsal.cloud.answers import UNKNOWN, Answer, CloudError, Diff, Estate
from rehearsal.cloud.azure import INVOKES, KINDS
from rehearsal.cloud.checks import check_fixed, check_free, check_parents, check_unused
from rehearsal.cloud.delivering import KINDS as DELIVERY
from rehearsal.cloud.delivering import Delivering
from rehearsal.cloud.kinds import Kind, Request, identity_outputs
from rehearsal.cloud.kubernetes import KINDS as OBJECTS
from rehearsal.cloud.kubernetes import ApiServers
from rehearsal.cloud.locks import check_locks
from rehearsal.cloud.names import check_name
from rehearsal.cloud.references import check_references
from rehearsal.cloud.replacements import changed, judge
from rehearsal.cloud.shapes import check_shape
from rehearsal.cloud.traffic import Disturbance, Met, Traffic
from rehearsal.cloud.values import foreseen, guid, known, placed
from rehearsal.cloud.world import Resource, World, principals, references


class Cloud:
    """One tenant. Thread-safe. `inside_network`: whether the rehearsal runs where private API servers are reached."""

    def __init__(self, estate: Estate, *, inside_network: bool = False) -> None:
        self._lock = threading.RLock()
        self._world = World(estate)
        self._traffic = Traffic()
        self.kubernetes = ApiServers(self._world, self._lock, self._traffic, inside_network=inside_network)
        self.devops = Delivering(self._world, self._lock, self._traffic)
        self._secrets: set[str] = set()

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Cloud:
        """The cloud that `dump` described.

        Raises:
            StateError: it is the state of another version, or none at all.
        """
        state_.check_version(state)
        cloud = cls(state_.load_estate(state), inside_network=state.get("inside_network") is True)
        state_.load_world(cloud._world, state)
        state_.load_organization(cloud.devops.organization, state)
        cloud._secrets = state_.load_secrets(state)
        return cloud

    def dump(self) -> dict[str, Any]:
        """All that exists, as JSON has it."""
        with self._lock:
            return {
                "version": state_.VERSION,
                "inside_network": self.kubernetes.inside_network,
                **state_.dump_world(self._world),
                "organization": state_.dump_organization(self.devops.organization),
                "secrets": sorted(self._secrets),
            }

    @property
    def confided(self) -> frozenset[str]:
        """The texts that the engine has marked as secret so far."""
        with self._lock:
            return frozenset(self._secrets)

    def confide(self, secrets: Iterable[str]) -> None:
        """Texts that the engine marks as secret: `rehearsal.memory` shows and exports none of them."""
        with self._lock:
            self._secrets.update(secrets)

    @property
    def resources(self) -> Mapping[str, Resource]:
        """What exists now, keyed by lower-case id: a picture, which later changes do not alter."""
        with self._lock:
            return MappingProxyType(dict(self._world.resources))

    @property
    def estate(self) -> Estate:
        return self._world.estate

    def admit(self, estate: Estate) -> None:
        """Adds to what exists: the estate of a further stack."""
        with self._lock:
            self._world.admit(estate)
            self.devops.admit()

    def adopt(self, states: Sequence[adoption.State]) -> None:
        """Adds what a stack's state says there is, as if it had been made here."""
        with self._lock:
            adoption.adopt(self._world, self.devops.organization, states)

    def named(
        self,
        type_: str,
        name: str,
        inputs: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
        *,
        salt: str = "",
        location: str | None = None,
    ) -> dict[str, Any]:
        """The inputs with a physical name: the given one, else that of before, else a made-up one.

        A made-up name is the logical name with a suffix that depends on `salt` alone, so runs are repeatable.
        `location` is the provider's default for what has a location and does not say which.
        """
        kind = _kind(type_)
        result = copy.deepcopy(dict(inputs))
        if result.get(kind.name_input) is None:
            suffix = guid(salt, type_, name)
            made_up = suffix if kind.name_input == "roleAssignmentName" else f"{name}{suffix[:8]}"
            result[kind.name_input] = (olds or {}).get(kind.name_input) or made_up
        if kind.located and location is not None:
            result.setdefault("location", location)
        return result

    def check(self, type_: str, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Problems that the provider itself sees before anything is sent: missing required inputs."""
        kind = _kind(type_)
        needed = dict.fromkeys((*kind.addressing[:-1], *kind.required))
        return [(key, f"missing required property '{key}'") for key in needed if inputs.get(key) is None]

    def create(
        self,
        type_: str,
        name: str,
        inputs: Mapping[str, Any],
        *,
        preview: bool = False,
        subscription: str | None = None,
    ) -> Answer:
        kind = _kind(type_)
        with self._lock:
            request = self._request(kind, self.named(type_, name, inputs), subscription)
            self._judge(request, preview=preview)
            if preview:
                return Answer("", known(foreseen(request.inputs, self._outputs(request))))
        with self._write(kind, request.id, "create"):
            check_free(request)
            self._enforce(request)
            return self._store(request)

    def read(self, type_: str, id: str) -> Answer | None:
        kind = _kind(type_)
        with self._lock:
            found = self._world.find(id) or self._adopt(kind, id)
            if found is None or found.type_ != kind.token:
                return None
            return Answer(found.id, copy.deepcopy(dict(found.outputs)))

    def inputs_of(self, id: str) -> dict[str, Any]:
        """The inputs that a resource would have if it were imported now."""
        with self._lock:
            return copy.deepcopy(dict(self._existing(id).inputs))

    def update(self, type_: str, id: str, inputs: Mapping[str, Any], *, preview: bool = False) -> Answer:
        kind = _kind(type_)
        with self._lock:
            old = self._existing(id)
            named = self.named(type_, old.name, inputs, old.inputs)
            request = self._request(kind, named, arm.subscription_of(id), old)
            self._judge(request, preview=preview)
            if preview:
                # Only these two outputs are known to survive any update; the provider says so of no others.
                stable = {key: old.outputs[key] for key in ("name", "location") if key in old.outputs}
                return Answer(old.id, known(foreseen(request.inputs, self._outputs(request))) | stable)
        with self._write(kind, old.id, "update"):
            check_fixed(request, old)
            self._enforce(request)
            return self._store(request)

    def delete(self, type_: str, id: str) -> None:
        """Deletes a resource with what lies under it. Deleting what is gone already succeeds, as in ARM."""
        with self._write(_kind(type_), id, "delete"):
            found = self._world.find(id)
            if found is None:
                return
            check_locks(self._world, id, deleting=True)
            leaving = [found, *self._world.under(id)]
            for resource in leaving:
                check_unused(self._world, KINDS[resource.type_], resource, id)
            for resource in leaving:
                kind = KINDS[resource.type_]
                if kind.soft_deleted:
                    self._world.reserve(kind.arm_type, resource.name, resource.id)
            self._world.drop(id)

    def fail(self, type_: str, error: CloudError, times: int = 1) -> None:
        """Makes the next writes of a type fail, for tests of what a fault leaves behind."""
        self._traffic.fail(_token(type_), error, times)

    def delay(self, type_: str, seconds: float) -> None:
        """Makes writes of a type take time, for tests of what runs side by side."""
        self._traffic.delay(_token(type_), seconds)

    def disturb(self, disturbances: Iterable[Disturbance]) -> None:
        """Makes some writes fail from now on: what `rehearsal.faults` plans."""
        self._traffic.disturb(disturbances)

    def slow(self, delays: Mapping[str, float], operation: str = "create") -> None:
        """Makes writes take these seconds, by type: what `rehearsal.delays` knows."""
        self._traffic.slow(delays, operation)

    def rest(self, seconds: float = 60.0) -> bool:
        """Waits until what was asked for is done: a service goes on although nobody waits for its answer."""
        return self._traffic.rest(seconds)

    def calm(self) -> None:
        """Ends all disturbances and delays."""
        self._traffic.calm()

    @property
    def met(self) -> tuple[Met, ...]:
        """Every try that a disturbance has hit, in order."""
        return self._traffic.met

    def drift(self, id: str, path: str, value: Any) -> None:
        """Changes one property behind the program's back, as a person in the portal or the service would."""
        with self._lock:
            old = self._existing(id)
            kind = KINDS[old.type_]
            inputs = placed(old.inputs, path, value)
            self._store(self._request(kind, inputs, arm.subscription_of(id), old))

    def move(self, id: str, path: str, value: Any) -> None:
        """Changes one output that only the service sets, such as the patch version that a cluster runs."""
        with self._lock:
            old = self._existing(id)
            self._world.put(replace(old, outputs=placed(old.outputs, path, value)))

    def diff(self, type_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Diff:
        kind = _kind(type_)
        changes = tuple(judge(kind, path).at(path) for path in changed(olds, news))
        # The provider does so for whatever it has not named by itself (provider/pkg/provider/provider.go, Diff).
        return Diff(changes, delete_before_replace=any(change.replaces for change in changes))

    def invoke(self, token: str, args: Mapping[str, Any], *, subscription: str | None = None) -> dict[str, Any]:
        if token not in INVOKES:
            raise CloudError(
                "NotImplemented",
                f"the stand-in does not know the function {token}; add it to rehearsal/cloud/azure",
            )
        with self._lock:
            return INVOKES[token](self._world, args, self._subscription(subscription))

    def _subscription(self, given: str | None) -> str:
        known = sorted(self.estate.subscriptions)
        if given is None and len(known) != 1:
            raise CloudError("SubscriptionNotFound", f"no subscription given, and the estate has {len(known)}.")
        chosen = given if given is not None else known[0]
        if not self._world.knows_subscription(chosen):
            raise CloudError("SubscriptionNotFound", f"The subscription '{chosen}' could not be found.")
        return chosen

    def _request(
        self, kind: Kind, inputs: Mapping[str, Any], subscription: str | None, old: Resource | None = None
    ) -> Request:
        chosen = self._subscription(subscription)
        name = inputs.get(kind.name_input)
        return Request(
            kind=kind,
            id=kind.identify(inputs, chosen) if old is None else old.id,
            name=name if isinstance(name, str) else "unknown",
            subscription=chosen,
            inputs=inputs,
            world=self._world,
            old=old,
        )

    @contextmanager
    def _write(self, kind: Kind, id: str, operation: str) -> Iterator[None]:
        line = arm.parent_of(id).lower() if kind.one_at_a_time else None
        with self._traffic.write(kind.token, operation, id, line, kind.one_at_a_time), self._lock:
            yield

    def _judge(self, request: Request, *, preview: bool) -> None:
        """What can be said from the request alone."""
        if request.inputs.get(request.kind.name_input) is not UNKNOWN:
            check_name(request.kind.arm_type, request.name)
        check_shape(request)
        check_references(request, preview=preview)
        for rule in request.kind.shape:
            rule(request)

    def _enforce(self, request: Request) -> None:
        """What depends on what exists."""
        check_parents(request)
        check_locks(self._world, request.id, deleting=False)
        for rule in request.kind.world:
            rule(request)

    def _outputs(self, request: Request) -> dict[str, Any]:
        outputs = copy.deepcopy(dict(request.inputs))
        outputs |= {"name": request.name, "type": request.kind.arm_type}
        outputs |= identity_outputs(request)
        return outputs | request.kind.compute(request)

    def _store(self, request: Request) -> Answer:
        outputs = self._outputs(request)
        self._world.put(
            Resource(
                id=request.id,
                type_=request.kind.token,
                name=request.name,
                inputs=copy.deepcopy(dict(request.inputs)),
                outputs=outputs,
                implied=frozenset(value.lower() for value in request.kind.implies(request)),
                refers_to=frozenset(value.lower() for _, value in references(request.inputs)),
                principals=principals(outputs),
            )
        )
        return Answer(request.id, copy.deepcopy(outputs))

    def _adopt(self, kind: Kind, id: str) -> Resource | None:
        """What Azure made by itself gets its inputs when someone first asks for it."""
        inputs = kind.first(self._world, id)
        if inputs is not None:
            self._store(self._request(kind, inputs, arm.subscription_of(id)))
        return self._world.find(id)

    def _existing(self, id: str) -> Resource:
        found = self._world.find(id)
        if found is None:
            raise CloudError("ResourceNotFound", f"The Resource '{id}' was not found.")
        return found


def _token(type_: str) -> str:
    """A type whose writes can be made to fail or to take time."""
    return type_ if type_ in DELIVERY or type_ in OBJECTS else _kind(type_).token


def _kind(type_: str) -> Kind:
    kind = KINDS.get(type_)
    if kind is None:
        raise CloudError("NotImplemented", f"the stand-in does not know {type_}; add it to rehearsal/cloud/")
    return kind
