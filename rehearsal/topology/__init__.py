"""The drawing of all environments, from their stack exports alone: one SVG for a design review.

`reading` tells what is in the stacks and how it hangs together, `way` what carries a change through them, `layout`
gives everything a place, `paint` writes SVG. Whatever has no picture of its own is counted in a box of its component,
so that a new component appears without a change here.

What it does not do: it draws no role grants but those of pipelines and of who pulls images, and nothing that is not in
an export.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.topology.layout import scene
from rehearsal.topology.marks import Fate, Mark, marked
from rehearsal.topology.paint import STYLE, fragment, svg
from rehearsal.topology.reading import estate

__all__ = ["STYLE", "Fate", "Mark", "draw", "inline"]


def draw(exports: Mapping[str, Mapping[str, Any]]) -> str:
    """One SVG of all stacks; `exports` are as `pulumi stack export` writes them, in promotion order.

    Equal exports give equal text, in whatever order the engine keeps their resources.
    """
    return svg(scene(estate(exports)))


def inline(exports: Mapping[str, Mapping[str, Any]], marks: Mapping[str, Mark]) -> str:
    """The same picture as an element of a page that has `STYLE`, with what happens to the resources in `marks`, by URN.

    A resource that goes is to be in its export too.
    """
    shown = estate(exports)
    return fragment(marked(scene(shown), shown, marks))
