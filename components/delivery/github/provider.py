"""The provider of GitHub, which signs in with what the environment of the run holds.

The SDK would write the token of `GITHUB_TOKEN` into the state, where it outlives the run, and where every run that has
another one shows a change. The provider itself reads that variable too, and keeps nothing. The same holds for a GitHub
App: `GITHUB_APP_ID`, `GITHUB_APP_INSTALLATION_ID` and `GITHUB_APP_PEM_FILE`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi_github import Provider

TOKEN = "GITHUB_TOKEN"


def github(name: str, owner: str) -> Provider:
    with _hidden(TOKEN):
        return Provider(name, owner=owner)


@contextmanager
def _hidden(variable: str) -> Iterator[None]:
    value = os.environ.pop(variable, None)
    try:
        yield
    finally:
        if value is not None:
            os.environ[variable] = value
