"""The most frequent words under each beginning of two to four letters, for suggestions."""

from sqlalchemy import Connection, Engine, text

from services.portal.index import cursors
from services.portal.index.cursors import CursorPlace
from shared.db.locks import Lock, hold

_WORDS_OF_A_PREFIX = 12
_EVERY_SECONDS = 86_400.0
# A small lexicon grows fast, and costs little to read.
_SMALL, _SMALL_EVERY_SECONDS, _GROWTH = 50_000, 60.0, 1.2

_FREQUENT = text(f"""
    SELECT prefix, lexeme FROM (
      SELECT left(lexeme, letters) AS prefix, lexeme, documents, row_number() OVER (
          PARTITION BY letters, left(lexeme, letters) ORDER BY documents DESC, lexeme) AS place
      FROM search_lexemes CROSS JOIN (VALUES (2), (3), (4)) AS lengths (letters)
      WHERE length(lexeme) >= letters AND lexeme >= 'a') ranked
    WHERE place <= {_WORDS_OF_A_PREFIX}
    ORDER BY prefix, place
""")
_EMPTY = text("DELETE FROM search_prefixes")
# The words are looked for again: one may have gone with an erasure since they were read.
_FILL = text("""
    INSERT INTO search_prefixes (prefix, lexemes)
    SELECT n.prefix, array_agg(n.word ORDER BY n.place)
    FROM unnest(CAST(:prefixes AS text[]), CAST(:words AS text[]))
      WITH ORDINALITY AS n (prefix, word, place)
    JOIN search_lexemes l ON l.lexeme = n.word
    GROUP BY n.prefix
""")
_NUMBER = text("SELECT count(*) FROM search_lexemes")


def renew(engine: Engine) -> bool:
    """Make the prefixes anew where they are a day old, or the words have become many more."""
    with engine.begin() as connection:
        if not _are_old(cursors.read(connection, cursors.PREFIXES), connection):
            return False
        found = connection.execute(_FREQUENT).all()
        number = connection.scalar(_NUMBER)
    with engine.begin() as connection:
        hold(connection, Lock.SEARCH_PREFIXES)
        connection.execute(_EMPTY)
        columns = {
            "prefixes": [row.prefix for row in found],
            "words": [row.lexeme for row in found],
        }
        connection.execute(_FILL, columns)
        cursors.move(connection, cursors.PREFIXES, number)
    return True


def _are_old(made: CursorPlace | None, connection: Connection) -> bool:
    if made is None or made.position is None or made.age_seconds >= _EVERY_SECONDS:
        return True
    number = int(made.position)
    if number >= _SMALL or made.age_seconds < _SMALL_EVERY_SECONDS:
        return False
    return int(connection.scalar(_NUMBER) or 0) > number * _GROWTH
