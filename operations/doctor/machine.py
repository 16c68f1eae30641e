"""What must be on the machine that runs `up`, and in the stack file; needs no login."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from operations.checking import Amiss, Judged, Place
from operations.doctor.register import DOCTOR
from rehearsal import toolchain
from settings import PROJECT
from validation import checks

PYTHON: Final = (3, 11)


@DOCTOR("tools", "every program that `pulumi up` starts is on PATH, and new enough")
def tools(place: Place) -> Judged:
    found = {name: shutil.which(name) for name in ("pulumi", "az", "kubelogin")}
    try:
        toolchain.on_path(found["pulumi"])
        pulumi = ""
    except toolchain.UnavailableError as reason:
        pulumi = str(reason)
    return judge_tools(sys.version_info[:2], pulumi, found, reaching=place.settings.cluster.reachable)


def judge_tools(
    python: tuple[int, ...], pulumi: str, found: Mapping[str, str | None], *, reaching: bool
) -> Iterator[Amiss]:
    """`pulumi` says what is wrong with it, if anything; `reaching` whether the run puts things into the cluster."""
    if python < PYTHON:
        yield Amiss(f"Python is {'.'.join(map(str, python))}", "make .venv with Python 3.11 or newer: make PYTHON=…")
    if pulumi:
        install = "https://www.pulumi.com/docs/install/"
        yield Amiss(f"Pulumi: {pulumi}", f"install {toolchain.MINIMUM} or newer from {install}")
    if not found["az"]:
        yield Amiss("there is no az on PATH", "install the Azure CLI: its sign-in is the one that is used")
    if reaching and not found["kubelogin"]:
        yield Amiss(
            "there is no kubelogin on PATH, and cluster.reachable is true",
            "az aks install-cli; or set cluster.reachable to false for this run",
        )


@DOCTOR("placeholders", "the stack file has values of its own alone")
def placeholders(place: Place) -> Judged:
    own = {key.removeprefix(f"{PROJECT}:"): value for key, value in (place.config or {}).items()}
    if found := [problem.key for problem in checks.placeholders(PROJECT, own)]:
        yield Amiss(f"placeholders stand in {', '.join(found)}", "replace them by values of your own")
