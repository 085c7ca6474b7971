"""The engine of PostgreSQL connections: named, bounded, with time limits on the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event

from shared.db.connections.deadlines import TimedCursor, timed
from shared.db.connections.idle import look_before_use
from shared.db.connections.parameters import parameters
from shared.db.connections.poolers import LOCK_TIMEOUT
from shared.db.connections.servers import Servers
from shared.db.restore_marks import refuse_marked
from shared.db_url import normalise_url


def make_engine(
    url: str,
    *,
    application_name: str,
    pool_size: int = 2,
    statement_timeout_seconds: int = 60,
    marked_too: bool = False,
) -> Engine:
    """Make an engine; the server ends hanging statements, waits for locks and idle transactions.

    Where the server itself hangs, the client gives the connection up a little later. Without
    `marked_too`, each connection to a database that was restored and not erased again raises
    OperationalError.
    """
    settings = {
        "statement_timeout": f"{statement_timeout_seconds}s",
        "lock_timeout": LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": "60s",
    }
    parsed = normalise_url(url)
    servers = Servers(parsed)
    engine = create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        # Parameters hold names and texts, which must not stand in an error's message.
        hide_parameters=True,
    )
    own = {
        **parameters(application_name, settings),
        "connection_factory": timed(statement_timeout_seconds),
        "cursor_factory": TimedCursor,
    }

    def connect(*_unused: object) -> Any:
        return servers.connect(own)

    event.listen(engine, "do_connect", connect)
    look_before_use(engine)
    if not marked_too:
        event.listen(engine, "connect", refuse_marked)
    return engine


@contextmanager
def temporary_engine(url: str, **options: Any) -> Iterator[Engine]:
    """Make an engine with these options of `make_engine`; dispose of it after the block."""
    engine = make_engine(url, **options)
    try:
        yield engine
    finally:
        engine.dispose()
