"""Runs a piece of the program, or all of it, under mocks that answer as the stand-in cloud does.

Mocks run no diffs and know nothing of options such as `protect` or `depends_on`; what depends on those is asserted
on the engine's export instead (`test_topology`, `tests/life/test_changes.py`).
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import rpc, set_all_config, set_mocks, test
from pulumi_azure_native.resources import ResourceGroup

import settings
from components.naming import Names
from components.placement import Placement
from rehearsal.cloud import Cloud, CloudError, Estate
from rehearsal.cloud.answers import Existing
from rehearsal.faces.mocks import CloudMocks
from rehearsal.preview import stand_in

ROOT = Path(__file__).resolve().parent.parent
TENANT = "3f2b1a00-1111-4222-8333-444455556666"
SUBSCRIPTION = "7c6d5e00-1111-4222-8333-444455556666"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/log-all"
)
GROUP = "9a8b7c00-1111-4222-8333-444455556666"
SERVICE = "6b5c4d00-1111-4222-8333-444455556666"
"""Object id of a service of Azure's in the directory."""
NAMES = Names("shop", "test", SUBSCRIPTION)
TAGS = {"owner": "somebody"}


@dataclass(frozen=True)
class Declared:
    """What was registered: inputs by type and logical name."""

    registered: tuple[pulumi.runtime.MockResourceArgs, ...]
    cloud: Cloud

    def of(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Inputs of all resources of a kind such as `network:Subnet`, by logical name."""
        return {each.name: opened(each.inputs) for each in self.registered if each.typ == f"azure-native:{kind}"}

    def one(self, kind: str, name: str | None = None) -> Mapping[str, Any]:
        found = [inputs for logical, inputs in self.of(kind).items() if name in (None, logical)]
        assert len(found) == 1, f"{kind} {name or ''}: {sorted(self.of(kind))}"
        return found[0]


def opened(value: Any) -> Any:
    """Inputs with their secrets in plain text, as the cloud gets them."""
    if rpc.is_rpc_secret(value):
        return opened(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: opened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [opened(inner) for inner in value]
    return value


def declared(
    build: Callable[[Placement], object], *existing: str, protect: bool = False, delivery: Iterable[Existing] = ()
) -> Declared:
    """What `build` registers, given a place in a subscription with a workspace and whatever else exists.

    `delivery` is what exists in Azure DevOps.
    """
    estate = Estate(
        tenant_id=TENANT,
        subscriptions=frozenset({SUBSCRIPTION, *(each.split("/")[2] for each in existing)}),
        resource_ids=frozenset({WORKSPACE, *existing}),
        groups=frozenset({GROUP}),
        users=frozenset(),
        service_principals=frozenset({SERVICE}),
        delivery=frozenset(delivery),
    )

    def program() -> None:
        group = ResourceGroup("environment", resource_group_name="rg-test", location="westeurope")
        build(Placement(NAMES, group.name, "westeurope", TAGS, protect))

    return _run(program, CloudMocks(Cloud(estate), subscription=SUBSCRIPTION), "test")


def environment(stack: str, config: Mapping[str, Any], told: Mapping[str, Mapping[str, Any]] | None = None) -> Declared:
    """What the whole program registers for a stack's config. `told` holds the outputs of other stacks, by name."""
    parsed = settings.parse(stack, config, rehearsal=True)
    upstream = {name: (told or {})[name] for name in parsed.leans_on}
    mocks = CloudMocks(
        stand_in([parsed]), {f"organization/aks-cicd/{name}": outputs for name, outputs in upstream.items()}
    )
    for outputs in upstream.values():
        mocks.cloud.admit(_estate_of(parsed, outputs["contract"]))

    def program() -> None:
        with settings.rehearsal():
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    set_all_config({key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()})
    return _run(program, mocks, stack)


def _estate_of(parsed: settings.Settings, contract: Mapping[str, Any]) -> Estate:
    """What another stack made, as far as its contract tells."""
    ids = frozenset(part["id"] for part in contract.values() if isinstance(part, Mapping) and "id" in part)
    return Estate(
        tenant_id=parsed.azure.tenant_id,
        subscriptions=frozenset(each.split("/")[2] for each in ids),
        resource_ids=ids,
        delivery=frozenset(_delivery_of(contract.get("delivery"))),
    )


def _delivery_of(told: Mapping[str, Any] | None) -> Iterator[Existing]:
    if told:
        project = told["projectId"]
        yield Existing("project", project, told["projectName"])
        for name, id in told["repositories"].items():
            yield Existing("repository", id, name, project)
        for name, number in told["pipelines"].items():
            yield Existing("definition", str(int(number)), name, project)


def _run(program: Callable[[], None], mocks: CloudMocks, stack: str) -> Declared:
    set_mocks(mocks, project="aks-cicd", stack=stack, preview=False, organization="organization")
    try:
        test(program)()  # type: ignore[no-untyped-call]  # the SDK does not annotate it
    except CloudError as refused:
        # Anew, because the SDK's own frames are so many that a test's report drowns in them.
        raise CloudError(refused.code, refused.message) from None
    return Declared(tuple(mocks.registered), mocks.cloud)
