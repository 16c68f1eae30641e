"""Extensions of the Azure DevOps organisation that the pipelines use.

Microsoft Security DevOps brings the task that scans code, templates and images. The mapping extension connects a
container image with the run that built it; Defender for Cloud shares and installs it by itself in an organisation
that is connected to it, and without that connection it does nothing, so it is left alone unless said otherwise.

An extension is the organisation's, not the project's. The one stack that owns it installs it, and it stays when that
stack is destroyed, because others use it by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pulumi import ComponentResource, ResourceOptions
from pulumi_azuredevops import Extension


@dataclass(frozen=True)
class ExtensionId:
    publisher: str
    extension: str


KNOWN: Mapping[str, ExtensionId] = MappingProxyType(
    {
        "security-devops": ExtensionId("ms-securitydevops", "microsoft-security-devops-azdevops"),
        "code-to-cloud": ExtensionId("ms-securitydevops", "ms-dfd-code-to-cloud"),
    }
)
"""Extensions by what they are for; ids as in the Marketplace (README of microsoft/security-devops-azdevops)."""


@dataclass(frozen=True)
class ExtensionsArgs:
    owned: tuple[str, ...] = ("security-devops",)
    """Keys of `KNOWN` that this stack installs; the others are left alone."""
    there: bool = False
    """Whether an earlier life of this environment has installed them already: the service refuses to do so twice."""


class Extensions(ComponentResource):
    """The extensions that this stack owns."""

    def __init__(self, name: str, args: ExtensionsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:Extensions", name, None, opts)
        for purpose in sorted(args.owned):
            known = KNOWN[purpose]
            Extension(
                f"extension-{purpose}",
                publisher_id=known.publisher,
                extension_id=known.extension,
                # No version: the Marketplace renews extensions by itself.
                opts=ResourceOptions(
                    parent=self,
                    retain_on_delete=True,
                    ignore_changes=["version"],
                    import_=f"{known.publisher}/{known.extension}" if args.there else None,
                ),
            )
        self.register_outputs({})
