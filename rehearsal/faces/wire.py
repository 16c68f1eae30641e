"""Properties between the engine's protocol and plain values.

Secrets are opened on the way in, with their paths remembered, and sealed again at the same paths on the way
out. Unknown values become UNKNOWN. Assets, archives and references to resources stay the marked mappings
that they are on the wire, so that they come back as they went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc

from rehearsal.cloud import UNKNOWN
from rehearsal.cloud.values import leaves

Path: TypeAlias = tuple[str | int, ...]

_SIGNATURE: Final[str] = rpc._special_sig_key
_SECRET: Final[str] = rpc._special_secret_sig


@dataclass(frozen=True)
class Properties:
    """Plain values, and where the secrets among them are."""

    values: dict[str, Any]
    secrets: frozenset[Path]

    def secret_texts(self) -> Iterator[str]:
        """Every text that is a secret, or lies in one."""
        for path in self.secrets:
            if path[0] not in self.values:  # a secret null, which is as good as absent
                continue
            found: Any = self.values
            for key in path:
                found = found[key]
            yield from (leaf for _, leaf in leaves(found) if isinstance(leaf, str) and leaf)


def decode(struct: struct_pb2.Struct) -> Properties:
    secrets: set[Path] = set()
    values = {key: _open(value, (key,), secrets) for key, value in struct.fields.items()}
    return Properties({key: value for key, value in values.items() if value is not None}, frozenset(secrets))


def encode(values: Mapping[str, Any], secrets: frozenset[Path] = frozenset()) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({key: _seal(value, (key,), secrets) for key, value in values.items()})
    return struct


def integral(value: Any) -> Any:
    """Numbers travel as floats; a whole one is the integer that was meant."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _open(value: struct_pb2.Value, path: Path, secrets: set[Path]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    if kind == "number_value":
        return integral(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_open(child, (*path, index), secrets) for index, child in enumerate(value.list_value.values)]
    if kind != "struct_value":
        return None
    fields = value.struct_value.fields
    if _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET:
        secrets.add(path)
        return _open(fields["value"], path, secrets)
    return {key: _open(child, (*path, key), secrets) for key, child in fields.items()}


def _seal(value: Any, path: Path, secrets: frozenset[Path]) -> Any:
    if value is UNKNOWN:
        plain: Any = rpc.UNKNOWN
    elif isinstance(value, Mapping):
        plain = {str(key): _seal(child, (*path, str(key)), secrets) for key, child in value.items()}
    elif isinstance(value, (list, tuple)):
        plain = [_seal(child, (*path, index), secrets) for index, child in enumerate(value)]
    else:
        plain = value
    return {_SIGNATURE: _SECRET, "value": plain} if path in secrets else plain
