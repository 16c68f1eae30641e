"""What an exception allows and for how long, and how findings are told."""

from __future__ import annotations

import ast
import datetime
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import policies
from policies import Exemption, Finding
from policies.judging import exemptions_of

TODAY = datetime.date(2026, 11, 23)
PACK = Path(policies.__file__).parent

VAULTS = ("ci-vault", "workload-vault")


def export(*, purge_protection: bool = False) -> dict[str, Any]:
    """Two vaults that may be purged, which is one finding each."""
    said = {"properties": {"enableRbacAuthorization": True, "enablePurgeProtection": purge_protection}}
    vaults = [
        {
            "urn": f"urn:pulumi:test::aks-cicd::azure-native:keyvault:Vault::{name}",
            "type": "azure-native:keyvault:Vault",
            "inputs": said,
            "dependencies": None,
        }
        for name in VAULTS
    ]
    logs = [
        {
            "urn": f"urn:pulumi:test::aks-cicd::azure-native:monitor:DiagnosticSetting::{name}-diagnostics",
            "type": "azure-native:monitor:DiagnosticSetting",
            "inputs": {"workspaceId": "/w", "logs": [{"enabled": True}]},
            "propertyDependencies": {"resourceUri": [vault["urn"]], "workspaceId": None},
        }
        for name, vault in zip(VAULTS, vaults, strict=True)
    ]
    gone = {**vaults[0], "inputs": {}, "delete": True}
    return {"deployment": {"resources": [*vaults, *logs, gone]}}


def judge(*exemptions: Exemption, purge_protection: bool = False) -> tuple[Finding, ...]:
    return policies.judge(export(purge_protection=purge_protection), exemptions, TODAY)


def exemption(
    rule: str = "vault-purge-protection", resource: str | None = None, until: str = "2026-12-31"
) -> Exemption:
    return Exemption(rule, "It is rebuilt every night.", until, resource)


def told(findings: Sequence[Finding]) -> list[tuple[str, str, bool]]:
    """Rule, resource and whether it blocks."""
    return [(one.rule, one.resource, one.blocks) for one in findings]


class TestWhatAnExceptionAllows:
    def test_without_one_everything_that_is_mandatory_blocks(self) -> None:
        assert told(judge()) == [("vault-purge-protection", name, True) for name in VAULTS]

    def test_what_the_engine_is_about_to_delete_is_not_judged(self) -> None:
        assert judge(purge_protection=True) == ()

    def test_one_without_a_resource_is_for_all(self) -> None:
        assert told(judge(exemption())) == [("vault-purge-protection", name, False) for name in VAULTS]

    def test_a_pattern_is_for_those_that_it_fits(self) -> None:
        assert told(judge(exemption(resource="ci-*"))) == [
            ("vault-purge-protection", "workload-vault", True),
            ("vault-purge-protection", "ci-vault", False),
        ]

    def test_what_it_allows_is_still_told_with_its_reason(self) -> None:
        (_, allowed) = judge(exemption(resource="ci-vault"))
        assert allowed.allowed
        assert allowed.allowed.reason == "It is rebuilt every night."

    def test_what_is_allowed_is_told_last(self) -> None:
        silent = export(purge_protection=True)
        silent["deployment"]["resources"] = [
            one for one in silent["deployment"]["resources"] if not one["type"].endswith("Setting")
        ]
        findings = policies.judge(silent, [exemption("diagnostics"), exemption("vault-rbac")], TODAY)
        assert [one.rule for one in findings] == ["exception-unused", "diagnostics", "diagnostics"]

    def test_one_rule_is_not_another(self) -> None:
        assert [one.blocks for one in judge(exemption("vault-rbac"))] == [True, True, False]


class TestWhenAnExceptionEnds:
    def test_it_holds_on_its_last_day(self) -> None:
        assert not any(one.blocks for one in judge(exemption(until="2026-11-23")))

    def test_the_day_after_it_is_an_error_and_allows_nothing(self) -> None:
        findings = judge(exemption(until="2026-11-22"))
        assert told(findings) == [
            ("exception-expired", "", True),
            *(("vault-purge-protection", name, True) for name in VAULTS),
        ]
        assert findings[0].found == ("the exception from vault-purge-protection of every resource ended on 2026-11-22")

    def test_an_expired_one_is_an_error_even_where_nothing_is_left_of_what_it_allowed(self) -> None:
        assert told(judge(exemption(until="2026-11-22"), purge_protection=True)) == [("exception-expired", "", True)]


