"""Shipped stacks whose delivery differs in ways that a drawing must bear."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from tests.rehearsal.estates import Export, Exports, states, without


def on_github(staging: Export) -> Export:
    """The application lies on GitHub: no repository, no policy and no seed of it is a resource."""
    (id_,) = [each["id"] for each in states(staging) if each["urn"].endswith("::application-repository")]
    export = copy.deepcopy(staging)
    kept = [each for each in states(export) if not each["urn"].rsplit("::", 1)[-1].startswith("application-")]
    for state in kept:
        code = state.get("outputs", {}).get("repository", {})
        if code and code.get("repoId") == id_:
            state["outputs"]["repository"] = {**code, "repoType": "GitHub", "repoId": "contoso/shop"}
    return {**export, "deployment": {**export["deployment"], "resources": kept}}


def ungated(export: Export) -> Export:
    """Every gate is switched off."""
    kept = [each for each in states(export) if ":Check" not in each["type"]]
    return {**export, "deployment": {**export["deployment"], "resources": kept}}


def released_by_all(prod: Export) -> Export:
    """No authorisation names its pipeline."""
    export = copy.deepcopy(prod)
    for state in states(export):
        if state["type"].endswith(":PipelineAuthorization"):
            for side in ("inputs", "outputs"):
                state[side]["pipelineId"] = None
    return export


WAYS: Mapping[str, Callable[[Export, Export], Exports]] = {
    "application on GitHub": lambda staging, prod: {"staging": on_github(staging), "prod": prod},
    "no gates": lambda staging, prod: {"staging": ungated(staging), "prod": ungated(prod)},
    "every pipeline": lambda staging, prod: {"staging": staging, "prod": released_by_all(prod)},
    "no pipelines": lambda staging, prod: {
        "staging": without(staging, "aks-cicd:delivery:DeliveryHome"),
        "prod": prod,
    },
}
