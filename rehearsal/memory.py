"""The stand-in cloud's state on disk: ``python -m rehearsal cloud show | set | delete | export``.

What a rehearsal leaves behind is there for the next one, so that refresh and drift are real, and can be looked at and
changed by hand meanwhile ("someone scaled the pool in the portal"). One file, replaced as a whole or not at all. It
holds the state as it is; what leaves it for a person's eyes is masked: what the engine calls secret, and what looks
like it.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from rehearsal.cloud import Cloud, CloudError, byhand
from rehearsal.cloud.byhand import ByHandError, Thing
from rehearsal.cloud.state import StateError
from rehearsal.errors import RehearsalError
from rehearsal.workspace import MARK

ROOT: Final = Path(__file__).resolve().parent.parent
PLACE: Final = Path("build") / "rehearsal" / "cloud.json"
"""Beside the engine's own state, because neither means anything without the other."""

MASK: Final = "[secret]"
_SECRET_KEY: Final = re.compile(
    r"(password|secret|secretvalue|token|connectionstring|kubeconfig|credential|privatekey|sharedkey|accesskey|"
    r"serviceprincipalkey|instrumentationkey|apikey|serviceuri|sastoken)$",
    re.IGNORECASE,
)
_SECRET_TEXT: Final = re.compile(
    r"-----BEGIN|(?:AccountKey|SharedAccessKey|InstrumentationKey|sig)=|\bBearer |://[^/\s:@]+:[^/\s@]+@"
)
_SHORT: Final = 8
"""A secret shorter than this is masked where it stands alone, not within other texts: it would be found everywhere."""


class StateFileError(RehearsalError):
    """The file cannot be used; the message says why, and the way out."""


