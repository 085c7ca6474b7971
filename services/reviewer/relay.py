"""The relay hands due avis to RabbitMQ: the rows are the outbox, the queue holds few of them.

Every reviewer process runs a relay; a lease lets one of them work at a time, and one that dies or
freezes loses it at its deadline. The relay publishes a message first and marks its rows afterwards,
under the token of its lease: a kill in between means a second message, which finds nothing to
claim, and never a lost one.

First texts go before renewals, which are avis whose accepted text stands. Renewals go by their rank
over all shards, and no faster than the rate that a person has set.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, Row, TextClause, text

from services.reviewer.money.renewal_rate import most_at_once, take_renewals
from shared.clock import Clock
from shared.db.leases.keeper import Keeper
from shared.db.leases.rows import LeaseName, pass_on, release_all, require
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.money.budget import read_budget

AVIS_PER_MESSAGE = 25
LEASE_SECONDS = 10.0
"""Time after which another relay goes on where one is frozen; a message is confirmed within it."""

_Row = TypeVar("_Row")

IN_FLIGHT = text("SELECT count(*) FROM avis WHERE outcome = 'pending' AND published_at IS NOT NULL")

_PENDING = """
    SELECT id, renewal_rank, clock_timestamp() AS read_at FROM avis WHERE outcome = 'pending'"""
_DUE = f"""{_PENDING}
    AND published_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())"""
# The order of ix_avis_pending: the first ones come without a sort.
_IN_ORDER = "ORDER BY published_at, renewal_rank, id LIMIT :room"
FIRST_TEXTS = text(f"{_DUE} AND renewal_rank IS NULL {_IN_ORDER}")
RENEWALS = text(f"{_DUE} AND renewal_rank IS NOT NULL {_IN_ORDER}")

DUE_OF_SAMPLE = text(f"{_DUE} AND id = ANY(CAST(:sample_ids AS bigint[])) ORDER BY id LIMIT :room")

# A lease that has ended means that a reviewer died; no lease for long, that a message was lost.
STALLED = text("""
    SELECT id, renewal_rank, clock_timestamp() AS read_at,
      lease_until IS NULL AND updated_at <= published_at AS unclaimed
    FROM avis WHERE outcome = 'pending' AND published_at IS NOT NULL
      AND (lease_until < clock_timestamp()
           OR lease_until IS NULL
              AND published_at < clock_timestamp() - make_interval(secs => :stall_seconds))
    ORDER BY published_at LIMIT :room
""")

# A row that changed since it was read and is not claimed was released: it needs a new message, not
# a mark. A row that is locked at this moment stays unmarked, and is sent twice.
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
        -- A lease that has ended is cleared: it would ask for another message at the next turn.
        lease_until = CASE WHEN lease_until > clock_timestamp() THEN lease_until END
    FROM sent WHERE avis.id = sent.id
""")

_RESTART = text("""
    UPDATE avis SET published_at = NULL, lease_until = NULL
    WHERE outcome = 'pending' AND (published_at IS NOT NULL OR lease_until IS NOT NULL)
      AND NOT EXISTS (SELECT FROM review_batch_lines l
        WHERE l.avis_id = avis.id AND l.claim_token = avis.claim_token)
""")


def forget_publications(engine: Engine) -> None:
    """Make every pending avis due for publication at once, but for those in a batch.

    Call it at the start of a process that is alone with its broker: its queue is empty, and the
    processes that held leases are dead. The answers of a batch still come.
    """
    with engine.begin() as connection:
        release_all(connection)
        connection.execute(_RESTART)


class _Databases(NamedTuple):
    """The connections of a turn. What they read is one transaction each."""

    control: Connection
    shards: Sequence[Connection]

    def commit(self) -> None:
        """End the transactions: their locks would hide rows from reviewers that get a message."""
        for connection in {self.control, *self.shards}:
            connection.commit()


