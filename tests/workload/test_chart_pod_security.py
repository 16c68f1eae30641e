"""The namespace enforces the restricted profile: a pod that asks for more would never start."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from components.workload import plan
from tests.workload.chart import SELECTOR, Values, every_set, needs_helm, one
from tests.workload.chart_pipeline import acceptance_pod, pull_pod
from tests.workload.chart_pod_security import RULES, Pod, broken, containers


def context() -> dict[str, Any]:
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


PLAIN: Pod = {
    "metadata": {},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [{"name": "first", "securityContext": context()}],
        "containers": [{"name": "one", "securityContext": context(), "ports": [{"containerPort": 1}]}],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    },
}
FIRST, ONE = "spec.initContainers.0", "spec.containers.0"
GONE = object()

CASES: list[tuple[str, str, Any]] = [
    ("allowPrivilegeEscalation", f"{ONE}.securityContext.allowPrivilegeEscalation", GONE),
    ("allowPrivilegeEscalation", f"{FIRST}.securityContext.allowPrivilegeEscalation", True),
    ("appArmorProfile", "spec.securityContext.appArmorProfile", {"type": "Unconfined"}),
    ("appArmorProfile", "metadata.annotations", {"container.apparmor.security.beta.kubernetes.io/one": "unconfined"}),
    ("capabilities_restricted", f"{ONE}.securityContext.capabilities", GONE),
    ("capabilities_restricted", f"{ONE}.securityContext.capabilities.drop", ["NET_RAW"]),
    ("capabilities_restricted", f"{ONE}.securityContext.capabilities.add", ["SYS_TIME"]),
    ("hostNamespaces", "spec.hostNetwork", True),
    ("hostNamespaces", "spec.hostPID", True),
    ("hostNamespaces", "spec.hostIPC", True),
    ("hostPorts", f"{ONE}.ports.0.hostPort", 8080),
    ("hostProbesAndHostLifecycle", f"{ONE}.readinessProbe", {"httpGet": {"port": 1, "host": "169.254.169.254"}}),
    ("hostProbesAndHostLifecycle", f"{ONE}.lifecycle", {"preStop": {"tcpSocket": {"port": 1, "host": "10.0.0.1"}}}),
    ("privileged", f"{ONE}.securityContext.privileged", True),
    ("procMount", f"{ONE}.securityContext.procMount", "Unmasked"),
    ("restrictedVolumes", "spec.volumes.0", {"name": "host", "hostPath": {"path": "/"}}),
    ("restrictedVolumes", "spec.volumes.0", {"name": "share", "nfs": {"server": "a", "path": "/"}}),
    ("runAsNonRoot", "spec.securityContext.runAsNonRoot", GONE),
    ("runAsNonRoot", "spec.securityContext.runAsNonRoot", False),
    ("runAsNonRoot", f"{FIRST}.securityContext.runAsNonRoot", False),
    ("runAsUser", "spec.securityContext.runAsUser", 0),
    ("runAsUser", f"{ONE}.securityContext.runAsUser", 0),
    ("seLinuxOptions", f"{ONE}.securityContext.seLinuxOptions", {"type": "spc_t"}),
    ("seccompProfile_restricted", "spec.securityContext.seccompProfile", GONE),
    ("seccompProfile_restricted", "spec.securityContext.seccompProfile", {"type": "Unconfined"}),
    ("seccompProfile_restricted", f"{ONE}.securityContext.seccompProfile", {"type": "Unconfined"}),
    ("sysctls", "spec.securityContext.sysctls", [{"name": "kernel.msgmax", "value": "65536"}]),
    ("windowsHostProcess", f"{ONE}.securityContext.windowsOptions", {"hostProcess": True}),
]


def edited(pod: Pod, path: str, value: Any) -> Pod:
    """A copy with one thing changed, or taken out."""
    changed = copy.deepcopy(dict(pod))
    node: Any = changed
    *above, last = (int(part) if part.isdigit() else part for part in path.split("."))
    for part in above:
        node = node[part]
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return changed


@needs_helm
@every_set
def test_the_pod_keeps_every_rule_of_the_profile(values: Values) -> None:
    assert broken(one(values, "Deployment")["spec"]["template"]) == []


@needs_helm
def test_the_pod_is_stricter_than_the_profile_where_it_can_be() -> None:
    spec = one({}, "Deployment")["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert min(spec["securityContext"]["runAsUser"], spec["securityContext"]["runAsGroup"]) >= 10_000
    for container in containers({"spec": spec}):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    writable = {each["name"]: each for each in spec["volumes"] if "emptyDir" in each}
    assert list(writable) == ["tmp"]
    assert writable["tmp"]["emptyDir"]["sizeLimit"]
    mounts = {each["mountPath"]: each.get("readOnly", False) for each in spec["containers"][0]["volumeMounts"]}
    assert mounts == {"/tmp": False, "/mnt/secrets": True}


@pytest.mark.parametrize("pod", [acceptance_pod(), pull_pod()], ids=["acceptance", "pull"])
def test_the_pipelines_own_pods_keep_it_too_and_get_no_request_of_the_service(pod: Pod) -> None:
    assert broken(pod) == []
    assert not pod["metadata"]["labels"].items() >= SELECTOR.items()


def test_the_rules_are_those_of_the_profile_that_the_namespace_enforces() -> None:
    assert plan.namespace_labels()["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_pod_that_keeps_the_profile_breaks_no_rule() -> None:
    assert broken(PLAIN) == []


@pytest.mark.parametrize(("rule", "path", "value"), CASES, ids=[f"{rule}-{path}" for rule, path, _ in CASES])
def test_a_pod_that_asks_for_more_breaks_the_rule_that_forbids_it(rule: str, path: str, value: Any) -> None:
    assert broken(edited(PLAIN, path, value)) == [rule]


def test_every_rule_has_a_case_that_breaks_it() -> None:
    assert {rule for rule, _, _ in CASES} == set(RULES)


@pytest.mark.parametrize("field", ["runAsNonRoot", "seccompProfile"])
def test_what_the_pod_does_not_say_each_container_may_say_for_itself(field: str) -> None:
    value = PLAIN["spec"]["securityContext"][field]
    bare = edited(PLAIN, f"spec.securityContext.{field}", GONE)
    partly = edited(bare, f"{ONE}.securityContext.{field}", value)
    assert len(broken(partly)) == 1
    assert broken(edited(partly, f"{FIRST}.securityContext.{field}", value)) == []
