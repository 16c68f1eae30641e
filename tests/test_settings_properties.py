"""Whatever stands in a stack file: it is accepted, or refused with a message that helps; never anything else."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings
from components import naming, regions
from settings import Settings, SettingsError
from tests.stackfiles import STACKS, Config, edited, shipped, steady

# ---------------------------------------------------------------- legal variations

STACK_NAMES = st.from_regex(r"[a-z](-?[a-z0-9]){1,4}", fullmatch=True).filter(lambda name: name not in STACKS)
TAG_KEYS = st.from_regex(r"(?!azure|microsoft|windows|workload|environment|tier|managed)[a-z]{3,12}", fullmatch=True)
CLOCKS = st.from_regex(re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII), fullmatch=True)
RECEIVERS = st.from_regex(r"[a-z0-9][a-z0-9 ._-]{0,20}", fullmatch=True)
SIZES = st.sampled_from(["Standard_D4ds_v5", "Standard_D8ads_v5", "Standard_E8-4ds_v5", "Standard_L8ds_v3"])


@st.composite
def pools(draw: st.DrawFn) -> dict[str, Any]:
    least = draw(st.integers(2, 8))
    disk: dict[str, Any] = draw(
        st.sampled_from([{}, {"osDiskGb": 64}, {"osDisk": "ephemeral", "osDiskGb": 150}, {"osDisk": "managed"}])
    )
    return {
        "vmSize": draw(SIZES),
        "minNodes": least,
        "maxNodes": least + draw(st.integers(0, 8)),
        **disk,
    }


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "day": draw(st.sampled_from(["Monday", "Sunday"])),
        "start": draw(CLOCKS),
        "hours": draw(st.integers(4, 24)),
        "utcOffset": draw(st.sampled_from(["+00:00", "-05:30", "+14:00"])),
    }


@st.composite
def legal(draw: st.DrawFn) -> tuple[str, Config]:
    """Another environment that is made from a shipped one by changes that the documentation calls legal."""
    base = draw(st.sampled_from(STACKS))
    prefix = draw(st.integers(12, 20))
    space = str(IPv4Network((draw(st.integers(0, 15)) << 20 | 0x0B000000, prefix), strict=False))
    location = draw(st.sampled_from(sorted(regions.ALL)))
    zoned = location in regions.WITH_ZONES
    metrics = draw(st.none() | st.sampled_from(["westeurope", "westus"]))
    emails = draw(st.dictionaries(RECEIVERS, st.just("team@contoso.example"), max_size=3))
    webhooks = draw(st.dictionaries(RECEIVERS, st.just("https://hooks.contoso.example/a?sig=b"), max_size=3))
    taken = {name.lower() for name in emails}
    plans = draw(st.sampled_from(["managed", "existing", "none"]))
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9]{0,11}", fullmatch=True), min_size=1, max_size=3, unique=True))
    new: dict[str, Any] = {
        "workload": draw(st.from_regex(naming.WORKLOAD, fullmatch=True)),
        "generation": draw(st.integers(1, 99)),
        "azure.subscriptionId": str(draw(st.uuids())),
        "azure.location": location,
        "tags": draw(st.dictionaries(TAG_KEYS, st.sampled_from(["a", "Team A", "4711"]), max_size=5)),
        "network.addressSpace": space,
        "cluster.version": draw(st.sampled_from(["1.33", "1.36"])),
        "cluster.zones": draw(st.sampled_from([[], ["1"], ["3", "1"], [1, 2, 3]])) if zoned else [],
        "cluster.systemPool": draw(pools()),
        "cluster.userPools": {name: draw(pools()) for name in names},
        "cluster.upgrades.window": draw(windows()),
        "cluster.upgrades.nodeOsWindow": draw(windows()),
        "namespace.quota.cpu": draw(st.sampled_from([1, "64", "1500m"])),
        "logs.retentionDays": draw(st.integers(30, 730)),
        "logs.dailyCapGb": draw(st.integers(1, 10_000)),
        "logs.basicTables": draw(st.lists(st.sampled_from(["AKSControlPlane", "ContainerLogV2"]), unique=True)),
        **({"monitoring.metricsLocation": metrics} if metrics else {}),
        "monitoring.grafana.version": draw(st.sampled_from(["12", "13"])),
        "monitoring.grafana.zoneRedundant": (metrics or location) in regions.WITH_ZONES and draw(st.booleans()),
        "monitoring.objectives": {
            "availabilityPercent": draw(st.floats(94, 99.999) | st.integers(94, 99)),
            "latencyPercent": draw(st.floats(94, 99.999) | st.integers(94, 99)),
            "latencyMilliseconds": draw(st.integers(5, 10_000)),
        },
        "monitoring.traceSamplingPercent": draw(st.integers(1, 100)),
        "monitoring.gateHours": draw(st.integers(1, 47)),
        "alerts": {
            "emails": emails or {"team": "team@contoso.example"},
            "webhooks": {name: url for name, url in webhooks.items() if name.lower() not in {*taken, "team"}},
        },
        "defender": {"plans": plans, **({"contacts": ["team@contoso.example"]} if plans == "managed" else {})},
        "vaults.workload.softDeleteDays": draw(st.integers(7, 90)),
    }
    if base == "prod":
        new["registry.zoneRedundant"] = zoned and draw(st.booleans())
        new["cluster.access"] = draw(st.sampled_from(["public", "private"]))
    else:
        new["agents.kind"] = draw(st.sampled_from(["hosted", "managed"]))
        managed = new["agents.kind"] == "managed"
        if managed:
            new["agents.servicePrincipalId"] = str(draw(st.uuids()))
        new["registry.access"] = draw(st.sampled_from(["public", "private"])) if managed else "public"
        new["network.egress"] = "natGateway" if managed else draw(st.sampled_from(["natGateway", "loadBalancer"]))
    if draw(st.booleans()):
        start, end = sorted(draw(st.lists(CLOCKS, min_size=2, max_size=2, unique=True)))
        zone = draw(st.sampled_from(["UTC", "W. Europe Standard Time", "Central Standard Time (Mexico)"]))
        new["delivery.gates.businessHours"] = {"start": start, "end": end, "timeZone": zone}
    return draw(STACK_NAMES), edited(shipped(base), new)


def use(parsed: Settings) -> None:
    """Everything that the program reads from the settings."""
    for name, member in vars(Settings).items():
        if isinstance(member, property):
            getattr(parsed, name)
    for stack in parsed.leans_on:
        parsed.expects(stack)
    assert parsed.planned_names.misfits() == ()
    assert "nodes" in parsed.subnets


class TestALegalVariationIsAccepted:
    @steady(80)
    @given(legal())
    def test_it_parses_and_everything_that_follows_from_it_is_there(self, case: tuple[str, Config]) -> None:
        stack, config = case
        use(settings.parse(stack, config, rehearsal=True))

    @steady(30)
    @given(legal())
    def test_the_same_file_gives_the_same_settings_and_stays_as_it_was(self, case: tuple[str, Config]) -> None:
        stack, config = case
        before = copy.deepcopy(config)
        first = settings.parse(stack, config, rehearsal=True)
        assert settings.parse(stack, config, rehearsal=True) == first
        assert config == before

    @steady(30)
    @given(legal(), st.randoms(use_true_random=False))
    def test_the_order_of_keys_makes_no_difference(self, case: tuple[str, Config], random: Any) -> None:
        stack, config = case
        keys = list(config)
        random.shuffle(keys)
        shuffled = {key: config[key] for key in keys}
        assert settings.parse(stack, shuffled, rehearsal=True) == settings.parse(stack, config, rehearsal=True)


# ---------------------------------------------------------------- junk

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-1, 130)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["public", "private", "restricted", "hosted", "managed", "hubRouteTable", "production", "true"])
    | st.sampled_from(["westus", "10.20.0.0/20", "203.0.113.7", "Standard_D2s_v5", "prod", "staging", "1" * 5000])
    | st.builds(
        lambda address, prefix: str(IPv4Network((address, prefix), strict=False)),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    )
    | st.uuids().map(str)
)
KEYS = st.text(max_size=6) | st.sampled_from(
    ["access", "ci", "workload", "nodes", "hub", "a.b", "x[0]", '"', "version"]
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def paths(node: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every place of a file at which a value stands."""
    own = [above] if above else []
    if isinstance(node, dict):
        return own + [path for key, value in node.items() for path in paths(value, (*above, key))]
    return own


