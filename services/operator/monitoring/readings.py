"""One reading of the databases: progress, totals, failures and what happened lately."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, text

from services.operator.exporter import queries
from shared.alerts import ConditionFacts
from shared.db.shards import connected
from shared.imports.progress import Progress, read_progress

_RECENT_SECONDS = 900.0
# A fetcher plans a new run within seconds. A delta also waits for INSEE to publish.
_UNPLANNED_SECONDS = 300
# The table of attempts grows with the texts: the newest ones show what goes wrong.
_NEWEST_ATTEMPTS = 10_000

_RECENT = text(f"""
    WITH open_runs AS (SELECT id FROM import_runs WHERE status IN ('pending', 'running')),
    chosen AS (
      SELECT * FROM import_runs WHERE CASE
        WHEN CAST(:run_id AS bigint) IS NOT NULL THEN id = :run_id
        WHEN EXISTS (SELECT FROM open_runs) THEN status IN ('pending', 'running')
        ELSE id = (SELECT max(id) FROM import_runs) END),
    runs AS (
      SELECT min(created_at) AS begun_at, max(coalesce(completed_at, now())) AS ended_at,
        (SELECT coalesce(sum(received), 0)::bigint FROM import_batches
         WHERE run_id IN (SELECT id FROM chosen)) AS received
      FROM chosen)
    SELECT q.rows AS rows_15_minutes, q.throttled AS http_429_15_minutes,
      least({_RECENT_SECONDS}, extract(epoch FROM now() - runs.begun_at))::float
        AS recent_seconds,
      runs.received AS rows_of_run,
      extract(epoch FROM runs.ended_at - runs.begun_at)::float AS run_seconds,
      (SELECT extract(epoch FROM now() - max(granted_at))::float FROM insee_requests)
        AS last_request_seconds,
      (SELECT count(*) FROM import_runs WHERE status = 'pending' AND halted_at IS NULL
         AND (wait_until IS NULL OR wait_until < now())
         AND created_at < now() - interval '{_UNPLANNED_SECONDS} s') AS unplanned_runs
    FROM runs,
      (SELECT coalesce(sum(records), 0)::bigint AS rows,
         count(*) FILTER (WHERE http_status = 429) AS throttled
       FROM insee_requests WHERE granted_at > now() - interval '{_RECENT_SECONDS} s') q
""")
_NEWEST = text("SELECT coalesce(max(id), 0) FROM avis_attempts")
_REJECTED_SINCE = text("""
    SELECT reason, count(*) AS n FROM avis_attempts, unnest(reasons) AS reason
    WHERE id > :seen AND id <= :newest AND NOT accepted GROUP BY reason
""")


@dataclass(frozen=True)
class Reading:
    """`totals` are the exporter's, by metric; `rejections` are attempts by reason code.

    `held_since_seconds` is the time, since the epoch, of the oldest of the held texts, and
    `swept_at_seconds` that of the last end of a sweep, in the database that waits longest.
    """

    progress: Progress
    totals: Mapping[str, Any]
    failed_items: Mapping[str, int]
    rejections: Mapping[str, int]
    rows_15_minutes: int
    http_429_15_minutes: int
    recent_seconds: float | None
    rows_of_run: int
    run_seconds: float | None
    last_request_seconds: float | None
    unplanned_runs: int
    turns_overdue: int = 0
    held_texts: int = 0
    held_since_seconds: float | None = None
    swept_at_seconds: float | None = None

    def facts(self, *, dead_in_queues: int, still_seconds: float) -> ConditionFacts:
        """Return what alerts are judged by; `still_seconds` is the time since the last row."""
        totals = self.totals
        return ConditionFacts(
            at=self.progress.at,
            unplanned_runs=self.unplanned_runs,
            waiting_pages=totals["sirenade_import_waiting_pages"],
            quota_pause_seconds=totals["sirenade_quota_pause_seconds"] or 0.0,
            last_request_seconds=self.last_request_seconds,
            still_seconds=still_seconds,
            left_today_rows=totals["sirenade_import_left_today_rows"],
            throttled_15_minutes=self.http_429_15_minutes,
            failed_items=sum(self.failed_items.values()),
            dead_letters=totals["sirenade_dead_letters_waiting"] + dead_in_queues,
            # Before a cap is named nothing may be spent, and nothing is missed.
            budget_is_reached=bool(
                (totals["sirenade_budget_paused"] or {}).get("cap")
                and totals["sirenade_budget_cap_euros"]
            ),
            certificate_gap=totals["sirenade_certificate_gap_establishments"],
            unknown_codes=totals["sirenade_unknown_codes"],
            turns_overdue=self.turns_overdue,
            held_texts=self.held_texts,
            held_seconds=self._seconds_since(self.held_since_seconds),
            unswept_seconds=self._seconds_since(self.swept_at_seconds),
            throttled_seconds={
                name: self._seconds_since(since) for name, since in self.progress.throttled.items()
            },
            freshness_seconds=totals["sirenade_freshness_age_seconds"] or {},
            stale_because=self.progress.stale_because,
        )

    def _seconds_since(self, since: float | None) -> float:
        return 0.0 if since is None else self.progress.at.timestamp() - since


class Reader:
    """Reads the databases, and each rejected attempt once: it keeps their sums."""

    def __init__(self, engines: Sequence[Engine], run_id: int | None) -> None:
        self._engines = engines
        self._run_id = run_id
        self._seen: dict[int, int] = {}
        self._rejections: Counter[str] = Counter()

    def read(self) -> Reading:
        """Read once. Raises DBAPIError or TimeoutError of SQLAlchemy while a database is away."""
        with connected(self._engines) as connections:
            control, *shards = connections
            progress = read_progress(control, self._run_id, shards=shards)
            totals = control.execute(queries.CONTROL).scalar_one()
            failed: Counter[str] = Counter()
            overdue = held = 0
            held_since: list[float] = []
            swept_at: list[float] = []
            for number, connection in enumerate(connections):
                of_shard = connection.execute(queries.SHARD).scalar_one()
                failed.update(of_shard["sirenade_failed_items_open"])
                overdue += of_shard["sirenade_turns_overdue"]
                held += sum(of_shard["sirenade_avis_held"].values())
                if (oldest := of_shard["sirenade_avis_oldest_held_timestamp_seconds"]) is not None:
                    held_since.append(oldest)
                if (ended := of_shard["sirenade_sweep_last_end_timestamp_seconds"]) is not None:
                    swept_at.append(ended)
                self._count_rejections(number, connection)
            recent = control.execute(_RECENT, {"run_id": self._run_id}).mappings().one()
        return Reading(
            progress=progress,
            totals=totals,
            failed_items=dict(failed),
            rejections=dict(self._rejections.most_common()),
            turns_overdue=overdue,
            held_texts=held,
            held_since_seconds=min(held_since, default=None),
            swept_at_seconds=min(swept_at, default=None),
            **recent,
        )

    def _count_rejections(self, number: int, connection: Connection) -> None:
        newest = connection.execute(_NEWEST).scalar_one()
        seen = self._seen.get(number, max(0, newest - _NEWEST_ATTEMPTS))
        rows = connection.execute(_REJECTED_SINCE, {"seen": seen, "newest": newest})
        self._rejections.update({row.reason: row.n for row in rows})
        self._seen[number] = newest
