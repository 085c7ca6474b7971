"""The index compared with the register, as sets, in one snapshot of a shard."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from services.portal.index import cursors
from services.portal.index.entries import read_entries, stored_entries
from services.portal.index.rebuild import next_pages
from shared import page_changes
from shared.search.entries import is_word

# Their entries are about to change.
_WAITING = text("""
    SELECT DISTINCT pro_localisation_id FROM page_changes
    WHERE (xid, pro_localisation_id) > (:xid, :pro_localisation_id) AND kind <> 'text'
""")
_LEXEMES = text("SELECT lexeme FROM search_lexemes")
_PREFIXED = text("""
    SELECT DISTINCT word FROM search_prefixes CROSS JOIN unnest(lexemes) AS word
""")


@dataclass
class IndexDifferences:
    """The pages that may be found, the entries, and what sets them apart.

    `waiting` pages have changed since the index was last brought up to date; they count nowhere.
    """

    pages: int = 0
    entries: int = 0
    missing: int = 0
    surplus: int = 0
    altered: int = 0
    waiting: int = 0
    missing_words: int = 0
    surplus_words: int = 0

    @property
    def agrees(self) -> bool:
        return not any(
            (self.missing, self.surplus, self.altered, self.missing_words, self.surplus_words)
        )

    def __add__(self, other: "IndexDifferences") -> "IndexDifferences":
        names = vars(self)
        return IndexDifferences(
            **{name: getattr(self, name) + getattr(other, name) for name in names}
        )


def compare(connection: Connection) -> IndexDifferences:
    """Compare all pages with all entries, and the words of the entries with the lexicon.

    The caller's transaction sees one state of the database.
    """
    waiting = waiting_pages(connection, cursors.INDEX)
    found = IndexDifferences(waiting=len(waiting))
    words: Counter[str] = Counter()
    for ids in _steps(connection):
        wanted = {entry.pro_localisation_id: entry for entry in read_entries(connection, ids)}
        stored = stored_entries(connection, ids)
        for entry in stored.values():
            words.update(filter(is_word, entry.lexemes))
        sound = [id_ for id_ in ids if id_ not in waiting]
        for id_ in sound:
            if id_ in wanted and id_ in stored:
                found.altered += not stored[id_].is_right(wanted[id_])
            else:
                found.missing += id_ in wanted
                found.surplus += id_ in stored
            found.pages += id_ in wanted
            found.entries += id_ in stored
    known = set(connection.scalars(_LEXEMES))
    found.missing_words = len(words.keys() - known)
    found.surplus_words = len((known | set(connection.scalars(_PREFIXED))) - words.keys())
    return found


def waiting_pages(connection: Connection, consumer: str) -> frozenset[int]:
    """Return the pages that have changed behind the consumer's place in the log."""
    place = cursors.read(connection, consumer)
    if place is None or place.position is None:
        return frozenset()
    after = page_changes.Cursor.parse(place.position)
    return frozenset(connection.scalars(_WAITING, after._asdict()))


def _steps(connection: Connection) -> Iterator[list[int]]:
    after = 0
    while ids := list(next_pages(connection, after)):
        yield ids
        after = ids[-1]
