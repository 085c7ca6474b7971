"""The progress of imports, read from PostgreSQL: counters of processes do not last."""

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, text

from shared.days import FRANCE
from shared.db.days import day_end, day_start
from shared.imports.pace import Pace, Step, pace_of, trend_of

# The most that INSEE gives in one answer.
MAX_ROWS_PER_REQUEST = 1000
# A rate over less time jumps; a rate over more shows a change too late.
_RATE_WINDOW_SECONDS = 60.0
# The time before the last minute counts as well, as far as it went at the same pace.
_MEMORY_SECONDS = 900.0
# A step is late after this many times the usual time between two steps.
_LATE_STEPS = 3
_LEAST_STEPS = 7

# One query, over per-batch rows for the import: it costs the same at any number of rows.
_SNAPSHOT = text(f"""
    SELECT clock_timestamp() AS at,
      r.started_at, r.open AS runs_open, r.error, r.per_day, r.resting_until,
      r.day_ends_at, r.day_seconds,
      (SELECT coalesce(sum(p.records), 0)::bigint
       FROM import_runs r JOIN import_batches b ON b.run_id = r.id
         JOIN import_pages p ON p.batch_id = b.id
       WHERE r.per_day IS NOT NULL AND r.status IN ('pending', 'running')
         AND (:run_id IS NULL OR r.id = :run_id)
         AND p.share_day = {day_start("now()")}) AS rows_today,
      b.pending, b.running, b.complete, b.failed AS batches_failed,
      b.expected, b.received, b.inserted, b.updated, b.unchanged, b.failed_rows, b.missing,
      q.requests, q.requests_last_minute, q.http_429, q.first_slot_at, q.last_slot_at,
      (SELECT max(requests_per_minute) FROM quota) AS quota_per_minute,
      -- Of all runs: what the last delta had to say.
      (SELECT warning FROM import_runs
       WHERE CASE WHEN :run_id IS NULL THEN kind = 'delta' ELSE id = :run_id END
       ORDER BY id DESC LIMIT 1) AS warning,
      (SELECT CASE WHEN count(*) = 2 THEN min(treated_until) END FROM watermarks)
        AS treated_until,
      (SELECT count(*) FROM failed_items WHERE resolved_at IS NULL) AS failed_items,
      (SELECT coalesce(jsonb_object_agg(outcome, n), '{{}}') FROM
        (SELECT outcome, count(*) AS n FROM avis GROUP BY outcome) o) AS avis
    FROM
      (SELECT min(created_at) AS started_at, string_agg(DISTINCT error, '; ') AS error,
              count(*) FILTER (WHERE status IN ('pending', 'running')) AS open,
              sum(per_day) FILTER (WHERE status IN ('pending', 'running'))::bigint AS per_day,
              min({day_end("now()")}) FILTER (WHERE status IN ('pending', 'running')
                AND per_day IS NOT NULL) AS day_ends_at,
              min(day_seconds) FILTER (WHERE status IN ('pending', 'running')) AS day_seconds,
              CASE WHEN bool_and(resting_until IS NOT NULL AND resting_until > now())
                FILTER (WHERE status IN ('pending', 'running'))
              THEN min(resting_until) FILTER (WHERE status IN ('pending', 'running'))
              END AS resting_until
       FROM import_runs r WHERE :run_id IS NULL OR id = :run_id) r,
      (SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
              count(*) FILTER (WHERE status = 'running') AS running,
              count(*) FILTER (WHERE status = 'complete') AS complete,
              count(*) FILTER (WHERE status = 'failed') AS failed,
              sum(expected)::bigint AS expected,
              coalesce(sum(received), 0)::bigint AS received,
              coalesce(sum(inserted), 0)::bigint AS inserted,
              coalesce(sum(updated), 0)::bigint AS updated,
              coalesce(sum(unchanged), 0)::bigint AS unchanged,
              coalesce(sum(failed), 0)::bigint AS failed_rows,
              coalesce(sum(cardinality(missing_sirets)), 0)::bigint AS missing
       FROM import_batches WHERE :run_id IS NULL OR run_id = :run_id) b,
      (SELECT count(*) AS requests,
              count(*) FILTER (WHERE granted_at > clock_timestamp() - interval '60 s')
                AS requests_last_minute,
              count(*) FILTER (WHERE http_status = 429) AS http_429,
              min(granted_at) AS first_slot_at, max(granted_at) AS last_slot_at
       FROM insee_requests WHERE :run_id IS NULL OR granted_at >=
         (SELECT created_at FROM import_runs WHERE id = :run_id)) q
""")  # noqa: S608  # made of constants only

