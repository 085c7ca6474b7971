"""The log of loads: the file and the progress, from which a killed load goes on."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, func, select, text

from services.writer.stock.columns import StockCollection
from services.writer.stock.files.stock_files import StockFile
from services.writer.stock.refusals import RefusedRow
from services.writer.stock.values import Chunk
from shared.clock import utc_now
from shared.days import day_in_france, end_of
from shared.db.tables.stock import stock_chunks, stock_loads

LoadWay = Literal["swap", "merge", "compare"]
LoadStatus = Literal["staging", "staged", "stored", "complete", "refused", "abandoned", "compared"]

# A chunk that is bad throughout has no use for more.
_MOST_NAMED = 1000


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
    takes_equal: bool
    forced: bool
    head_offices: int | None

    @property
    def staging(self) -> str:
        return f"stock_{self.collection}"

    @property
    def on(self) -> dt.date:
        """Return the day whose state the rows are to show; a file may bear a later date."""
        return min(self.file_date, day_in_france(utc_now()))

    @property
    def latest_treatment(self) -> dt.datetime:
        """Return the end of the file's own day: a later treatment is INSEE's mistake."""
        return end_of(self.on)


_LOADS = select(stock_loads)
# A file names no day of its own. Its latest treatment tells how old it is, unless the given day is
# older.
_STAGED = text("""
    UPDATE stock_loads l SET status = 'staged', rows = c.rows, refused = c.refused,
      treated_until = c.treated_until,
      fetched_at = CASE WHEN way <> 'swap'
        THEN least(fetched_at,
          (date_trunc('day', c.treated_until) + interval '1 day') AT TIME ZONE 'UTC')
        ELSE fetched_at END
    FROM (
      SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(refused), 0) AS refused,
        max(treated_until) AS treated_until
      FROM stock_chunks WHERE load_id = :id) c
    WHERE l.id = :id
""")
# The row of the file is not kept: a retry asks INSEE for the establishment.
_KEEP_REFUSED = text("""
    INSERT INTO failed_items (kind, key, siren, code, message)
    SELECT DISTINCT ON (r.key) 'write', r.key, left(r.key, 9), r.code,
      'refused in a row of the stock file'
    FROM stock_chunks c, unnest(c.refused_keys, c.refused_codes) AS r (key, code)
    WHERE c.load_id = :id AND r.key IS NOT NULL
    ORDER BY r.key
    ON CONFLICT (kind, key) WHERE resolved_at IS NULL DO NOTHING
""")
_REFUSED = text("""
    SELECT r.key, r.code, r.line, r."column"
    FROM stock_chunks c,
      unnest(c.refused_keys, c.refused_codes, c.refused_lines, c.refused_columns)
        AS r (key, code, line, "column")
    WHERE c.load_id = :id
    ORDER BY r.line
    LIMIT :most
""")


def find_open(connection: Connection, collection: StockCollection) -> StockLoad | None:
    return _find_newest(connection, collection, "staging", "staged")


def find_latest(connection: Connection, collection: StockCollection) -> StockLoad | None:
    """Return the last load whose rows are in the register."""
    return _find_newest(connection, collection, "stored", "complete")


def _find_newest(
    connection: Connection, collection: StockCollection, *statuses: LoadStatus
) -> StockLoad | None:
    columns = stock_loads.c
    found = _LOADS.where(columns.collection == collection, columns.status.in_(statuses))
    row = connection.execute(found.order_by(columns.id.desc()).limit(1)).one_or_none()
    return None if row is None else StockLoad(**row._asdict())


def find_stored(connection: Connection) -> list[StockLoad]:
    """Return the loads whose pages are not renewed yet, of any month."""
    stored = _LOADS.where(stock_loads.c.status == "stored").order_by(stock_loads.c.id)
    return [StockLoad(**row._asdict()) for row in connection.execute(stored)]


def read(connection: Connection, load_id: int) -> StockLoad:
    row = connection.execute(_LOADS.where(stock_loads.c.id == load_id)).one()
    return StockLoad(**row._asdict())


def begin(
    connection: Connection, file: StockFile, *, file_date: dt.date, chunk_rows: int, way: LoadWay
) -> StockLoad:
    """Note a new load of the file."""
    begun = stock_loads.insert().values(
        collection=file.layout.collection,
        file_name=file.name,
        file_identity=file.source.identity,
        file_date=file_date,
        fetched_at=dt.datetime.combine(file_date, dt.time(), tzinfo=dt.UTC),
        chunk_rows=chunk_rows,
        way=way,
    )
    return StockLoad(**connection.execute(begun.returning(stock_loads)).one()._asdict())


def chunk_numbers(connection: Connection, load: StockLoad) -> set[int]:
    chunks = stock_chunks.c
    return set(connection.scalars(select(chunks.number).where(chunks.load_id == load.id)))


def keep_chunk(
    connection: Connection, load: StockLoad, number: int, rows: int, chunk: Chunk
) -> None:
    """Note the chunk, in the transaction that stores `rows` of its rows."""
    named = chunk.refused[:_MOST_NAMED]
    kept = stock_chunks.insert().values(
        load_id=load.id,
        number=number,
        rows=rows,
        refused=len(chunk.refused),
        refused_keys=[r.key for r in named],
        refused_codes=[r.code for r in named],
        refused_lines=[r.line for r in named],
        refused_columns=[r.column for r in named],
        treated_until=chunk.treated_until,
    )
    connection.execute(kept)


def mark_staged(connection: Connection, load: StockLoad) -> None:
    """Note that all chunks are staged, with their sums."""
    connection.execute(_STAGED, {"id": load.id})


def note(connection: Connection, load: StockLoad, **values: object) -> None:
    """Set columns of the load's row."""
    connection.execute(stock_loads.update().where(stock_loads.c.id == load.id).values(values))


def set_status(connection: Connection, load: StockLoad, status: LoadStatus) -> None:
    note(connection, load, status=status, finished_at=func.now())


def find_refused(connection: Connection, load: StockLoad, *, most: int) -> list[RefusedRow]:
    """Return the first refused rows of the file."""
    rows = connection.execute(_REFUSED, {"id": load.id, "most": most})
    return [RefusedRow(**row._asdict()) for row in rows]


def keep_refused(connection: Connection, load: StockLoad) -> None:
    """Keep refused establishments as failed items, which a retry fetches from the API."""
    if load.collection == "etablissements":
        connection.execute(_KEEP_REFUSED, {"id": load.id})
