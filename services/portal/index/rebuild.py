"""All pages put into the index again, some thousands at a time, in the order of their ids.

Each step is a transaction that also notes how far it came: whoever comes after a kill goes on
there, be it the indexer or another `search rebuild`. Searches are answered meanwhile.
"""

from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from services.portal.index import cursors
from services.portal.index.entries import PutEntries, put_pages
from shared import page_changes

STEP = 5000

# An entry whose page is gone is found by its id, too.
_NEXT = text("""
    SELECT id, siren FROM (
      (SELECT id, siren FROM pro_localisations WHERE id > :after ORDER BY id LIMIT :step)
      UNION
      (SELECT pro_localisation_id, siren FROM search_entries
        WHERE pro_localisation_id > :after ORDER BY pro_localisation_id LIMIT :step)) found
    ORDER BY id LIMIT :step
""")
_EMPTY = text("TRUNCATE search_entries, search_lexemes, search_prefixes")
_COMPACT = (
    "REINDEX TABLE CONCURRENTLY search_entries",
    "REINDEX TABLE CONCURRENTLY search_lexemes",
    "VACUUM (ANALYZE) search_entries, search_lexemes",
)
_PAGES = text("SELECT count(*) FROM pro_localisations")
_DONE = text("SELECT count(*) FROM pro_localisations WHERE id <= :position")


class RebuildStep(NamedTuple):
    """A step of a rebuild: the pages that it looked at, what it wrote, whether it was the last."""

    pages: int
    put: PutEntries
    is_last: bool


def begin(engine: Engine, *, empty: bool = False) -> None:
    """Order a rebuild from the first page on; with `empty` nothing is found until it is done.

    The changes of pages are followed from here on, where nobody knows any more what was read.
    """
    with engine.begin() as connection:
        position = cursors.hold(connection)
        if empty:
            connection.execute(_EMPTY)
        cursors.move(connection, cursors.REBUILD, 0)
        cursors.end(connection, cursors.PREFIXES)
        if not _is_known(connection, position):
            cursors.move(connection, cursors.INDEX, page_changes.latest(connection))


def is_ordered(engine: Engine) -> bool:
    with engine.connect() as connection:
        return cursors.read(connection, cursors.REBUILD) is not None


def step(engine: Engine) -> RebuildStep | None:
    """Do the next step; return None where no rebuild is ordered."""
    with engine.begin() as connection:
        cursors.hold(connection)
        place = cursors.read(connection, cursors.REBUILD)
        if place is None:
            return None
        after = int(place.position or 0)
        pages = next_pages(connection, after)
        put = put_pages(connection, pages) if pages else PutEntries(0, 0)
        is_last = len(pages) < STEP
        if is_last:
            cursors.end(connection, cursors.REBUILD)
        else:
            cursors.move(connection, cursors.REBUILD, max(pages))
    return RebuildStep(len(pages), put, is_last)


def next_pages(connection: Connection, after: int) -> dict[int, str]:
    """Return the next pages and entries by their id, with the siren, in their order."""
    rows = connection.execute(_NEXT, {"after": after, "step": STEP})
    return {row.id: row.siren for row in rows}


def compact(engine: Engine) -> None:
    """Make the indexes anew, as small as they can be, beside searches and indexer.

    Only so the keys of words that no entry holds leave the pages of an index.
    """
    with engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in _COMPACT:
            alone.execute(text(statement))


def progress(engine: Engine) -> tuple[int, int]:
    """Return the pages that the ordered rebuild has done, and all pages."""
    with engine.connect() as connection:
        total = int(connection.scalar(_PAGES) or 0)
        place = cursors.read(connection, cursors.REBUILD)
        if place is None:
            return total, total
        position = int(place.position or 0)
        return int(connection.scalar(_DONE, {"position": position}) or 0), total


def _is_known(connection: Connection, position: str | None) -> bool:
    if position is None:
        return False
    try:
        page_changes.read(connection, page_changes.Cursor.parse(position), 1)
    except page_changes.CursorLost:
        return False
    return True
