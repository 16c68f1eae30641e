"""Releases of the application's own chart into a cluster of our own, by the scripts that the pipeline calls."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from components.workload.plan import Quota
from pipelines.scripts import acceptance, confirm, deploy, roll_back
from pipelines.scripts.release import Release, write
from tests.pipelines.control_plane import Cluster, wait
from tests.pipelines.fake_node import Image
from tests.pipelines.tooling import PATH, tool

CHART = Path(__file__).resolve().parents[2] / "workload" / "chart"
REGISTRY = "prod.azurecr.io"
QUOTA = Quota(cpu="4", memory="8Gi", pods=20)
COMMIT = "0123456789" * 4


def digest(content: str) -> str:
    """One for each word, the same every time."""
    return "sha256:" + content.encode().hex().ljust(64, "0")


GOOD, NEWER, BAD, TESTS = digest("good"), digest("newer"), digest("bad"), digest("tests")


@dataclass
class Delivery:
    cluster: Cluster
    namespace: str
    directory: Path
    chart: Path
    pauses: list[float] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        """As long as our own cluster needs, which is less than Azure's."""
        self.pauses.append(seconds)
        time.sleep(min(seconds, 0.1))

    def release(self, image: str, run: int = 1, tests: str = TESTS) -> Release:
        """Packages the chart and writes the file."""
        made = ["helm", "package", str(self.chart), "--version", f"0.1.{run}", "--app-version", COMMIT]
        subprocess.run([*made, "--destination", str(self.directory)], check=True, capture_output=True)
        release = Release("shop", image, "shop-tests", tests, f"7.{run}", f"shop-0.1.{run}.tgz", COMMIT, run)
        write(release, self.directory / "release.json")
        return release

    def place(self) -> list[str]:
        return ["--name", "shop", "--namespace", self.namespace]

    def deploy(self, image: str, *more: str, model: str = "helm", timeout: float = 30, tests: str = TESTS) -> int:
        return deploy.main(self.deployment(image, *more, model=model, timeout=timeout, tests=tests), self.pause)

    def deployment(self, image: str, *more: str, model: str = "helm", timeout: float = 30, tests: str = TESTS) -> Any:
        self.release(image, tests=tests)
        given = ["--release", str(self.directory / "release.json"), "--artifacts", str(self.directory)]
        given += ["--registry", REGISTRY, *self.place(), "--service-account", "workload", "--model", model]
        return [*given, "--timeout", str(timeout), *more]

    def roll_back(self, to: str, *, model: str = "helm", timeout: float = 30) -> int:
        given = [*self.place(), "--to", to, "--model", model, "--timeout", str(timeout)]
        return roll_back.main(given, self.pause)

    def confirm(self, *, model: str = "helm") -> int:
        return confirm.main([*self.place(), "--model", model], self.pause)

    def acceptance(self, *, timeout: float = 30) -> int:
        return acceptance.main(self.testing(timeout=timeout), self.pause)

    def testing(self, *, timeout: float = 30, tests: str = TESTS) -> list[str]:
        self.release(GOOD, tests=tests)
        given = ["--release", str(self.directory / "release.json"), "--registry", REGISTRY, *self.place()]
        return [*given, "--out", str(self.directory / "results"), "--timeout", str(timeout)]

    def start(self, script: ModuleType, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """As the agent starts it, in a process of its own."""
        command = [sys.executable, str(script.__file__), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kubectl(self, *arguments: str) -> str:
        command = [tool("kubectl"), *arguments, "--namespace", self.namespace]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def there(self, kinds: str = "deployment,service,hpa,pdb,networkpolicy,secret,configmap,job,pod") -> list[str]:
        """Names of everything in the namespace, but what the platform put there."""
        return [name for name in self.kubectl("get", kinds, "--output=name").split() if "kube-root-ca" not in name]

    def runs(self) -> str:
        """The digest of the image that the deployment has; empty without one."""
        path = "{.spec.template.spec.containers[0].image}"
        asked = ["get", "deployment", "shop", "--ignore-not-found", f"--output=jsonpath={path}"]
        return self.kubectl(*asked).rpartition("@")[2]

    def statuses(self) -> dict[int, str]:
        """Helm's revisions."""
        command = [tool("helm"), "history", "shop", "--namespace", self.namespace, "--output", "json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return {each["revision"]: each["status"] for each in json.loads(done.stdout)}

    def change_chart(self, file: str, old: str, new: str) -> None:
        """A chart of the test's own; with an empty `old`, a file more."""
        path = self.chart / file
        text = path.read_text(encoding="utf-8") if old else ""
        assert old in text, old
        path.write_text(text.replace(old, new) if old else new, encoding="utf-8")

    def killed(self, image: str, **options: Any) -> None:
        """A deployment whose agent is gone while it waits for the pods."""
        process = self.start(deploy, self.deployment(image, timeout=600, **options))
        name = "sh.helm.release" if options.get("model", "helm") == "helm" else "shop-revision"
        before = len([each for each in self.there("secret,configmap") if name in each])
        wait(lambda: len([each for each in self.there("secret,configmap") if name in each]) > before)
        wait(lambda: self.runs() == image)
        for child in _children(process.pid):
            os.kill(child, 9)
        process.kill()
        process.communicate()


def _children(parent: int) -> list[int]:
    """Of a process, those it started."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(each) for each in listed.stdout.split()]


def outputs(said: str) -> Mapping[str, str]:
    """The output variables that a script set."""
    return dict(re.findall(r"^##vso\[task\.setvariable variable=(\w+);.*isOutput=true\](.*)$", said, re.M))


def deliver(cluster: Cluster, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig()))
    monkeypatch.setenv("PATH", PATH)
    monkeypatch.setenv("HOME", str(cluster.directory))  # kubectl and helm keep what they learn there
    monkeypatch.delenv("TF_BUILD", raising=False)
    cluster.images.clear()
    cluster.images.update({GOOD: Image(), NEWER: Image(), BAD: Image(serves=False), TESTS: Image()})
    chart = directory / "shop"
    shutil.copytree(CHART, chart)
    return Delivery(cluster, cluster.namespace(QUOTA), directory, chart)
