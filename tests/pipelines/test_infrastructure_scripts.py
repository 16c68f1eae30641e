"""The scripts that plan, apply, comment and file, against an Azure DevOps of our own and tools that stand in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.scripts import (
    apply_plan,
    comment_plan,
    file_drift,
    open_pull_request,
    plan_stack,
    stack_plan,
    write_environment,
)
from pipelines.scripts.stack_plan import ACKNOWLEDGE, CHANGES, NONE, About
from tests.pipelines.fake_projects import PROJECT, REPOSITORY, TOKEN, FakeProject, running

BACKEND = "azblob://state?storage_account=stshop"
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProject]:
    with running(FakeProject()) as fake:
        monkeypatch.setenv("SYSTEM_COLLECTIONURI", f"{fake.url}/example/")
        monkeypatch.setenv("SYSTEM_TEAMPROJECTID", PROJECT)
        monkeypatch.setenv("BUILD_BUILDID", "70")
        monkeypatch.delenv("TF_BUILD", raising=False)
        yield fake


def planned(directory: Path, changes: str = CHANGES, report: str = "## prod\n\nNothing is lost.", **said: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    About(**{"stack": "prod", "commit": "c" * 40, "changes": changes, **said}).write(directory)
    if report:
        (directory / "review.md").write_text(report, "utf-8")
    return directory


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose engine and whose review do what the environment says, in a git repository with one commit."""
    root = tmp_path / "project"
    for path, text in {
        ".tools/bin/pulumi": """#!/bin/sh
            echo "$PULUMI_BACKEND_URL $*" >> "$CALLS"
            while [ $# -gt 0 ]; do [ "$1" = --save-plan ] && echo plan > "$2"; shift; done
            echo '{}'; exit "${ENGINE_CODE:-0}"
            """,
        ".venv/bin/python": """#!/bin/sh
            echo "python $*" >> "$CALLS"
            while [ $# -gt 0 ]; do
              case "$1" in --markdown | --html) echo report > "$2" ;; --json) echo '{}' > "$2" ;; esac
              shift
            done
            echo "##vso[task.setvariable variable=stolen]report"; echo broken >&2; exit "${REVIEW_CODE:-2}"
            """,
        "Pulumi.prod.yaml": "config: {}\n",
        "docs/x.md": "x\n",
        ".gitignore": ".tools\n.venv\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("\n".join(line.strip() for line in text.splitlines()) + "\n", "utf-8")
    for tool in (".tools/bin/pulumi", ".venv/bin/python"):
        (root / tool).chmod(0o755)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.email", "somebody@contoso.example")
    git(root, "config", "user.name", "Somebody")
    commit(root, "first")
    return root


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path, what: str) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", what)
    return git(root, "rev-parse", "HEAD")


def calls(project: Path) -> list[str]:
    path = project.parent / "calls"
    return path.read_text("utf-8").splitlines() if path.exists() else []


def plan(project: Path, *more: str, stack: str = "prod") -> int:
    where = ["--project", str(project), "--out", str(project.parent / "out")]
    return plan_stack.main(["--stack", stack, "--backend", BACKEND, *where, *more])


class TestWhichStackAChangeConcerns:
    @pytest.mark.parametrize(
        ("path", "concerned"),
        [
            ("Pulumi.prod.yaml", True),
            ("Pulumi.staging.yaml", False),
            ("components/vault.py", True),
            ("settings.py", True),
            ("Pulumi.yaml", True),
            ("pipelines/cd.yml", True),
            ("workload/chart/values.yaml", True),
            ("docs/review.md", False),
            ("tests/test_gates.py", False),
            ("bootstrap/rights.py", False),
            ("README.md", False),
            ("rehearsal/engine.py", False),
        ],
    )
    def test_by_path(self, path: str, concerned: bool) -> None:
        assert stack_plan.concerns([path], "prod") is concerned

    def test_every_module_that_the_program_imports_concerns_it(self) -> None:
        root = Path(__file__).resolve().parents[2]
        for path in root.glob("*.py"):
            assert stack_plan.concerns([path.name], "prod")
        for package in ("components", "wiring", "validation", "policies"):
            assert stack_plan.concerns([f"{package}/x.py"], "prod")


