from __future__ import annotations

from pathlib import Path

import pytest

from shop.secret import SecretError, SecretFile


def test_the_line_break_of_an_editor_is_not_part_of_the_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("key\r\n", "utf-8")
    assert SecretFile(tmp_path / "key").read() == "key"


def test_it_is_read_each_time(tmp_path: Path) -> None:
    secret = SecretFile(tmp_path / "key")
    for value in ("first", "second"):
        secret.path.write_text(value, "utf-8")
        assert secret.read() == value


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe", b"one\ntwo", b"one\x00two", "schlüssel".encode()])
def test_what_can_be_no_key_is_refused_without_being_repeated(tmp_path: Path, content: bytes) -> None:
    secret = SecretFile(tmp_path / "key")
    secret.path.write_bytes(content)
    with pytest.raises(SecretError) as error:
        secret.read()
    assert str(error.value).startswith(str(secret.path))
    assert not any(word in str(error.value) for word in ("one", "two", "schl"))


def test_a_missing_file_is_told_without_a_chain_of_exceptions(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="cannot be read: No such file or directory") as error:
        SecretFile(tmp_path / "key").read()
    assert error.value.__suppress_context__
