"""The trust in providers, in columns of their rows: what one replica paid to learn, all know."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from math import inf

import structlog
from sqlalchemy import Engine, text

from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.trust import Trust
from shared.clock import Clock
from shared.db.outages import slowing_down
from shared.errors import SlowDown
from shared.metrics import Metrics

log = structlog.get_logger()

_READ = text("""
    SELECT name, refused_in_a_row, doubts, doubted_until, on_trial, clock_timestamp()
    FROM review_providers WHERE name = ANY(:names)
""")
_LOCK = text("""
    SELECT refused_in_a_row, doubts, doubted_until, on_trial, clock_timestamp()
    FROM review_providers WHERE name = :name FOR UPDATE
""")
_WRITE = text("""
    UPDATE review_providers SET refused_in_a_row = :refused, doubts = :doubts,
      doubted_until = :until, on_trial = :on_trial
    WHERE name = :name
""")

# A replica learns of a doubt this late.
_READ_EVERY_SECONDS = 1.0


class Doubts:
    """Thread-safe. The trust in a process's providers, read again before texts."""

    def __init__(
        self, engine: Engine, names: Sequence[str], clock: Clock, metrics: Metrics
    ) -> None:
        self._engine = engine
        self._names = list(names)
        self._clock = clock
        self._metrics = metrics
        self._lock = threading.Lock()
        self._read_at = -inf
        self._known = dict.fromkeys(names, Trust())
        self._until = dict.fromkeys(names, -inf)

    def left_seconds(self, name: str) -> float:
        """Return the time until a text may be asked for; 0 means now."""
        self.renew()
        with self._lock:
            return max(0.0, self._until[name] - self._clock.monotonic_seconds())

    def renew(self) -> None:
        """Read the rows anew after a second: a replica without work, too, shows the trust."""
        with self._lock:
            late = self._clock.monotonic_seconds() - self._read_at > _READ_EVERY_SECONDS
            if late and self._names:
                self._read()

    def try_out(self, name: str) -> None:
        """Begin a text. Raises SlowDown OUT_OF_USE while the provider is doubted, except once."""
        if self._known[name].until is None:
            return
        before, after = self._change(name, Trust.tried)
        if after.until is not None and after == before:
            raise CallLimit.OUT_OF_USE.error(f"{name} is doubted", self.left_seconds(name))

    def judge(self, name: str, *, accepted: bool) -> float:
        """Note the verdict on a text; return for how long it makes the provider doubted.

        While PostgreSQL is away the verdict counts for nothing.
        """
        if accepted and self._known[name] == Trust():
            return 0.0
        return self._note(name, lambda trust, now: trust.judged(now, accepted=accepted))

    def overbilled(self, name: str) -> float:
        """Note that a call billed more than it can take; return as `judge` does."""
        return self._note(name, Trust.overbilled)

    def _note(self, name: str, change: Callable[[Trust, datetime], Trust]) -> float:
        try:
            with slowing_down():
                before, after = self._change(name, change)
        except SlowDown as error:
            log.warning("cannot store a verdict", provider=name, reason=str(error))
            return 0.0
        return self.left_seconds(name) if after.doubts > before.doubts else 0.0

    def _change(self, name: str, change: Callable[[Trust, datetime], Trust]) -> tuple[Trust, Trust]:
        """Return the trust before and after."""
        with self._engine.begin() as connection:
            *columns, now = connection.execute(_LOCK, {"name": name}).one()
            before = Trust(*columns)
            after = change(before, now)
            if after != before:
                values = {field: getattr(after, field) for field in after.__slots__}
                connection.execute(_WRITE, {"name": name, **values})
        with self._lock:
            self._keep(name, after, now)
        return before, after

    def _read(self) -> None:
        with self._engine.connect() as connection:
            rows = connection.execute(_READ, {"names": self._names}).all()
        self._read_at = self._clock.monotonic_seconds()
        for name, *columns, now in rows:
            self._keep(name, Trust(*columns), now)

    def _keep(self, name: str, trust: Trust, now: datetime) -> None:
        self._known[name] = trust
        self._until[name] = self._clock.monotonic_seconds() + trust.left_seconds(now)
        self._metrics.trust_state.labels(provider=name).set(trust.state)
