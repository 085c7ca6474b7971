from shared.errors import SirenadeError


class LocalServerError(SirenadeError):
    """Raised when a private server cannot be had; the message is one line that says what to do."""
