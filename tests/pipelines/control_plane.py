"""A cluster of our own on the loopback interface: a real API server with its controllers, and nodes that only pretend.

etcd, kube-apiserver and kube-controller-manager are the real ones, so that helm and kubectl, quotas, pod security,
roles and roll-outs are what they are in Azure. What runs no container is the node: here it is a loop that says of each
pod what a node would say, by the digest of its image. Each test has a namespace as the platform makes it, and a
kubeconfig of an identity that has the deploy identity's role in it and nothing else.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.workload.plan import Quota, limits, namespace_labels, quota
from tests.pipelines.fake_node import Image, Json, Node, kubelet
from tests.pipelines.tooling import tool

ADMIN, DEPLOYER = "admin-of-this-test", "deployer-of-this-test"
ROLE = Path(__file__).resolve().parents[1] / "workload" / "chart_role.yaml"
"""What the deploy identity may do, as Azure has it."""

CONTROLLERS = (
    "deployment-controller,replicaset-controller,job-controller,garbage-collector-controller,"
    "serviceaccount-controller,resourcequota-controller,namespace-controller"
)


@dataclass
class Cluster:
    port: int
    directory: Path
    images: dict[str, Image] = field(default_factory=dict)
    """By digest: what the registry has."""
    kubelet_port: int = 0
    _own: threading.local = field(default_factory=threading.local)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Json]:
        """As an administrator, over one connection for each thread."""
        connection = getattr(self._own, "connection", None)
        if not connection:
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=30)
            self._own.connection = connection
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": kind}
        idle = connection.sock is not None
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()  # it is opened again by the next call
            if idle:  # the server has closed what nobody used for a while
                return self.call(method, path, body, kind)
            raise
        return answer.status, json.loads(said) if said.startswith(b"{") else {"text": said.decode()}

    def create(self, path: str, body: Json) -> None:
        status, said = self.call("POST", path, body)
        assert status in (200, 201), said

    def namespace(self, limit: Quota) -> str:
        """As the platform makes it, with the deploy identity's role in it."""
        name = f"shop-{next(self._numbers)}"
        self.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": namespace_labels()}})
        core, rights = f"/api/v1/namespaces/{name}", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}"
        self.create(f"{core}/resourcequotas", {"metadata": {"name": "workload"}, "spec": quota(limit)})
        self.create(f"{core}/limitranges", {"metadata": {"name": "workload"}, "spec": limits()})
        self.create(f"{core}/serviceaccounts", {"metadata": {"name": "workload"}})
        self.create(f"{rights}/roles", {"metadata": {"name": "deployer"}, "rules": list(rules())})
        subject = {"kind": "User", "name": "deployer", "apiGroup": "rbac.authorization.k8s.io"}
        role = {"kind": "Role", "name": "deployer", "apiGroup": "rbac.authorization.k8s.io"}
        self.create(f"{rights}/rolebindings", {"metadata": {"name": "d"}, "subjects": [subject], "roleRef": role})
        wait(lambda: self.call("GET", f"{core}/serviceaccounts/default")[0] == 200)
        wait(lambda: "hard" in self.call("GET", f"{core}/resourcequotas/workload")[1].get("status", {}))
        return name

    def kubeconfig(self) -> Path:
        """Of the deploy identity."""
        server = {"server": f"https://127.0.0.1:{self.port}", "insecure-skip-tls-verify": True}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": server}],
            "users": [{"name": "deployer", "user": {"token": DEPLOYER}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "deployer"}}],
            "current-context": "test",
        }
        file = self.directory / "kubeconfig"
        file.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        return file


def rules() -> Iterator[Json]:
    """The role as Kubernetes writes it, where `pods/*` does not contain `pods/log`."""
    parts = ("log", "status", "scale", "exec", "eviction")
    for action in yaml.safe_load(ROLE.read_text(encoding="utf-8"))["dataActions"]:
        *group, resource, verb = action.split("/")
        verbs = {"read": ["get", "list", "watch"], "write": ["create", "update", "patch"]}.get(verb, [verb])
        resources = [resource, *(f"{resource}/{part}" for part in parts if verb == "*")]
        yield {"apiGroups": [group[0] if group else ""], "resources": resources, "verbs": verbs}


