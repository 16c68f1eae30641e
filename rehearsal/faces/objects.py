"""The kubernetes package, as the engine's provider protocol asks for it.

Only translates, as `servicer` does. What differs: an object's id says nothing about its cluster, which the provider's
kubeconfig names, and refusals are the API server's own sentences.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2

from rehearsal.cloud import CloudError
from rehearsal.cloud.kubernetes.reaching import active_cluster
from rehearsal.faces.servicer import Provider, diff_response, type_and_name
from rehearsal.faces.wire import decode, encode


class ObjectProvider(Provider):
    """Serves the objects in the clusters."""

    def words(self, refusal: CloudError) -> str:
        return refusal.message

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Another cluster means other objects. Unless told which cluster it is, the provider judges by what the
        kubeconfig says of it, its certificate authority included."""
        response = super().DiffConfig(request, context)
        olds = decode(request.old_inputs if request.HasField("old_inputs") else request.olds).values
        news = decode(request.news).values
        key = "clusterIdentifier" if "clusterIdentifier" in news else "kubeconfig"
        before, after = olds.get(key), news.get(key)
        if key == "kubeconfig":
            before, after = active_cluster(before), active_cluster(after)
        # One that is sealed away (a state from elsewhere) says nothing of any cluster.
        if before is not None and before != after:
            response.replaces.append(key)
        return response

    def Check(self, request: Any, context: Any) -> Any:
        type_, name = type_and_name(request)
        news = decode(request.news)
        self._cloud.confide(news.secret_texts())
        with self._refusals(context):
            inputs = self._cloud.kubernetes.named(
                type_, name, news.values, decode(request.olds).values, salt=request.urn
            )
        return provider_pb2.CheckResponse(inputs=encode(inputs, news.secrets))

    def Diff(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        olds = decode(request.old_inputs if request.HasField("old_inputs") else request.olds).values
        news = decode(request.news).values
        with self._refusals(context):
            return diff_response(
                self._cloud.kubernetes.diff(type_, olds, news, self.configuration(context)), olds, news
            )

    def Create(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        news = decode(request.properties)
        with self._refusals(context):
            answer = self._cloud.kubernetes.create(
                type_, news.values, self.configuration(context), preview=request.preview
            )
        return provider_pb2.CreateResponse(id=answer.id, properties=encode(answer.outputs, news.secrets))

    def Read(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        secrets = decode(request.inputs).secrets | decode(request.properties).secrets
        configuration = self.configuration(context)
        with self._refusals(context):
            answer = self._cloud.kubernetes.read(type_, request.id, configuration)
            if answer is None:
                return provider_pb2.ReadResponse(id="")
            inputs = self._cloud.kubernetes.inputs_of(type_, request.id, configuration)
        return provider_pb2.ReadResponse(
            id=answer.id, properties=encode(answer.outputs, secrets), inputs=encode(inputs, secrets)
        )

    def Update(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        news = decode(request.news)
        with self._refusals(context):
            answer = self._cloud.kubernetes.update(
                type_, request.id, news.values, self.configuration(context), preview=request.preview
            )
        return provider_pb2.UpdateResponse(properties=encode(answer.outputs, news.secrets))

    def Delete(self, request: Any, context: Any) -> Any:
        type_, _ = type_and_name(request)
        with self._refusals(context):
            self._cloud.kubernetes.delete(type_, request.id, self.configuration(context))
        return empty_pb2.Empty()
