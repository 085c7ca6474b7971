"""Connections and settings of the operator's commands, from the environment."""

from collections.abc import Sequence

from sqlalchemy import Engine

from shared.db.engine import make_engine
from shared.db.revision import require_current
from shared.db.shards import connected, remote_urls
from shared.settings import DatabaseSettings, load


def open_engine(*, statement_timeout_seconds: int = 60) -> Engine:
    """Open the control database, with one connection. A timeout of 0 allows whole tables."""
    return _open(all_urls(load(DatabaseSettings))[:1], statement_timeout_seconds)[0]


def open_engines(*, statement_timeout_seconds: int = 60) -> tuple[Engine, ...]:
    """Open the control database, then each shard in another one; all have the current schema."""
    return _open(all_urls(load(DatabaseSettings)), statement_timeout_seconds)


def all_urls(settings: DatabaseSettings) -> list[str]:
    """Return the URL of the control database, then of each shard in another one."""
    return [settings.database_url.get_secret_value(), *remote_urls(settings)]


def _open(urls: Sequence[str], statement_timeout_seconds: int) -> tuple[Engine, ...]:
    engines = tuple(make_operator_engine(url, statement_timeout_seconds) for url in urls)
    with connected(engines) as connections:
        for connection in connections:
            require_current(connection)
    return engines


def make_operator_engine(url: str, statement_timeout_seconds: int) -> Engine:
    return make_engine(
        url,
        application_name="sirenade-operator",
        pool_size=1,
        statement_timeout_seconds=statement_timeout_seconds,
    )
