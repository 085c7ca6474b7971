"""Readings made by hand: an import in its middle, of which a test changes what it is about."""

import datetime as dt
from dataclasses import replace
from typing import Any

from services.operator.monitoring.outside import Memory
from services.operator.monitoring.queues import Queue, Queues
from services.operator.monitoring.readings import Reading
from services.operator.monitoring.recorder import Outside, Recorder
from services.operator.monitoring.snapshot import Snapshot
from tests.unit.shared.terminal.test_progress_view import NOTHING_YET

BEGUN = dt.datetime(2026, 1, 7, 12, tzinfo=dt.UTC)  # a Wednesday
MIB = 1 << 20
TOTALS: dict[str, Any] = {
    "sirenade_quota_limit_requests": 30,
    "sirenade_quota_used_requests": 28,
    "sirenade_quota_share_ratio": 1,
    "sirenade_quota_pause_seconds": 0,
    "sirenade_import_waiting_pages": 1,
    "sirenade_import_left_today_rows": 8000,
    "sirenade_dead_letters_waiting": 0,
    "sirenade_budget_cap_euros": 50.0,
    "sirenade_budget_spent_euros": 12.5,
    "sirenade_budget_reserved_euros": 0.25,
    "sirenade_budget_paused": {"cap": 0, "asked": 0, "sample": 0},
    "sirenade_certificate_gap_establishments": {"missing": 0, "surplus": 0, "altered": 0},
    "sirenade_unknown_codes": {"activite_principale": 0},
    "sirenade_freshness_age_seconds": {"etablissements": 20 * 3600},
}
QUEUES = Queues(
    (
        Queue("sirene.fetch.v1", 0, 1, 1, 0, 2),
        Queue("sirene.write.v1", 12, 2, 0, 0, 1),
        Queue("sirene.review.v1", 1234, 20, 0, 0, 12),
    )
)
OUTSIDE = Outside(
    QUEUES,
    [
        Memory("fetcher", "11", 98 * MIB),
        Memory("reviewer", "12", 120 * MIB),
        Memory("reviewer", "13", 131 * MIB),
    ],
    None,
)


def after(seconds: float, *, rows: int, texts: int = 0, **changes: Any) -> Reading:
    progress = replace(
        NOTHING_YET,
        at=BEGUN + dt.timedelta(seconds=seconds),
        running=1,
        expected=35_000,
        received=rows,
        requests=rows // 1000,
        requests_last_minute=28,
        quota_per_minute=30,
        avis={"pending": 9460 - texts, "accepted": texts, "rejected": 0},
    )
    reading = Reading(
        progress=progress,
        totals=TOTALS,
        failed_items={"write": 0, "review": 0},
        rejections={"near_duplicate": 18, "bad_number": 3},
        rows_15_minutes=rows,
        http_429_15_minutes=0,
        recent_seconds=seconds or None,
        rows_of_run=rows,
        run_seconds=seconds or None,
        last_request_seconds=1.0,
        unplanned_runs=0,
    )
    return replace(reading, **changes)


def made_snapshot(outside: Outside = OUTSIDE, **changes: Any) -> Snapshot:
    """Record fifty seconds with a thousand rows in 2 s; the changes are in the last reading."""
    recorder = Recorder()
    for second in range(0, 50, 2):
        recorder.record(after(second, rows=500 * second, texts=100 * second), outside)
    return recorder.record(after(50, rows=25_000, texts=5000, **changes), outside)
