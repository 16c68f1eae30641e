"""docs/exceptions.md says what is true of both shipped environments, and is what the command makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import policies
from policies import exceptions
from policies.model import Stack
from policies.psrule import Answer, Demand, answers, references
from tests.conftest import ROOT, STACKS, Bootstrapped, Rehearsed

PAGE = Path("docs") / "exceptions.md"
BOOTSTRAP = "bootstrap"
ALL = (*STACKS, BOOTSTRAP)


@pytest.fixture(scope="module")
def stacks(rehearsed: Mapping[str, Rehearsed], bootstrapped: Bootstrapped) -> Mapping[str, Stack]:
    found = {stack: Stack.of_export(run.export) for stack, run in rehearsed.items()}
    return {**found, BOOTSTRAP: Stack.of_export(bootstrapped.export)}


def unmet(demand: Demand, stack: Stack) -> Iterator[str]:
    yield from (one.name for one in demand.meant(stack) if not demand.met(one))


def test_the_page_is_what_the_command_makes() -> None:
    """Mend: `python -m policies.exceptions > docs/exceptions.md`."""
    assert (ROOT / PAGE).read_text("utf-8") == exceptions.page()


@pytest.mark.parametrize("answer", answers().values(), ids=lambda answer: answer.rule)
def test_a_property_that_meets_a_rule_is_what_the_stacks_declare(answer: Answer, stacks: Mapping[str, Stack]) -> None:
    following = [stack for stack in ALL if answer.followed(stack)]
    for demand in answer.demands:
        assert not [(stack, name) for stack in following for name in unmet(demand, stacks[stack])], str(demand)
        assert not following or any(demand.meant(stacks[stack]) for stack in ALL), f"nothing is a {demand.type}"


@pytest.mark.parametrize(
    "answer", [one for one in answers().values() if one.excepted in (*ALL, "all")], ids=lambda answer: answer.rule
)
def test_an_exception_is_still_needed(answer: Answer, stacks: Mapping[str, Stack]) -> None:
    """Where the rule is met by now, the page says less than is true."""
    assert answer.demands, "an exception shows by a property that there is something to except"
    for stack in ALL if answer.excepted == "all" else (answer.excepted,):
        needed = any(
            [*unmet(demand, stacks[str(stack)])] or not demand.meant(stacks[str(stack)]) for demand in answer.demands
        )
        assert needed, stack


@pytest.mark.parametrize("answer", answers().values(), ids=lambda answer: answer.rule)
def test_every_rule_has_one_answer(answer: Answer) -> None:
    assert answer.silent or answer.rules or answer.demands
    assert not (answer.silent and (answer.rules or answer.demands or answer.excepted or answer.note))
    assert bool(answer.excepted) == bool(answer.reason)
    assert answer.excepted in (None, "all", "setting", *ALL)
    assert answer.severity in ("Critical", "Important", "Awareness")


def test_rules_of_the_pack_refer_to_rules_that_there_are() -> None:
    assert {name for rule in policies.RULES.values() for name in rule.psrule} <= set(answers())


def test_a_reference_names_rule_and_number() -> None:
    assert references(policies.RULES["registry-admin-user"]) == (
        "PSRule Azure.ACR.AdminUser (AZR-000005); CIS AKS 5.1.2"
    )
    assert references(policies.RULES["locks-last"]) == ""


def test_no_cell_breaks_the_table() -> None:
    rows = [line for line in exceptions.page().splitlines() if line.startswith("|")]
    widths = {line.replace("\\|", "").count("|") for line in rows}
    assert widths == {4, 5, 6}
