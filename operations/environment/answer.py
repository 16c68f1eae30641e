"""What the door says when the file is there: for a person in words, for a pipeline as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.environment.asking import Wanted
from operations.environment.tree import Note, sections
from operations.release_list import Line, line
from rehearsal.console import Console
from settings import PROJECT, Problem, Settings
from validation import checks


@dataclass(frozen=True)
class Written:
    """A new environment, and what a person or a pipeline does next."""

    wanted: Wanted
    settings: Settings
    config: dict[str, Any]
    notes: tuple[Note, ...]
    order: tuple[str, ...]
    """The stacks to bring up, one after the other; those that are up already stay as they are."""
    unchanged: bool
    """The file was there already, as it would have been written."""

    @property
    def file(self) -> str:
        return stack_file(self.wanted.name)

    @property
    def placeholders(self) -> tuple[Problem, ...]:
        return tuple(checks.placeholders(PROJECT, _own(self.config)))

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.settings.warnings

    @property
    def release_line(self) -> Line | None:
        """The line of CD's list, as it will be once the stack is up."""
        managed = self.settings.agents.kind == "managed"
        return line(self.settings, self.settings.planned_names.agent_pool if managed else None)

    def next_steps(self) -> Iterator[str]:
        """In this order, each a whole sentence or a command with a word on it."""
        name = self.wanted.name
        if self.placeholders:
            keys = ", ".join(problem.key.removeprefix(f"{PROJECT}:") for problem in self.placeholders)
            yield f"Replace the placeholders in {self.file}: {keys}."
        yield f"make preview STACK={name}: the whole tree, for a review."
        yield f"Commit {self.file}, and bring it to main by a pull request to the platform repository."
        yield f"make doctor STACK={name}: what is missing in subscription, directory and organisation."
        others = [other for other in self.order if other != name]
        yield (
            f"pulumi stack init {name} && pulumi up --stack {name}, after {_and(others)}: "
            "what is up already stays as it is."
        )
        if not self.settings.cluster.reachable:
            yield (
                "Set cluster.reachable to true, and run pulumi up again from inside the network: "
                "docs/cluster-access.md says from where."
            )
        if self.settings.network.hub:
            yield (
                "The hub's owner adds the hub's half of the peering, and links to its DNS zones"
                f"{' and a route for the firewall' if self.settings.network.egress == 'hubRouteTable' else ''}."
            )
        if self.settings.namespace.secrets:
            secrets = _and(self.settings.namespace.secrets)
            yield f"Put {secrets} into the vault {self.settings.planned_names.workload_vault}."
        yield f"make verify STACK={name}: that it works."
        if self.release_line:
            yield f"make list-environment STACK={name}: from then on, releases reach it. Commit the line."

    def as_json(self) -> str:
        names = self.settings.planned_names
        return json.dumps(
            {
                "environment": self.wanted.name,
                "file": self.file,
                "unchanged": self.unchanged,
                "from": self.wanted.source,
                "tier": self.settings.tier,
                "region": self.settings.azure.location,
                "addressSpace": self.settings.network.address_space,
                "subnets": self.settings.subnets,
                "leansOn": {
                    "delivery": self.settings.stacks.delivery,
                    "promotesFrom": self.settings.stacks.promotes_from,
                    "registry": self.settings.stacks.registry,
                },
                "order": self.order,
                "names": {
                    "resourceGroup": names.resource_group,
                    "cluster": names.cluster,
                    "virtualNetwork": names.virtual_network,
                    "workloadVault": names.workload_vault,
                    "registry": names.registry if self.settings.registry else None,
                    "agentPool": names.agent_pool if self.settings.agents.kind == "managed" else None,
                },
                "placeholders": [{"key": each.key, "value": each.value} for each in self.placeholders],
                "decisions": [{"key": f"{PROJECT}:{note.path}", "why": note.text} for note in self.notes],
                "warnings": self.warnings,
                "releaseLine": str(self.release_line) if self.release_line else None,
                "next": list(self.next_steps()),
            },
            indent=2,
        )

    def tell(self, console: Console) -> None:
        console.say()
        found = "was there already, as it would be written now" if self.unchanged else "is written"
        console.say(f"{console.style(self.file, 'bold', 'green')} {found}. What differs from {self.wanted.source}:")
        for path, texts in self._notes_in_order():
            console.say(f"  {path}{self._value(path)}")
            for text in texts:
                console.say(console.style(f"    {text}", "dim"))
        if self.warnings:
            console.say("Worth a word to a reviewer:")
            for warning in self.warnings:
                console.say(f"  - {warning}")
        console.say("Next:")
        for number, step in enumerate(self.next_steps(), 1):
            console.say(f"  {number}. {step}")

    def _notes_in_order(self) -> list[tuple[str, list[str]]]:
        """As the keys stand in the file; what was left out comes last."""
        said: dict[str, list[str]] = {}
        for note in self.notes:
            said.setdefault(note.path, []).append(note.text)
        places = {path: place for place, path in enumerate(paths(sections(self.settings)))}
        return sorted(said.items(), key=lambda each: places.get(each[0], len(places)))

    def _value(self, path: str) -> str:
        value: Any = sections(self.settings)
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            return " is left out"
        return "" if isinstance(value, Mapping | list) else f" = {json.dumps(value)}"


def paths(node: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Every key below a node, in order."""
    for key, value in node.items():
        yield f"{above}{key}"
        if isinstance(value, Mapping):
            yield from paths(value, f"{above}{key}.")


def heading(new: Settings, source: Settings) -> tuple[str, ...]:
    """The words at the top of the file, as the files that ship have them."""
    kind = f"a{'' if new.tier != source.tier else ' further'} {new.tier} environment"
    project, registry = new.stacks.delivery, new.stacks.registry
    uses = f"Azure DevOps project{f' and registry of `{registry}`' if registry == project else f' of `{project}`'}"
    uses += f", the registry of `{registry}`" if registry and registry != project else ""
    images = f", and takes its images from `{new.stacks.promotes_from}`" if new.stacks.promotes_from else ""
    first = f"{new.stack}: {kind}, made from `{source.stack}`. It uses the {uses}{images}."
    placeholders = (
        "Ids that start with 00000000-0000-0000-0000- and addresses in contoso.example are placeholders; `pulumi up` "
        "refuses them, the rehearsal does not."
    )
    has_any = any(checks.is_placeholder(value) for _, value in checks.leaves(new))
    return (first, "", placeholders) if has_any else (first,)


def stack_file(name: str) -> str:
    return f"Pulumi.{name}.yaml"


def _own(config: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items()}


def _and(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