def save(cloud: Cloud, path: Path) -> None:
    """Writes the state so that whoever reads meanwhile, or after a crash, finds the old or the new one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, json.dumps(cloud.dump(), indent=1) + "\n")


def recall(path: Path, fresh: Cloud | None = None) -> Cloud:
    """The cloud of the file, with what `fresh` expects to find there already; `fresh` itself where there is no file.

    Raises:
        StateFileError: no file (and no `fresh`), a broken one, one of another version, or one of another estate.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if fresh is not None:
            return fresh
        raise StateFileError(
            f"There is no stand-in cloud in {path} yet. A rehearsal makes it; or name another file with --file."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StateFileError(f"{path} cannot be read: {error}. {_way_out(path)}") from None
    try:
        cloud = Cloud.load(json.loads(text))
        if fresh is not None:
            cloud.admit(fresh.estate)
    except json.JSONDecodeError as error:
        raise StateFileError(f"{path} is broken (line {error.lineno}: {error.msg}). {_way_out(path)}") from None
    except StateError as error:
        raise StateFileError(f"{path} cannot be used: {error}. {_way_out(path)}") from None
    except ValueError as error:
        raise StateFileError(f"{path} is of another estate: {error}. {_way_out(path)}") from None
    return cloud


def _way_out(path: Path) -> str:
    if (path.parent / MARK).exists():
        return f"Begin anew: rm -r {path.parent} (the stand-in cloud, and the engine's state of it)."
    return "Name another file with --file."


def main(arguments: Sequence[str]) -> None:
    """The `cloud` door.

    Raises:
        RehearsalError: with a message for a person.
    """
    asked = _parser().parse_args(arguments)
    path: Path = asked.file
    try:
        if asked.what == "show":
            print(shown(recall(path), asked.pattern))
        elif asked.what == "export":
            export(recall(path), asked.to)
            print(f"Written to {asked.to}, secrets masked. Look through it before it leaves your hands.")
        else:
            with alone(path):
                cloud = recall(path)
                thing = byhand.one(cloud, asked.thing)
                done = _set(cloud, thing, asked) if asked.what == "set" else _delete(cloud, thing)
                save(cloud, path)
            print(done)
    except ByHandError as error:
        raise RehearsalError(str(error)) from None
    except CloudError as error:
        raise RehearsalError(f"the stand-in refuses, as the service would: {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal cloud", description="Shows and changes the stand-in cloud between two rehearsals."
    )
    parser.add_argument("--file", type=Path, default=ROOT / PLACE, help=f"the state (default: {PLACE})")
    doors = parser.add_subparsers(dest="what", required=True)
    show = doors.add_parser("show", help="what exists; one thing in full when only one matches")
    show.add_argument("pattern", nargs="?", default="", help="part of an id, name or type; * stands for anything")
    change = doors.add_parser("set", help="change a property past the program")
    change.add_argument("thing", help="its id or name")
    change.add_argument("path", help="the property, such as agentPoolProfiles[0].count")
    change.add_argument("value", help="as YAML: 5, true, text, [a, b]; null takes the property away")
    delete = doors.add_parser("delete", help="delete a thing past the program")
    delete.add_argument("thing", help="its id or name")
    export = doors.add_parser("export", help="write the state for a bug report, secrets masked")
    export.add_argument("to", type=Path, help="a file that does not exist yet")
    return parser


def shown(cloud: Cloud, pattern: str) -> str:
    """A line for each thing that matches; all of it where there is only one."""
    found = byhand.matching(cloud, pattern)
    if not found:
        return f"Nothing that exists has '{pattern}' in its id, name or type." if pattern else "Nothing exists yet."
    if len(found) == 1 and pattern:
        resource = found[0].resource
        whole = {
            "id": found[0].id,
            "type": resource.type_,
            "name": resource.name,
            "inputs": resource.inputs,
            "outputs": resource.outputs,
        }
        return yaml.safe_dump(masked(whole, cloud.confided), sort_keys=False, allow_unicode=True).rstrip()
    rows = [(_short(thing), thing.resource.name, thing.id) for thing in found]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{kind:<{widths[0]}}  {name:<{widths[1]}}  {id}" for kind, name, id in rows]
    return "\n".join([*lines, f"{len(found)} things."])


def export(cloud: Cloud, to: Path) -> None:
    """The state for somebody else to read.

    Raises:
        StateFileError: the file exists, or cannot be written.
    """
    if to.exists():
        raise StateFileError(f"{to} exists already. Name another file, or remove it.")
    state = {key: value for key, value in cloud.dump().items() if key != "secrets"}
    try:
        _replace(to, json.dumps({**masked(state, cloud.confided), "secrets": []}, indent=1) + "\n")
    except OSError as error:
        raise StateFileError(f"{to} cannot be written: {error.strerror}. Name another file.") from None


def masked(value: Any, confided: Collection[str], key: str = "") -> Any:
    """`value` without what is secret: known ones, what stands under a telling name, and what has a telling form."""
    if isinstance(value, Mapping):
        return {each: masked(child, confided, str(each)) for each, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(child, confided, key) for child in value]
    if not isinstance(value, str) or not value:
        return value
    if value in confided or _SECRET_KEY.search(key) or _SECRET_TEXT.search(value):
        return MASK
    for secret in sorted((each for each in confided if len(each) >= _SHORT), key=len, reverse=True):
        value = value.replace(secret, MASK)
    return value


def _set(cloud: Cloud, thing: Thing, asked: argparse.Namespace) -> str:
    try:
        value = yaml.safe_load(asked.value)
    except yaml.YAMLError as error:
        raise StateFileError(f"The value {asked.value!r} is not YAML: {error}. Quote it.") from None
    before = byhand.change(cloud, thing, asked.path, value)
    was, now = (json.dumps(masked(each, cloud.confided, asked.path.rsplit(".", 1)[-1])) for each in (before, value))
    return f"{thing.id}\n{asked.path}: {'absent' if before is None else was} → {now}"


def _delete(cloud: Cloud, thing: Thing) -> str:
    before = len(list(byhand.things(cloud)))
    byhand.delete(cloud, thing)
    more = before - len(list(byhand.things(cloud))) - 1
    return f"Deleted {thing.id}" + (f" and {more} things in it." if more else ".")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody rehearses in the same place until the block ends: what was changed would be written over."""
    mark = path.parent / MARK
    if not mark.exists():
        yield
        return
    with mark.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateFileError(f"A rehearsal is running in {path.parent}. Wait for its end.") from None
        yield


def _replace(path: Path, text: str) -> None:
    # Readable by its owner only, as temporary files are: the state holds what the engine seals.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _short(thing: Thing) -> str:
    return thing.resource.type_.rsplit(":", 1)[-1]


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RehearsalError as problem:
        sys.exit(f"error: {problem}")
