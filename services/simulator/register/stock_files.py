"""The monthly stock files, written from the generated register: CSV, zip of CSV, parquet.

The rows are those that the API serves, with the current period's values in line, as INSEE writes
them: masked with `[ND]` where diffusion is partial, empty where nothing is known.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from services.simulator.generation import reference
from services.simulator.generation.identifiers import SIREN_LENGTH, siren_of
from services.simulator.options import SimulatorOptions
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
    generated = GeneratedRegister(
        SimulatorOptions(
            establishments=invented,
            seed=options.seed,
            day=options.day,
            departements=options.departements,
        )
    )
    copies = 0 if invented == options.establishments else -(-options.establishments // invented)
    owners = _Owners(generated)
    written: dict[Collection, WrittenStockFile] = {}
    for collection, file in FILES.items():
        rows = _rows(generated, collection)
        if copies:
            rows = _repeated(list(rows), collection, copies, owners)
            rows = islice(rows, owners.rows(collection, options.establishments, invented))
        path = directory / f"{file}_utf8.{format_}"
        written[collection] = WrittenStockFile(path, _WRITERS[format_](path, columns(file), rows))
    return written


class _Owners:
    """Counts the units that own the first establishments."""

    def __init__(self, register: GeneratedRegister) -> None:
        self.sirens = [register.identifier("siren", n) for n in range(register.size("siren"))]
        self.numbers = {siren: number for number, siren in enumerate(self.sirens)}
        self._of = [
            self.numbers[register.identifier("siret", index)[:SIREN_LENGTH]]
            for index in range(register.size("siret"))
        ]

    def rows(self, collection: Collection, establishments: int, invented: int) -> int:
        if collection == "siret":
            return establishments
        whole, rest = divmod(establishments, invented)
        return whole * len(self.sirens) + (self._of[rest - 1] + 1 if rest else 0)


def _rows(register: GeneratedRegister, collection: Collection) -> Iterator[Sequence[str]]:
    names = columns(FILES[collection])
    for position in range(register.size(collection)):
        yield row_of(register.record(collection, position), names)


def row_of(record: Record, names: Sequence[str]) -> list[str]:
    """Write a record of the API as a row of these columns, its unit's block included."""
    current = next((p for p in periods_of(record) if p.get("dateFin") is None), {})
    values = {**current, **flattened(record)}
    return [_text(values.get(name)) for name in names]


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _repeated(
    rows: Sequence[Sequence[str]], collection: Collection, copies: int, owners: _Owners
) -> Iterator[Sequence[str]]:
    for copy in range(copies):
        first = _FIRST_COPY + copy * len(owners.sirens)
        sirens = [siren_of(first + number) for number in range(len(owners.sirens))]
        for row in rows:
            siren = sirens[owners.numbers[row[0]]]
            yield (
                [siren, row[1], siren + row[1], *row[3:]]
                if collection == "siret"
                else [siren, *row[1:]]
            )


def _groups(rows: Iterator[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    while group := list(islice(rows, _GROUP_ROWS)):
        yield group


def _write_text(target: io.TextIOBase, names: Sequence[str], rows: Iterator[Sequence[str]]) -> int:
    lines = csv.writer(target, lineterminator="\n")
    lines.writerow(names)
    count = 0
    for group in _groups(rows):
        lines.writerows(group)
        count += len(group)
    return count


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
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(rows):
            values = zip(*group, strict=True)
            writer.write_table(
                pa.table(
                    [
                        pa.array([v or None for v in column], pa.string()).cast(field.type)
                        for column, field in zip(values, schema, strict=True)
                    ],
                    schema=schema,
                )
            )
            count += len(group)
    return count


def _parquet_type(name: str) -> pa.DataType:
    if name.startswith("dateDernierTraitement"):
        return pa.timestamp("ms")
    if name == "etablissementSiege":
        return pa.bool_()
    if name.startswith("nombrePeriodes"):
        return pa.int64()
    return pa.date32() if name == "dateDebut" or name.startswith("dateCreation") else pa.string()


_WRITERS = {"csv": _write_csv, "zip": _write_zip, "parquet": _write_parquet}
