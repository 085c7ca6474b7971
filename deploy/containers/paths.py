"""The paths of the containers' settings and secrets."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class SetupError(Exception):
    """Raised when a person must change something; the message says what.

    It is no SirenadeError: this package runs before anything is installed.
    """


@dataclass(frozen=True)
class Places:
    """The paths in one folder: the project's, or a test's."""

    root: Path = ROOT

    @property
    def settings(self) -> Path:
        return self.root / ".env"

    @property
    def secrets(self) -> Path:
        return self.root / ".secrets"

    def secret(self, name: str) -> Path:
        return self.secrets / name
