"""The pause after a provider's 429, in a column of its row: it holds all replicas back.

Without it, each replica would have to meet a 429 of its own.
"""

import threading
from collections.abc import Sequence
from math import inf

import structlog
from sqlalchemy import Engine, TextClause, text

from shared.clock import Clock
from shared.db.outages import slowing_down
from shared.errors import SlowDown

log = structlog.get_logger()

# No pause is longer: the server's clock was ahead when such a row was written.
IS_PAUSED = """coalesce(paused_until BETWEEN clock_timestamp()
    AND clock_timestamp() + interval '1 hour', false)"""
PAUSE_LEFT = f"""CASE WHEN {IS_PAUSED}
    THEN extract(epoch FROM paused_until - clock_timestamp())::float ELSE 0 END"""

# A pause is never shortened: the longest one in a burst of 429s counts. After half an hour without
# any, another series begins.
_PAUSE = text("""
    UPDATE review_providers SET
      paused_until = clock_timestamp() + make_interval(secs => :seconds),
      throttled_since = CASE WHEN paused_until > clock_timestamp() - interval '30 minutes'
        THEN coalesce(throttled_since, clock_timestamp()) ELSE clock_timestamp() END
    WHERE name = :name
      AND coalesce(paused_until, '-infinity') < clock_timestamp() + make_interval(secs => :seconds)
""")
_READ = text(f"""
    SELECT name, {PAUSE_LEFT}, throttled_since IS NOT NULL
    FROM review_providers WHERE name = ANY(:names)
""")
_ANSWERED = text("""
    UPDATE review_providers SET throttled_since = NULL
    WHERE name = :name AND throttled_since IS NOT NULL
""")

# A replica learns of a pause this late; it costs four short queries a second.
_READ_EVERY_SECONDS = 0.25
# The 429s of a burst come one after another: ends this close are one pause.
_SAME_SECONDS = 0.5


class Pauses:
    """Thread-safe. The pauses of a process's providers, read again before calls."""

    def __init__(self, engine: Engine, names: Sequence[str], clock: Clock) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._names = list(names)
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = -inf
        self._until = dict.fromkeys(names, -inf)
        self._throttled = set[str]()

    def left_seconds(self, name: str) -> float:
        """Return the time until the provider may be asked; 0 means now."""
        with self._lock:
            if self._clock.monotonic_seconds() - self._read_at > _READ_EVERY_SECONDS:
                self._read()
            return max(0.0, self._until[name] - self._clock.monotonic_seconds())

    def start(self, name: str, seconds: float) -> None:
        """Hold all replicas back for these seconds, unless a pause lasts as long already.

        While PostgreSQL is away, the other replicas learn it from a 429 of their own.
        """
        with self._lock:
            until = self._clock.monotonic_seconds() + seconds
            if until <= self._until[name] + _SAME_SECONDS:
                return
            self._until[name] = until
            self._throttled.add(name)
        self._note(_PAUSE, name=name, seconds=seconds)

    def end(self, name: str) -> None:
        """Note that the provider answered: its series of 429s is over, if there was one."""
        if name not in self._throttled:
            return
        with self._lock:
            self._throttled.discard(name)
        self._note(_ANSWERED, name=name)

    def _note(self, statement: TextClause, **values: object) -> None:
        try:
            with slowing_down(), self._engine.connect() as connection:
                connection.execute(statement, values)
        except SlowDown as error:
            log.warning("cannot store a pause", provider=values["name"], reason=str(error))

    def _read(self) -> None:
        with self._engine.connect() as connection:
            rows = connection.execute(_READ, {"names": self._names}).all()
        self._read_at = self._clock.monotonic_seconds()
        self._throttled = {name for name, _, throttled in rows if throttled}
        for name, left_seconds, _ in rows:
            self._until[name] = max(self._until[name], self._read_at + left_seconds)
