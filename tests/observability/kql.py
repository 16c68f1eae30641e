"""Reads KQL as the workspace would: does it parse, and are its tables, columns and functions there?

Two checks. `parse` asks Microsoft's own parser (npm `@kusto/language-service-next`, run by node in one process for
all queries) and knows types and functions too; where node or the package is missing, `missing()` says so. `light`
needs nothing: it looks at brackets, tables and columns only, and is strict about the names it understands.

Both judge by the same tables: `tables.yaml` beside this file, and the run records' own table. What they do not do:
tell whether a table is ever filled.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATA = ROOT / "components" / "observability" / "data"

PACKAGE = "@kusto/language-service-next@12.4.1"
TOOLS = ROOT / ".tools" / "kql"
MODULE = TOOLS / "node_modules" / "@kusto" / "language-service-next"

Tables = Mapping[str, Mapping[str, str]]
"""Table to column to type."""


def tables() -> dict[str, dict[str, str]]:
    """What the workspace holds: Azure's tables as far as they are read here, and the run records."""
    azure = yaml.safe_load((HERE / "tables.yaml").read_text(encoding="utf-8"))["tables"]
    record = yaml.safe_load((DATA / "run_record.yaml").read_text(encoding="utf-8"))
    own = {column["name"]: column["type"] for column in record["columns"]}
    return {name: dict(columns) for name, columns in azure.items()} | {record["table"]: own}


_PLACEHOLDERS = {"network": '["10.20.0.0/16"]', "gate_hours": "24"}
"""What the program puts into the queries of log alerts, and an example of it."""


def plain(text: str) -> str:
    """The query with Grafana's macros and variables, and the program's own, replaced by what they stand for."""
    text = re.sub(r"\$\{(\w+)\}", lambda match: _PLACEHOLDERS.get(match[1], match[0]), text)
    text = re.sub(r"\$__timeFilter\((\w*)\)", lambda match: f"{match[1] or 'TimeGenerated'} > ago(1d)", text)
    text = re.sub(r"\$__interval\b|\$\{__interval\}", "1h", text)
    return re.sub(r"\$\{?\w+(:\w+)?\}?", '"x"', text)


def missing() -> str | None:
    """Why the real parser cannot run here, and how to mend it; None if it can."""
    if not shutil.which("node"):
        return "node is not installed: apt-get install nodejs npm"
    if not MODULE.is_dir():
        return f"the KQL parser is not installed: npm install --prefix {TOOLS.relative_to(ROOT)} {PACKAGE}"
    return None


def parse(queries: Mapping[str, str], known: Tables) -> list[str]:
    """One line for each query that does not hold, by the real parser; it begins with the query's name."""
    asked = {
        "module": str(MODULE),
        "tables": known,
        "queries": {name: plain(text) for name, text in queries.items()},
    }
    done = subprocess.run(
        ["node", str(HERE / "kql_check.js")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, str] = json.loads(done.stdout)
    return [f"{name}: {said}" for name, said in answers.items()]


_NOISE = re.compile(r"//[^\n]*|@?\"(?:[^\"\\\n]|\\.)*\"|@?'(?:[^'\\\n]|\\.)*'")
_TABLE = re.compile(
    r"(?:(?:^|;)(?!\s*let\b)|\blet\s+\w+\s*=|\b(?:join|lookup|union)\b[^|(]*\(|\bunion\b(?:\s+\w+\s*=\s*\w+)*)\s*"
    r"(?!\d)(\w+)\b(?!\s*\()"
)
_DECLARED = re.compile(r"\b(\w+)\s*=(?![=~])")
_TOKEN = re.compile(r"\d+\w*|[A-Za-z_]\w*|\S")
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        and asc between by contains count desc distinct endswith extend false first from has has_all has_any hasprefix
        hassuffix in inner invoke join kind last leftanti leftouter leftsemi let limit lookup matches nulls of on or
        order parse project away keep rename reorder regex render rightouter sample search serialize sort startswith
        step summarize take to top true union where with mv expand
        """,
    )
)


def light(text: str, known: Tables) -> list[str]:
    """What is wrong by a look at brackets and names alone, at most one line of each kind."""
    code = _NOISE.sub('""', plain(text)).strip()
    if said := _brackets(code):
        return [said]
    if re.search(r"\|\s*(\||$)|^\||[=(,]\s*$", code):
        return ["an operator or an operand is missing"]
    lets = set(re.findall(r"\blet\s+(\w+)", code))
    read = [name for name in _TABLE.findall(code) if name not in lets]
    if unknown := [name for name in read if name not in known]:
        return [f"no such table: {', '.join(unknown)}; known: {', '.join(sorted(known))}"]
    columns = {column for name in read for column in known[name]}
    names = columns | lets | set(read) | set(_DECLARED.findall(code)) | _WORDS
    tokens = _TOKEN.findall(code)
    strange = [
        token
        for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
        if re.fullmatch(r"[A-Za-z_]\w*", token) and before != "." and after != "(" and token.strip("!") not in names
    ]
    if strange:
        return [
            f"no such column: {', '.join(dict.fromkeys(strange))}; in {', '.join(read)}: {', '.join(sorted(columns))}"
        ]
    return []


def _brackets(code: str) -> str | None:
    open_: list[str] = []
    pairs = {")": "(", "]": "[", "}": "{"}
    for letter in code:
        if letter in pairs.values():
            open_.append(letter)
        elif letter in pairs and (not open_ or open_.pop() != pairs[letter]):
            return f"a {letter} closes nothing"
    return f"a {open_[-1]} is never closed" if open_ else None
