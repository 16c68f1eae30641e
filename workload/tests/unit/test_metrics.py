from __future__ import annotations

from prometheus_client import generate_latest

from shop.metrics import BUCKETS, Metrics, is_probe


def test_the_default_objective_is_the_end_of_a_bucket() -> None:
    assert 0.3 in BUCKETS
    assert list(BUCKETS) == sorted(BUCKETS)


def test_no_series_says_when_another_was_made() -> None:
    metrics = Metrics()
    metrics.record(200, 0.1)
    assert b"_created" not in generate_latest(metrics.registry)


def test_two_services_in_one_process_do_not_count_for_each_other() -> None:
    one, other = Metrics(), Metrics()
    one.record(200, 0.1)
    assert other.registry.get_sample_value("http_requests_total", {"code": "200"}) == 0


def test_a_customers_path_is_no_probe() -> None:
    assert is_probe({"path": "/health/ready"})
    assert not is_probe({"path": "/healthy"})
    assert not is_probe({"path": "/products/health/"})
