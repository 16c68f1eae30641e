"""The stand-in cloud: how Azure and Azure DevOps answer, and what they refuse, as one model in this process.

It is strict, because a lenient one proves nothing, and it knows what its authors know. Types that it does
not know are errors. `rehearsal.faces` shows this one model to unit tests and to the engine.
"""

from __future__ import annotations

from rehearsal.cloud.answers import (
    UNKNOWN,
    Answer,
    Change,
    CloudError,
    Diff,
    Estate,
    Existing,
    GoneError,
    UnansweredError,
    Unknown,
)
from rehearsal.cloud.model import Cloud
from rehearsal.cloud.traffic import Disturbance, Met
from rehearsal.cloud.world import Resource

__all__ = [
    "UNKNOWN",
    "Answer",
    "Change",
    "Cloud",
    "CloudError",
    "Diff",
    "Disturbance",
    "Estate",
    "Existing",
    "GoneError",
    "Met",
    "Resource",
    "UnansweredError",
    "Unknown",
]
