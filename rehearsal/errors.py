"""What every door shows as a message, without a traceback."""


class RehearsalError(Exception):
    """Something a person can mend; the message is whole and says how."""
