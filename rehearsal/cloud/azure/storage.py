"""Storage accounts with their blob service and containers. Names live in one world-wide space."""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.kinds import Kind, Request, refuse_unless

ACCOUNT: Final = "azure-native:storage:StorageAccount"
_ARM: Final = "Microsoft.Storage/storageAccounts"
_SKUS: Final = tuple(
    f"{tier}_{how}"
    for tier, ways in (("Standard", ("LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS")), ("Premium", ("LRS", "ZRS")))
    for how in ways
)


def _kind_and_sku(request: Request) -> None:
    refuse_unless(
        request.may_be("kind", "StorageV2", "BlobStorage", "BlockBlobStorage", "FileStorage", "Storage"),
        "InvalidParameter",
        f"Storage account {request.name}: the kind '{request.get('kind')}' is not known.",
    )
    refuse_unless(
        request.may_be("sku.name", *_SKUS),
        "InvalidParameter",
        f"Storage account {request.name}: the sku '{request.get('sku.name')}' is not one of {', '.join(_SKUS)}.",
    )


def _ranges(request: Request) -> None:
    """Source: Microsoft's page on the firewall of a storage account."""
    for rule in request.blocks("networkRuleSet.ipRules"):
        said = rule.get("iPAddressOrRange", "")
        if said is UNKNOWN:
            continue
        refuse_unless(
            re.fullmatch(r"[0-9.]+(/([0-9]|[12][0-9]|30))?", said) is not None,
            "InvalidValuesForRequestParameters",
            f"'{said}': a single address is written without its prefix length, a range has at most /30.",
        )
        refuse_unless(
            not re.match(r"(10|192\.168|172\.(1[6-9]|2[0-9]|3[01]))\.", said),
            "InvalidValuesForRequestParameters",
            f"'{said}' is a private address; rules are for public ones.",
        )


def _account(request: Request) -> dict[str, Any]:
    hosts = {each: f"https://{request.name}.{each}.core.windows.net/" for each in ("blob", "dfs", "queue", "table")}
    return {
        "primaryEndpoints": hosts,
        "primaryLocation": request.get("location"),
        "provisioningState": "Succeeded",
        "creationTime": "2026-01-01T00:00:00Z",
    }


def _retention(request: Request) -> None:
    for path in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        days = request.get(f"{path}.days", 7)
        refuse_unless(
            not request.get(f"{path}.enabled", False) or 1 <= days <= 365,
            "InvalidXmlNodeValue",
            f"{path}.days is {days}; allowed are 1 to 365.",
        )


def _closed_where_the_account_is(request: Request) -> None:
    account = request.world.find("/".join(request.id.split("/")[:9]))
    public = account is not None and account.inputs.get("allowBlobPublicAccess") is True
    refuse_unless(
        public or request.get("publicAccess", "None") == "None",
        "PublicAccessNotPermitted",
        "Public access is not permitted on this storage account.",
    )


KINDS: Final = (
    Kind(
        token=ACCOUNT,
        arm_type=_ARM,
        path=("accountName",),
        required=("kind", "sku"),
        compute=_account,
        shape=(_kind_and_sku, _ranges),
        name_taken="StorageAccountAlreadyTaken",
    ),
    Kind(
        token="azure-native:storage:BlobServiceProperties",
        arm_type=f"{_ARM}/blobServices",
        path=("accountName", "blobServicesName"),
        located=False,
        shape=(_retention,),
    ),
    Kind(
        token="azure-native:storage:BlobContainer",
        arm_type=f"{_ARM}/blobServices/containers",
        # The service in between is the only one that an account has.
        path=("accountName", "=default", "containerName"),
        located=False,
        world=(_closed_where_the_account_is,),
    ),
)
