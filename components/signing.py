"""The key that images are signed with: it can do nothing else, and never leaves its vault.

It lies in the CI vault; whoever may use it has a role on the key alone, and whoever reads secrets there has none on
keys. Azure makes the first version and leaves a key that exists as it is, whatever is asked for later. Further versions
are made by people (docs/supply-chain.md), as is the certificate that vouches for each.

What it does not do: it makes no certificate, because a deployment can make none, and it grants nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.keyvault import Key, KeyAttributesArgs, KeyPropertiesArgs

from components.placement import Placement

KEY_NAME = "release-signing"
"""Of the key in its vault."""


@dataclass(frozen=True)
class SigningKeyArgs:
    place: Placement
    vault_name: Input[str]


class SigningKey(ComponentResource):
    """One key. `uri` names it without a version, and has no slash at its end."""

    id: Output[str]
    uri: Output[str]

    def __init__(self, name: str, args: SigningKeyArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:signing:SigningKey", name, None, opts)
        key = Key(
            name,
            key_name=KEY_NAME,
            vault_name=args.vault_name,
            resource_group_name=args.place.resource_group,
            tags=args.place.tags,
            properties=KeyPropertiesArgs(
                kty="RSA",
                # The Notary Project takes 2048, 3072 and 4096; this one is meant to last beyond 2030 (NIST SP 800-57).
                key_size=3072,
                key_ops=["sign", "verify"],
                attributes=KeyAttributesArgs(enabled=True, exportable=False),
            ),
            opts=ResourceOptions(parent=self, protect=args.place.protect),
        )
        self.id, self.uri = key.id, key.key_uri
        self.register_outputs({"id": self.id, "uri": self.uri})
