"""Delete locks on what holds state in production: Azure itself then refuses to delete it, whoever asks.

The locks come last and go first: a lock also refuses to delete what hangs on the locked resource, role assignments
and diagnostic settings among it, so everything must stand before the lock does.

The cluster is guarded by Pulumi's `protect` alone: a lock would also refuse to remove one of its node pools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Resource, ResourceOptions
from pulumi_azure_native.authorization import ManagementLockByScope

from components.naming import Names


@dataclass(frozen=True)
class LocksArgs:
    names: Names
    scopes: Mapping[str, Input[str]]
    """What is locked, by purpose: `registry`, `workload-vault`, …"""
    after: Sequence[Resource]
    """Everything else; components count with all that is in them."""


class Locks(ComponentResource):
    """A CanNotDelete lock on each of the scopes."""

    def __init__(self, name: str, args: LocksArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:protection:Locks", name, None, opts)
        for purpose, scope in sorted(args.scopes.items()):
            ManagementLockByScope(
                f"{purpose}-lock",
                lock_name=args.names.lock(purpose),
                scope=scope,
                level="CanNotDelete",
                notes="Holds state of production. Remove this lock by way of the program that made it.",
                opts=ResourceOptions(parent=self, depends_on=list(args.after)),
            )
        self.register_outputs({})
