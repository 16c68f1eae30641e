"""The table of who may do what is closed, over everything that both shipped stacks made."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests import registries, rights
from tests.breaches import SHIPPED, Breach, Invariant
from tests.conftest import Rehearsed
from tests.graph import Landscape

INVARIANTS = (*rights.INVARIANTS, *registries.INVARIANTS)


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda each: each.__name__)
def test_nobody_may_do_more_or_less_than_the_table_says(
    invariant: Invariant, rehearsed: Mapping[str, Rehearsed]
) -> None:
    landscape = Landscape({stack: run.export for stack, run in rehearsed.items()})
    assert invariant(landscape, SHIPPED) == []


def test_the_table_names_every_identity_of_both_environments() -> None:
    """As it reads for the shipped stacks: a row that disappears would make the checks above say less."""
    assert {who: len(may) for who, may in rights.table(SHIPPED).items()} == {
        "staging/ci": 3,
        "staging/deploy": 4,
        "prod/deploy": 4,
        "prod/promote": 2,
        "staging/control-plane": 2,
        "prod/control-plane": 3,
        "staging/kubelet": 1,
        "prod/kubelet": 1,
        "staging/workload": 2,
        "prod/workload": 2,
        "staging/grafana": 2,
        "prod/grafana": 2,
        "staging/dashboards": 1,
        "prod/dashboards": 1,
        f"{SHIPPED['prod'].agents_service}": 2,
        **{group: 3 for stack in ("staging", "prod") for group in SHIPPED[stack].operators},
        **{
            f"{stack}/cluster/addonProfiles/{addon}": 0
            for stack in ("staging", "prod")
            for addon in ("azureKeyvaultSecretsProvider", "azurepolicy", "omsagent")
        },
    }


BREACHES = (
    Breach(
        "CI pushes to production",
        rights.beyond_the_table,
        lambda it: it.grant("AcrPush", "staging/ci", "prod/registry"),
        "staging/ci has AcrPush on prod/registry, which the table does not say",
    ),
    Breach(
        "the promotion has lost its right on the source, which lies in the other stack",
        rights.beyond_the_table,
        lambda it: it.drop("prod", "RoleAssignment", "promote-reads-source"),
        f"prod/promote has {rights.IMPORTER} on staging/registry, and nothing grants it",
    ),
    Breach(
        "the deployer writes in the whole cluster",
        rights.beyond_the_table,
        lambda it: it.grant("Azure Kubernetes Service RBAC Writer", "prod/deploy", "prod/cluster"),
        "prod/deploy has Azure Kubernetes Service RBAC Writer on prod/cluster, which the table does not say",
    ),
    Breach(
        "somebody from nowhere reads the vault",
        rights.beyond_the_table,
        lambda it: it.say("prod", "RoleAssignment", "workload-reads-secrets", principalId="a-stranger"),
        "a-stranger has Key Vault Secrets User on prod/workload-vault, which the table does not say",
    ),
    Breach(
        "one more group administers the cluster",
        rights.beyond_the_table,
        lambda it: it.say("prod", "ManagedCluster", "cluster", aadProfile__adminGroupObjectIDs=["a2", "others"]),
        "others has administers on prod/cluster, which the table does not say",
    ),
    Breach(
        "a role that nobody knows",
        rights.beyond_the_table,
        lambda it: it.say("staging", "RoleAssignment", "ci-pushes-images", roleDefinitionId="/x/of-ones-own"),
        "staging/ci has of-ones-own on staging/registry, which the table does not say",
    ),
    Breach(
        "one more identity, without any right",
        rights.unknown_identities,
        lambda it: it.find("staging", "UserAssignedIdentity", "ci").update(
            urn="urn:pulumi:staging::aks-cicd::azure-native:managedidentity:UserAssignedIdentity::somebody"
        ),
        "the identity staging/somebody is not in the table",
    ),
    Breach(
        "an identity that a resource has of itself",
        rights.unknown_identities,
        lambda it: it.find("prod", "Registry", "registry")["outputs"].update(identity={"principalId": "its-own"}),
        "the identity prod/registry is not in the table",
    ),
    Breach(
        "an identity is gone",
        rights.unknown_identities,
        lambda it: it.drop("prod", "UserAssignedIdentity", "promote"),
        "the table names prod/promote, and there is no such identity",
    ),
    Breach(
        "a grant that does not say what it is for",
        rights.unclear_principals,
        lambda it: it.say("prod", "RoleAssignment", "promote-reads-source", principalType=None),
        "prod/promote-reads-source is for a None, and ServicePrincipal is granted to",
    ),
    *(
        Breach(
            f"{role} of the deployer on production's registry",
            registries.registry_access,
            lambda it, role=role: it.grant(role, "prod/deploy", "prod/registry"),  # type: ignore[misc]
            "prod/deploy can write to prod/registry",
        )
        for role in (
            "AcrPush",
            "AcrDelete",
            "AcrImageSigner",
            "AcrQuarantineWriter",
            rights.IMPORTER,
            "Container Registry Repository Writer",
            "Container Registry Repository Contributor",
            "Container Registry Tasks Contributor",
            "Container Registry Contributor and Data Access Configuration Administrator",
            "Contributor",
            "Owner",
            "Role Based Access Control Administrator",
            "User Access Administrator",
        )
    ),
    Breach(
        "the workload contributes to the group that the registry lies in",
        registries.registry_access,
        lambda it: it.grant("Contributor", "prod/workload", "prod/environment"),
        "prod/workload can write to prod/registry",
    ),
    Breach(
        "a role whose actions nobody has looked up reaches a registry",
        registries.registry_access,
        lambda it: it.grant("Network Contributor", "prod/control-plane", "prod/environment"),
        "prod/control-plane has Network Contributor on prod/registry, whose actions are not on record",
    ),
    Breach(
        "the workload reads images",
        registries.registry_access,
        lambda it: it.grant("Reader", "prod/workload", "prod/environment"),
        "prod/workload can pull from prod/registry",
    ),
    Breach(
        "the promotion cannot import any more",
        registries.registry_access,
        lambda it: it.drop("prod", "RoleAssignment", "promote-imports-to-target"),
        "prod/promote cannot write to prod/registry",
    ),
    Breach(
        "production pulls from the nonproduction registry",
        registries.tiers_that_mix,
        lambda it: it.grant("AcrPull", "prod/kubelet", "staging/registry"),
        "prod/kubelet can pull from staging/registry, which is of another tier",
    ),
    Breach(
        "a registry with an administrator's password",
        rights.back_doors,
        lambda it: it.say("prod", "Registry", "registry", adminUserEnabled=True),
        "prod/registry: adminUserEnabled is on",
    ),
    Breach(
        "a registry that anybody may read",
        rights.back_doors,
        lambda it: it.say("staging", "Registry", "registry", anonymousPullEnabled=True),
        "staging/registry: anonymousPullEnabled is on",
    ),
    Breach(
        "a token of a registry",
        rights.back_doors,
        lambda it: it.mark("staging", "Registry", "registry", type="azure-native:containerregistry:Token"),
        "staging/registry: Token opens a registry beside its roles",
    ),
    Breach(
        "a vault with access policies",
        rights.back_doors,
        lambda it: it.say("prod", "Vault", "workload-vault", properties__enableRbacAuthorization=False),
        "prod/workload-vault: access policies count instead of roles",
    ),
    Breach(
        "a cluster with local accounts",
        rights.back_doors,
        lambda it: it.say("prod", "ManagedCluster", "cluster", disableLocalAccounts=None),
        "prod/cluster: local accounts are on",
    ),
    Breach(
        "a binding inside the cluster",
        rights.back_doors,
        lambda it: it.mark(
            "staging", "LimitRange", "limits", type="kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
        ),
        "ClusterRoleBinding grants rights inside the cluster",
    ),
    Breach(
        "a policy that acts as somebody",
        rights.back_doors,
        lambda it: it.say("prod", "PolicyAssignment", "allowed-images", identity={"type": "SystemAssigned"}),
        "prod/allowed-images: a policy acts as somebody",
    ),
    Breach(
        "a template that assigns roles",
        rights.back_doors,
        lambda it: it.say(
            "staging",
            "Deployment",
            "log-table-plans",
            properties__template={"resources": [{"type": "Microsoft.Authorization/roleAssignments"}]},
        ),
        "its template assigns roles",
    ),
    Breach(
        "a role that is assigned when somebody asks for it",
        rights.back_doors,
        lambda it: it.mark(
            "prod", "RoleAssignment", "kubelet-pulls", type="azure-native:authorization:RoleEligibilityScheduleRequest"
        ),
        "RoleEligibilityScheduleRequest is no role assignment and is not looked at",
    ),
)


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_it_is_found(breach: Breach, rehearsed: Mapping[str, Rehearsed]) -> None:
    breach.must_be_found({stack: run.export for stack, run in rehearsed.items()})


def test_every_invariant_is_shown_to_catch_something() -> None:
    assert {breach.invariant for breach in BREACHES} == set(INVARIANTS)
