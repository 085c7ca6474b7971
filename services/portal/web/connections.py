"""The connections to a database: a few threads, each with its own, and statements prepared once.

Planning the query of a page costs PostgreSQL five times its run (docs/adr/0035-portal.md).
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import psycopg2
import psycopg2.extensions

from shared.db.connections.deadlines import TimedCursor, timed
from shared.db.connections.parameters import parameters
from shared.db.connections.servers import Servers
from shared.db.outages import is_outage, slowing_down
from shared.db.restore_marks import refuse_marked
from shared.db_url import normalise_url
from shared.errors import SlowDown
from shared.sharding import route

STATEMENT_TIMEOUT_SECONDS = 2.0
_OPTIONS = {
    "statement_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "30s",
    # The plan for an array of unknown length would be made anew at each run.
    "plan_cache_mode": "force_generic_plan",
    "random_page_cost": "1.1",
    "jit": "off",
}
# Work that waits longer than this many turns of each connection would come too late.
_WAITING_PER_CONNECTION = 32

Row = tuple[Any, ...]
T = TypeVar("T")


class PreparedStatement(NamedTuple):
    """A statement that each connection prepares once. Its parameters are $1, $2 … in order.

    `types` are the types of the parameters; those that are left out PostgreSQL finds itself.
    """

    name: str
    text: str
    types: Sequence[str] = ()


class Session:
    """One connection, for one thread at a time; each statement is a transaction of its own."""

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self._connection = connection
        self._prepared: set[str] = set()

    def rows(
        self, statement: PreparedStatement | str, parameters: Sequence[object] = ()
    ) -> list[Row]:
        """Return the rows of a statement, or of SQL text with %s; none where it yields none."""
        with self._connection.cursor() as cursor:
            if isinstance(statement, str):
                cursor.execute(statement, parameters)
            else:
                self._prepare(cursor, statement)
                places = ", ".join(["%s"] * len(parameters))
                execution = f"EXECUTE {statement.name}" + (f" ({places})" if places else "")
                cursor.execute(execution, parameters)
            return cursor.fetchall() if cursor.description else []

    def _prepare(self, cursor: psycopg2.extensions.cursor, statement: PreparedStatement) -> None:
        if statement.name not in self._prepared:
            types = f" ({', '.join(statement.types)})" if statement.types else ""
            cursor.execute(f"PREPARE {statement.name}{types} AS {statement.text}")
            self._prepared.add(statement.name)

    def close(self) -> None:
        self._connection.close()


class Connections:
    """The connections to one database; a lost one is opened again."""

    def __init__(self, url: str, *, size: int, application_name: str = "sirenade-portal") -> None:
        self.size = size
        self._servers = Servers(normalise_url(url))
        self._parameters = {
            **parameters(application_name, _OPTIONS),
            "connection_factory": timed(STATEMENT_TIMEOUT_SECONDS),
            "cursor_factory": TimedCursor,
        }
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=application_name)
        self._own = threading.local()
        self._open: set[Session] = set()
        self._lock = threading.Lock()
        self._asked = 0

    @property
    def asked(self) -> int:
        """Return the number of works that run or wait."""
        return self._asked

    async def run(
        self, statement: PreparedStatement | str, parameters: Sequence[object] = ()
    ) -> list[Row]:
        """Return the rows. Raises SlowDown where the server is away, or it takes too long."""
        return await self.call(lambda session: session.rows(statement, parameters))

    async def call(self, work: Callable[[Session], T]) -> T:
        """Do work with one connection, in its thread. It may be done twice: it must only read.

        Raises SlowDown as `run` does, and where too many wait already.
        """
        if self._asked >= self.size * (1 + _WAITING_PER_CONNECTION):
            raise SlowDown("too many wait for the database", retry_after_seconds=1.0)
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._do, work)
        finally:
            self._asked -= 1

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        with self._lock:
            for session in self._open:
                session.close()
            self._open.clear()

    def _do(self, work: Callable[[Session], T]) -> T:
        with slowing_down():
            session: Session | None = getattr(self._own, "session", None)
            if session is not None:
                try:
                    return work(session)
                except psycopg2.Error as error:
                    if not is_outage(error):
                        raise
                    self._forget(session)
            session = self._own.session = self._connect()
            try:
                return work(session)
            except psycopg2.Error as error:
                if is_outage(error):
                    self._forget(session)
                raise

    def _connect(self) -> Session:
        connection = self._servers.connect(self._parameters)
        refuse_marked(connection, None)
        connection.autocommit = True
        session = Session(connection)
        with self._lock:
            self._open.add(session)
        return session

    def _forget(self, session: Session) -> None:
        self._own.session = None
        with self._lock:
            self._open.discard(session)
        session.close()


class PortalDatabases:
    """The control database and the shards of the register, in order."""

    def __init__(self, control: Connections, shards: Sequence[Connections]) -> None:
        self.control = control
        self.shards = tuple(shards)

    def of(self, siren_or_siret: str) -> Connections:
        """Return the shard of a unit, or of an establishment."""
        return self.shards[route(siren_or_siret[:9], len(self.shards))]

    def number_of(self, siren_or_siret: str) -> int:
        return route(siren_or_siret[:9], len(self.shards))

    async def each(
        self, statement: PreparedStatement | str, parameters: Sequence[object] = ()
    ) -> list[list[Row]]:
        """Return the rows of every shard, asked at once."""
        return await asyncio.gather(*(each.run(statement, parameters) for each in self.shards))

    def close(self) -> None:
        for connections in {self.control, *self.shards}:
            connections.close()
