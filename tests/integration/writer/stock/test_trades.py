"""A stock file counts the trades at once, and what is written later goes on from there."""

import datetime as dt
from pathlib import Path
from unittest.mock import Mock

import pytest

from services.writer.stock import command, store
from shared.imports.completeness import read_completeness
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.stock.conftest import Stock
from tests.integration.writer.trade_sums import kept, real

pytestmark = pytest.mark.usefixtures("left_behind")

_BREAD = ("33063", "10.71C", "NAFRev2")
_NOVEMBER = dt.date(2026, 11, 1)


def _triggers(desk: Desk) -> list[str]:
    found = desk.execute("""
        SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
        WHERE tgrelid = 'etablissements'::regclass ORDER BY tgname
    """)
    return [row["definition"] for row in found]


def test_a_table_that_is_swapped_in_is_counted_and_stays_in_step(
    stock: Stock, stock_files: dict[str, list[str]], desk: Desk, records: Records
) -> None:
    before = _triggers(desk)
    loads = stock.load(*stock_files["csv"])
    assert {load.way for load in loads} == {"swap"}
    assert kept(desk) == real(desk) != {}
    assert _triggers(desk) == before
    desk.import_(records.record(1))
    desk.execute("DELETE FROM etablissements WHERE siret > '5'")
    assert kept(desk) == real(desk)


@pytest.mark.parametrize("goes_on", [True, False])
def test_counts_of_a_load_that_was_interrupted_before_its_swap_are_made_anew(
    stock: Stock,
    stock_files: dict[str, list[str]],
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    *,
    goes_on: bool,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store, "_swap", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            stock.load(*(path for path in stock_files["csv"] if "Etablissement" in path))
    desk.execute("UPDATE stock_trades SET etablissements = 1000")
    if goes_on:
        stock.load(*stock_files["csv"])
        assert kept(desk) == real(desk) != {}
    else:
        command.discard(stock.database_url)
    assert desk.one("SELECT to_regclass('stock_trades') AS found") == {"found": None}


def test_a_merge_keeps_the_counts_in_step(
    stock: Stock, stock_files: dict[str, list[str]], desk: Desk, records: Records
) -> None:
    desk.import_(records.record(1), records.record(2), departement=None)
    stock.load(*stock_files["csv"])
    assert kept(desk) == real(desk)
    moved = records.record(1, commune="69381", treated="2026-02-01T00:00:00")
    closed = records.record(2, etat="F")
    paths = stock.write(moved, closed, name="later_")
    stock.load(*paths, force=True, file_date=_NOVEMBER)
    assert kept(desk) == real(desk)
    assert kept(desk)[_BREAD][0] == 1
    stock.load(*paths, force=True, take=True, file_date=_NOVEMBER)
    assert kept(desk) == real(desk)
    assert _BREAD not in kept(desk)


def _complete(desk: Desk) -> bool:
    with desk.engine.connect() as connection:
        until = connection.exec_driver_sql(
            "SELECT treated_until FROM watermarks WHERE collection = 'etablissements'"
        ).scalar_one()
        now = until.replace(tzinfo=dt.UTC) + dt.timedelta(days=2)
        return read_completeness(connection, now=now).month_of("33063") is not None


def test_both_files_of_the_whole_register_say_that_it_is_complete(
    stock: Stock, stock_files: dict[str, list[str]], desk: Desk
) -> None:
    stock.load(*stock_files["csv"], file_date=_NOVEMBER)
    assert _complete(desk)


def test_an_extract_of_the_register_does_not(
    stock: Stock, stock_files: dict[str, list[str]], desk: Desk
) -> None:
    """Units whose head offices are elsewhere give it away."""
    etablissements, unites = sorted(map(Path, stock_files["csv"]))
    header, *rows = etablissements.read_text(encoding="utf-8").splitlines(keepends=True)
    extract = stock.folder / etablissements.name
    extract.write_text("".join([header, *rows[::2]]), encoding="utf-8")
    stock.load(str(extract), str(unites), file_date=_NOVEMBER)
    assert not _complete(desk)


def test_a_load_that_was_forced_does_not(
    stock: Stock, stock_files: dict[str, list[str]], desk: Desk
) -> None:
    loads = stock.load(*stock_files["csv"], file_date=dt.date(2026, 10, 1))
    desk.execute("UPDATE stock_loads SET rows = rows * 2, head_offices = NULL")
    desk.execute("TRUNCATE etablissements, unites_legales")
    desk.execute("UPDATE stock_loads SET file_identity = 'another file'")
    assert not any(load.forced for load in loads)
    loads = stock.load(*stock_files["csv"], file_date=_NOVEMBER, force=True)
    assert all(load.forced for load in loads)
    assert not _complete(desk)
