"""The progress of an import and its texts, as people see it in a terminal."""

import time
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table

from shared.clock import Clock
from shared.progress import Progress, Rate

_REFRESH_SECONDS = 1.0


class ProgressView:
    """Keeps the rates between readings and draws each reading."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._rows = Rate()
        self._avis = Rate()

    def draw(self, progress: Progress) -> RenderableType:
        at_seconds = progress.at.timestamp()
        self._rows.add(at_seconds, progress.received)
        self._avis.add(at_seconds, progress.avis_accepted)
        bars = Table.grid(padding=(0, 2))
        bars.add_row(
            *self._line("establishments", progress.received, progress.expected, self._rows)
        )
        bars.add_row(*self._line("avis", progress.avis_accepted, progress.avis_due, self._avis))
        lines: list[RenderableType] = [bars, _facts(progress)]
        if progress.error:
            lines.append(f"[bold red]{progress.error}[/]")
        return Panel(Group(*lines), title=self._title, title_align="left", border_style="blue")

    def _line(self, name: str, done: int, total: int | None, rate: Rate) -> list[RenderableType]:
        left = (total or 0) - done
        eta = "waiting for the first page" if total is None else f"ETA {_eta(rate, left)}"
        return [
            f"[bold]{name}[/]",
            ProgressBar(total=float(total or 1), completed=float(done), width=28),
            f"{done:,} / {total:,}".replace(",", " ") if total is not None else f"{done}",
            f"{rate.per_second:,.0f}/s",
            eta,
        ]


def _facts(progress: Progress) -> RenderableType:
    quota = f"{progress.quota_per_minute:g}" if progress.quota_per_minute else "?"
    grid = Table.grid(padding=(0, 3))
    grid.add_row(
        f"quota [bold]{progress.requests_last_minute}[/]/{quota} in the last 60 s",
        f"requests {progress.requests}",
        _alarming("429s", progress.http_429),
        f"batches {progress.complete}/{progress.pending + progress.running + progress.complete}",
        _alarming("failed items", progress.failed_items),
        f"avis to do {progress.avis_pending:,}".replace(",", " "),
    )
    return grid


def _alarming(name: str, count: int) -> str:
    return f"[bold red]{name} {count}[/]" if count else f"[green]{name} 0[/]"


def _eta(rate: Rate, left: int) -> str:
    seconds = rate.eta_seconds(left)
    if seconds is None:
        return "unknown"
    return time.strftime("%H:%M:%S", time.gmtime(seconds)) if seconds < 86_400 else "over a day"  # noqa: PLR2004  # seconds of a day


def watch(
    read: Callable[[], Progress], *, title: str, until: Callable[[Progress], bool], clock: Clock
) -> Progress:
    """Show readings until one satisfies `until`, or the process is asked to stop.

    Where nobody watches (no terminal), a line every ten readings takes the panel's place.
    """
    console = Console(stderr=True)
    view = ProgressView(title)
    progress = read()
    if not console.is_terminal:
        turn = 0
        while not until(progress) and not clock.wait(_REFRESH_SECONDS):
            view.draw(progress)
            if turn % 10 == 0:
                console.print(one_line(progress), soft_wrap=True, highlight=False)
            turn += 1
            progress = read()
        console.print(one_line(progress), soft_wrap=True, highlight=False)
        return progress
    with Live(view.draw(progress), console=console, refresh_per_second=4) as live:
        while not until(progress) and not clock.wait(_REFRESH_SECONDS):
            progress = read()
            live.update(view.draw(progress))
    return progress


def one_line(progress: Progress) -> str:
    """Say a reading in one line, for a log that people read."""
    return (
        f"{progress.received} of {progress.expected if progress.expected is not None else '?'} "
        f"establishments, {progress.requests} requests, {progress.http_429} × 429, "
        f"avis {progress.avis_accepted} of {progress.avis_due}, "
        f"failed items {progress.failed_items}"
    )
