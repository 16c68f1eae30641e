"""The secret as the driver mounts it: there late, rotated, wrong, unreadable."""

from __future__ import annotations

from pathlib import Path

from integration.processes import CatalogueService, shop

NAME = "catalogue-api-key"


def rotate(directory: Path, value: str) -> None:
    """As the driver does it: a new directory, and a link that is exchanged in one step."""
    data = directory / f"..{value}"
    data.mkdir()
    (data / NAME).write_text(value, "utf-8")
    (directory / "..new").symlink_to(data.name)
    (directory / "..new").rename(directory / "..data")
    if not (directory / NAME).is_symlink():
        (directory / NAME).symlink_to(f"..data/{NAME}")


def test_a_rotated_key_is_used_without_a_restart(tmp_path: Path, catalogue: CatalogueService) -> None:
    rotate(tmp_path, "first")
    catalogue.key_file.write_text("first", "utf-8")
    with shop(tmp_path, SHOP_CATALOGUE_URL=catalogue.url) as service:
        assert service.get("/products").status == 200
        catalogue.key_file.write_text("second", "utf-8")
        refused = service.get("/products")
        assert refused.status == 502
        rotate(tmp_path, "second")
        assert service.get("/products").status == 200
        assert "it answered 401" in service.running.output


def test_without_the_secret_it_lives_but_is_not_ready(tmp_path: Path) -> None:
    with shop(tmp_path) as service:
        answer = service.get("/health/ready")
        assert answer.status == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert f"{NAME} cannot be read: No such file" in answer.json()["detail"]
        assert service.get("/health/live").status == 200
        rotate(tmp_path, "there-at-last")
        assert service.get("/health/ready").status == 200


def test_the_catalogue_inside_wants_the_key_too(tmp_path: Path) -> None:
    with shop(tmp_path) as service:
        assert service.get("/products").status == 503
        assert service.order("teapot").status == 503
        (tmp_path / NAME).write_text("any", "utf-8")
        assert service.order("teapot").status == 201


def test_a_secret_that_cannot_be_used_makes_it_not_ready(tmp_path: Path) -> None:
    with shop(tmp_path) as service:
        for content, reason in (
            (b"", "is empty"),
            (b" \n", "is empty"),
            (b"\xff", "is not text"),
            (b"a\r\nb", "no header"),
        ):
            (tmp_path / NAME).write_bytes(content)
            assert reason in service.get("/health/ready").json()["detail"]
        (tmp_path / NAME).unlink()
        (tmp_path / NAME).mkdir()
        assert "cannot be read" in service.get("/health/ready").json()["detail"]
