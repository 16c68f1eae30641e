from __future__ import annotations

from pathlib import Path

import pytest

from shop.settings import Settings, SettingsError, read

DIGEST = "sha256:" + "0" * 64


def test_nothing_has_to_be_said() -> None:
    assert read({}) == Settings()
    assert read({"SHOP_PORT": "", "SHOP_CATALOGUE_URL": "", "SHOP_IMAGE_DIGEST": ""}) == Settings()


def test_everything_can_be_said() -> None:
    said = {
        "SHOP_HOST": "0.0.0.0",
        "SHOP_PORT": "80",
        "SHOP_METRICS_PORT": "81",
        "SHOP_SECRETS_DIRECTORY": "/secrets",
        "SHOP_CATALOGUE_URL": "https://catalogue.example/v1/",
        "SHOP_DRAIN_SECONDS": "2.5",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x",
        "SHOP_COMMIT": "c0ffee",
        "SHOP_IMAGE_DIGEST": DIGEST,
    }
    assert read(said) == Settings(
        host="0.0.0.0",
        port=80,
        metrics_port=81,
        secrets_directory=Path("/secrets"),
        catalogue_url="https://catalogue.example/v1",
        drain_seconds=2.5,
        connection_string="InstrumentationKey=x",
        commit="c0ffee",
        digest=DIGEST,
    )
    assert read(said).secret_file == Path("/secrets/catalogue-api-key")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHOP_PORT", "65536"),
        ("SHOP_PORT", "-1"),
        ("SHOP_PORT", "٨٠"),
        ("SHOP_METRICS_PORT", "metrics"),
        ("SHOP_METRICS_PORT", "8080"),  # the port of the customers
        ("SHOP_SECRETS_DIRECTORY", "secrets"),
        ("SHOP_DRAIN_SECONDS", "-1"),
        ("SHOP_DRAIN_SECONDS", "61"),
        ("SHOP_DRAIN_SECONDS", "nan"),
        ("SHOP_IMAGE_DIGEST", "latest"),
        ("SHOP_IMAGE_DIGEST", DIGEST + "0"),
        ("SHOP_CATALOGUE_URL", "catalogue.example"),
        ("SHOP_CATALOGUE_URL", "http://catalogue.example"),
        ("SHOP_CATALOGUE_URL", "http://localhost.example"),
        ("SHOP_CATALOGUE_URL", "https://"),
        ("SHOP_CATALOGUE_URL", "https://catalogue.example:port"),
        ("SHOP_CATALOGUE_URL", "https://catalogue.example?x=y"),
        ("SHOP_CATALOGUE_URL", "https://[catalogue"),
        ("SHOP_CATALOGUE_URL", "https://catalogue.example/\n"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_allowed(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        read({name: value})
    assert str(error.value).startswith(f"{name} = {value!r}; allowed: ")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        read({"SHOP_PORT": "x", "SHOP_METRICS_PORT": "x", "SHOP_DRAIN_SECONDS": "x"})
    assert len(str(error.value).splitlines()) == 3


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as error:
        read({"SHOP_CATALOGUE_URL": "https://user:password@catalogue.example"})
    assert "password" not in str(error.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8081", "[::1]:8081"])
def test_the_key_may_go_in_the_clear_to_the_loopback_interface_alone(host: str) -> None:
    assert read({"SHOP_CATALOGUE_URL": f"http://{host}"}).catalogue_url == f"http://{host}"


def test_both_ports_may_be_any_that_is_free() -> None:
    assert read({"SHOP_PORT": "0", "SHOP_METRICS_PORT": "0"}).port == 0
