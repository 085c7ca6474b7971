"""Alerts that one reading justifies."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from services.operator.monitoring.readings import Reading
from shared.alerts import faults_in
from tests.unit.operator.monitoring.made_readings import TOTALS, after

HOUR = 3600


def names(reading: Reading, *, dead: int = 0, still_seconds: float = 0) -> list[str]:
    facts = reading.facts(dead_in_queues=dead, still_seconds=still_seconds)
    return [alert.name.removeprefix("Sirenade") for alert in faults_in(facts)]


def with_totals(**changes: Any) -> Reading:
    named = {f"sirenade_{name}": value for name, value in changes.items()}
    return after(10, rows=1000, totals={**TOTALS, **named})


def held_for(hours: float) -> Reading:
    reading = after(10, rows=1, held_texts=3)
    since_seconds = reading.progress.at.timestamp() - hours * HOUR
    return replace(reading, held_since_seconds=since_seconds)


def swept_before(hours: float) -> Reading:
    reading = after(10, rows=1)
    return replace(reading, swept_at_seconds=reading.progress.at.timestamp() - hours * HOUR)


def throttled_for(minutes: float) -> Reading:
    reading = after(10, rows=1)
    since_seconds = reading.progress.at.timestamp() - minutes * 60
    return replace(reading, progress=replace(reading.progress, throttled={"m": since_seconds}))


def test_a_server_may_answer_429_for_minutes() -> None:
    assert names(throttled_for(minutes=14)) == []


def test_a_run_that_is_well_raises_nothing() -> None:
    assert names(after(10, rows=1000)) == []


def test_a_text_may_wait_for_a_person_over_a_weekend() -> None:
    assert names(held_for(71)) == []


def test_a_sweep_of_the_whole_register_may_take_days() -> None:
    assert names(swept_before(71)) == []


@pytest.mark.parametrize(
    ("reading", "name"),
    [
        (after(10, rows=1, failed_items={"write": 0, "review": 1}), "FailedItems"),
        (after(10, rows=1, http_429_15_minutes=2), "Throttled"),
        (after(10, rows=1, unplanned_runs=1), "ImportStalled"),
        (after(10, rows=1, last_request_seconds=301.0), "ImportStalled"),
        (with_totals(dead_letters_waiting=1), "DeadLetters"),
        (
            with_totals(certificate_gap_establishments={"missing": 3, "surplus": 0}),
            "CertificateGap",
        ),
        (with_totals(unknown_codes={"activite_principale": 2}), "UnknownCodes"),
        (after(10, rows=1, turns_overdue=3), "TurnsOverdue"),
        (held_for(73), "TextsHeld"),
        (swept_before(73), "SweepLate"),
        (with_totals(freshness_age_seconds={"etablissements": 37 * HOUR}), "NotFresh"),
        (with_totals(budget_paused={"cap": 1}), "BudgetReached"),
        (throttled_for(minutes=16), "ProviderThrottled"),
    ],
)
def test_each_condition_is_an_alert_by_its_name(reading: Reading, name: str) -> None:
    assert names(reading) == [name]


def test_a_dead_letter_in_a_queue_counts_before_it_is_archived() -> None:
    assert names(after(10, rows=1000), dead=1) == ["DeadLetters"]


def test_a_pause_of_the_quota_is_no_standstill() -> None:
    paused = with_totals(quota_pause_seconds=50)
    assert names(replace(paused, last_request_seconds=400.0)) == []


def test_an_import_that_has_had_its_share_of_the_day_may_stand_still() -> None:
    resting = with_totals(import_left_today_rows=0, import_waiting_pages=0)
    assert names(replace(resting, last_request_seconds=9000.0), still_seconds=9000) == []


@pytest.mark.parametrize(("day", "alerts"), [(4, []), (5, []), (6, []), (7, ["NotFresh"])])
def test_after_a_weekend_the_register_may_be_older(day: int, alerts: list[str]) -> None:
    """The allowance is for Sunday to Tuesday; the 7th is a Wednesday."""
    reading = with_totals(freshness_age_seconds={"unites_legales": 59 * HOUR})
    at = dt.datetime(2026, 1, day, 12, tzinfo=dt.UTC)
    assert names(replace(reading, progress=replace(reading.progress, at=at))) == alerts


def test_before_the_first_watermark_nothing_is_known_of_freshness() -> None:
    assert names(with_totals(freshness_age_seconds=None, budget_paused=None)) == []
