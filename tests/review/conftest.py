"""What the tests of the review share: what the engine tells of all pairs, previewed once for the whole session."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from rehearsal import against
from rehearsal.engine import Rehearsal
from rehearsal.preview import plan
from review.handover import importable
from tests.conftest import ROOT, STACKS, Rehearsed
from tests.review.engine_edits import edited, patched, program
from tests.review.engine_pairs import PAIRS

Told = Mapping[str, Mapping[str, Any]]
"""What the engine tells of a preview, by batch."""


def previewed(exports: Mapping[str, Mapping[str, Any]], directory: Path) -> dict[str, Any]:
    """Every batch previewed against the exports, all on one backend: a preview changes nothing."""
    stacks = {stack.name: stack for stack in plan(ROOT, STACKS)}
    cloud = against.stood_in(stacks.values(), exports.values())
    found: dict[str, Any] = {}
    with Rehearsal.open(ROOT, directory, cloud) as rehearsal:
        for stack, export in exports.items():
            rehearsal.take(stack, importable(export, sealed=False))
        for batch, members in groupby(PAIRS, key=lambda pair: pair.batch):
            pairs = tuple(members)
            stack = pairs[0].stack
            rehearsal.configure(stack, edited(pairs, stacks[stack].config))
            rehearsal.use(program(pairs))
            with patched(pairs):
                _, found[batch] = rehearsal.told(stack)
    return found


@pytest.fixture(scope="session")
def engine_told(rehearsed: Mapping[str, Rehearsed], tmp_path_factory: pytest.TempPathFactory) -> Told:
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own
    result = shared / "engine-pairs.pickle"
    with FileLock(shared / "engine-pairs.lock"):
        if not result.is_file():
            exports = {stack: each.export for stack, each in rehearsed.items()}
            result.write_bytes(pickle.dumps(previewed(exports, shared / "engine-pairs")))
        found: Told = pickle.loads(result.read_bytes())
    return found
