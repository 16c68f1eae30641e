"""The Pulumi CLI is found in one order, every way that fails says so in one line, and a build is kept."""

from __future__ import annotations

import io
import re
import stat
from pathlib import Path

import pytest
from semver import Version

from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.toolchain import MINIMUM, Cli, ToolchainError, UnavailableError, Way

ROOT = Path(__file__).resolve().parents[2]


def works(name: str, tried: list[str]) -> Way:
    def bring() -> Cli:
        tried.append(name)
        return Cli(Path(name), MINIMUM)

    return Way(name, "-", bring)


def fails(name: str, tried: list[str]) -> Way:
    def bring() -> Cli:
        tried.append(name)
        raise UnavailableError(f"{name} is broken")

    return Way(name, f"mend {name}", bring)


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def quiet() -> Console:
    return Console(io.StringIO())


class TestTheFirstWayThatWorksIsTaken:
    @pytest.mark.parametrize("broken", range(4))
    def test_later_ways_are_not_tried(self, broken: int) -> None:
        tried: list[str] = []
        said: list[str] = []
        ways = [fails(f"way {n}", tried) for n in range(broken)]
        ways += [works(f"way {n}", tried) for n in range(broken, 4)]
        assert toolchain.bring(ways, said.append).path == Path(f"way {broken}")
        assert tried == [f"way {n}" for n in range(broken + 1)]
        assert said == [f"Pulumi CLI, way {n}: way {n} is broken" for n in range(broken)]

    def test_the_order_is_path_then_kept_then_installer_then_build(self) -> None:
        assert [way.name for way in toolchain.ways(ROOT, quiet())] == [
            "on PATH",
            "kept in .tools",
            "the SDK's installer",
            "a build from its Go module",
        ]

    def test_where_none_works_one_error_names_every_way_its_reason_and_how_to_mend_it(self) -> None:
        ways = [fails(f"way {n}", []) for n in range(4)]
        with pytest.raises(ToolchainError) as raised:
            toolchain.bring(ways, lambda line: None)
        for n in range(4):
            assert f"way {n}: way {n} is broken\n    → mend way {n}" in str(raised.value)


class TestOnlyACliThatIsNewEnoughIsUsed:
    @pytest.mark.parametrize("stated", [f"v{MINIMUM}", str(MINIMUM), "v3.999.1"])
    def test_the_minimum_and_newer_are(self, tmp_path: Path, stated: str) -> None:
        binary = script(tmp_path / "pulumi", f"echo {stated}")
        assert toolchain.on_path(str(binary)) == Cli(binary, Version.parse(stated.removeprefix("v")))

    @pytest.mark.parametrize(
        ("does", "reason"),
        [
            ("echo v3.100.0", "is 3.100.0"),
            ("echo v4.0.0", "is 4.0.0"),
            (f"echo v{MINIMUM}-alpha.1", "alpha"),
            ("echo", "does not state its version"),
            ("exit 3", "does not run"),
        ],
    )
    def test_others_are_not_and_the_reason_is_one_line(self, tmp_path: Path, does: str, reason: str) -> None:
        with pytest.raises(UnavailableError, match=re.escape(reason)) as raised:
            toolchain.on_path(str(script(tmp_path / "pulumi", does)))
        assert "\n" not in str(raised.value)

    def test_none_on_path_is_said(self) -> None:
        with pytest.raises(UnavailableError, match="there is none"):
            toolchain.on_path(None)

    def test_the_pinned_module_is_not_older_than_the_minimum(self) -> None:
        flags = toolchain.linker_flags(ROOT / "tools" / "go.mod")
        pinned = re.search(r"Version=v(\S+)", flags)
        assert pinned is not None
        assert Version.parse(pinned[1]) >= MINIMUM


class TestABuild:
    @pytest.fixture
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (tmp_path / "tools").mkdir()
        (tmp_path / "tools" / "go.mod").write_text(f"module x\nrequire (\n\t{toolchain.MODULE} v{MINIMUM}\n)\n")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        return tmp_path

    def test_is_kept_and_used_the_next_time(self, project: Path) -> None:
        # Stands in for the Go client: writes a CLI to where `-o` says, stating the version it was linked with.
        writes = f'printf "#!/bin/sh\\necho v{MINIMUM}\\n" > "$4"; chmod +x "$4"'
        script(project / "bin" / "go", f"test \"$1 $2 $3\" = 'build -v -o' || exit 9\n{writes}")
        brought = toolchain.built(project, quiet())
        assert brought == toolchain.kept(project / ".tools") == Cli(project / ".tools" / "bin" / "pulumi", MINIMUM)
        assert [path.name for path in (project / ".tools" / "bin").iterdir()] == ["pulumi"]

    def test_that_fails_leaves_nothing_and_gives_its_last_line_as_the_reason(self, project: Path) -> None:
        script(project / "bin" / "go", "echo half > \"$4\"; echo 'go: downloading'; echo 'no such host'; exit 1")
        with pytest.raises(UnavailableError, match=r"^no such host$"):
            toolchain.built(project, quiet())
        assert list((project / ".tools" / "bin").iterdir()) == []

    def test_that_hangs_is_stopped(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script(project / "bin" / "go", "sleep 60 & wait")
        monkeypatch.setattr(toolchain, "BUILD_SECONDS", 0.3)
        with pytest.raises(UnavailableError, match="stopped after"):
            toolchain.built(project, quiet())

    def test_without_a_go_client_is_not_tried(self, project: Path) -> None:
        with pytest.raises(UnavailableError, match="no `go` on PATH"):
            toolchain.built(project, quiet())
