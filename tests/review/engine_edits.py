"""Edits of settings and of the program, as the engine takes them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pulumi_azuredevops

from components import access
from components.delivery import checks, policies
from rehearsal.engine import Program
from tests.conftest import ROOT

Config = dict[str, Any]
Edit = Callable[[Config], None]
Patch = Callable[[], Any]
Places = Mapping[str, str]
"""What happens, by patterns of places: `cluster/AgentPool.pool-*: update`."""


@dataclass(frozen=True)
class EnginePair:
    """An edit: of the settings (`edit`), of `__main__.py` (`source`), or of what a component does (`patch`)."""

    name: str
    batch: str
    """`<stack> <letter>`: those of one batch share a preview."""
    touches: Places = field(default_factory=dict)
    acks: tuple[str, ...] = ()
    """Patterns too, without the stack: `retention:logs/Workspace.workspace`."""
    says: tuple[str, ...] = ()
    edit: Edit = lambda config: None
    source: tuple[tuple[str, str], ...] = ()
    patch: Patch | None = None

    @property
    def stack(self) -> str:
        return self.batch.split()[0]


def put(path: str, value: Any) -> Edit:
    """Sets a setting; None takes it away."""
    first, *rest = path.split(".")

    def edit(config: Config) -> None:
        here, keys = config, [f"aks-cicd:{first}", *rest]
        for key in keys[:-1]:
            here = here.setdefault(key, {})
        assert here.get(keys[-1]) != value, f"{path} is {value} already"
        if value is None:
            del here[keys[-1]]
        else:
            here[keys[-1]] = value

    return edit


def every(*edits: Edit) -> Edit:
    def edit(config: Config) -> None:
        for each in edits:
            each(config)

    return edit


def pools_reordered(config: Config) -> None:
    pools = config["aks-cicd:cluster"]["userPools"]
    config["aks-cicd:cluster"]["userPools"] = {name: pools[name] for name in reversed([*pools])}


def edited(pairs: Iterator[EnginePair] | tuple[EnginePair, ...], config: Mapping[str, Any]) -> Config:
    made = copy.deepcopy(dict(config))
    for pair in pairs:
        pair.edit(made)
    return made


def program(pairs: tuple[EnginePair, ...]) -> Program:
    """The project's program with the edits of `__main__.py`."""
    path = ROOT / "__main__.py"
    text = path.read_text("utf-8")
    for old, new in (each for pair in pairs for each in pair.source):
        assert old in text, f"__main__.py has no {old!r}"
        text = text.replace(old, new)
    code = compile(text, str(path), "exec")

    def run() -> None:
        import settings

        with settings.rehearsal():
            exec(code, {"__name__": "__main__", "__file__": str(path)})

    return run


@contextmanager
def patched(pairs: tuple[EnginePair, ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for pair in pairs:
            if pair.patch:
                stack.enter_context(pair.patch())
        yield


def push_instead_of_pull() -> Any:
    return mock.patch.object(access, "ROLES", {**access.ROLES, "AcrPull": access.ROLES["AcrPush"]})


def authors_vote() -> Any:
    settings = pulumi_azuredevops.BranchPolicyMinReviewersSettingsArgs

    def made(**given: Any) -> Any:
        return settings(**{**given, "submitter_can_vote": True})

    return mock.patch.object(policies, "BranchPolicyMinReviewersSettingsArgs", made)


def any_template() -> Any:
    template = pulumi_azuredevops.CheckRequiredTemplateRequiredTemplateArgs
    real = pulumi_azuredevops.CheckRequiredTemplate

    @functools.wraps(real)
    def made(name: str, *, required_templates: list[Any], **given: Any) -> Any:
        other = template(
            repository_type="azuregit",
            repository_name="Shop/application",
            repository_ref="refs/heads/main",
            template_path="anything.yml",
        )
        return real(name, required_templates=[*required_templates, other], **given)

    return mock.patch.object(checks, "CheckRequiredTemplate", made)
