"""The pack as the engine runs it: `pulumi preview --policy-pack policies`.

Once, its environment is made: `pulumi install` in this directory, or

    python -m venv policies/.venv && policies/.venv/bin/pip install -r policies/requirements.txt

The rules are those of `make preview`; this is only the way in. Rules of resources see what the program declares, rules
of stacks what the engine knows of all resources, which in a first preview is not everything: a rule that cannot be
judged yet says so, and is judged in the update.

Exceptions come from the stack file beside the pack, because the engine does not hand the settings to a pack in every
version; the stack's name stands in each URN. That one allows nothing any more, `make preview` alone tells: here no
rule sees the findings of the others.
"""

from __future__ import annotations

import datetime
import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pulumi_policy import (  # type: ignore[import-not-found]  # in the pack's own environment
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError  # type: ignore[import-not-found]

HERE = Path(__file__).resolve().parent
# The engine starts this directory, so that Python would look for modules in it and not beside it.
sys.path.insert(0, str(HERE.parent))

from policies import RULES  # noqa: E402
from policies.judging import Exemption, exemptions_of, faults  # noqa: E402
from policies.model import UNKNOWN, NotKnownError, Resource, Stack  # noqa: E402
from policies.psrule import answers, references  # noqa: E402
from policies.rule import MANDATORY, ResourceRule, Rule, StackRule  # noqa: E402

NAME = "aks-cicd"
DOCUMENTED = "https://azure.github.io/PSRule.Rules.Azure/en/rules"


# ---------------------------------------------------------------- what the engine tells


def plain(value: Any) -> Any:
    """The SDK's view of a value as plain data, with `UNKNOWN` in the place of what is not known yet."""
    if isinstance(value, Mapping):
        return {key: _entry(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_entry(value, index) for index in range(len(value))]
    # Every number comes as one with a decimal point.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _entry(of: Any, key: Any) -> Any:
    try:
        return plain(of[key])
    except UnknownValueError:
        return UNKNOWN


def resource(told: PolicyResource) -> Resource:
    """A resource of a stack. The engine tells outputs, options and dependencies, and no id."""
    made_from = {key: frozenset(one.urn for one in some) for key, some in told.property_dependencies.items()}
    return Resource(
        urn=told.urn,
        type=told.resource_type,
        # What is made from another resource and is not told is not known yet, or an input that no answer repeats.
        properties={**{key: UNKNOWN for key in made_from if made_from[key]}, **plain(told.props)},
        protect=bool(told.opts.protect),
        delete_first=bool(told.opts.delete_before_replace),
        after=frozenset(one.urn for one in told.dependencies),
        made_from=made_from,
    )


@functools.cache
def exceptions(stack: str) -> tuple[tuple[Exemption, ...], str | None]:
    """The exceptions in the file of a stack, and what is wrong with them; neither where there is no file."""
    path = HERE.parent / f"Pulumi.{stack}.yaml"
    try:
        config = (yaml.safe_load(path.read_text("utf-8")) or {}).get("config") if path.is_file() else None
        return exemptions_of((config or {}).get(f"{NAME}:exceptions")), None
    except ValueError as error:
        return (), str(error)


def _stack(urn: str) -> str:
    return urn.split("::")[0].removeprefix("urn:pulumi:")


def _allowed(rule: Rule, urn: str) -> bool:
    today = datetime.date.today()
    name = urn.rpartition("::")[2]
    return any(one.allows(rule.id, name) and not one.expired(today) for one in exceptions(_stack(urn))[0])


# ---------------------------------------------------------------- policies


def of_resource(rule: ResourceRule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not rule.judges(args.resource_type) or _allowed(rule, args.urn):
            return
        try:
            for words in list(rule.check(args.resource_type, plain(args.props))):
                report(f"{args.name}: {words}. {rule.remedy}", None)
        except NotKnownError as error:
            args.not_applicable(f"{error} is known after the update only")

    return ResourceValidationPolicy(validate=validate, **_described(rule))


def of_stack(rule: StackRule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        try:
            for found, words in list(rule.check(Stack(map(resource, args.resources)))):
                if not _allowed(rule, found.urn):
                    report(f"{found.name}: {words}. {rule.remedy}", found.urn)
        except NotKnownError as error:
            args.not_applicable(f"{error} is known after the update only")

    return StackValidationPolicy(validate=validate, **_described(rule))


def _described(rule: Rule) -> dict[str, Any]:
    known = [name for name in rule.psrule if name in answers()]
    refs = [ref for name in known if (ref := answers()[name].ref)]
    framework = PolicyComplianceFramework(
        name="PSRule for Azure", version="GA 2026-03", reference=", ".join(refs), specification=", ".join(rule.psrule)
    )
    told = references(rule)
    return {
        "name": rule.id,
        "description": f"{rule.reason} ({told})" if told else rule.reason,
        "enforcement_level": EnforcementLevel.MANDATORY if rule.severity == MANDATORY else EnforcementLevel.ADVISORY,
        "framework": framework if rule.psrule else None,
        "tags": [f"CIS AKS {number}" for number in rule.cis],
        "remediation_steps": rule.remedy,
        "url": f"{DOCUMENTED}/{known[0]}/" if known else None,
    }


def _exceptions_hold() -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for stack in sorted({_stack(one.urn) for one in args.resources}):
            said, wrong = exceptions(stack)
            if wrong:
                report(wrong, None)
            for fault in faults(said, tuple(RULES), datetime.date.today()):
                report(f"{fault.found}. {fault.remedy}", None)

    return StackValidationPolicy(
        name="exceptions-hold",
        description="An exception has a reason and an end, and names a rule that there is.",
        validate=validate,
        enforcement_level=EnforcementLevel.MANDATORY,
        remediation_steps="Mend what the exception allowed and remove it, or decide anew and set another end.",
    )


def policies() -> list[Policy]:
    """All policies: one for each rule, and one that watches the exceptions."""
    made = [of_resource(rule) for rule in RULES.values() if isinstance(rule, ResourceRule)]
    made += [of_stack(rule) for rule in RULES.values() if isinstance(rule, StackRule)]
    return [*made, _exceptions_hold()]


if __name__ == "__main__":
    PolicyPack(name=NAME, policies=policies())
