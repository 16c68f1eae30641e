"""The shipped pipelines against the rehearsed stacks: no finding; and each kind of mistake, made in a copy, is one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.errors import RehearsalError
from rehearsal.pipelines import Finding, lint
from rehearsal.pipelines.estate import Estate
from tests.conftest import ROOT, Rehearsed

HERE = Path(__file__).parent / "linter"
MISTAKES: list[dict[str, Any]] = yaml.safe_load((HERE / "mistakes.yaml").read_text("utf-8"))
TAKEN: list[dict[str, Any]] = yaml.safe_load((HERE / "taken.yaml").read_text("utf-8"))

READ = (
    "azuredevops:",
    "azure-native:devopsinfrastructure:",
    "azure-native:containerregistry:",
    "pulumi:pulumi:Stack",
    "azure-native:containerservice:",
    "azure-native:keyvault:",
)
Exports = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def exports(rehearsed: Mapping[str, Rehearsed]) -> Exports:
    """What the linter reads of the exports, so that a hundred tests need not carry the rest about."""
    return {name: _kept(one.export, lambda state: state["type"].startswith(READ)) for name, one in rehearsed.items()}


def _kept(export: Mapping[str, Any], wanted: Any) -> dict[str, Any]:
    return {"deployment": {"resources": [state for state in export["deployment"]["resources"] if wanted(state)]}}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what pipelines are made of; what no test changes is linked."""
    for path in (ROOT / "pipelines").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    for name in ("components", "configuration", "workload", "docs", ".ci"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def _said(findings: list[Finding]) -> str:
    return "\n".join(map(str, findings))


def _changed(text: str, old: str, new: str) -> str:
    assert old in text, f"the file no longer has {old!r}: mend the test"
    return text.replace(old, new)


def _mistaken(text: str, mistake: Mapping[str, Any]) -> str:
    """`regex` instead of `old` where what is changed is long; its groups may stand in `new`."""
    if "old" in mistake:
        return _changed(text, mistake["old"], mistake["new"])
    changed, count = re.subn(mistake["regex"], mistake["new"], text, flags=re.DOTALL)
    assert count, f"the file no longer has {mistake['regex']!r}: mend the test"
    return changed


def test_the_shipped_pipelines_fit_both_rehearsed_stacks(rehearsed: Mapping[str, Rehearsed]) -> None:
    findings = lint(ROOT, {name: one.export for name, one in rehearsed.items()})
    assert not findings, _said(findings)


def test_what_the_tests_carry_about_is_all_that_the_linter_reads(
    rehearsed: Mapping[str, Rehearsed], exports: Exports
) -> None:
    assert Estate.of(exports) == Estate.of({name: one.export for name, one in rehearsed.items()})


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake["name"].replace(" ", "-") for mistake in MISTAKES])
def test_a_mistake_is_found_by_its_rule_and_at_its_place(
    mistake: Mapping[str, Any], tree: Path, exports: Exports
) -> None:
    file = tree / mistake["file"]
    file.write_text(_mistaken(file.read_text("utf-8"), mistake), "utf-8")
    findings = lint(tree, exports)
    assert {finding.rule for finding in findings} == set(mistake["rules"]), _said(findings)
    at = mistake.get("at", mistake["file"])
    assert any(mistake["says"] in str(finding) and finding.file == at for finding in findings), _said(findings)


@pytest.mark.parametrize("taken", TAKEN, ids=[f"{one['stack']}-{one['gone'].replace('/', '-')}" for one in TAKEN])
def test_what_a_stack_does_not_have_is_missed(taken: Mapping[str, Any], exports: Exports) -> None:
    kind, name = taken["gone"].split("/")

    def stays(state: Mapping[str, Any]) -> bool:
        return not (state["type"].endswith(f":{kind}") and state["urn"].endswith(f"::{name}"))

    left = {stack: _kept(one, stays) if stack == taken["stack"] else one for stack, one in exports.items()}
    assert left != exports, f"{taken['stack']} no longer has {taken['gone']}: mend the test"
    findings = lint(ROOT, left)
    assert {finding.rule for finding in findings} == set(taken["rules"]), _said(findings)
    assert any(taken["says"] in str(finding) for finding in findings), _said(findings)


