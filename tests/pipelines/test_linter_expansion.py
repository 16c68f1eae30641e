"""Templates expand as Azure Pipelines expands them; what cannot be expanded is a finding with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.pipelines.expand import Expander
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.frames import Frame
from rehearsal.pipelines.nodes import Foreign, Map, Node, Seq, Text, YamlError, load, texts
from rehearsal.pipelines.sources import Origin, Sources

SEEDS = """
platform:
  - files: pipelines/*.yml
application:
  - { files: app/*.yml, without: app/ }
"""


def plain(node: Node) -> Any:
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Seq):
        return [plain(item) for item in node.items]
    return {key.value: plain(value) for key, value in node.items}


class Project:
    """Files of two repositories, and one that is expanded."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.findings: list[Finding] = []
        self.write("pipelines/seeds.yaml", SEEDS)
        self.write("pipelines/unused.yml", "steps: []")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, "utf-8")

    def template(self, name: str, parameters: Mapping[str, str], *steps: str) -> None:
        """One of steps, in the platform repository; each step stands on a line of its own."""
        declared = "".join(f"- {{ name: {one}, type: {type_} }}\n" for one, type_ in parameters.items())
        body = "".join(f"- {step}\n" for step in steps)
        self.write(f"pipelines/{name}.yml", f"parameters:\n{declared}steps:\n{body}")

    def expanded(self, text: str, **parameters: Any) -> Node:
        self.write("app/root.yml", text)
        sources = Sources(self.root)
        origin = Origin("application", "root.yml")
        aliases = {"self": "application", "platform": "platform"}
        document = sources.load(self.root / "app" / "root.yml")
        variables: Mapping[str, str] = {
            "system.teamproject": "Shop",
            "build.sourcebranchname": Foreign("main"),
        }
        return Expander(sources, aliases, self.findings).node(document, Frame(origin, parameters, variables, {}))

    def said(self) -> list[str]:
        return [f"{finding.file}:{finding.line} {finding.message}" for finding in self.findings]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def items(*pairs: str) -> Seq:
    """`a=1` makes a mapping."""
    from rehearsal.pipelines.finding import Place

    at = Place("given.yml", 1)
    made = [
        Map(tuple((Text(p.split("=")[0], at), Text(p.split("=")[1], at)) for p in pair.split()), at) for pair in pairs
    ]
    return Seq(tuple(made), at)


def test_branches_are_taken_once_and_in_order(project: Project) -> None:
    text = """
    steps:
    - ${{ if eq(parameters.a, 1) }}:
      - bash: one
    - ${{ elseif eq(parameters.a, 2) }}:
      - bash: two
    - ${{ elseif eq(parameters.a, 2) }}:
      - bash: again
    - ${{ else }}:
      - bash: other
    pool:
      ${{ if eq(parameters.a, 1) }}:
        name: x
      ${{ else }}:
        vmImage: y
    """
    assert plain(project.expanded(text, a=1.0)) == {"steps": [{"bash": "one"}], "pool": {"name": "x"}}
    assert plain(project.expanded(text, a=2.0)) == {"steps": [{"bash": "two"}], "pool": {"vmImage": "y"}}
    assert plain(project.expanded(text, a=3.0)) == {"steps": [{"bash": "other"}], "pool": {"vmImage": "y"}}
    assert not project.findings


def test_loops_go_over_lists_and_mappings(project: Project) -> None:
    text = """
    steps:
    - ${{ each one in parameters.list }}:
      - bash: ${{ one.key }}
        env:
          ${{ each pair in one }}:
            ${{ pair.key }}_IS: ${{ pair.value }}
          ${{ insert }}: { MORE: x }
    """
    assert plain(project.expanded(text, list=items("key=a", "key=b more=c"))) == {
        "steps": [
            {"bash": "a", "env": {"key_IS": "a", "MORE": "x"}},
            {"bash": "b", "env": {"key_IS": "b", "more_IS": "c", "MORE": "x"}},
        ]
    }


def test_lists_are_flattened_and_scalars_are_joined(project: Project) -> None:
    text = """
    dependsOn:
    - first
    - ${{ parameters.list }}
    - ${{ parameters.none }}
    name: a-${{ parameters.flag }}-${{ variables['System.TeamProject'] }}
    """
    expanded = project.expanded(text, list=items("key=a"), none="", flag=True)
    assert plain(expanded) == {"dependsOn": ["first", {"key": "a"}], "name": "a-True-Shop"}


def using(name: str, **parameters: str) -> str:
    """A file whose only step is a template of the platform repository."""
    given = "".join(f"    {key}: {value}\n" for key, value in parameters.items())
    return f"steps:\n- template: pipelines/{name}.yml@platform\n  parameters:\n{given}"


def test_templates_are_found_by_path_and_repository_and_see_their_own_parameters_alone(project: Project) -> None:
    inner = "template: inner.yml\n  parameters: { text: '${{ parameters.word }}!' }"
    project.template("outer", {"word": "string"}, inner)
    project.template("inner", {"text": "string"}, "bash: echo ${{ parameters.text }}")
    expanded = project.expanded(using("outer", word="hello"))
    assert plain(expanded) == {"steps": [{"bash": "echo hello!"}]}
    assert {str(text.at) for text in texts(expanded)} == {"pipelines/inner.yml:4"}
    project.template("outer", {"text": "string"}, inner)
    project.expanded(using("outer", text="hello"))
    assert project.said() == ["pipelines/outer.yml:5 there is no parameter 'word'"]


def test_steps_that_are_given_keep_the_place_where_they_are_written(project: Project) -> None:
    project.template("wrap", {"steps": "stepList"}, "bash: before", "${{ parameters.steps }}")
    expanded = project.expanded(using("wrap", steps="[bash: own]"))
    assert plain(expanded) == {"steps": [{"bash": "before"}, {"bash": "own"}]}
    assert [str(text.at) for text in texts(expanded)] == ["pipelines/wrap.yml:4", "app/root.yml:4"]


def test_variables_of_a_stage_are_known_in_it_and_nowhere_else(project: Project) -> None:
    text = """
    stages:
    - stage: a
      variables:
      - name: kind
        value: big
      jobs:
      - job: ${{ variables.kind }}
    - stage: b
      jobs:
      - job: ${{ variables.kind }}
    """
    expanded = plain(project.expanded(text))
    assert expanded["stages"][0]["jobs"] == [{"job": "big"}]
    assert project.said() == ["app/root.yml:11 there is no variable that is known when a run is compiled 'kind'"]


def test_text_of_somebody_outside_stays_marked_by_way_of_parameters(project: Project) -> None:
    steps = ("bash: echo ${{ parameters.text }} ${{ lower(parameters.text) }}", "bash: quiet")
    project.template("inner", {"text": "string"}, *steps)
    expanded = project.expanded(using("inner", text="x-${{ variables['Build.SourceBranchName'] }}"))
    first, second = texts(expanded)
    assert isinstance(first.value, Foreign)
    assert not isinstance(second.value, Foreign)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps:\n- template: pipelines/none.yml@platform\n", "app/root.yml:2 there is no template pipelines/none.yml"),
        ("steps:\n- template: ../secret.yml@platform\n", "there is no template"),
        ("steps:\n- template: x.yml@elsewhere\n", "there is no repository 'elsewhere'"),
        ("steps:\n- template: root.yml\n", "templates are nested more than 20 deep"),
        ("steps:\n- template: list.yml\n", "a template is a mapping"),
        ("steps:\n- template: broken.yml\n", "app/broken.yml:3 this is not YAML"),
        ("steps:\n- template: [x]\n", "a template reference is no path"),
        ("steps:\n- template: jobs.yml\n", "is no template of steps"),
        ("steps:\n- template: steps.yml\n  with: {}\n", "a template reference has no key 'with'"),
        ("steps:\n- template: steps.yml\n  parameters: [x]\n", "parameters are a mapping"),
        ("steps:\n- template: scalar.yml\n", "steps are a list"),
        ("steps:\n- ${{ else }}:\n  - bash: x\n", "else follows no if"),
        ("steps:\n- ${{ if eq(1) }}:\n  - bash: x\n", "eq() takes 2 arguments"),
        ("steps:\n- ${{ each x of y }}:\n  - bash: x\n", "each does not read `name in list`"),
        ("steps:\n- ${{ each x in 'text' }}:\n  - bash: x\n", "is neither a list nor a mapping"),
        ("steps:\n- ${{ each x in y }}:\n  - bash: x\n", "'y' is not known here"),
        ("pool:\n  ${{ if true }}:\n  - a\n", "only a mapping can be inserted into a mapping"),
        ("pool:\n  ${{ parameters.list }}: a\n", "a key is text"),
        ("pool:\n  name: a\n  ${{ insert }}: { name: b }\n", "the key 'name' is inserted twice"),
        ("name: a ${{ parameters.list }}\n", "a mapping or a sequence"),
        ("name: ${{ 'a' \n", "the expression does not end"),
    ],
)
def test_what_cannot_be_expanded_is_a_finding(text: str, said: str, project: Project) -> None:
    project.write("app/list.yml", "- a\n")
    project.write("app/broken.yml", "steps:\n- [\n")
    project.write("app/jobs.yml", "jobs: []\n")
    project.write("app/steps.yml", "steps: []\n")
    project.write("app/scalar.yml", "steps: none\n")
    project.expanded(text, list=items("key=a"))
    assert any(said in each for each in project.said()), project.said()


@pytest.mark.parametrize(
    ("declared", "given", "said"),
    [
        ("type: string", "value: [x]", "a string is expected, not a list"),
        ("type: boolean", "value: 'yes'", "true or false is expected, not 'yes'"),
        ("type: number", "value: many", "a number is expected, not 'many'"),
        ("type: number", "value: 7", ""),
        ("type: object", "value: [{ a: b }]", ""),
        ("type: stepList", "value: { a: b }", "a stepList is expected, not a mapping"),
        ("type: stepList", "value: text", "a stepList is expected, not 'text'"),
        ("type: step", "value: [x]", "a step is expected, not a list"),
        ("type: string\n  values: [a, b]", "value: c", "'c' is none of a, b"),
        ("type: string\n  default: ${{ x }}", "value: c", "has an expression as default"),
        ("type: boolean\n  default: perhaps", "value: true", "has a default that does not fit"),
        ("type: word", "value: c", "has the type 'word'; allowed: string"),
        ("type: string\n  allowed: [a]", "value: c", "has an unknown key 'allowed'"),
        ("type: string\n  values: a", "value: a", "has values that are no list"),
        (
            "type: string\n- name: VALUE\n  type: string\n  default: ''",
            "value: a",
            "the parameter VALUE is declared twice",
        ),
        ("type: string\n- type: string", "value: a", "this declares no parameter"),
        ("type: string", "other: a", "the template declares no parameter other; it declares: value"),
        ("type: string", "other: a", "the parameter value is not given and has no default"),
    ],
)
def test_parameters_are_held_against_their_declaration(declared: str, given: str, said: str, project: Project) -> None:
    project.write("pipelines/one.yml", f"parameters:\n- name: value\n  {declared}\nsteps:\n- bash: x\n")
    project.expanded(f"steps:\n- template: pipelines/one.yml@platform\n  parameters:\n    {given}\n")
    assert any(said in each for each in project.said()) if said else not project.findings, project.said()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\n", "1 Azure Pipelines knows no YAML anchors"),
        ("a: 1\nb: *x\n", "2 Azure Pipelines knows no YAML anchors"),
        ("a: !!str 1\n", "1 Azure Pipelines knows no YAML tags"),
        ("a: 1\nb: 2\na: 3\n", "3 the key 'a' is given twice"),
        ("? [a]\n: 1\n", "1 a key is not text"),
        ("a: 1\n---\nb: 1\n", "2 a second document begins here"),
        ("", "1 the file is empty"),
        ("a: [\n", "2 this is not YAML"),
        ("a: \x00\n", "1 this is not YAML"),
    ],
)
def test_yaml_that_azure_pipelines_does_not_read_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "file.yml"
    file.write_text(text, "utf-8")
    with pytest.raises(YamlError) as error:
        load(file, "file.yml")
    assert f"{error.value.at.line} {error.value.message}".startswith(said)


def test_scalars_stay_the_text_that_was_written(tmp_path: Path) -> None:
    file = tmp_path / "file.yml"
    file.write_text("a: yes\nb: 1.10\nc: 'on'\nd:\n", "utf-8")
    assert plain(load(file, "file.yml")) == {"a": "yes", "b": "1.10", "c": "on", "d": ""}