@contextlib.contextmanager
def _process(name: str, command: Sequence[str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = (directory / f"{name}.log").open("wb")
    with log, subprocess.Popen(command, stdout=log, stderr=log, cwd=directory) as process:
        try:
            yield process
        finally:
            process.kill()


def _ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def control_plane(directory: Path) -> Iterator[Cluster]:
    """Started in some seconds, and gone without a trace."""
    programs = [tool(name) for name in ("etcd", "kube-apiserver", "kube-controller-manager", "openssl")]
    etcd, server, manager, openssl = programs
    client, peer, port, own = _ports(4)
    cluster = Cluster(port, directory)
    subprocess.run([openssl, "genrsa", "-out", "key.pem", "2048"], cwd=directory, check=True, capture_output=True)
    tokens = f'{ADMIN},admin,1,"system:masters"\n{DEPLOYER},deployer,2,""\n'
    (directory / "tokens.csv").write_text(tokens, encoding="utf-8")
    url, peers = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    store = [etcd, "--data-dir=etcd", f"--listen-client-urls={url}", f"--advertise-client-urls={url}"]
    store += [f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}"]
    store += [f"--initial-cluster=default={peers}", "--unsafe-no-fsync"]
    serve = [server, f"--etcd-servers={url}", "--bind-address=127.0.0.1", f"--secure-port={port}", "--cert-dir=certs"]
    serve += ["--service-account-key-file=key.pem", "--service-account-signing-key-file=key.pem"]
    serve += ["--service-account-issuer=https://kubernetes.default.svc", "--token-auth-file=tokens.csv"]
    serve += ["--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none"]
    serve += ["--kubelet-preferred-address-types=InternalIP"]
    control = [manager, "--kubeconfig=admin.json", "--service-account-private-key-file=key.pem"]
    control += ["--leader-elect=false", "--bind-address=127.0.0.1", f"--secure-port={own}"]
    control += [f"--controllers={CONTROLLERS}"]
    config = json.loads(cluster.kubeconfig().read_text(encoding="utf-8"))
    config["users"][0]["user"]["token"] = ADMIN
    (directory / "admin.json").write_text(json.dumps(config), encoding="utf-8")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_process("etcd", store, directory))
        stack.enter_context(_process("apiserver", serve, directory))
        wait(lambda: _ready(cluster), log=directory / "apiserver.log")
        stack.enter_context(_process("controllers", control, directory))
        certificates = directory / "certs" / "apiserver.crt", directory / "certs" / "apiserver.key"
        cluster.kubelet_port = stack.enter_context(kubelet(cluster.images, cluster.call, *certificates))
        _make_node(cluster)
        stack.enter_context(_looping(Node(cluster.images, cluster.call).step))
        yield cluster


def _make_node(cluster: Cluster) -> None:
    cluster.create("/api/v1/nodes", {"metadata": {"name": "node"}})
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
    endpoints = {"kubeletEndpoint": {"Port": cluster.kubelet_port}}
    status = {"addresses": addresses, "daemonEndpoints": endpoints}
    cluster.call("PATCH", "/api/v1/nodes/node/status", {"status": status}, "application/merge-patch+json")


@contextlib.contextmanager
def _looping(step: Callable[[], None]) -> Iterator[None]:
    end = threading.Event()

    def loop() -> None:
        while not end.wait(0.1):
            step()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _ready(cluster: Cluster) -> bool:
    try:
        return cluster.call("GET", "/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def wait(ready: Callable[[], bool], seconds: float = 60, log: Path | None = None) -> None:
    end = time.monotonic() + seconds
    while not ready():
        said = log.read_text(encoding="utf-8")[-2000:] if log else ""
        assert time.monotonic() < end, f"not within {seconds:g} s {said}"
        time.sleep(0.05)
