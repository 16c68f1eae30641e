"""The action group that every alert of an environment goes to: who is told, and how.

Receivers get the common alert schema, one form for all kinds of alert. A Teams channel is told by its e-mail address,
or by a webhook of Teams' Workflows. The address of a webhook is a credential: it is kept as a secret.

What it does not do: it decides nothing about when to tell; that stands with each alert.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pulumi import ComponentResource, Output, ResourceOptions
from pulumi_azure_native.monitor import ActionGroup, MicrosoftCommonEmailReceiverArgs, WebhookReceiverArgs

from components.placement import Placement


@dataclass(frozen=True)
class NotificationsArgs:
    place: Placement
    emails: Mapping[str, str]
    """Name of a receiver to its address; people, mailing lists and channels of Teams."""
    webhooks: Mapping[str, str] = field(default_factory=dict)
    """Name of a receiver to its address, https."""


class Notifications(ComponentResource):
    """One action group. `action_group_id` is what alerts name."""

    action_group_id: Output[str]

    def __init__(self, name: str, args: NotificationsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:Notifications", name, None, opts)
        place = args.place
        group = ActionGroup(
            "operators",
            action_group_name=place.names.action_group,
            # What a text message would begin with; twelve characters at most, so the environment's name alone.
            group_short_name=place.names.environment,
            resource_group_name=place.resource_group,
            location="Global",
            tags=place.tags,
            enabled=True,
            email_receivers=[
                MicrosoftCommonEmailReceiverArgs(name=receiver, email_address=address, use_common_alert_schema=True)
                for receiver, address in sorted(args.emails.items())
            ],
            webhook_receivers=[
                WebhookReceiverArgs(name=receiver, service_uri=Output.secret(address), use_common_alert_schema=True)
                for receiver, address in sorted(args.webhooks.items())
            ],
            opts=ResourceOptions(parent=self),
        )
        self.action_group_id = group.id
        self.register_outputs({"actionGroupId": self.action_group_id})
