"""The progress of imports, read from PostgreSQL: counters of processes do not last."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from shared.days import FRANCE
from shared.db.days import day_end, day_start
from shared.db.leases.heartbeats import find_silent
from shared.imports.watermarks import UNMEASURED_SINCE, unmeasured_words

# The most that INSEE gives in one answer.
MAX_ROWS_PER_REQUEST = 1000

# The part of the progress that each shard has.
_OF_A_SHARD = """
      (SELECT count(*) FROM failed_items WHERE resolved_at IS NULL) AS failed_items,
      (SELECT count(*) FROM avis WHERE outcome = 'pending' AND renewal_rank IS NOT NULL)
        AS renewals,
      (SELECT coalesce(jsonb_object_agg(outcome, n), '{}') FROM
        (SELECT outcome, count(*) AS n FROM avis GROUP BY outcome) o) AS avis"""
RUNS_BY_STATUS = ", ".join(
    f"count(*) FILTER (WHERE status = '{each}') AS {each}"
    for each in ("pending", "running", "complete", "failed", "cancelled")
)
"""Columns of a SELECT from import_runs, or from import_batches, which have the same."""

_ROWS = ", ".join(
    f"coalesce(sum({each}), 0)::bigint AS {each}"
    for each in ("received", "inserted", "updated", "unchanged")
)
BATCH_TOTALS = f"""{RUNS_BY_STATUS}, {_ROWS},
              coalesce(sum(import_batches.failed), 0)::bigint AS failed_rows"""
"""Columns of a SELECT from import_batches."""

THROTTLED = """(SELECT coalesce(jsonb_object_agg(name, extract(epoch FROM throttled_since)), '{}')
        FROM review_providers WHERE listed
          AND throttled_since < clock_timestamp() - interval '5 minutes'
          AND paused_until > clock_timestamp() - interval '15 minutes')"""
"""The providers that answer nothing but 429, and since when: a pause lasts 15 minutes at most."""

# The condition of a paused run.
_PAUSED = "halted_at IS NOT NULL AND status IN ('pending', 'running')"
# One query, over per-batch rows for the import: it costs the same at any number of rows.
_SNAPSHOT = text(f"""
    SELECT clock_timestamp() AS at,
      r.started_at, r.open AS runs_open, r.error, r.per_day, r.resting_until,
      r.day_ends_at, r.day_seconds,
      (SELECT coalesce(sum(p.records), 0)::bigint
       FROM import_runs r JOIN import_batches b ON b.run_id = r.id
         JOIN import_pages p ON p.batch_id = b.id
       WHERE r.per_day IS NOT NULL AND r.status IN ('pending', 'running')
         AND r.halted_at IS NULL AND (:run_id IS NULL OR r.id = :run_id)
         AND p.share_day = {day_start("now()")}) AS rows_today,
      (SELECT coalesce(json_agg(json_build_object('run_id', id, 'by', halted_by,
         'because', halted_because, 'at', extract(epoch FROM halted_at)) ORDER BY id), '[]')
       FROM import_runs WHERE {_PAUSED} AND (:run_id IS NULL OR id = :run_id)) AS paused,
      (SELECT coalesce(sum(greatest(expected - received, 0)), 0)::bigint
       FROM import_batches WHERE (:run_id IS NULL OR run_id = :run_id)
         AND run_id IN (SELECT id FROM import_runs WHERE {_PAUSED})) AS paused_rows,
      b.pending, b.running, b.complete, b.failed AS batches_failed,
      b.cancelled AS batches_cancelled,
      b.expected, b.received, b.inserted, b.updated, b.unchanged, b.failed_rows, b.missing,
      q.requests, q.requests_last_minute, q.http_429, q.first_slot_at, q.last_slot_at,
      (SELECT max(requests_per_minute) FROM quota) AS quota_per_minute,
      -- Of all runs: what the last delta had to say.
      (SELECT warning FROM import_runs
       WHERE CASE WHEN :run_id IS NULL THEN kind = 'delta' ELSE id = :run_id END
       ORDER BY id DESC LIMIT 1) AS warning,
      (SELECT CASE WHEN count(*) = 2 THEN min(treated_until) END FROM watermarks)
        AS treated_until,
      {UNMEASURED_SINCE} AS unmeasured_since,
      (SELECT paused_because FROM review_budget) AS texts_paused,
      {THROTTLED} AS throttled,
      (SELECT renewals_per_day FROM review_budget) AS renewals_per_day, {_OF_A_SHARD}
    FROM
      (SELECT min(created_at) AS started_at, string_agg(DISTINCT error, '; ') AS error,
              count(*) FILTER (WHERE is_open) AS open,
              sum(per_day) FILTER (WHERE works)::bigint AS per_day,
              min({day_end("now()")}) FILTER (WHERE works AND per_day IS NOT NULL)
                AS day_ends_at,
              min(day_seconds) FILTER (WHERE works) AS day_seconds,
              CASE WHEN bool_and(resting_until IS NOT NULL AND resting_until > now())
                FILTER (WHERE works)
              THEN min(resting_until) FILTER (WHERE works) END AS resting_until
       FROM (SELECT *, status IN ('pending', 'running') AS is_open,
         status IN ('pending', 'running') AND halted_at IS NULL AS works FROM import_runs) r
       WHERE :run_id IS NULL OR id = :run_id) r,
      -- A cancelled batch expects no more than it has received.
      (SELECT {BATCH_TOTALS}, sum(CASE WHEN status = 'cancelled' THEN received ELSE expected END
         )::bigint AS expected,
              coalesce(sum(cardinality(missing_sirets)), 0)::bigint AS missing
       FROM import_batches WHERE :run_id IS NULL OR run_id = :run_id) b,
      (SELECT count(*) AS requests,
              count(*) FILTER (WHERE granted_at > clock_timestamp() - interval '60 s')
                AS requests_last_minute,
              count(*) FILTER (WHERE http_status = 429) AS http_429,
              min(granted_at) AS first_slot_at, max(granted_at) AS last_slot_at
       FROM insee_requests WHERE :run_id IS NULL OR granted_at >=
         (SELECT created_at FROM import_runs WHERE id = :run_id)) q
