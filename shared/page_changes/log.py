"""The rows of the log: read in order, and forgotten after some time."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum, auto
from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.page_changes.cursor import START, Cursor, CursorLost
from shared.sirene.identifiers import siren_of

KEPT_DAYS = 30
_ROWS = 50_000
# A first load of all of France is forgotten within some days.
_MOST_FORGOTTEN = 40 * _ROWS

# The number of the oldest open transaction is that of the statement's own snapshot.
_OLDEST_OPEN = "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
READ = text(f"""
    SELECT xid, pro_localisation_id, siret, kind, changed_at FROM page_changes
    WHERE (xid, pro_localisation_id) >= (:xid, :pro_localisation_id) AND xid < {_OLDEST_OPEN}
    ORDER BY xid, pro_localisation_id LIMIT :rows
""")
_LATEST = text(f"""
    SELECT xid, pro_localisation_id FROM page_changes WHERE xid < {_OLDEST_OPEN}
    ORDER BY xid DESC, pro_localisation_id DESC LIMIT 1
""")
# Committed, and readable by nobody. The log itself tells it: other roles' sessions tell nothing.
_HELD = text(f"""
    SELECT coalesce((
      SELECT CAST(extract(epoch FROM clock_timestamp() - changed_at) AS double precision)
      FROM page_changes WHERE xid >= {_OLDEST_OPEN}
      ORDER BY xid, pro_localisation_id LIMIT 1), 0)
""")
# The last row stays: whoever has read up to it has missed nothing.
_FORGET = text("""
    DELETE FROM page_changes c
    USING (
      SELECT xid, pro_localisation_id FROM page_changes
      ORDER BY xid DESC, pro_localisation_id DESC LIMIT 1) last
    WHERE c.ctid = ANY (ARRAY(
        SELECT ctid FROM page_changes ORDER BY xid, pro_localisation_id LIMIT :rows))
      AND c.changed_at < now() - make_interval(days => :days)
      AND (c.xid, c.pro_localisation_id) < (last.xid, last.pro_localisation_id)
""")


_OLDEST = text(f"SELECT {_OLDEST_OPEN}")
# A page that keeps a name has changed only; the erasure took its entry away all the same.
_HELD_ERASURES = text(f"""
    SELECT xid, pro_localisation_id FROM page_changes c
    WHERE xid >= {_OLDEST_OPEN} AND (kind = 'erased' OR kind = 'changed' AND NOT EXISTS (
        SELECT FROM search_entries s WHERE s.pro_localisation_id = c.pro_localisation_id))
    ORDER BY xid, pro_localisation_id LIMIT :rows
""")


class ChangeKind(StrEnum):
    """The kind of a change, as it matters to a reader: an erased page has lost its name."""

    OPENED = auto()
    CHANGED = auto()
    CLOSED = auto()
    ERASED = auto()
    # Nothing but the text has changed: another is shown, or none.
    TEXT = auto()


class PageChange(NamedTuple):
    """The change of a page by one transaction; the page may have changed again since."""

    cursor: Cursor
    pro_localisation_id: int
    siret: str
    siren: str
    kind: ChangeKind
    changed_at: dt.datetime


class Changes(NamedTuple):
    """The rows behind a cursor, and the cursor behind them."""

    rows: Sequence[PageChange]
    next: Cursor


def read(connection: Connection, after: Cursor | None, limit: int) -> Changes:
    """Return the next rows, `limit` at most; None and `START` begin with the oldest that is kept.

    Raises CursorLost where rows behind the cursor may be kept no more.
    """
    after = after or START
    # The cursor's own row comes first, in the same snapshot: no row behind it is deleted before it.
    found = list(connection.execute(READ, {**after._asdict(), "rows": limit + 1}))
    if after != START:
        if not found or found[0][:2] != after:
            raise CursorLost(f"the changes of pages behind {after} are not known")
        del found[0]
    rows = [
        PageChange(
            Cursor(row.xid, row.pro_localisation_id),
            row.pro_localisation_id,
            row.siret,
            siren_of(row.siret),
            ChangeKind(row.kind),
            row.changed_at,
        )
        for row in found[:limit]
    ]
    return Changes(rows, rows[-1].cursor if rows else after)


def latest(connection: Connection) -> Cursor:
    """Return the place behind all changes that a later statement of any session will see.

    Who reads the pages after it, and then the log from it, has seen everything.
    """
    row = connection.execute(_LATEST).one_or_none()
    return START if row is None else Cursor(*row)


def held_seconds(connection: Connection) -> float:
    """Return the age of the first row that an open transaction holds back; 0 where none does."""
    held: float = connection.execute(_HELD).scalar_one()
    return held


def oldest_open(connection: Connection) -> int:
    """Return the number of the oldest transaction that is open.

    Whoever reads in the same snapshot, or later, sees what all transactions before it did.
    """
    number: int = connection.execute(_OLDEST).scalar_one()
    return number


def held_erasures(connection: Connection, limit: int) -> list[Cursor]:
    """Return erasures of pages that are committed, and that an open transaction holds back.

    Who may not wait takes them first, and reads them again in their turn.
    """
    return [Cursor(*row) for row in connection.execute(_HELD_ERASURES, {"rows": limit})]


def forget_old(connection: Connection) -> int:
    """Delete the oldest rows that were kept long enough, some millions at most; return how many."""
    forgotten, deleted = 0, _ROWS
    while deleted == _ROWS and forgotten < _MOST_FORGOTTEN:
        deleted = connection.execute(_FORGET, {"rows": _ROWS, "days": KEPT_DAYS}).rowcount
        forgotten += deleted
    return forgotten
