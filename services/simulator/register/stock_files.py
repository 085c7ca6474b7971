"""The monthly stock files, written from the generated register: CSV, zip of CSV, parquet.

The rows are those that the API serves, with the current period's values in line, as INSEE writes
them: masked with `[ND]` where diffusion is partial, empty where nothing is known.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from services.simulator.generation import reference
from services.simulator.generation.identifiers import SIREN_LENGTH, siren_of
from services.simulator.options import SimulatorOptions
from services.simulator.query.comparison import as_text
from services.simulator.query.variables import Collection
from services.simulator.record import Record, flattened, periods_of
from services.simulator.register.registers import GeneratedRegister

Format = Literal["csv", "zip", "parquet"]
FORMATS: Sequence[Format] = ("csv", "zip", "parquet")
FILES: Mapping[Collection, str] = {"siret": "StockEtablissement", "siren": "StockUniteLegale"}

_GROUP_ROWS = 50_000
# Copies have their own range of numbers, in the order of the file.
_FIRST_COPY = 10_000_000


@dataclass(frozen=True, slots=True)
class WrittenStockFile:
    path: Path
    rows: int


@cache
def columns(file: str) -> Sequence[str]:
    return [row["column"] for row in reference.rows("stock_columns.csv") if row["file"] == file]


def write_stock(
    directory: Path,
    options: SimulatorOptions,
    *,
    format_: Format = "csv",
    distinct: int | None = None,
) -> Mapping[Collection, WrittenStockFile]:
    """Write both files and return their counts of rows; equal options give equal bytes of CSV.

    `distinct` invents this many establishments, and the files repeat them under other SIRENs up
    to `options.establishments`: for files of millions of rows.
    """
    invented = min(distinct or options.establishments, options.establishments)
    generated = GeneratedRegister(replace(options, establishments=invented))
    written: dict[Collection, WrittenStockFile] = {}
    for collection, file in FILES.items():
        names = columns(file)
        if generated.night is not None:
            names = generated.night.columns(names)
        rows = _rows(generated, collection, names)
        if invented < options.establishments:
            rows = _repeated(rows, collection, generated, options.establishments)
        path = directory / f"{file}_utf8.{format_}"
        written[collection] = WrittenStockFile(path, _WRITERS[format_](path, names, rows))
    return written


def _rows(
    register: GeneratedRegister, collection: Collection, names: Sequence[str]
) -> Iterator[Sequence[str]]:
    for position in range(register.size(collection)):
        yield row_of(register.record(collection, position), names)


def row_of(record: Record, names: Sequence[str]) -> list[str]:
    """Write a record of the API as a row of these columns, its unit's block included."""
    current = next((p for p in periods_of(record) if p.get("dateFin") is None), {})
    values = {**current, **flattened(record)}
    return ["" if (value := values.get(name)) is None else as_text(value) for name in names]


def _repeated(
    rows: Iterator[Sequence[str]],
    collection: Collection,
    register: GeneratedRegister,
    establishments: int,
) -> Iterator[Sequence[str]]:
    """Repeat the rows under other SIRENs, up to this many establishments and their units."""
    sirens = (register.identifier("siren", number) for number in range(register.size("siren")))
    numbers = {siren: number for number, siren in enumerate(sirens)}
    wanted = establishments
    if collection == "siren":
        whole, rest = divmod(establishments, register.size("siret"))
        wanted = whole * len(numbers)
        if rest:
            wanted += numbers[register.identifier("siret", rest - 1)[:SIREN_LENGTH]] + 1
    return islice(_copies(list(rows), collection, numbers), wanted)


def _copies(
    rows: Sequence[Sequence[str]], collection: Collection, numbers: Mapping[str, int]
) -> Iterator[Sequence[str]]:
    for first in count(_FIRST_COPY, len(numbers)):
        sirens = [siren_of(first + number) for number in range(len(numbers))]
        for row in rows:
            siren = sirens[numbers[row[0]]]
            siret = [row[1], siren + row[1]] if collection == "siret" else row[1:3]
            yield [siren, *siret, *row[3:]]


def _groups(rows: Iterator[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    while group := list(islice(rows, _GROUP_ROWS)):
        yield group


def _write_text(target: io.TextIOBase, names: Sequence[str], rows: Iterator[Sequence[str]]) -> int:
    lines = csv.writer(target, lineterminator="\n")
    lines.writerow(names)
    written = 0
    for group in _groups(rows):
        lines.writerows(group)
        written += len(group)
    return written


def _write_csv(path: Path, names: Sequence[str], rows: Iterator[Sequence[str]]) -> int:
    with path.open("w", encoding="utf-8", newline="") as target:
        return _write_text(target, names, rows)


def _write_zip(path: Path, names: Sequence[str], rows: Iterator[Sequence[str]]) -> int:
    member = zipfile.ZipInfo(path.with_suffix(".csv").name, (2026, 8, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(path, "w", compresslevel=1) as archive,
        archive.open(member, "w", force_zip64=True) as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as target,
    ):
        return _write_text(target, names, rows)


def _write_parquet(path: Path, names: Sequence[str], rows: Iterator[Sequence[str]]) -> int:
    """Write with the types of the published file: dates, whole numbers and booleans."""
    schema = pa.schema([(name, _parquet_type(name)) for name in names])
    written = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(rows):
            arrays = [
                pa.array([value or None for value in column], pa.string()).cast(field.type)
                for *column, field in zip(*group, schema, strict=True)
            ]
            writer.write_table(pa.table(arrays, schema=schema))
            written += len(group)
    return written


def _parquet_type(name: str) -> pa.DataType:
    if name.startswith("dateDernierTraitement"):
        return pa.timestamp("ms")
    if name == "etablissementSiege":
        return pa.bool_()
    if name.startswith("nombrePeriodes"):
        return pa.int64()
    return pa.date32() if name == "dateDebut" or name.startswith("dateCreation") else pa.string()


_WRITERS = {"csv": _write_csv, "zip": _write_zip, "parquet": _write_parquet}
