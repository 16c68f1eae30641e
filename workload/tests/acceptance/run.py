"""Runs the acceptance tests against the service at BASE_URL; what the image of the tests starts.

    BASE_URL=http://localhost:8080 METRICS_URL=http://localhost:9090 python tests/acceptance/run.py

Optional: METRICS_URL, EXPECTED_DIGEST, EXPECTED_COMMIT (what /version is to say), WAIT_SECONDS (60: until it is ready),
RESULTS (/tmp/results.xml: JUnit). The results are printed as well, between two lines of their own: a pod's log can be
read after the pod has ended, its files cannot.

Exit codes: 0 passed, 1 failed, 2 the environment says something that cannot be used, others as pytest has them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
BEGIN, END = "-----BEGIN JUNIT-----", "-----END JUNIT-----"


def problems() -> list[str]:
    found = []
    for name in ("BASE_URL", "METRICS_URL"):
        value = os.environ.get(name, "")
        if not value and name == "METRICS_URL":
            continue
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            found.append(f"{name} = {value!r}; allowed: http://<host>[:port] or https://<host>[:port]")
    wait = os.environ.get("WAIT_SECONDS", "60")
    if not wait.isdecimal():
        found.append(f"WAIT_SECONDS = {wait!r}; allowed: whole seconds")
    return found


def main() -> int:
    if found := problems():
        print("error: the environment cannot be used", *found, sep="\n  ", file=sys.stderr)
        return 2
    import pytest  # after the arguments: what is wrong with them is said at once

    results = Path(os.environ.get("RESULTS", "/tmp/results.xml"))
    arguments = ["--import-mode=importlib", "-o", f"pythonpath={HERE.parent}", "-p", "no:cacheprovider", "-ra"]
    # No configuration from elsewhere: these tests are the same wherever they run.
    place = ["--rootdir", str(HERE), "-c", os.devnull, "--junitxml", str(results), str(HERE)]
    code = int(pytest.main([*arguments, *place]))
    if results.is_file():
        print(BEGIN, results.read_text("utf-8"), END, sep="\n", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
