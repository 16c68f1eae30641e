"""What the bootstrap is told: the typed form of `Pulumi.bootstrap.yaml`, and the environments that it names.

An environment's own facts (subscription, names, gates, which stacks it leans on) are read from its stack file beside
the project, so that nothing is said twice. All problems are reported at once, as for the environments themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from components.naming import Names
from settings import Azure, Section, Settings, configured, rehearsing
from settings import parse as parse_environment
from validation import stackfile
from validation.checks import is_placeholder, placeholders
from validation.problems import Problem, SettingsError, below, unknown_key
from validation.reader import in_order, read_sections
from validation.types import Cidr, Flag, Guid, StackName, TagMap, WorkloadName, WorkspaceId, whole

PROJECT: Final = "aks-cicd-bootstrap"
"""The `name` in bootstrap/Pulumi.yaml."""

STACK: Final = "bootstrap"
"""Its only stack; no environment may be called so, because names are made from it."""

ROOT: Final = Path(__file__).resolve().parent.parent


class State(Section):
    """The storage that holds the state of every stack."""

    access: Literal["public", "restricted"]
    """public: from anywhere, with a token. restricted: from the named ranges."""
    allowed_ranges: tuple[Cidr, ...] = ()
    """Public ranges that may reach restricted storage and its key."""
    recovery_days: Annotated[int, whole(7, 90, "days")] = 30
    """How long what was deleted or overwritten, and the vault of the key, can be brought back."""
    redundancy: Literal["LRS", "ZRS", "GRS", "GZRS"] = "GRS"
    """Copies in one place, in three zones, or also in the paired region."""
    locked: Flag = True
    """A lock that Azure keeps; off for the run that takes rights on the state away."""


class Logs(Section):
    """Where audit logs go: a workspace of the bootstrap's own, or one that exists."""

    workspace_id: WorkspaceId | None = None
    retention_days: Annotated[int, whole(30, 730, "days")] | None = None
    daily_cap_gb: Annotated[int, whole(1, 10_000, "GB a day")] | None = None


class Bootstrap(Section):
    """The bootstrap of one delivery system."""

    workload: WorkloadName
    generation: Annotated[int, whole(1, 99, "lives of the bootstrap")] = 1
    azure: Azure
    tags: TagMap = {}  # noqa: RUF012  (frozen, as in the settings of an environment)
    state: State
    logs: Logs = Logs()
    administrators: Annotated[tuple[Guid, ...], Field(min_length=1)]
    """Groups of the directory."""
    approvers: Guid
    """A group of the directory."""
    environments: tuple[StackName, ...] = ()

    @property
    def names(self) -> Names:
        return Names(self.workload, STACK, self.azure.subscription_id, self.generation)


@dataclass(frozen=True)
class Wanted:
    """The bootstrap, and the settings of the environments that it names, in that order."""

    bootstrap: Bootstrap
    environments: Mapping[str, Settings]

    @property
    def home(self) -> Settings | None:
        """The environment that delivery lives in; None before there is one."""
        return next((each for each in self.environments.values() if each.delivery.home), None)


def parse(config: Mapping[str, Any], root: Path = ROOT, *, rehearsal: bool = False) -> Wanted:
    """From the bootstrap's config and the stack files in `root`.

    Raises SettingsError, or StackFileError, with everything that is wrong with one file.
    """
    known = [field.alias or name for name, field in Bootstrap.model_fields.items()]
    own = {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items() if key.startswith(f"{PROJECT}:")}
    problems = [unknown_key(f"{PROJECT}:{key}", key, known, own[key]) for key in own if key not in known]
    sections, found = read_sections(Bootstrap, PROJECT, {key: own[key] for key in known if key in own})
    problems += found
    if not rehearsal:
        problems += placeholders(PROJECT, own)
    if "state" in sections:
        problems += _ranges(sections["state"])
    if "environments" in sections:
        problems += _unknown(sections["environments"], root)
    if problems:
        raise SettingsError(STACK, in_order(problems, Bootstrap, PROJECT))
    bootstrap = Bootstrap.model_construct(None, **sections)
    environments = {
        key: parse_environment(key, stackfile.read(root / f"Pulumi.{key}.yaml"), rehearsal=rehearsal)
        for key in bootstrap.environments
    }
    if problems := [*_misfits(bootstrap, environments)]:
        raise SettingsError(STACK, in_order(problems, Bootstrap, PROJECT))
    return Wanted(bootstrap, environments)


def load() -> Wanted:
    """From Pulumi's config of the run, and the stack files beside the project."""
    return parse(configured(), rehearsal=rehearsing())


def _problem(key: str, value: Any, allowed: str, mend: str) -> Problem:
    return Problem(f"{PROJECT}:{key}", value, allowed, mend)


def _ranges(state: State) -> Iterator[Problem]:
    if state.access == "restricted" and not state.allowed_ranges:
        yield _problem("state.allowedRanges", None, "at least one range with access restricted", "name who may come in")
    if state.access == "public" and state.allowed_ranges:
        yield _problem(
            "state.allowedRanges",
            list(state.allowed_ranges),
            "none with access public, which lets everybody in",
            "remove them, or set access to restricted",
        )
    for number, cidr in enumerate(state.allowed_ranges):
        if not (IPv4Network(cidr).is_global or is_placeholder(cidr)):
            yield _problem(
                below("state.allowedRanges", number), cidr, "a public range", "name the address that you are seen by"
            )


def _unknown(environments: tuple[str, ...], root: Path) -> Iterator[Problem]:
    files = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml"))
    for number, key in enumerate(environments):
        place = below("environments", number)
        if key in environments[:number]:
            yield _problem(place, key, "each stack once", "remove it")
        elif key == STACK:
            yield _problem(place, key, "the stack of an environment", "remove it: the bootstrap is no environment")
        elif key not in files:
            yield _problem(
                place, key, f"a stack that has a file: {', '.join(files)}", "write its file first (make environment)"
            )


def _misfits(bootstrap: Bootstrap, environments: Mapping[str, Settings]) -> Iterator[Problem]:
    """What the environments say otherwise than the bootstrap, or than each other."""
    homes = [key for key, each in environments.items() if each.delivery.home]
    if environments and len(homes) != 1:
        yield _problem(
            "environments",
            list(environments),
            "exactly one stack with aks-cicd:delivery.home, where delivery lives",
            f"name one of them: {', '.join(homes)}" if homes else "name the stack that owns delivery as well",
        )
    for number, (key, each) in enumerate(environments.items()):
        place = below("environments", number)
        if each.delivery.platform != "azureDevOps":
            yield _problem(
                place,
                key,
                "a stack with aks-cicd:delivery.platform azureDevOps, whose pipelines plan and apply",
                "take it out, and run pulumi by hand or by workflows of your own",
            )
        for what, theirs, ours in (
            ("workload", each.workload, bootstrap.workload),
            ("azure.tenantId", each.azure.tenant_id, bootstrap.azure.tenant_id),
        ):
            if theirs.lower() != ours.lower():
                yield _problem(place, key, f"a stack whose {what} is {ours}, not {theirs}", "make both the same")
        if missing := [leant for leant in each.leans_on if leant not in environments]:
            yield _problem(
                place, key, f"a stack together with those that it leans on: {', '.join(missing)}", "name them too"
            )
        if bootstrap.state.access == "restricted" and each.agents.kind == "hosted":
            yield _problem(
                "state.access",
                "restricted",
                f"public, as long as the agents of {key} are Microsoft's, whose addresses nobody can list",
                f"set aks-cicd:agents.kind of {key} to managed, or access to public",
            )
