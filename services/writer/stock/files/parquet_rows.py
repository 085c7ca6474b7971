"""The rows of a parquet file, with the types that its writer gave them."""

from collections.abc import Iterator, Sequence
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from services.writer.stock.files.column_types import is_readable
from services.writer.stock.files.readers import LINE, DamagedFile, StockReader

_BATCH_ROWS = 1 << 14
# A longer value would be refused alone; a batch full of such ones would take a gigabyte.
_LONGEST_BYTES = 1 << 16
_LEAST_CHUNK_BYTES = 64 << 20
_MOST_BYTES_PER_ROW = 1100


class ParquetReader(StockReader):
    damage = "the parquet file is truncated or damaged"

    def names(self) -> Sequence[str]:
        # Without these options a whole group of rows would be read at once.
        self._file = pyarrow.parquet.ParquetFile(
            self._stream, pre_buffer=False, buffer_size=1 << 20
        )
        self.rows = self._file.metadata.num_rows
        return cast("Sequence[str]", self._file.schema_arrow.names)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for column in columns:
            kind = self._file.schema_arrow.field(column).type
            if not is_readable(kind):
                raise DamagedFile(f"{self._name}: {column} is no column of single values: {kind}")
        for group in range(self._file.num_row_groups):
            self._check_group(group, columns)
        row = 1
        for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns)):
            yield batch.append_column(LINE, pa.array(range(row, row + len(batch))))
            row += len(batch)

    def _check_group(self, group: int, columns: Sequence[str]) -> None:
        """Refuse values that are small in the file and large in memory. Raises DamagedFile.

        A dictionary holds each value once, and a batch repeats it in each row. The first row
        already brings the whole dictionary of its group.
        """
        told = self._file.metadata.row_group(group)
        most_bytes = max(_LEAST_CHUNK_BYTES, told.num_rows * _MOST_BYTES_PER_ROW)
        chunks = [told.column(number) for number in range(told.num_columns)]
        for chunk in chunks:
            if chunk.path_in_schema in columns and chunk.total_uncompressed_size > most_bytes:
                raise DamagedFile(f"{self._name}: {chunk.path_in_schema} is too large for its rows")
        coded = [
            chunk.path_in_schema
            for chunk in chunks
            if chunk.path_in_schema in columns
            and chunk.physical_type == "BYTE_ARRAY"
            and chunk.total_uncompressed_size > _LONGEST_BYTES
        ]
        if not coded or told.num_rows == 0:
            return
        with_dictionaries = pyarrow.parquet.ParquetFile(
            self._stream,
            metadata=self._file.metadata,
            read_dictionary=coded,
            pre_buffer=False,
            buffer_size=1 << 20,
        )
        first = next(with_dictionaries.iter_batches(1, row_groups=[group], columns=coded))
        for name, values in zip(coded, first.columns, strict=True):
            if pa.types.is_dictionary(values.type) and len(values.dictionary):
                longest = pc.max(pc.binary_length(values.dictionary)).as_py() or 0
                if longest > _LONGEST_BYTES:
                    raise DamagedFile(f"{self._name}: {name} holds a value of {longest} bytes")
