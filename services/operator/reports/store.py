"""The reports of readers about pages, in the shards of the pages."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.db.tables.page_reports import KEPT_DAYS, MOST_DAYS

_LIST = text("""
    SELECT id, siret, kind, reported_at, done_at, message, contact FROM page_reports
    WHERE (done_at IS NULL OR CAST(:done AS boolean)) AND (kind = :kind OR :kind IS NULL)
    ORDER BY kind = 'opposition' DESC, id LIMIT :limit
""")
_CLOSE = text("""
    UPDATE page_reports SET done_at = now() WHERE id = ANY(:ids) AND done_at IS NULL RETURNING id
""")
_PURGE = text("""
    DELETE FROM page_reports
    WHERE done_at < now() - make_interval(days => :done)
      OR reported_at < now() - make_interval(days => :most)
""")


class PageReport(NamedTuple):
    id: int
    siret: str
    kind: str
    reported_at: dt.datetime
    done_at: dt.datetime | None
    message: str
    contact: str | None


def list_reports(
    connections: Sequence[Connection], *, kind: str | None, done: bool, limit: int
) -> list[PageReport]:
    """Return reports, objections first, the oldest first; with `done` also those dealt with."""
    asked = {"kind": kind, "done": done, "limit": limit}
    found = [PageReport(*row) for each in connections for row in each.execute(_LIST, asked)]
    return sorted(found, key=lambda each: (each.kind != "opposition", each.reported_at))[:limit]


def close_reports(connections: Sequence[Connection], ids: Sequence[int]) -> list[int]:
    """Mark reports as dealt with; return the ids of those that were open."""
    asked = {"ids": list(ids)}
    return [id_ for each in connections for id_ in each.execute(_CLOSE, asked).scalars()]


def purge_reports(connections: Sequence[Connection]) -> int:
    """Delete reports whose time is over; return their number."""
    days = {"done": KEPT_DAYS, "most": MOST_DAYS}
    return sum(each.execute(_PURGE, days).rowcount for each in connections)
