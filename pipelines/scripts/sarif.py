"""SARIF 2.1.0, as scanners write it: what they found, and whether they say that they ran to their end.

It reads as a sceptic: a level that is unknown is the worst one, and what is missing is missing. What it does not do:
it does not decide (`scan_verdict` does), and it follows no reference to another file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

LEVELS = ("none", "note", "warning", "error")
"""From harmless to worst."""

_BY_SEVERITY = ((7.0, "error"), (4.0, "warning"), (0.0, "note"))
"""Scores of the property security-severity, from this one on: high and critical, medium, low."""

Json = Mapping[str, Any]


class SarifError(Exception):
    """Why a file cannot be read, in one line for a person."""


@dataclass(frozen=True)
class Finding:
    tool: str
    rule: str
    level: str
    where: str
    """`file:line`, as far as the tool tells it."""
    message: str
    suppressed: bool
    reason: str
    """Why it is suppressed; empty if nobody says."""

    @property
    def accepted(self) -> bool:
        return self.suppressed and bool(self.reason)

    def __str__(self) -> str:
        return f"{self.where}: {self.tool} {self.rule} ({self.level}): {self.message}"


@dataclass(frozen=True)
class Run:
    """One run of one tool."""

    tool: str
    names: frozenset[str]
    """What the tool is called, in the form of `plain_name`."""
    complaints: tuple[str, ...]
    """What speaks against its having run to its end, or well."""
    says_how_it_ended: bool
    findings: tuple[Finding, ...]


def plain_name(name: str) -> str:
    """So that `Template Analyzer` is `templateanalyzer`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read(path: Path) -> list[Run]:
    """The runs in a file. SarifError when it is no SARIF 2.1.0."""
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SarifError(f"{path.name}: cannot be read as JSON ({error}); the scanner did not finish it") from None
    version = content.get("version") if isinstance(content, dict) else None
    if version != "2.1.0":
        raise SarifError(f"{path.name}: version = {version!r}; allowed: SARIF 2.1.0")
    try:
        return [_run(each) for each in content["runs"]]
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise SarifError(f"{path.name}: is not SARIF ({type(error).__name__}: {error})") from None


def _run(run: Json) -> Run:
    driver = run["tool"]["driver"]
    tool = _line(str(driver["name"]))
    raw = (driver.get("properties") or {}).get("RawName")
    names = frozenset(plain_name(str(name)) for name in (tool, driver.get("fullName"), raw) if name)
    invocations = run.get("invocations") or []
    complaints = [*_complaints(invocations)]
    if not isinstance(run.get("results"), list):
        complaints.append("it has no list of results, so it did not run")
    findings = tuple(_findings(tool, run, run.get("results") or []))
    return Run(tool, names, tuple(complaints), bool(invocations), findings)


def _complaints(invocations: Sequence[Json]) -> Iterator[str]:
    for invocation in invocations:
        if invocation.get("executionSuccessful") is not True:
            told = invocation.get("exitCodeDescription") or invocation.get("processStartFailureMessage")
            code = f" (exit code {invocation['exitCode']})" if "exitCode" in invocation else ""
            yield f"it says that it did not succeed{code}" + (f": {_line(str(told))}" if told else "")
        for kind in ("toolExecutionNotifications", "toolConfigurationNotifications"):
            for note in invocation.get(kind) or []:
                if note.get("level", "warning") == "error":
                    yield f"it reports an error: {_message(note.get('message') or {}, {})}"


def _findings(tool: str, run: Json, results: Sequence[Json]) -> Iterator[Finding]:
    for result in results:
        # Other kinds are no findings: a rule that passed, one that did not apply. Absent: gone since the baseline.
        if result.get("kind", "fail") != "fail" or result.get("baselineState") == "absent":
            continue
        rule = _rule(run, result)
        name = result.get("ruleId") or (result.get("rule") or {}).get("id") or rule.get("id") or "?"
        suppressed, reason = _suppression(result.get("suppressions") or [])
        message = _message(result.get("message") or {}, rule.get("messageStrings") or {})
        yield Finding(tool, _line(str(name)), _level(result, rule), _where(run, result), message, suppressed, reason)


def _rule(run: Json, result: Json) -> Json:
    """What the tool says about the result's rule; empty if nothing."""
    reference = result.get("rule") or {}
    component = run["tool"]["driver"]
    if (at := (reference.get("toolComponent") or {}).get("index")) is not None and at >= 0:
        component = run["tool"]["extensions"][at]
    rules: Sequence[Json] = component.get("rules") or []
    index = result.get("ruleIndex", reference.get("index", -1))
    if 0 <= index < len(rules):
        return rules[index]
    name = str(result.get("ruleId") or reference.get("id") or "")
    components = [run["tool"]["driver"], *(run["tool"].get("extensions") or [])]
    by_id = {each.get("id"): each for component in reversed(components) for each in component.get("rules") or []}
    found: Json = by_id.get(name) or by_id.get(name.rpartition("/")[0]) or {}
    return found


def _level(result: Json, rule: Json) -> str:
    """The worst of what result, rule and score say."""
    said = result.get("level") or (rule.get("defaultConfiguration") or {}).get("level") or "warning"
    levels = [said if said in LEVELS else "error"]
    scores = ((each.get("properties") or {}).get("security-severity") for each in (result, rule))
    levels += [_scored(score) for score in scores if score is not None]
    return max(levels, key=LEVELS.index)


def _scored(score: object) -> str:
    try:
        value = float(str(score))
    except ValueError:
        return "error"
    return next((level for least, level in _BY_SEVERITY if value >= least), "error")


def _suppression(suppressions: Sequence[Json]) -> tuple[bool, str]:
    """Whether it is suppressed, as the standard has it, and why."""
    if not suppressions or any(each.get("status", "accepted") != "accepted" for each in suppressions):
        return False, ""
    return True, "; ".join(_line(str(each["justification"])) for each in suppressions if each.get("justification"))


def _where(run: Json, result: Json) -> str:
    location: Json = next(iter(result.get("locations") or []), {})
    physical = location.get("physicalLocation") or {}
    artifact = physical.get("artifactLocation") or {}
    uri = artifact.get("uri")
    if uri is None and artifact.get("index", -1) >= 0:
        uri = run["artifacts"][artifact["index"]]["location"]["uri"]
    if uri is not None:
        line = (physical.get("region") or {}).get("startLine")
        return _line(unquote(str(uri).removeprefix("file://"))) + (f":{line}" if line else "")
    logical: Json = next(iter(location.get("logicalLocations") or []), {})
    return _line(str(logical.get("fullyQualifiedName") or logical.get("name") or "no place"))


def _message(message: Json, strings: Mapping[str, Json]) -> str:
    text = message.get("text") or message.get("markdown")
    if not text and "id" in message:
        text = (strings.get(str(message["id"])) or {}).get("text")
    arguments = message.get("arguments") or []
    filled = re.sub(
        r"\{(\d+)\}",
        lambda match: str(arguments[int(match[1])]) if int(match[1]) < len(arguments) else match[0],
        str(text or "no message"),
    )
    return _line(filled)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:300] + "…"
