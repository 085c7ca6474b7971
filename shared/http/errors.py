"""The errors of an exchange over HTTP. No message holds an address, a key or an answer.

HttpError
├── Unsendable   the address or a header cannot be sent, or a secret would go in clear
├── Unreachable  no name, no connection
├── Untrusted    no certificate that is trusted
├── Forbidden    a redirect leads where none may lead
├── TooLate      not all of the answer came in time
├── TooLong      more came than may come
└── Broken       the connection broke off, or what came is no HTTP
"""

from shared.errors import SirenadeError


class HttpError(SirenadeError):
    """Base of all ends of an exchange without a whole answer; `sent`: the server may have acted."""

    sent = False


class Unsendable(HttpError):
    """Raised when a request cannot be sent, or must not be."""


class Unreachable(HttpError):
    """Raised when no connection comes about."""


class Untrusted(HttpError):
    """Raised when no secure connection comes about."""


class Forbidden(HttpError):
    """Raised when a redirect leads where it must not be followed."""


class TooLate(HttpError):
    """Raised at the deadline of the exchange."""


class TooLong(HttpError):
    """Raised when an answer has more bytes than its bound."""


class Broken(HttpError):
    """Raised when an answer ends early or is no HTTP."""
