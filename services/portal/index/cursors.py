"""The places up to which the index is made: in the log of changes, and in a rebuild."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from shared import page_changes
from shared.page_changes import Cursor

INDEX, REBUILD, PREFIXES = "index", "rebuild", "prefixes"

_BEGIN = text("""
    INSERT INTO search_cursors (consumer) VALUES (:consumer) ON CONFLICT (consumer) DO NOTHING
""")
_HOLD = text("SELECT position FROM search_cursors WHERE consumer = :consumer FOR UPDATE")
_MOVE = text("""
    INSERT INTO search_cursors (consumer, position) VALUES (:consumer, :position)
    ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, moved_at = now()
""")
_READ = text("""
    SELECT position, CAST(extract(epoch FROM now() - moved_at) AS double precision) AS age_seconds
    FROM search_cursors WHERE consumer = :consumer
""")
_END = text("DELETE FROM search_cursors WHERE consumer = :consumer")
_LAG = text("""
    SELECT coalesce((
      SELECT CAST(extract(epoch FROM now() - changed_at) AS double precision) FROM page_changes
      WHERE (xid, pro_localisation_id) > (:xid, :pro_localisation_id)
      ORDER BY xid, pro_localisation_id LIMIT 1), 0)
""")


class CursorPlace(NamedTuple):
    position: str | None
    age_seconds: float


def hold(connection: Connection) -> str | None:
    """Return the place in the log; nobody else puts entries until the transaction ends."""
    connection.execute(_BEGIN, {"consumer": INDEX})
    position: str | None = connection.execute(_HOLD, {"consumer": INDEX}).scalar_one()
    return position


def move(connection: Connection, consumer: str, position: object) -> None:
    connection.execute(_MOVE, {"consumer": consumer, "position": str(position)})


def read(connection: Connection, consumer: str) -> CursorPlace | None:
    row = connection.execute(_READ, {"consumer": consumer}).one_or_none()
    return None if row is None else CursorPlace(*row)


def end(connection: Connection, consumer: str) -> None:
    connection.execute(_END, {"consumer": consumer})


def lag_seconds(connection: Connection, consumer: str) -> float:
    """Return the age of the first change that the consumer has not read; 0 where there is none."""
    place = read(connection, consumer)
    after = Cursor.parse(place.position) if place and place.position else page_changes.START
    lag: float = connection.execute(_LAG, after._asdict()).scalar_one()
    return lag
