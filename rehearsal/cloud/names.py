"""The names that Azure accepts, as one table: pattern, length, and the code of the refusal.

Sources: Microsoft's page "Naming rules and restrictions for Azure resources", except where a line says
otherwise. Where the page leaves letter case free but the service answers in lower case, the table asks for
lower case, because a name that Azure rewrites makes every later preview noisy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rehearsal.cloud.answers import CloudError


@dataclass(frozen=True)
class NameRule:
    pattern: re.Pattern[str]
    shortest: int
    longest: int
    code: str
    words: str


def _rule(pattern: str, shortest: int, longest: int, code: str, words: str) -> NameRule:
    return NameRule(re.compile(pattern), shortest, longest, code, words)


_NETWORK: Final = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_])?$"
_NETWORK_WORDS: Final = "letters, digits, '.', '_' and '-'; starts with a letter or digit, ends with one or '_'"
_ALNUM_DASH: Final = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
_ALNUM_DASH_WORDS: Final = "letters, digits and '-'; starts and ends with a letter or digit"
_ALNUM_DOT: Final = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
_ALNUM_DOT_WORDS: Final = "letters, digits, '.', '_' and '-'; starts and ends with a letter or digit"
_LETTER_DASH: Final = r"^[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$"
_LETTER_DASH_WORDS: Final = "letters, digits and '-'; starts with a letter, ends with a letter or digit"
_GUID: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def _network(shortest: int, longest: int) -> NameRule:
    return _rule(_NETWORK, shortest, longest, "InvalidResourceName", _NETWORK_WORDS)


def _plain(longest: int) -> NameRule:
    """What Azure Monitor's older types take: nearly anything that can stand in an id."""
    return _rule(
        r"^[^*<>%:&?+/\\#{}@]*[^*<>%:&?+/\\#{}@. ]$", 1, longest, "InvalidResourceName", "no '*<>%:&?+/\\#{}@'"
    )


