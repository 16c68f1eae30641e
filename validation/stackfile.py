"""One stack file, read as the engine reads it.

The engine's YAML is not PyYAML's: `on`, `yes` and `01:00` stay text, `1e3` is a number, a key given twice is
an error. Whoever saw other values than a real run would prove the wrong program, so the rules of the engine are stated
here (tried against its `config --json`).

Whoever reads it here has no key to encrypted values, and must not ask for one. Addresses of webhooks, the only settings
that are credentials, are stood in for, by one that changes when the encrypted text does; anything else that is
encrypted is refused.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml


class StackFileError(pulumi.RunError):
    """The file cannot be used; the message is whole, names the file and says how to mend it. Pulumi prints it without a
    traceback."""


class _EngineLoader(yaml.SafeLoader):
    """PyYAML with the engine's idea of what a plain scalar means."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own class attribute, emptied)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    legacy_octal = re.fullmatch(r"([-+]?)0([0-7]+)", text)
    return int(f"{legacy_octal[1]}0o{legacy_octal[2]}", 0) if legacy_octal else int(text, 0)


def _timestamp(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    """A date without quotes reaches the program as the engine's own print of it, which nobody wants: the
    settings then refuse it, here as in a real run."""
    value = loader.construct_yaml_timestamp(node)
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    return f"{value:%Y-%m-%d %H:%M:%S} +0000 UTC"


_PLAIN: Final = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7]*|[1-9][0-9_]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    (
        "timestamp",
        r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{1,2}:\d{2}:\d{2}(?:\.\d*)?[ \t]*(?:Z|[-+]\d{1,2}(?::?\d{2})?)?)?",
        list("0123456789"),
    ),
    ("merge", r"<<", ["<"]),
)
for _tag, _pattern, _first in _PLAIN:
    _EngineLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)
_EngineLoader.add_constructor("tag:yaml.org,2002:int", _integer)
_EngineLoader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)

_WEBHOOK: Final = re.compile(r"[^:]+:alerts\.webhooks\..+", re.DOTALL)


def read(path: Path) -> dict[str, Any]:
    """The `config` of one stack file.

    Raises:
        StackFileError: the file is empty, is not YAML, has no usable `config`, or holds encrypted values.
    """
    name = path.name
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=_EngineLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise StackFileError(f"{name}{where}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StackFileError(f"{name}: not valid YAML: {error}") from None
    if content is None:
        raise StackFileError(f"{name}: the file is empty. It needs a `config:` with the settings.")
    config = content.get("config") if isinstance(content, Mapping) else None
    if not isinstance(config, Mapping):
        raise StackFileError(
            f"{name}: `config:` is {'missing' if config is None else f'{config!r}'}. "
            "It must be a mapping of settings, such as `aks-cicd:tier: nonproduction`."
        )
    short = [str(key) for key in config if ":" not in str(key)]
    if short:
        raise StackFileError(
            f"{name}: {_names(short)} without the project's name. Write `aks-cicd:{short[0]}:`, as the engine demands."
        )
    opened = {str(key): _opened(str(key), value) for key, value in config.items()}
    encrypted = [key for key, value in opened.items() if _is_encrypted(value)]
    if encrypted:
        raise StackFileError(
            f"{name}: {_names(encrypted)} is encrypted (`secure:`), and a rehearsal has no key to it. "
            "Only an address in `alerts.webhooks` is a secret: write the others in plain text, or leave them out."
        )
    return opened


def _opened(path: str, value: Any) -> Any:
    """The value with a stand-in for each encrypted webhook; `path` is its key, as `aks-cicd:alerts.webhooks.teams`."""
    if _is_sealed(value):
        if not _WEBHOOK.fullmatch(path):
            return value
        return f"https://webhook.example/{hashlib.sha256(str(value['secure']).encode()).hexdigest()[:12]}"
    if isinstance(value, Mapping):
        return {key: _opened(f"{path}.{key}", inner) for key, inner in value.items()}
    return value


def _is_encrypted(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _is_sealed(value) or any(_is_encrypted(inner) for inner in value.values())
    return isinstance(value, list) and any(_is_encrypted(inner) for inner in value)


def _is_sealed(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"secure"}


def _names(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
