"""Tools of the command line that the tests of the pipelines stand on: found here or on the PATH, or the test skips."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

OWN = Path(__file__).resolve().parents[2] / ".tools" / "bin"
PATH = f"{OWN}{os.pathsep}{os.environ.get('PATH', '')}"

MEND = {
    "oras": "pipelines/scripts/tools.sh --into .tools/bin oras",
    "notary": "pipelines/scripts/tools.sh --into .tools/bin notary",
    "registry": "pipelines/scripts/tools.sh --into .tools/bin registry, or apt-get install docker-registry",
    "syft": "pipelines/scripts/tools.sh --into .tools/bin syft",
    "helm": "pipelines/scripts/tools.sh --into .tools/bin helm",
    "kustomize": "pipelines/scripts/tools.sh --into .tools/bin kustomize",
    "kubectl": "pipelines/scripts/tools.sh --into .tools/bin kubectl",
    "kube-apiserver": "pipelines/scripts/tools.sh --into .tools/bin kube-apiserver",
    "kube-controller-manager": "pipelines/scripts/tools.sh --into .tools/bin kube-controller-manager",
    "etcd": "apt-get install etcd-server",
    "openssl": "apt-get install openssl",
    "shellcheck": "apt-get install shellcheck",
    "go": "https://go.dev/dl",
}


def tool(name: str, *others: str) -> str:
    """Where the tool is, under its name or another one. Skips the test, and says how to mend it, if it is nowhere."""
    for each in (name, *others):
        if found := shutil.which(each, path=PATH):
            return found
    pytest.skip(f"{name} is not installed: {MEND[name]}")
