"""Pages become entries: read under the locks of their units, compared, written with their words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from shared.db import lexicon
from shared.db.copy_rows import copy_into, copy_line
from shared.search.entries import IndexedRow, SearchEntry, entry_of, is_word, terms_of
from shared.search.words import variants

_OF_PAGE = "siret siren libelle_commune code_commune activite_principale status"
_OF_UNITE = """
    denomination sigle nom nom_usage prenom1 prenom_usuel categorie_juridique nic_siege
"""
_OF_TABLES = {
    "pro_localisation_id": "p.id AS pro_localisation_id",
    "page_nom": "p.nom AS page_nom",
    **{name: f"p.{name}" for name in _OF_PAGE.split()},
    **{name: f"u.{name}" for name in _OF_UNITE.split()},
}
_INDEXED = ", ".join(_OF_TABLES.get(name, f"e.{name}") for name in IndexedRow._fields)
# Only pages that are open to all have an entry.
READ = f"""
    SELECT {_INDEXED}
    FROM pro_localisations p
    JOIN etablissements e ON e.siret = p.siret
    JOIN unites_legales u ON u.siren = p.siren
    WHERE p.id = ANY(CAST(:ids AS bigint[]))
      AND e.statut_diffusion = 'O' AND u.statut_diffusion = 'O'
      AND NOT EXISTS (SELECT FROM oppositions o WHERE o.siren = p.siren)
"""
_READ = text(READ)
# Every erasure holds the units before it begins.
_LOCK = text("""
    SELECT 1 FROM unites_legales
    WHERE siren = ANY(CAST(:sirens AS text[])) ORDER BY siren FOR SHARE
""")
_ENTRY_COLUMNS = SearchEntry._fields
_STORED = text(f"""
    SELECT {", ".join(_ENTRY_COLUMNS)}, tsvector_to_array(terms) AS lexemes
    FROM search_entries WHERE pro_localisation_id = ANY(CAST(:ids AS bigint[]))
""")
_DELETE = text("""
    DELETE FROM search_entries WHERE pro_localisation_id = ANY(CAST(:ids AS bigint[]))
""")
_HOLD_WORDS = text("""
    SELECT lexeme FROM search_lexemes
    WHERE lexeme = ANY(CAST(:words AS text[])) ORDER BY lexeme FOR UPDATE
""")
_COUNT = text("""
    UPDATE search_lexemes l SET documents = greatest(l.documents + more.number, 0)
    FROM unnest(CAST(:words AS text[]), CAST(:numbers AS int[])) AS more (word, number)
    WHERE l.lexeme = more.word
""")


class PutEntries(NamedTuple):
    """The entries that a call wrote, and those that it took away or replaced."""

    put: int
    taken: int


class StoredEntry(NamedTuple):
    """An entry with the lexemes that it holds."""

    entry: SearchEntry
    lexemes: frozenset[str]

    @property
    def words(self) -> Iterator[str]:
        return filter(is_word, self.lexemes)

    def is_right(self, wanted: SearchEntry | None) -> bool:
        """Return whether it is as it should be, its lexemes too: they may be an older version's."""
        return self.entry == wanted and self.lexemes == wanted.lexemes()


def put_pages(connection: Connection, pages: Mapping[int, str]) -> PutEntries:
    """Bring the entries of these pages up to date, in the caller's transaction.

    `pages` are ids with the sirens of their units. An entry that is as it should be is left alone.
    The caller lets nobody else put pages meanwhile.
    """
    lock_units(connection, sorted(set(pages.values())))
    # Another statement than the lock: it sees what was committed while the lock was waited for.
    wanted = {entry.pro_localisation_id: entry for entry in read_entries(connection, list(pages))}
    stored = stored_entries(connection, list(pages))
    right = {id_ for id_, old in stored.items() if old.is_right(wanted.get(id_))}
    gone = [old for id_, old in stored.items() if id_ not in right]
    come = [new for id_, new in wanted.items() if id_ not in right]
    _replace(connection, gone, come)
    return PutEntries(len(come), len(gone))


def lock_units(connection: Connection, sirens: Sequence[str]) -> None:
    """Hold the units, so that none of them is erased until the transaction ends."""
    connection.execute(_LOCK, {"sirens": sirens})


def read_entries(connection: Connection, ids: Sequence[int]) -> list[SearchEntry]:
    """Return the entries that these pages should have."""
    rows = connection.execute(_READ, {"ids": ids})
    return [entry_of(IndexedRow._make(row)) for row in rows]


def stored_entries(connection: Connection, ids: Sequence[int]) -> dict[int, StoredEntry]:
    """Return the entries that these pages have."""
    found: dict[int, StoredEntry] = {}
    for *columns, lexemes in connection.execute(_STORED, {"ids": ids}):
        entry = SearchEntry._make(columns)
        found[entry.pro_localisation_id] = StoredEntry(entry, frozenset(lexemes))
    return found


def _replace(
    connection: Connection, gone: Sequence[StoredEntry], come: Sequence[SearchEntry]
) -> None:
    places = [entry.places() for entry in come]
    numbers = Counter(word for each in places for word in filter(is_word, each))
    numbers.subtract(word for old in gone for word in old.words)
    words = sorted(numbers)
    held = frozenset(connection.scalars(_HOLD_WORDS, {"words": words})) if words else frozenset()
    if gone:
        connection.execute(_DELETE, {"ids": [old.entry.pro_localisation_id for old in gone]})
    if come:
        lines = [
            copy_line(_texts((*entry, terms_of(each))))
            for entry, each in zip(come, places, strict=True)
        ]
        copy_into(connection, "search_entries", (*_ENTRY_COLUMNS, "terms"), lines)
    _count(connection, numbers, held)
    if less := [word for word in words if numbers[word] < 0]:
        lexicon.drop_unused(connection, less)


def _count(connection: Connection, numbers: Mapping[str, int], held: frozenset[str]) -> None:
    changed = [word for word in held if numbers[word]]
    if changed:
        counted = {"words": changed, "numbers": [numbers[word] for word in changed]}
        connection.execute(_COUNT, counted)
    new = sorted(word for word, number in numbers.items() if number > 0 and word not in held)
    if new:
        lines = [
            f"{word}\t{numbers[word]}\t{{{','.join(map(str, variants(word)))}}}" for word in new
        ]
        copy_into(connection, "search_lexemes", ("lexeme", "documents", "variants"), lines)


def _texts(values: Iterable[Any]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]
