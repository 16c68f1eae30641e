"""The door on the real engine: a base rehearsed from its own files, and an export of a cloud that is not ours."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
import yaml

from rehearsal.engine import Rehearsal
from review.handover import importable
from tests.conftest import ROOT, Rehearsed
from tests.review.edits import Export, resources, the
from tests.review.test_commits import git

LEFT_OUT = (".git", ".tools", ".venv", "build", "__pycache__", ".*_cache", ".hypothesis")
CANARY = "correct-horse-battery-staple"
EXCEPTED = "cluster-image-cleaner"
HOOK = f"https://workflows.contoso.example/{CANARY}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project in a place of its own, with the engine of here."""
    made = tmp_path / "project"
    shutil.copytree(ROOT, made, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (made / ".gitignore").write_text(".tools\nbuild\n__pycache__\n", "utf-8")
    (made / ".tools").symlink_to(ROOT / ".tools")
    return made


def edit(project: Path, stack: str, section: str, **values: Any) -> None:
    path = project / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(path.read_text("utf-8"))
    content["config"].setdefault(f"aks-cicd:{section}", {}).update(values)
    path.write_text(yaml.safe_dump(content), "utf-8")


def review(project: Path, *arguments: str) -> tuple[int, str, dict[str, str]]:
    """Exit code, the text on stdout, and all that a person gets to see."""
    done = subprocess.run(
        [sys.executable, "-m", "review", *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    place = project / "build" / "review"
    files = {path.name: path.read_text("utf-8") for path in place.glob("review.*")}
    return done.returncode, done.stdout, {"stdout": done.stdout, "stderr": done.stderr, **files}


def test_two_commits_are_compared_each_from_its_own_files(project: Path) -> None:
    (project / "Pulumi.prod.yaml").unlink()
    edit(project, "staging", "alerts", webhooks={"channel": f"{HOOK}-old"})
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Before")
    git(project, "tag", "before")
    edit(project, "staging", "alerts", webhooks={"channel": f"{HOOK}-new"})
    edit(project, "staging", "logs", retentionDays=60)
    path = project / "Pulumi.staging.yaml"
    config = yaml.safe_load(path.read_text("utf-8"))
    config["config"]["aks-cicd:exceptions"] = [{"rule": EXCEPTED, "reason": "A migration.", "until": "2099-01-31"}]
    path.write_text(yaml.safe_dump(config), "utf-8")
    program = (project / "__main__.py").read_text("utf-8")
    aliased = 'ResourceOptions.merge(inside, ResourceOptions(aliases=[pulumi.Alias(name="logs")]))'
    edited = program.replace(
        'Logs("logs", wiring.logs(settings, place), inside)',
        f'Logs("log-books", wiring.logs(settings, place), {aliased})',
    )
    assert edited != program
    (project / "__main__.py").write_text(edited, "utf-8")
    git(project, "commit", "-qam", "After")
    (project / "__main__.py").write_text("raise SystemExit('nobody asked for the working tree')\n", "utf-8")

    code, shown, seen = review(project, "before", "--head", "main")

    assert code == 3, seen["stderr"]
    assert f"ACK='exception:staging/{EXCEPTED}-of-every-resource'" in shown
    assert "Workspace log-shop-staging: retentionInDays 30 → 60 (more)" in shown
    assert "rename Logs log-books (was logs)" in shown
    assert "webhookReceivers[channel].serviceUri: [secret] → [secret]" in shown
    assert "staging: 2 to update, 1 to rename" in shown
    assert set(seen) == {"stdout", "stderr", "review.md", "review.html"}
    assert [name for name, text in seen.items() if CANARY in text] == []
    assert git(project, "status", "--porcelain") == "M __main__.py"
    left = {path.name for path in (project / "build" / "review").iterdir()}
    assert left == {"base", "review.html", "review.md"}


def foreign(export: Mapping[str, Any], place: Path) -> Export:
    """The export as another cloud would have it: with ids of its own, and secrets sealed by somebody else's key."""
    text = json.dumps(export)
    ids = set(re.findall(r'"(?:principalId|clientId|objectId)": "([0-9a-f-]{36})"', text))
    for each in sorted(ids):
        if not each.startswith("00000000"):
            text = text.replace(each, str(uuid5(NAMESPACE_URL, each)))
    made: Export = json.loads(text)
    queue = str(the(made, "PipelineAuthorization", "agents-for-cd")["inputs"]["resourceId"])
    made = json.loads(json.dumps(made).replace(queue, "4711"))
    with Rehearsal.open(ROOT, place, None, configs={"prod": {}}) as engine:
        os.environ["PULUMI_CONFIG_PASSPHRASE"] = "somebody else's"
        engine.take("prod", importable(made, sealed=True))
        sealed = engine.export("prod")
    for old, new in zip(resources(made), resources(sealed), strict=True):
        if old.get("protect"):
            new["protect"] = True
    return sealed


def test_an_export_of_a_real_stack_is_compared_though_its_secrets_stay_sealed(
    project: Path, rehearsed: Mapping[str, Rehearsed], tmp_path: Path
) -> None:
    """Of that stack alone: what it has read of another one, it keeps itself."""
    export = foreign(rehearsed["prod"].export, tmp_path / "engine")
    path = tmp_path / "real.json"
    path.write_text(json.dumps(export), "utf-8")
    edit(project, "prod", "alerts", webhooks={"on-call-channel": f"{HOOK}-new"})

    code, shown, seen = review(project, str(path))

    assert code == 0, seen
    assert shown.startswith("No change.\n")
    assert re.search(r"prod: \d+ secrets? sealed on both sides, and so not compared\.", shown)
    assert [name for name, text in seen.items() if CANARY in text] == []

    shown_secrets = json.loads(path.read_text("utf-8"))
    for state in resources(shown_secrets):
        opened(state, f'"{HOOK}-old"')
    path.write_text(json.dumps(shown_secrets), "utf-8")
    edit(project, "prod", "registry", access="public")

    code, shown, seen = review(project, str(path))

    assert code == 3, seen["stderr"]
    assert "public:prod/registry/Registry.registry" in shown
    assert "lost: the private way to what it leads to" in shown
    assert [name for name, text in seen.items() if CANARY in text] == []


def opened(value: Any, plaintext: str) -> None:
    """Shows every secret, as `pulumi stack export --show-secrets` does."""
    if isinstance(value, dict):
        if "ciphertext" in value:
            del value["ciphertext"]
            value["plaintext"] = plaintext
        for inner in value.values():
            opened(inner, plaintext)
    elif isinstance(value, list):
        for inner in value:
            opened(inner, plaintext)
