"""The simulator's errors, a branch of the tree in shared/errors.py.

SimulatorError
├── BadRequestError        INSEE answers 400 with this message
│   ├── QuerySyntaxError
│   ├── ReversedRangeError
│   └── BadParameterError
├── BadChangeError         a test entrance answers 400
└── BadOptionError         the command line ends with one line and status 2
"""

from shared.errors import SirenadeError


class SimulatorError(SirenadeError):
    """Base of every error that the simulator raises on purpose."""


class BadRequestError(SimulatorError):
    """Raised when INSEE would answer 400; the text is the message of its header."""


class QuerySyntaxError(BadRequestError):
    """Raised when `q` cannot be read, or names a field that it may not name there."""

    def __init__(self, query: str) -> None:
        super().__init__(f"Erreur de syntaxe dans le paramètre q={query}")


class ReversedRangeError(BadRequestError):
    """Raised when a range ends before it begins; `low` and `high` as INSEE would print them."""

    def __init__(self, low: str, high: str) -> None:
        super().__init__(f"Erreur de syntaxe, ordre incorrect dans l'intervalle : {low} TO {high}")


class BadParameterError(BadRequestError):
    """Raised when a parameter other than `q` cannot be read; the message names it."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"Erreur de syntaxe dans le paramètre {name}={value}")


class BadChangeError(SimulatorError):
    """Raised when a test entrance is asked for a change that cannot be made."""


class BadOptionError(SimulatorError):
    """Raised when an option cannot be served: an unknown département, a file without records."""
