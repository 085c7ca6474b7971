"""The state of a shard's indexes: their names at both ends, and how far each of them is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from services.portal.elasticsearch.indexes import ShardIndexes
from services.portal.index import cursors
from shared.db.leases.keeper import kept
from shared.db.leases.rows import LeaseName, require

# Another indexer goes on after this time where one was killed.
_LEASE_SECONDS = 6.0
_LEASE = "sirenade_lease"
LOG, SERVED, REBUILD = "elasticsearch", "elasticsearch-served", "elasticsearch-rebuild"


class RebuildPlace(NamedTuple):
    """The index that is made, and the last page that it was given."""

    name: str
    after: int

    def __str__(self) -> str:
        return f"{self.name}:{self.after}"


@dataclass(frozen=True)
class IndexPlaces:
    """The names as Elasticsearch has them (`served`, `coming`) and as they were noted here."""

    served: str | None
    coming: str | None
    noted: str | None
    rebuild: RebuildPlace | None

    @property
    def is_known(self) -> bool:
        """Return whether the index that is searched is the one that was made here."""
        return self.served is not None and self.served == self.noted

    @property
    def was_swapped(self) -> bool:
        """Return whether the index that was made is searched, and nobody noted it yet."""
        return self.rebuild is not None and self.rebuild.name == self.served

    @property
    def is_rebuilt(self) -> bool:
        """Return whether a rebuild goes on."""
        return self.rebuild is not None and self.rebuild.name == self.coming


def read_places(connection: Connection, indexes: ShardIndexes) -> IndexPlaces:
    """Read the state at both ends. Raises ElasticsearchAway, ElasticsearchRefusal."""
    with connection.begin():
        noted, rebuild = (cursors.read(connection, name) for name in (SERVED, REBUILD))
    place = None
    if rebuild is not None and rebuild.position is not None:
        name, _, after = rebuild.position.rpartition(":")
        place = RebuildPlace(name, int(after))
    return IndexPlaces(
        served=indexes.name_of(indexes.served),
        coming=indexes.name_of(indexes.coming),
        noted=None if noted is None else noted.position,
        rebuild=place,
    )


@contextmanager
def held(engine: Engine) -> Iterator[Connection | None]:
    """Yield a connection while nobody else writes into the shard's indexes; None where one does.

    No transaction is open meanwhile: it would hold the log up for as long as Elasticsearch takes.
    """
    with kept(engine, LeaseName.ELASTICSEARCH, seconds=_LEASE_SECONDS) as lease:
        if lease is None:
            yield None
            return
        with engine.connect() as connection:
            connection.info[_LEASE] = lease
            try:
                yield connection
            finally:
                connection.info.pop(_LEASE, None)


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Begin a transaction that counts only while the lease of `held` does. Raises LeaseLost."""
    with connection.begin():
        lease = connection.info.get(_LEASE)
        if lease is not None:
            require(connection, lease)
        yield
