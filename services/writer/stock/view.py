"""The progress of a load: a bar on a terminal, a line now and then elsewhere."""

import time
from typing import Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from shared.clock import Clock
from shared.imports.pace import Rate
from shared.terminal.console import Console
from shared.terminal.watch import Lines
from shared.terminal.words import eta, thousands


class View:
    """Shows one phase at a time; `share` gives the ETA where the number of rows is unknown."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[said]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._phase = ""
        self._rows = Rate()
        self._shares = Rate()
        self._lines = Lines(self._console, Clock())

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, phase: str) -> None:
        self._phase = phase
        self._rows, self._shares = Rate(), Rate()
        if self._task is not None:
            self._progress.update(self._task, total=1, completed=1)
        self._task = self._progress.add_task(phase, total=None, said="")
        if not self._console.is_terminal:
            self._lines.show(phase, at_once=True)

    def advance(self, rows: int, share: float | None) -> None:
        """Show the rows of the phase that are done, and their share of all rows."""
        now = time.monotonic()
        self._rows.add(now, rows)
        said = f"{thousands(rows)} rows · {thousands(round(self._rows.per_second))}/s"
        if share is not None:
            parts = 10**9
            self._shares.add(now, round(share * parts))
            left_seconds = self._shares.eta_seconds(round((1 - share) * parts))
            said += f" · {share:.0%} · ETA {eta(left_seconds)}"
        if self._task is not None:
            self._progress.update(
                self._task, total=None if share is None else 1.0, completed=share, said=said
            )
        if not self._console.is_terminal:
            self._lines.show(f"{self._phase}: {said}")

    def say(self, line: str) -> None:
        self._lines.say(line)
