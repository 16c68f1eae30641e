"""An export as the engine can take it for a preview: what would keep it from looking is taken away.

Protection is one such thing: the engine would stop at the first protected resource that goes, and tell nothing of the
rest. The report says that it is protected, because it compares with the export as it was. Operations that were under
way are another.

The secrets of a real stack are sealed with a key that nobody has here. So something else stands in their place, the
same everywhere, and what the engine then says of secrets is not listened to.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from rehearsal.run import SECRET, plain

SEALED: Final = "[sealed]"
_KEY: Final = "4dabf18193072939515e22adb298388d"
_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"


def importable(export: Mapping[str, Any], *, sealed: bool) -> dict[str, Any]:
    """`sealed`: nobody can open the secrets, or nobody should."""
    made: dict[str, Any] = copy.deepcopy(dict(export))
    deployment = made["deployment"]
    deployment.pop("pending_operations", None)
    deployment.setdefault("manifest", {})
    for state in deployment.get("resources") or ():
        state.pop("protect", None)
        if sealed:
            for side in ("inputs", "outputs"):
                if side in state:
                    state[side] = _sealed(state[side])
    if sealed:
        deployment.pop("secrets_providers", None)
    return made


def _sealed(value: Any) -> Any:
    if isinstance(value, Mapping):
        if plain(value) == SECRET:
            return {_KEY: _SIGNATURE, "plaintext": json.dumps(SEALED)}
        return {key: _sealed(inner) for key, inner in value.items()}
    return [_sealed(inner) for inner in value] if isinstance(value, list) else value
