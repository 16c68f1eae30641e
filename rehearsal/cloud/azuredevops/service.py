"""The service itself: create, read, update, delete, diff and invoke over the kinds of Azure DevOps.

Ids are the service's own here, GUIDs and numbers, and say nothing about where a thing lies. One organisation: that of
the estate, or else that of the provider that was configured last.
"""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN, Answer, CloudError, Diff
from rehearsal.cloud.azuredevops.areas import INVOKES, KINDS
from rehearsal.cloud.azuredevops.kinds import PROJECT, DevOpsKind, Request, refuse_unless, same
from rehearsal.cloud.azuredevops.organization import Organization, check_links, same_url
from rehearsal.cloud.replacements import changed, declared
from rehearsal.cloud.shapes import snake_paths
from rehearsal.cloud.traffic import Traffic
from rehearsal.cloud.values import foreseen, guid, known
from rehearsal.cloud.world import Resource, World

_URL: Final = re.compile(
    r"https://(dev\.azure\.com/[A-Za-z0-9][A-Za-z0-9-]*|[A-Za-z0-9][A-Za-z0-9-]*\.visualstudio\.com)/?"
)


class DevOps:
    """The organisation of one tenant."""

    kinds: Mapping[str, DevOpsKind] = KINDS

    def __init__(self, world: World, lock: threading.RLock, traffic: Traffic) -> None:
        self._lock = lock
        self._traffic = traffic
        self._there = Organization(world)

    @property
    def resources(self) -> Mapping[tuple[str, str], Resource]:
        """What was made here and exists now, by type and id: a picture, which later changes do not alter."""
        with self._lock:
            made = {key: found for key, found in self._there.world.delivery.items() if key not in self._there.brought}
            return MappingProxyType(made)

    def admit(self) -> None:
        """Takes in what was added to the estate."""
        self._there.enter()

    @property
    def organization(self) -> Organization:
        """All that exists, for `rehearsal.cloud.state`."""
        return self._there

    def configure(self, configuration: Mapping[str, Any]) -> None:
        """Judges a provider's configuration: it must lead to the organisation."""
        url = configuration.get("orgServiceUrl")
        if url is UNKNOWN:
            return
        refuse_unless(bool(url), "InvalidConfiguration", "the url of the Azure DevOps is required")
        refuse_unless(
            isinstance(url, str) and _URL.fullmatch(url) is not None,
            "InvalidConfiguration",
            f"the url of the organisation is '{url}'; it is written as https://dev.azure.com/<organisation>",
        )
        with self._lock:
            home = self._there.world.estate.organization
            refuse_unless(
                not home or same_url(url, home), "ResourceNotFound", f"{url}: 404 Not Found; the organisation is {home}"
            )
            self._there.url = str(url).rstrip("/")

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
        """The inputs with a name: the given one, else that of before, else a made-up one where the provider does so."""
        kind = self._kind(type_)
        result = copy.deepcopy(dict(inputs))
        if kind.autonamed and kind.name_input is not None and result.get(kind.name_input) is None:
            made_up = f"{name}-{guid(salt, type_, name)[:7]}"
            result[kind.name_input] = (olds or {}).get(kind.name_input) or made_up
        return result

    def check(self, type_: str, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Problems that the provider itself sees before anything is sent: missing required inputs."""
        return [
            (key, f'Missing required argument. The argument "{key}" is required, but no definition was found.')
            for key in self._kind(type_).required
            if inputs.get(key) is None
        ]

    def create(
        self,
        type_: str,
        name: str,
        inputs: Mapping[str, Any],
        *,
        preview: bool = False,
        subscription: str | None = None,
    ) -> Answer:
        kind = self._kind(type_)
        with self._lock:
            request = self._request(kind, self.named(type_, name, inputs), name)
            self._judge(request)
            if preview:
                return Answer("", known(foreseen(request.inputs, self._outputs(request))))
        with self._traffic.write(kind.token, "create", request.id), self._lock:
            request = self._request(kind, request.inputs, name)
            self._enforce(request)
            answer = self._store(request)
            for brought in kind.brings(request):
                self._there.bring(brought)
            return answer

    def read(self, type_: str, id: str) -> Answer | None:
        self._kind(type_)
        with self._lock:
            found = self._there.find(type_, id)
            return Answer(found.id, copy.deepcopy(dict(found.outputs))) if found else None

    def inputs_of(self, type_: str, id: str) -> dict[str, Any]:
        """The inputs that a resource would have if it were imported now."""
        with self._lock:
            return copy.deepcopy(dict(self._existing(self._kind(type_), id).inputs))

    def update(self, type_: str, id: str, inputs: Mapping[str, Any], *, preview: bool = False) -> Answer:
        kind = self._kind(type_)
        with self._lock:
            old = self._existing(kind, id)
            request = self._request(kind, self.named(type_, old.name, inputs, old.inputs), old.name, old)
            self._judge(request)
            if preview:
                # What the service computed once it keeps, as far as anybody can tell.
                kept = {key: value for key, value in old.outputs.items() if key not in request.inputs}
                return Answer(old.id, known(foreseen(request.inputs, self._outputs(request))) | kept)
        with self._traffic.write(kind.token, "update", id), self._lock:
            self._enforce(request)
            return self._store(request)

    def delete(self, type_: str, id: str) -> None:
        """Deletes a resource. What is gone already is no error; what others use stays."""
        kind = self._kind(type_)
        with self._traffic.write(kind.token, "delete", id), self._lock:
            found = self._there.find(type_, id)
            if found is None:
                return
            for rule in kind.leaving:
                rule(self._there, found)
            for user in self._there.users_of(found, self.kinds):
                raise CloudError("InUse", f"{_called(found)} cannot be deleted while {_called(user)} uses it.")
            self._there.drop(found, *_address(kind, found.inputs, found.name))

    def drift(self, type_: str, id: str, inputs: Mapping[str, Any]) -> None:
        """Changes a resource behind the program's back, as a person in the portal would."""
        with self._lock:
            old = self._existing(self._kind(type_), id)
            self._store(self._request(self._kind(type_), {**old.inputs, **inputs}, old.name, old))

    def diff(self, type_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Diff:
        kind = self._kind(type_)
        changes = tuple(declared(type_, path, kind.force_new).at(path) for path in changed(olds, news))
        replaced = any(change.replaces for change in changes)
        # The provider makes the new one first only when the two can have different names.
        kept = kind.autonamed and olds.get(str(kind.name_input)) == news.get(str(kind.name_input))
        return Diff(changes, delete_before_replace=replaced and kept)

    def invoke(self, token: str, args: Mapping[str, Any], *, subscription: str | None = None) -> dict[str, Any]:
        if token not in INVOKES:
            raise CloudError(
                "NotImplemented",
                f"the stand-in does not know the function {token}; add it to rehearsal/cloud/azuredevops",
            )
        with self._lock:
            return INVOKES[token](self._there, args)

    def _kind(self, type_: str) -> DevOpsKind:
        kind = self.kinds.get(type_)
        if kind is None:
            where = "github" if type_.startswith("github:") else "azuredevops"
            raise CloudError("NotImplemented", f"the stand-in does not know {type_}; add it to rehearsal/cloud/{where}")
        return kind

    def _request(self, kind: DevOpsKind, inputs: Mapping[str, Any], name: str, old: Resource | None = None) -> Request:
        given = inputs.get(kind.name_input) if kind.name_input else None
        called = given if isinstance(given, str) else name
        request = Request(kind, old.id if old else "", called, inputs, self._there, old)
        if old is not None:
            return request
        new = kind.identify(request) if kind.identify else self._there.new_id(kind, *_address(kind, inputs, called))
        return Request(kind, new, called, inputs, self._there)

    def _judge(self, request: Request) -> None:
        """What can be said from the request alone."""
        for key, reason in self.check(request.kind.token, request.inputs):
            raise CloudError("MissingArgument", f"{key}: {reason}")
        for path in snake_paths(request.inputs, ""):
            raise CloudError("InvalidArgument", f"Invalid or unknown key '{path}': names are camelCase.")
        for rule in request.kind.shape:
            rule(request)

    def _enforce(self, request: Request) -> None:
        """What depends on what exists."""
        check_links(request)
        if request.kind.unique is not None:
            code, words = request.kind.unique
            for other in request.others():
                if same(other.name, request.name):
                    raise CloudError(code, words.format(name=request.name))
        for rule in request.kind.world:
            rule(request)

    def _outputs(self, request: Request) -> dict[str, Any]:
        outputs = {**request.kind.defaults, **copy.deepcopy(dict(request.inputs))}
        return outputs | request.kind.compute(request)

    def _store(self, request: Request) -> Answer:
        outputs = self._outputs(request)
        inputs = copy.deepcopy(dict(request.inputs))
        self._there.put(Resource(request.id, request.kind.token, request.name, inputs, outputs))
        return Answer(request.id, copy.deepcopy(outputs))

    def _existing(self, kind: DevOpsKind, id: str) -> Resource:
        found = self._there.find(kind.token, id)
        if found is None:
            raise CloudError("NotFound", f"{kind.token} {id} was not found.")
        return found


def _address(kind: DevOpsKind, inputs: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """What tells a resource from others of its kind; a GUID or a number is made from it."""
    if kind.name_input is not None:
        return (str(inputs.get("projectId", inputs.get("scope", ""))), str(inputs.get("path", "")), name)
    return (str(inputs.get("projectId", "")), *(f"{key}={inputs.get(key)}" for key in kind.force_new), name)


def _called(resource: Resource) -> str:
    word = resource.type_.rsplit(":", 1)[-1]
    return f"{word} '{resource.name}' ({resource.id})" if resource.type_ != PROJECT else f"project '{resource.name}'"
