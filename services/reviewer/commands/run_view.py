"""The view of `avis run`: a panel, plain lines without a terminal, or JSON lines."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from services.reviewer.batches.figures import batches_line
from services.reviewer.commands.budget import one_line
from services.reviewer.commands.renewals import renewals_line
from services.reviewer.commands.run_progress import RunReading
from shared.clock import Clock
from shared.imports.pace import Rate
from shared.money.amounts import plain
from shared.terminal.cli import print_json
from shared.terminal.panel import add_bar, make_bars, make_panel
from shared.terminal.watch import watch
from shared.terminal.words import eta, euros, percent, thousands, throttled_texts

_MICRO = 1_000_000
# After this time without a text, a person should look whether a reviewer runs.
_QUIET_SECONDS = 30.0


class RunView:
    """Keeps the rates between readings. `text_eur` is the forecast cost of a text."""

    def __init__(self, title: str, *, text_eur: Decimal | None) -> None:
        self._title = title
        self._text_eur = text_eur
        self._texts = Rate()
        self._micro_euros = Rate()
        self._moved_at: float | None = None
        self._last_texts = -1

    def tell(self, reading: RunReading, at_seconds: float) -> dict[str, Any]:
        """Describe a reading for a program: money as strings, null for unknown values."""
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
            "batches": reading.batched.as_dict(),
            "renewals": {**reading.pace.as_dict(), "line": renewals_line(reading.pace)},
            "quiet_seconds": round(at_seconds - self._moved_at),
            "throttled": dict(reading.throttled),
            "line": one_line(budget),
        }

    def draw(self, told: dict[str, Any]) -> RenderableType:
        due, made = told["due"], told["made"]
        bars = make_bars(1)
        pace = f"{told['texts_per_second']}/s  ETA {eta(told['eta_seconds'])}"
        words = f"{thousands(made)} / {thousands(due + made)}  {pace}"
        add_bar(bars, "texts", made, due + made, words)
        if told["cap_eur"] is not None and Decimal(told["cap_eur"]):
            spent, cap = Decimal(told["spent_eur"]), Decimal(told["cap_eur"])
            add_bar(bars, "money", float(spent), float(cap), f"{euros(spent)} / {euros(cap)}")
        lines: list[RenderableType] = [bars, Text(_words(told))]
        if told["batches"]:
            lines.append(Text(batches_line(told["batches"])))
        if told["renewals"]["waiting"]:
            lines.append(Text(told["renewals"]["line"]))
        if told["status"] == "paused":
            lines.append(Text(told["line"], style="bold yellow"))
        elif quiet := _quiet(told):
            lines.append(Text(quiet, style="yellow"))
        return make_panel(self._title, *lines)


def watch_run(read: Callable[[], RunReading], view: RunView, *, clock: Clock, as_json: bool) -> int:
    """Show readings until all texts are made, the run is paused or the process is asked to stop.

    Held renewals are not waited for.
    Return the number of texts that are due then.
    """

    def write(told: dict[str, Any]) -> None:
        print_json({"event": "progress", **told})

    last = watch(
        lambda: view.tell(read(), clock.monotonic_seconds()),
        view.draw,
        _line,
        lambda told: told["due"] == _held(told) or told["status"] == "paused",
        clock=clock,
        write=write if as_json else None,
    )
    return int(last["due"])


def _line(told: dict[str, Any]) -> str:
    last = _quiet(told) or told["line"]
    if told["batches"]:
        last = f"{batches_line(told['batches'])}; {last}"
    if told["renewals"]["waiting"]:
        last = f"{told['renewals']['line']}; {last}"
    return f"{thousands(told['due'])} due, {thousands(told['made'])} made, {_words(told)}; {last}"


def _held(told: dict[str, Any]) -> int:
    renewals: dict[str, int] = told["renewals"]
    return renewals["waiting"] if renewals["per_day"] == 0 else 0


def _quiet(told: dict[str, Any]) -> str | None:
    """Return why no text comes, or ask; a batch may take a day, and so a slow rate."""
    if told["throttled"] and told["due"]:
        return throttled_texts(told["throttled"])
    in_batches = told["batches"] is not None and told["batches"]["texts"] > 0
    renewals = told["renewals"]
    only_renewals = renewals["per_day"] is not None and renewals["waiting"] == told["due"]
    if told["quiet_seconds"] < _QUIET_SECONDS or not told["due"] or in_batches or only_renewals:
        return None
    return f"no text for {told['quiet_seconds']} s: does a reviewer run?"


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
