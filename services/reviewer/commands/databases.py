"""The databases that commands on avis read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from services.reviewer.contexts.reader import ContextReader
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.revision import current_engine, require_current
from shared.db.shards import open_shards, require_one_database
from shared.settings import DatabaseSettings, load

_NAME = "sirenade-avis"


@dataclass(frozen=True)
class Databases:
    """`shards` includes the control database when that is a shard too."""

    control: Engine
    shards: tuple[Engine, ...]

    @property
    def contexts(self) -> ContextReader:
        return ContextReader(self.control, self.shards, Clock())


@contextmanager
def databases() -> Iterator[Databases]:
    """Open one connection to each. Raises UserError when a database is not current."""
    settings = load(DatabaseSettings)
    control = make_engine(
        settings.database_url.get_secret_value(), application_name=_NAME, pool_size=1
    )
    shards = open_shards(settings, control, application_name=_NAME, pool_size=1)
    try:
        for engine in {control, *shards}:
            with engine.connect() as connection:
                require_current(connection)
        yield Databases(control, shards)
    finally:
        for engine in {control, *shards}:
            engine.dispose()


@contextmanager
def register(name: str, *, statement_timeout_seconds: int = 60) -> Iterator[Engine]:
    """Open the database of a register that is in one. Raises UserError when it is not current.

    `name` is the application's name in PostgreSQL. A timeout of 0 means none.
    """
    settings = load(DatabaseSettings)
    require_one_database(settings)
    with current_engine(
        settings.database_url.get_secret_value(),
        application_name=name,
        statement_timeout_seconds=statement_timeout_seconds,
    ) as engine:
        yield engine