# The part of the progress that is in a shard.
_SHARD_SNAPSHOT = text("""
    SELECT (SELECT count(*) FROM failed_items WHERE resolved_at IS NULL) AS failed_items,
      (SELECT coalesce(jsonb_object_agg(outcome, n), '{}') FROM
        (SELECT outcome, count(*) AS n FROM avis GROUP BY outcome) o) AS avis
""")


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
        left = max(0, self.expected - self.received)
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
    for shard in shards:
        row = shard.execute(_SHARD_SNAPSHOT).one()
        progress = replace(
            progress,
            failed_items=progress.failed_items + row.failed_items,
            avis=dict(Counter(progress.avis) + Counter(row.avis)),
        )
    return progress


def run_exists(connection: Connection, run_id: int) -> bool:
    return bool(
        connection.scalar(
            text("SELECT EXISTS (SELECT FROM import_runs WHERE id = :run_id)"), {"run_id": run_id}
        )
    )


@dataclass
class Rate:
    """Units per second over the last minute, and the end that they foretell.

    Work comes in steps of one INSEE page. The rate is that between steps; otherwise each step
    would make it jump. The end is foretold from that part of the last quarter of an hour that went
    at the pace of the last minute.
    """

    _steps: deque[Step] = field(default_factory=deque)
    _now_seconds: float = 0.0
    _seen: int = 0
    _pace: Pace = field(default_factory=lambda: pace_of(()))

    def add(self, at_seconds: float, done: int) -> None:
        if self._steps and at_seconds <= self._now_seconds:
            return  # a clock that was set back, or two readings at once
        self._now_seconds = at_seconds
        if not self._steps:
            self._steps.append((at_seconds, done))
        elif self._steps[-1][1] != done:
            self._steps.append((at_seconds, done))
            self._seen += 1
            if self._seen == 2:  # noqa: PLR2004  # the first step serves until there is a second
                # The first step began at an unknown time.
                self._steps.popleft()
        while self._steps[0][0] < at_seconds - _MEMORY_SECONDS and len(self._steps) > 1:
            self._steps.popleft()
        self._forget_another_pace()
        self._pace = pace_of(self._until_now(list(self._steps)))

    @property
    def per_second(self) -> float:
        since_seconds = self._now_seconds - _RATE_WINDOW_SECONDS
        minute = [step for step in self._steps if step[0] >= since_seconds]
        if len(minute) < _LEAST_STEPS and not self._is_late():
            return self._pace.per_second
        return pace_of(self._until_now(minute)).per_second

    def eta_seconds(self, left: int) -> float | None:
        """Return the time to the end at this pace; None while nothing moves."""
        if left <= 0:
            return 0.0
        if self._is_late():
            return left / self._pace.per_second if self._pace.per_second > 0 else None
        per_second = trend_of(self._steps)
        if per_second <= 0:
            return None
        waited_seconds = self._now_seconds - self._steps[-1][0]
        return max(0.0, left / per_second - waited_seconds)

    def eta_uncertainty_seconds(self, left: int) -> float | None:
        """Return two standard errors of that time: of the pace so far, and of the work to come.

        None while too few steps were seen.
        """
        if left <= 0:
            return 0.0
        pace = self._pace
        if pace.per_second <= 0 or pace.variance_per_second is None:
            return None
        left_seconds = left / pace.per_second
        variance = pace.variance_per_second * left_seconds * (1 + left_seconds / pace.seconds)
        # A step is seen up to one usual interval after it was done.
        return 2 * math.sqrt(variance) / pace.per_second + self._usual_seconds()

    def _until_now(self, steps: list[Step]) -> list[Step]:
        """Append the present where the next step is late, so that the wait counts."""
        return [*steps, (self._now_seconds, steps[-1][1])] if steps and self._is_late() else steps

    def _forget_another_pace(self) -> None:
        """Drop what was before the last minute where that went at another pace."""
        steps = list(self._steps)
        since_seconds = self._now_seconds - _RATE_WINDOW_SECONDS
        first = next(
            (n for n, step in enumerate(steps) if step[0] >= since_seconds), len(steps) - 1
        )
        if not self._is_late():
            # Few steps tell nothing: slow work needs a longer look back.
            first = min(first, len(steps) - _LEAST_STEPS)
        if first < 1:
            return
        now, before = pace_of(self._until_now(steps[first:])), pace_of(steps[: first + 1])
        variance = now.variance_per_second or 0.0
        noise = math.sqrt(variance * (1 / now.seconds + 1 / before.seconds))
        if abs(now.per_second - before.per_second) > 2 * noise + 0.01 * before.per_second:
            self._steps = deque(steps[first:])

    def _is_late(self) -> bool:
        return (
            bool(self._steps)
            and self._now_seconds - self._steps[-1][0] > _LATE_STEPS * self._usual_seconds()
        )

    def _usual_seconds(self) -> float:
        return (self._steps[-1][0] - self._steps[0][0]) / max(1, len(self._steps) - 1)
