"""A job on GitHub finds its cluster with what it asks for, and says in one line why it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.scripts import find_cluster

AZ = """#!/bin/sh
echo "az $*" >>"{log}"
case "$*" in
  *install-cli*) mkdir -p "{bin}"; printf '#!/bin/sh\\necho "kubelogin $* $KUBECONFIG" >>"{log}"\\n' >"{bin}/kubelogin"
                 chmod +x "{bin}/kubelogin" ;;
  *get-credentials*) [ -e "{ready}" ] || {{ touch "{ready}"; echo 'AuthorizationFailed' >&2; exit 1; }} ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "path").mkdir()
    az = tmp_path / "path" / "az"
    az.write_text(AZ.format(log=tmp_path / "log", bin=tmp_path / "into" / "bin", ready=tmp_path / "ready"))
    az.chmod(0o755)
    monkeypatch.setenv("PATH", f"{az.parent}:/usr/bin:/bin")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("GITHUB_ENV", "GITHUB_PATH"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


def find(place: Path) -> int:
    given = ["--resource-group", "rg-shop", "--cluster", "aks-shop", "--into", str(place / "into")]
    return find_cluster.main(given, lambda _: None)


def test_later_steps_have_the_tools_and_the_address_and_a_role_may_come_late(place: Path) -> None:
    assert find(place) == 0
    assert (place / "GITHUB_PATH").read_text() == f"{place}/into/bin\n"
    assert f"\n{place}/into/kubeconfig\n" in (place / "GITHUB_ENV").read_text()
    log = (place / "log").read_text().splitlines()
    assert "--kubelogin-version v0.2.22" in log[0]
    assert [line.split()[2] for line in log[1:3]] == ["get-credentials"] * 2, "it was asked again"
    assert "--resource-group rg-shop --name aks-shop" in log[1]
    assert log[3] == f"kubelogin convert-kubeconfig --login azurecli {place}/into/kubeconfig"


def test_without_a_cluster_nothing_is_handed_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "path" / "az").write_text("#!/bin/sh\necho 'ResourceNotFound: no such cluster' >&2\nexit 3\n")
    assert find(place) == 1
    assert capsys.readouterr().out.startswith("::error::az aks install-cli: exit 3: ResourceNotFound")
    assert not (place / "GITHUB_ENV").exists()


def test_pipelines_and_workflows_use_the_same_kubelogin() -> None:
    root = Path(__file__).resolve().parents[2]
    assert f"kubeloginVersion: {find_cluster.KUBELOGIN}" in (root / "pipelines/templates/cluster.yml").read_text()
    pins = (root / "pipelines/scripts/tools.sh").read_text()
    assert f"[kubectl]=v{find_cluster.KUBECTL}" in pins
