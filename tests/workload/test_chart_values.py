"""Bad values are refused before anything is sent, with one line that says which, and what is allowed.

The schema speaks first; the templates hold what it cannot say, and the digest also where its validation is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.stackfiles import STACKS
from tests.workload.chart import (
    CHART,
    DIGEST,
    IMAGE,
    REGISTRY,
    RefusedError,
    Values,
    environment,
    helm,
    manifest,
    needs_helm,
)
from tests.workload.chart_schema import Node, nodes, sections

pytestmark = needs_helm

BY_SCHEMA = "Error: values don't meet the specifications of the schema(s) in the following chart(s):"


def image(**new: Any) -> dict[str, Any]:
    return {"image": {**IMAGE["image"], **new}}


def exposure(**new: Any) -> dict[str, Any]:
    return {"exposure": new}


REFUSED: dict[str, tuple[Mapping[str, Any], str]] = {
    "a tag": (image(tag="v1"), "at '/image': additional properties 'tag' not allowed"),
    "a tag for a digest": (image(digest="v1"), "at '/image/digest': 'v1' does not match pattern '^sha256:"),
    "no digest": (image(digest=None), "at '/image/digest': got null, want string"),
    "no registry": (image(registry=None), "at '/image/registry': got null, want string"),
    "a short digest": (image(digest=DIGEST[:-1]), f"at '/image/digest': '{DIGEST[:-1]}' does not match"),
    "a long digest": (image(digest=f"{DIGEST}0"), f"at '/image/digest': '{DIGEST}0' does not match"),
    "a digest in capitals": (image(digest=DIGEST.upper()), "at '/image/digest': 'SHA256:"),
    "another algorithm": (image(digest="sha512:" + "0" * 128), "at '/image/digest': 'sha512:"),
    "a digest with a second line": (image(digest=f"{DIGEST}\nx"), "at '/image/digest': 'sha256:"),
    "a digest that is a number": (image(digest=12), "at '/image/digest': got number, want string"),
    "a tag in the repository": (image(repository="shop:v1"), "at '/image/repository': 'shop:v1' does not match"),
    "a digest in the repository": (image(repository=f"shop@{DIGEST}"), "at '/image/repository': 'shop@sha256:"),
    "a registry with a scheme": (
        image(registry="https://a.azurecr.io"),
        "at '/image/registry': 'https://a.azurecr.io'",
    ),
    "a registry with a path": (image(registry="a.azurecr.io/shop"), "at '/image/registry': 'a.azurecr.io/shop'"),
    "an unknown key": ({"imagePullSecrets": []}, "at '': additional properties 'imagePullSecrets' not allowed"),
    "an unknown key below": (exposure(kind="none", port=1), "at '/exposure': additional properties 'port' not allowed"),
    "a fixed number of pods": ({"replicaCount": 3}, "at '': additional properties 'replicaCount' not allowed"),
    "a public address": (exposure(kind="public"), "at '/exposure/kind': value must be one of 'none', 'internal'"),
    "a subnet's id": (
        exposure(kind="internal", subnet="/subscriptions/0"),
        "at '/exposure/subnet': '/subscriptions/0'",
    ),
    "clients from nowhere": (exposure(kind="internal", sources=[]), "at '/exposure/sources': minItems: got 0, want 1"),
    "clients without a range": (exposure(sources=["10.0.0.1"]), "at '/exposure/sources/0': '10.0.0.1' does not match"),
    "a range that is none": (exposure(sources=["10.0.0.0/33"]), "at '/exposure/sources/0': '10.0.0.0/33' does not"),
    "no pod": ({"replicas": {"min": 0}}, "at '/replicas/min': minimum: got 0, want 2"),
    "one pod": ({"replicas": {"min": 1}}, "at '/replicas/min': minimum: got 1, want 2"),
    "half a pod": ({"replicas": {"max": 2.5}}, "at '/replicas/max': got number, want integer"),
    "more pods than any quota": ({"replicas": {"max": 201}}, "at '/replicas/max': maximum: got 201, want 200"),
    "a catalogue in the clear": ({"catalogue": {"url": "http://a.example"}}, "at '/catalogue/url': 'http://a.example'"),
    "a catalogue on a port that is closed": ({"catalogue": {"url": "https://a.example:8443"}}, "at '/catalogue/url': "),
    "a catalogue with a password": ({"catalogue": {"url": "https://a:b@a.example"}}, "at '/catalogue/url': "),
    "memory without a unit": ({"resources": {"memory": "256"}}, "at '/resources/memory': '256' does not match"),
    "memory for nothing": ({"resources": {"memory": "0Mi"}}, "at '/resources/memory': '0Mi' does not match"),
    "no processor": ({"resources": {"cpu": "0"}}, "at '/resources/cpu': '0' does not match"),
    "a limit of processors": ({"resources": {"cpuLimit": "1"}}, "at '/resources': additional properties 'cpuLimit'"),
    "a service account that is none": ({"serviceAccount": "Shop"}, "at '/serviceAccount': 'Shop' does not match"),
    "an autoscaler that waits for ever": (
        {"autoscaling": {"cpuPercent": 100}},
        "at '/autoscaling/cpuPercent': maximum",
    ),
}


@pytest.mark.parametrize(("values", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_the_schema_refuses_it_in_one_line(values: Values, message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        manifest(values)
    first, chart, *problems = str(refused.value).splitlines()
    assert (first, chart) == (BY_SCHEMA, "shop:")
    assert len([each for each in problems if each.startswith("- at ")]) == 1
    assert message in problems[0]


class TestTheSchema:
    @pytest.mark.parametrize("path", sections())
    def test_takes_no_key_that_it_does_not_name(self, path: str) -> None:
        assert sections()[path]["additionalProperties"] is False

    @pytest.mark.parametrize(("path", "node"), [each for each in nodes() if each[1].get("type") != "object"])
    def test_leaves_no_value_open(self, path: str, node: Node) -> None:
        """A list is as closed as what it holds."""
        node = node.get("items", node)
        bounds = {"string": {"pattern"}, "integer": {"minimum", "maximum"}}
        assert "enum" in node or bounds[node["type"]] <= node.keys(), path

    @pytest.mark.parametrize("node", [node for _, node in nodes() if "pattern" in node.get("items", node)])
    def test_looks_at_whole_values(self, node: Node) -> None:
        pattern = node.get("items", node)["pattern"]
        assert (pattern[0], pattern[-1]) == ("^", "$")


@pytest.mark.parametrize("section", ["image", "exposure", "replicas", "autoscaling", "resources", "catalogue"])
def test_a_section_cannot_be_taken_out(section: str) -> None:
    with pytest.raises(RefusedError, match=f"missing property '{section}'"):
        manifest({section: None})


class TestWhatTheSchemaCannotSay:
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (
                exposure(kind="none", subnet="snet-a"),
                'exposure.subnet is "snet-a", but exposure.kind is "none": a subnet is for the load balancer of kind '
                "internal; remove it, or set the kind to internal",
            ),
            (
                {"replicas": {"min": 9, "max": 8}},
                "replicas.min is 9 and replicas.max is 8: the first must not be above the second",
            ),
        ],
    )
    def test_is_refused_in_one_line(self, values: Values, message: str) -> None:
        assert _refusal(values) == message


class TestWithoutTheSchema:
    """`helm --skip-schema-validation` opens no way for a tag."""

    ALLOWED = "allowed is registry/repository@sha256:, and 64 hexadecimal digits, without a tag; "

    @pytest.mark.parametrize(
        ("values", "reference"),
        [
            (image(digest="v1"), f"{REGISTRY}/shop@v1"),
            (image(digest=None), f"{REGISTRY}/shop@"),
            (image(digest=DIGEST[:-1]), f"{REGISTRY}/shop@{DIGEST[:-1]}"),
            (image(digest=f"{DIGEST}\n"), rf"{REGISTRY}/shop@{DIGEST}\n"),
            (image(repository="shop:v1"), f"{REGISTRY}/shop:v1@{DIGEST}"),
            (image(registry=None), f"/shop@{DIGEST}"),
        ],
    )
    def test_what_is_no_digest_is_still_refused(self, values: Values, reference: str) -> None:
        said = _refusal(values, "--skip-schema-validation")
        assert said.startswith(f'image is "{reference}": {self.ALLOWED}')

    def test_a_tag_is_still_refused(self) -> None:
        said = _refusal(image(tag="v1"), "--skip-schema-validation")
        assert said.startswith('image.tag is "v1": it is not allowed, for a tag can be moved to another image')

    def test_a_digest_is_still_taken(self) -> None:
        assert manifest({}, "--skip-schema-validation") == manifest({})


@pytest.mark.parametrize("stack", STACKS)
def test_an_environment_sets_no_image(stack: str) -> None:
    """The release does, the same for all."""
    assert "image" not in environment(stack)


def test_the_chart_has_no_image_of_its_own() -> None:
    """Whoever forgets to name one deploys nothing, rather than something old."""
    with pytest.raises(RefusedError, match="at '/image': missing properties 'registry', 'digest'"):
        helm("template", "shop", CHART)


def _refusal(values: Values, *arguments: str) -> str:
    """The message of a template's `fail`, which must be one line."""
    with pytest.raises(RefusedError) as refused:
        manifest(values, *arguments)
    (line,) = (each for each in str(refused.value).splitlines() if each.startswith("Error:"))
    found = re.fullmatch(r"Error: execution error at \(shop/templates/[a-z.]+:\d+:\d+\): (.+)", line)
    assert found, line
    return found[1]
