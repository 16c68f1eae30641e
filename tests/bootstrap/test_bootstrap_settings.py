"""The bootstrap's settings: what is refused, in one message, before anything is made."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.settings import PROJECT, ROOT, Bootstrap, Wanted, _misfits, parse
from validation.problems import SettingsError

FILE: dict[str, Any] = yaml.safe_load((ROOT / "bootstrap" / "Pulumi.yaml").read_text("utf-8"))
SHIPPED: dict[str, Any] = yaml.safe_load((ROOT / "bootstrap" / "Pulumi.bootstrap.yaml").read_text("utf-8"))["config"]


def said(root: Path = ROOT, *, rehearsal: bool = True, **sections: Any) -> Wanted:
    changed = {**SHIPPED, **{f"{PROJECT}:{key}": value for key, value in sections.items()}}
    return parse({key: value for key, value in changed.items() if value is not None}, root, rehearsal=rehearsal)


def refused(root: Path = ROOT, *, rehearsal: bool = True, **sections: Any) -> str:
    with pytest.raises(SettingsError) as error:
        said(root, rehearsal=rehearsal, **sections)
    return str(error.value)


class TestWhatIsDeclared:
    def test_every_section_is_declared_and_nothing_else(self) -> None:
        fields = {field.alias or name: field for name, field in Bootstrap.model_fields.items()}
        assert [*FILE["config"]] == [f"{PROJECT}:{name}" for name in fields]
        assert FILE["name"] == PROJECT
        defaults = {name: "default" in FILE["config"][f"{PROJECT}:{name}"] for name in fields}
        assert defaults == {name: not field.is_required() for name, field in fields.items()}

    def test_one_virtual_environment_serves_both_projects(self) -> None:
        assert FILE["runtime"]["options"]["virtualenv"] == "../.venv"

    def test_the_shipped_file_is_the_first_day(self) -> None:
        assert said().environments == {}
        assert said().home is None


class TestTheSecondRun:
    def test_both_shipped_environments_fit(self) -> None:
        wanted = said(environments=["staging", "prod"])
        assert [*wanted.environments] == ["staging", "prod"]
        assert wanted.home is wanted.environments["staging"]

    def test_staging_may_come_alone(self) -> None:
        assert [*said(environments=["staging"]).environments] == ["staging"]


class TestWhatIsRefused:
    def test_a_section_that_is_missing(self) -> None:
        assert "aks-cicd-bootstrap:state = not set" in refused(state=None)

    def test_everything_at_once(self) -> None:
        words = refused(state=None, administrators=[], approvers="somebody")
        assert "3 problems" in words

    def test_a_key_that_nobody_knows(self) -> None:
        assert "did you mean approvers?" in refused(aprovers="x")

    def test_placeholders_in_a_real_run(self) -> None:
        assert "reserved placeholder" in refused(rehearsal=False)

    @pytest.mark.parametrize(
        ("environments", "words"),
        [
            (["staging", "qa"], "a stack that has a file: prod, staging"),
            (["staging", "staging"], "each stack once"),
            (["bootstrap"], "the bootstrap is no environment"),
            (["prod"], "where delivery lives"),
        ],
    )
    def test_environments_that_do_not_fit(self, environments: list[str], words: str) -> None:
        assert words in refused(environments=environments)

    def test_an_environment_of_another_workload(self) -> None:
        assert "whose workload is bakery, not shop" in refused(workload="bakery", environments=["staging"])

    def test_an_environment_of_another_directory(self) -> None:
        azure = {**SHIPPED[f"{PROJECT}:azure"], "tenantId": "00000000-0000-0000-0000-000000000009"}
        assert "whose azure.tenantId is" in refused(azure=azure, environments=["staging"])

    def test_an_environment_without_those_that_it_leans_on(self, tmp_path: Path) -> None:
        for path in ROOT.glob("Pulumi.*.yaml"):
            shutil.copy(path, tmp_path)
        config = yaml.safe_load((tmp_path / "Pulumi.prod.yaml").read_text("utf-8"))
        config["config"]["aks-cicd:stacks"]["promotesFrom"] = "test"
        (tmp_path / "Pulumi.prod.yaml").write_text(yaml.safe_dump(config), "utf-8")
        assert "leans on: test" in refused(tmp_path, environments=["staging", "prod"])

    def test_an_environment_whose_delivery_is_on_github(self) -> None:
        wanted = said(environments=["staging"])
        on_github = wanted.environments["staging"].delivery.model_copy(update={"platform": "github"})
        changed = wanted.environments["staging"].model_copy(update={"delivery": on_github})
        (problem,) = _misfits(wanted.bootstrap, {"staging": changed})
        assert "delivery.platform azureDevOps" in str(problem)

    def test_a_stack_file_that_is_wrong_itself(self, tmp_path: Path) -> None:
        shutil.copy(ROOT / "Pulumi.prod.yaml", tmp_path)
        broken = (ROOT / "Pulumi.staging.yaml").read_text("utf-8").replace("westeurope", "nowhere")
        (tmp_path / "Pulumi.staging.yaml").write_text(broken, "utf-8")
        assert "Pulumi.staging.yaml has 1 problem" in refused(tmp_path, environments=["staging"])

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ({"access": "private"}, "'public' or 'restricted'"),
            ({"access": "restricted"}, "at least one range"),
            ({"access": "public", "allowedRanges": ["198.51.100.0/24"]}, "none with access public"),
            ({"access": "restricted", "allowedRanges": ["10.0.0.0/24"]}, "a public range"),
            ({"access": "public", "recoveryDays": 3}, "from 7 to 90"),
            ({"access": "public", "redundancy": "none"}, "LRS"),
        ],
    )
    def test_storage_that_cannot_be(self, state: dict[str, Any], words: str) -> None:
        assert words in refused(state=state)

    def test_hosted_agents_and_storage_that_they_cannot_reach(self) -> None:
        closed = {"access": "restricted", "allowedRanges": ["198.51.100.0/24"]}
        assert "as long as the agents of staging are Microsoft's" in refused(state=closed, environments=["staging"])
        assert said(state=closed).bootstrap.state.access == "restricted"
