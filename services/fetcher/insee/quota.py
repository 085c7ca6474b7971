"""The quota of INSEE that all fetchers share: a row that says when the next request may leave.

It is a GCRA without burst: each grant moves the arrival time on by one interval, in the clock of
PostgreSQL. A slot is committed before its request leaves; an unused slot is lost, not doubled.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine, TextClause, text

from services.fetcher.insee.answers import RateHeaders
from shared.clock import Clock
from shared.db import gcra
from shared.errors import SlowDown
from shared.metrics import Metrics

log = structlog.get_logger()

# Slots are granted at most this far ahead, because one granted before a 429 would still fire.
_HORIZON_INTERVALS = 1.5
_DEFAULT_PAUSE_SECONDS = 10.0
# The longest pause, also where an answer asks for a longer one.
_MAX_PAUSE_SECONDS = 3600.0
# A header that names a limit outside of these bounds is ignored: INSEE has no limit like it.
_CREDIBLE_PER_MINUTE = (1.0, 10_000.0)
_CREDIBLE_PER_HOUR = (60.0, 600_000.0)
# A 429 although we keep the quota means that others use the key too. Each burst of 429s lowers
# the rate by a quarter, never below a tenth; 25 answers bring a quarter back.
_FALL = 0.75
_LEAST_ADAPTATION = 0.1
_RISE = 0.01

_OPEN = text("""
    INSERT INTO quota AS q
      (key_fingerprint, requests_per_minute, configured_per_minute,
       requests_per_hour, configured_per_hour)
    VALUES (:key, :per_minute, :per_minute, :per_hour, :per_hour)
    ON CONFLICT (key_fingerprint) DO UPDATE
      SET requests_per_minute = CASE WHEN q.configured_per_minute = EXCLUDED.configured_per_minute
            THEN q.requests_per_minute ELSE EXCLUDED.requests_per_minute END,
          configured_per_minute = EXCLUDED.configured_per_minute,
          requests_per_hour = EXCLUDED.requests_per_hour,
          configured_per_hour = EXCLUDED.configured_per_hour
""")
_MINUTE = gcra.Limit("minute_arrival_at", "requests_per_minute * adaptation", 60)
_HOUR = gcra.Limit("hour_arrival_at", "requests_per_hour * adaptation", 3600)
_NEXT = gcra.next_slot(_MINUTE.arrival, _HOUR.arrival, "coalesce(paused_until, '-infinity')")
_INTERVAL = _MINUTE.interval()
_HORIZON = f"{_INTERVAL} * {_HORIZON_INTERVALS}"
_TAKE = text(f"""
    WITH slot AS (
      UPDATE quota
      SET minute_arrival_at = {_MINUTE.arrival_after(_NEXT)},
          hour_arrival_at = {_HOUR.arrival_after(_NEXT)},
          updated_at = clock_timestamp()
      WHERE key_fingerprint = :key AND {gcra.may_be_granted(_NEXT, _HORIZON)}
      RETURNING minute_arrival_at - {_INTERVAL} AS granted_at
    )
    INSERT INTO insee_requests (key_fingerprint, batch_id, page, granted_at)
    SELECT :key, :batch_id, :page, granted_at FROM slot
    RETURNING id, granted_at,
      extract(epoch FROM granted_at - clock_timestamp())::float AS wait_seconds
""")
_WAIT = text(f"""
    SELECT {gcra.wait_seconds(_NEXT, _HORIZON)} FROM quota WHERE key_fingerprint = :key
""")
_STILL_GOOD = text("""
    SELECT coalesce(paused_until, '-infinity') <= :granted_at
       AND extract(epoch FROM clock_timestamp() - :granted_at) < :lateness
    FROM quota WHERE key_fingerprint = :key
""")
_FORGET_THE_FUTURE = text(f"""
    UPDATE quota SET {gcra.forget_the_future(_MINUTE, _HOUR)}, paused_until = NULL
    WHERE key_fingerprint = :key
""")
# The time of the slot goes to the next request, unless a later slot is granted already.
_GIVE_UP = text(f"""
    WITH given AS (
      DELETE FROM insee_requests WHERE id = :id RETURNING key_fingerprint, granted_at)
    UPDATE quota SET minute_arrival_at = granted_at
    FROM given
    WHERE quota.key_fingerprint = given.key_fingerprint
      AND minute_arrival_at = granted_at + {_INTERVAL}
""")
_PAUSE = text("""
    UPDATE quota
    SET paused_until = greatest(paused_until,
                                clock_timestamp() + make_interval(secs => :seconds)),
        updated_at = clock_timestamp()
    WHERE key_fingerprint = :key
""")
# The rate falls once for each burst: during a pause, 429s belong to the burst before it.
_GIVE_WAY = text("""
    UPDATE quota SET adaptation = greatest(:least, adaptation * :fall)
    WHERE key_fingerprint = :key AND coalesce(paused_until, '-infinity') <= clock_timestamp()
""")
# The lower one of INSEE's limit and the setting counts; `least` passes over what is NULL.
_FOLLOW = text("""
    UPDATE quota SET
      requests_per_minute = CASE WHEN CAST(:per_minute AS float) IS NULL THEN requests_per_minute
        ELSE least(:per_minute, configured_per_minute) END,
      requests_per_hour = CASE WHEN CAST(:per_hour AS float) IS NULL THEN requests_per_hour
        ELSE least(:per_hour, configured_per_hour) END,
      adaptation = least(1, adaptation + :rise)
    WHERE key_fingerprint = :key
      AND (adaptation < 1
        OR :per_minute IS NOT NULL
          AND requests_per_minute <> least(:per_minute, configured_per_minute)
        OR :per_hour IS NOT NULL
          AND requests_per_hour IS DISTINCT FROM least(:per_hour, configured_per_hour))
