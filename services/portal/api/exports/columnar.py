"""Rows as a Parquet file, made piece by piece."""

from collections.abc import Mapping, Sequence
from typing import Any

MEDIA_TYPE = "application/vnd.apache.parquet"


class _Pieces:
    """A file that is written once and handed on piece by piece."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._written.append(piece)
        return len(piece)

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        pieces, self._written = self._written, []
        return b"".join(pieces)


class ParquetFile:
    """A file of text columns; what it yields, one after the other, is the file."""

    def __init__(self, columns: Sequence[str]) -> None:
        # Only this needs it, and it is heavy.
        import pyarrow as pa  # noqa: PLC0415  large, and for exports alone
        from pyarrow import parquet as pq  # noqa: PLC0415  as above

        self._arrow = pa
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._pieces = _Pieces()
        sink = pa.PythonFile(self._pieces, mode="w")
        self._writer = pq.ParquetWriter(sink, self._schema, compression="zstd")

    def group(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Write a group of rows."""
        pa = self._arrow
        columns = zip(*([_text(value) for value in row] for row in rows), strict=True)
        arrays = [pa.array(column, pa.string()) for column in columns]
        self._writer.write_table(pa.table(arrays, schema=self._schema))
        return self._pieces.taken()

    def end(self, metadata: Mapping[str, str]) -> bytes:
        """Write the end of the file, with these metadata."""
        self._writer.add_key_value_metadata(dict(metadata))
        self._writer.close()
        return self._pieces.taken()


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
