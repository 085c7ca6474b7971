"""Stock files made of API records, and loads of them."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.simulator.options import SimulatorOptions
from services.simulator.register.registers import GeneratedRegister
from services.simulator.register.stock_files import FILES, FORMATS, columns, row_of, write_stock
from services.writer.stock import command
from services.writer.stock.loader import StockOptions
from services.writer.stock.log import StockLoad
from tests.integration.writer.records import Record

ESTABLISHMENTS = 400


class Stock:
    """Writes stock files into one folder and loads them."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.folder = folder

    def write(self, *records: Record, name: str = "", drop: Sequence[str] = ()) -> list[str]:
        """Write both files of these records of `/siret`; `drop` leaves columns out."""
        paths = []
        for collection, file in FILES.items():
            names = [column for column in columns(file) if column not in drop]
            rows = [row_of(record, names) for record in records]
            if collection == "siren":
                rows = list({row[0]: row for row in rows}.values())
            path = self.folder / f"{name}{file}.csv"
            with path.open("w", encoding="utf-8", newline="") as lines:
                csv.writer(lines).writerows([names, *rows])
            paths.append(str(path))
        return paths

    def load(self, *places: str, **options: Any) -> list[StockLoad]:
        return command.load(
            self.database_url, places, StockOptions(**{"chunk_rows": 50, **options})
        )


@pytest.fixture
def stock(database_url: str, tmp_path: Path) -> Stock:
    return Stock(database_url, tmp_path)


@pytest.fixture(scope="session")
def register() -> GeneratedRegister:
    return GeneratedRegister(SimulatorOptions(establishments=ESTABLISHMENTS))


@pytest.fixture(scope="session")
def stock_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the simulator's register in each format, units last."""
    made: dict[str, list[str]] = {}
    for format_ in FORMATS:
        folder = tmp_path_factory.mktemp(format_)
        files = write_stock(
            folder, SimulatorOptions(establishments=ESTABLISHMENTS), format_=format_
        )
        made[format_] = [str(file.path) for file in files.values()]
    return made


@pytest.fixture
def left_behind(engine: Engine) -> Iterator[None]:
    """Assert that the test leaves no staging table."""
    yield
    with engine.begin() as connection:
        names = connection.execute(
            text("SELECT relname FROM pg_class WHERE relname LIKE 'stock%' AND relkind = 'r'")
        ).scalars()
        assert set(names) == {"stock_loads", "stock_chunks"}
