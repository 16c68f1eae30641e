"""The Azure DevOps project and its repositories.

The project is our own, with only the services that are used, or one that exists, whose services and settings are then
its owner's. The platform repository holds this program and the pipelines' templates; the application repository holds
the workload. Each is seeded once, file after file, and belongs to its team from then on: the program neither renews
nor removes what it has put there, and pushes nothing once the branch policies stand.

What it does not do: it seeds no repository on GitHub.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_azuredevops import Git, GitInitializationArgs, GitRepositoryFile, Project, ProjectPipelineSettings

from components.delivery.checks import MAIN

SERVICES = ("artifacts", "boards", "pipelines", "repositories", "testplans")
USED = frozenset({"pipelines", "repositories"})


@dataclass(frozen=True)
class ExistingProject:
    """A project that somebody else owns."""

    id: str
    name: str


@dataclass(frozen=True)
class DeliveryProjectArgs:
    name: str
    """Of our own project."""
    description: str = "Delivers an application to Azure Kubernetes Service. Provisioned by a Pulumi program."
    services: frozenset[str] = USED
    """Which of `SERVICES` are on."""


def wanted_project(name: str, id: str | None, services: Sequence[str]) -> DeliveryProjectArgs | ExistingProject:
    """The project that has the id, or one of our own with these services beside those that delivery uses."""
    return ExistingProject(id, name) if id else DeliveryProjectArgs(name, services=USED | set(services))


def features(services: frozenset[str]) -> dict[str, str]:
    """Every service of a project, on or off. Raises ValueError without those that delivery needs."""
    if missing := sorted(USED - services) or sorted(services - set(SERVICES)):
        raise ValueError(
            f"a delivery project has {', '.join(sorted(USED))} and may have others of {SERVICES}: {missing}"
        )
    return {service: "enabled" if service in services else "disabled" for service in SERVICES}


class DeliveryProject(ComponentResource):
    """A project of our own."""

    id: Output[str]
    name: Output[str]

    def __init__(self, name: str, args: DeliveryProjectArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:DeliveryProject", name, None, opts)
        project = Project(
            "project",
            name=args.name,
            description=args.description,
            visibility="private",
            version_control="Git",
            work_item_template="Agile",
            features=features(args.services),
            # With it would go both repositories, their history and every gate.
            opts=ResourceOptions(parent=self, protect=True),
        )
        ProjectPipelineSettings(
            "pipeline-settings",
            project_id=project.id,
            # A run's own token reaches this project only, and in it only repositories that its YAML names and that it
            # is authorised for.
            enforce_job_scope=True,
            enforce_job_scope_for_release=True,
            enforce_referenced_repo_scoped_token=True,
            # Whoever starts a run sets no variable that the pipeline does not offer.
            enforce_settable_var=True,
            publish_pipeline_metadata=True,
            status_badges_are_private=True,
            opts=ResourceOptions(parent=self),
        )
        self.id, self.name = project.id, project.name
        self.register_outputs({"id": self.id, "name": self.name})


@dataclass(frozen=True)
class RepositoryArgs:
    project_id: Input[str]
    name: str
    seeds: Mapping[str, str]
    """Path in the repository to content."""


def seeding_order(seeds: Mapping[str, str]) -> list[str]:
    """The paths in the order they are pushed.

    Raises ValueError for a path that would be refused: rooted or outside the repository, or the readme.md that comes
    with the first commit (whatever its case: some file systems know one only).
    """
    refused = sorted(
        path
        for path in seeds
        if not path or path.startswith("/") or ".." in path.split("/") or path.lower() == "readme.md"
    )
    if refused:
        raise ValueError(f"cannot be seeded (relative paths other than readme.md can): {', '.join(refused)}")
    return sorted(seeds)


class SeededRepository(ComponentResource):
    """A repository of Azure Repos with `main` as its branch. `ready` is what policies wait for."""

    id: Output[str]
    name: Output[str]
    ready: list[Resource]

    def __init__(self, name: str, args: RepositoryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:SeededRepository", name, None, opts)
        repository = Git(
            f"{name}-repository",
            project_id=args.project_id,
            name=args.name,
            default_branch=MAIN,
            # A first commit, because a file can only be pushed to a branch that exists.
            initialization=GitInitializationArgs(init_type="Clean"),
            opts=ResourceOptions(parent=self, protect=True, ignore_changes=["initialization"]),
        )
        self.ready = [repository]
        for path in seeding_order(args.seeds):
            self.ready.append(self._seed(f"{name}-seed-{path}", repository, path, args.seeds[path]))
        self.id, self.name = repository.id, repository.name
        self.register_outputs({"id": self.id, "name": self.name})

    def _seed(self, name: str, repository: Git, path: str, content: str) -> GitRepositoryFile:
        return GitRepositoryFile(
            name,
            repository_id=repository.id,
            file=path,
            content=content,
            branch=MAIN,
            commit_message=f"Add {path}",
            overwrite_on_create=False,
            opts=ResourceOptions(
                parent=self,
                # Each is a commit on the one before.
                depends_on=[self.ready[-1]],
                # From now on the team's. Every change would be a push to a branch that takes none.
                ignore_changes=["content", "commitMessage", "overwriteOnCreate"],
                retain_on_delete=True,
            ),
        )
