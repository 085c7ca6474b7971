"""The receipts and the end of a batch whose records are in several databases.

A slice leaves a receipt in the shard of its rows too: its counters are in another database. The
slice that closes a batch holds the row of the batch and comes after all other slices of it.
No lock is taken in a shard.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Result, TextClause, text

from services.writer.slices.receipts import OF_SETS, OUTCOMES, SETS, STATE_SETS, place_of
from shared.messages import WriteSlice

_SETS = SETS.format(last_received="CAST(:last_received AS text)")
# A query in a shard brings the rows of the control database with it, under their tables' names.
_KNOWN = """
    import_batches AS (
      SELECT * FROM json_populate_record(NULL::import_batches, CAST(:batch AS json))),
    import_pages AS (
      SELECT * FROM json_populate_recordset(NULL::import_pages, CAST(:pages AS json))),
    slice_receipts AS (SELECT * FROM shard_receipts WHERE batch_id = :batch_id),
"""


def _each(select: str) -> tuple[TextClause, TextClause]:
    """Return the query for the control database, and that for the other shards."""
    return text(f"WITH {_SETS} {select}"), text(f"WITH {_KNOWN} {_SETS} {select}")


_LAST = _each("SELECT max(siret) FROM received")
_PARTS = _each(f"SELECT {', '.join(f'{value} AS {name}' for name, value in OF_SETS.items())}")
_BATCH = text("""
    SELECT row_to_json(b)::text AS batch, b.row_limit, (
      SELECT coalesce(json_agg(json_build_object(
        'batch_id', p.batch_id, 'number', p.number, 'fetch_id', p.fetch_id)), '[]')::text
      FROM import_pages p WHERE p.batch_id = b.id) AS pages
    FROM import_batches b WHERE b.id = :batch_id
""")
_STATE = text(
    STATE_SETS.format(
        received_distinct=":received_distinct",
        stored=":stored",
        missing="CAST(:missing AS text[])",
        surplus="CAST(:surplus AS text[])",
    )
)
# A writer was killed between its two commits, and then the INSEE page was fetched again: that slice
# is delivered no more, and its rows would never be counted.
_STRANDED = text("""
    SELECT coalesce(json_agg(r), '[]')::text
    FROM (SELECT batch_id, page, fetch_id, slice, records, inserted, updated, unchanged, failed
      FROM shard_receipts WHERE batch_id = :batch_id) r
    LEFT JOIN json_populate_recordset(NULL::import_pages, CAST(:pages AS json)) p
      ON p.number = r.page AND p.fetch_id = r.fetch_id
    WHERE p.fetch_id IS NULL
""")
_ADOPT = text("""
    WITH stranded AS (
      SELECT * FROM json_populate_recordset(NULL::shard_receipts, CAST(:receipts AS json))),
    adopted AS (
      INSERT INTO slice_receipts (batch_id, page, fetch_id, slice, records, sirets)
      SELECT batch_id, page, fetch_id, slice, records, '{}' FROM stranded
      ON CONFLICT DO NOTHING
      RETURNING page, fetch_id, slice)
    UPDATE import_batches b SET
      inserted = b.inserted + n.inserted,
      updated = b.updated + n.updated,
      unchanged = b.unchanged + n.unchanged,
      failed = b.failed + n.failed
    FROM (
      SELECT sum(inserted) AS inserted, sum(updated) AS updated, sum(unchanged) AS unchanged,
        sum(failed) AS failed
      FROM stranded JOIN adopted USING (page, fetch_id, slice)
      HAVING count(*) > 0) n
    WHERE b.id = :batch_id
""")
_PLACE = "batch_id = :batch_id AND page = :page AND fetch_id = :fetch_id AND slice = :slice"
# It waits for a commit that a writer sent before it was killed.
_LEAVE = text("""
    INSERT INTO shard_receipts (batch_id, page, fetch_id, slice, records, sirets,
      inserted, updated, unchanged, failed)
    VALUES (:batch_id, :page, :fetch_id, :slice, :records, string_to_array(:sirets, ' '),
      0, 0, 0, 0)
    ON CONFLICT DO NOTHING
    RETURNING 1
""")
_NOTE = text(f"""
    UPDATE shard_receipts SET {", ".join(f"{name} = :{name}" for name in OUTCOMES)} WHERE {_PLACE}
""")
_RECALL = text(f"SELECT {', '.join(OUTCOMES)} FROM shard_receipts WHERE {_PLACE}")


def leave(connection: Connection, message: WriteSlice, records: int, sirets: Sequence[str]) -> bool:
    """Leave the receipt before the rows; return False where they are written already."""
    receipt = {**_place(message), "records": records, "sirets": " ".join(sirets)}
    return connection.execute(_LEAVE, receipt).one_or_none() is not None


def note(connection: Connection, message: WriteSlice, outcomes: Mapping[str, int]) -> None:
    """Keep the outcomes on the receipt, for a later delivery that has to count them."""
    connection.execute(_NOTE, {**_place(message), **outcomes})


def recall(connection: Connection, message: WriteSlice) -> dict[str, Any]:
    """Return the outcomes that were noted."""
    row = connection.execute(_RECALL, _place(message)).one()
    return {name: getattr(row, name) for name in OUTCOMES}


def _place(message: WriteSlice) -> dict[str, int]:
    return {**place_of(message), "slice": message.slice}


@dataclass(frozen=True)
class ShardedClose:
    """Closes a batch that has a part in every shard; `control` may be one of the shards."""

    control: Engine
    shards: Sequence[Engine]

    def __call__(self, connection: Connection, batch_id: int) -> None:
        known = connection.execute(_BATCH, {"batch_id": batch_id}).one()
        given: dict[str, Any] = {
            "batch_id": batch_id,
            "batch": known.batch,
            "pages": known.pages,
            "last_received": None,
        }
        if known.row_limit is not None:
            lasts = [found.scalar_one() for found in self._query_each(connection, _LAST, given)]
            given["last_received"] = max(filter(None, lasts), default=None)
        parts = [result.one() for result in self._query_each(connection, _PARTS, given)]
        self._adopt_stranded(connection, given)
        together = {
            "received_distinct": sum(part.received_distinct for part in parts),
            "stored": sum(part.stored for part in parts),
            "missing": sorted(siret for part in parts for siret in part.missing),
            "surplus": sorted(siret for part in parts for siret in part.surplus),
        }
        connection.execute(_STATE, {"batch_id": batch_id, **together})

    def _query_each(
        self, connection: Connection, queries: tuple[TextClause, TextClause], given: dict[str, Any]
    ) -> Iterator[Result[Any]]:
        """Yield one result of each shard, to be read before the next one is asked for."""
        here, there = queries
        for shard in self.shards:
            if shard is self.control:
                yield connection.execute(here, given)
                continue
            with shard.connect() as elsewhere:
                yield elsewhere.execute(there, given)

    def _adopt_stranded(self, connection: Connection, given: dict[str, Any]) -> None:
        for shard in self.shards:
            if shard is not self.control:
                with shard.connect() as elsewhere:
                    receipts = elsewhere.execute(_STRANDED, given).scalar_one()
                connection.execute(_ADOPT, {"batch_id": given["batch_id"], "receipts": receipts})
