"""The restricted profile of the Pod Security Standards, as rules on a pod (`metadata` and `spec`); pure.

Each rule has the name of Kubernetes' own check (k8s.io/pod-security-admission, policy) and is as strict as that of
Kubernetes 1.37, or stricter where the profile knows exceptions that nothing here needs: profiles of AppArmor and
SELinux that are named in the pod, user namespaces, kernel parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Pod = Mapping[str, Any]

_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("image", "persistentVolumeClaim", "projected", "secret"),
}
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def broken(pod: Pod) -> list[str]:
    """Names of the rules that a pod does not keep."""
    return [name for name, keeps in RULES.items() if not keeps(pod)]


def containers(pod: Pod) -> Iterator[Mapping[str, Any]]:
    for kind in _CONTAINERS:
        yield from pod["spec"].get(kind, ())


def _of_pod(pod: Pod) -> Mapping[str, Any]:
    context: Mapping[str, Any] = pod["spec"].get("securityContext") or {}
    return context


def _of_containers(pod: Pod) -> list[Mapping[str, Any]]:
    return [each.get("securityContext") or {} for each in containers(pod)]


def _contexts(pod: Pod) -> list[Mapping[str, Any]]:
    return [_of_pod(pod), *_of_containers(pod)]


def _nowhere(field: str) -> Callable[[Pod], bool]:
    return lambda pod: not any(field in each for each in _contexts(pod))


def _effective(pod: Pod, field: str) -> list[Any]:
    """What holds for each container: its own word, or else the pod's. The pod's own must be right as well."""
    own = _of_pod(pod).get(field)
    return [each.get(field, own) for each in _of_containers(pod)] + ([own] if own is not None else [])


def _capabilities(pod: Pod) -> bool:
    asked = [each.get("capabilities") or {} for each in _of_containers(pod)]
    return all("ALL" in each.get("drop", ()) and set(each.get("add", ())) <= {"NET_BIND_SERVICE"} for each in asked)


def _hosts(pod: Pod) -> Iterator[str]:
    """Whom probes and hooks ask; nobody but the pod itself, if none is named."""
    for each in containers(pod):
        hooks = (each.get("lifecycle") or {}).values()
        for handler in (*(each.get(probe) or {} for probe in _PROBES), *hooks):
            for kind in ("httpGet", "tcpSocket"):
                yield (handler.get(kind) or {}).get("host", "")


def _annotated(pod: Pod) -> bool:
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    return any(key.startswith("container.apparmor.security.beta.kubernetes.io/") for key in annotations)


def _app_armor(pod: Pod) -> bool:
    return not _annotated(pod) and _nowhere("appArmorProfile")(pod)


RULES: Mapping[str, Callable[[Pod], bool]] = {
    "allowPrivilegeEscalation": lambda pod: all(
        each.get("allowPrivilegeEscalation") is False for each in _of_containers(pod)
    ),
    "appArmorProfile": _app_armor,
    "capabilities_restricted": _capabilities,
    "hostNamespaces": lambda pod: not any(pod["spec"].get(each) for each in ("hostNetwork", "hostPID", "hostIPC")),
    "hostPorts": lambda pod: (
        not any(port.get("hostPort") for each in containers(pod) for port in each.get("ports", ()))
    ),
    "hostProbesAndHostLifecycle": lambda pod: not any(_hosts(pod)),
    "privileged": lambda pod: not any(each.get("privileged") for each in _of_containers(pod)),
    "procMount": lambda pod: all(each.get("procMount", "Default") == "Default" for each in _of_containers(pod)),
    "restrictedVolumes": lambda pod: all(_VOLUMES & each.keys() for each in pod["spec"].get("volumes", ())),
    "runAsNonRoot": lambda pod: all(each is True for each in _effective(pod, "runAsNonRoot")),
    "runAsUser": lambda pod: all(each.get("runAsUser") != 0 for each in _contexts(pod)),
    "seLinuxOptions": _nowhere("seLinuxOptions"),
    "seccompProfile_restricted": lambda pod: all(
        (each or {}).get("type") in ("RuntimeDefault", "Localhost") for each in _effective(pod, "seccompProfile")
    ),
    "sysctls": _nowhere("sysctls"),
    "windowsHostProcess": _nowhere("windowsOptions"),
}
