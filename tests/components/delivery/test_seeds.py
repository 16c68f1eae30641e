"""A new repository starts with exactly the files that the list names, under the paths that they have there."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from components.delivery.seeds import LIST, SeedsError, seeded
from tests.stackfiles import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, content in {
        "pipelines/seeds.yaml": "shop: [{files: 'app/**/*', without: app/}, {files: pipelines/ci.yml}]",
        "pipelines/ci.yml": "steps: []",
        "app/main.py": "print('ä')",
        "app/tests/test_main.py": "",
        "app/tests/__pycache__/test_main.pyc": "\0",
        "app/.ruff_cache/1": "",
        "app/shop.egg-info/PKG-INFO": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, "utf-8")
    return tmp_path


def test_files_come_in_order_with_their_content_and_without_what_tools_leave_behind(project: Path) -> None:
    found = seeded(project, "shop").files
    assert [*found.items()] == [
        ("main.py", "print('ä')"),
        ("pipelines/ci.yml", "steps: []"),
        ("tests/test_main.py", ""),
    ]


def test_a_link_is_not_followed(project: Path) -> None:
    (project / "app" / "secrets").symlink_to("/etc/hostname")
    assert "secrets" not in seeded(project, "shop").files


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        (None, "pipelines/seeds.yaml is missing; restore it, or set aks-cicd:delivery.home.seed to false"),
        ("", "pipelines/seeds.yaml lists no repository shop; add it, with the patterns of its files"),
        ("blog: []", "pipelines/seeds.yaml lists no repository shop; add it, with the patterns of its files"),
        (
            "shop: [{files: nothing/*}]",
            "pipelines/seeds.yaml: nothing/* matches no file; mend the pattern or remove it",
        ),
        (
            "shop: [{files: app/binary}]",
            "pipelines/seeds.yaml: app/binary is no text in UTF-8; a repository is seeded with text only",
        ),
    ],
)
def test_a_list_that_cannot_be_followed_is_refused_in_one_message(project: Path, listed: str | None, says: str) -> None:
    (project / "app" / "binary").write_bytes(b"\xff\xfe\x00")
    (project / LIST).unlink()
    if listed is not None:
        (project / LIST).write_text(listed)
    with pytest.raises(SeedsError) as raised:
        seeded(project, "shop")
    assert str(raised.value) == says
    assert isinstance(raised.value, pulumi.RunError), "or Pulumi prints a traceback"


@pytest.mark.parametrize("pipeline", ["pr", "ci", "cd"])
def test_the_shipped_application_can_start_every_pipeline_it_has(pipeline: str) -> None:
    assert f"pipelines/{pipeline}.yml" in seeded(ROOT, "application").files


def test_the_shipped_platform_has_its_own_pipeline_and_what_the_others_extend() -> None:
    found = seeded(ROOT, "platform").files
    assert {"pipelines/platform-pr.yml", "pipelines/templates/release.yml"} <= found.keys()