""")
_SHARD_SNAPSHOT = text(f"SELECT {_OF_A_SHARD}")


@dataclass(frozen=True)
class Progress:
    """One reading of the progress; `expected` is None until INSEE has told a total."""

    at: datetime
    started_at: datetime | None
    runs_open: int
    error: str | None
    pending: int
    running: int
    complete: int
    batches_failed: int
    expected: int | None
    received: int
    inserted: int
    updated: int
    unchanged: int
    failed_rows: int
    missing: int
    requests: int
    requests_last_minute: int
    http_429: int
    first_slot_at: datetime | None
    last_slot_at: datetime | None
    quota_per_minute: float | None
    failed_items: int
    avis: dict[str, int]
    warning: str | None = None
    # Both collections are complete up to here, in INSEE's time; None where one never was.
    treated_until: datetime | None = None
    # Nothing says how old the register is: a delta from this day on mends it.
    unmeasured_since: date | None = None

    @property
    def stale_because(self) -> str | None:
        """Say what keeps the register from being refreshed, with the command that mends it."""
        return None if self.unmeasured_since is None else unmeasured_words(self.unmeasured_since)

    @property
    def age_seconds(self) -> float | None:
        """The age of INSEE's last treatment up to which the register is complete."""
        if self.treated_until is None:
            return None
        return (self.at - self.treated_until.replace(tzinfo=FRANCE)).total_seconds()

    # The open daily imports: the sum of their shares, the rows of today, and, where all of them
    # have had their share, the instant at which they go on.
    per_day: int | None = None
    rows_today: int = 0
    resting_until: datetime | None = None
    day_ends_at: datetime | None = None
    # None: the calendar's days.
    day_seconds: float | None = None
    # The reason for which no text is begun; None while texts are made.
    texts_paused: str | None = None
    # The providers that answer nothing but 429, each with the time of the first, since the epoch.
    throttled: Mapping[str, float] = field(default_factory=dict)
    # The renewals among the pending avis, and how many may begin in a day: None is no limit.
    renewals: int = 0
    renewals_per_day: int | None = None
    # The paused runs: `run_id`, `by`, `because`, and `at` since the epoch; the rows they lack.
    paused: Sequence[Mapping[str, Any]] = ()
    paused_rows: int = 0
    batches_cancelled: int = 0
    # The services that have work and do not run, each with the way to start it.
    silent: Sequence[str] = ()

    @property
    def is_idle(self) -> bool:
        """True when nothing is open or pending, but for what people hold.

        These are paused runs, and renewals at a person's rate, which may take weeks: nobody watches
        them to their end.
        """
        return self.runs_open == len(self.paused) and self.avis_pending == self.renewals_at_a_rate

    @property
    def renewals_at_a_rate(self) -> int:
        return 0 if self.renewals_per_day is None else self.renewals

    @property
    def avis_pending(self) -> int:
        return self.avis.get("pending", 0)

    @property
    def avis_accepted(self) -> int:
        return self.avis.get("accepted", 0)

    @property
    def avis_due(self) -> int:
        """All avis that are due: pending, accepted, or rejected by the validator."""
        return self.avis_pending + self.avis_accepted + self.avis.get("rejected", 0)

    @property
    def days_left(self) -> int | None:
        """The number of days that still have work; today counts until its share is done."""
        if self.per_day is None or self.expected is None:
            return None
        left = max(0, self.expected - self.received - self.paused_rows)
        today = 0 if self.resting_until else max(0, min(left, self.per_day - self.rows_today))
        return math.ceil((left - today) / self.per_day) + bool(today)

    @property
    def slot_use(self) -> float | None:
        """The share of the quota used between the first and the last request; None before two."""
        if self.first_slot_at is None or self.last_slot_at is None or not self.quota_per_minute:
            return None
        minutes = (self.last_slot_at - self.first_slot_at).total_seconds() / 60
        # The first request begins the interval: it is not one of those that fit into it.
        return (self.requests - 1) / (self.quota_per_minute * minutes) if minutes > 0 else None

    @property
    def page_fill(self) -> float | None:
        """Rows received for each row that the requests could bring; None before the first."""
        return self.received / (MAX_ROWS_PER_REQUEST * self.requests) if self.requests else None


def read_progress(
    connection: Connection, run_id: int | None = None, *, shards: Sequence[Connection] = ()
) -> Progress:
    """Read the progress of one run or of all; `shards` are those outside the control database."""
    progress = Progress(**connection.execute(_SNAPSHOT, {"run_id": run_id}).mappings().one())
    progress = replace(progress, silent=find_silent(connection, _needed(progress)))
    for shard in shards:
        row = shard.execute(_SHARD_SNAPSHOT).one()
        progress = replace(
            progress,
            failed_items=progress.failed_items + row.failed_items,
            renewals=progress.renewals + row.renewals,
            avis=dict(Counter(progress.avis) + Counter(row.avis)),
        )
    return progress


def _needed(progress: Progress) -> list[str]:
    """Return the services that have work."""
    needed = ["fetcher", "writer"] if progress.runs_open > len(progress.paused) else []
    makes_texts = progress.avis_pending > progress.renewals and progress.texts_paused is None
    return [*needed, "reviewer"] if makes_texts else needed


def run_exists(connection: Connection, run_id: int) -> bool:
    query = text("SELECT EXISTS (SELECT FROM import_runs WHERE id = :run_id)")
    return bool(connection.scalar(query, {"run_id": run_id}))