OPTIONAL = [
    "names.registry",
    "network.podRange",
    "network.serviceRange",
    "network.subnets.nodes",
    "network.subnets.apiServer",
    "network.hub.egressAddresses",
    "network.privateDnsZones.apiServer",
    "cluster.authorizedRanges",
    "cluster.userPools.apps.labels",
    "cluster.userPools.apps.taints",
    "registry.allowedRanges",
    "registry.replicas",
    "vaults.ci",
    "stacks.registry",
    "namespace.name",
    "namespace.serviceAccount",
    "logs.workspaceId",
    "logs.location",
    "monitoring.metricsLocation",
    "monitoring.objectives.latencyPercent",
    "monitoring.dashboardsInPortal",
    "alerts.webhooks",
    "names.grafana",
    "unheard.of",
]
PLACES = {
    stack: sorted(
        {".".join(path) for path in paths({key.removeprefix("aks-cicd:"): v for key, v in shipped(stack).items()})}
        | {*OPTIONAL}
    )
    for stack in STACKS
}


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, Config]:
    """A shipped file with junk in up to four places."""
    stack = draw(st.sampled_from(STACKS))
    config = shipped(stack)
    for place in draw(st.lists(st.sampled_from(PLACES[stack]), min_size=1, max_size=4, unique=True)):
        try:
            config = edited(config, {place: draw(JUNK)})
        except (TypeError, AttributeError):
            continue  # below a value that is junk already
    return stack, config


