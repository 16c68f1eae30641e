"""Properties on the engine's wire come back as they went."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from rehearsal.cloud import UNKNOWN
from rehearsal.faces.wire import decode, encode

_SIGNATURE = rpc._special_sig_key
_SECRET = rpc._special_secret_sig


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(values)
    return message


def secret(value: Any) -> dict[str, Any]:
    return {_SIGNATURE: _SECRET, "value": value}


_SCALARS = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text("abc-é", max_size=8))
_KEYS = st.text("abcdefgh", min_size=1, max_size=4)
_FLAT = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3), st.dictionaries(_KEYS, _SCALARS, max_size=3))
_VALUES = st.one_of(_FLAT, st.lists(_FLAT, max_size=3), st.dictionaries(_KEYS, _FLAT, max_size=3))


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_plain_values_survive_the_wire(values: dict[str, Any]) -> None:
    assert decode(encode(values)).values == values


def test_secrets_are_open_inside_and_sealed_outside_at_any_depth() -> None:
    sent = struct({"a": secret("x"), "b": {"c": [1, secret({"d": "y"})]}, "e": "z"})
    seen = decode(sent)
    assert seen.values == {"a": "x", "b": {"c": [1, {"d": "y"}]}, "e": "z"}
    assert seen.secrets == {("a",), ("b", "c", 1)}
    assert json_format.MessageToDict(encode(seen.values, seen.secrets)) == json_format.MessageToDict(sent)


def test_unknown_values_survive_the_wire() -> None:
    sent = struct({"a": rpc.UNKNOWN, "b": [rpc.UNKNOWN]})
    assert decode(sent).values == {"a": UNKNOWN, "b": [UNKNOWN]}
    assert encode(decode(sent).values) == sent


def test_a_secret_that_is_unknown_stays_both() -> None:
    sent = struct({"a": secret(rpc.UNKNOWN)})
    seen = decode(sent)
    assert seen.values == {"a": UNKNOWN}
    assert encode(seen.values, seen.secrets) == sent


def test_assets_stay_the_marked_mappings_that_they_are() -> None:
    sent = struct({"file": {_SIGNATURE: rpc._special_asset_sig, "hash": "0", "text": "hello"}})
    assert encode(decode(sent).values) == sent


def test_null_is_absent_and_whole_numbers_are_integers() -> None:
    seen = decode(struct({"a": None, "b": 3.0, "c": 0.5})).values
    assert seen == {"b": 3, "c": 0.5}
    assert isinstance(seen["b"], int)
