"""The progress of an import and its texts, as people see it in a terminal."""

from collections.abc import Callable
from dataclasses import replace

from rich.console import RenderableType
from rich.text import Text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.clock import Clock
from shared.controls import shown
from shared.days import FRANCE
from shared.db.outages import is_passing, outlast
from shared.imports.pace import Rate
from shared.imports.progress import Progress
from shared.terminal.console import Console
from shared.terminal.panel import add_bar, make_bars, make_panel, panel_width
from shared.terminal.watch import watch
from shared.terminal.words import (
    alarming,
    eta,
    paused_run,
    paused_texts,
    percent,
    thousands,
    throttled_texts,
    waiting_renewals,
)

_AWAY = "the database does not answer: asked again, the work goes on by itself"


class ProgressView:
    """Keeps the rates between readings and draws each reading."""

    def __init__(self, title: str, *, width: int) -> None:
        self._title = title
        self._width = width
        self._rows = Rate()
        self._avis = Rate()

    def draw(self, progress: Progress) -> RenderableType:
        at_seconds = progress.at.timestamp()
        self._rows.add(at_seconds, progress.received)
        self._avis.add(at_seconds, progress.avis_accepted)
        awaited = None if progress.expected is None else progress.expected - progress.paused_rows
        rows = _words(progress.received, progress.expected, self._rows, awaited)
        if progress.days_left is not None and progress.days_left > 1:
            # Today's rate says nothing about a plan that rests each day.
            rows[-1] = f"ETA {thousands(progress.days_left)} days"
        # Texts become due while rows come in: their total is known when the rows are all there.
        avis = _words(progress.avis_accepted, progress.avis_due, self._avis, progress.avis_due)
        bars = make_bars(len(rows))
        add_bar(bars, "rows", progress.received, progress.expected, *rows)
        add_bar(bars, "avis", progress.avis_accepted, progress.avis_due, *avis)
        lines: list[RenderableType] = [bars, _facts(progress)]
        if progress.warning:
            lines.append(Text(shown(progress.warning), style="yellow"))
        lines += [Text(line, style="yellow") for line in _paused_runs(progress)]
        lines += [Text(line, style="bold red") for line in progress.silent]
        if progress.stale_because:
            lines.append(Text(progress.stale_because, style="yellow"))
        if progress.texts_paused is not None:
            lines.append(Text(paused_texts(progress.texts_paused), style="yellow"))
        if progress.throttled:
            lines.append(Text(throttled_texts(progress.throttled), style="yellow"))
        if renewals := _renewals(progress):
            lines.append(Text(renewals))
        if progress.per_day is not None:
            lines.append(Text(_today(progress)))
        if progress.error:
            # INSEE's words are no markup.
            lines.append(Text(shown(progress.error), style="bold red"))
        return make_panel(self._title, *lines, width=self._width)


def _words(done: int, total: int | None, rate: Rate, awaited: int | None) -> list[str]:
    """Return the cells of a bar; the ETA is that of what is awaited, without paused runs."""
    return [
        f"{thousands(done)} / {thousands(total) if total is not None else '?'}",
        f"{thousands(round(rate.per_second))}/s",
        # Padded, so that the columns keep their places while the time changes.
        f"ETA {eta(rate.eta_seconds(max(0, awaited - done)) if awaited else None):<8}",
    ]


def _facts(progress: Progress) -> RenderableType:
    quota = f"{progress.quota_per_minute:g}" if progress.quota_per_minute else "?"
    batches = progress.pending + progress.running + progress.complete + progress.batches_failed
    failed = (
        f" · [bold red]batches failed: {progress.batches_failed}[/]"
        if progress.batches_failed
        else ""
    )
    return Text.from_markup(
        f"requests [bold]{thousands(progress.requests_last_minute)}[/] of {quota} in the last 60 s"
        f" · {thousands(progress.requests)} in all · {alarming('429', progress.http_429)}\n"
        f"batches {thousands(progress.complete)} of {thousands(batches)}{failed}"
        f" · {alarming('failed items', progress.failed_items)}"
        f"\nslot use {percent(progress.slot_use)} · page fill {percent(progress.page_fill)}"
        f"{_freshness(progress, ' · ')}"
    )


def _freshness(progress: Progress, separator: str) -> str:
    if progress.treated_until is None or progress.age_seconds is None:
        return ""
    hours = thousands(round(progress.age_seconds / 3600))
    return f"{separator}as of {progress.treated_until:%Y-%m-%d %H:%M}, {hours} h ago"


def _today(progress: Progress) -> str:
    """Say the day's share, the moment when it goes on, and the days that are left."""
    told = f"today {thousands(progress.rows_today)} of {thousands(progress.per_day or 0)} rows"
    if progress.resting_until is not None:
        goes_on = progress.resting_until.astimezone(FRANCE)
        told += f" · goes on {goes_on:%d/%m %H:%M:%S}"
    if progress.days_left is not None:
        told += f" · days left: {thousands(progress.days_left)}"
    return told


def _paused_runs(progress: Progress) -> list[str]:
    """Say the newest of the paused runs, shown as signs."""
    said = [
        shown(paused_run(each["run_id"], each["by"], each["because"], float(each["at"])))
        for each in progress.paused[-3:]
    ]
    more = len(progress.paused) - len(said)
    return [*said, *([f"{more} more runs are paused: ./sirenade runs list"] if more else [])]


def _renewals(progress: Progress) -> str | None:
    number, per_day = progress.renewals_at_a_rate, progress.renewals_per_day
    return None if not number or per_day is None else waiting_renewals(number, per_day)


def watch_progress(
    read: Callable[[], Progress], *, title: str, until: Callable[[Progress], bool], clock: Clock
) -> Progress:
    """Show readings until one satisfies `until`, or the process is asked to stop.

    While the database is away the last reading stays, and says so.
    """
    console = Console(stderr=True)
    view = ProgressView(title, width=panel_width(console))
    last: list[Progress] = []

    def read_or_keep() -> Progress:
        try:
            last[:] = [read() if last else outlast(read, clock)]
        except (DBAPIError, PoolTimeoutError) as error:
            if not is_passing(error):
                raise
            return replace(last[0], warning=_AWAY)
        return last[0]

    return watch(read_or_keep, view.draw, one_line, until, clock=clock, console=console)


def one_line(progress: Progress) -> str:
    """Say a reading in one line, for a log that people read."""
    return (
        f"{thousands(progress.received)} of "
        f"{'?' if progress.expected is None else thousands(progress.expected)} rows, "
        f"{thousands(progress.requests)} requests, {progress.http_429} × 429, "
        f"avis {thousands(progress.avis_accepted)} of {thousands(progress.avis_due)}, "
        f"failed items {thousands(progress.failed_items)}"
        f"{_freshness(progress, ', ')}{f' ({progress.warning})' if progress.warning else ''}"
        f"{f', {progress.stale_because}' if progress.stale_because else ''}"
        f"{f', {_today(progress)}' if progress.per_day is not None else ''}"
        f"{''.join(f', {line}' for line in (*_paused_runs(progress), *progress.silent))}"
        f"{f', {paused_texts(progress.texts_paused)}' if progress.texts_paused else ''}"
        f"{f', {throttled_texts(progress.throttled)}' if progress.throttled else ''}"
        f"{f', {renewals}' if (renewals := _renewals(progress)) else ''}"
        f"{f', {progress.error}' if progress.error else ''}"
    )
