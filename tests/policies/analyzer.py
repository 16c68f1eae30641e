"""The policy pack as a process of its own, spoken to as the engine does, on the SDK that it is made for.

The SDK stands in the pack's own environment, because it asks for another protobuf than the program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

import policies
from policies.model import UNKNOWN, Resource

PACK = Path(policies.__file__).parent
SDK = ".venv/lib/python*/site-packages/pulumi_policy"
MEND = "python -m venv policies/.venv && policies/.venv/bin/pip install -r policies/requirements.txt"
NOT_KNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's own mark of a text that is not known yet."""


def missing() -> str | None:
    """Why the pack cannot run, None if it can."""
    return None if any(PACK.glob(SDK)) else f"pulumi-policy is not installed: {MEND}"


def copied(to: Path, stack_files: Mapping[str, str]) -> Path:
    """The pack below a directory, with stack files beside it as they would be in a project."""
    pack = to / "policies"
    shutil.copytree(PACK, pack, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    (pack / ".venv").symlink_to(PACK / ".venv")
    for stack, content in stack_files.items():
        (to / f"Pulumi.{stack}.yaml").write_text(content, "utf-8")
    return pack


class Analyzer:
    """What the engine asks of a pack."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = analyzer_pb2_grpc.AnalyzerStub(channel)

    def policies(self) -> dict[str, analyzer_pb2.PolicyInfo]:
        return {one.name: one for one in self._stub.GetAnalyzerInfo(empty_pb2.Empty()).policies}

    def resource(self, urn: str, type_: str, properties: Mapping[str, Any]) -> analyzer_pb2.AnalyzeResponse:
        request = analyzer_pb2.AnalyzeRequest(
            urn=urn, type=type_, name=urn.rpartition("::")[2], properties=_struct(properties), options=_options(None)
        )
        response: analyzer_pb2.AnalyzeResponse = self._stub.Analyze(request)
        return response

    def stack(self, resources: Sequence[Resource]) -> analyzer_pb2.AnalyzeResponse:
        request = analyzer_pb2.AnalyzeStackRequest(resources=[_resource(one) for one in resources])
        response: analyzer_pb2.AnalyzeResponse = self._stub.AnalyzeStack(request)
        return response


@contextmanager
def running(pack: Path) -> Iterator[Analyzer]:
    """The pack, started as the engine starts it: in its own directory, told nothing but where the engine is."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHON"))}
    with subprocess.Popen(
        [pack / ".venv" / "bin" / "python", "-u", ".", "127.0.0.1:0"],
        cwd=pack,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            port = process.stdout.readline().strip()
            assert port.isdigit(), f"the pack says {port!r} instead of its port"
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
                yield Analyzer(channel)
        finally:
            process.terminate()


def _struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(_told(properties), struct_pb2.Struct())


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _told(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_told(one) for one in value]
    return NOT_KNOWN if value is UNKNOWN else value


def _options(resource: Resource | None) -> analyzer_pb2.AnalyzerResourceOptions:
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=bool(resource and resource.protect),
        deleteBeforeReplace=bool(resource and resource.delete_first),
        deleteBeforeReplaceDefined=bool(resource and resource.delete_first),
    )


def _resource(one: Resource) -> analyzer_pb2.AnalyzerResource:
    return analyzer_pb2.AnalyzerResource(
        urn=one.urn,
        type=one.type,
        name=one.name,
        properties=_struct(one.properties),
        options=_options(one),
        dependencies=sorted(one.after),
        propertyDependencies={
            key: analyzer_pb2.AnalyzerPropertyDependencies(urns=sorted(urns)) for key, urns in one.made_from.items()
        },
    )
