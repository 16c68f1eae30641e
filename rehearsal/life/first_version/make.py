"""Makes the states of the first version of this program: see the README beside this file."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]


def main(checkout: Path) -> None:
    # The program is the old one, the rehearsal is today's; of what it needs beside itself, the old one lacks this.
    sys.path[:0] = [str(checkout), str(PROJECT)]
    zones = importlib.util.spec_from_file_location("validation.time_zones", PROJECT / "validation" / "time_zones.py")
    assert zones is not None
    assert zones.loader is not None
    sys.modules["validation.time_zones"] = module = importlib.util.module_from_spec(zones)
    zones.loader.exec_module(module)

    from rehearsal import toolchain
    from rehearsal.cloud import Cloud, Estate
    from rehearsal.console import Console
    from rehearsal.engine import Rehearsal

    console = Console()
    text = "".join(path.read_text("utf-8") for path in sorted(checkout.glob("Pulumi.*.yaml")))
    estate = Estate(
        tenant_id="00000000-0000-0000-0000-000000000001",
        subscriptions=frozenset(re.findall(r"00000000-0000-0000-0000-0000000000[123]0", text)),
        resource_ids=frozenset(re.findall(r"/subscriptions/\S+/providers/\S+", text)),
        groups=frozenset(re.findall(r"00000000-0000-0000-0000-0000000000a\d", text)),
    )
    cli = toolchain.bring(toolchain.ways(PROJECT, console), console.say)
    with Rehearsal.open(checkout, checkout / "build" / "rehearsal", Cloud(estate), cli=cli) as rehearsal:
        for stack in ("staging", "prod"):
            rehearsal.update(stack)
            export = json.dumps(rehearsal.export(stack), sort_keys=True).encode()
            # No time of day in the archive: the same state gives the same file.
            (HERE / f"{stack}.json.gz").write_bytes(gzip.compress(export, 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
