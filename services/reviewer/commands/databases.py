"""How the commands about money reach the databases: the budget's, then the register's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import open_shards
from shared.settings import DatabaseSettings, load

_NAME = "sirenade-avis"


@dataclass(frozen=True)
class Databases:
    """`shards` holds the control database too, where it is one of them."""

    control: Engine
    shards: tuple[Engine, ...]


@contextmanager
def databases() -> Iterator[Databases]:
    """One connection to each. Raises UserError where one is not current."""
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
