"""The forms that single values of a stack file may take, each with what is allowed and how to mend it.

Every type refuses with a `PydanticCustomError` that carries both, so that the reader of a message never meets a
regular expression. What depends on more than one value is in `checks`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from components import naming, regions
from policies import RULES
from validation import certificates
from validation.problems import nearest
from validation.time_zones import TIME_ZONES

REFUSED = "refused"
"""Type code of the errors raised here; their context holds `allowed` and `mend`."""


def refuse(allowed: str, mend: str) -> NoReturn:
    raise PydanticCustomError(REFUSED, "{allowed}", {"allowed": allowed, "mend": mend})


def text(pattern: str, allowed: str, mend: str) -> BeforeValidator:
    """A string that matches the whole pattern. ASCII: Azure takes digits and letters of no other script in these."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            refuse(allowed, mend)
        return value

    return BeforeValidator(check)


def whole(least: int, most: int, unit: str) -> BeforeValidator:
    """A whole number within limits; `pulumi config set` writes numbers as strings, so digits are taken too."""

    def check(value: Any) -> int:
        number = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            refuse(f"a whole number of {unit} from {least} to {most}", "set a number within these limits")
        return int(number)

    return BeforeValidator(check)


def _flag(value: Any) -> bool:
    known = {"true": True, "false": False}
    if isinstance(value, str) and value in known:
        return known[value]
    if not isinstance(value, bool):
        refuse("true or false", "write true or false, without quotes")
    return value


def _resource_id(type_: str) -> BeforeValidator:
    provider, _, kind = type_.partition("/")
    pattern = rf"(?i)/subscriptions/{_GUID}/resourceGroups/[^/]+/providers/{re.escape(provider)}/{kind}/[^/]+"
    allowed = f"/subscriptions/<id>/resourceGroups/<name>/providers/{type_}/<name>"
    return text(
        pattern,
        f"a resource id of the form {allowed}",
        f"copy the id from `az resource show --ids`, type {type_}",
    )


def _cidr(value: Any) -> str:
    allowed = "an IPv4 range in CIDR notation without host bits, such as 10.20.0.0/20"
    if not isinstance(value, str) or "/" not in value:
        refuse(allowed, "write address and prefix length")
    try:
        return str(IPv4Network(value))
    except ValueError:
        try:
            own = IPv4Network(value, strict=False)
        except ValueError:
            refuse(allowed, "correct the address or the prefix length")
        refuse(allowed, f"did you mean {own}?")


def _address(value: Any) -> str:
    try:
        return str(IPv4Address(value)) if isinstance(value, str) else _not_an_address()
    except AddressValueError:
        _not_an_address()


def _not_an_address() -> NoReturn:
    refuse("a single public IPv4 address, such as 198.51.100.7", "write the address without a prefix length")


def _kubernetes_version(value: Any) -> str:
    allowed = 'major.minor in quotes, such as "1.35"'
    if isinstance(value, float):
        refuse(allowed, "put it in quotes: YAML reads 1.30 as the number 1.3")
    if isinstance(value, str) and re.fullmatch(r"1\.[0-9]{2}\.[0-9]+", value):
        refuse(allowed, f'write "{value.rpartition(".")[0]}": AKS picks the newest patch by itself')
    if not isinstance(value, str) or not re.fullmatch(r"1\.[0-9]{2}", value):
        refuse(allowed, "choose a version that `az aks get-versions --location <region>` lists")
    return value


def _region(value: Any) -> str:
    if not isinstance(value, str) or value not in regions.ALL:
        mend = nearest(str(value).lower().replace(" ", ""), sorted(regions.ALL))
        mend = mend or "choose one of `az account list-locations`"
        refuse("the name of a public Azure region in lower case, such as westeurope", mend)
    return value


def _time_zone(value: Any) -> str:
    if not isinstance(value, str) or value not in TIME_ZONES:
        mend = nearest(value, sorted(TIME_ZONES)) or "choose one of those that `tzutil /l` lists on Windows"
        refuse("a time zone by its Windows name, such as UTC or W. Europe Standard Time", mend)
    return value


def _date(value: Any) -> str:
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            return str(datetime.date.fromisoformat(value))
    except ValueError:
        pass
    refuse('a day in quotes, such as "2027-06-30"', "write year, month and day of a day that there is, in quotes")


def _rule_id(value: Any) -> str:
    if not isinstance(value, str) or value not in RULES:
        mend = nearest(value, sorted(RULES)) or "choose one that docs/exceptions.md lists"
        refuse("the id of a rule of the policy pack", mend)
    return value


def _distinguished_name(value: Any) -> str:
    allowed = "a distinguished name with at least C, ST and O, such as C=NL,ST=Utrecht,O=Contoso,CN=releases"
    try:
        return ",".join(f"{key}={said}" for key, said in certificates.parts(str(value)).items())
    except ValueError as error:
        refuse(allowed, f"mend this part of it: {error}")


