"""The script that installs the tools: what it asks of the Go client, and what it does when that does not work."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.pipelines.tooling import OWN, PATH, tool

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "scripts" / "tools.sh"

GO = """#!/bin/sh
# Like the real one: a program knows the module it was built from.
echo "$GOSUMDB|$GOPRIVATE|$GOFLAGS|$*" >> {log}
case $1 in
  version) cat "$3" ;;
  install)
    if [ -s {failures} ]; then head -n 1 {failures} >&2; sed -i 1d {failures}; exit 1; fi
    name=${{2%@*}}
    printf '\\tpath\\t%s\\n\\tmod\\t%s\\t%s\\th1:x\\n' "$name" "${{name%/cmd/*}}" "${{2#*@}}" > "$GOBIN/${{name##*/}}"
    chmod +x "$GOBIN/${{name##*/}}" ;;
esac
"""


@dataclass
class Stand:
    directory: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def into(self) -> Path:
        return self.directory / "into"

    def install(self, *names: str, **more: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.directory}:/usr/bin:/bin"
        environment = {"PATH": path, "HOME": str(self.directory), "TOOLS_PAUSE_SECONDS": "0", "GOPRIVATE": "*", **more}
        command = ["bash", str(SCRIPT), *names]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    def fails(self, *said: str) -> None:
        (self.directory / "failures").write_text("".join(f"{each}\n" for each in said), encoding="utf-8")

    def asked(self) -> list[str]:
        log = self.directory / "log"
        return [each for each in log.read_text(encoding="utf-8").splitlines() if "|install " in each]


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    go = GO.format(log=tmp_path / "log", failures=tmp_path / "failures")
    (tmp_path / "go").write_text(go, encoding="utf-8")
    (tmp_path / "go").chmod(0o755)
    (tmp_path / "log").touch()
    return Stand(tmp_path)


def pinned(text: str) -> Mapping[str, str]:
    found = re.findall(r"^  \[([\w-]+)\]=(v\d+\.\d+\.\d+)(?: |$)", text, re.M)
    assert len(dict(found)) == len(found)
    return dict(found)


def test_each_tool_is_built_in_its_pinned_version_and_no_module_is_exempt_from_the_checks(stand: Stand) -> None:
    done = stand.install("--into", str(stand.into), "oras", "syft")
    assert (done.returncode, done.stderr) == (0, "")
    versions = pinned(SCRIPT.read_text(encoding="utf-8"))
    assert stand.asked() == [
        f"sum.golang.org|||install oras.land/oras/cmd/oras@{versions['oras']}",
        f"sum.golang.org|||install github.com/anchore/syft/cmd/syft@{versions['syft']}",
    ]
    assert done.stdout.splitlines() == [f"oras {versions['oras']}: built", f"syft {versions['syft']}: built"]


def test_what_is_there_in_the_right_version_stays_and_another_one_is_replaced(stand: Stand) -> None:
    assert stand.install("--into", str(stand.into), "oras", "helm").returncode == 0
    older = re.sub(r"v\d+\.\d+\.\d+", "v0.0.1", (stand.into / "helm").read_text(encoding="utf-8"))
    (stand.into / "helm").write_text(older, encoding="utf-8")
    done = stand.install("--into", str(stand.into), "oras", "helm")
    assert [line.split(": ")[1] for line in done.stdout.splitlines()] == ["is there", "built"]
    assert len(stand.asked()) == 3


def test_a_proxy_that_does_not_answer_is_asked_again(stand: Stand) -> None:
    stand.fails("503 Service Unavailable", "i/o timeout")
    assert stand.install("oras").returncode == 0
    assert len(stand.asked()) == 3


def test_what_cannot_be_built_is_told_in_one_line(stand: Stand) -> None:
    stand.fails(*["verifying module: checksum mismatch"] * 3)
    done = stand.install("oras")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: oras v\S+ cannot be built: verifying module: checksum mismatch ?\n", done.stderr)


def test_on_an_agent_the_steps_that_follow_find_the_tools(stand: Stand) -> None:
    done = stand.install("oras", TF_BUILD="True", AGENT_TOOLSDIRECTORY=str(stand.directory / "cache"))
    assert done.stdout.splitlines()[-1] == f"##vso[task.prependpath]{stand.directory}/cache/delivery-tools"
    assert (stand.directory / "cache" / "delivery-tools" / "oras").is_file()


@pytest.mark.parametrize("names", [(), ("terraform",), ("oras", "terraform"), ("--into",), ("--into", "x")], ids=str)
def test_what_is_no_tool_is_refused_before_anything_is_built(stand: Stand, names: tuple[str, ...]) -> None:
    done = stand.install(*names)
    assert (done.returncode, done.stdout, stand.asked()) == (2, "", [])
    assert done.stderr.startswith("usage: tools.sh [--into DIR] NAME")


def test_without_the_go_client_it_says_so(stand: Stand) -> None:
    (stand.directory / "go").unlink()
    done = stand.install("oras")
    assert (done.returncode, done.stderr) == (1, "error: go is not on the PATH; use an agent image that has it\n")


def test_the_real_go_client_recognises_what_it_built() -> None:
    versions = pinned(SCRIPT.read_text(encoding="utf-8"))
    asked = [tool("go"), "version", "-m", *(str(OWN / name) for name in versions if (OWN / name).is_file())]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout if asked[3:] else ""
    built = [name for name in versions if re.search(rf"/cmd/{name}\n(.*\n)*?.*\t{re.escape(versions[name])}\t", said)]
    if not built:
        pytest.skip("none of the tools was built here: pipelines/scripts/tools.sh --into .tools/bin oras")
    command = ["bash", str(SCRIPT), "--into", str(OWN), *built]
    environment = {"PATH": PATH, "HOME": "/", "GOPROXY": "off", "TOOLS_PAUSE_SECONDS": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines() if line.endswith(": is there")] == built


@pytest.mark.parametrize("script", sorted(SCRIPT.parent.glob("*.sh")), ids=lambda path: path.name)
def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    done = subprocess.run([tool("shellcheck"), str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == ""
