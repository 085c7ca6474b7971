"""The end of a batch whose records are in several databases: the same sets, put together.

Whoever closes a batch holds its row, and so comes after every slice of it; no lock is taken in a
shard.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Result, Row, TextClause, text

from services.writer.slices.receipts import OF_SETS, SETS, STATE_SETS

_SETS = SETS.format(last_received="CAST(:last_received AS text)")
_SELECT = f"SELECT {', '.join(f'{value} AS {name}' for name, value in OF_SETS.items())}"
# In a shard, what the control database knows comes with the query, under the names that it has.
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
# Rows of a writer that was killed between its two commits, before the page was fetched again:
# nobody will deliver that slice any more, and what it did would never be counted.
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
class Closing:
    """Closes a batch of which every shard holds a part, `control` perhaps among them."""

    control: Engine
    shards: Sequence[Engine]

    def __call__(self, connection: Connection, batch_id: int) -> None:
        known = connection.execute(_BATCH, {"batch_id": batch_id}).one()
        ask = {"batch_id": batch_id, "batch": known.batch, "pages": known.pages}
        ask["last_received"] = None
        if known.row_limit is not None:
            lasts = [
                last
                for found in self._ask(connection, _LAST_HERE, _LAST_THERE, ask)
                if (last := found.scalar_one()) is not None
            ]
            ask["last_received"] = max(lasts, default=None)
        parts = [found.one() for found in self._ask(connection, _SETS_HERE, _SETS_THERE, ask)]
        self._adopt_stranded(connection, ask)
        connection.execute(_STATE, {"batch_id": batch_id, **_together(parts)})

    def _ask(
        self, connection: Connection, here: TextClause, there: TextClause, ask: dict[str, Any]
    ) -> Iterator[Result[Any]]:
        """One result of each shard, to be read before the next; one in `control` is here."""
        for shard in self.shards:
            if shard is self.control:
                yield connection.execute(here, ask)
                continue
            with shard.connect() as elsewhere:
                yield elsewhere.execute(there, ask)

    def _adopt_stranded(self, connection: Connection, ask: dict[str, Any]) -> None:
        for shard in self.shards:
            if shard is not self.control:
                with shard.connect() as elsewhere:
                    receipts = elsewhere.execute(_STRANDED, ask).scalar_one()
                connection.execute(_ADOPT, {"batch_id": ask["batch_id"], "receipts": receipts})


def _together(parts: Sequence[Row[Any]]) -> dict[str, Any]:
    return {
        "received_distinct": sum(part.received_distinct for part in parts),
        "stored": sum(part.stored for part in parts),
        "missing": sorted(siret for part in parts for siret in part.missing),
        "surplus": sorted(siret for part in parts for siret in part.surplus),
    }
