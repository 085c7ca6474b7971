"""A keeper of a lease: a loop keeps it from turn to turn, a command in a thread beside its work."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection, Engine, event

from shared.clock import Clock
from shared.db.leases.rows import (
    Lease,
    LeaseLost,
    LeaseName,
    held_until,
    release,
    renew,
    require,
    take,
)
from shared.db.outages import slowing_down
from shared.errors import SlowDown

log = structlog.get_logger()

# A renewal may fail twice, and a process that waits finds the lease soon after its deadline.
_RENEWALS = 3
_LOOKS = 5
_LOOK_SECONDS = 0.2


@dataclass
class Keeper:
    """Takes a lease and keeps it from turn to turn; for one thread.

    While it holds the lease, a turn costs no statement but for one renewal in a third of the time.
    While another process does, it looks every fifth of it.
    """

    name: LeaseName
    clock: Clock
    seconds: float
    _lease: Lease | None = field(default=None, init=False)
    _next_look: float = field(default=0.0, init=False)

    @property
    def holds(self) -> bool:
        """Return whether it has the lease, as it last knew."""
        return self._lease is not None

    def waits(self) -> bool:
        """Return whether another process has the lease, and it is too soon to look again."""
        return self._lease is None and self.clock.monotonic_seconds() < self._next_look

    def keep(self, connection: Connection) -> Lease | None:
        """Return the lease, renewed in time; None where another process has it.

        It commits what it writes.
        """
        now = self.clock.monotonic_seconds()
        if now < self._next_look:
            return self._lease
        lease = self._lease
        if lease is not None and not _renewed(connection, lease, self.seconds):
            lease = None
        if lease is None:
            lease = take(connection, self.name, seconds=self.seconds)
        connection.commit()
        # It stays where the database failed meanwhile: the next turn renews it.
        self._lease = lease
        self._next_look = now + self.seconds / (_LOOKS if lease is None else _RENEWALS)
        return lease

    def require(self, connection: Connection) -> Lease:
        """Return the lease that this turn began with, renewed in time. Raises LeaseLost."""
        before = self._lease
        lease = self.keep(connection)
        if lease is None or lease != before:
            raise LeaseLost(f"another process had the lease {self.name} meanwhile")
        return lease

    def end(self, connection: Connection) -> None:
        """Let others take the lease at once."""
        held, self._lease = self._lease, None
        if held is not None:
            release(connection, held)
            connection.commit()
        self._next_look = 0.0


def _renewed(connection: Connection, lease: Lease, seconds: float) -> bool:
    try:
        renew(connection, lease, seconds=seconds)
    except LeaseLost:
        return False
    return True


@contextmanager
def kept(engine: Engine, name: LeaseName, *, seconds: float) -> Iterator[Lease | None]:
    """Yield the lease, which a thread renews until the block ends; None where another has it.

    It waits for the deadline of a holder that was killed, and not for one that renews its lease.
    The thread takes a connection now and then.
    """
    lease = _take_patiently(engine, name, seconds)
    if lease is None:
        yield None
        return
    ended = threading.Event()
    arguments = (engine, lease, seconds, ended)
    thread = threading.Thread(target=_renew_on, args=arguments, name=f"lease {name}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        ended.set()
        thread.join()
        _release(engine, lease)


def _take_patiently(engine: Engine, name: LeaseName, seconds: float) -> Lease | None:
    give_up_at, seen = time.monotonic() + 2 * seconds, None
    while True:
        with engine.begin() as connection:
            lease = take(connection, name, seconds=seconds)
            until = held_until(connection, name)
        goes_on = None not in {seen, until} and until != seen
        if lease is not None or goes_on or time.monotonic() > give_up_at:
            return lease
        seen = until
        time.sleep(_LOOK_SECONDS)


def is_renewed(engine: Engine, name: LeaseName) -> bool:
    """Wait for the next renewal of a lease, or for its deadline; return whether it was renewed."""
    first = None
    while True:
        with engine.begin() as connection:
            until = held_until(connection, name)
        if until is None or until != (first or until):
            return until is not None
        first = until
        time.sleep(_LOOK_SECONDS)


def _renew_on(engine: Engine, lease: Lease, seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds / _RENEWALS):
        try:
            with slowing_down(), engine.begin() as connection:
                renew(connection, lease, seconds=seconds)
        except SlowDown as error:
            log.warning("lease not renewed", lease=lease.name, reason=str(error))
        except LeaseLost:
            log.warning("lease lost to another process", lease=lease.name)
            return


def _release(engine: Engine, lease: Lease) -> None:
    """Release what is still held; a database that is away frees it at the deadline."""
    try:
        with slowing_down(), engine.begin() as connection:
            release(connection, lease)
    except (SlowDown, LeaseLost):
        return


def fence(engine: Engine, lease: Lease) -> None:
    """Let each transaction of the engine begin with `require`, which raises LeaseLost."""

    def begin(connection: Connection) -> None:
        require(connection, lease)

    event.listen(engine, "begin", begin)
