"""Who approves: a group of the project that has groups of the directory as its only members.

Azure DevOps takes a group of the directory as an approver only after it has been brought into the organisation, and
then by another id than the directory's; a group of the project's own is taken as it is. Its members are overwritten,
so that somebody who is added by hand is out again after the next `up`.

What it does not do: nobody is made an administrator of an environment or a connection, because an administrator can
pass by the gates. Approvers get the role User, without which they would not see what waits for them; whatever they
could do with it has to pass the gates too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_azuredevops import Group, GroupMembership, SecurityroleAssignment

_ROLE_SCOPES: Mapping[str, str] = {
    "environment": "distributedtask.environmentreferencerole",
    "endpoint": "distributedtask.serviceendpointrole",
}


@dataclass(frozen=True)
class ApproversArgs:
    project_id: Input[str]
    name: str
    """Of the project's group."""
    directory_group_ids: Sequence[str]
    """Object ids of the directory's groups."""
    description: str = "Approves releases. Members come from the directory's group alone."


class Approvers(ComponentResource):
    """The group. `id` is what an approval names."""

    id: Output[str]

    def __init__(self, name: str, args: ApproversArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:Approvers", name, None, opts)
        self._project_id = args.project_id
        directory = [
            Group(
                "directory-group" if number == 1 else f"directory-group-{number}",
                origin_id=origin_id,
                # Others in the organisation may use it by now.
                opts=ResourceOptions(parent=self, retain_on_delete=True),
            )
            for number, origin_id in enumerate(args.directory_group_ids, 1)
        ]
        self._group = Group(
            name,
            scope=args.project_id,
            display_name=args.name,
            description=args.description,
            opts=ResourceOptions(parent=self),
        )
        self._members = GroupMembership(
            f"{name}-members",
            group=self._group.descriptor,
            members=[each.descriptor for each in directory],
            mode="overwrite",
            opts=ResourceOptions(parent=self),
        )
        # Whoever depends on the id depends on the membership too: nothing waits for a group that is still empty.
        self.id = Output.all(self._group.origin_id, self._members.id).apply(lambda known: str(known[0]))
        self.register_outputs({"id": self.id})

    def may_see(
        self, name: str, kind: Literal["endpoint", "environment"], id: Input[str], parent: Resource
    ) -> Resource:
        """Lets the approvers see what they approve."""
        return SecurityroleAssignment(
            f"{name}-for-approvers",
            scope=_ROLE_SCOPES[kind],
            resource_id=Output.concat(self._project_id, "_", id),
            identity_id=self._group.group_id,
            role_name="User",
            opts=ResourceOptions(parent=parent),
        )