def _signing_certificate(value: Any) -> str:
    allowed = "one certificate in PEM, issued by a signing key to itself"
    try:
        found = certificates.read(value if isinstance(value, str) else "")
    except ValueError:
        refuse(allowed, "paste what `make signing-certificate` wrote, from BEGIN to END")
    if reasons := list(certificates.amiss(found)):
        refuse(allowed, f"make another one, because {' and '.join(reasons)}")
    return f"{value.strip()}\n"


def _tag_key(value: Any) -> str:
    reserved = naming.standard_tags("", "", "")
    if not isinstance(value, str) or not re.fullmatch(r"[^<>%&\\?/\x00-\x1f\x7f]{1,512}", value):
        refuse(r"keys up to 512 characters without < > % & \ ? /", "shorten or rename the key")
    if value.lower() in reserved:
        refuse(f"tags other than {', '.join(reserved)}, which the program sets", "remove it")
    if value.lower().startswith(("azure", "microsoft", "windows")):
        refuse(
            "keys that do not start with azure, microsoft or windows, which Azure keeps for itself", "rename the key"
        )
    return value


def _tags(value: Mapping[str, str]) -> Mapping[str, str]:
    most = 50 - len(naming.standard_tags("", "", ""))
    if len({key.lower() for key in value}) < len(value):
        refuse("keys that differ in more than upper and lower case", "remove one of those that Azure takes as the same")
    if len(value) > most:
        refuse(f"at most {most} tags", "remove some")
    return value


