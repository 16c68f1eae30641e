"""The `preview` door: every stack, in promotion order, on the real engine against the stand-in cloud.

Nothing is written, and no engine started, before the settings of all stacks are valid; and `build/preview` is
replaced only when every stack has been previewed and updated without an error.
"""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

import policies
import settings
from components.access import role_name
from components.delivery.extensions import KNOWN
from rehearsal import bootstrap, pipelines, program, report, toolchain, topology, workflows
from rehearsal.cloud import Cloud, Estate, Existing
from rehearsal.console import Console
from rehearsal.engine import Rehearsal
from rehearsal.program import Stack
from rehearsal.run import Run
from validation import stackfile

PLACE: Final = Path("build") / "preview"
ENGINE: Final = Path("build") / "engine"
"""Thrown away by every preview; what is kept between runs lies elsewhere (`rehearsal.kept`)."""


@dataclass(frozen=True)
class Previewed:
    """What one stack's preview and update gave."""

    stack: Stack[settings.Settings]
    preview: Run
    update: Run
    export: dict[str, Any]


def plan(
    root: Path, names: Sequence[str], drafts: Mapping[str, Path] | None = None
) -> tuple[Stack[settings.Settings], ...]:
    """The stacks to rehearse, with settings that are valid for a rehearsal; `drafts` as `program.plan` takes them.

    Raises:
        ProgramError: with every problem of every stack.
    """

    def parse(stack: str, config: Mapping[str, Any]) -> settings.Settings:
        return settings.parse(stack, config, rehearsal=True)

    stacks = program.plan(root, names, parse, settings.SettingsError, drafts)
    if problems := [*_owned_twice(stacks)]:
        raise program.ProgramError(problems)
    return stacks


def _owned_twice(stacks: Iterable[Stack[settings.Settings]]) -> Iterator[str]:
    """Stacks that need not lean on each other, and so cannot find out by themselves."""
    owners: dict[tuple[str, str, str], list[str]] = {}
    for stack in stacks:
        if home := stack.settings.delivery.home:
            if home.project:
                key = ("project", stack.settings.organization.lower(), home.project.name.lower())
                owners.setdefault(key, []).append(stack.name)
            if home.repositories:
                for name in (home.repositories.application, home.repositories.platform):
                    owners.setdefault(("repository", stack.settings.owner.lower(), name.lower()), []).append(stack.name)
    for (what, owner, name), names in owners.items():
        if len(names) > 1:
            yield (
                f"The stacks {' and '.join(names)} both own the {what} {name} of {owner} "
                "(aks-cicd:delivery.home). Name one of them as aks-cicd:stacks.delivery of the others, and remove "
                "their aks-cicd:delivery.home."
            )


def stand_in(environments: Iterable[settings.Settings]) -> Cloud:
    """A cloud that holds what these environments expect to find there already.

    Where one says that its private API server is reached, the rehearsal stands inside the network, as that `up` must.
    """
    environments = tuple(environments)
    first, *further = (_estate(environment.existing) for environment in environments)
    inside = any(each.cluster.access == "private" and each.cluster.reachable for each in environments)
    cloud = Cloud(first, inside_network=inside)
    for estate in further:
        cloud.admit(estate)
    return cloud


def _estate(known: settings.Existing) -> Estate:
    delivery = set()
    if known.project and known.project.id:
        delivery.add(Existing("project", known.project.id, known.project.name))
        if known.github:
            delivery.add(Existing("endpoint", known.github.connection_id, "GitHub", known.project.id))
    delivery |= {*_on_github(known)}
    return Estate(
        tenant_id=known.tenant_id,
        subscriptions=known.subscription_ids,
        resource_ids=known.resource_ids,
        groups=known.groups,
        service_principals=known.service_principals,
        organization=known.organization,
        delivery=frozenset(delivery),
        extensions=frozenset(".".join(astuple(KNOWN[purpose])) for purpose in known.extensions),
    )


def _on_github(known: settings.Existing) -> Iterator[Existing]:
    """What must be there: the owner, the repositories that the program does not make, and who approves."""
    said = known.repositories
    if said:
        yield Existing("github-owner", str(said.owner_id or ""), known.owner)
    if said and not said.create:
        ids = (said.owner_id, said.application_id) if said.subject == "immutable" else None
        own = f"{known.owner}@{ids[0]}/{said.application}@{ids[1]}" if ids else f"{known.owner}/{said.application}"
        yield Existing("github-repository", f"repo:{own}", said.application, known.owner)
        yield Existing("github-repository", f"repo:{known.owner}/{said.platform}", said.platform, known.owner)
    yield from (Existing("github-team", str(id), f"team-{id}") for id in known.teams)
    yield from (Existing("github-user", str(id), f"user-{id}") for id in known.users)


