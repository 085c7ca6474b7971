"""A provider's 429 heard by one replica holds all of them back, by a column of its row.

Without it each replica would have to be told by a 429 of its own.
"""

import threading
from collections.abc import Sequence
from math import inf

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.clock import Clock
from shared.db.outages import is_outage

log = structlog.get_logger()

# No Retry-After is taken for longer: the server's clock was ahead when such a row was written.
IS_PAUSED = """coalesce(paused_until BETWEEN clock_timestamp()
    AND clock_timestamp() + interval '1 hour', false)"""
PAUSE_LEFT = f"""CASE WHEN {IS_PAUSED}
    THEN extract(epoch FROM paused_until - clock_timestamp())::float ELSE 0 END"""

# A pause is never shortened: the longest of a burst of 429s is the one that counts.
_PAUSE = text("""
    UPDATE review_providers SET paused_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE name = :name
      AND coalesce(paused_until, '-infinity') < clock_timestamp() + make_interval(secs => :seconds)
""")
_READ = text(f"""
    SELECT name, {PAUSE_LEFT} FROM review_providers WHERE name = ANY(:names)
""")  # noqa: S608  # made of constants only

# For so long a replica may not know of the others' pause; four short queries a second.
_READ_EVERY_SECONDS = 0.25
# Each 429 of a burst is a little later than the one before: they are one pause.
_SAME_SECONDS = 0.5


class Pauses:
    """Thread-safe: those of a process's providers, read again where a call is about to be made."""

    def __init__(self, engine: Engine, names: Sequence[str], clock: Clock) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._names = list(names)
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = -inf
        self._until = dict.fromkeys(names, -inf)

    def left_seconds(self, name: str) -> float:
        """Until the provider may be asked again; 0 where it may be now."""
        with self._lock:
            if self._clock.monotonic_seconds() - self._read_at > _READ_EVERY_SECONDS:
                self._read()
            return max(0.0, self._until[name] - self._clock.monotonic_seconds())

    def tell(self, name: str, seconds: float) -> None:
        """Hold all replicas back for so long; does nothing where they are for as long already.

        Where PostgreSQL is away, the others find out for themselves.
        """
        with self._lock:
            until = self._clock.monotonic_seconds() + seconds
            if until <= self._until[name] + _SAME_SECONDS:
                return
            self._until[name] = until
        try:
            with self._engine.connect() as connection:
                connection.execute(_PAUSE, {"name": name, "seconds": seconds})
        except (DBAPIError, PoolTimeoutError) as error:
            if not is_outage(error):
                raise
            log.warning("cannot tell the other replicas of a pause", provider=name)

    def _read(self) -> None:
        with self._engine.connect() as connection:
            rows = connection.execute(_READ, {"names": self._names}).all()
        self._read_at = self._clock.monotonic_seconds()
        for name, left_seconds in rows:
            self._until[name] = max(self._until[name], self._read_at + left_seconds)
