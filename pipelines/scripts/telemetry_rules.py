"""What the telemetry gate judges by: the alerts of the rule files, and what `telemetry_gate.yaml` adds to them.

What it does not do: it does not judge the files (the program does, and refuses to deploy a bad one), and it needs
nothing of the program's packages but PyYAML, because an agent has no more.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

RULES = Path(__file__).resolve().parents[2] / "components" / "observability" / "rules"
KNOWLEDGE = Path(__file__).with_name("telemetry_gate.yaml")


class RulesError(Exception):
    """Why the rules cannot be read, in one line for a person."""


@dataclass(frozen=True)
class Alert:
    name: str
    expression: str
    lasting: int
    """Seconds that the condition must hold: `for` of the rule file."""
    summary: str
    first_step: str

    @property
    def on_service_level(self) -> bool:
        """Whether it weighs requests against an objective; such an alert looks back over hours or days."""
        return "slo:" in self.expression


@dataclass(frozen=True)
class Budget:
    """Names of series that have one value for each job."""

    bad: str
    """Requests that count against the budget, per second."""
    all: str
    objective: str


@dataclass(frozen=True)
class Knowledge:
    not_judged: Mapping[str, str]
    """Why, by the alert's name."""
    must_be_there: Mapping[str, Sequence[str]]
    """Names of series by where they come from."""
    may_be_absent: Mapping[str, str]
    """Why, by the series' name."""
    budgets: Mapping[str, Budget]


def alerts(directory: Path = RULES) -> list[Alert]:
    """The alerts of all rule files. RulesError when there are none, or a file is no rule file."""
    yaml, durations = _yaml(), _durations()
    found = []
    for path in sorted(directory.glob("*.yaml")):
        try:
            groups = yaml.safe_load(path.read_text("utf-8"))["groups"]
            for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
                texts, lasting = rule["annotations"], durations.seconds(rule.get("for", "0s"))
                found.append(Alert(rule["alert"], rule["expr"].strip(), lasting, texts["summary"], texts["first_step"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            said = " ".join(str(error).split())
            raise RulesError(f"{path}: is not a rule file ({type(error).__name__}: {said}); mend it there") from None
    if not found:
        raise RulesError(f"{directory}: no alert in any *.yaml; --rules names the directory of the rule files")
    return found


def knowledge(path: Path = KNOWLEDGE) -> Knowledge:
    raw = _yaml().safe_load(path.read_text("utf-8"))
    budgets = {name: Budget(**each) for name, each in raw["budgets"].items()}
    return Knowledge(raw["not_judged"], raw["must_be_there"], raw["may_be_absent"], budgets)


def _yaml() -> ModuleType:
    try:
        import yaml
    except ImportError:
        wanted = "install pipelines/scripts/requirements.lock in a step before this one"
        raise RulesError(f"the package PyYAML is missing; {wanted}") from None
    return yaml


def _durations() -> ModuleType:
    """By its path: its package imports what an agent does not have."""
    spec = importlib.util.spec_from_file_location("durations", RULES.parent / "durations.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
