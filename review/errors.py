"""What keeps a review from being made; the message is whole and says how to mend it."""

from rehearsal.errors import RehearsalError


class ReviewError(RehearsalError):
    """A source that cannot be read or compared."""
