"""Stack exports written by hand, as small as a test wants them."""

from __future__ import annotations

from typing import Any

from rehearsal.graph import Graph, Resource


def urn(type_: str, name: str, stack: str = "staging") -> str:
    return f"urn:pulumi:{stack}::aks-cicd::{type_}::{name}"


STACK = urn("pulumi:pulumi:Stack", "aks-cicd-staging")


def component(capability: str, name: str, parent: str = STACK, stack: str = "staging") -> dict[str, Any]:
    type_ = f"aks-cicd:{capability}"
    return {"urn": urn(type_, name, stack), "type": type_, "custom": False, "parent": parent}


def resource(type_: str, name: str, parent: str = STACK, stack: str = "staging", **state: Any) -> dict[str, Any]:
    return {
        "urn": urn(type_, name, stack),
        "type": type_,
        "custom": True,
        "parent": parent,
        "id": f"/{name}",
        **state,
    }


def export(*states: dict[str, Any], stack: str = "staging") -> dict[str, Any]:
    root = {
        "urn": urn("pulumi:pulumi:Stack", f"aks-cicd-{stack}", stack),
        "type": "pulumi:pulumi:Stack",
        "custom": False,
    }
    return {"version": 3, "deployment": {"resources": [root, *states]}}


def one(type_: str, **properties: Any) -> Resource:
    return Graph.of(export(resource(type_, "it", outputs=properties))).resources[0]