def preview(root: Path, names: Sequence[str], console: Console) -> None:
    """Previews and updates the stacks, prints them, and writes their exports and the drawing.

    Raises:
        ProgramError, ToolchainError, WorkspaceError, EngineError: with a message for a person.
    """
    stacks = plan(root, names)
    cli = toolchain.bring(toolchain.ways(root, console), console.say)
    console.say(f"Pulumi {cli.version} on a stand-in cloud; nothing leaves this machine.")
    cloud = stand_in(stack.settings for stack in stacks)
    configs = {stack.name: stack.config for stack in stacks}
    done: list[Previewed] = []
    with Rehearsal.open(root, root / ENGINE, cloud, configs=configs, cli=cli) as rehearsal:
        fresh = _emptied(root / ENGINE / PLACE.name)
        for stack in stacks:
            done.append(run(rehearsal, stack, fresh, console))
            _print(done, console)
    exports = {previewed.stack.name: previewed.export for previewed in done}
    if exports.keys() == program.stack_files(root).keys():
        # Who delivers by GitHub Actions plans and applies without the pipelines that come with the bootstrap.
        by_pipeline = [one.stack.name for one in done if one.stack.settings.delivery.platform == "azureDevOps"]
        exports |= _bootstrapped(root, by_pipeline, cloud, cli, fresh, console)
        judge_pipelines(root, exports, console)
    judge_policies(done, console, datetime.date.today(), exports.get(bootstrap.STACK))
    drawing = topology.draw({previewed.stack.name: previewed.export for previewed in done})
    (fresh / "topology.svg").write_text(drawing, "utf-8")
    shutil.rmtree(root / PLACE, ignore_errors=True)
    fresh.replace(root / PLACE)
    files = ", ".join(sorted(path.name for path in (root / PLACE).iterdir()))
    console.say()
    console.say(f"{console.style('Every stack is valid.', 'green')} Written to {PLACE}: {files}")


def _bootstrapped(
    root: Path, names: Sequence[str], cloud: Cloud, cli: toolchain.Cli, fresh: Path, console: Console
) -> dict[str, dict[str, Any]]:
    """The export of the bootstrap as it is once these stacks are up, by its name; nothing without a bootstrap.

    Raises:
        ProgramError: its settings do not fit, or what it made may not be.
    """
    if not (root / bootstrap.DIRECTORY).is_dir():
        return {}
    try:
        wanted = bootstrap.config(root, names)
    except (settings.SettingsError, stackfile.StackFileError) as error:
        raise program.ProgramError([str(error)]) from None
    name = bootstrap.STACK
    with bootstrap.opened(root, root / ENGINE, cloud, cli) as rehearsal:
        rehearsal.configure(name, wanted)
        with console.progress(f"{name}: update") as progress:
            updated = rehearsal.update(name, lambda n, what: progress.update(f"{n} resources  {what}"))
        export = rehearsal.export(name, fresh / f"{name}.json")
    console.say()
    found = len(export["deployment"]["resources"])
    console.say(
        f"{console.style(name, 'bold')}  the project that holds the state and lets pipelines plan and apply "
        f"{' and '.join(names) or 'nothing yet'}: {found} resources, update {updated.seconds:.1f} s"
    )
    return {name: export}


def judge_pipelines(root: Path, exports: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    """Holds the pipelines' YAML against what all stacks made; it names things of each of them.

    Raises:
        ProgramError: with every finding.
    """
    stacks = {name: export for name, export in exports.items() if name != bootstrap.STACK}
    on_github = workflows.on_github(stacks)
    what, findings = (
        ("workflows", workflows.lint(root, stacks)) if on_github else ("pipelines", pipelines.lint(root, exports))
    )
    if findings:
        raise program.ProgramError([f"The {what} do not fit the stacks:", *map(str, findings)])
    console.say()
    console.say(f"The {what} name only what the stacks made, and use only what is opened to them.")


def judge_policies(
    done: Sequence[Previewed], console: Console, today: datetime.date, bootstrapped: Mapping[str, Any] | None = None
) -> None:
    """Judges what the stacks made, and the bootstrap, by the rules of the policy pack.

    Raises:
        ProgramError: where something mandatory is broken and nothing allows it; all findings are told before.
    """
    broken = []
    judged: list[tuple[str, Mapping[str, Any], Sequence[policies.Exemption]]] = [
        (each.stack.name, each.export, each.stack.settings.exemptions) for each in done
    ]
    judged += [(bootstrap.STACK, bootstrapped, ())] if bootstrapped else []
    for name, export, exemptions in judged:
        findings = policies.judge(export, exemptions, today)
        console.say()
        console.say(f"{console.style(name, 'bold')}  {policies.render(findings, console.style)}")
        broken += [name] if any(finding.blocks for finding in findings) else []
    if broken:
        message = (
            f"{' and '.join(broken)}: mandatory policies are broken (above). Mend what they name, or say in the stack "
            "file why not and until when: aks-cicd:exceptions (docs/exceptions.md)."
        )
        raise program.ProgramError([message])


def run(rehearsal: Rehearsal, stack: Stack[settings.Settings], fresh: Path, console: Console) -> Previewed:
    """Preview and update of one stack, shown while under way; its export goes into `fresh`."""
    with console.progress(f"{stack.name}: preview") as progress:
        previewed = rehearsal.preview(stack.name, lambda n, name: progress.update(f"{n} resources  {name}"))
    total = len(previewed.steps)
    with console.progress(f"{stack.name}: update") as progress:
        updated = rehearsal.update(stack.name, lambda n, name: progress.update(f"{n} of {total}  {name}"))
    return Previewed(stack, previewed, updated, rehearsal.export(stack.name, fresh / f"{stack.name}.json"))


def _print(done: Sequence[Previewed], console: Console) -> None:
    """The latest stack; names are resolved with the stacks before it, whose identities it may grant to."""
    latest = done[-1]
    names = report.Names.of((previewed.export for previewed in done), role_name)
    console.say()
    console.say(console.style(f"━━ {latest.stack.name} ", "bold") + console.style("━" * 60, "dim"))
    leans_on = latest.stack.settings.leans_on
    console.say(
        f"preview {latest.preview.seconds:.1f} s, update {latest.update.seconds:.1f} s"
        + (f", reads {', '.join(leans_on)}" if leans_on else "")
    )
    console.say()
    console.say(report.tree(latest.export, names, console.style))
    console.say()
    warnings = tuple(dict.fromkeys((*latest.preview.warnings, *latest.update.warnings)))
    console.say(report.render(report.summary(latest.export, names, warnings), console.style))


def _emptied(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory
