"""People who object: the erasures that were ordered, and what is held about a unit."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, select, text

from shared.db.tables import metadata
from shared.sharding import SHARD_TABLES

_MOST = 50
_PLACE = text("INSERT INTO erasure_orders (siren, reason) VALUES (:siren, :reason) RETURNING id")
_ORDERS = text("""
    SELECT id, siren, reason, ordered_at, status, refusal, erased_rows, done_at
    FROM erasure_orders WHERE id < :before ORDER BY id DESC LIMIT :most
""")
_OPEN = text("""
    SELECT count(*) FROM erasure_orders WHERE siren = :siren AND status = 'pending'
""")
_OPPOSED = text("SELECT recorded_at, reason FROM oppositions WHERE siren = :siren")
_NEWEST = 2**62
# These tables tell of no unit, or hold the search's own form of what others hold.
_NOT_HELD = frozenset({"search_entries", "erasure_orders"})
_HELD = tuple(
    table
    for table in metadata.sorted_tables
    if table.name in SHARD_TABLES - _NOT_HELD and "siren" in table.columns
)
_MOST_ROWS = 10_000


class ErasureOrder(NamedTuple):
    id: int
    siren: str
    reason: str
    ordered_at: dt.datetime
    status: str
    refusal: str | None
    erased_rows: int | None
    done_at: dt.datetime | None


class Opposition(NamedTuple):
    recorded_at: dt.datetime
    reason: str


def order_erasure(shard: Connection, siren: str, reason: str) -> int:
    """Order the erasure of a unit, as `./sirenade forget` does it; return the order's id."""
    return int(shard.execute(_PLACE, {"siren": siren, "reason": reason}).scalar_one())


def list_erasures(
    shards: Sequence[Connection], before: int | None = None
) -> tuple[list[ErasureOrder], int | None]:
    """Return the orders below `before`, the newest first, and where the next page begins."""
    asked = {"before": before or _NEWEST, "most": _MOST + 1}
    found = [ErasureOrder(*row) for shard in shards for row in shard.execute(_ORDERS, asked)]
    ordered = sorted(found, key=lambda each: -each.id)
    page = ordered[:_MOST]
    return page, page[-1].id if len(ordered) > _MOST else None


def open_erasures(shard: Connection, siren: str) -> int:
    """Count the erasures of a unit that no writer has carried out yet."""
    return int(shard.execute(_OPEN, {"siren": siren}).scalar_one())


def read_opposition(shard: Connection, siren: str) -> Opposition | None:
    row = shard.execute(_OPPOSED, {"siren": siren}).one_or_none()
    return None if row is None else Opposition(*row)


def held_about(shard: Connection, siren: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each table that holds something about the unit, with its rows, bytes left out."""
    for table in _HELD:
        wanted = select(table).where(table.c.siren == siren).limit(_MOST_ROWS)
        rows = [_told(row) for row in shard.execute(wanted).mappings()]
        if rows:
            yield table.name, rows


def _told(row: RowMapping) -> dict[str, Any]:
    return {
        str(name): value
        for name, value in row.items()
        if value is not None and not isinstance(value, bytes | memoryview)
    }
