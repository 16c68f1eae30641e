"""The telemetry gate's judgement: which alerts fire in a namespace, what is missing, how fast error budgets go.

As the metrics workspace does it: conditions are evaluated step by step, and an alert fires when its condition has
lasted for its `for`. What it does not do: it reads no file and no argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipelines.scripts.prometheus_query import Metrics, Point, Series
from pipelines.scripts.telemetry_rules import Alert, Budget, Knowledge, RulesError

STEP = 60
"""Seconds between two evaluations: the interval of the rule groups."""
SETTLE = 300
"""Seconds that the recorded rates look back: so long, they still count what was before the deployment."""


@dataclass(frozen=True)
class Place:
    namespace: str
    cluster: str

    def select(self, series: str) -> str:
        return f'{series}{{namespace="{self.namespace}", cluster="{self.cluster}"}}'


@dataclass(frozen=True)
class Held:
    """A condition that lasted long enough for its alert to fire."""

    since: float
    value: float


@dataclass(frozen=True)
class Firing:
    alert: Alert
    labels: Mapping[str, str]
    held: Held

    def __str__(self) -> str:
        hidden = ("cluster", "namespace")
        shown = ", ".join(f"{name}={value}" for name, value in sorted(self.labels.items()) if name not in hidden)
        return (
            f"{self.alert.name} fires{f' ({shown})' if shown else ''}, value {self.held.value:g}, "
            f"since {clock_time(self.held.since)}: {self.alert.summary} First: {self.alert.first_step}"
        )


@dataclass
class Verdict:
    """Lines for a person. Nothing wrong means passed."""

    wrong: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def held(points: Sequence[Point], lasting: int) -> Held | None:
    """The first time that a condition, true at these points, lasted so long that its alert fires."""
    since = before = -math.inf
    for point in points:
        if point.at - before > 1.5 * STEP:
            since = point.at
        before = point.at
        if point.at - since >= lasting - 0.5:  # moments are rounded
            return Held(since, point.value)
    return None


def firing(metrics: Metrics, alert: Alert, place: Place, start: float, end: float) -> list[Firing]:
    """Where the alert fires in the namespace, looking no further back than `start`."""
    true: dict[tuple[tuple[str, str], ...], list[Point]] = {}
    for series in metrics.over(alert.expression, start, end, STEP):
        if absent := [label for label in ("namespace", "cluster") if label not in series.labels]:
            raise RulesError(f"{alert.name}: its result has no label {absent[0]}; list it under not_judged")
        if (series.labels["namespace"], series.labels["cluster"]) == (place.namespace, place.cluster):
            # The parts of an `or` differ in the series' name, which an alert does not have: to it, they are one.
            labels = tuple(sorted((name, value) for name, value in series.labels.items() if name != "__name__"))
            true.setdefault(labels, []).extend(series.points)
    lasted = {labels: held(sorted(points), alert.lasting) for labels, points in true.items()}
    return [Firing(alert, dict(labels), each) for labels, each in lasted.items() if each]


def missing(metrics: Metrics, known: Knowledge, place: Place, moment: float) -> list[str]:
    """A line for each source of which series are missing that must be there."""
    names = [name for each in known.must_be_there.values() for name in each]
    counts = (f'label_replace(count({place.select(name)}), "series", "{name}", "", "")' for name in names)
    there = {series.labels["series"] for series in metrics.at(" or ".join(counts), moment)}
    return [
        f"no data for {place.namespace} from {source}: {', '.join(gone)}"
        for source, wanted in known.must_be_there.items()
        if (gone := [name for name in wanted if name not in there])
    ]


def spent(metrics: Metrics, name: str, budget: Budget, place: Place, since: float, now: float, most: float) -> Verdict:
    """How fast each job uses up an error budget since the deployment, and what is left of it."""
    length = max(int(now - since) - SETTLE, STEP)
    objectives = _by_job(metrics.at(place.select(budget.objective), now))
    ratios = _by_job(metrics.at(_ratio(budget, place, f"{length}s"), now))
    months = _by_job(metrics.at(_ratio(budget, place, "30d"), now))
    verdict = Verdict()
    for job in sorted(objectives.keys() & ratios.keys()):
        allowed = 1 - objectives[job]
        burn = ratios[job] / allowed
        text = (
            f"error budget of {name}: {ratios[job]:.2%} of the requests to {place.namespace}/{job} since the "
            f"deployment count against it; the objective is {objectives[job] * 100:g} %, so it goes {burn:.1f} times "
            "as fast as it lasts"
        )
        if burn > most:
            verdict.wrong.append(f"{text}; allowed: {most:g} times. First: roll back, then look at these requests")
        else:
            left = max(1 - months[job] / allowed, 0) if job in months else 1
            verdict.told.append(f"{text}; {left:.0%} of the month's is left")
    if not objectives.keys() & ratios.keys():
        verdict.wrong.append(f"error budget of {name}: nobody asked the workload anything since the deployment")
    return verdict


def _ratio(budget: Budget, place: Place, length: str) -> str:
    bad, every = (f"avg_over_time({place.select(name)}[{length}])" for name in (budget.bad, budget.all))
    return f"{bad} / ({every} > 0)"


def _by_job(found: Sequence[Series]) -> dict[str, float]:
    return {series.labels.get("job", ""): series.points[0].value for series in found}


@dataclass(frozen=True)
class Gate:
    """One release to be judged. Times in seconds, moments since 1970."""

    metrics: Metrics
    place: Place
    known: Knowledge
    alerts: Sequence[Alert]
    since: float
    window: float
    late: float
    burn: float
    clock: Callable[[], float]
    pause: Callable[[float], None]

    def judge(self) -> Verdict:
        """Waits for the window to pass, but no longer once an alert fires; then, a while, for data that is late."""
        end = self.since + self.window
        while True:
            now = self.clock()
            verdict = self._alerts(now)
            if verdict.wrong or now >= end:
                break
            self.pause(min(STEP, end - now))
        if verdict.wrong:
            return verdict
        while absent := missing(self.metrics, self.known, self.place, now):
            if now >= end + self.late:
                return Verdict(absent, verdict.warnings)
            self.pause(min(STEP, end + self.late - now))
            now = self.clock()
        verdict = self._alerts(now)
        for name, budget in self.known.budgets.items():
            found = spent(self.metrics, name, budget, self.place, self.since, now, self.burn)
            verdict.wrong += found.wrong
            verdict.told += found.told
        return verdict

    def _alerts(self, now: float) -> Verdict:
        verdict = Verdict()
        for alert in self.alerts:
            found = firing(self.metrics, alert, self.place, self.since, max(now, self.since))
            earlier = self._before(alert) if found and alert.on_service_level else []
            for each in found:
                if each.labels in earlier:
                    verdict.warnings.append(f"not counted, because it fired before the deployment: {each}")
                else:
                    verdict.wrong.append(str(each))
        return verdict

    def _before(self, alert: Alert) -> list[Mapping[str, str]]:
        """What it fired for when the release was deployed."""
        found = firing(self.metrics, alert, self.place, self.since - alert.lasting, self.since)
        return [each.labels for each in found]


def clock_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
