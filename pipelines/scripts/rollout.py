"""How a release gets into its namespace, and back out: by Helm, or by kubectl with the chart rendered beforehand.

Both keep revisions, with the same words for how each ended, so that one rule says which the last good one is. Helm
keeps them itself; for kubectl they are kept here, one ConfigMap each, with all that was applied, because undoing a
Deployment alone would leave the rest of a release behind. Helm does not know how the acceptance tests ended: a
revision that passed everything is therefore noted beside them (`confirm`).

What it does not do: it decides nothing about when.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.scripts.cluster import Object, Place
from pipelines.scripts.commands import CommandError, run

GOOD = ("deployed", "superseded")
"""How a revision ended that worked at least once."""

KEPT = 10
"""Revisions that are kept: enough to go back, and few enough for the API server."""


@dataclass(frozen=True)
class Revision:
    number: int
    status: str
    """In Helm's words: deployed, superseded, failed, pending-install, pending-upgrade, pending-rollback."""
    updated: datetime.datetime

    @property
    def pending(self) -> bool:
        return self.status.startswith("pending")


@dataclass(frozen=True)
class Chart:
    """A chart package, and what it is to be told."""

    package: Path
    sets: Mapping[str, str]
    values: Path | None = None

    def arguments(self) -> list[str]:
        sets = [part for key, value in self.sets.items() for part in ("--set-string", f"{key}={value}")]
        return [*(["--values", str(self.values)] if self.values else []), *sets]


def rendered(name: str, namespace: str, chart: Chart) -> str:
    """The objects of a release as the chart makes them, without asking a cluster."""
    return run(["helm", "template", name, str(chart.package), "--namespace", namespace, *chart.arguments()])


def last_good(history: Sequence[Revision], confirmed: int | None) -> Revision | None:
    """What to go back to: the revision that passed everything, or else the newest that worked. Never a failed one."""
    good = [each for each in history if each.status in GOOD]
    return next((each for each in good if each.number == confirmed), good[-1] if good else None)


class Model(Protocol):
    def history(self) -> list[Revision]:
        """Oldest first; empty when there is no release."""

    def deploy(self, chart: Chart) -> None:
        """Makes a new revision and waits until it serves. CommandError when it does not."""

    def roll_back(self, number: int) -> None:
        """Makes a new revision that is like that one, and waits until it serves."""

    def remove(self) -> None:
        """Takes the release away, with its revisions."""


@dataclass(frozen=True)
class Helm:
    place: Place

    def history(self) -> list[Revision]:
        try:
            said = self._helm("history", "--max", "256", "--output", "json")
        except CommandError as error:
            if re.search(r"release: not found", str(error)):
                return []
            raise
        listed = [
            Revision(each["revision"], each["status"], datetime.datetime.fromisoformat(each["updated"]))
            for each in json.loads(said)
        ]
        return sorted(listed, key=lambda each: each.number)

    def deploy(self, chart: Chart) -> None:
        options = ["--install", *chart.arguments(), "--history-max", str(KEPT), *self._wait()]
        self._helm("upgrade", str(chart.package), *options)

    def roll_back(self, number: int) -> None:
        self._helm("rollback", str(number), "--cleanup-on-fail", "--history-max", str(KEPT), *self._wait())

    def remove(self) -> None:
        self._helm("uninstall", "--ignore-not-found", *self._wait())

    def _wait(self) -> list[str]:
        return ["--wait", "--timeout", f"{self.place.timeout:g}s"]

    def _helm(self, verb: str, *arguments: str) -> str:
        command = ["helm", verb, self.place.name, *arguments, "--namespace", self.place.namespace]
        return run(command, seconds=self.place.timeout + 60)


