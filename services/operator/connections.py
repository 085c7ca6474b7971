"""Connections and settings of the operator's commands, from the environment."""

from pathlib import Path

import dramatiq
from sqlalchemy import Engine

from shared.broker import make_broker
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import connected, remote_urls
from shared.errors import UserError
from shared.settings import DatabaseSettings, LogSettings, ServiceSettings, load


def open_engine(*, statement_timeout_seconds: int = 60) -> Engine:
    """Open the control database, with one connection. A timeout of 0 allows whole tables."""
    url = load(DatabaseSettings).database_url.get_secret_value()
    engine = make_operator_engine(url, statement_timeout_seconds)
    with engine.connect() as connection:
        require_current(connection)
    return engine


def open_engines(*, statement_timeout_seconds: int = 60) -> tuple[Engine, ...]:
    """Open the control database, then each shard in another one; all have the current schema."""
    settings = load(DatabaseSettings)
    urls = (settings.database_url.get_secret_value(), *remote_urls(settings))
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


def log_directory() -> Path:
    """Return the folder of log files. Raises UserError where it is not set or does not exist."""
    directory = load(LogSettings).log_directory
    if directory is None:
        raise UserError("name the files, or set SIRENADE_LOG_DIRECTORY")
    if not directory.is_dir():
        raise UserError(f"there is no folder {directory}")
    return directory


def open_broker() -> dramatiq.Broker:
    url = load(ServiceSettings).broker_url.get_secret_value()
    if url.startswith("memory:"):
        raise UserError("another process cannot publish to a memory:// broker")
    return make_broker(url)