def _replaced(exports: Exports, stack: str, old: str, new: str) -> Exports:
    text = json.dumps(exports[stack])
    return {**exports, stack: json.loads(_changed(text, old, new))}


def test_a_fact_that_the_group_no_longer_has_is_missed(exports: Exports) -> None:
    findings = lint(ROOT, _replaced(exports, "prod", '"logWorkspaceId"', '"logWorkspace"'))
    assert {finding.rule for finding in findings} == {"variable"}
    assert "no variable 'logWorkspaceId' is known in the step of the job dashboards" in _said(findings)


def test_a_pipeline_whose_file_is_not_there_is_missed(exports: Exports) -> None:
    findings = lint(ROOT, _replaced(exports, "staging", '"pipelines/cd.yml"', '"pipelines/release.yml"'))
    assert {finding.rule for finding in findings} == {"pipeline"}
    assert "the pipeline cd needs pipelines/release.yml in the repository application" in _said(findings)


def test_another_required_template_is_missed(exports: Exports) -> None:
    findings = lint(
        ROOT, _replaced(exports, "prod", "pipelines/templates/release.yml", "pipelines/templates/other.yml")
    )
    assert {finding.rule for finding in findings} == {"required-template"}
    assert findings[0].file == "pipelines/cd.yml"


@pytest.mark.parametrize(
    ("kind", "name", "files"),
    [
        ("keyvault:Vault", "ci-vault", {"pipelines/templates/ci.yml"}),
        ("containerregistry:Registry", "registry",
         {"pipelines/templates/ci.yml", "pipelines/templates/environment.yml", "pipelines/templates/environments.yml"}),
        ("keyvault:Vault", "workload-vault", set()),
    ],
)  # fmt: skip
def test_what_is_closed_is_out_of_the_reach_of_hosted_agents(
    kind: str, name: str, files: set[str], exports: Exports
) -> None:
    there = json.loads(json.dumps(exports["staging"]))
    for state in there["deployment"]["resources"]:
        if state["type"].endswith(kind) and state["urn"].endswith(f"::{name}"):
            for face in (state["inputs"], state["outputs"]):
                face["publicNetworkAccess"] = "Disabled"
                face.get("properties", {})["publicNetworkAccess"] = "Disabled"
    findings = lint(ROOT, {**exports, "staging": there})
    assert {finding.rule for finding in findings} <= {"unreachable"}, _said(findings)
    assert {finding.file for finding in findings} == files


def test_an_environment_of_production_may_not_be_entered_by_way_of_another_tier(exports: Exports) -> None:
    """What belongs to a stack becomes production's when its tier does."""
    findings = lint(ROOT, _replaced(exports, "staging", '"nonproduction"', '"production"'))
    assert {finding.rule for finding in findings} == {"ungated"}
    assert "the stage record names no environment" in _said(findings)


def test_an_application_on_github_goes_the_same_way(exports: Exports) -> None:
    """Its pipelines are started by `pr:` instead of a policy, and find the same files."""
    there = json.loads(json.dumps(exports["staging"]))
    for state in there["deployment"]["resources"]:
        if state["type"].endswith(":BuildDefinition") and state["inputs"]["name"] != "platform-pr":
            for face in (state["inputs"], state["outputs"]):
                face["repository"] |= {"repoType": "GitHub", "repoId": "contoso/shop"}
    there = _kept(there, lambda state: "application-" not in state["urn"].rpartition("::")[2])
    findings = lint(ROOT, {**exports, "staging": there})
    assert not findings, _said(findings)


