"""One package of the stand-in, as the engine's provider protocol asks for it.

Only translates: requests to calls of the cloud, refusals to gRPC errors with a text like the provider's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from typing import Any, Final, NoReturn, Protocol

import grpc
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from rehearsal.cloud import Answer, Cloud, CloudError, Diff, GoneError, UnansweredError
from rehearsal.cloud.values import lookup
from rehearsal.faces.wire import decode, encode

_DISTRIBUTIONS: Final = {
    "azure-native": "pulumi-azure-native",
    "azuredevops": "pulumi-azuredevops",
    "github": "pulumi-github",
    "kubernetes": "pulumi-kubernetes",
}
_KIND: Final = provider_pb2.PropertyDiff


class Service(Protocol):
    """Who answers: the cloud, or a service of it that has resources of its own."""

    def named(
        self,
        type_: str,
        name: str,
        inputs: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
        *,
        salt: str = "",
        location: str | None = None,
    ) -> dict[str, Any]: ...

    def check(self, type_: str, inputs: Mapping[str, Any]) -> list[tuple[str, str]]: ...

    def diff(self, type_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Diff: ...

    def create(
        self,
        type_: str,
        name: str,
        inputs: Mapping[str, Any],
        *,
        preview: bool = False,
        subscription: str | None = None,
    ) -> Answer: ...

    def read(self, type_: str, id: str) -> Answer | None: ...

    def update(self, type_: str, id: str, inputs: Mapping[str, Any], *, preview: bool = False) -> Answer: ...

    def delete(self, type_: str, id: str) -> None: ...

    def invoke(self, token: str, args: Mapping[str, Any], *, subscription: str | None = None) -> dict[str, Any]: ...


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one package to all provider instances of an engine; each has a connection of its own."""

    def __init__(self, package: str, cloud: Cloud, service: Service | None = None) -> None:
        self._package = package
        self._cloud = cloud
        self._service = service or cloud
        self._configurations: dict[str, dict[str, Any]] = {}
        self._latest: dict[str, Any] = {}
        self._gone: GoneError | None = None

    def Handshake(self, request: Any, context: Any) -> Any:
        self._gone = None  # another run of the engine, which would have started the provider anew
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=metadata.version(_DISTRIBUTIONS[self._package]))

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        olds = request.old_inputs if request.HasField("old_inputs") else request.olds
        same = decode(olds).values == decode(request.news).values
        changes = provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=changes)

    def Configure(self, request: Any, context: Any) -> Any:
        given = {key.rsplit(":", 1)[-1]: value for key, value in request.variables.items()}
        given |= decode(request.args).values
        self._configurations[context.peer()] = self._latest = given
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=False
        )

    def Check(self, request: Any, context: Any) -> Any:
        type_, name = type_and_name(request)
        news = decode(request.news)
        self._cloud.confide(news.secret_texts())
        with self._refusals(context):
            olds = decode(request.olds).values
            inputs = self._service.named(
                type_,
                name,
                news.values,
                olds,
                salt=request.urn,
                location=self.configuration(context).get("location"),
            )
            problems = self._service.check(type_, inputs)
        failures = [provider_pb2.CheckFailure(property=key, reason=reason) for key, reason in problems]
        return provider_pb2.CheckResponse(inputs=encode(inputs, news.secrets), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        olds = decode(request.old_inputs if request.HasField("old_inputs") else request.olds).values
        news = decode(request.news).values
        with self._refusals(context):
            return diff_response(self._service.diff(type_, olds, news), olds, news)

    def Create(self, request: Any, context: Any) -> Any:
        type_, name = type_and_name(request)
        news = decode(request.properties)
        with self._refusals(context, request, request.properties):
            answer = self._service.create(
                type_, name, news.values, preview=request.preview, subscription=self._subscription(context)
            )
        return provider_pb2.CreateResponse(id=answer.id, properties=encode(answer.outputs, news.secrets))

    def Read(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        secrets = decode(request.inputs).secrets | decode(request.properties).secrets
        with self._refusals(context):
            answer = self._service.read(type_, request.id)
            if answer is None:
                return provider_pb2.ReadResponse(id="")
            inputs = self.inputs_of(type_, answer.id)
        return provider_pb2.ReadResponse(
            id=answer.id, properties=encode(answer.outputs, secrets), inputs=encode(inputs, secrets)
        )

    def Update(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        news = decode(request.news)
        with self._refusals(context, request, request.news):
            answer = self._service.update(type_, request.id, news.values, preview=request.preview)
        return provider_pb2.UpdateResponse(properties=encode(answer.outputs, news.secrets))

    def Delete(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        with self._refusals(context):
            self._service.delete(type_, request.id)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        args = decode(request.args)
        with self._refusals(context):
            result = self._service.invoke(request.tok, args.values, subscription=self._subscription(context))
        return provider_pb2.InvokeResponse(**{"return": encode(result)})

    def configuration(self, context: Any) -> dict[str, Any]:
        return self._configurations.get(context.peer(), self._latest)

    def inputs_of(self, type_: str, id: str) -> dict[str, Any]:
        return self._cloud.inputs_of(id)

    def words(self, refusal: CloudError) -> str:
        """How the provider tells a refusal."""
        return f'Code="{refusal.code}" Message="{refusal.message}"'

    @contextmanager
    def _refusals(self, context: Any, request: Any = None, properties: Any = None) -> Iterator[None]:
        """Refusals as the engine hears them. `request` is a create or update with its properties: the answer may be
        lost, and yet the engine must know how far it came."""
        try:
            if self._gone is not None:
                raise self._gone
            yield
        except GoneError as gone:
            self._gone = gone
            context.abort(grpc.StatusCode.UNAVAILABLE, gone.message)
        except UnansweredError as lost:
            if request is not None:
                self._tell_how_far(context, lost, request, properties)
            _abort(context.abort, self.words(lost))
        except CloudError as refusal:
            _abort(context.abort, self.words(refusal))

    def _tell_how_far(self, context: Any, lost: UnansweredError, request: Any, properties: Any) -> None:
        """What azure-native does when an operation that has begun does not end: it reads what is there and gives that
        along with the error, so that the engine knows of the resource."""
        found = self._service.read(type_and_name(request)[0], lost.id)
        if found is None:
            return
        detail = provider_pb2.ErrorResourceInitFailed(
            id=found.id,
            properties=encode(found.outputs, decode(properties).secrets),
            reasons=[self.words(lost)],
            inputs=properties,
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=self.words(lost))
        status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))

    def _subscription(self, context: Any) -> str | None:
        value = self.configuration(context).get("subscriptionId")
        return value if isinstance(value, str) and value else None


def type_and_name(request: Any) -> tuple[str, str]:
    """The type and logical name; engines before protocol additions send them in the URN only."""
    _, _, types, name = str(request.urn).removeprefix("urn:pulumi:").split("::", 3)
    return types.rsplit("$", 1)[-1], name


def diff_response(diff: Diff, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Any:
    response = provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if diff.changes else provider_pb2.DiffResponse.DIFF_NONE,
        hasDetailedDiff=True,
        deleteBeforeReplace=diff.delete_before_replace,
    )
    for change in diff.changes:
        root = change.path.split(".")[0].split("[")[0]
        kind = _kind(lookup(olds, root), lookup(news, root), change.path == root)
        response.detailedDiff[change.path].kind = _REPLACING[kind] if change.replaces else kind
        response.detailedDiff[change.path].inputDiff = True
        if root not in response.diffs:
            response.diffs.append(root)
        if change.replaces and root not in response.replaces:
            response.replaces.append(root)
    return response


def _kind(old: Any, new: Any, whole: bool) -> Any:
    if whole and old is None:
        return _KIND.ADD
    if whole and new is None:
        return _KIND.DELETE
    return _KIND.UPDATE


_REPLACING: Final = {
    _KIND.ADD: _KIND.ADD_REPLACE,
    _KIND.DELETE: _KIND.DELETE_REPLACE,
    _KIND.UPDATE: _KIND.UPDATE_REPLACE,
}


def _abort(abort: Callable[[Any, str], NoReturn], words: str) -> NoReturn:
    abort(grpc.StatusCode.UNKNOWN, words)
