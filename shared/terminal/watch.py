"""Readings shown while they change: a panel on a terminal, a line now and then elsewhere."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rich.console import RenderableType
from rich.live import Live

from shared.clock import Clock
from shared.controls import shown
from shared.terminal.console import Console

LINE_EVERY_SECONDS = 10.0
_Reading = TypeVar("_Reading")


@dataclass
class Lines:
    """Prints at most one line in `every_seconds`, the first one at once."""

    console: Console
    clock: Clock
    every_seconds: float = LINE_EVERY_SECONDS
    _due_seconds: float = -math.inf

    def show(self, line: str, *, at_once: bool = False) -> None:
        if at_once or self.clock.monotonic_seconds() >= self._due_seconds:
            self.say(line)
            self.pause()

    def pause(self) -> None:
        """Print no line for `every_seconds`."""
        self._due_seconds = self.clock.monotonic_seconds() + self.every_seconds

    def say(self, line: str) -> None:
        # INSEE's words, or a person's, are no markup.
        self.console.print(shown(line), soft_wrap=True, highlight=False, markup=False)


def watch(  # noqa: PLR0913  each one is a property of the view
    read: Callable[[], _Reading],
    draw: Callable[[_Reading], RenderableType],
    line: Callable[[_Reading], str],
    until: Callable[[_Reading], bool],
    *,
    clock: Clock,
    console: Console | None = None,
    every_seconds: float = 1.0,
    line_every_seconds: float = LINE_EVERY_SECONDS,
    is_urgent: Callable[[_Reading], bool] = lambda _: False,
    ends_seconds: float = math.inf,
    write: Callable[[_Reading], None] | None = None,
) -> _Reading:
    """Show a reading every `every_seconds`; returns the last one.

    It ends with a reading that satisfies `until`, at the clock's `ends_seconds`, or when the
    process is asked to stop. The last reading and each urgent one are lines at once. `write`
    takes each reading in place of panel and lines, as for JSON.
    """
    console = console or Console(stderr=True)
    lines = Lines(console, clock, line_every_seconds)
    on_terminal = write is None and console.is_terminal
    panel = Live(console=console, auto_refresh=False) if on_terminal else None

    def show(reading: _Reading, *, at_once: bool) -> None:
        if write is not None:
            write(reading)
        elif panel is not None:
            panel.update(draw(reading), refresh=True)
        else:
            lines.show(line(reading), at_once=at_once)

    with panel or contextlib.nullcontext():
        while True:
            begun_seconds = clock.monotonic_seconds()
            reading = read()
            now_seconds = clock.monotonic_seconds()
            is_last = until(reading) or clock.stopping.is_set() or now_seconds >= ends_seconds
            show(reading, at_once=is_last or is_urgent(reading))
            if is_last:
                return reading
            # A server that answers slowly gets a pause, too.
            pause_seconds = max(begun_seconds + every_seconds - now_seconds, every_seconds / 2)
            if clock.wait(min(pause_seconds, ends_seconds - now_seconds)):
                if write is None:
                    show(reading, at_once=True)
                return reading
