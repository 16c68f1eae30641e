"""One thing that a reviewer has to know about a change."""

from __future__ import annotations

import re
from dataclasses import dataclass

from review.model import Change


@dataclass(frozen=True)
class Finding:
    """`sign` is the kind of finding, a short word; `grave` ones have to be acknowledged by name."""

    sign: str
    place: str
    """Where in the program: `cluster/ManagedCluster.cluster`."""
    subject: str
    """What a person knows it by: `ManagedCluster aks-shop-prod`."""
    text: str
    grave: bool = True

    @classmethod
    def about(cls, change: Change, sign: str, text: str, *, grave: bool = True) -> Finding:
        return cls(sign, change.place, change.told, text, grave)

    def ack(self, stack: str) -> str:
        """The name to acknowledge it by; it holds nothing that a shell would touch."""
        return re.sub(r"[^\w./:-]", "-", f"{self.sign}:{stack}/{self.place}")
