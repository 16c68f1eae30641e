"""Who proposes newer versions of what is pinned: an identity that may open pull requests, and nothing beside that.

It has no role in Azure. In Azure DevOps it pushes branches of its own and opens pull requests in the repositories that
are named here. To pass by a policy or to change one is denied, which counts more than whatever a group of the
organisation might allow it. Its pull requests are built and reviewed as those of anybody else: whoever opens one or
pushes to it last cannot approve it.

What it does not do: it grants nothing to the job's own token, which every pipeline of the project has, those of
unreviewed branches included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_azuredevops import GitPermissions, ServicePrincipalEntitlement

from components.delivery.checks import ChecksArgs
from components.delivery.identity import PipelineIdentity, PipelineIdentityArgs, Subscription
from components.naming import DeliveryNames
from components.placement import Placement

PROPOSES: Mapping[str, str] = {
    "GenericRead": "Allow",
    "GenericContribute": "Allow",
    "CreateBranch": "Allow",
    "PullRequestContribute": "Allow",
    "PolicyExempt": "Deny",
    "PullRequestBypassPolicy": "Deny",
    "EditPolicies": "Deny",
    "ManagePermissions": "Deny",
}


@dataclass(frozen=True)
class UpdatesArgs:
    place: Placement
    subscription: Subscription
    checks: ChecksArgs
    pipelines: Mapping[str, Input[int]]
    """Who may be it: name to id."""
    repositories: Mapping[str, Input[str]]
    """What it proposes to: name to id."""


class Updates(ComponentResource):
    """One identity, as a user of the organisation."""

    def __init__(self, name: str, args: UpdatesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:Updates", name, None, opts)
        own = ResourceOptions(parent=self)
        identity = PipelineIdentity(
            "updates",
            PipelineIdentityArgs(
                args.place,
                purpose="updates",
                connections=(DeliveryNames.UPDATES_CONNECTION,),
                subscription=args.subscription,
                checks=args.checks,
                rights={},
                pipelines=args.pipelines,
            ),
            own,
        )
        user = ServicePrincipalEntitlement(
            "updates-user",
            origin_id=identity.principal_id,
            origin="aad",
            # Basic: code is not to be seen with less.
            account_license_type="express",
            opts=own,
        )
        for repository, id in sorted(args.repositories.items()):
            GitPermissions(
                f"updates-are-proposed-to-{repository}",
                project_id=args.checks.project_id,
                repository_id=id,
                principal=user.descriptor,
                permissions=dict(PROPOSES),
                opts=own,
            )
        self.register_outputs({})
