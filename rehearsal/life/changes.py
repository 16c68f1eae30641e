"""Act: the settings change, one kind of change after another. Previews alone: each says what it would do.

What must come out follows from the settings, whatever they are. A change that replaces what holds data says "replace"
in the preview, and is refused where that is protected.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from operations.retire_plan import holds_data
from rehearsal import report
from rehearsal.engine import EngineError, Program, project_program
from rehearsal.life.stage import Environment, Stage, counted, listed
from rehearsal.run import UNKNOWN, Run, Step

Config = dict[str, Any]
Steps = frozenset[tuple[str, str]]
"""Operation and short type of what changes."""

REPLACED: Final = "replaced"
REGISTRY: Final = "aks-cicd:registry:TierRegistry"
PREFIX: Final = "aks-cicd:"


@dataclass(frozen=True)
class Change:
    """One kind of change. `edit` answers the new configuration, or None where the stack has nothing of this kind;
    `expects` is what the preview must say and, with `exactly` off, what it must say among others."""

    what: str
    edit: Callable[[Config], Config | None]
    expects: Steps
    exactly: bool = True


def play(stage: Stage) -> None:
    for stack in stage.stacks:
        for change in CHANGES:
            config = change.edit(opened(stack.config))
            if config is not None:
                previewed(stage, stack, change, closed(config))
        configure(stage, stack, stack.config)
        renamed(stage, stack)


def previewed(stage: Stage, stack: Environment, change: Change, config: Mapping[str, Any]) -> None:
    configure(stage, stack, config)
    name = f"{stack.name}: {change.what}"
    error = stage.fails(name, stage.rehearsal.preview, stack.name)
    run = stage.runs[name]
    found = steps(run)
    if error is not None:
        refused = stack.settings.production and any(op == REPLACED for op, _ in change.expects)
        stage.expect(f"{name} is refused", refused and "protect" in str(error), _last(error))
        return
    fits = found == change.expects if change.exactly else found >= change.expects
    stage.expect(name, fits, counted(run) if fits else f"{listed(map(' '.join, sorted(found)))}")
    lost = [step.name for step in run.changed() if _replaces(step) and holds_data(step.type)]
    if lost:
        said = report.changes(run, stage.console.style)
        stage.expect(f"{name}: it is said what is replaced", all(f"  {each} (" in said for each in lost), listed(lost))


def renamed(stage: Stage, stack: Environment) -> None:
    """A component gets another type token, which is in the URN of all that is in it: with an alias nothing happens,
    without one it would go."""
    for with_alias in (True, False):
        name = f"{stack.name}: a component renamed {'with an alias' if with_alias else 'without an alias'}"
        stage.rehearsal.use(rename(stage, with_alias))
        error = stage.fails(name, stage.rehearsal.preview, stack.name)
        run = stage.runs[name]
        if with_alias:
            moved = [step for step in run.steps if step.was]
            stage.expect(name, error is None and run.quiet and bool(moved), f"{len(moved)} moved, {counted(run)}")
        elif stack.settings.production:
            stage.expect(f"{name} is refused", "protect" in str(error), _last(error))
        else:
            gone = [step.name for step in run.changed() if step.op == "delete" and holds_data(step.type)]
            said = report.changes(run, stage.console.style)
            stage.expect(f"{name}: it is said what goes", bool(gone) and "delete" in said, listed(gone))
    stage.rehearsal.use(project_program(stage.rehearsal.root))


def rename(stage: Stage, with_alias: bool) -> Program:
    """The program with its registry's component under another type token."""
    program = project_program(stage.rehearsal.root)

    def run() -> None:
        with _called_otherwise(with_alias):
            program()

    return run


@contextmanager
def _called_otherwise(with_alias: bool) -> Iterator[None]:
    before = pulumi.ComponentResource.__init__

    def renamed(
        self: pulumi.ComponentResource,
        t: str,
        name: str,
        props: pulumi.Inputs | None = None,
        opts: pulumi.ResourceOptions | None = None,
        remote: bool = False,
    ) -> None:
        if t == REGISTRY:
            aliases = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=t)] if with_alias else [])
            t, opts = f"{t}Renamed", pulumi.ResourceOptions.merge(opts, aliases)
        before(self, t, name, props, opts, remote)

    pulumi.ComponentResource.__init__ = renamed  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        pulumi.ComponentResource.__init__ = before  # type: ignore[method-assign]


