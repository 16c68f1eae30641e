"""What a node pool may be. The same rules hold for a cluster's inline pools and for pools of their own.

A rule sees one pool as a plain mapping, in which values may be UNKNOWN, and the name to blame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.kinds import refuse_unless

# The minor versions that AKS supports, oldest first, with the newest patch. Source: AKS's support calendar.
VERSIONS: Final[dict[str, str]] = {"1.34": "1.34.8", "1.35": "1.35.6", "1.36": "1.36.4", "1.37": "1.37.1"}

_SIZE: Final = re.compile(
    r"^Standard_(?P<family>[A-Z]+)(?P<cores>\d+)(-\d+)?(?P<features>[a-z]*)(_[A-Z]\w*?)?(_v(?P<version>\d+))?$"
)
_SURGE: Final = re.compile(r"^(\d+|([1-9]\d?|100)%)$")


def known(pool: Mapping[str, Any], key: str, default: Any = None) -> Any:
    value = pool.get(key)
    return default if value is None or value is UNKNOWN else value


def minor_of(version: str) -> str:
    return ".".join(version.split(".")[:2])


def check_version(version: str, owner: str) -> None:
    shaped = re.match(r"^\d+\.\d+(\.\d+)?$", version) is not None
    refuse_unless(
        shaped and minor_of(version) in VERSIONS,
        "K8sVersionNotSupported",
        f"{owner}: Kubernetes version {version} is not supported; supported are {', '.join(VERSIONS)}.",
    )


def order_of(version: str) -> tuple[int, ...]:
    """A key that sorts versions. An alias such as 1.36 stands for its newest patch."""
    return tuple(int(part) for part in VERSIONS.get(version, version).split("."))


def check_pool(pool: Mapping[str, Any], owner: str) -> None:
    _size(pool, owner)
    _counts(pool, owner)
    _zones(pool, owner)
    _disk(pool, owner)
    _upgrades(pool, owner)
    version = known(pool, "orchestratorVersion")
    if version is not None:
        check_version(str(version), owner)
    pods = known(pool, "maxPods", 30)
    refuse_unless(10 <= pods <= 250, "InvalidParameter", f"{owner}: maxPods is {pods}; allowed are 10 to 250.")
    for label in known(pool, "nodeLabels", {}):
        refuse_unless(
            not str(label).startswith("kubernetes.azure.com/"),
            "InvalidParameter",
            f"{owner}: the label '{label}' has the prefix that AKS keeps for itself.",
        )
    _image(pool, owner)


def _image(pool: Mapping[str, Any], owner: str) -> None:
    image = known(pool, "osSKU")
    retired = {"CBLMariner": "AzureLinux", "AzureLinux2": "AzureLinux"}
    refuse_unless(
        image not in retired,
        "InvalidOSSKU",
        f"{owner}: osSKU {image} is retired; use {retired.get(str(image))}.",
    )
    windows = known(pool, "osType") == "Windows"
    refuse_unless(
        not (windows and known(pool, "mode") == "System"),
        "InvalidParameter",
        f"{owner}: a system pool runs Linux.",
    )


def _size(pool: Mapping[str, Any], owner: str) -> None:
    size = known(pool, "vmSize")
    if size is None:
        return
    match = _SIZE.match(size)
    if match is None:
        raise CloudError("VMSizeNotSupported", f"{owner}: '{size}' is not the name of a VM size.")
    refuse_unless(
        known(pool, "mode") != "System" or int(match["cores"]) >= 2,
        "SystemPoolSkuTooLow",
        f"{owner}: a system pool needs at least 2 vCPUs; {size} has {match['cores']}.",
    )


def _counts(pool: Mapping[str, Any], owner: str) -> None:
    least = 1 if known(pool, "mode") == "System" else 0
    count, low, high = (known(pool, key) for key in ("count", "minCount", "maxCount"))
    for key, value in (("count", count), ("minCount", low), ("maxCount", high)):
        refuse_unless(
            value is None or least <= value <= 1000,
            "InvalidParameter",
            f"{owner}: {key} is {value}; allowed are {least} to 1000.",
        )
    scaling = pool.get("enableAutoScaling")
    if scaling is UNKNOWN:
        return
    if scaling:
        refuse_unless(
            pool.get("minCount") is not None and pool.get("maxCount") is not None,
            "InvalidParameter",
            f"{owner}: enableAutoScaling needs minCount and maxCount.",
        )
        if low is not None and high is not None:
            refuse_unless(low <= high, "InvalidParameter", f"{owner}: minCount {low} is above maxCount {high}.")
            refuse_unless(
                count is None or low <= count <= high,
                "InvalidParameter",
                f"{owner}: count {count} is not between minCount {low} and maxCount {high}.",
            )
    else:
        refuse_unless(
            low is None and high is None,
            "InvalidParameter",
            f"{owner}: minCount and maxCount mean nothing without enableAutoScaling.",
        )


def _zones(pool: Mapping[str, Any], owner: str) -> None:
    zones = [zone for zone in known(pool, "availabilityZones", ()) if zone is not UNKNOWN]
    refuse_unless(
        all(zone in ("1", "2", "3") for zone in zones) and len(set(zones)) == len(zones),
        "AvailabilityZoneNotSupported",
        f"{owner}: availabilityZones {zones} are not distinct zones of '1', '2', '3'.",
    )


def _disk(pool: Mapping[str, Any], owner: str) -> None:
    gigabytes = known(pool, "osDiskSizeGB", 0)
    refuse_unless(
        gigabytes == 0 or 30 <= gigabytes <= 2048,
        "InvalidParameter",
        f"{owner}: osDiskSizeGB is {gigabytes}; allowed are 30 to 2048, or 0 for the default.",
    )
    size = known(pool, "vmSize")
    if known(pool, "osDiskType") != "Ephemeral" or size is None:
        return
    room = local_disk(size)
    refuse_unless(
        room is None or room > 0,
        "EphemeralOSDiskNotSupported",
        f"{owner}: {size} has no local disk, so osDiskType Ephemeral does not fit.",
    )
    refuse_unless(
        room is None or gigabytes <= room,
        "VMTemporaryDiskTooSmall",
        f"{owner}: {size} has a local disk of {room} GB, but the OS disk asks for {gigabytes} GB.",
    )


def local_disk(size: str) -> int | None:
    """The local disk of a VM size in GB: 0 when it has none, None when the stand-in cannot tell how large.

    From version 4 of a family on, the letter `d` says that there is one; in versions 4 and 5 of the D and E
    families it has 37.5 GB for each vCPU. Older sizes all have one, apart from burstable version 2.
    """
    match = _SIZE.match(size)
    if match is None:
        return None
    version = int(match["version"] or 1)
    if "d" in match["features"]:
        scaled = match["family"] in ("D", "E") and version in (4, 5)
        return int(37.5 * int(match["cores"])) if scaled else None
    lacking = version >= 4 or (match["family"] == "B" and version >= 2)
    return 0 if lacking else None


def _upgrades(pool: Mapping[str, Any], owner: str) -> None:
    settings = known(pool, "upgradeSettings", {})
    surge, unavailable = known(settings, "maxSurge"), known(settings, "maxUnavailable")
    for key, value in (("maxSurge", surge), ("maxUnavailable", unavailable)):
        refuse_unless(
            value is None or _SURGE.match(str(value)) is not None,
            "InvalidParameter",
            f"{owner}: upgradeSettings.{key} is '{value}'; a number or a percentage is allowed.",
        )
    refuse_unless(
        str(surge or "0") in ("0", "0%") or str(unavailable or "0") in ("0", "0%"),
        "InvalidParameter",
        f"{owner}: upgradeSettings cannot have both maxSurge and maxUnavailable.",
    )
    drain = known(settings, "drainTimeoutInMinutes", 30)
    refuse_unless(
        1 <= drain <= 1440,
        "InvalidParameter",
        f"{owner}: drainTimeoutInMinutes is {drain}; allowed are 1 to 1440.",
    )
    soak = known(settings, "nodeSoakDurationInMinutes", 0)
    refuse_unless(
        0 <= soak <= 30,
        "InvalidParameter",
        f"{owner}: nodeSoakDurationInMinutes is {soak}; allowed are 0 to 30.",
    )