@dataclass(frozen=True)
class Relay:
    """`publish` returns once the broker has confirmed, else it raises.

    `engine` has the lease of all relays. The avis are in `shards`, without shards in `engine`.
    """

    engine: Engine
    publish: Callable[[ReviewAvis], None]
    clock: Clock
    metrics: Metrics
    high_water: int
    stall_seconds: float
    shards: Sequence[Engine] = ()
    lease_seconds: float = LEASE_SECONDS

    @cached_property
    def _keeper(self) -> Keeper:
        return Keeper(LeaseName.RELAY, self.clock, self.lease_seconds)

    @property
    def works(self) -> bool:
        """Return whether this relay has the lease, as it last knew."""
        return self._keeper.holds

    def step(self) -> None:
        """Send stalled avis again, then due ones up to the high-water mark of all shards.

        Nothing is sent while the run is paused. A run that makes a sample sends only the sample,
        renewals at any rate: reviewers release avis that were published before. A turn with nothing
        to send is one transaction in each database. Raises LeaseLost.
        """
        if self._keeper.waits():
            return
        with ExitStack() as stack:
            control = stack.enter_context(self.engine.connect())
            if self._keeper.keep(control) is None:
                return
            budget = read_budget(control)
            if budget.paused:
                return
            shards = [
                control if engine is self.engine else stack.enter_context(engine.connect())
                for engine in self.shards or [self.engine]
            ]
            databases = _Databases(control, shards)
            self._send_again(databases)
            room = self.high_water - sum(each.scalar(IN_FLIGHT) or 0 for each in shards)
            if budget.sample_ids is not None:
                self._send_evenly(databases, room, DUE_OF_SAMPLE, sample_ids=budget.sample_ids)
            elif not self._awaits_more_room(room, shards, FIRST_TEXTS):
                room -= self._send_evenly(databases, room, FIRST_TEXTS)
                if not any(each.execute(FIRST_TEXTS, {"room": 1}).first() for each in shards):
                    self._send_renewals(databases, room, budget.renewals_per_day)

    def end(self) -> None:
        """Let another relay go on at once."""
        with self.engine.connect() as control:
            self._keeper.end(control)

    def _send_again(self, databases: _Databases) -> None:
        stalled = {"room": self.high_water, "stall_seconds": self.stall_seconds}
        for number, connection in enumerate(databases.shards):
            again = connection.execute(STALLED, stalled).all()
            sent = self._send(databases, number, again)
            self.metrics.avis_unclaimed.inc(sum(row.unclaimed for row in again[:sent]))

    def _awaits_more_room(self, room: int, shards: Sequence[Connection], query: TextClause) -> bool:
        """Return whether more is due than fits, while the room is smaller than a full message.

        Otherwise each finished text would make room for a message of one, and the queue would
        hold thousands of them.
        """
        if room <= 0 or room >= min(AVIS_PER_MESSAGE, self.high_water):
            return False
        return sum(len(each.execute(query, {"room": room + 1}).all()) for each in shards) > room

    def _send_evenly(
        self, databases: _Databases, room: int, query: TextClause, **values: object
    ) -> int:
        """Return how many were sent.

        The room is divided evenly, so that no shard waits for another's end. When more is due than
        fits, only full messages are sent.
        """
        sent, shards = 0, databases.shards
        for number, connection in enumerate(shards):
            share = ceil((room - sent) / (len(shards) - number))
            if share > 0:
                rows = connection.execute(query, {"room": share, **values}).all()
                sent += self._send(databases, number, _full_messages(rows, share))
        return sent

    def _send_renewals(self, databases: _Databases, room: int, per_day: int | None) -> None:
        """Send those of the lowest rank, in whatever shard they are, while the rate has slots."""
        control, shards = databases
        if room <= 0 or per_day == 0 or self._awaits_more_room(room, shards, RENEWALS):
            return
        if per_day is not None:
            room = min(room, most_at_once(per_day))
        read = [
            (row.renewal_rank, number, row)
            for number, connection in enumerate(shards)
            for row in connection.execute(RENEWALS, {"room": room})
        ]
        due = _full_messages(sorted(read, key=itemgetter(0, 1))[:room], room)
        if per_day is not None:
            due = due[: take_renewals(control, len(due))]
            control.commit()
        for number in range(len(shards)):
            rows = [row for _, shard, row in due if shard == number]
            self.metrics.renewals_published.inc(self._send(databases, number, rows))

    def _send(self, databases: _Databases, shard: int, rows: Sequence[Row[Any]]) -> int:
        """Return how many were sent: all, unless the process is asked to stop."""
        connection = databases.shards[shard]
        for start in range(0, len(rows), AVIS_PER_MESSAGE):
            if self.clock.stopping.is_set():
                return start
            message = rows[start : start + AVIS_PER_MESSAGE]
            ids = [row.id for row in message]
            databases.commit()
            lease = self._keeper.require(databases.control)
            self.publish(ReviewAvis(avis_ids=ids, shard=shard))
            (require if connection is databases.control else pass_on)(connection, lease)
            connection.execute(_MARK, {"ids": ids, "read_at": message[0].read_at})
            connection.commit()
            self.metrics.avis_published.inc(len(ids))
        return len(rows)


def _full_messages(rows: Sequence[_Row], room: int) -> Sequence[_Row]:
    """Return the rows of full messages where the room may have cut more off, else all rows."""
    if len(rows) == room > AVIS_PER_MESSAGE:
        return rows[: room - room % AVIS_PER_MESSAGE]
    return rows
