"""The rows of a stock file that show a period which lies ahead, found by column."""

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

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
