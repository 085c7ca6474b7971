"""The panel of a run, drawn from readings made by hand."""

import datetime as dt
import io
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console

from services.reviewer.commands.budget import one_line
from services.reviewer.commands.run_progress import RunReading
from services.reviewer.commands.run_view import RunView, watch_run
from shared.clock import Clock
from shared.money.budget import BudgetState

BUDGET = BudgetState(
    cap_eur=Decimal(50),
    reserved_eur=Decimal("0.02"),
    spent_eur=Decimal(10),
    status="running",
    paused_because=None,
    sample_ids=None,
    changed_at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
)
FIRST = RunReading(budget=BUDGET, pending=1000)


def later(texts: int) -> RunReading:
    """Return a reading: 2 cents a text, one in ten asked again, one in twenty by the template."""
    return replace(
        FIRST,
        budget=replace(BUDGET, spent_eur=Decimal(10) + texts * Decimal("0.02")),
        pending=1000 - texts,
        texts=texts,
        accepted=texts,
        re_asked=texts // 10,
        fallbacks=texts // 20,
        cost_eur=texts * Decimal("0.02"),
    )


def test_rates_shares_and_the_end_follow_from_two_readings() -> None:
    view = RunView("avis", text_eur=Decimal("0.03"))
    assert Decimal(view.tell(FIRST, 0.0)["projected_eur"]) == 40
    told = view.tell(later(100), 60.0)
    assert (told["due"], told["made"]) == (900, 100)
    assert (told["re_asked_share"], told["fallback_share"]) == (0.1, 0.05)
    assert Decimal(told["eur_per_minute"]) == 2
    assert told["eta_seconds"] == pytest.approx(540)
    # The projection uses the cost of this run's texts, no longer the forecast.
    assert Decimal(told["projected_eur"]) == 30


def test_a_server_that_answers_nothing_but_429_is_named_before_anybody_asks() -> None:
    view = RunView("avis", text_eur=None)
    shown = drawn(view, replace(FIRST, throttled={"mistral": 0.0}), 0.0)
    assert "mistral answers nothing but 429 since" in shown


def drawn(view: RunView, reading: RunReading, at_seconds: float) -> str:
    shown = io.StringIO()
    Console(file=shown, width=120).print(view.draw(view.tell(reading, at_seconds)))
    return shown.getvalue()


def test_the_panel_names_money_progress_and_a_pause() -> None:
    view = RunView("avis", text_eur=None)
    assert "projected ?" in drawn(view, FIRST, 0.0)
    shown = drawn(view, later(100), 60.0)
    for words in ("100 / 1", "ETA 00:09:00", "12.00 € / 50.00 €", "2.00 €/min", "10.0", "30.00 €"):
        assert words in shown
    paused = replace(BUDGET, status="paused", paused_because="cap")
    assert "the cap is reached" in drawn(view, replace(FIRST, budget=paused), 61.0)


def test_silence_makes_the_panel_ask_for_a_reviewer() -> None:
    view = RunView("avis", text_eur=None)
    drawn(view, FIRST, 0.0)
    assert "does a reviewer run?" not in drawn(view, FIRST, 29.0)
    assert "does a reviewer run?" in drawn(view, FIRST, 31.0)
    assert "does a reviewer run?" not in drawn(view, later(1), 32.0)


def test_renewals_are_shown_with_their_end_and_no_reviewer_is_missed_while_they_wait() -> None:
    view = RunView("avis", text_eur=None)
    slow = replace(FIRST, renewals=1000, budget=replace(BUDGET, renewals_per_day=100))
    shown = drawn(view, slow, 0.0)
    assert "renewals: 1\N{NO-BREAK SPACE}000 wait, at most 100 a day begin: 10.0 days" in shown
    assert "does a reviewer run?" not in drawn(view, slow, 100.0)
    assert "does a reviewer run?" in drawn(view, replace(slow, renewals=999), 101.0)


def test_a_watch_ends_when_only_held_renewals_are_left() -> None:
    view = RunView("avis", text_eur=None)
    held = replace(FIRST, renewals=1000, budget=replace(BUDGET, renewals_per_day=0))
    assert watch_run(lambda: held, view, clock=Clock(), as_json=True) == 1000


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (replace(BUDGET, cap_eur=None), "without a cap"),
        (replace(BUDGET, reserved_eur=Decimal(40)), "no room for a call"),
        (replace(BUDGET, sample_ids=(1, 2)), "only a sample of 2 texts"),
        (replace(BUDGET, status="paused", paused_because="sample"), "the sample is done"),
        (
            replace(BUDGET, cap_eur=Decimal(0), status="paused", paused_because="cap"),
            "nothing may be spent yet",
        ),
    ],
    ids=["no cap", "full", "sample", "sample done", "before the first cap"],
)
def test_the_budget_is_one_sentence(state: BudgetState, words: str) -> None:
    assert words in one_line(state)
