"""The stand-in as mocks, for unit tests that run a program without an engine.

Mocks run no transforms, no checks and no diffs, and they know no providers apart from their ids: a test of
those things needs the engine and `rehearsal.faces.providers`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime import rpc, settings

from rehearsal.cloud import UNKNOWN, Cloud, CloudError
from rehearsal.cloud.values import guid
from rehearsal.faces.servicer import Service
from rehearsal.faces.wire import integral

_STACK_REFERENCE = "pulumi:pulumi:StackReference"
_PROVIDER = "pulumi:providers:"
_OBJECT = "kubernetes:"
_DELIVERY = ("azuredevops:", "github:")


class CloudMocks(pulumi.runtime.Mocks):
    """Answers registrations and calls from one cloud.

    `stacks` are the outputs that a stack reference may read, by fully qualified stack name. `subscription` is
    where resources go that have no provider of their own; it may be left out where the estate has one only.
    `registered` holds every registration in order, components included, for tests to look at.
    """

    def __init__(
        self, cloud: Cloud, stacks: Mapping[str, Mapping[str, Any]] | None = None, subscription: str | None = None
    ) -> None:
        self.cloud = cloud
        self._default = subscription
        self.stacks = dict(stacks or {})
        self.registered: list[pulumi.runtime.MockResourceArgs] = []
        self._configurations: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = _plain(args.inputs)
        self.registered.append(args)
        if args.typ == _STACK_REFERENCE:
            return self._stack(str(inputs.get("name", args.name)))
        if args.typ.startswith(_PROVIDER):
            return self._provider(args, inputs)
        if args.custom is False:
            return "", inputs
        if args.typ.startswith(_OBJECT):
            return self._object(args, inputs)
        service = self._service(args.typ)
        if args.resource_id:
            found = service.read(args.typ, args.resource_id)
            if found is None:
                raise CloudError("ResourceNotFound", f"The Resource '{args.resource_id}' was not found.")
            return found.id, found.outputs
        answer = service.create(
            args.typ,
            args.name,
            inputs,
            preview=settings.is_dry_run(),
            subscription=self._subscription(args.provider),
        )
        return answer.id, _wire(answer.outputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        subscription = self._subscription(args.provider)
        return self._service(args.token).invoke(args.token, _plain(args.args), subscription=subscription), []

    def _service(self, token: str) -> Service:
        return self.cloud.devops if token.startswith(_DELIVERY) else self.cloud

    def _stack(self, name: str) -> tuple[str, dict[str, Any]]:
        if name not in self.stacks:
            known = ", ".join(sorted(self.stacks)) or "none"
            raise CloudError("StackNotFound", f"no stack named '{name}' was given to the mocks; given are: {known}.")
        return name, {
            "name": name,
            "outputs": copy.deepcopy(dict(self.stacks[name])),
            "secretOutputNames": [],
        }

    def _provider(self, args: pulumi.runtime.MockResourceArgs, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        id = guid(args.typ, args.name)
        if args.typ == f"{_PROVIDER}azuredevops":
            self.cloud.devops.configure(inputs)
        elif args.typ == f"{_PROVIDER}github":
            self.cloud.devops.configure_github(inputs)
        self._configurations[id] = inputs
        return id, _wire(inputs)

    def _object(self, args: pulumi.runtime.MockResourceArgs, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """What lives in a cluster, which the provider's kubeconfig names."""
        servers, configuration = self.cloud.kubernetes, self._configuration(args.provider)
        if args.resource_id:
            found = servers.read(args.typ, args.resource_id, configuration)
            if found is None:
                raise CloudError("NotFound", f"{args.typ} '{args.resource_id}' was not found.")
            return found.id, found.outputs
        named = servers.named(args.typ, args.name, inputs)
        answer = servers.create(args.typ, named, configuration, preview=settings.is_dry_run())
        return answer.id, _wire(answer.outputs)

    def _configuration(self, provider: str | None) -> dict[str, Any]:
        # A provider reference is its URN and its id, joined by "::".
        return self._configurations.get((provider or "").rsplit("::", 1)[-1], {})

    def _subscription(self, provider: str | None) -> str | None:
        subscription = self._configuration(provider).get("subscriptionId")
        return subscription if isinstance(subscription, str) else self._default


def _plain(value: Any) -> Any:
    """Inputs as the model takes them: secrets opened, unknowns named, whole numbers whole."""
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(child) for child in value]
    return integral(value)


def _wire(value: Any) -> Any:
    if value is UNKNOWN:
        return rpc.UNKNOWN
    if isinstance(value, Mapping):
        return {key: _wire(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_wire(child) for child in value]
    return value
