"""The namespace that a release goes into, by `kubectl`: ask, write, and say in one line what keeps a pod from running.

The context is there already: a step before made it for whoever is signed in. What it does not do: it chooses no
cluster, and needs no right outside the namespace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.scripts.commands import CommandError, Patience, run, shorten

MANAGER = "release-pipeline"
"""What the objects of the pipeline itself are labelled with, and fields are owned by."""

LATE = re.compile(
    r"unable to connect|connection (refused|reset)|i/o timeout|handshake timeout|\beof\b|no such host"
    r"|too ?many ?requests|unauthorized|must be logged in|cannot \w+ resource|internal error|service ?unavailable"
    r"|server is currently unable|etcdserver",
    re.I,
)
"""What passes by itself. `cannot … resource` is a role that is not effective yet; what a quota forbids stays so."""

Object = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A release in a namespace."""

    name: str
    namespace: str
    timeout: float
    """Seconds that a change may take until its pods serve."""
    patience: Patience = field(repr=False)

    def kubectl(self, *arguments: str, feed: str | None = None, seconds: float = 60) -> str:
        command = ["kubectl", *arguments, "--namespace", self.namespace]
        return run(command, feed=feed, seconds=seconds, patience=self.patience, late=LATE)

    def get(self, kind: str, name: str) -> Object | None:
        said = self.kubectl("get", kind, name, "--ignore-not-found", "--output", "json")
        found: Object | None = json.loads(said) if said.strip() else None
        return found

    def list(self, kind: str, labels: Mapping[str, str]) -> Sequence[Object]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found: list[Object] = json.loads(self.kubectl("get", kind, "--selector", selector, "--output", "json"))["items"]
        return found

    def apply(self, manifest: str, *options: str) -> str:
        """On the server, which refuses an unknown field and keeps what others own, such as an autoscaler."""
        owner = ["--server-side", "--force-conflicts", f"--field-manager={MANAGER}"]
        return self.kubectl("apply", *owner, *options, "--filename", "-", feed=manifest)

    def delete(self, names: Sequence[str], *options: str) -> None:
        if names:
            self.kubectl("delete", *names, "--ignore-not-found", *options, seconds=self.timeout + 60)

    def labels(self, component: str) -> dict[str, str]:
        """Of the pipeline's own objects. Not those by which a Service finds the release's pods."""
        return {
            "app.kubernetes.io/name": f"{self.name}-{component}",
            "app.kubernetes.io/part-of": self.name,
            "app.kubernetes.io/managed-by": MANAGER,
        }

    def trouble(self) -> str:
        """What keeps the release's pods from serving, as far as the cluster says; to be added to an error."""
        try:
            labels = {"app.kubernetes.io/instance": self.name}
            said = [*troubles(self.list("pods", labels)), *refusals(self.list("deployments", labels))]
        except CommandError as error:
            said = [f"its pods could not be asked: {error}"]
        return "".join(f"; {each}" for each in dict.fromkeys(said))

    def said_of(self, name: str) -> str:
        """The last thing that the cluster said of an object; empty when it said nothing."""
        selector = f"--field-selector=involvedObject.name={name}"
        events = json.loads(self.kubectl("get", "events", selector, "--output", "json"))["items"]
        events.sort(key=lambda each: each.get("lastTimestamp") or each.get("eventTime") or "")
        return shorten(events[-1].get("message") or "", 200) if events else ""


def troubles(pods: Sequence[Object]) -> Iterator[str]:
    """What each pod says that does not serve."""
    for pod in pods:
        status = pod.get("status", {})
        name = pod["metadata"]["name"]
        for condition in status.get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                yield f"{name} has no node: {shorten(condition.get('message', ''), 160)}"
        for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
            state, last = container.get("state", {}), container.get("lastState", {})
            if waiting := state.get("waiting"):
                yield f"{name} waits: {waiting.get('reason')}: {shorten(waiting.get('message') or '-', 160)}"
            if ended := state.get("terminated") or last.get("terminated"):
                yield f"{name} ended with {ended.get('exitCode')} ({ended.get('reason') or 'no reason'})"
            elif state.get("running") and not container.get("ready"):
                yield f"{name} runs, and is not ready"


def refusals(deployments: Sequence[Object]) -> Iterator[str]:
    """What a deployment says for which no pod could be made."""
    for deployment in deployments:
        for condition in deployment.get("status", {}).get("conditions") or ():
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
                yield f"no pod: {shorten(condition.get('message', ''))}"


def restricted_container(name: str, image: str, cpu: str, memory: str, **more: Any) -> Object:
    """A container that the restricted profile and the quota let in."""
    return {
        "name": name,
        "image": image,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}},
        **more,
    }


def restricted_pod(containers: Sequence[Object], **more: Any) -> Object:
    """A pod that runs once, and is nobody in the cluster."""
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": list(containers),
        **more,
    }