class TestAPlan:
    @pytest.mark.parametrize(("code", "word"), [("0", NONE), ("2", CHANGES), ("3", ACKNOWLEDGE)])
    def test_the_review_says_what_it_changes(
        self, code: str, word: str, project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REVIEW_CODE", code)
        assert plan(project) == 0
        assert stack_plan.read(project.parent / "out") == About("prod", git(project, "rev-parse", "HEAD"), word)
        said = capsys.readouterr().out
        assert f"##vso[task.setvariable variable=changes;issecret=false;isOutput=true]{word}" in said
        # A report is text of the change's author: no line of it commands the agent.
        assert "##vso[task.setvariable variable=stolen]" not in said

    def test_only_what_is_to_be_applied_is_kept(self, project: Path) -> None:
        assert plan(project) == 0
        assert not (project.parent / "out" / "plan.json").exists()
        assert plan(project, "--save") == 0
        assert (project.parent / "out" / "plan.json").read_text("utf-8") == "plan\n"

    def test_the_engine_is_asked_for_this_stack_in_this_backend(self, project: Path) -> None:
        assert plan(project, "--refresh") == 0
        asked = f"{BACKEND} preview --stack prod --non-interactive --json --show-sames --refresh"
        assert calls(project)[0] == asked

    def test_a_stack_that_is_not_concerned_is_not_planned(self, project: Path) -> None:
        git(project, "checkout", "--quiet", "-b", "change")
        (project / "docs" / "x.md").write_text("y\n", "utf-8")
        commit(project, "second")
        assert plan(project, "--base", "main") == 0
        assert calls(project) == []
        assert stack_plan.read(project.parent / "out").changes == NONE

    def test_a_stack_that_is_concerned_is(self, project: Path) -> None:
        git(project, "checkout", "--quiet", "-b", "change")
        (project / "Pulumi.prod.yaml").write_text("config: {a: b}\n", "utf-8")
        commit(project, "second")
        assert plan(project, "--base", "main") == 0
        assert len(calls(project)) == 2

    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            ({"ENGINE_CODE": "255"}, "pulumi preview: exit 255"),
            ({"REVIEW_CODE": "1"}, "python -m review: exit 1: broken"),
        ],
    )
    def test_what_fails_leaves_nothing_behind(
        self,
        variables: dict[str, str],
        words: str,
        project: Path,
        capsys: Captured,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert plan(project) == 1
        assert words in capsys.readouterr().err
        assert not (project.parent / "out").exists()

    def test_an_unknown_stack(self, project: Path, capsys: Captured) -> None:
        assert plan(project, stack="qa") == 1
        assert "the stack qa has no file in project; stacks that have one: prod" in capsys.readouterr().err

    @pytest.mark.parametrize("arguments", [["--stack", "Prod"], ["--backend", "prod"]])
    def test_arguments_that_cannot_be(self, arguments: list[str], project: Path, capsys: Captured) -> None:
        with pytest.raises(SystemExit) as ended:
            plan(project, *arguments)
        assert ended.value.code == 2
        assert "allowed: " in capsys.readouterr().err


class TestWhatIsApplied:
    def apply(self, project: Path, *more: str) -> int:
        where = ["--project", str(project), "--plan", str(project.parent / "out")]
        return apply_plan.main(["--stack", "prod", "--backend", BACKEND, *where, *more])

    def test_is_exactly_the_plan(self, project: Path) -> None:
        assert plan(project, "--save") == self.apply(project) == 0
        kept = project.parent / "out" / "plan.json"
        assert calls(project)[-1] == (f"{BACKEND} up --stack prod --plan {kept} --yes --skip-preview --non-interactive")

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"stack": "staging"}, "is of the stack staging, not of prod"),
            ({"commit": "d" * 40}, "is of the commit " + "d" * 40),
        ],
    )
    def test_is_no_plan_of_something_else(
        self, said: dict[str, str], words: str, project: Path, capsys: Captured
    ) -> None:
        planned(project.parent / "out", **{"commit": git(project, "rev-parse", "HEAD"), **said})
        assert self.apply(project) == 1
        assert words in capsys.readouterr().err
        assert calls(project) == []

    def test_is_nothing_without_a_plan(self, project: Path, capsys: Captured) -> None:
        assert self.apply(project) == 1
        assert "is no plan" in capsys.readouterr().err
        assert plan(project) == 0
        assert self.apply(project) == 1
        assert "plan.json: is missing" in capsys.readouterr().err

    def test_an_update_that_the_plan_does_not_allow_is_said(
        self, project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert plan(project, "--save") == 0
        monkeypatch.setenv("ENGINE_CODE", "255")
        assert self.apply(project) == 1
        assert "pulumi up: exit 255" in capsys.readouterr().err


class TestTheCommentOnAPullRequest:
    def say(self, directory: Path, token: str = TOKEN) -> int:
        where = ["--plan", str(directory), "--repository", REPOSITORY, "--pull-request", "17"]
        return comment_plan.main(where, lambda seconds: None, lambda: token)

    def test_is_written_once_and_renewed_in_place(self, there: FakeProject, tmp_path: Path) -> None:
        assert self.say(planned(tmp_path)) == 0
        assert self.say(planned(tmp_path, report="## prod\n\nAnother report.")) == 0
        assert len(there.threads) == 1
        assert "Another report." in there.threads[0]["comments"][0]["content"]

    def test_each_stack_has_its_own(self, there: FakeProject, tmp_path: Path) -> None:
        assert self.say(planned(tmp_path)) == self.say(planned(tmp_path, stack="staging")) == 0
        assert len(there.threads) == 2

    @pytest.mark.parametrize(("changes", "status"), [(CHANGES, "closed"), (ACKNOWLEDGE, "active")])
    def test_what_has_to_be_acknowledged_keeps_it_open(
        self, changes: str, status: str, there: FakeProject, tmp_path: Path
    ) -> None:
        assert self.say(planned(tmp_path, changes)) == 0
        assert there.threads[0]["status"] == status

    def test_what_somebody_has_resolved_stays_resolved_while_the_report_is_the_same(
        self, there: FakeProject, tmp_path: Path
    ) -> None:
        assert self.say(planned(tmp_path, ACKNOWLEDGE)) == 0
        there.threads[0]["status"] = "fixed"
        assert self.say(planned(tmp_path, ACKNOWLEDGE)) == 0
        assert there.threads[0]["status"] == "fixed"
        assert self.say(planned(tmp_path, ACKNOWLEDGE, report="Worse.")) == 0
        assert there.threads[0]["status"] == "active"

    def test_nothing_is_said_where_nothing_changes_and_nothing_was_said(
        self, there: FakeProject, tmp_path: Path
    ) -> None:
        assert self.say(planned(tmp_path, NONE, report="")) == 0
        assert there.writes == []

    def test_what_was_said_is_taken_back_where_nothing_changes_any_more(
        self, there: FakeProject, tmp_path: Path
    ) -> None:
        assert self.say(planned(tmp_path / "one", ACKNOWLEDGE)) == 0
        assert self.say(planned(tmp_path / "other", NONE, report="")) == 0
        assert there.threads[0]["status"] == "closed"
        assert "nothing of it is changed" in there.threads[0]["comments"][0]["content"]

    def test_what_comes_late_is_waited_for(self, there: FakeProject, tmp_path: Path) -> None:
        there.late = [503, 429]
        assert self.say(planned(tmp_path)) == 0

    def test_a_refusal_is_said_at_once(self, there: FakeProject, tmp_path: Path, capsys: Captured) -> None:
        there.refused = 403
        assert self.say(planned(tmp_path)) == 1
        assert "403 TF401027" in capsys.readouterr().err

    def test_outside_of_a_run(self, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SYSTEM_COLLECTIONURI", raising=False)
        assert self.say(planned(tmp_path)) == 1
        assert "SYSTEM_COLLECTIONURI" in capsys.readouterr().err


class TestDrift:
    def file(self, directory: Path) -> int:
        return file_drift.main(["--plan", str(directory)], lambda seconds: None, lambda: TOKEN)

    def test_is_filed_once_and_renewed_in_place(self, there: FakeProject, tmp_path: Path) -> None:
        assert self.file(planned(tmp_path, report="<b>gone</b>")) == self.file(planned(tmp_path, report="more")) == 0
        assert [*there.items] == [1]
        assert "more" in there.items[1]["System.Description"]
        assert there.items[1]["System.Title"] == "The stack prod has drifted"

    def test_a_report_is_text_and_no_markup(self, there: FakeProject, tmp_path: Path) -> None:
        assert self.file(planned(tmp_path, report="<script>")) == 0
        assert "&lt;script&gt;" in there.items[1]["System.Description"]

    def test_each_stack_has_its_own(self, there: FakeProject, tmp_path: Path) -> None:
        assert self.file(planned(tmp_path)) == self.file(planned(tmp_path, stack="staging")) == 0
        assert len(there.items) == 2

    def test_what_was_closed_is_filed_anew(self, there: FakeProject, tmp_path: Path) -> None:
        assert self.file(planned(tmp_path)) == 0
        there.items[1]["System.State"] = "Done"
        assert self.file(planned(tmp_path)) == 0
        assert [*there.items] == [1, 2]

    def test_that_is_over_is_told_and_left_to_a_person(self, there: FakeProject, tmp_path: Path) -> None:
        assert self.file(planned(tmp_path / "one")) == self.file(planned(tmp_path / "other", NONE, report="")) == 0
        assert there.items[1]["System.History"] == "Nothing has drifted any more."
        assert there.items[1]["System.State"] == "To Do"

    def test_that_is_not_there_files_nothing(self, there: FakeProject, tmp_path: Path) -> None:
        assert self.file(planned(tmp_path, NONE, report="")) == 0
        assert there.items == {}

    def test_without_boards_somebody_is_told_how_to_have_them(
        self, there: FakeProject, tmp_path: Path, capsys: Captured
    ) -> None:
        there.boards = False
        assert self.file(planned(tmp_path)) == 1
        assert "add boards to aks-cicd:delivery.home.project.services" in capsys.readouterr().err


class TestANewEnvironment:
    @pytest.mark.parametrize(
        ("said", "options"),
        [
            ({"NAME": "qa", "FROM": "staging", "REGION": " ", "TIER": "as the other"}, ["--name=qa", "--from=staging"]),
            (
                {"NAME": "qa", "REGISTRY": "own", "TIER": "production"},
                ["--name=qa", "--tier=production", "--registry=own"],
            ),
            ({"NAME": "--json=/etc/x; rm -rf /"}, ["--name=--json=/etc/x; rm -rf /"]),
            ({}, []),
        ],
    )
    def test_is_asked_for_as_it_was_said(self, said: dict[str, str], options: list[str]) -> None:
        assert write_environment.options(said) == options

    def test_that_is_refused_is_said(
        self, project: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REVIEW_CODE", "1")
        assert write_environment.main(["--project", str(project), "--out", str(tmp_path / "told")]) == 1
        assert "no environment is written" in capsys.readouterr().err

    @pytest.fixture
    def remote(self, project: Path, tmp_path: Path) -> Path:
        bare = tmp_path / "remote.git"
        git(tmp_path, "init", "--quiet", "--bare", str(bare))
        git(project, "remote", "add", "origin", str(bare))
        git(project, "push", "--quiet", "origin", "main")
        (project / "Pulumi.qa.yaml").write_text("config: {}\n", "utf-8")
        return bare

    def open(self, project: Path, **said: Any) -> int:
        result = project.parent / "environment.json"
        known = {"environment": "qa", "file": "Pulumi.qa.yaml", "from": "staging", "tier": "nonproduction"}
        result.write_text(json.dumps({**known, "region": "westeurope", "next": ["Commit it."], **said}), "utf-8")
        where = ["--project", str(project), "--result", str(result)]
        return open_pull_request.main(where, lambda seconds: None, lambda: TOKEN)

    def test_comes_as_a_pull_request_with_one_file(self, there: FakeProject, project: Path, remote: Path) -> None:
        assert self.open(project) == 0
        assert git(remote, "diff", "--name-only", "main", "environments/qa") == "Pulumi.qa.yaml"
        (pull,) = there.pulls
        assert (pull["sourceRefName"], pull["targetRefName"]) == ("refs/heads/environments/qa", "refs/heads/main")
        assert "1. Commit it." in pull["description"]

    def test_a_second_run_finds_the_pull_request_of_the_first(
        self, there: FakeProject, project: Path, remote: Path
    ) -> None:
        assert self.open(project) == 0
        git(project, "checkout", "--quiet", "main")
        (project / "Pulumi.qa.yaml").write_text("config: {a: b}\n", "utf-8")
        assert self.open(project, next=["Look again."]) == 0
        assert len(there.pulls) == 1
        assert "Look again." in there.pulls[0]["description"]

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"unchanged": True}, "is on main already"),
            ({"environment": "../x"}, "does not say which environment"),
            ({"file": "Pulumi.prod.yaml"}, "does not say which environment"),
        ],
    )
    def test_what_cannot_be_opened(
        self, said: dict[str, Any], words: str, there: FakeProject, project: Path, remote: Path, capsys: Captured
    ) -> None:
        assert self.open(project, **said) == 1
        assert words in capsys.readouterr().err
        assert there.pulls == []
