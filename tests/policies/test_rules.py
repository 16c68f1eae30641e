"""Each rule lets pass what it should and finds what it should, and says so in these words."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import policies
from policies.judging import breaches
from policies.model import UNKNOWN, NotKnownError, Resource, Stack
from policies.rule import ResourceRule, StackRule
from tests.policies.cases import ResourceCase, StackCase, resource_cases, stack_cases

RESOURCES, STACKS = resource_cases(), stack_cases()


def check(case: ResourceCase, properties: Mapping[str, Any]) -> list[str]:
    """What a rule finds in a resource, asked as it is asked in earnest: only about the kinds that it judges."""
    rule = policies.RULES[case.rule]
    assert isinstance(rule, ResourceRule)
    urn = f"urn:pulumi:test::aks-cicd::{case.type}::one"
    return [words for _, words in breaches(rule, Stack([Resource(urn, case.type, properties, properties)]))]


def found(case: StackCase, stack: Stack) -> dict[str, list[str]]:
    rule = policies.RULES[case.rule]
    assert isinstance(rule, StackRule)
    said: dict[str, list[str]] = {}
    for resource, words in rule.check(stack):
        said.setdefault(resource.name, []).append(words)
    return said


@pytest.mark.parametrize("case", RESOURCES, ids=str)
def test_a_rule_about_a_resource_finds_exactly_this(case: ResourceCase) -> None:
    assert check(case, case.properties) == list(case.says)


@pytest.mark.parametrize("case", STACKS, ids=str)
def test_a_rule_about_a_stack_finds_exactly_this(case: StackCase) -> None:
    assert found(case, case.stack()) == {name: list(words) for name, words in case.says.items()}


@pytest.mark.parametrize("case", STACKS, ids=str)
def test_what_hangs_together_is_found_without_ids_too(case: StackCase) -> None:
    """The engine tells a policy pack no ids."""
    assert found(case, case.stack(ids=False)) == {name: list(words) for name, words in case.says.items()}


def test_every_rule_has_a_case_that_passes_and_one_that_fails() -> None:
    cases: list[ResourceCase | StackCase] = [*RESOURCES, *STACKS]
    assert {case.rule for case in cases if case.says} == set(policies.RULES)
    assert {case.rule for case in cases if not case.says} == set(policies.RULES)


def test_every_kind_that_a_rule_names_has_a_case() -> None:
    """A misspelt kind would make a rule judge nothing."""
    for rule in policies.RULES.values():
        if isinstance(rule, ResourceRule):
            types = {case.type for case in RESOURCES if case.rule == rule.id}
            missing = [kind for kind in rule.kinds if not any(_only(rule, kind).judges(type_) for type_ in types)]
            assert not missing, f"{rule.id}: {missing}"


def _only(rule: ResourceRule, kind: str) -> ResourceRule:
    return ResourceRule(rule.id, rule.severity, rule.reason, rule.remedy, kinds=(kind,))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of the values that hold no other."""
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    children = [leaf for key, one in inner for leaf in leaves(one, (*path, key))]
    yield from children or [path]


def without_knowing(properties: Mapping[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(dict(properties))
    node: Any = changed
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = UNKNOWN
    return changed


@pytest.mark.parametrize("case", [case for case in RESOURCES if not case.says], ids=str)
def test_nothing_is_found_in_what_is_not_known_yet(case: ResourceCase) -> None:
    """A value that the cloud has yet to give is no breach."""
    for path in leaves(case.properties):
        if path:
            assert check(case, without_knowing(case.properties, path)) == [], path


@pytest.mark.parametrize("case", [case for case in STACKS if not case.says], ids=str)
def test_nothing_is_found_in_a_stack_of_which_something_is_not_known_yet(case: StackCase) -> None:
    stack = case.stack(ids=False)
    for resource in stack.resources:
        for path in leaves(resource.properties):
            others = [one for one in stack.resources if one is not resource]
            changed = Resource(
                resource.urn,
                resource.type,
                without_knowing(resource.properties, path),
                protect=resource.protect,
                delete_first=resource.delete_first,
                after=resource.after,
                made_from=resource.made_from,
            )
            try:
                assert found(case, Stack([*others, changed])) == {}, (resource.name, path)
            except NotKnownError:
                continue


@pytest.mark.parametrize("rule", policies.RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_says_why_and_how_to_mend_it(rule: policies.Rule) -> None:
    for text in (rule.reason, rule.remedy):
        assert text[:1].isupper() or text.startswith("aks-cicd:")
        assert text.endswith(".")
        assert len(text) < 130
    assert rule.id == rule.id.lower()
    assert rule.severity in ("mandatory", "advisory")
