#!/usr/bin/env python3
"""Releases to an environment whose cluster pulls: changes its folder in the repository of configuration.

Needs Python 3.11, the Azure CLI, helm, oras, and the package of `requirements.lock`. In this order: both images are
looked up in the environment's registry by digest; the chart is rendered as the push model renders it, and the folder is
judged; only then the change is proposed by a pull request, consented to, and waited for until Azure DevOps has merged
it. So a digest that the registry does not have, and a chart that renders what the cluster would not apply, change
nothing.

The output variable `previousCommit` says where the folder was as it is to be after a roll-back (`none`: there was no
release), `job` what the acceptance tests are called in the cluster. What it does not do: it reaches no cluster, and
does not wait for one (`reconciled.py`).

Exit codes: 0 merged, 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import arguments as kinds
from pipelines.scripts import pull_folder
from pipelines.scripts import release as releases
from pipelines.scripts.agent import fail, set_variable
from pipelines.scripts.azure_repos import RESOURCE, Repository
from pipelines.scripts.commands import CommandError, Patience, az_token
from pipelines.scripts.deploy import NONE, settings, values_of
from pipelines.scripts.http_json import HttpError, Service, base_address
from pipelines.scripts.oci_registry import Repository as Images
from pipelines.scripts.oci_registry import signed_in
from pipelines.scripts.pull_folder import Target
from pipelines.scripts.release import Release
from pipelines.scripts.rollout import Chart, rendered

CONFIGURATION = "configuration"
"""Name of the repository."""


def check_images(server: str, name: str, release: Release, patience: Patience) -> None:
    """CommandError unless the environment's registry has both images."""
    with signed_in({server: name}, patience) as environment:
        for image, digest in release.images:
            if not Images(server, image, environment, patience).has(digest):
                raise CommandError(f"{server}/{image}@{digest}: is not there; nothing was committed")


def render(package: Path, target: Target, release: Release, service_account: str) -> str:
    """What the push model would send to the cluster."""
    with tempfile.TemporaryDirectory() as directory:
        values = values_of(package, target.environment, Path(directory))
        chart = Chart(package, settings(release, target.registry, service_account), values)
        return rendered(target.name, target.namespace, chart)


def change(
    repository: Repository,
    target: Target,
    files: dict[str, str],
    *,
    title: str,
    description: str,
    timeout: float,
    pause: Callable[[float], None],
) -> str:
    """Brings the files to `main`; the commit that they came with."""
    base = repository.head()
    proposal = repository.propose(
        pull_folder.path(target.environment),
        files,
        base=base,
        branch=f"release/{target.environment}/{target.attempt}",
        title=title,
        description=description,
    )
    print(f"pull request {proposal.number}: {title}", flush=True)
    commit = repository.merged(proposal, timeout, pause)
    print(f"{pull_folder.path(target.environment)}: main is at {commit}", flush=True)
    return commit


def parser_of(description: str) -> argparse.ArgumentParser:
    """What both ways of changing a folder are told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--organization", required=True, type=base_address, help="URL, as System.CollectionUri says it")
    parser.add_argument("--project", required=True, help="of Azure DevOps, by name or id")
    parser.add_argument("--environment", required=True, type=kinds.label, help="whose folder is changed")
    parser.add_argument("--attempt", required=True, type=kinds.attempt, help="run and try, such as 812-1")
    parser.add_argument("--merge", type=float, default=1500, help="seconds until the policies must have let it through")
    return parser


def repository_of(options: argparse.Namespace, patience: Patience) -> Repository:
    service = Service(options.organization, lambda: az_token(RESOURCE, patience), patience)
    return Repository(service, options.project, CONFIGURATION)


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = parser_of("Releases to an environment whose cluster pulls.")
    parser.add_argument("--release", required=True, type=Path, help="release.json of CI")
    parser.add_argument("--artifacts", required=True, type=Path, help="directory that has the chart package")
    parser.add_argument("--registry", required=True, type=kinds.host, help="login server of the environment's registry")
    parser.add_argument("--registry-id", required=True, type=kinds.registry_id, help="its resource id")
    parser.add_argument("--name", required=True, type=kinds.label, help="of the release in the cluster")
    parser.add_argument("--namespace", required=True, type=kinds.label, help="of the workload")
    parser.add_argument("--service-account", required=True, type=kinds.label, help="that the platform made")
    options = parser.parse_args(arguments)
    patience = Patience(300, pause)
    target = Target(options.environment, options.registry, options.name, options.namespace, options.attempt)
    try:
        found = releases.read(options.release)
        check_images(options.registry, options.registry_id.rpartition("/")[2], found, patience)
        manifests = render(options.artifacts / found.chart, target, found, options.service_account)
        files = pull_folder.folder(target, found, manifests)
        repository = repository_of(options, patience)
        before = repository.head()
        there = repository.files(pull_folder.path(target.environment), before)
        set_variable("previousCommit", before if there else NONE, output=True)
        title = f"{target.environment}: {found.image} {found.digest[:19]} of run {found.run}"
        words = f"Release of commit {found.commit} by run {target.attempt} of cd. Merged by its policies."
        change(repository, target, files, title=title, description=words, timeout=options.merge, pause=pause)
        set_variable("job", target.job, output=True)
    except (CommandError, HttpError) as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
