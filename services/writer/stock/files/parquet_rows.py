"""The rows of a parquet file, with the types that its writer gave them."""

from collections.abc import Iterator, Sequence
from typing import cast

import pyarrow as pa
import pyarrow.parquet

from services.writer.stock.files.column_types import is_readable
from services.writer.stock.files.readers import LINE, DamagedFile, StockReader


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
        row = 1
        for batch in self._file.iter_batches(batch_size=1 << 14, columns=list(columns)):
            yield batch.append_column(LINE, pa.array(range(row, row + len(batch))))
            row += len(batch)
