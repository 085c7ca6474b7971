"""The error of the private servers, a branch of the tree in shared/errors.py."""

from shared.errors import UserError


class LocalServerError(UserError):
    """Raised when a private server cannot be had; the message is one line that says what to do."""
