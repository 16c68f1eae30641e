"""Storage: the bootstrap's, which holds the state of every stack. No environment has any."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import Properties, get, kind
from policies.rule import MANDATORY, on_resource

ACCOUNT = "storage:StorageAccount"
SERVICE = "storage:BlobServiceProperties"
CONTAINER = "storage:BlobContainer"


@on_resource(
    "storage-tokens",
    ACCOUNT,
    severity=MANDATORY,
    reason="A key of the account opens everything in it, and stands in no role assignment.",
    remedy="Set allowSharedKeyAccess and isLocalUserEnabled to false.",
)
def only_tokens_open_it(type_: str, account: Properties) -> Iterator[str]:
    if get(account, "allowSharedKeyAccess") is not False:
        yield "its keys open it"
    if get(account, "isLocalUserEnabled") is not False:
        yield "users of its own open it"


@on_resource(
    "storage-public-access",
    ACCOUNT,
    CONTAINER,
    severity=MANDATORY,
    reason="State tells what there is and where, and holds sealed secrets.",
    remedy="Set allowBlobPublicAccess to false, and publicAccess of each container to None.",
    psrule=("Azure.Storage.BlobPublicAccess", "Azure.Storage.BlobAccessType"),
)
def nobody_reads_without_a_token(type_: str, properties: Properties) -> Iterator[str]:
    if kind(type_) == ACCOUNT and get(properties, "allowBlobPublicAccess") is not False:
        yield "a container of it may be public"
    if kind(type_) == CONTAINER and get(properties, "publicAccess") not in (None, "None"):
        yield f"anybody may read its {str(get(properties, 'publicAccess')).lower()}s"


@on_resource(
    "storage-transport",
    ACCOUNT,
    severity=MANDATORY,
    reason="What is sent to it in the clear, or by a cipher that is broken, is read on the way.",
    remedy="Set enableHttpsTrafficOnly, and minimumTlsVersion to TLS1_2 or later.",
    psrule=("Azure.Storage.SecureTransfer", "Azure.Storage.MinTLS"),
)
def it_is_sealed_on_the_way(type_: str, account: Properties) -> Iterator[str]:
    if get(account, "enableHttpsTrafficOnly") is not True:
        yield "it answers without TLS"
    if (least := get(account, "minimumTlsVersion")) not in ("TLS1_2", "TLS1_3"):
        yield f"it answers by {least}"


@on_resource(
    "storage-recovery",
    SERVICE,
    severity=MANDATORY,
    reason="A state that was overwritten or deleted could not be brought back.",
    remedy="Set isVersioningEnabled, and deleteRetentionPolicy of blobs and containers to 7 days or more.",
    psrule=("Azure.Storage.SoftDelete", "Azure.Storage.ContainerSoftDelete"),
)
def it_can_be_restored(type_: str, service: Properties) -> Iterator[str]:
    if get(service, "isVersioningEnabled") is not True:
        yield "what is overwritten is gone"
    for path, what in (("deleteRetentionPolicy", "blob"), ("containerDeleteRetentionPolicy", "container")):
        if get(service, f"{path}.enabled") is not True or (get(service, f"{path}.days") or 0) < 7:
            yield f"a {what} that is deleted is gone within the week"