def configure(stage: Stage, stack: Environment, config: Mapping[str, Any]) -> None:
    stage.rehearsal.configure(stack.name, {**config, **stage.lives_on(stack)})


def steps(run: Run) -> Steps:
    """What a preview would change. What only follows, because an output is not known yet, is left out."""
    return frozenset(
        (REPLACED if _replaces(step) else step.op, step.type.rsplit(":", 1)[-1])
        for step in run.changed()
        if step.custom and (step.op != "update" or not _follows(step))
    )


def _replaces(step: Step) -> bool:
    return "replace" in step.op


def _follows(step: Step) -> bool:
    """Whether nothing of it changes but what is not known yet."""
    return UNKNOWN in str(step.new) and all("unknown" in str(_at(step.new, path)) for path in step.diff)


def _at(value: Any, path: str) -> Any:
    for key in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def _last(error: EngineError | None) -> str:
    return str(error).splitlines()[1] if error else "it was not"


def opened(config: Mapping[str, Any]) -> Config:
    """A configuration to be edited, without the project's name before each section."""
    return {key.removeprefix(PREFIX): copy.deepcopy(value) for key, value in config.items()}


def closed(config: Config) -> dict[str, Any]:
    return {f"{PREFIX}{key}": value for key, value in config.items()}


# The kinds


def _pool_grows(config: Config) -> Config:
    pools = config["cluster"]["userPools"]
    pools[next(iter(pools))]["maxNodes"] += 1
    return config


def _pool_added(config: Config) -> Config:
    pools = config["cluster"]["userPools"]
    pools["more"] = copy.deepcopy(next(iter(pools.values())))
    return config


def _pool_resized(config: Config) -> Config:
    pools = config["cluster"]["userPools"]
    pool = pools[next(iter(pools))]
    pool["vmSize"] = "Standard_D16ds_v5" if pool["vmSize"] != "Standard_D16ds_v5" else "Standard_D8ds_v5"
    return config


def _version_raised(config: Config) -> Config:
    major, minor = str(config["cluster"]["version"]).split(".")
    config["cluster"]["version"] = f"{major}.{int(minor) + 1}"
    return config


def _clients_limited(config: Config) -> Config | None:
    if config["cluster"]["access"] != "public" or config["agents"]["kind"] != "managed":
        return None
    config["cluster"]["authorizedRanges"] = ["198.51.100.0/24"]
    return config


def _services_moved(config: Config) -> Config:
    config["network"]["serviceRange"] = "10.246.0.0/16"
    return config


def _gate_opened(config: Config) -> Config:
    gates = config["delivery"].setdefault("gates", {})
    gates["exclusiveLock"] = not gates.get("exclusiveLock", True)
    return config


def _moved(config: Config) -> Config:
    config["azure"]["location"] = "northeurope" if config["azure"]["location"] != "northeurope" else "westeurope"
    return config


def _logs_kept_longer(config: Config) -> Config | None:
    if "retentionDays" not in config["logs"]:
        return None
    config["logs"]["retentionDays"] += 30
    return config


def _steps(op: str, kinds: Iterable[str]) -> Steps:
    return frozenset((op, kind) for kind in kinds)


CHANGES: Final = (
    Change("a pool that grows", _pool_grows, _steps("update", ["AgentPool"])),
    Change("a further pool", _pool_added, _steps("create", ["AgentPool"])),
    Change("a pool of another size", _pool_resized, _steps(REPLACED, ["AgentPool"])),
    Change("a new version", _version_raised, _steps("update", ["ManagedCluster", "AgentPool"])),
    Change("logs kept longer", _logs_kept_longer, _steps("update", ["Workspace"]), exactly=False),
    Change("clients limited", _clients_limited, _steps("update", ["ManagedCluster"])),
    Change("a gate switched off", _gate_opened, _steps("delete", ["CheckExclusiveLock"])),
    Change("another range of services", _services_moved, _steps(REPLACED, ["ManagedCluster"]), exactly=False),
    Change(
        "another region",
        _moved,
        _steps(REPLACED, ["ManagedCluster", "Registry", "Vault", "Workspace"]),
        exactly=False,
    ),
)
