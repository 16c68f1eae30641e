"""A node that only pretends: it runs no container, and says of each pod what a node would say, by its images' digests.

Around a real API server it is what a kubelet is: it takes pods, reports on them, lets go of those that are deleted,
and hands out the logs of their containers.
"""

from __future__ import annotations

import contextlib
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

LONG_AGO = "2020-01-01T00:00:00Z"

Json = dict[str, Any]


class Call(Protocol):
    """Asks the API server, as an administrator."""

    def __call__(self, method: str, path: str, body: Any = None, kind: str = ...) -> tuple[int, Json]: ...


@dataclass(frozen=True)
class Image:
    """How a container of an image behaves."""

    serves: bool = True
    """As a service: ready, or else it ends again and again."""
    code: int = 0
    """As a program that runs once: how it ends."""
    log: str = ""
    hangs: bool = False
    """As a program: it never ends."""
    refused: str = ""
    """What the registry says in place of the image."""


class Node:
    """What a node does, without running anything."""

    def __init__(self, images: Mapping[str, Image], call: Call) -> None:
        self._images, self._call = images, call

    def step(self) -> None:
        _, listed = self._call("GET", "/api/v1/pods")
        for pod in listed.get("items", ()):
            path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
            if "deletionTimestamp" in pod["metadata"]:
                self._call("DELETE", path, {"gracePeriodSeconds": 0})
            elif "nodeName" not in pod["spec"]:
                target = {"apiVersion": "v1", "kind": "Node", "name": "node"}
                self._call("POST", f"{path}/binding", {"metadata": {"name": pod["metadata"]["name"]}, "target": target})
            elif (status := self.status(pod)) and not _same(pod.get("status", {}), status):
                self._call("PATCH", f"{path}/status", {"status": status}, "application/merge-patch+json")

    def status(self, pod: Json) -> Json:
        found = [self._container(pod, each) for each in pod["spec"]["containers"]]
        states = [next(iter(each["state"])) for each in found]
        codes = [each["state"].get("terminated", {}).get("exitCode") for each in found]
        ready = str(all(each["ready"] for each in found))
        ended = "Failed" if any(codes) else "Succeeded"
        phase = ended if set(states) == {"terminated"} else "Running" if "waiting" not in states else "Pending"
        conditions = [
            {"type": kind, "status": ready if kind != "PodScheduled" else "True", "lastTransitionTime": LONG_AGO}
            for kind in ("PodScheduled", "ContainersReady", "Ready")
        ]
        return {"phase": phase, "conditions": conditions, "containerStatuses": found}

    def _container(self, pod: Json, container: Json) -> Json:
        digest = container["image"].rpartition("@")[2]
        image = self._images.get(digest)
        state: Json
        ready = False
        if not image or image.refused:
            said = image.refused if image else f"{container['image']}: not found"
            message = f'failed to pull and unpack image "{container["image"]}": failed to resolve reference: {said}'
            state = {"waiting": {"reason": "ErrImagePull", "message": message}}
        elif container.get("command") == ["true"]:
            state = {"terminated": {"exitCode": 0, "reason": "Completed"}}
        elif pod["spec"]["restartPolicy"] == "Never":
            ended = {"exitCode": image.code, "reason": "Error" if image.code else "Completed"}
            state = {"running": {"startedAt": LONG_AGO}} if image.hangs else {"terminated": ended}
        elif image.serves:
            state, ready = {"running": {"startedAt": LONG_AGO}}, True
        else:
            state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}}
        return {
            "name": container["name"],
            "image": container["image"],
            "imageID": digest if image and not image.refused else "",
            "ready": ready,
            "started": ready,
            "restartCount": 0,
            "state": state,
        }


def _same(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether it was said already. A pod's other conditions are the server's."""

    def essence(status: Mapping[str, Any]) -> Any:
        states = [(each["name"], each["state"], each["ready"]) for each in status.get("containerStatuses") or ()]
        return status.get("phase"), states

    return bool(essence(present) == essence(wanted))


@contextlib.contextmanager
def kubelet(images: Mapping[str, Image], call: Call, certificate: Path, key: Path) -> Iterator[int]:
    """Where the API server asks for the logs of a container."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = re.match(r"/containerLogs/([^/]+)/([^/]+)/([^/?]+)", self.path)
            assert found, self.path
            _, pod = call("GET", f"/api/v1/namespaces/{found[1]}/pods/{found[2]}")
            container = next(each for each in pod["spec"]["containers"] if each["name"] == found[3])
            log = images[container["image"].rpartition("@")[2]].log.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(log)))
            self.end_headers()
            self.wfile.write(log)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
