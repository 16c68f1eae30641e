"""The policy pack: every invariant of the design as a rule, judged on an export or by the engine.

    findings = policies.judge(export, exemptions, today)
    print(policies.render(findings))
    blocked = any(finding.blocks for finding in findings)

The engine runs the same rules by `pulumi preview --policy-pack policies` (`policies/__main__.py`). Rules are pure
functions; nothing here reads a clock, a cloud or the settings of the program.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

import policies.rules  # noqa: F401  (registers the rules)
from policies import judging, text
from policies.judging import Exemption, Finding
from policies.model import Stack
from policies.rule import Rule, registered
from policies.text import Style, unstyled

__all__ = ["RULES", "Exemption", "Finding", "Rule", "judge", "render"]

RULES: Final[Mapping[str, Rule]] = {rule.id: rule for rule in registered()}
"""All rules by id."""


def judge(export: Mapping[str, Any], exemptions: Sequence[Exemption], today: datetime.date) -> tuple[Finding, ...]:
    """What breaks a rule in an export as `pulumi stack export` writes it: what blocks first, what is allowed last."""
    return judging.judge(Stack.of_export(export), tuple(RULES.values()), exemptions, today)


def render(findings: Sequence[Finding], style: Style = unstyled) -> str:
    """The findings as text: a line that counts them, and some for each. `style` is that of a console."""
    return text.render(findings, RULES.values(), style)
