"""What the scripts of the pipelines share: the release file, words to the agent, and the running of tools."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.scripts import agent, azure_pipelines, release
from pipelines.scripts.commands import CommandError, Patience, json_of, name_of, run, shorten

Captured = pytest.CaptureFixture[str]
DIGEST = "sha256:" + "a" * 64
RELEASE = {
    "schema": 1,
    "image": "team/shop",
    "digest": DIGEST,
    "testsImage": "team/shop-tests",
    "testsDigest": DIGEST,
    "tag": "20260101.1",
    "chart": "shop-0.1.7.tgz",
    "commit": "0123456789" * 4,
    "run": 7,
}


def test_a_release_comes_back_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(RELEASE), encoding="utf-8")
    found = release.read(tmp_path / "a.json")
    release.write(found, tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text(encoding="utf-8")) == RELEASE
    assert found.images == (("team/shop", DIGEST), ("team/shop-tests", DIGEST))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "digest",
            "20260101.1",
            "digest: '20260101.1'; allowed: sha256: and 64 hexadecimal digits; a tag can be moved",
        ),
        ("digest", "latest", "digest: 'latest'; allowed: sha256:"),
        ("digest", DIGEST.upper(), "digest: 'SHA256:"),
        ("testsDigest", None, "testsDigest: None; allowed: sha256:"),
        ("image", "evil.azurecr.io/shop", "image: 'evil.azurecr.io/shop'; allowed: a repository, without registry"),
        ("image", "localhost/shop", "image: 'localhost/shop'; allowed: a repository, without registry"),
        ("image", "shop:1", "image: 'shop:1'; allowed: a repository, without registry and tag"),
        ("image", "team/shop-tests", "testsImage: 'team/shop-tests' is the image itself"),
        ("chart", "../shop.tgz", "chart: '../shop.tgz'; allowed: the file name of a chart package"),
        ("commit", "main", "commit: 'main'; allowed: 40 hexadecimal digits"),
        ("tag", "a b", "tag: 'a b'; allowed: a tag of a registry"),
        ("run", "7", "run: '7'; allowed: the number of a run"),
        ("run", True, "run: True; allowed: the number of a run"),
        ("schema", 2, "schema: 2; allowed: 1"),
        ("registry", "x", "registry: is unknown; allowed: chart, commit,"),
    ],
)
def test_a_release_that_says_what_it_may_not_is_refused(tmp_path: Path, key: str, value: object, said: str) -> None:
    file = tmp_path / "release.json"
    file.write_text(json.dumps({**RELEASE, key: value}), encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        release.read(file)
    assert str(refused.value).startswith("release.json: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", sorted(RELEASE))
def test_a_release_without_one_of_its_facts_is_refused(key: str) -> None:
    assert release.judge({name: value for name, value in RELEASE.items() if name != key}) == [f"{key}: is missing"]


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("{", "is not JSON"), ("[]", "no object")])
def test_what_is_no_release_is_told(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "release.json").write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=said):
        release.read(tmp_path / "release.json")


def test_a_value_cannot_end_its_command_or_begin_another(capsys: Captured) -> None:
    azure_pipelines.set_variable("a;b]c", "x\n##vso[task.complete]%0A", output=True)
    assert capsys.readouterr().out == (
        "##vso[task.setvariable variable=a%3Bb%5Dc;issecret=false;isOutput=true]x%0A##vso[task.complete]%AZP250A\n"
    )


@pytest.mark.parametrize(("say", "kind"), [(agent.fail, "error"), (agent.warn, "warning")])
def test_an_issue_is_one_line_for_the_agent_and_for_a_person(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], object], kind: str
) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    say("two\n lines ##vso[task.complete]")
    assert capsys.readouterr().out == f"##vso[task.logissue type={kind}]two lines ## vso[task.complete]\n"
    monkeypatch.delenv("TF_BUILD")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    say("::add-path::/tmp\n 100% of two lines")
    assert capsys.readouterr().out == f"::{kind}::: :add-path::/tmp 100%25 of two lines\n"
    monkeypatch.delenv("GITHUB_ACTIONS")
    say("two\n lines")
    assert capsys.readouterr() == ("", f"{kind}: two lines\n")


def test_what_others_wrote_commands_nobody() -> None:
    assert azure_pipelines.plain("##vso[x]y ##[error]z") == "## vso[x]y ## [error]z"


@pytest.mark.parametrize("value", ["a\nb", "a\n", "a\rb"])
def test_a_secret_that_cannot_be_masked_is_not_set(capsys: Captured, value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        azure_pipelines.set_variable("a", value, secret=True)
    assert capsys.readouterr().out == ""


class TestOnARunnerOfGitHub:
    @pytest.fixture
    def handed(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.delenv("TF_BUILD", raising=False)
        for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH"):
            monkeypatch.setenv(name, str(tmp_path / name))
        return tmp_path

    def test_a_secret_is_masked_and_in_nobodys_environment(self, handed: Path, capsys: Captured) -> None:
        agent.set_variable("KEY", "50%", secret=True)
        assert capsys.readouterr().out == "::add-mask::50%25\n"
        assert not (handed / "GITHUB_ENV").exists()
        first, value, last = (handed / "GITHUB_OUTPUT").read_text().splitlines()
        assert (first.partition("<<")[0], value, last) == ("KEY", "50%", first.partition("<<")[2])

    def test_an_output_and_a_variable_go_where_the_runner_looks_for_them(self, handed: Path) -> None:
        agent.set_variable("digest", "sha256:0", output=True)
        agent.set_variable("KUBECONFIG", "/tmp/k")
        assert "\nsha256:0\n" in (handed / "GITHUB_OUTPUT").read_text()
        assert "\n/tmp/k\n" in (handed / "GITHUB_ENV").read_text()

    def test_no_value_can_end_its_own_and_begin_another(self, handed: Path) -> None:
        agent.set_variable("a", "x\nend-0\nPATH=/tmp", output=True)
        first, *_, last = (handed / "GITHUB_OUTPUT").read_text().splitlines()
        assert len(last) > 30
        assert first == f"a<<{last}"
        agent.set_variable("b", "x", output=True)
        assert (handed / "GITHUB_OUTPUT").read_text().count(last) == 2, "another one each time"

    @pytest.mark.parametrize("value", ["a\nb", "a\r"])
    def test_a_secret_that_cannot_be_masked_is_not_set(self, handed: Path, value: str) -> None:
        with pytest.raises(ValueError, match="line break"):
            agent.set_variable("a", value, secret=True)
        assert not (handed / "GITHUB_OUTPUT").exists()

    def test_a_directory_comes_first_on_the_path_of_what_follows(self, handed: Path) -> None:
        agent.add_path(Path("/opt/tools"))
        assert (handed / "GITHUB_PATH").read_text() == "/opt/tools\n"

    def test_what_others_wrote_commands_neither(self) -> None:
        said = "::set-output name=x::y\n  ::error::no\n##vso[x]##[group]a ::b"
        assert agent.plain(said) == ": :set-output name=x::y\n  : :error::no\n## vso[x]## [group]a ::b"

    def test_an_image_is_told_to_come_from_the_run(self) -> None:
        told = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "contoso/shop",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_WORKFLOW_REF": "contoso/shop/.github/workflows/ci.yml@refs/heads/main",
            "GITHUB_RUN_ATTEMPT": "2",
        }
        assert agent.origin(77, told) == agent.Origin(
            "https://actions.github.io/buildtypes/workflow/v1",
            "https://github.com/contoso/shop",
            "refs/heads/main",
            "https://github.com/contoso/shop/.github/workflows/ci.yml@refs/heads/main",
            "https://github.com/contoso/shop/actions/runs/77/attempts/2",
        )
        with pytest.raises(agent.UnknownOriginError, match="not set: GITHUB_REF;"):
            agent.origin(77, {**told, "GITHUB_REF": ""})


def shell(text: str) -> list[str]:
    return ["sh", "-c", text]


def test_what_a_tool_says_comes_back_and_its_failure_is_one_line() -> None:
    assert run(shell("cat"), feed="a\nb") == "a\nb"
    with pytest.raises(CommandError) as failed:
        run(shell("echo out; echo one >&2; echo two >&2; exit 3"))
    assert str(failed.value) == "sh: exit 3: one two"
    with pytest.raises(CommandError, match=r"^sh: exit 4: out$"):
        run(shell("echo out; exit 4"))


def test_what_is_fed_is_in_no_error() -> None:
    with pytest.raises(CommandError) as failed:
        run(shell("cat > /dev/null; exit 1"), feed="a-secret")
    assert "a-secret" not in str(failed.value)


def test_a_tool_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="no-such-tool is not on the PATH"):
        run(["no-such-tool"])
    with pytest.raises(CommandError, match="sh is not on the PATH"):
        run(["sh"], environment={"PATH": "/nowhere"})


def test_a_tool_that_hangs_is_ended_and_may_leave_things_in_order(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(CommandError, match=r"sh: timed out after 0\.5 s"):
        run(shell(f"trap 'echo ended > {tmp_path}/note; exit' TERM; while :; do sleep 0.1; done"), seconds=0.5)
    assert time.monotonic() - begun < 10
    assert (tmp_path / "note").read_text(encoding="utf-8") == "ended\n"


@pytest.mark.parametrize(
    ("said", "tries"),
    [
        ("Status: 429 Too Many Requests", 3),
        ("connection reset by peer", 3),
        ("(AuthorizationFailed) does not have authorization", 3),
        ("unauthorized: authentication required", 3),
        ("unexpected EOF", 3),
        ("manifest unknown", 1),
        ("sha256:4290000 is wrong", 1),
        ("invalid argument", 1),
    ],
)
def test_only_what_passes_by_itself_is_tried_again(tmp_path: Path, said: str, tries: int) -> None:
    pauses: list[float] = []
    with pytest.raises(CommandError):
        run(shell(f"echo x >> {tmp_path}/tries; echo '{said}' >&2; exit 1"), patience=Patience(6, pauses.append))
    assert len((tmp_path / "tries").read_text(encoding="utf-8").splitlines()) == tries
    assert pauses == [2, 4][: tries - 1]


def test_patience_is_spent_over_all_calls() -> None:
    pauses: list[float] = []
    patience = Patience(50, pauses.append)
    attempts = [patience.waited(attempt) for attempt in range(9)]
    assert attempts == [True] * 5 + [False] * 4
    assert pauses == [2, 4, 8, 15, 21]


def test_an_answer_that_is_no_json_is_told() -> None:
    assert json_of(shell("echo '[1]'")) == [1]
    with pytest.raises(CommandError, match="sh: the answer is not JSON: hello"):
        json_of(shell("echo hello"))


def test_a_tool_is_named_without_its_arguments() -> None:
    assert name_of(["/usr/bin/az", "acr", "import", "--name", "secret"]) == "az acr import"
    assert name_of(["oras", "login", "prod.azurecr.io"]) == "oras login"
    assert shorten("a\n b " + "c" * 500, 10) == "…" + "c" * 10


SCRIPTS = [
    script
    for script in sorted(Path(release.__file__).parent.glob("*.py"))
    if '__name__ == "__main__"' in script.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_runs_by_its_path_from_anywhere(script: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(script), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {script.name}")
