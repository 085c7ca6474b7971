"""Where the operator reads its environment."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import dramatiq
from sqlalchemy import Connection, Engine

from shared.broker import make_broker
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import remote_urls
from shared.errors import UserError
from shared.settings import DatabaseSettings, ServiceSettings, load


def open_engine(*, statement_timeout_seconds: int = 60) -> Engine:
    """One connection; a timeout of 0 is for what reads whole tables."""
    settings = load(DatabaseSettings)
    return _engine(settings.database_url.get_secret_value(), statement_timeout_seconds)


def open_engines(*, statement_timeout_seconds: int = 60) -> tuple[Engine, ...]:
    """The control database first, then each shard that is no part of it; all of them current."""
    settings = load(DatabaseSettings)
    urls = (settings.database_url.get_secret_value(), *remote_urls(settings))
    engines = tuple(_engine(url, statement_timeout_seconds) for url in urls)
    with connected(engines) as connections:
        for connection in connections:
            require_current(connection)
    return engines


@contextmanager
def connected(
    engines: Iterable[Engine], *, write: bool = False
) -> Iterator[tuple[Connection, ...]]:
    """A connection to each; with `write` in a transaction, the first committed last."""
    with ExitStack() as stack:
        yield tuple(
            stack.enter_context(engine.begin() if write else engine.connect()) for engine in engines
        )


def _engine(url: str, statement_timeout_seconds: int) -> Engine:
    return make_engine(
        url,
        application_name="sirenade-operator",
        pool_size=1,
        statement_timeout_seconds=statement_timeout_seconds,
    )


def open_broker() -> dramatiq.Broker:
    url = load(ServiceSettings).broker_url.get_secret_value()
    if url.startswith("memory:"):
        raise UserError("nobody can publish to a memory:// broker from another process")
    return make_broker(url)
