"""The end of a batch whose records are in several databases: the sets of all shards together.

The slice that closes a batch holds the row of the batch and comes after all other slices of it.
No lock is taken in a shard.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Result, Row, TextClause, text

from services.writer.slices.receipts import OF_SETS, SETS, STATE_SETS

_SETS = SETS.format(last_received="CAST(:last_received AS text)")
_SELECT = f"SELECT {', '.join(f'{value} AS {name}' for name, value in OF_SETS.items())}"
# A query in a shard brings the rows of the control database with it, under their tables' names.
_KNOWN = """
    import_batches AS (
      SELECT * FROM json_populate_record(NULL::import_batches, CAST(:batch AS json))),
    import_pages AS (
      SELECT * FROM json_populate_recordset(NULL::import_pages, CAST(:pages AS json))),
    slice_receipts AS (SELECT * FROM shard_receipts WHERE batch_id = :batch_id),
"""
_LAST = "SELECT max(siret) FROM received"
_SETS_HERE = text(f"WITH {_SETS} {_SELECT}")
_SETS_THERE = text(f"WITH {_KNOWN} {_SETS} {_SELECT}")
_LAST_HERE = text(f"WITH {_SETS} {_LAST}")
_LAST_THERE = text(f"WITH {_KNOWN} {_SETS} {_LAST}")
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
            lasts = [
                last
                for found in self._query_each(connection, _LAST_HERE, _LAST_THERE, given)
                if (last := found.scalar_one()) is not None
            ]
            given["last_received"] = max(lasts, default=None)
        results = self._query_each(connection, _SETS_HERE, _SETS_THERE, given)
        parts = [result.one() for result in results]
        self._adopt_stranded(connection, given)
        connection.execute(_STATE, {"batch_id": batch_id, **_together(parts)})

    def _query_each(
        self, connection: Connection, here: TextClause, there: TextClause, given: dict[str, Any]
    ) -> Iterator[Result[Any]]:
        """Yield one result of each shard, to be read before the next one is asked for."""
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


def _together(parts: Sequence[Row[Any]]) -> dict[str, Any]:
    return {
        "received_distinct": sum(part.received_distinct for part in parts),
        "stored": sum(part.stored for part in parts),
        "missing": sorted(siret for part in parts for siret in part.missing),
        "surplus": sorted(siret for part in parts for siret in part.surplus),
    }
