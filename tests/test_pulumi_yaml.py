"""Pulumi.yaml describes the settings to Pulumi's own commands, so it must tell the same as the code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from settings import PROJECT, Settings
from tests.stackfiles import PREFIX, ROOT, STACKS, shipped

FILE: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
DECLARED: dict[str, dict[str, Any]] = FILE["config"]
SECTIONS = {field.alias or name: field for name, field in Settings.model_fields.items() if name != "stack"}


class TestDeclaredKeysAreTheSectionsOfTheSettings:
    def test_every_section_is_declared_and_nothing_else(self) -> None:
        assert [*DECLARED] == [PREFIX + section for section in SECTIONS]

    @pytest.mark.parametrize("section", SECTIONS)
    def test_it_has_a_description(self, section: str) -> None:
        assert len(DECLARED[PREFIX + section]["description"].split()) > 3

    @pytest.mark.parametrize("section", SECTIONS)
    def test_it_has_a_default_exactly_when_it_may_be_left_out(self, section: str) -> None:
        assert ("default" in DECLARED[PREFIX + section]) is not SECTIONS[section].is_required()

    def test_the_default_of_generation_is_that_of_the_code(self) -> None:
        assert DECLARED["aks-cicd:generation"]["default"] == SECTIONS["generation"].default

    @pytest.mark.parametrize("section", SECTIONS)
    def test_a_description_names_no_key_that_the_section_lacks(self, section: str) -> None:
        """Words in camelCase are keys."""
        words = re.findall(r"[\w-]+", DECLARED[PREFIX + section]["description"])
        camel = {word for word in words if word[:1].islower() and word != word.lower()}
        schema = str(Settings.model_json_schema())
        assert not [word for word in camel if f"'{word}'" not in schema]


class TestTheProjectRunsInItsOwnEnvironment:
    def test_the_name_is_the_prefix_of_every_key(self) -> None:
        assert FILE["name"] == PROJECT
        assert f"{PROJECT}:" == PREFIX

    def test_the_engine_uses_the_virtual_environment_that_the_makefile_makes(self) -> None:
        assert FILE["runtime"]["options"]["virtualenv"] == ".venv"


class TestShippedStackFiles:
    @pytest.mark.parametrize("stack", STACKS)
    def test_a_stack_file_uses_declared_keys_only_and_in_their_order(self, stack: str) -> None:
        assert [*shipped(stack)] == [key for key in DECLARED if key in shipped(stack)]

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param(lambda config: config["tier"], id="tier"),
            pytest.param(lambda config: config["azure"]["subscriptionId"], id="subscription"),
            pytest.param(lambda config: config["network"]["addressSpace"], id="address range"),
            pytest.param(lambda config: config["network"]["egress"], id="egress"),
            pytest.param(lambda config: config["cluster"]["zones"], id="zones"),
            pytest.param(lambda config: config["cluster"]["userPools"], id="size"),
            pytest.param(lambda config: config["cluster"]["access"], id="access of the API server"),
            pytest.param(lambda config: config["registry"]["access"], id="access of the registry"),
            pytest.param(lambda config: config["cluster"]["adminGroups"], id="administrators"),
            pytest.param(lambda config: config["logs"]["retentionDays"], id="retention of logs"),
            pytest.param(lambda config: config["namespace"]["quota"], id="quota"),
            pytest.param(lambda config: config["monitoring"]["objectives"], id="objectives"),
            pytest.param(lambda config: config["monitoring"]["traceSamplingPercent"], id="share of traces"),
            pytest.param(lambda config: config["monitoring"]["gateHours"], id="patience at gates"),
            pytest.param(lambda config: config["alerts"], id="who is told"),
            pytest.param(lambda config: config["agents"]["kind"], id="agents"),
        ],
    )
    def test_staging_and_production_differ_in(self, said: Callable[[dict[str, Any]], Any]) -> None:
        staging, prod = (
            said({key.removeprefix(PREFIX): value for key, value in shipped(stack).items()}) for stack in STACKS
        )
        assert staging != prod

    def test_both_carry_the_same_workload_in_the_same_directory(self) -> None:
        staging, prod = map(shipped, STACKS)
        assert staging["aks-cicd:workload"] == prod["aks-cicd:workload"]
        assert staging["aks-cicd:azure"]["tenantId"] == prod["aks-cicd:azure"]["tenantId"]
