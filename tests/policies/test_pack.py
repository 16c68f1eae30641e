"""The pack that the engine runs: the same rules through the SDK of policy packs, and in the engine itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import policies
from policies.model import UNKNOWN, Resource
from policies.rule import ResourceRule
from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.workspace import PASSPHRASE
from tests.conftest import ROOT, STACKS, Rehearsed
from tests.policies import analyzer
from tests.policies.analyzer import Analyzer
from tests.policies.cases import ResourceCase, StackCase, resource_cases, stack_cases

needs_sdk = pytest.mark.skipif(analyzer.missing() is not None, reason=str(analyzer.missing()))

VAULT = "azure-native:keyvault:Vault"
BESIDES = {"exceptions-hold"}
"""Policies of the pack that are no rules."""


def exceptions(*said: Mapping[str, str]) -> str:
    return yaml.safe_dump({"config": {"aks-cicd:exceptions": list(said)}})


def exception(until: str, rule: str = "vault-purge-protection") -> dict[str, str]:
    return {"rule": rule, "resource": "ci-*", "reason": "It is rebuilt every night.", "until": until}


STACK_FILES = {
    "excused": exceptions(exception("2999-12-31")),
    "expired": exceptions(exception("2020-12-31")),
    "misnamed": exceptions(exception("2999-12-31", rule="vault-purge")),
    "broken": exceptions({"rule": "vault-rbac"}),
    "plain": "config:\n  aks-cicd:tier: production\n",
    "empty": "",
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analyzer]:
    with analyzer.running(analyzer.copied(tmp_path_factory.mktemp("project"), STACK_FILES)) as started:
        yield started


def urn(stack: str, type_: str, name: str) -> str:
    return f"urn:pulumi:{stack}::aks-cicd::{type_}::{name}"


def without(resource: Resource, key: str) -> Resource:
    return replace(resource, properties={one: value for one, value in resource.properties.items() if one != key})


def said(response: Any, rule: str) -> list[str]:
    """What a policy reported, each without the policy's description before it."""
    return [one.message.removeprefix(one.description).strip() for one in response.diagnostics if one.policyName == rule]


@needs_sdk
class TestThePackIsThePacksRules:
    def test_every_rule_is_a_policy_of_its_name_and_severity(self, pack: Analyzer) -> None:
        found = pack.policies()
        assert set(found) == {*policies.RULES, *BESIDES}
        for rule in policies.RULES.values():
            assert found[rule.id].enforcementLevel == {"advisory": 0, "mandatory": 1}[rule.severity], rule.id
            assert found[rule.id].policy_type == (1 if isinstance(rule, ResourceRule) else 2), rule.id

    def test_a_policy_says_why_how_to_mend_it_and_where_else_it_is_asked_for(self, pack: Analyzer) -> None:
        found = pack.policies()["registry-admin-user"]
        rule = policies.RULES["registry-admin-user"]
        assert found.description == f"{rule.reason} (PSRule Azure.ACR.AdminUser (AZR-000005); CIS AKS 5.1.2)"
        assert found.remediation_steps == rule.remedy
        assert found.url == "https://azure.github.io/PSRule.Rules.Azure/en/rules/Azure.ACR.AdminUser/"
        assert (found.framework.name, found.framework.reference) == ("PSRule for Azure", "AZR-000005")
        assert list(found.tags) == ["CIS AKS 5.1.2"]

    @pytest.mark.parametrize("case", resource_cases(), ids=str)
    def test_a_resource_is_judged_alike(self, case: ResourceCase, pack: Analyzer) -> None:
        response = pack.resource(urn("plain", case.type, "one"), case.type, case.properties)
        remedy = policies.RULES[case.rule].remedy
        assert said(response, case.rule) == [f"one: {words}. {remedy}" for words in case.says]

    @pytest.mark.parametrize("case", stack_cases(), ids=str)
    def test_a_stack_is_judged_alike(self, case: StackCase, pack: Analyzer) -> None:
        response = pack.stack(case.stack(ids=False).resources)
        remedy = policies.RULES[case.rule].remedy
        assert sorted(said(response, case.rule)) == sorted(
            f"{name}: {words}. {remedy}" for name, several in case.says.items() for words in several
        )
        named = {one.urn.rpartition("::")[2] for one in response.diagnostics if one.policyName == case.rule}
        assert named == set(case.says)


@needs_sdk
class TestWhatIsNotKnownYet:
    def test_a_rule_that_needs_it_says_so_and_finds_nothing(self, pack: Analyzer) -> None:
        response = pack.resource(urn("plain", VAULT, "one"), VAULT, {"properties": {"enablePurgeProtection": UNKNOWN}})
        assert not said(response, "vault-purge-protection")
        reasons = {one.policy_name: one.reason for one in response.not_applicable}
        assert reasons["vault-purge-protection"] == ("properties.enablePurgeProtection is known after the update only")

    def test_the_other_rules_still_judge(self, pack: Analyzer) -> None:
        response = pack.resource(
            urn("plain", VAULT, "one"),
            VAULT,
            {"properties": {"enablePurgeProtection": UNKNOWN, "enableSoftDelete": False}},
        )
        assert said(response, "vault-soft-delete")

    def test_what_is_made_from_another_resource_and_not_told_is_not_known(self, pack: Analyzer) -> None:
        """Before the first update the engine leaves out of a grant what depends on its scope."""
        (case,) = [one for one in stack_cases() if str(one) == "grant-table: base"]
        response = pack.stack([without(one, "scope") for one in case.stack(ids=False).resources])
        assert not said(response, "grant-table")
        assert "grant-table" in {one.policy_name for one in response.not_applicable}


