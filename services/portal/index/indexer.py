"""The indexer: reads what has changed of pages, and brings their entries up to date.

A batch is one transaction with the place in the log up to which it has read: a process that is
killed has done a batch, or nothing of it. Several indexers of a shard take turns.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import Engine, text

from services.portal.index import cursors, prefixes, rebuild
from services.portal.index.entries import PutEntries, put_pages
from shared import page_changes
from shared.clock import Clock
from shared.metrics import Metrics
from shared.page_changes import ChangeKind, Cursor, CursorLost

log = structlog.get_logger()

BATCH = 2000

# A search reads the whole list of pending entries: left alone, searches cost five times as much.
_CLEAN = text("SELECT clean_search_entries()")
_ENTRIES = text("""
    SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = CAST('search_entries' AS regclass)
""")


@dataclass(frozen=True)
class Indexer:
    """Keeps the index of one shard in step with its pages."""

    engine: Engine
    clock: Clock
    metrics: Metrics
    shard: str = "0"

    def step(self) -> None:
        """Follow the changes to their end; go on with a rebuild, ordered or needed."""
        goes_on = True
        while goes_on and not self.clock.stopping.is_set():
            try:
                changes, put = follow(self.engine)
            except CursorLost:
                log.info("the index is made from the pages", shard=self.shard)
                rebuild.begin(self.engine)
                continue
            self._count(put)
            done = rebuild.step(self.engine)
            if done is not None:
                self._count(done.put)
            if changes or done is not None:
                clean(self.engine)
            goes_on = changes == BATCH or (done is not None and not done.is_last)
        prefixes.renew(self.engine)
        self._measure()

    def _count(self, put: PutEntries) -> None:
        self.metrics.index_entries_put.inc(put.put)
        self.metrics.index_entries_taken.inc(put.taken)

    def _measure(self) -> None:
        with self.engine.connect() as connection:
            lag = cursors.lag_seconds(connection, cursors.INDEX)
            entries = connection.scalar(_ENTRIES)
            held = page_changes.held_seconds(connection)
        self.metrics.page_changes_held_seconds.labels(shard=self.shard).set(held)
        self.metrics.index_lag_seconds.labels(shard=self.shard).set(lag)
        self.metrics.index_entries.labels(shard=self.shard).set(entries or 0)


def follow(engine: Engine) -> tuple[int, PutEntries]:
    """Put the pages of the next changes; return the number of changes, at most `BATCH`.

    Raises CursorLost where nobody knows what has changed: the index was never made, or its place
    in the log is kept no more.
    """
    with engine.begin() as connection:
        position = cursors.hold(connection)
        if position is None:
            raise CursorLost("the index was never made")
        changes = page_changes.read(connection, Cursor.parse(position), BATCH)
        # A text is not searched in.
        pages = {
            each.pro_localisation_id: each.siren
            for each in changes.rows
            if each.kind is not ChangeKind.TEXT
        }
        put = put_pages(connection, pages) if pages else PutEntries(0, 0)
        if changes.rows:
            cursors.move(connection, cursors.INDEX, changes.next)
    return len(changes.rows), put


def clean(engine: Engine) -> None:
    """Move the pending entries into the index of lexemes."""
    with engine.begin() as connection:
        connection.execute(_CLEAN)
