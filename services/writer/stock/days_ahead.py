"""The rows of a stock file that show a period which lies ahead, found by column."""

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from services.writer.slices.statements import NOTE_TURNS
from shared.sirene.dates import LAST_DAY

_DATES = ("date_debut", "date_creation")


def days_ahead(rows: pa.RecordBatch, on: dt.date) -> Mapping[str, dt.date]:
    """Return a day after `on` for each siret that has one; a chunk without dates lacks columns."""
    found: dict[str, dt.date] = {}
    for name in _DATES:
        if name not in rows.schema.names:
            continue
        dates = rows.column(name)
        ahead = pc.and_(pc.greater(dates, on), pc.less_equal(dates, LAST_DAY)).fill_null(False)
        if pc.any(ahead).as_py():
            sirets = rows.column("siret").filter(ahead).to_pylist()
            found.update(zip(sirets, dates.filter(ahead).to_pylist(), strict=True))
    return found


def note_staged(connection: Connection, rows: pa.RecordBatch, *, on: dt.date) -> None:
    """Note which rows of a chunk show a period that lies ahead; `turns.make_due` follows."""
    if days := days_ahead(rows, on):
        NOTE_TURNS.run(
            connection, {"sirets": sorted(days), "days": [days[s] for s in sorted(days)]}
        )
