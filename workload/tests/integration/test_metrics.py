"""What Prometheus reads, after requests that were really made."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from integration.processes import Service, shop
from shop.metrics import BUCKETS


def samples(service: Service) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(service.metrics()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_a_workload_nobody_has_asked_yet_is_quiet_and_not_missing(secrets: Path) -> None:
    with shop(secrets) as service:
        assert samples(service)["http_requests_total"] == {(("code", "200"),): 0}
        assert samples(service)["http_request_duration_seconds_count"] == {(): 0}


def test_every_request_is_counted_by_its_status_and_timed_but_no_probe(secrets: Path) -> None:
    with shop(secrets) as service:
        for path in ("/products", "/products", "/version", "/products/none", "/no-such-route"):
            service.get(path)
        service.order("teapot")
        service.order("teapot", 0)
        service.http.request("POST", service.url + "/orders", body=b"x" * 20_000)
        for path in ("/health/live", "/health/ready", "/health/ready"):
            service.get(path)
        (secrets / "catalogue-api-key").rename(secrets / "away")
        try:
            assert service.get("/products").status == 503
            assert service.get("/health/ready").status == 503
        finally:
            (secrets / "away").rename(secrets / "catalogue-api-key")
        found = samples(service)
    codes = {dict(labels)["code"]: count for labels, count in found["http_requests_total"].items()}
    assert codes == {"200": 3, "201": 1, "404": 2, "413": 1, "422": 1, "503": 1}
    assert found["http_request_duration_seconds_count"] == {(): 9}


def test_no_other_metric_and_no_other_label_is_exported(service: Service) -> None:
    service.get("/products")
    names = {name: {label for labels in series for label, _ in labels} for name, series in samples(service).items()}
    assert names == {
        "http_requests_total": {"code"},
        "http_request_duration_seconds_bucket": {"le"},
        "http_request_duration_seconds_count": set(),
        "http_request_duration_seconds_sum": set(),
    }


def test_a_slow_request_falls_into_the_bucket_of_its_time(service: Service) -> None:
    before = samples(service)["http_request_duration_seconds_bucket"]
    assert service.get("/products/busy").status == 200  # it takes a second
    after = samples(service)["http_request_duration_seconds_bucket"]
    grown = {float(labels[0][1]) for labels in after if after[labels] > before[labels]}
    assert grown
    assert min(grown) > 1
    assert grown == {*(end for end in BUCKETS if end >= min(grown)), float("inf")}