def parse_or_refuse(stack: str, config: Mapping[str, Any]) -> SettingsError | None:
    """None when accepted. Any exception but SettingsError is the test's failure."""
    try:
        use(settings.parse(stack, config, rehearsal=True))
    except SettingsError as error:
        return error
    return None


def helps(error: SettingsError) -> None:
    assert error.problems
    for problem in error.problems:
        assert problem.key.startswith("aks-cicd:") or problem.key == "the stack's name"
        assert problem.allowed
        assert problem.mend
        assert problem.key in str(error)
        assert "pydantic" not in str(problem)
        assert "Input should" not in problem.allowed
        assert "Value error" not in problem.allowed


class TestJunkIsRefusedWithAMessageThatHelps:
    @steady(120)
    @given(spoiled())
    def test_junk_in_a_good_file(self, case: tuple[str, Config]) -> None:
        stack, config = case
        before = repr(config)
        first, second = (parse_or_refuse(stack, config) for _ in range(2))
        assert repr(config) == before
        assert str(first) == str(second)
        if first:
            helps(first)

    @steady(80)
    @given(
        st.text(max_size=14),
        st.dictionaries(
            st.sampled_from([f"aks-cicd:{name}" for name in Settings.model_fields]) | KEYS, JUNK, max_size=8
        ),
    )
    def test_nothing_but_junk(self, stack: str, config: dict[str, Any]) -> None:
        error = parse_or_refuse(stack, config)
        assert error is not None
        helps(error)

    @steady(100)
    @given(spoiled())
    def test_a_real_run_refuses_what_a_rehearsal_refuses(self, case: tuple[str, Config]) -> None:
        stack, config = case
        error = parse_or_refuse(stack, config)
        with pytest.raises(SettingsError) as raised:
            settings.parse(stack, config)
        own = {str(problem) for problem in error.problems} if error else set()
        assert own < {str(problem) for problem in raised.value.problems}

    @steady(100)
    @given(spoiled())
    def test_the_json_of_the_engine_is_read_like_the_file(self, case: tuple[str, Config]) -> None:
        stack, config = case
        told = json.loads(json.dumps(config))
        assert str(parse_or_refuse(stack, told)) == str(parse_or_refuse(stack, config))


# ---------------------------------------------------------------- credentials

WEBHOOKS = st.builds(
    "{}hooks.contoso.com/workflows/5f2a{}hunter2".format,
    st.sampled_from(["https://", "http://", "HTTPS://", ""]),
    st.sampled_from(["?sig=", '"?a b&sig=', "?api-version=1\n&sig="]),
)


class TestAMessageNeverTellsACredential:
    """The address of a webhook is one, and messages stand in the logs of pipelines."""

    @steady(100)
    @given(
        st.sampled_from([(stack, place) for stack in STACKS for place in PLACES[stack]]),
        WEBHOOKS.flatmap(lambda url: st.sampled_from([url, [url], {"channel": url}, {"channel": [url]}])),
    )
    def test_wherever_the_address_of_a_webhook_is_put(self, place: tuple[str, str], value: Any) -> None:
        stack, key = place
        with pytest.raises(SettingsError) as raised:
            settings.parse(stack, edited(shipped(stack), {key: value}))
        assert "hunter2" not in str(raised.value)