def decimal(least: float, below: float, unit: str) -> BeforeValidator:
    """A number within limits, the upper one not reached, not even when rounded to six places: what is left to it is
    divided by. Digits with a point are taken as text too, as by `whole`."""

    def check(value: Any) -> float:
        number = (
            float(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", value) else value
        )
        if isinstance(number, bool) or not isinstance(number, int | float) or not least <= round(number, 6) < below:
            refuse(
                f"a number of {unit} from {least:g} up to, but not including, {below:g}",
                "set a number within these limits",
            )
        return float(number)

    return BeforeValidator(check)


_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_LABEL_VALUE = r"(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?"
_LABEL_KEY = r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?"
_lower: Callable[[str], str] = str.lower

Line = Annotated[
    str, text(r"(?=\S)[^\x00-\x1f\x7f]*(?<=\S)", "text on one line", "put it in quotes if YAML reads it as a number")
]
DistinguishedName = Annotated[str, BeforeValidator(_distinguished_name)]
SigningCertificate = Annotated[str, BeforeValidator(_signing_certificate)]
KeyVersion = Annotated[
    str,
    text(
        r"[0-9a-f]{32}",
        "the version of a key of a vault, 32 hexadecimal digits",
        "paste what `make signing-certificate` said",
    ),
]
Flag = Annotated[bool, BeforeValidator(_flag)]
Guid = Annotated[
    str,
    text(
        _GUID,
        "a GUID, such as 0f8b0f3c-6d0e-4e6f-9a8e-3f6d8f2b7c11",
        "copy the object id from Entra ID or `az`",
    ),
    AfterValidator(_lower),
]
Cidr = Annotated[str, BeforeValidator(_cidr)]
Address = Annotated[str, BeforeValidator(_address)]
Region = Annotated[str, BeforeValidator(_region)]
KubernetesVersion = Annotated[str, BeforeValidator(_kubernetes_version)]
Zone = Annotated[
    str,
    text(r"[123]", 'one of the zones "1", "2" and "3"', "list the zones that the region and the VM size have"),
    # Stands last, because it runs first: YAML reads an unquoted zone as a number.
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
]
WorkloadName = Annotated[
    str,
    text(
        naming.WORKLOAD,
        "2 to 12 lower-case letters and digits, a letter first",
        "shorten or rename it: the names of registry and vaults are made from it",
    ),
]
StackName = Annotated[
    str,
    text(
        naming.ENVIRONMENT,
        "2 to 10 lower-case letters, digits and single hyphens, a letter first",
        "shorten or rename it: a vault's name (24 characters) is made from it",
    ),
]
PoolName = Annotated[
    str,
    text(r"[a-z][a-z0-9]{0,11}", "1 to 12 lower-case letters and digits, a letter first", "rename the pool"),
]
VmSize = Annotated[
    str,
    text(r"Standard_[A-Z]+\d+(?:-\d+)?\w*", "a VM size such as Standard_D4ds_v5", "choose one of `az vm list-skus`"),
]
Clock = Annotated[
    str,
    text(
        r"(?:[01]\d|2[0-3]):[0-5]\d",
        'a time HH:MM in quotes, such as "02:00"',
        "write two digits of hours (00 to 23) and of minutes, in quotes",
    ),
]
UtcOffset = Annotated[
    str,
    text(
        r"[+-](?:0\d|1[0-4]):[0-5]\d",
        'an offset from UTC in quotes, such as "+01:00"',
        "write sign, hours and minutes, in quotes",
    ),
]
Taint = Annotated[
    str,
    text(
        rf"{_LABEL_KEY}={_LABEL_VALUE}:(?:NoSchedule|PreferNoSchedule|NoExecute)",
        "key=value:effect with effect NoSchedule, PreferNoSchedule or NoExecute",
        "write it as kubectl does",
    ),
]
LabelKey = Annotated[
    str,
    text(
        rf"(?!kubernetes\.azure\.com/){_LABEL_KEY}",
        "a label's key as Kubernetes takes it, outside kubernetes.azure.com/, which is AKS's own",
        "rename the label",
    ),
]
LabelValue = Annotated[
    str,
    text(
        _LABEL_VALUE,
        "up to 63 letters, digits, - _ and . with a letter or digit at both ends",
        "shorten or correct it; put it in quotes if YAML reads it as a number",
    ),
]
TagKey = Annotated[str, BeforeValidator(_tag_key)]
TagValue = Annotated[
    str,
    text(
        r"(?=\S)[^\x00-\x1f\x7f]{1,256}(?<=\S)",
        "text on one line, up to 256 characters",
        "put it in quotes if YAML reads it as a number",
    ),
]
TagMap = Annotated[dict[TagKey, TagValue], AfterValidator(_tags)]
NamespaceName = Annotated[
    str,
    text(
        r"(?!(?:kube|aks)-|default$|gatekeeper-system$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
        "1 to 63 lower-case letters, digits and hyphens, no hyphen first or last, and no namespace of the platform's",
        "rename it: default, gatekeeper-system, kube-… and aks-… belong to the cluster",
    ),
]
ServiceAccountName = Annotated[
    str,
    text(
        r"(?!default$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
        "1 to 63 lower-case letters, digits and hyphens, no hyphen first or last, and not default",
        "rename it: every pod that says nothing runs as default",
    ),
]
SecretName = Annotated[
    str,
    text(r"[A-Za-z0-9-]{1,127}", "1 to 127 letters, digits and hyphens", "write it as it stands in the key vault"),
]
Cpu = Annotated[
    str,
    text(
        r"[1-9][0-9]{0,3}|[1-9][0-9]{2,5}m",
        "CPU cores (4) or thousandths of one (500m)",
        "write it as Kubernetes does",
    ),
    # Stands last, because it runs first: YAML reads whole cores as a number.
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
]
Memory = Annotated[
    str,
    text(r"[1-9][0-9]{0,5}[MG]i", "a number of Mi or Gi", "write it as Kubernetes does, such as 8Gi"),
]
Date = Annotated[str, BeforeValidator(_date)]
RuleId = Annotated[str, BeforeValidator(_rule_id)]
ResourcePattern = Annotated[
    str,
    text(
        r"[\w./*-]{1,200}",
        "a logical name, with * for any text",
        "copy the name from the tree of `make preview`",
    ),
]
Email = Annotated[
    str,
    text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address, such as team@contoso.com", "write name@domain"),
]
HttpsUrl = Annotated[
    str, text(r"https://[^\s/]+/?\S*", "an address that begins with https://", "copy the whole address of the webhook")
]
ReceiverName = Annotated[
    str,
    text(
        r"[A-Za-z0-9][\w. -]{0,62}",
        "1 to 63 letters, digits, spaces and . _ -, a letter or digit first",
        "rename the receiver",
    ),
]
TimeZone = Annotated[str, BeforeValidator(_time_zone)]
OrganizationUrl = Annotated[
    str,
    text(
        r"https://dev\.azure\.com/[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?",
        "https://dev.azure.com/<organisation>, without a slash at the end",
        "copy it from the address bar; the older <organisation>.visualstudio.com is not taken",
    ),
]
ProjectName = Annotated[
    str,
    text(
        r"(?![_.])[^\x00-\x1f\x7f\\/:*?\"<>|;#${},+=\[\]~&%@']{1,64}(?<![. ])",
        "1 to 64 characters without \\ / : * ? \" < > | ; # $ { } , + = [ ] ~ & % @ ', no _ or . first, no . last",
        "rename the project",
    ),
]
GitHubName = Annotated[
    str,
    text(
        r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?/[A-Za-z0-9._-]{1,100}",
        "owner/repository, as GitHub shows it",
        "leave out https://github.com/ and .git",
    ),
]
GitHubOwnerName = Annotated[
    str,
    text(
        r"(?!.*--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?",
        "the name of an organisation on GitHub, without the address before it",
        "copy it from the address of its page, the part after github.com/",
    ),
]
GitHubRepositoryName = Annotated[
    str,
    text(
        r"(?!\.{1,2}\Z)(?!.*\.git\Z)[A-Za-z0-9._-]{1,100}",
        "the name of a repository, without its owner",
        "leave out the owner, which is delivery.github.owner, and .git",
    ),
]
GitHubId = Annotated[int, whole(1, 2**53, "id, as GitHub's API tells it,")]
RunnerLabel = Annotated[
    str,
    text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "one label of runners", "write letters, digits and . _ - only"),
]
VirtualNetworkId = Annotated[str, _resource_id("Microsoft.Network/virtualNetworks")]
RouteTableId = Annotated[str, _resource_id("Microsoft.Network/routeTables")]
PrivateDnsZoneId = Annotated[str, _resource_id("Microsoft.Network/privateDnsZones")]
WorkspaceId = Annotated[str, _resource_id("Microsoft.OperationalInsights/workspaces")]
