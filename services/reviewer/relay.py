"""Hands due avis to RabbitMQ: the rows are the outbox, the queue holds a small part of them.

Every reviewer process runs a relay; a session lock lets one of them work at a time, and
PostgreSQL frees it when its holder dies. Messages are published first and marked afterwards, so
that a kill in between means a second message, which finds nothing to claim, and never a lost one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from shared.clock import Clock
from shared.messages import ReviewAvis
from shared.metrics import Metrics

AVIS_PER_MESSAGE = 25

# Any constant will do, as long as every relay uses the same.
_ADVISORY_LOCK = 0x51_4E_AD_E1

_TRY_LOCK = text("SELECT pg_try_advisory_lock(:lock)").bindparams(lock=_ADVISORY_LOCK)
_UNLOCK = text("SELECT pg_advisory_unlock(:lock)").bindparams(lock=_ADVISORY_LOCK)

IN_FLIGHT = text("SELECT count(*) FROM avis WHERE outcome = 'pending' AND published_at IS NOT NULL")

# Ordered as ix_avis_pending is, so that the oldest come without a sort.
DUE = text("""
    SELECT id, clock_timestamp() AS read_at FROM avis
    WHERE outcome = 'pending' AND published_at IS NULL
      AND (lease_until IS NULL OR lease_until < clock_timestamp())
    ORDER BY published_at, id
    LIMIT :room
""")

# A lease that ran out is a reviewer that died; no lease for long is a message that was lost.
STALLED = text("""
    SELECT id, clock_timestamp() AS read_at FROM avis
    WHERE outcome = 'pending' AND published_at IS NOT NULL
      AND (lease_until < clock_timestamp()
           OR lease_until IS NULL
              AND published_at < clock_timestamp() - make_interval(secs => :stall_seconds))
    ORDER BY published_at, id
    LIMIT :room
""")

# A row that changed since it was read and is not claimed was given back: it needs a new message,
# not a mark. One that is locked at this moment stays unmarked, and is sent twice.
_MARK = text("""
    WITH sent AS (
        SELECT id FROM avis
        WHERE id = ANY(:ids) AND outcome = 'pending'
          AND (lease_until IS NOT NULL OR updated_at <= :read_at)
        ORDER BY id
        FOR UPDATE SKIP LOCKED
    )
    UPDATE avis SET
        published_at = clock_timestamp(),
        -- Not one that ran out: it would call for another message at the next turn.
        lease_until = CASE WHEN lease_until > clock_timestamp() THEN lease_until END
    FROM sent WHERE avis.id = sent.id
""")

_FORGET = text("""
    UPDATE avis SET published_at = NULL, lease_until = NULL
    WHERE outcome = 'pending' AND (published_at IS NOT NULL OR lease_until IS NOT NULL)
""")


def forget_publications(engine: Engine) -> None:
    """Make every pending avis due for publication at once.

    Only for a process that is alone with its broker, at its start: its queue is empty, and
    whoever held a lease is dead.
    """
    with engine.begin() as connection:
        connection.execute(_FORGET)


@dataclass(frozen=True)
class Relay:
    """`publish` returns once the broker has confirmed, and raises where it has not."""

    engine: Engine
    publish: Callable[[ReviewAvis], None]
    clock: Clock
    metrics: Metrics
    high_water: int
    stall_seconds: float

    def step(self) -> None:
        """Send what stands still again, then what is due up to the high-water mark."""
        with self._alone() as connection:
            if connection is None:
                return
            self._send(connection, STALLED, stall_seconds=self.stall_seconds, room=self.high_water)
            room = self.high_water - (connection.scalar(IN_FLIGHT) or 0)
            if room > 0:
                self._send(connection, DUE, room=room)

    def _send(self, connection: Connection, query: object, **parameters: float) -> None:
        rows = connection.execute(query, parameters).all()  # type: ignore[call-overload]
        for start in range(0, len(rows), AVIS_PER_MESSAGE):
            if self.clock.stopping.is_set():
                return
            message = rows[start : start + AVIS_PER_MESSAGE]
            ids = [row.id for row in message]
            self.publish(ReviewAvis(avis_ids=ids))
            connection.execute(_MARK, {"ids": ids, "read_at": message[0].read_at})
            self.metrics.avis_published.inc(len(ids))

    @contextmanager
    def _alone(self) -> Iterator[Connection | None]:
        """A connection in autocommit that holds the lock of all relays, None where another does.

        No transaction stays open while publishing: its row locks would hide the rows from the
        reviewers that get the message.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(_TRY_LOCK):
                yield None
                return
            try:
                yield connection
                connection.execute(_UNLOCK)
            except BaseException:
                # Ending the session frees the lock whatever state the connection is in.
                connection.invalidate()
                raise
