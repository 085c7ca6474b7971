"""What somebody should look at, told from one reading where no Prometheus raises alerts. Pure.

A few of the alerts of deploy/prometheus, by their names: those that need no history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.operator.monitoring.readings import Reading
from shared.days import FRANCE
from shared.terminal.words import thousands

_STILL_SECONDS = 300.0
# A day's treatments are published in the next morning. INSEE treats nothing on Sundays: until
# Tuesday's delta the last treatment may be Friday's.
_FRESH_HOURS = 36
_MORE_HOURS_BY_WEEKDAY = {6: 24, 0: 48, 1: 48}


@dataclass(frozen=True)
class Alert:
    name: str
    severity: str
    summary: str


def alerts_of(reading: Reading, *, dead_in_queues: int, still_seconds: float) -> list[Alert]:
    """`still_seconds`: for how long no row has been seen to come."""
    return [
        *_standing_still(reading, still_seconds),
        *_failures(reading, dead_in_queues),
        *_truth(reading.totals, reading.progress.at),
    ]


def _standing_still(reading: Reading, still_seconds: float) -> Iterator[Alert]:
    name, totals, quiet_seconds = (
        "SirenadeImportStalled",
        reading.totals,
        reading.last_request_seconds,
    )
    pages = totals["sirenade_import_waiting_pages"]
    held_back = bool(totals["sirenade_quota_pause_seconds"])
    if reading.unplanned_runs:
        yield Alert(name, "critical", "An import waits to be planned: does a fetcher run?")
    elif pages and not held_back and quiet_seconds is not None and quiet_seconds > _STILL_SECONDS:
        yield Alert(
            name,
            "critical",
            f"{thousands(pages)} pages wait, and the last request left {_minutes(quiet_seconds)} "
            "ago: do a fetcher and a writer run?",
        )
    elif totals["sirenade_import_left_today_rows"] and still_seconds > _STILL_SECONDS:
        summary = f"An import is open, and no row has come for {_minutes(still_seconds)}."
        yield Alert(name, "critical", summary)
    if reading.http_429_15_minutes:
        yield Alert(
            "SirenadeThrottled",
            "warning",
            f"INSEE answered 429 in the last 15 minutes: {reading.http_429_15_minutes} times.",
        )


def _failures(reading: Reading, dead_in_queues: int) -> Iterator[Alert]:
    if failed := sum(reading.failed_items.values()):
        summary = f"{thousands(failed)} failed items are open: ./sirenade failed list"
        yield Alert("SirenadeFailedItems", "warning", summary)
    if dead := reading.totals["sirenade_dead_letters_waiting"] + dead_in_queues:
        summary = f"{thousands(dead)} dead letters wait: ./sirenade dead-letters list"
        yield Alert("SirenadeDeadLetters", "warning", summary)
    if (reading.totals["sirenade_budget_paused"] or {}).get("cap"):
        summary = "The budget for texts is reached, and no text is begun."
        yield Alert("SirenadeBudgetReached", "critical", summary)


def _truth(totals: Any, at: datetime) -> Iterator[Alert]:
    for side, count in totals["sirenade_certificate_gap_establishments"].items():
        if count:
            summary = f"{thousands(count)} establishments are {side}, by the latest certificates."
            yield Alert("SirenadeCertificateGap", "critical", summary)
    weekday = at.astimezone(FRANCE).weekday()
    fresh_hours = _FRESH_HOURS + _MORE_HOURS_BY_WEEKDAY.get(weekday, 0)
    for collection, age_seconds in (totals["sirenade_freshness_age_seconds"] or {}).items():
        if age_seconds > fresh_hours * 3600:
            summary = f"The {collection} are {age_seconds / 3600:.0f} h behind INSEE."
            yield Alert("SirenadeNotFresh", "warning", summary)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"
