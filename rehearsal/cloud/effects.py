"""What a change would do, asked with no more than a type and a property path: what a preview of the engine has.

The engine itself asks a provider, which answers yes or no. That nobody knows is a third answer, and a person who
reads a preview should get it.
"""

from __future__ import annotations

from rehearsal.cloud.azure import KINDS as AZURE
from rehearsal.cloud.delivering import KINDS as DELIVERY
from rehearsal.cloud.kubernetes import KINDS as OBJECTS
from rehearsal.cloud.kubernetes.kinds import ADDRESS
from rehearsal.cloud.replacements import NOT_KNOWN, Judgement, declared, judge


def effect(type_: str, path: str) -> Judgement:
    """What a change at a path of a resource of this type does. Types that the stand-in does not know are not known."""
    if type_ in AZURE:
        return judge(AZURE[type_], path)
    if type_ in DELIVERY:
        return declared(type_, path, DELIVERY[type_].force_new)
    if type_ in OBJECTS:
        return declared(type_, path, (*ADDRESS, *OBJECTS[type_].force_new))
    return NOT_KNOWN
