"""The database of a unit, among those of a visit."""

from collections.abc import Sequence

from sqlalchemy import Connection

from services.operator.console.visits import Visit
from shared.db.shards import url_for
from shared.db_url import database_address


def home_of(visit: Visit, connections: Sequence[Connection], siren: str) -> Connection:
    """Return the connection to the shard of this unit."""
    address = database_address(url_for(visit.settings, siren))
    return next(each for each in connections if database_address(each.engine.url) == address)
