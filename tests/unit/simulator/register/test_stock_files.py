"""Stock files hold the records that the server serves, however many rows they have."""

import csv
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from services.simulator.generation.diffusion import MASK
from services.simulator.main import main
from services.simulator.options import SimulatorOptions
from services.simulator.record import periods_of
from services.simulator.register.registers import GeneratedRegister
from services.simulator.register.stock_files import FORMATS, Format, write_stock

_OPTIONS = SimulatorOptions(establishments=120)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_rows_are_the_records_that_are_served(tmp_path: Path) -> None:
    rows = _rows(write_stock(tmp_path, _OPTIONS)["siret"].path)
    register = GeneratedRegister(_OPTIONS)
    assert [row["siret"] for row in rows] == [register.identifier("siret", n) for n in range(120)]
    record = register.record("siret", 7)
    period = periods_of(record)[0]
    assert rows[7]["etatAdministratifEtablissement"] == period["etatAdministratifEtablissement"]
    masked = [row for row in rows if MASK in row.values()]
    assert masked
    assert {row["statutDiffusionEtablissement"] for row in masked} == {"P"}


@pytest.mark.parametrize("format_", FORMATS)
def test_equal_options_give_equal_rows_in_every_format(tmp_path: Path, format_: Format) -> None:
    made = [write_stock(_folder(tmp_path / name), _OPTIONS, format_=format_) for name in ("a", "b")]
    for collection in ("siret", "siren"):
        first, second = (files[collection] for files in made)
        assert first.rows == second.rows
        assert first.path.read_bytes() == second.path.read_bytes()
    if format_ == "parquet":
        table = pyarrow.parquet.read_table(made[0]["siret"].path)
        assert table.num_rows == 120


def test_a_long_file_repeats_few_establishments_under_other_sirens(tmp_path: Path) -> None:
    files = write_stock(tmp_path, SimulatorOptions(establishments=500), distinct=120)
    rows, units = _rows(files["siret"].path), _rows(files["siren"].path)
    sirets = [row["siret"] for row in rows]
    assert (len(sirets), len(set(sirets))) == (500, 500)
    assert sirets == sorted(sirets)
    assert {row["siren"] for row in rows} == {unit["siren"] for unit in units}
    assert files["siren"].rows == len(units)


def test_the_command_writes_both_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--establishments", "50", "--format", "parquet", "--out", str(tmp_path / "new"))
    monkeypatch.setattr(sys, "argv", ["simulator", "stock", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "StockEtablissement_utf8.parquet: 50 rows" in capsys.readouterr().out.replace("\n", "")
    assert len(list((tmp_path / "new").iterdir())) == 2


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