@dataclass(frozen=True)
class Kubectl:
    place: Place

    def history(self) -> list[Revision]:
        listed = self.place.list("configmaps", self.place.labels("revision"))
        return sorted(map(_revision, listed), key=lambda each: each.number)

    def deploy(self, chart: Chart) -> None:
        place = self.place
        if place.list("secrets", {"owner": "helm", "name": place.name}):
            raise CommandError(f"{place.name} was deployed by Helm; use --model helm, or remove it by helm uninstall")
        self._change(rendered(place.name, place.namespace, chart))

    def roll_back(self, number: int) -> None:
        found = self.place.get("configmap", self._name(number))
        if not found:
            raise CommandError(f"{self.place.name}: there is no revision {number}")
        self._change(found["data"]["manifest"])

    def remove(self) -> None:
        self.place.delete(sorted(self._objects()), "--wait", f"--timeout={self.place.timeout:g}s")
        self.place.delete([f"configmap/{self._name(each.number)}" for each in self.history()])

    def _change(self, manifest: str) -> None:
        """The server judges all objects before the first is written."""
        place, before = self.place, self.history()
        names = set(place.apply(manifest, "--dry-run=server", "--output", "name").split())
        gone = self._objects() - names
        number = before[-1].number + 1 if before else 1
        content = {"manifest": manifest, "objects": "\n".join(sorted(names))}
        self._note(number, f"pending-{'upgrade' if before else 'install'}", content)
        try:
            place.apply(manifest)
            for name in sorted(names):
                if name.partition(".")[0] in ("deployment", "statefulset", "daemonset"):
                    status = ["rollout", "status", name, f"--timeout={place.timeout:g}s"]
                    place.kubectl(*status, seconds=place.timeout + 60)
            place.delete(sorted(gone))
        except CommandError:
            self._note(number, "failed")
            raise
        self._note(number, "deployed")
        for each in before:
            if each.status == "deployed":
                self._note(each.number, "superseded")
        place.delete([f"configmap/{self._name(each.number)}" for each in before[: -KEPT + 1]])

    def _objects(self) -> set[str]:
        """Everything that a revision brought."""
        listed = self.place.list("configmaps", self.place.labels("revision"))
        return {name for each in listed for name in each["data"]["objects"].split()}

    def _name(self, number: int) -> str:
        return f"{self.place.name}-revision-{number}"

    def _note(self, number: int, status: str, content: Mapping[str, str] | None = None) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        data = {"status": status, "updated": now, **(content or {})}
        if content is None:
            patch = json.dumps({"data": data})
            self.place.kubectl("patch", "configmap", self._name(number), "--type=merge", f"--patch={patch}")
        else:
            self.place.apply(json.dumps(config_map(self._name(number), self.place.labels("revision"), data)))


MODELS: Mapping[str, type[Helm] | type[Kubectl]] = {"helm": Helm, "kubectl": Kubectl}


def config_map(name: str, labels: Mapping[str, str], data: Mapping[str, str]) -> Object:
    metadata = {"name": name, "labels": dict(labels)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


def confirmed(place: Place) -> int | None:
    """The revision that passed everything, as far as anybody noted it."""
    found = place.get("configmap", f"{place.name}-confirmed")
    return int(found["data"]["revision"]) if found else None


def confirm(place: Place, number: int) -> None:
    data = {"revision": str(number)}
    place.apply(json.dumps(config_map(f"{place.name}-confirmed", place.labels("confirmed"), data)))


def go_back(place: Place, model: Model, revision: Revision) -> int:
    """The number of the new revision, which is like the old one, and as good."""
    passed = confirmed(place)
    model.roll_back(revision.number)
    new = model.history()[-1].number
    if revision.number == passed:
        confirm(place, new)
    return new


def forget(place: Place) -> None:
    """Numbers begin anew when a release is gone."""
    place.delete([f"configmap/{place.name}-confirmed"])


def _revision(found: Object) -> Revision:
    number = int(found["metadata"]["name"].rpartition("-")[2])
    return Revision(number, found["data"]["status"], datetime.datetime.fromisoformat(found["data"]["updated"]))
