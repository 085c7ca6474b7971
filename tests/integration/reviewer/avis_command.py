"""`./sirenade avis …` inside the test's process: a new process would import for a second."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from services.reviewer.__main__ import app
from services.reviewer.providers.settings import Provider
from shared.errors import UserError

# A thousand tokens are one euro.
DEAR = {"input_eur_per_million": "1000", "output_eur_per_million": "0"}


def provider_of(**settings: Any) -> Provider:
    return Provider.model_validate(
        {"name": "dear", "base_url": "http://localhost:1", "model": "m", "price": DEAR, **settings}
    )


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str

    @property
    def told(self) -> dict[str, Any]:
        """Return the only JSON object of a call that succeeds."""
        assert self.returncode == 0, self.stderr
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the JSON lines of this name."""
        # A reviewer in the test's process writes its log there, too.
        lines = [line for line in self.stdout.splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, lines) if line["event"] == name]


Call = Callable[..., Done]


def make_call(url: str, monkeypatch: pytest.MonkeyPatch, *, group: str = "avis") -> Call:
    """Handle a UserError as `shared.terminal.cli` does."""

    def call(*arguments: str) -> Done:
        monkeypatch.setenv("SIRENADE_DATABASE_URL", url)
        monkeypatch.setenv("COLUMNS", "140")
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            done = CliRunner().invoke(app, [group, *arguments])
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if done.exception is None or isinstance(done.exception, SystemExit):
            return Done(done.exit_code, done.stdout, done.stderr)
        assert isinstance(done.exception, UserError), done.exception
        return Done(2, done.stdout, f"error: {done.exception}")

    return call
