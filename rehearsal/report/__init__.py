"""Stack exports as text for a person: the tree of a stack, and its summary.

Pure: the same exports give the same text. Ids of principals, roles, pipelines and connections are turned into names,
because nobody reviews GUIDs. What says the same many times over (files that were seeded, gates, authorisations) is
one line of the tree. `changes` tells a run of the engine on what exists already.
"""

from rehearsal.report.changes import changes
from rehearsal.report.names import Names
from rehearsal.report.sections import Section, Style, render, unstyled
from rehearsal.report.summary import summary
from rehearsal.report.tree import tree
from rehearsal.words import scope_name

__all__ = ["Names", "Section", "Style", "changes", "render", "scope_name", "summary", "tree", "unstyled"]
