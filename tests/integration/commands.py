"""A service's command line as `./sirenade` would run it, within this process."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest
import typer

from shared.terminal.cli import run


class Answer(NamedTuple):
    status: int
    out: str
    err: str


Sirenade = Callable[..., Answer]


def sirenade_of(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    """Runs one command of the app with the settings that the environment has by then."""
    monkeypatch.setenv("COLUMNS", "240")

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["sirenade", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run(app, name="sirenade")
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int | None)
        return Answer(ended.value.code or 0, captured.out, captured.err)

    return call
