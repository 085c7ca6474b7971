"""A small parquet file cannot take a large amount of memory."""

import io
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.writer.stock.files.parquet_rows import ParquetReader
from services.writer.stock.files.readers import DamagedFile

_ROWS = 20_000
_MIB = 1 << 20


def _file(column: pa.Array, **options: object) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"siret": [f"{row:014d}" for row in range(len(column))], "nom": column})
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue()


def _read(data: bytes) -> int:
    raw: io.BufferedReader = io.BufferedReader(cast("io.RawIOBase", io.BytesIO(data)))
    reader = ParquetReader("f", raw)
    reader.names()
    return sum(len(batch) for batch in reader.batches(["siret", "nom"]))


def _same(text: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))


@pytest.mark.parametrize("keeps_schema", [True, False])
def test_a_value_that_each_row_repeats_is_refused_before_it_is_repeated(
    keeps_schema: bool,
) -> None:
    data = _file(_same("x" * 400_000, _ROWS), store_schema=keeps_schema)
    assert len(data) < 100_000
    before = pa.default_memory_pool().max_memory() or 0
    with pytest.raises(DamagedFile, match="nom holds a value of 400000 bytes"):
        _read(data)
    assert (pa.default_memory_pool().max_memory() or 0) < max(before, 200 * _MIB)


def test_a_column_that_is_far_larger_than_its_rows_is_refused() -> None:
    data = _file(pa.array(["x" * _MIB] * 100), use_dictionary=False)
    assert len(data) < 100_000
    with pytest.raises(DamagedFile, match="nom is too large for its rows"):
        _read(data)


@pytest.mark.parametrize("length", [10, 2000, 60_000])
def test_long_values_are_left_to_the_rules_of_rows(length: int) -> None:
    assert _read(_file(_same("é" * (length // 2), 1000))) == 1000
