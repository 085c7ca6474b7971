"""The words of the index, kept in step with its entries by indexer and erasure.

Locks are taken in this order: units, words in the order of the alphabet, then the prefixes. Words
that thousands of entries hold are not locked, and are counted by the indexer alone: they tell
nothing of anybody, and every erasure would wait for every other.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from shared.db.locks import Lock, share

RARE = 1000
"""The number of entries from which on a word is frequent."""

_PREFIX_LETTERS = range(2, 5)

_COUNT_DOWN = text(f"""
    UPDATE search_lexemes l SET documents = greatest(l.documents - gone.number, 0)
    FROM unnest(CAST(:words AS text[]), CAST(:numbers AS int[])) AS gone (word, number)
    WHERE l.lexeme = gone.word AND l.documents < {RARE}
""")
# The entries themselves decide, not the number: each is looked for in the index.
_DROP_UNUSED = text(f"""
    DELETE FROM search_lexemes l
    WHERE l.lexeme = ANY(CAST(:words AS text[])) AND l.documents < {RARE} AND NOT EXISTS (
      SELECT FROM search_entries s WHERE s.terms @@ CAST(quote_literal(l.lexeme) AS tsquery))
    RETURNING l.lexeme
""")
_CUT_PREFIXES = text("""
    UPDATE search_prefixes p SET lexemes = ARRAY(
      SELECT kept.word FROM unnest(p.lexemes) WITH ORDINALITY AS kept (word, place)
      WHERE kept.word <> ALL(CAST(:words AS text[])) ORDER BY kept.place)
    WHERE p.prefix = ANY(CAST(:prefixes AS text[])) AND p.lexemes && CAST(:words AS text[])
""")


def hold_words_sql(entries: str) -> str:
    """Return the statement that locks the rare words of the entries that meet the condition."""
    return f"""
        SELECT 1 FROM search_lexemes
        WHERE lexeme = ANY (ARRAY(
            SELECT DISTINCT unnest(tsvector_to_array(terms)) FROM search_entries WHERE {entries}))
          AND documents < {RARE}
        ORDER BY lexeme FOR UPDATE
    """


def take_away(connection: Connection, numbers: Mapping[str, int]) -> list[str]:
    """Count the words of entries that are gone, by how many held each; return those that go, too.

    The caller holds the rare ones of them.
    """
    words = {"words": list(numbers), "numbers": list(numbers.values())}
    connection.execute(_COUNT_DOWN, words)
    return drop_unused(connection, list(numbers))


def drop_unused(connection: Connection, words: list[str]) -> list[str]:
    """Delete those of the words that no entry holds, from the prefixes too; return them."""
    # A process that makes the prefixes anew has read words that are deleted here.
    share(connection, Lock.SEARCH_PREFIXES)
    gone = list(connection.scalars(_DROP_UNUSED, {"words": words}))
    if gone:
        prefixes = sorted({prefix for word in gone for prefix in prefixes_of(word)})
        connection.execute(_CUT_PREFIXES, {"words": gone, "prefixes": prefixes})
    return gone


def prefixes_of(word: str) -> list[str]:
    """Return the beginnings of a word under which `search_prefixes` may have it."""
    return [word[:length] for length in _PREFIX_LETTERS if length <= len(word)]
