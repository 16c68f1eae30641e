"""The key of the catalogue service, as the secrets driver mounts it.

The file is read each time the key is needed. The driver replaces it when the secret is rotated in the vault, and a few
bytes from memory-backed storage cost less than any rule about when to forget what was read. The key is never logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class SecretError(Exception):
    """The key cannot be read; says why, and not what was read."""


@dataclass(frozen=True)
class SecretFile:
    path: Path

    def read(self) -> str:
        try:
            key = self.path.read_text("utf-8").strip()
        except OSError as error:
            raise SecretError(f"{self.path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SecretError(f"{self.path} is not text") from None
        if not key:
            raise SecretError(f"{self.path} is empty")
        # It becomes a header: a line break in it would be one more header.
        if not (key.isascii() and key.isprintable()):
            raise SecretError(f"{self.path} holds characters that no header can carry")
        return key
