"""The databases of the console: the control database, and the shards elsewhere."""

from collections.abc import Sequence

from sqlalchemy import Engine

from services.operator.connections import all_urls
from services.operator.console.lookout import Lookout
from services.operator.console.settings import ConsoleSettings
from shared.clock import Clock
from shared.db.engine import make_engine

# A screen answers within 200 ms; a bulk action may take a while.
_STATEMENT_TIMEOUT_SECONDS = 30
_LOOK_TIMEOUT_SECONDS = 10


def open_databases(settings: ConsoleSettings) -> Sequence[Engine]:
    """Return an engine of the control database, then of each shard in another one."""
    return _open(settings, settings.console_connections, _STATEMENT_TIMEOUT_SECONDS)


def open_lookout(settings: ConsoleSettings, clock: Clock) -> Lookout:
    """Return the lookout, with a connection of its own to each database."""
    return Lookout(settings, _open(settings, 1, _LOOK_TIMEOUT_SECONDS), clock)


def _open(settings: ConsoleSettings, size: int, seconds: int) -> list[Engine]:
    return [
        make_engine(
            url,
            application_name="sirenade-console",
            pool_size=size,
            statement_timeout_seconds=seconds,
        )
        for url in all_urls(settings)
    ]
