"""The databases of the console: the control database, and the shards elsewhere."""

from collections.abc import Sequence

from sqlalchemy import Engine

from services.operator.connections import all_urls
from services.operator.console.settings import ConsoleSettings
from shared.db.engine import make_engine

# A screen answers within 200 ms; a bulk action may take a while.
_STATEMENT_TIMEOUT_SECONDS = 30


def open_databases(settings: ConsoleSettings) -> Sequence[Engine]:
    """Return an engine of the control database, then of each shard in another one."""
    return [
        make_engine(
            url,
            application_name="sirenade-console",
            pool_size=settings.console_connections,
            statement_timeout_seconds=_STATEMENT_TIMEOUT_SECONDS,
        )
        for url in all_urls(settings)
    ]
