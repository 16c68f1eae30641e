"""What the stack files say of each environment, as far as the invariants of the whole landscape depend on it.

Read from the file and not from the program's settings, so that a setting that is misread is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.stackfiles import PREFIX

WORKING_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass(frozen=True)
class Environment:
    key: str
    production: bool
    home: str
    """The environment that delivery lives in."""
    registry: str
    """The environment whose registry its cluster pulls from."""
    source: str | None
    """The environment whose registry images are promoted from."""
    private: bool
    """Whether the API server is."""
    agents_service: str | None
    """Object id of Azure's service that runs managed agents."""
    namespace: str
    operators: tuple[str, ...]
    approvers: str | None
    approval_hours: int
    business_hours: Mapping[str, Any] | None
    reviewers: int
    updates: bool
    """Whether a pipeline of its proposes newer versions of what is pinned."""
    audits: bool
    """Whether its cluster looks at signatures."""
    signed: bool
    """Whether its images are signed."""
    github: str | None
    """Id of the connection to GitHub, where the application's repository is there."""
    pulls: bool
    """Whether the cluster fetches what it runs, so that no pipeline reaches it."""
    configuration: bool
    """Whether the repository that clusters pull from lives here."""
    subscription: str
    owns_plans: bool
    """Whether its stack owns the Defender plans of the subscription."""

    @property
    def is_home(self) -> bool:
        return self.home == self.key

    @property
    def has_registry(self) -> bool:
        return self.registry == self.key


Environments = Mapping[str, Environment]


def environments(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, Environment]:
    """The environments of some stack files, given the `config` of each by stack."""
    return {key: _environment(key, config) for key, config in configs.items()}


def _environment(key: str, config: Mapping[str, Any]) -> Environment:
    said = {name.removeprefix(PREFIX): value for name, value in config.items()}
    stacks, delivery, agents = said.get("stacks", {}), said["delivery"], said["agents"]
    gates, home = delivery.get("gates", {}), delivery.get("home", {})
    return Environment(
        key,
        production=said["tier"] == "production",
        home=stacks.get("delivery", key),
        registry=stacks.get("registry", key),
        source=stacks.get("promotesFrom"),
        private=said["cluster"]["access"] == "private",
        agents_service=agents["servicePrincipalId"] if agents["kind"] == "managed" else None,
        namespace=said.get("namespace", {}).get("name", said["workload"]),
        operators=tuple(said["cluster"]["adminGroups"]),
        approvers=delivery.get("approvers"),
        approval_hours=gates.get("approvalHours", 72),
        business_hours=gates.get("businessHours"),
        reviewers=home.get("reviewers", 1),
        updates=home.get("updates", False),
        audits=said.get("signing", {}).get("admission") == "audit",
        signed="signing" in said,
        github=home.get("github", {}).get("connectionId"),
        pulls=delivery.get("model", "push") == "pull",
        configuration=bool(home) and (home.get("configuration", False) or delivery.get("model", "push") == "pull"),
        subscription=said["azure"]["subscriptionId"],
        owns_plans=said["defender"]["plans"] == "managed",
    )
