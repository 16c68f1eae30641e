"""What a cluster lets in."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.cluster.admission import Admission, AdmissionArgs, images_of
from tests.declared import SUBSCRIPTION, Declared, declared
from tests.stackfiles import steady

CLUSTER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
SERVER = "crshoptest.azurecr.io"
DIGEST = "sha256:" + "0" * 64


def admission(effect: Literal["deny", "audit"] = "deny") -> Declared:
    return declared(lambda place: Admission("admission", AdmissionArgs(place, CLUSTER, SERVER, effect)), CLUSTER)


@pytest.mark.parametrize("effect", ["deny", "audit"])
def test_both_rules_hold_for_the_cluster_and_do_what_the_setting_says(effect: Literal["deny", "audit"]) -> None:
    found = admission(effect).of("authorization:PolicyAssignment")
    assert {each["policyDefinitionId"].rpartition("/")[2] for each in found.values()} == {
        "febd0533-8e55-448f-b837-bd0e06f16469",
        "42b8ef37-b724-4e24-bbc8-7a7708edfe00",
    }
    for each in found.values():
        assert each["scope"] == CLUSTER
        assert each["enforcementMode"] == "Default"
        assert each["parameters"]["effect"] == {"value": effect}
        assert "identity" not in each, "it would be one more who may do something"


def test_only_the_systems_namespaces_are_left_out() -> None:
    for each in admission().of("authorization:PolicyAssignment").values():
        assert each["parameters"]["excludedNamespaces"]["value"] == [
            "azure-arc",
            "flux-system",
            "gatekeeper-system",
            "kube-system",
        ]


def test_images_of_the_tiers_registry_are_let_in() -> None:
    said = admission().one("authorization:PolicyAssignment", "allowed-images")["parameters"]
    allowed = re.compile(said["allowedContainerImagesRegex"]["value"])
    assert allowed.search(f"{SERVER}/shop@{DIGEST}")
    assert allowed.search(f"{SERVER}/team/shop-tests@{DIGEST}")


@pytest.mark.parametrize(
    "image",
    [
        f"crshopother.azurecr.io/shop@{DIGEST}",
        f"evil.example/{SERVER}/shop@{DIGEST}",
        f"{SERVER}.evil.example/shop@{DIGEST}",
        f"{SERVER}:443/shop@{DIGEST}",
        f"x{SERVER}/shop@{DIGEST}",
        "crshoptestXazurecr.io/shop",
        f"docker.io/library/busybox@{DIGEST}",
        "busybox",
        f"{SERVER}/",
    ],
)
def test_no_other_image_is(image: str) -> None:
    assert not re.search(images_of(SERVER), image)


@given(st.from_regex(r"[a-z0-9.-]{1,40}/[a-z0-9/]{1,20}", fullmatch=True))
@steady(50)
def test_whatever_matches_begins_with_the_registry(image: str) -> None:
    assert bool(re.search(images_of("cr.io"), image)) == (image.startswith("cr.io/") and len(image) > len("cr.io/"))
