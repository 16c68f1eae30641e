"""The checks of this door."""

from typing import Final

from operations.checking import Register

VERIFY: Final = Register()
