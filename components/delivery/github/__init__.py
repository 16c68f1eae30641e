"""The GitHub side: the same release as on Azure DevOps, with GitHub's means.

`GitHubHome` exists once, in the stack that owns delivery: both repositories with their branch rules and what Actions
may do in them, the environment `ci`, and who CI is to Azure. `GitHubEnvironment` exists in every stack: the environment
with its gates and facts, and who deploys to it, promotes to it and publishes its dashboards. Jobs, rights, facts and
gates are those of `components.delivery`; what differs is how a gate stands and how a job signs in.

Both components have the types and names of their counterparts: identities and their rights keep their place, and stay
as they are, when an environment changes its platform.

What it does not do: it holds no secret, and it makes no team, because who is in one is the organisation's business.
"""

from __future__ import annotations

from components.delivery.github.environment import GitHubEnvironment, GitHubEnvironmentArgs, Reviewers, warnings
from components.delivery.github.home import GitHubHome, GitHubHomeArgs
from components.delivery.github.provider import github
from components.delivery.github.repositories import Repositories, RepositoryArgs, subject

__all__ = [
    "GitHubEnvironment",
    "GitHubEnvironmentArgs",
    "GitHubHome",
    "GitHubHomeArgs",
    "Repositories",
    "RepositoryArgs",
    "Reviewers",
    "github",
    "subject",
    "warnings",
]
