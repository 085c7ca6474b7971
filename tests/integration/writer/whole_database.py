"""A search for words in a whole database: every column as text, bytes decoded."""

from contextlib import suppress

from sqlalchemy import Engine, text
from zstandard import ZstdDecompressor, ZstdError

_COLUMNS = text("""
    SELECT c.table_name, c.column_name, c.data_type = 'bytea' AS is_bytes
    FROM information_schema.columns c JOIN information_schema.tables t
      USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
    ORDER BY 1, 2
""")


def places_of(engine: Engine, *words: str) -> list[str]:
    """Return each `table.column` that holds one of the words, in any case."""
    wanted = [word.casefold() for word in words]
    found = []
    with engine.connect() as connection:
        for table, column, is_bytes in connection.execute(_COLUMNS).all():
            shown = f'"{column}"' if is_bytes else f'"{column}"::text'
            values = connection.execute(text(f'SELECT {shown} FROM "{table}"')).scalars()
            texts = [_opened(value) if is_bytes else value for value in values if value is not None]
            if any(word in each.casefold() for each in texts for word in wanted):
                found.append(f"{table}.{column}")
    return found


def _opened(value: bytes) -> str:
    raw = bytes(value)
    with suppress(ZstdError):
        raw += ZstdDecompressor().decompress(raw)
    return raw.decode("utf-8", errors="replace")