def _like_prod(exports: Exports, name: str) -> dict[str, Any]:
    """A stack made like prod, with names and ids of its own."""
    text = json.dumps(exports["prod"]).replace('"prod"', f'"{name}"').replace("-prod", f"-{name}")
    made: dict[str, Any] = json.loads(text)
    for state in made["deployment"]["resources"]:
        for face in (state.get("inputs", {}), state.get("outputs", {})):
            for field in ("resourceId", "targetResourceId"):
                if field in face:
                    face[field] = f"{name}-{face[field]}"
        if state["type"].startswith("azuredevops:"):
            state["id"] = f"{name}-{state['id']}"
    return made


def _listed(tree: Path, more: str) -> None:
    """One more environment in the list of the release, after the others."""
    release = tree / "pipelines" / "templates" / "release.yml"
    text = release.read_text("utf-8")
    last = [line for line in text.splitlines() if "{ key:" in line][-1]
    release.write_text(_changed(text, last, f"{last}\n{last.split('-')[0]}- {more}"), "utf-8")


def test_a_new_environment_is_one_line(tree: Path, exports: Exports) -> None:
    _listed(tree, "{ key: qa, promotesFrom: staging, pool: agents-shop-qa-7a4oy4 }")
    findings = lint(tree, {**exports, "qa": _like_prod(exports, "qa")})
    assert not findings, _said(findings)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("after: prod", ""),
        ("after: staging", "eu does not come after prod, though it pulls from"),
        ("promotesFrom: prod", "eu promotes, but its stack promotes from nowhere"),
    ],
)
def test_an_environment_that_shares_a_registry_comes_after_its_owner(
    line: str, says: str, tree: Path, exports: Exports
) -> None:
    _listed(tree, f"{{ key: eu, {line}, pool: agents-shop-eu-7a4oy4 }}")
    text = json.dumps(_like_prod(exports, "eu")).replace("crshopeu", "crshopprod")
    text = text.replace("rg-shop-eu/providers/Microsoft.ContainerReg", "rg-shop-prod/providers/Microsoft.ContainerReg")
    eu = json.loads(text.replace('"sourceRegistryId"', '"noSourceRegistryId"'))
    findings = [each for each in lint(tree, {**exports, "eu": eu}) if each.rule == "order"]
    assert (says in _said(findings)) if says else not findings, _said(findings)


def test_every_rule_has_a_mistake_that_it_alone_can_find() -> None:
    beside: list[dict[str, Any]] = yaml.safe_load((HERE / "infrastructure.yaml").read_text("utf-8"))
    found = {rule for each in (*MISTAKES, *TAKEN, *beside) for rule in each["rules"]}
    source = "\n".join(path.read_text("utf-8") for path in _sources())
    said = set(_rules_in(source))
    assert said <= found, f"no mistake for: {', '.join(sorted(said - found))}"


def _sources() -> Iterator[Path]:
    yield from (ROOT / "rehearsal" / "pipelines").rglob("*.py")


def _rules_in(source: str) -> Iterator[str]:
    yield from re.findall(r'^RULE: Final = "([\w-]+)"', source, re.M)
    yield from re.findall(r'Finding\.at\([^"\n]*, "([\w-]+)",', source)


def test_a_finding_is_one_line_that_names_file_line_rule_and_how_to_mend_it() -> None:
    finding = Finding("pipelines/cd.yml", 7, "starts", "nothing starts it", "give it a trigger")
    assert str(finding) == "pipelines/cd.yml:7: starts: nothing starts it; give it a trigger"


def test_exports_without_pipelines_are_no_clean_bill(exports: Exports) -> None:
    findings = lint(ROOT, {"prod": exports["prod"]})
    assert [finding.message for finding in findings] == [
        f"no stack has the pipeline {name}" for name in ("cd", "ci", "pr")
    ]


def test_a_project_without_a_list_of_seeds_is_told_so(tmp_path: Path, exports: Exports) -> None:
    with pytest.raises(RehearsalError, match=r"pipelines/seeds\.yaml cannot be read"):
        lint(tmp_path, exports)
