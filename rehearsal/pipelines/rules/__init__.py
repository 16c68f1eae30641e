"""The rules: each looks at one compilation of a pipeline and says what is wrong with it."""

from __future__ import annotations

from typing import Final

from rehearsal.pipelines.rules import (
    access,
    artifacts,
    conditions,
    environments,
    infrastructure,
    order,
    records,
    scripts,
    secrets,
    signing,
    starts,
    tasks,
    variables,
)
from rehearsal.pipelines.rules.subject import Rule, Subject

RULES: Final[tuple[Rule, ...]] = (
    access.things,
    access.images,
    access.repositories,
    access.sources,
    access.approvers,
    access.extensions,
    artifacts.downloads,
    artifacts.paths,
    artifacts.twice,
    conditions.conditions,
    environments.foreign,
    environments.reach,
    environments.order,
    environments.templates,
    environments.branches,
    infrastructure.infrastructure,
    order.good_run,
    order.checks,
    order.push,
    order.release,
    records.records,
    scripts.inline,
    scripts.foreign_text,
    scripts.files,
    scripts.identity,
    scripts.tools,
    scripts.cluster,
    secrets.secrets,
    signing.signed,
    signing.verified,
    starts.starts,
    tasks.tasks,
    variables.in_steps,
    variables.in_variables,
)

__all__ = ["RULES", "Rule", "Subject"]
