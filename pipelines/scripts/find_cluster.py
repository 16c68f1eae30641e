#!/usr/bin/env python3
"""Everything that a job on GitHub needs to work on an environment's cluster: kubectl, kubelogin, and its address.

The kubeconfig names kubelogin and holds no credential: each later step opens the API server as whoever the Azure CLI is
signed in as then. Needs Python 3.11 and the Azure CLI. On Azure Pipelines, tasks do the same.

Exit codes: 0 found, 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts.agent import add_path, fail, set_variable
from pipelines.scripts.commands import CommandError, Patience, run

KUBECTL, KUBELOGIN = "1.36.3", "v0.2.22"


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Brings what a job needs to work on a cluster.")
    parser.add_argument("--resource-group", required=True, help="that the cluster lies in")
    parser.add_argument("--cluster", required=True, help="its name")
    parser.add_argument("--into", required=True, type=Path, help="directory for tools and kubeconfig")
    options = parser.parse_args(arguments)
    tools, config = options.into / "bin", options.into / "kubeconfig"
    patience = Patience(300, pause)
    try:
        tools.mkdir(parents=True, exist_ok=True)
        kubectl = ["--client-version", KUBECTL, "--install-location", str(tools / "kubectl")]
        kubelogin = ["--kubelogin-version", KUBELOGIN, "--kubelogin-install-location", str(tools / "kubelogin")]
        run(["az", "aks", "install-cli", *kubectl, *kubelogin, "--only-show-errors"], patience=patience)
        named = ["--resource-group", options.resource_group, "--name", options.cluster]
        how = ["--file", str(config), "--overwrite-existing", "--only-show-errors"]
        # A role is effective minutes after it was granted.
        run(["az", "aks", "get-credentials", *named, *how], patience=patience)
        reached = {**os.environ, "KUBECONFIG": str(config)}
        run([str(tools / "kubelogin"), "convert-kubeconfig", "--login", "azurecli"], environment=reached)
    except (CommandError, OSError) as error:
        return fail(str(error))
    add_path(tools)
    set_variable("KUBECONFIG", str(config))
    print(f"{options.cluster}: found")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
