"""The follower: brings Elasticsearch up to date with the pages of a shard, and makes its index.

It reads the log of page changes on its own, so that an absence of Elasticsearch stops nothing else:
when it is there again, the follower goes on where it was. The place in the log moves on when all
changes before it are confirmed. A rebuild makes a new index beside the one that is searched, from
the pages in the order of their ids, while changes go to both; then searches go to the new one, in
one step, and the other is deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection, Engine

from services.portal.elasticsearch.bulk import Operation, WrittenDocuments, write
from services.portal.elasticsearch.indexes import ShardIndexes
from services.portal.index import cursors, rebuild
from services.portal.index.elasticsearch import snapshots
from services.portal.index.elasticsearch.places import (
    LOG,
    REBUILD,
    SERVED,
    IndexPlaces,
    RebuildPlace,
    held,
    read_places,
    writing,
)
from shared import page_changes
from shared.clock import Clock
from shared.metrics import Metrics
from shared.page_changes import Cursor, CursorLost

log = structlog.get_logger()


@dataclass
class Follower:
    """Keeps the indexes of one shard in step with its pages."""

    engine: Engine
    indexes: ShardIndexes
    clock: Clock
    metrics: Metrics
    _sent_ahead: frozenset[Cursor] = field(default_factory=frozenset)

    def step(self) -> None:
        """Follow the changes to their end; begin a rebuild where one is needed, and go on with it.

        Raises ElasticsearchAway, ElasticsearchRefusal.
        """
        self._measure()
        while not self.clock.stopping.is_set():
            with held(self.engine) as connection:
                if connection is None or not self._turn(connection):
                    break
        self._measure()

    def order_rebuild(self) -> None:
        """Begin a rebuild where none goes on; it waits for whoever writes now."""
        done = False
        while not done and not self.clock.stopping.is_set():
            with held(self.engine) as connection:
                if connection is not None:
                    if not self._places(connection).is_rebuilt:
                        self._begin(connection)
                    done = True
            if not done:
                self.clock.wait(0.2)

    def is_rebuilt(self) -> bool:
        """Return whether a rebuild goes on."""
        with self.engine.connect() as connection:
            return read_places(connection, self.indexes).is_rebuilt

    def withdraw(self) -> None:
        """Delete the indexes, and forget how far they were made."""
        for alias in (self.indexes.coming, self.indexes.served):
            self.indexes.delete(alias)
        with self.engine.begin() as connection:
            for name in (REBUILD, SERVED, LOG):
                cursors.end(connection, name)

    def _turn(self, connection: Connection) -> bool:
        """Do the next part of the work; return whether there is more."""
        places = self._places(connection)
        if not places.is_known and not places.is_rebuilt:
            self._begin(connection)
            return True
        aliases = [self.indexes.served] if places.served is not None else []
        aliases += [self.indexes.coming] if places.is_rebuilt else []
        self._erase_ahead(connection, aliases)
        try:
            changes = snapshots.read_changes(connection)
        except CursorLost:
            log.info("Elasticsearch's index is made from the pages", shard=self.indexes.shard)
            with writing(connection):
                cursors.end(connection, LOG)
            self._begin(connection)
            return True
        self._write(aliases, changes.operations)
        if changes.number:
            with writing(connection):
                cursors.move(connection, LOG, changes.next)
        goes_on = changes.number == snapshots.BATCH
        return (places.is_rebuilt and self._rebuild(connection, places.rebuild)) or goes_on

    def _places(self, connection: Connection) -> IndexPlaces:
        places = read_places(connection, self.indexes)
        if places.was_swapped:
            # Whoever swapped was killed before it could say so.
            self._note_swap(connection, places.served)
            places = read_places(connection, self.indexes)
        return places

    def _begin(self, connection: Connection) -> None:
        """Make an empty index; its changes are followed from here on."""
        name = self.indexes.create()
        with writing(connection):
            cursors.move(connection, REBUILD, RebuildPlace(name, 0))
            place = cursors.read(connection, LOG)
            if place is None or place.position is None:
                cursors.move(connection, LOG, page_changes.latest(connection))

    def _erase_ahead(self, connection: Connection, aliases: Sequence[str]) -> None:
        """Empty what was erased, although the order of the log is held up by a transaction."""
        found = snapshots.read_erasures(connection)
        new = [operation for each, operation in found.items() if each not in self._sent_ahead]
        self._write(aliases, new)
        self._sent_ahead = frozenset(found)

    def _rebuild(self, connection: Connection, place: RebuildPlace | None) -> bool:
        """Give the next pages to the index that is made; return whether there are more."""
        assert place is not None
        pages = snapshots.read_pages(connection, place.after)
        self._write([self.indexes.coming], pages.operations)
        if pages.number == rebuild.STEP:
            with writing(connection):
                cursors.move(connection, REBUILD, RebuildPlace(place.name, pages.last))
            return True
        self.indexes.swap(place.name)
        self._note_swap(connection, place.name)
        return False

    def _note_swap(self, connection: Connection, name: str | None) -> None:
        with writing(connection):
            cursors.move(connection, SERVED, name)
            cursors.end(connection, REBUILD)

    def _write(self, aliases: Sequence[str], operations: Sequence[Operation]) -> None:
        for alias in aliases if operations else ():
            self._count(write(self.indexes.server, alias, operations, self.clock.wait))

    def _count(self, written: WrittenDocuments) -> None:
        documents = self.metrics.elasticsearch_documents
        for result, number in vars(written).items():
            documents.labels(result=result).inc(number)

    def _measure(self) -> None:
        with self.engine.connect() as connection:
            lag = cursors.lag_seconds(connection, LOG)
        shard = str(self.indexes.shard)
        self.metrics.elasticsearch_lag_seconds.labels(shard=shard).set(lag)