""")


@dataclass(frozen=True)
class Slot:
    """The right to send one request now; `fetch_id` is the id of the request in the ledger."""

    fetch_id: int
    granted_at: datetime


def fingerprint(key: str) -> str:
    """Return a name of the key that does not disclose it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


class Quota:
    """The quota of one key."""

    def __init__(self, engine: Engine, key: str, clock: Clock, metrics: Metrics) -> None:
        self._engine = engine
        self._key = fingerprint(key)
        self._clock = clock
        self._metrics = metrics

    def open(self, *, requests_per_minute: float, requests_per_hour: float | None) -> None:
        """Create the row, or set its limits where the settings changed."""
        self._execute(_OPEN, per_minute=requests_per_minute, per_hour=requests_per_hour)

    def take(
        self, *, batch_id: int | None = None, page: int | None = None, patience_seconds: float
    ) -> Slot:
        """Wait for a slot and return it when its time has come.

        Raises SlowDown after `patience_seconds`, or when the process is asked to stop.
        """
        started_seconds = self._clock.monotonic_seconds()
        while True:
            asked_seconds = self._clock.monotonic_seconds()
            with self._engine.begin() as connection:
                slot, wait_seconds = self._try(connection, batch_id, page)
            if slot is not None and self._wait_for(slot, wait_seconds, asked_seconds):
                waited_seconds = self._clock.monotonic_seconds() - started_seconds
                self._metrics.quota_wait_seconds.observe(waited_seconds)
                return slot
            if self._clock.monotonic_seconds() - started_seconds > patience_seconds:
                raise SlowDown("the quota has no slot yet", retry_after_seconds=1)
            if slot is None and self._clock.wait(min(max(wait_seconds, 0.02), 1.0)):
                raise SlowDown("the process is stopping", retry_after_seconds=1)

    def _try(
        self, connection: Connection, batch_id: int | None, page: int | None
    ) -> tuple[Slot | None, float]:
        request = {"key": self._key, "batch_id": batch_id, "page": page}
        row = connection.execute(_TAKE, request).one_or_none()
        if row is None:
            wait_seconds = connection.execute(_WAIT, {"key": self._key}).scalar_one()
            if wait_seconds > gcra.MAX_WAIT_SECONDS:
                log.warning("quota reset: its row lies in the future")
                connection.execute(_FORGET_THE_FUTURE, {"key": self._key})
                wait_seconds = 0.0
            return None, wait_seconds
        return Slot(row.id, row.granted_at), row.wait_seconds

    def _wait_for(self, slot: Slot, wait_seconds: float, asked_seconds: float) -> bool:
        """Wait until the slot's time; return whether it may still be used then."""
        latest_seconds = asked_seconds + wait_seconds + gcra.MAX_LATENESS_SECONDS
        if wait_seconds <= 0 and self._clock.monotonic_seconds() < latest_seconds:
            # The time of the slot had come when it was granted: no pause can lie in between.
            return True
        stopping = self._clock.wait(wait_seconds)
        lateness = {"granted_at": slot.granted_at, "lateness": gcra.MAX_LATENESS_SECONDS}
        with self._engine.begin() as connection:
            good = not stopping and bool(
                connection.scalar(_STILL_GOOD, {"key": self._key, **lateness})
            )
        if not good:
            self.give_back(slot)
        if stopping:
            raise SlowDown("the process is stopping", retry_after_seconds=1)
        return good

    def give_back(self, slot: Slot) -> None:
        """Leave a slot whose request has not left to the next one."""
        with self._engine.begin() as connection:
            connection.execute(_GIVE_UP, {"id": slot.fetch_id})

    def pause(self, seconds: float | None) -> float:
        """Pause all fetchers, by default for 10 s; return the seconds of the pause."""
        seconds = _DEFAULT_PAUSE_SECONDS if seconds is None else seconds
        seconds = min(max(seconds, 1.0), _MAX_PAUSE_SECONDS)
        self._execute(_PAUSE, seconds=seconds)
        log.warning("quota paused", seconds=round(seconds, 1))
        return seconds

    def give_way(self, seconds: float | None) -> float:
        """Pause after a 429, and lower the rate in favour of others who use the key."""
        self._execute(_GIVE_WAY, fall=_FALL, least=_LEAST_ADAPTATION)
        return self.pause(seconds)

    def follow(self, rate: RateHeaders) -> None:
        """Take over INSEE's limits below the settings; pause until the reset where none is left."""
        per_minute = _credible(rate.limit_per_minute, _CREDIBLE_PER_MINUTE)
        per_hour = _credible(rate.limit_per_hour, _CREDIBLE_PER_HOUR)
        self._execute(_FOLLOW, per_minute=per_minute, per_hour=per_hour, rise=_RISE)
        now_seconds = self._clock.now().timestamp()
        for remaining, reset_epoch_seconds, most_seconds in (
            (rate.remaining, rate.reset_epoch_seconds, 60.0),
            (rate.hour_remaining, rate.hour_reset_epoch_seconds, _MAX_PAUSE_SECONDS),
        ):
            seconds = (reset_epoch_seconds or 0.0) - now_seconds
            if remaining == 0 and seconds > 0:
                self._execute(_PAUSE, seconds=min(seconds, most_seconds))

    def _execute(self, statement: TextClause, **parameters: float | None) -> None:
        with self._engine.begin() as connection:
            connection.execute(statement, {"key": self._key, **parameters})


def _credible(limit: float | None, bounds: tuple[float, float]) -> float | None:
    least, most = bounds
    return limit if limit is not None and least <= limit <= most else None