@needs_sdk
class TestExceptionsOfTheStackFile:
    def judged(self, pack: Analyzer, stack: str, name: str = "ci-vault") -> list[str]:
        response = pack.resource(urn(stack, VAULT, name), VAULT, {"properties": {"enablePurgeProtection": False}})
        return said(response, "vault-purge-protection")

    def watched(self, pack: Analyzer, stack: str) -> list[str]:
        (case,) = [one for one in stack_cases() if str(one) == "identity-table: base"]
        moved = [replace(one, urn=urn(stack, one.type, one.name)) for one in case.stack(ids=False).resources]
        return said(pack.stack(moved), "exceptions-hold")

    @pytest.mark.parametrize("stack", ["plain", "empty", "absent"])
    def test_without_one_the_breach_is_reported(self, stack: str, pack: Analyzer) -> None:
        assert self.judged(pack, stack)
        assert not self.watched(pack, stack)

    def test_one_that_holds_allows_what_it_names_and_nothing_else(self, pack: Analyzer) -> None:
        assert not self.judged(pack, "excused")
        assert self.judged(pack, "excused", "workload-vault")
        assert not self.watched(pack, "excused")

    def test_an_expired_one_allows_nothing_and_is_reported(self, pack: Analyzer) -> None:
        assert self.judged(pack, "expired")
        (words,) = self.watched(pack, "expired")
        assert words.startswith("the exception from vault-purge-protection of ci-* ended on 2020-12-31.")

    def test_an_unknown_rule_is_reported(self, pack: Analyzer) -> None:
        assert self.watched(pack, "misnamed") == ["no rule is called vault-purge. Did you mean vault-rbac?"]

    def test_a_list_that_is_none_allows_nothing_and_is_reported_in_words(self, pack: Analyzer) -> None:
        assert self.judged(pack, "broken")
        (words,) = self.watched(pack, "broken")
        assert words.startswith("aks-cicd:exceptions[0].reason is None")


# ---------------------------------------------------------------- in the engine


SHIM = """\
#!/bin/sh
# What the language host of a full Pulumi does: starts the pack's directory with the Python of its environment.
exec .venv/bin/python -u . "$@"
"""


@needs_sdk
@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the language host is a shell script")
class TestInTheEngine:
    """`pulumi policy analyze` on an export: the engine itself loads the pack. A CLI that is built from its Go module
    has no language host, so that a script stands in for the one thing that is needed of it."""

    def analyze(self, place: Path, export: Mapping[str, Any]) -> tuple[int, dict[str, set[str]], str]:
        """Exit code, resources by policy that reported them, and all that was said."""
        tools = place / "tools"
        tools.mkdir()
        shim = tools / "pulumi-analyzer-policy-python"
        shim.write_text(SHIM, "utf-8")
        shim.chmod(0o755)
        (place / "state.json").write_text(json.dumps(export), "utf-8")
        cli = toolchain.bring(toolchain.ways(ROOT, Console(sys.stderr)), lambda text: None)
        environ = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        asked = [f"--file={place / 'state.json'}", f"--policy-pack={place / 'policies'}", "--json", "--non-interactive"]
        done = subprocess.run(
            [str(cli.path), "policy", "analyze", *asked],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=120,
            env=environ
            | {
                "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
                "PULUMI_HOME": str(place / "home"),
                "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "NO_PROXY": "127.0.0.1,localhost",
            },
        )
        found: dict[str, set[str]] = {}
        for line in done.stdout.splitlines():
            event = json.loads(line).get("policyEvent") if line.startswith("{") else None
            if event:
                found.setdefault(event["policyName"], set()).add(event["resourceUrn"].rpartition("::")[2])
        return done.returncode, found, done.stdout + done.stderr

    @pytest.mark.parametrize("stack", STACKS)
    def test_it_lets_the_shipped_environments_pass(
        self, stack: str, tmp_path: Path, rehearsed: Mapping[str, Rehearsed]
    ) -> None:
        analyzer.copied(tmp_path, {})
        code, found, told = self.analyze(tmp_path, rehearsed[stack].export)
        assert (code, found) == (0, {}), told
        assert "aks-cicd" in told

    def test_it_refuses_what_breaks_a_rule_and_names_it(
        self, tmp_path: Path, rehearsed: Mapping[str, Rehearsed]
    ) -> None:
        analyzer.copied(tmp_path, {})
        export = json.loads(json.dumps(rehearsed["prod"].export))
        for raw in [*export["deployment"]["resources"]]:
            if raw["urn"].endswith("::registry") and raw["type"].startswith("azure-native:"):
                raw["inputs"]["adminUserEnabled"] = True
            if raw["urn"].endswith("::environment-approval"):
                export["deployment"]["resources"].remove(raw)
        for raw in export["deployment"]["resources"]:
            raw["dependencies"] = [one for one in raw.get("dependencies", []) if "environment-approval" not in one]
        code, found, told = self.analyze(tmp_path, export)
        assert code != 0
        assert found == {"registry-admin-user": {"registry"}, "gates-of-production": {"environment"}}, told
