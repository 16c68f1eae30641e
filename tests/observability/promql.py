"""Reads PromQL as the metrics workspace would: does it parse, and are its series there?

Syntax is promtool's judgement, for all queries in one call: each becomes a recording rule of a file that nobody
keeps. Names are read here, by taking away whatever is no series: strings, labels, ranges, functions, words. What it
does not do: tell whether a label is ever there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from components.observability.prometheus_rules import load

HERE = Path(__file__).parent


def exported() -> dict[str, set[str]]:
    """Series that arrive by scraping, by the value of the label job; those of no fixed job under ""."""
    content = yaml.safe_load((HERE / "series.yaml").read_text(encoding="utf-8"))
    by_job = {job: set(names) for job, names in content["targets"].items()}
    return by_job | {"": {*content["workload"], *content["scrape"]}}


def recorded() -> set[str]:
    """Series that the rule files make."""
    return {rule.record for group in load() for rule in group.rules if rule.record}


def plain(text: str) -> str:
    """The query with Grafana's variables replaced by what they stand for."""
    text = re.sub(r"\$__(rate_)?interval\b|\$__range\b", "5m", text)
    return re.sub(r"\$\{?\w+(:\w+)?\}?", "x", text)


def missing() -> str | None:
    """Why promtool cannot run here, and how to mend it; None if it can."""
    return None if shutil.which("promtool") else "promtool is not installed: apt-get install prometheus"


def parse(queries: Mapping[str, str], directory: Path) -> list[str]:
    """One line for each query that does not parse; it begins with the query's name."""
    names = list(queries)
    rules = [{"record": f"query:{number}", "expr": plain(queries[name])} for number, name in enumerate(names)]
    file = directory / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    said = done.stdout + done.stderr
    found = re.findall(r'rule (\d+), "query:\d+": could not parse expression: (.*)', said)
    assert found or done.returncode == 0, said
    return [f"{names[int(number) - 1]}: {reason}" for number, reason in found]


_NOISE = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`"
    r"|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|#[^\n]*"
)
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)?\s*\{([^}]*)\}|([A-Za-z_:][\w:]*)(?![\w:])(?!\s*\()")
_NUMBER = re.compile(r"(?<![\w:])\d[\w.]*")
_WORDS = ("and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "start", "end", "group_left", "group_right")


def selectors(text: str) -> list[tuple[str, str]]:
    """Every series that the query reads, with the job that it asks for: "" for none or a pattern."""
    text = plain(text)
    jobs = re.sub(r"\bjob\s*=\s*\"([^\"]*)\"", r"job@\1@", text)
    code = _NUMBER.sub(" ", _NOISE.sub(" ", re.sub(r"@([\w-]*)@", lambda match: f"@{_safe(match[1])}@", jobs)))
    found = []
    for match in _SELECTOR.finditer(code):
        name = match[1] or match[3] or ""
        if name.lower() in _WORDS:
            continue
        job = re.search(r"job@(\w*)@", match[2] or "")
        found.append((name, job[1].replace("__", "-") if job else ""))
    return found


def _safe(job: str) -> str:
    return job.replace("-", "__")


def unknown(text: str, scraped: Mapping[str, set[str]], made: set[str]) -> list[str]:
    """What the query reads although nobody exports or records it, or does so under another job."""
    problems = []
    for name, job in selectors(text):
        homes = [home for home, names in scraped.items() if name in names]
        if not name:
            problems.append("a selector without the name of a series")
        elif not homes and name not in made:
            problems.append(f"no such series: {name}")
        elif homes and job in scraped and job and job not in homes:
            problems.append(f"{name} is exported by the job {', '.join(homes)}, not {job}")
    return problems
