"""Sirenade's errors, a shallow tree. The verdict on a failed message follows from the class.

SirenadeError
├── UserError            a person's mistake: one clear line, exit status 2
├── Rejected             never retried: the message goes to the dead letters
└── SlowDown             not a failure: try again after a delay, no attempt is counted

An actor's message that fails with any other error is retried with a growing delay. Packages refine
the tree: `BrokerError` (broker), `ContractError` (messages), `MappingError` (sirene), and others.
"""


class SirenadeError(Exception):
    """Base of every error that Sirenade raises on purpose."""


class UserError(SirenadeError):
    """Raised when a person must change something; the message says what.

    `problems` are what the message announces; `lines` has all, each for a line of its own.
    """

    def __init__(self, message: str, *problems: str) -> None:
        super().__init__("\n  ".join((message, *problems)))
        self.lines = (message, *problems)


class Rejected(SirenadeError):
    """Raised when trying again cannot help: a broken contract, a request that INSEE refuses."""


class SlowDown(SirenadeError):
    """Raised when the work is sound but its moment is not: a quota, a full queue, a pause.

    `reason` is set where a caller does not treat all of them alike.
    """

    def __init__(
        self, message: str, *, retry_after_seconds: float, reason: str | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.reason = reason

    def anew(self) -> "SlowDown":
        """Return the same without its traceback, which holds the data of all it passed."""
        seconds = self.retry_after_seconds
        return SlowDown(str(self), retry_after_seconds=seconds, reason=self.reason)