NAMES: Final[dict[str, NameRule]] = {
    "Microsoft.Resources/resourceGroups": _rule(
        r"^[\w().-]*[\w()-]$",
        1,
        90,
        "InvalidResourceGroup",
        "word characters, '(', ')', '.' and '-'; no '.' at the end",
    ),
    "Microsoft.Resources/deployments": _rule(
        r"^[A-Za-z0-9_().-]+$", 1, 64, "InvalidDeployment", "letters, digits, '_', '(', ')', '.' and '-'"
    ),
    "Microsoft.ManagedIdentity/userAssignedIdentities": _rule(
        r"^[A-Za-z0-9][A-Za-z0-9_-]*$", 3, 128, "InvalidResourceName", "letters, digits, '_' and '-'"
    ),
    # Pattern from the resource provider's own API description, 2023-01-31.
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": _rule(
        r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
        3,
        120,
        "BadRequest",
        "letters, digits, '_' and '-'; starts with a letter or digit",
    ),
    "Microsoft.Authorization/roleAssignments": _rule(_GUID, 36, 36, "InvalidRoleAssignmentId", "a GUID"),
    "Microsoft.Authorization/locks": _rule(r"^[^<>%&?/]*[^<>%&?/. ]$", 1, 260, "InvalidLockName", "no '<>%&?/'"),
    "Microsoft.Network/virtualNetworks": _network(2, 64),
    "Microsoft.Network/virtualNetworks/subnets": _network(1, 80),
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": _network(1, 80),
    "Microsoft.Network/networkSecurityGroups": _network(1, 80),
    "Microsoft.Network/natGateways": _network(1, 80),
    "Microsoft.Network/publicIPAddresses": _network(1, 80),
    "Microsoft.Network/routeTables": _network(1, 80),
    "Microsoft.Network/privateEndpoints": _network(2, 64),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": _network(1, 80),
    "Microsoft.Network/privateDnsZones": _rule(
        r"^([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$",
        1,
        253,
        "InvalidDnsZoneName",
        "a DNS name of at least two labels",
    ),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": _network(1, 80),
    "Microsoft.ContainerRegistry/registries": _rule(
        r"^[a-z0-9]*$", 5, 50, "InvalidResourceName", "lower-case letters and digits"
    ),
    "Microsoft.ContainerRegistry/registries/replications": _rule(
        r"^[A-Za-z0-9]*$", 5, 50, "InvalidResourceName", "letters and digits"
    ),
    "Microsoft.KeyVault/vaults": _rule(
        r"^[A-Za-z](?!.*--)[A-Za-z0-9-]*[A-Za-z0-9]$",
        3,
        24,
        "VaultNameNotValid",
        "letters, digits and single '-'; starts with a letter, ends with a letter or digit",
    ),
    # On a management group 24; the program assigns to resources.
    "Microsoft.Authorization/policyAssignments": _rule(
        r"^[^<>*%&:?.+/\\\s](?:[^<>*%&:?+/\\]*[^<>*%&:?.+/\\\s])?$",
        1,
        64,
        "InvalidPolicyAssignmentName",
        "none of < > * % & : ? . + /",
    ),
    "Microsoft.KeyVault/vaults/keys": _rule(r"^[A-Za-z0-9-]+$", 1, 127, "BadParameter", "letters, digits and '-'"),
    "Microsoft.Storage/storageAccounts": _rule(
        r"^[a-z0-9]+$", 3, 24, "AccountNameInvalid", "lower-case letters and digits"
    ),
    "Microsoft.Storage/storageAccounts/blobServices": _rule(r"^default$", 7, 7, "InvalidResourceName", "'default'"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": _rule(
        r"^(?!.*--)[a-z0-9][a-z0-9-]*[a-z0-9]$",
        3,
        63,
        "InvalidResourceName",
        "lower-case letters, digits and single '-'; starts and ends with a letter or digit",
    ),
    "Microsoft.OperationalInsights/workspaces": _rule(_ALNUM_DASH, 4, 63, "InvalidResourceName", _ALNUM_DASH_WORDS),
    "Microsoft.Insights/diagnosticSettings": _rule(r"^[^*<>%:&?+/\\]*$", 1, 260, "BadRequest", "no '*<>%:&?+/\\'"),
    "Microsoft.ContainerService/managedClusters": _rule(
        r"^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$",
        1,
        63,
        "InvalidParameter",
        "letters, digits, '_' and '-'; starts and ends with a letter or digit",
    ),
    # Pattern from the resource provider's own description of its API, 2023-05-01: none but what stands in an id.
    "Microsoft.KubernetesConfiguration/extensions": _rule(_ALNUM_DASH, 1, 63, "InvalidParameter", _ALNUM_DASH_WORDS),
    # Linux pools; a Windows pool may have six characters only.
    "Microsoft.ContainerService/managedClusters/agentPools": _rule(
        r"^[a-z][a-z0-9]*$", 1, 12, "InvalidParameter", "lower-case letters and digits; starts with a letter"
    ),
    "Microsoft.ContainerService/managedClusters/maintenanceConfigurations": _rule(
        r"^(default|aksManagedAutoUpgradeSchedule|aksManagedNodeOSUpgradeSchedule)$",
        1,
        63,
        "InvalidMaintenanceConfigurationName",
        "'default', 'aksManagedAutoUpgradeSchedule' or 'aksManagedNodeOSUpgradeSchedule'",
    ),
    # Pattern of the API description, 2023-04-03; the length is that of a DNS label.
    "Microsoft.Monitor/accounts": _rule(_ALNUM_DASH, 1, 63, "InvalidResourceName", _ALNUM_DASH_WORDS),
    # Microsoft's own templates cut the names of endpoints and rules to these lengths.
    "Microsoft.Insights/dataCollectionEndpoints": _rule(_ALNUM_DASH, 3, 44, "InvalidResourceName", _ALNUM_DASH_WORDS),
    "Microsoft.Insights/dataCollectionRules": _rule(_ALNUM_DOT, 3, 64, "InvalidResourceName", _ALNUM_DOT_WORDS),
    "Microsoft.Insights/dataCollectionRuleAssociations": _rule(
        _ALNUM_DOT, 3, 64, "InvalidResourceName", _ALNUM_DOT_WORDS
    ),
    "Microsoft.Insights/actionGroups": _plain(260),
    "Microsoft.Insights/activityLogAlerts": _plain(260),
    "Microsoft.Insights/metricAlerts": _plain(260),
    "Microsoft.Insights/scheduledQueryRules": _plain(260),
    "Microsoft.Insights/components": _plain(260),
    # Pattern from the API description, 2023-03-01.
    "Microsoft.AlertsManagement/prometheusRuleGroups": _plain(260),
    # The service takes 30 characters, the portal 23.
    "Microsoft.Dashboard/grafana": _rule(_LETTER_DASH, 2, 23, "InvalidResourceName", _LETTER_DASH_WORDS),
    "Microsoft.Dashboard/grafana/managedPrivateEndpoints": _rule(
        _LETTER_DASH, 2, 20, "InvalidResourceName", _LETTER_DASH_WORDS
    ),
    "Microsoft.Dashboard/dashboards": _rule(_LETTER_DASH, 2, 30, "InvalidResourceName", _LETTER_DASH_WORDS),
    "Microsoft.Dashboard/dashboards/dashboardDefinitions": _rule(
        r"^default$", 7, 7, "InvalidResourceName", "'default'"
    ),
    "Microsoft.Security/pricings": _rule(
        r"^(AI|Api|AppServices|Arm|CloudPosture|Containers|CosmosDbs|KeyVaults|OpenSourceRelationalDatabases|"
        r"SqlServers|SqlServerVirtualMachines|StorageAccounts|VirtualMachines)$",
        1,
        63,
        "BadRequest",
        "the name of a plan, such as Containers, KeyVaults or CloudPosture",
    ),
    "Microsoft.Security/securityContacts": _rule(r"^default$", 7, 7, "BadRequest", "'default'"),
    "Microsoft.Security/automations": _plain(260),
    "Microsoft.OperationsManagement/solutions": _rule(
        r"^[A-Za-z0-9]+\([A-Za-z0-9-]+\)$", 1, 120, "BadRequest", "the product with the workspace in brackets"
    ),
    "Microsoft.OperationalInsights/workspaces/tables": _rule(
        r"^[A-Za-z][A-Za-z0-9_]*$", 4, 63, "InvalidParameter", "letters, digits and '_'; starts with a letter"
    ),
    "Microsoft.OperationalInsights/workspaces/savedSearches": _plain(260),
    # Patterns of the API descriptions, 2024-02-01 and 2025-01-21.
    "Microsoft.DevCenter/devcenters": _rule(
        r"^[A-Za-z0-9][A-Za-z0-9-]*$", 3, 26, "InvalidResourceName", "letters, digits and '-'; starts with no '-'"
    ),
    "Microsoft.DevCenter/projects": _rule(
        r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", 3, 63, "InvalidResourceName", "letters, digits, '-', '_' and '.'"
    ),
    "Microsoft.DevOpsInfrastructure/pools": _rule(
        r"^[A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9-]$", 3, 44, "InvalidResourceName", "letters, digits, '-' and '.'"
    ),
}


def check_name(arm_type: str, name: str) -> None:
    """Refuses a name that the service would refuse."""
    rule = NAMES[arm_type]
    if not rule.shortest <= len(name) <= rule.longest:
        raise CloudError(
            rule.code,
            f"The name '{name}' of {arm_type} has {len(name)} characters; allowed are {rule.shortest} to "
            f"{rule.longest}.",
        )
    if not rule.pattern.match(name):
        raise CloudError(rule.code, f"The name '{name}' of {arm_type} is not valid: {rule.words}.")
