"""A process's memory is its own: not that of its parent."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import memory

PARENT = """
import subprocess
held = bytearray(b"x" * 100_000_000)
child = subprocess.Popen(["sleep", "30"])
print(child.pid, flush=True)
child.wait()
"""


def test_a_process_holds_something_and_never_more_than_its_peak() -> None:
    assert 0 < memory.resident() <= memory.peak() * 1.01


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_a_childs_peak_leaves_out_what_its_parent_held() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = parent.stdout.readline().strip()
        try:
            # The first looks may come before the child's exec, when there is nothing to see of it.
            deadline = time.monotonic() + 10
            while not (seen := memory.peak_of_running_children(parent.pid)) and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            subprocess.run(["kill", child], check=False)
    assert seen is not None
    assert 0 < seen < 50
