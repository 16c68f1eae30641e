"""The repository of configuration: what clusters pull from, and who may read and change it.

It has a folder for each environment that pulls. What lies in it is what its cluster runs, so a change of the folder is
a release, and takes one way: the identity `release-<key>`, whose connection stands behind the gates of the environment,
proposes it by a pull request and consents to it. Nobody else's consent counts for these files, so no person and no
other environment's release gets past the gates. What all environments have in common is reviewed by people.

An identity becomes a user of the organisation and the only member of a group of the project, because that is what
permissions and policies are given to. Members are overwritten: whoever is added by hand is out after the next `up`.

What it does not do: it lets nobody pass by a policy, and it says nothing of other repositories, which such a user
cannot see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azuredevops import GitPermissions, Group, GroupMembership, ServicePrincipalEntitlement

from components.delivery.policies import Reviewers, consent
from components.naming import DeliveryNames

READS: Mapping[str, str] = {"GenericRead": "Allow"}
RELEASES: Mapping[str, str] = {
    **READS,
    # To a branch of its own: main takes pull requests only. Whoever makes a branch may delete it.
    "GenericContribute": "Allow",
    "CreateBranch": "Allow",
    "PullRequestContribute": "Allow",
}


@dataclass(frozen=True)
class RepositoryUserArgs:
    project_id: Input[str]
    repository_id: Input[str]
    principal_id: Input[str]
    """Object id of the identity."""
    group: str
    """Name of the group that has it as its member."""
    may: Mapping[str, str]


class RepositoryUser(ComponentResource):
    """An identity that works with one repository of Azure Repos, and with nothing else there."""

    group_id: Output[str]
    """What a policy names."""

    def __init__(self, name: str, args: RepositoryUserArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:RepositoryUser", name, None, opts)
        own = ResourceOptions(parent=self)
        user = ServicePrincipalEntitlement(
            f"{name}-user",
            origin_id=args.principal_id,
            origin="aad",
            # Basic: code is not to be seen with less.
            account_license_type="express",
            opts=own,
        )
        group = Group(
            f"{name}-users",
            scope=args.project_id,
            display_name=args.group,
            description="Has one identity as its member, and is what that may do in a repository.",
            opts=own,
        )
        members = GroupMembership(
            f"{name}-members", group=group.descriptor, members=[user.descriptor], mode="overwrite", opts=own
        )
        GitPermissions(
            f"{name}-works-with-configuration",
            project_id=args.project_id,
            repository_id=args.repository_id,
            principal=group.descriptor,
            permissions=dict(args.may),
            opts=own,
        )
        self.group_id = Output.all(group.origin_id, members.id).apply(lambda known: str(known[0]))
        self.register_outputs({"groupId": self.group_id})


@dataclass(frozen=True)
class ConfiguredEnvironmentArgs:
    names: DeliveryNames
    project_id: Input[str]
    repository_id: Input[str]
    releases: Input[str]
    """Object id of the identity that changes the environment's folder."""
    pulls: Input[str]
    """Object id of the identity that the cluster reads the repository as."""


class ConfiguredEnvironment(ComponentResource):
    """One environment's part of the repository: who reads it, and who alone may change its folder."""

    def __init__(self, name: str, args: ConfiguredEnvironmentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:ConfiguredEnvironment", name, None, opts)
        own = ResourceOptions(parent=self)
        users = {"release": (args.releases, RELEASES), "flux": (args.pulls, READS)}
        groups = {
            job: RepositoryUser(
                job,
                RepositoryUserArgs(args.project_id, args.repository_id, principal, args.names.users(job), may),
                own,
            ).group_id
            for job, (principal, may) in users.items()
        }
        consent(
            "folder-is-released",
            Reviewers(groups["release"], (f"/{args.names.folder}/*",), author_counts=True),
            f"Only a release changes what {args.names.key} runs: start pipeline cd.",
            project_id=args.project_id,
            repository_id=args.repository_id,
            opts=own,
        )
        self.register_outputs({})
