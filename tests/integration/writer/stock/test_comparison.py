"""A file with unchanged dates is compared by content, and taken where somebody says so."""

import datetime as dt
from pathlib import Path

import pytest

from services.writer.stock import command, loader
from services.writer.stock.comparison import StockComparison
from services.writer.stock.loader import StockOptions
from shared.errors import UserError
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.stock.conftest import Stock

pytestmark = pytest.mark.usefixtures("left_behind")

_FILES = Path(__file__).parents[3] / "fixtures/register/04_stock_corrected"
_WRONG = [
    str(_FILES / f"{kind}_2026-11-01_wrong.csv")
    for kind in ("StockUniteLegale", "StockEtablissement")
]
_RIGHT = [
    str(_FILES / f"{kind}_2026-11-16_right.csv")
    for kind in ("StockUniteLegale", "StockEtablissement")
]


def _compare(stock: Stock, *places: str) -> list[StockComparison]:
    options = StockOptions(chunk_rows=50, compare=True)
    return command.compare(stock.database_url, places, options)


def _written(desk: Desk) -> list[dict[str, object]]:
    return desk.execute("SELECT siret, xmin::text FROM etablissements ORDER BY siret")


def test_a_corrected_file_with_unchanged_dates_is_found_and_taken(desk: Desk, stock: Stock) -> None:
    stock.load(*_WRONG, file_date=dt.date(2026, 11, 1))
    before = _written(desk)
    assert desk.number("pro_localisations") == 2
    units, etablissements = _compare(stock, *_RIGHT)
    assert (units.differing, etablissements.differing) == (0, 1)
    assert etablissements.columns == {"etat_administratif": 1}
    assert (etablissements.rows, etablissements.new, etablissements.newer) == (3, 0, 0)
    assert _written(desk) == before, "a comparison writes nothing"

    loads = stock.load(*_RIGHT, file_date=dt.date(2026, 11, 16))
    assert [load.updated for load in loads] == [0, 0]
    loads = stock.load(*_RIGHT, file_date=dt.date(2026, 11, 16), take=True)
    assert [load.updated for load in loads] == [0, 1]
    row = desk.one("SELECT etat_administratif FROM etablissements WHERE siret = '93150000300010'")
    assert row == {"etat_administratif": "A"}
    assert desk.one("SELECT count(*) FROM pro_localisations WHERE status = 'open'") == {"count": 3}
    assert [found.differing for found in _compare(stock, *_RIGHT)] == [0, 0]


def test_an_older_row_is_never_taken_and_a_newer_one_is_no_difference(
    desk: Desk, stock: Stock, records: Records
) -> None:
    desk.import_(
        *(records.record(n, enseigne="API", treated="2026-05-01T00:00:00") for n in (1, 2, 3))
    )
    paths = stock.write(
        records.record(1, enseigne="STOCK", treated="2026-04-01T00:00:00"),
        records.record(2, enseigne="STOCK", treated="2026-05-01T00:00:00"),
        records.record(3, enseigne="STOCK", treated="2026-06-01T00:00:00"),
        records.record(4, enseigne="STOCK", treated="2026-04-01T00:00:00"),
    )
    _, found = _compare(stock, *paths)
    assert (found.older, found.differing, found.newer, found.new) == (1, 1, 1, 1)
    assert found.columns == {"enseigne1": 1}
    stock.load(*paths, take=True)
    signs = desk.execute("SELECT enseigne1 FROM etablissements ORDER BY siret")
    assert [row["enseigne1"] for row in signs] == ["API", "STOCK", "STOCK", "STOCK"]


def test_what_was_withdrawn_is_neither_compared_nor_taken(
    desk: Desk, stock: Stock, records: Records
) -> None:
    made = [
        records.record(n, enseigne="CHEZ DUPONT", unite={"denominationUniteLegale": "DUPONT"})
        for n in (1, 2)
    ]
    desk.import_(*made)
    desk.execute("INSERT INTO oppositions (siren, reason) VALUES ('000000001', 'demande')")
    gone = {"statutDiffusionUniteLegale": "P", "denominationUniteLegale": "[ND]"}
    desk.import_(records.record(2, enseigne="[ND]", statut="P", unite=gone))
    paths = stock.write(*made)
    desk.execute("UPDATE unites_legales SET denomination = NULL WHERE siren = '000000001'")
    assert [found.differing for found in _compare(stock, *paths)] == [0, 0]
    loads = stock.load(*paths, take=True)
    assert [load.updated for load in loads] == [0, 0]


def test_a_column_that_the_file_lacks_is_not_compared(
    desk: Desk, stock: Stock, records: Records
) -> None:
    desk.import_(records.record(1))
    desk.execute("UPDATE unites_legales SET denomination_usuelle2 = 'DUPONT'")
    paths = stock.write(records.record(1), drop=["denominationUsuelle2UniteLegale"])
    assert [found.differing for found in _compare(stock, *paths)] == [0, 0]
    stock.load(*paths, take=True)
    row = desk.one("SELECT denomination_usuelle2 AS usuelle FROM unites_legales")
    assert row == {"usuelle": "DUPONT"}


def test_a_comparison_does_not_drop_an_interrupted_load(
    desk: Desk, stock: Stock, records: Records
) -> None:
    desk.import_(records.record(1))
    paths = stock.write(records.record(1, treated="2026-09-01T00:00:00"))
    desk.execute("""
        INSERT INTO stock_loads (collection, file_name, file_identity, file_date, fetched_at,
          chunk_rows, way, status)
        VALUES ('unites_legales', 'august.csv', '1 1', '2026-08-01', '2026-08-01', 50, 'merge',
          'staged')
    """)
    with pytest.raises(UserError, match=r"a load of august\.csv was interrupted"):
        _compare(stock, *paths)
    assert desk.number("stock_loads") == 1


def test_what_a_killed_comparison_left_is_put_aside_by_the_next_command(
    desk: Desk,
    stock: Stock,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = stock.write(records.record(1, treated="2026-09-01T00:00:00"))
    other = stock.write(records.record(2, treated="2026-09-01T00:00:00"), name="other_")

    def kill() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(loader, "compare", _interrupted)
            with pytest.raises(KeyboardInterrupt):
                _compare(stock, paths[0])
        left = desk.one("SELECT status, way FROM stock_loads ORDER BY id DESC LIMIT 1")
        assert left == {"status": "staged", "way": "compare"}

    kill()
    assert [found.new for found in _compare(stock, paths[1])] == [1], "the other kind of file"
    kill()
    assert [found.new for found in _compare(stock, other[0])] == [1], "another file"
    kill()
    assert [load.inserted for load in stock.load(*paths)] == [1, 1]
    said = "what an interrupted comparison left is dropped"
    assert capsys.readouterr().err.count(said) == 3
    statuses = {"abandoned", "compared", "complete"}
    assert {row["status"] for row in desk.execute("SELECT status FROM stock_loads")} == statuses


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
