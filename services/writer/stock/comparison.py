"""The comparison of a staged file with the register: contents, not only dates."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from services.writer.stock import staging
from services.writer.stock.columns import Layout
from services.writer.stock.log import StockLoad
from services.writer.stock.statements import compare as compare_blocks
from services.writer.stock.statements import count_vanished
from services.writer.stock.view import View

_COMPARED_BLOCKS = 2000
_COUNTS = ("all_rows", "stored_rows", "newer_rows", "older_rows", "differing_rows")


@dataclass(frozen=True, slots=True)
class StockComparison:
    """Counts of a file's rows.

    `newer` would be stored by a load, `differing` by `--take`: they have the stored row's treatment
    date, and other content; `columns` counts them by column. `vanished` are stored rows that the
    file lacks.
    """

    file: str
    collection: str
    rows: int
    refused: int
    new: int
    newer: int
    older: int
    differing: int
    vanished: int
    columns: Mapping[str, int]


def compare(engine: Engine, load: StockLoad, layout: Layout, view: View) -> StockComparison:
    """Compare the staged rows, some blocks at a time; nothing is written."""
    statement = compare_blocks(load.collection, layout.absent.keys())
    found: Counter[str] = Counter()
    with engine.begin() as connection:
        blocks = staging.count_blocks(connection, load)
    for first in range(0, blocks, _COMPARED_BLOCKS):
        last = min(first + _COMPARED_BLOCKS, blocks)
        part = {
            "first": f"({first},0)",
            "last": f"({last},0)",
            "fetched_at": load.fetched_at,
            "on": load.on,
        }
        with engine.begin() as connection:
            found.update(connection.execute(statement, part).one()._asdict())
        view.advance(found["all_rows"], last / blocks)
    with engine.begin() as connection:
        vanished = int(connection.scalar(count_vanished(load.collection)) or 0)
    by_column = {name: n for name, n in found.most_common() if n and name not in _COUNTS}
    return StockComparison(
        load.file_name,
        load.collection,
        rows=found["all_rows"],
        refused=load.refused,
        new=found["all_rows"] - found["stored_rows"],
        newer=found["newer_rows"],
        older=found["older_rows"],
        differing=found["differing_rows"],
        vanished=vanished,
        columns=by_column,
    )
