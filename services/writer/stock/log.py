"""The log of loads: the file and the progress, from which a killed load goes on."""

import datetime as dt
from dataclasses import dataclass, fields
from typing import Literal, Self

from sqlalchemy import Connection, Row, text

from services.writer.stock.columns import StockCollection
from services.writer.stock.files import StockFile
from services.writer.stock.values import Chunk

LoadWay = Literal["swap", "merge"]
LoadStatus = Literal["staging", "staged", "stored", "complete", "refused", "abandoned"]

# A file that is bad throughout has no use for more.
_MAX_REFUSED_KEYS = 1000


@dataclass(frozen=True, slots=True)
class StockLoad:
    """A row of `stock_loads`."""

    id: int
    collection: StockCollection
    file_name: str
    file_identity: str
    file_date: dt.date
    fetched_at: dt.datetime
    chunk_rows: int
    way: LoadWay
    status: LoadStatus
    rows: int
    refused: int
    inserted: int
    updated: int
    vanished: int | None
    treated_until: dt.datetime | None
    merged_blocks: int
    pages_siret: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> Self:
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})

    @property
    def staging(self) -> str:
        return f"stock_{self.collection}"


_OPEN = text("""
    SELECT * FROM stock_loads
    WHERE collection = :collection AND status IN ('staging', 'staged')
""")
_LATEST = text("""
    SELECT * FROM stock_loads
    WHERE collection = :collection AND status IN ('stored', 'complete')
    ORDER BY id DESC LIMIT 1
""")
_STORED = text("SELECT * FROM stock_loads WHERE status = 'stored' ORDER BY id")
_READ = text("SELECT * FROM stock_loads WHERE id = :id")
_BEGIN = text("""
    INSERT INTO stock_loads
      (collection, file_name, file_identity, file_date, fetched_at, chunk_rows, way)
    VALUES (:collection, :file_name, :file_identity, :file_date, :fetched_at, :chunk_rows, :way)
    RETURNING *
""")
_CHUNKS = text("SELECT number FROM stock_chunks WHERE load_id = :id")
_KEEP_CHUNK = text("""
    INSERT INTO stock_chunks
      (load_id, number, rows, refused, refused_keys, refused_codes, treated_until)
    VALUES (:id, :number, :rows, :refused, :keys, :codes, :treated_until)
""")
# A file names no day of its own. Its latest treatment tells how old it is, unless the given day is
# older.
_STAGED = text("""
    UPDATE stock_loads l SET status = 'staged', rows = c.rows, refused = c.refused,
      treated_until = c.treated_until,
      fetched_at = CASE WHEN way = 'merge'
        THEN least(fetched_at,
          (date_trunc('day', c.treated_until) + interval '1 day') AT TIME ZONE 'UTC')
        ELSE fetched_at END
    FROM (
      SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(refused), 0) AS refused,
        max(treated_until) AS treated_until
      FROM stock_chunks WHERE load_id = :id) c
    WHERE l.id = :id
""")
_SET_STATUS = text("""
    UPDATE stock_loads SET status = :status, finished_at = now() WHERE id = :id
""")
_COUNT_INSERTED = text("UPDATE stock_loads SET inserted = rows, vanished = 0 WHERE id = :id")
_COUNT_DUPLICATES = text("UPDATE stock_loads SET rows = rows - :dropped WHERE id = :id")
_KEEP_VANISHED = text("UPDATE stock_loads SET vanished = :vanished WHERE id = :id")
# The row of the file is not kept: a retry asks INSEE for the establishment.
_KEEP_REFUSED = text("""
    INSERT INTO failed_items (kind, key, siren, code, message)
    SELECT DISTINCT ON (r.key) 'write', r.key, left(r.key, 9), r.code,
      'refused in a row of the stock file'
    FROM stock_chunks c, unnest(c.refused_keys, c.refused_codes) AS r (key, code)
    WHERE c.load_id = :id
    ORDER BY r.key
    ON CONFLICT (kind, key) WHERE resolved_at IS NULL DO NOTHING
""")


def find_open(connection: Connection, collection: StockCollection) -> StockLoad | None:
    row = connection.execute(_OPEN, {"collection": collection}).one_or_none()
    return None if row is None else StockLoad.of(row)


def find_latest(connection: Connection, collection: StockCollection) -> StockLoad | None:
    """Return the last load whose rows are in the register."""
    row = connection.execute(_LATEST, {"collection": collection}).one_or_none()
    return None if row is None else StockLoad.of(row)


def find_stored(connection: Connection) -> list[StockLoad]:
    """Return the loads whose pages are not renewed yet, of any month."""
    return [StockLoad.of(row) for row in connection.execute(_STORED)]


def read(connection: Connection, load_id: int) -> StockLoad:
    return StockLoad.of(connection.execute(_READ, {"id": load_id}).one())


def begin(
    connection: Connection, file: StockFile, *, file_date: dt.date, chunk_rows: int, way: LoadWay
) -> StockLoad:
    """Note a new load of the file."""
    parameters = {
        "collection": file.layout.collection,
        "file_name": file.name,
        "file_identity": file.source.identity,
        "file_date": file_date,
        "fetched_at": dt.datetime.combine(file_date, dt.time(), tzinfo=dt.UTC),
        "chunk_rows": chunk_rows,
        "way": way,
    }
    return StockLoad.of(connection.execute(_BEGIN, parameters).one())


def chunk_numbers(connection: Connection, load: StockLoad) -> set[int]:
    return set(connection.execute(_CHUNKS, {"id": load.id}).scalars())


def keep_chunk(
    connection: Connection, load: StockLoad, number: int, rows: int, chunk: Chunk
) -> None:
    """Note the chunk, in the transaction that stores `rows` of its rows."""
    named = [r for r in chunk.refused if r.key is not None][:_MAX_REFUSED_KEYS]
    connection.execute(
        _KEEP_CHUNK,
        {
            "id": load.id,
            "number": number,
            "rows": rows,
            "refused": len(chunk.refused),
            "keys": [r.key for r in named],
            "codes": [r.code for r in named],
            "treated_until": chunk.treated_until,
        },
    )


def mark_staged(connection: Connection, load: StockLoad) -> None:
    """Note that all chunks are staged, with their sums."""
    connection.execute(_STAGED, {"id": load.id})


def set_status(connection: Connection, load: StockLoad, status: LoadStatus) -> None:
    connection.execute(_SET_STATUS, {"id": load.id, "status": status})


def count_duplicates(connection: Connection, load: StockLoad, dropped: int) -> None:
    connection.execute(_COUNT_DUPLICATES, {"id": load.id, "dropped": dropped})


def count_inserted(connection: Connection, load: StockLoad) -> None:
    """Count all rows as new: the table was empty."""
    connection.execute(_COUNT_INSERTED, {"id": load.id})


def keep_vanished(connection: Connection, load: StockLoad, vanished: int) -> None:
    connection.execute(_KEEP_VANISHED, {"id": load.id, "vanished": vanished})


def keep_refused(connection: Connection, load: StockLoad) -> None:
    """Keep refused establishments as failed items, which a retry fetches from the API."""
    if load.collection == "etablissements":
        connection.execute(_KEEP_REFUSED, {"id": load.id})
