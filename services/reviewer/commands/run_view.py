"""The panel of `avis run`, its lines where nobody watches, and its JSON lines."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.reviewer.batches.figures import batches_line
from services.reviewer.commands.budget import one_line
from services.reviewer.commands.run_progress import RunReading
from services.reviewer.money.amounts import plain
from shared.clock import Clock
from shared.imports.progress import Rate
from shared.terminal.words import eta, euros, percent, thousands

_REFRESH_SECONDS = 1.0
_LINE_EVERY_TURNS = 10
_MAX_WIDTH = 110
_MICRO = 1_000_000
# After so long without a text somebody should look whether a reviewer runs.
_QUIET_SECONDS = 30.0


class RunView:
    """Keeps the rates between readings. `text_eur` is what a text is expected to cost."""

    def __init__(self, title: str, *, text_eur: Decimal | None, width: int = _MAX_WIDTH) -> None:
        self._title = title
        self._text_eur = text_eur
        self._width = width
        self._texts = Rate()
        self._micro_euros = Rate()
        self._moved_at: float | None = None
        self._last_texts = -1

    def tell(self, reading: RunReading, at_seconds: float) -> dict[str, Any]:
        """One reading as a program takes it: money in strings, null for what is not known yet."""
        self._texts.add(at_seconds, reading.texts)
        self._micro_euros.add(at_seconds, int(reading.budget.spent_eur * _MICRO))
        if reading.texts != self._last_texts:
            self._last_texts, self._moved_at = reading.texts, at_seconds
        assert self._moved_at is not None
        projected = reading.projected_eur(self._text_eur)
        per_minute = round(Decimal(self._micro_euros.per_second) * 60 / _MICRO, 6)
        budget = reading.budget
        return {
            "status": budget.status,
            "paused_because": budget.paused_because,
            "due": reading.pending,
            "made": reading.texts,
            "accepted": reading.accepted,
            "re_asked_share": reading.share(reading.re_asked),
            "fallback_share": reading.share(reading.fallbacks),
            "spent_eur": plain(budget.spent_eur),
            "reserved_eur": plain(budget.reserved_eur),
            "cap_eur": None if budget.cap_eur is None else plain(budget.cap_eur),
            "projected_eur": None if projected is None else plain(round(projected, 4)),
            "eur_per_minute": plain(per_minute),
            "texts_per_second": round(self._texts.per_second, 2),
            "eta_seconds": self._texts.eta_seconds(reading.pending),
            "batches": reading.batched.plain() if reading.batched.some else None,
            "quiet_seconds": round(at_seconds - self._moved_at),
            "line": one_line(budget),
        }

    def draw(self, told: dict[str, Any]) -> RenderableType:
        due, made = told["due"], told["made"]
        bars = Table.grid(padding=(0, 2), expand=True)
        bars.add_column(no_wrap=True)
        bars.add_column(ratio=1)
        bars.add_column(justify="right", no_wrap=True)
        bars.add_row(
            "[bold]texts[/]",
            ProgressBar(total=float(due + made or 1), completed=float(made)),
            f"{thousands(made)} / {thousands(due + made)}  {told['texts_per_second']}/s  "
            f"ETA {eta(told['eta_seconds'])}",
        )
        if told["cap_eur"] is not None and Decimal(told["cap_eur"]):
            spent, cap = Decimal(told["spent_eur"]), Decimal(told["cap_eur"])
            bars.add_row(
                "[bold]money[/]",
                ProgressBar(total=float(cap), completed=float(spent)),
                f"{euros(spent)} / {euros(cap)}",
            )
        lines: list[RenderableType] = [bars, Text(_words(told))]
        if told["batches"]:
            lines.append(Text(batches_line(told["batches"])))
        if told["status"] == "paused":
            lines.append(Text(told["line"], style="bold yellow"))
        elif _is_quiet(told):
            lines.append(Text(_quiet(told), style="yellow"))
        return Panel(
            Group(*lines),
            title=self._title,
            title_align="left",
            border_style="blue",
            width=self._width,
        )


def watch_run(
    read: Callable[[], RunReading],
    *,
    view: RunView,
    until: Callable[[RunReading], bool],
    clock: Clock,
    as_json: bool,
) -> RunReading:
    """Show readings until one satisfies `until`, or the process is asked to stop."""
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        return _print_lines(read, view, until, clock, None if as_json else console)
    reading = read()
    with Live(_drawn(view, reading, clock), console=console, refresh_per_second=4) as live:
        while not until(reading) and not clock.wait(_REFRESH_SECONDS):
            reading = read()
            live.update(_drawn(view, reading, clock))
    return reading


def _drawn(view: RunView, reading: RunReading, clock: Clock) -> RenderableType:
    return view.draw(view.tell(reading, clock.monotonic_seconds()))


def _print_lines(
    read: Callable[[], RunReading],
    view: RunView,
    until: Callable[[RunReading], bool],
    clock: Clock,
    console: Console | None,
) -> RunReading:
    """JSON without a console."""
    turn = 0
    while True:
        reading = read()
        told = view.tell(reading, clock.monotonic_seconds())
        over = until(reading) or clock.stopping.is_set()
        if console is None:
            typer.echo(json.dumps({"event": "progress", **told}))
        elif over or turn % _LINE_EVERY_TURNS == 0:
            console.print(_line(told), soft_wrap=True, highlight=False, markup=False)
        if over or clock.wait(_REFRESH_SECONDS):
            return reading
        turn += 1


def _line(told: dict[str, Any]) -> str:
    last = _quiet(told) if _is_quiet(told) else told["line"]
    if told["batches"]:
        last = f"{batches_line(told['batches'])}; {last}"
    return f"{thousands(told['due'])} due, {thousands(told['made'])} made, {_words(told)}; {last}"


def _is_quiet(told: dict[str, Any]) -> bool:
    """Whether somebody should look; a batch may take a day."""
    long = told["quiet_seconds"] >= _QUIET_SECONDS
    in_batches = told["batches"] is not None and told["batches"]["texts"] > 0
    return bool(long and told["due"] and not in_batches)


def _words(told: dict[str, Any]) -> str:
    projected = told["projected_eur"]
    re_asked = percent(told["re_asked_share"], decimals=1)
    fallback = percent(told["fallback_share"], decimals=1)
    return (
        f"accepted {thousands(told['accepted'])} · re-asked {re_asked} · fallback {fallback} · "
        f"spent {euros(Decimal(told['spent_eur']))} · "
        f"{euros(Decimal(told['eur_per_minute']))}/min · "
        f"projected {'?' if projected is None else euros(Decimal(projected))}"
    )


def _quiet(told: dict[str, Any]) -> str:
    return f"no text for {told['quiet_seconds']} s: does a reviewer run?"