class TestAnExceptionThatIsWrong:
    def test_one_that_allows_nothing_is_a_warning(self) -> None:
        (finding,) = judge(exemption(resource="registry"), purge_protection=True)
        assert told([finding]) == [("exception-unused", "", False)]
        assert finding.severity == "advisory"
        assert finding.found == "the exception from vault-purge-protection of registry allows nothing"

    def test_an_unknown_rule_is_an_error_that_names_the_nearest(self) -> None:
        (finding,) = judge(exemption("vault-purge"), purge_protection=True)
        assert told([finding]) == [("exception-unknown", "", True)]
        assert (finding.found, finding.remedy) == ("no rule is called vault-purge", "Did you mean vault-rbac?")

    def test_an_unknown_rule_that_is_near_to_none(self) -> None:
        (finding,) = judge(exemption("quux"), purge_protection=True)
        assert finding.remedy == "docs/exceptions.md lists the rules."


class TestExceptionsAsAStackFileHasThem:
    def test_all_fields_are_read(self) -> None:
        said = [{"rule": "vault-rbac", "resource": "ci-*", "reason": "Because.", "until": "2027-01-01"}]
        assert exemptions_of(said) == (Exemption("vault-rbac", "Because.", "2027-01-01", "ci-*"),)

    def test_none_are_none(self) -> None:
        assert exemptions_of(None) == exemptions_of([]) == ()

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"rule": "vault-rbac"}, "no list of exceptions"),
            (["vault-rbac"], "no list of exceptions"),
            ([{"rule": "vault-rbac", "until": "2027-01-01"}], "[0].reason is None"),
            ([{"rule": "r", "reason": "x", "until": datetime.date(2027, 1, 1)}], "in quotes where it is a date"),
            ([{"rule": "r", "reason": "x", "until": "soon"}], 'write a date such as "2027-06-30"'),
        ],
    )
    def test_what_is_no_exception_is_refused_in_words(self, said: Any, words: str) -> None:
        with pytest.raises(ValueError, match="aks-cicd:exceptions") as refused:
            exemptions_of(said)
        assert words in str(refused.value)


class TestTheText:
    def test_it_tells_all_there_is_to_know(self) -> None:
        assert policies.render(judge(exemption(resource="ci-vault"))) == textwrap.dedent(
            f"""\
            Policies: {len(policies.RULES)} rules, 1 mandatory, 1 allowed by an exception
              mandatory  vault-purge-protection  workload-vault: it can be purged
                         Whoever may delete a vault could also purge it, and every secret with it. Set
                         enablePurgeProtection; it cannot be taken back.
                         See PSRule Azure.KeyVault.PurgeProtect (AZR-000125).
              allowed    vault-purge-protection  ci-vault: it can be purged
                         until 2026-12-31: It is rebuilt every night."""
        )

    def test_why_is_said_once_for_all_that_a_rule_has_found(self) -> None:
        text = policies.render(judge())
        heads = [f"  mandatory  vault-purge-protection  {name}: it can be purged" for name in VAULTS]
        assert text.splitlines()[1:3] == heads
        assert text.count("Whoever may delete a vault") == 1

    def test_one_line_where_all_is_well(self) -> None:
        assert policies.render(judge(purge_protection=True)) == f"Policies: {len(policies.RULES)} rules, all met"

    def test_what_is_about_an_exception_names_no_resource(self) -> None:
        lines = policies.render(judge(exemption(resource="x"), purge_protection=True)).splitlines()
        assert lines[1] == (
            "  advisory   exception-unused  the exception from vault-purge-protection of x allows nothing"
        )

    def test_it_is_styled_as_asked(self) -> None:
        text = policies.render(judge(), lambda text, *names: f"<{names[0]}>{text}</>")
        assert "<red>mandatory</>  <bold>vault-purge-protection</>" in text


def test_the_same_export_on_the_same_day_gives_the_same_findings() -> None:
    """No rule looks at a clock, a file or the network; only the way in and the list of PSRule for Azure read."""
    readers = {"__main__.py", "psrule.py"}
    for path in PACK.rglob("*.py"):
        if path.name in readers or ".venv" in path.parts:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        roots = {name.partition(".")[0] for name in imported}
        allowed = {
            "__future__", "collections", "dataclasses", "datetime", "difflib", "fnmatch", "functools", "itertools",
            "json", "policies", "re", "sys", "textwrap", "types", "typing",
        }  # fmt: skip
        assert roots <= allowed, path
        called = {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not called & {"today", "now", "utcnow"}, path
