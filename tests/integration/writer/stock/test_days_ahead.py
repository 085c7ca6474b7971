"""A date ahead in a stock file takes effect on its day, as one in a record of the API does."""

import datetime as dt
from typing import Any

import pytest

from services.writer.turns.turns import turn_next
from tests.integration.writer.desk import Desk
from tests.integration.writer.register import records_of
from tests.integration.writer.stock.conftest import Stock
from tests.integration.writer.turns.test_turns import (
    AFTER,
    BEFORE,
    CLOSES,
    CREATED,
    FETCHED_AT,
    NEW_YEAR,
    RECODED,
    TODAY,
    Row,
    days,
    open_pages,
    rows,
    told_since,
)

pytestmark = pytest.mark.usefixtures("left_behind")

LATE = dt.date(2027, 2, 1)
# The file gives the newest period alone, and no word of what a recoded establishment did before.
UNKNOWN: Row = (None, None, None)


def _records(**changes: Any) -> list[dict[str, Any]]:
    return [{**record, **changes} for record in records_of("dates_to_come")]


def _without_ahead() -> list[dict[str, Any]]:
    """The records as a file of October has them."""
    known = [each for each in records_of("dates_to_come") if each["siret"] in (CLOSES, RECODED)]
    for record in known:
        record["dateDernierTraitementEtablissement"] = "2026-10-01T10:00:00.000"
        record["periodesEtablissement"] = [{**record["periodesEtablissement"][1], "dateFin": None}]
    return known


def _load(stock: Stock, *records: dict[str, Any], day: dt.date = TODAY) -> None:
    stock.load(*stock.write(*records), file_date=day, pages=False, force=True)


def _turn(desk: Desk, on: dt.date) -> None:
    while turn_next(desk.engine, on=on, sole_traders=False):
        pass


def _load_and_turn(desk: Desk, stock: Stock, *records: dict[str, Any]) -> None:
    _load(stock, *records)
    _turn(desk, TODAY)


def test_a_file_that_fills_an_empty_register_opens_what_exists(desk: Desk, stock: Stock) -> None:
    _load_and_turn(desk, stock, *_records())
    assert rows(desk) == {**BEFORE, RECODED: UNKNOWN}
    assert open_pages(desk) == [CLOSES]
    assert days(desk)[CLOSES] == dt.date(2026, 12, 31)
    _turn(desk, LATE)
    assert rows(desk) == AFTER
    assert open_pages(desk) == sorted(set(AFTER) - {CLOSES})
    assert told_since(desk, CREATED) == dt.date(2027, 1, 15)


def test_rows_that_are_merged_keep_what_the_register_shows(desk: Desk, stock: Stock) -> None:
    _load(stock, *_without_ahead(), day=dt.date(2026, 10, 31))
    _load_and_turn(desk, stock, *_records())
    assert rows(desk) == BEFORE
    _turn(desk, LATE)
    assert rows(desk) == AFTER


def test_a_file_after_the_api_changes_nothing_before_the_day(desk: Desk, stock: Stock) -> None:
    desk.import_(*_records(), fetched_at=FETCHED_AT, departement=None)
    _load_and_turn(
        desk, stock, *_records(dateDernierTraitementEtablissement="2026-11-29T10:00:00.000")
    )
    assert rows(desk) == BEFORE
    assert open_pages(desk) == [CLOSES, RECODED]
    _turn(desk, LATE)
    assert rows(desk) == AFTER


def test_a_closing_that_a_later_file_lacks_never_takes_effect(desk: Desk, stock: Stock) -> None:
    desk.import_(*_records(), fetched_at=FETCHED_AT, departement=None)
    kept = _without_ahead()
    for record in kept:
        record["dateDernierTraitementEtablissement"] = "2026-11-29T10:00:00.000"
    _load_and_turn(desk, stock, *kept)
    _turn(desk, LATE)
    found = rows(desk)
    assert (found[CLOSES], found[RECODED]) == (BEFORE[CLOSES], BEFORE[RECODED])


def test_a_closing_that_a_later_file_moves_takes_effect_on_the_new_day(
    desk: Desk, stock: Stock
) -> None:
    desk.import_(*_records(), fetched_at=FETCHED_AT, departement=None)
    (moved,) = [each for each in _records() if each["siret"] == CLOSES]
    moved["dateDernierTraitementEtablissement"] = "2026-11-29T10:00:00.000"
    moved["periodesEtablissement"][0]["dateDebut"] = "2027-01-10"
    _load_and_turn(desk, stock, moved)
    _turn(desk, NEW_YEAR)
    assert rows(desk)[CLOSES] == BEFORE[CLOSES]
    _turn(desk, dt.date(2027, 1, 10))
    assert rows(desk)[CLOSES] == ("F", "43.22A", dt.date(2027, 1, 10))


def test_a_file_with_a_later_date_than_today_tells_no_day_ahead(desk: Desk, stock: Stock) -> None:
    far = dt.date(2090, 1, 1)
    records = _records(dateCreationEtablissement=far.isoformat())
    for record in records:
        record["periodesEtablissement"] = [
            {**record["periodesEtablissement"][0], "dateDebut": far.isoformat()}
        ]
    stock.load(*stock.write(*records), file_date=far)
    assert open_pages(desk) == []
    assert set(rows(desk).values()) == {UNKNOWN}
    assert set(days(desk).values()) == {far}


def test_the_command_turns_what_has_begun_before_it_renews_the_pages(
    desk: Desk, stock: Stock
) -> None:
    stock.load(*stock.write(*_records()), file_date=TODAY)
    assert open_pages(desk)
    assert all(day > dt.datetime.now(tz=dt.UTC).date() for day in days(desk).values())


def test_a_row_that_turns_p_before_its_day_gets_no_name_back(desk: Desk, stock: Stock) -> None:
    known = _without_ahead()
    for record in known:
        record["periodesEtablissement"][0]["enseigne1Etablissement"] = "CHEZ ZORGLUB"
    _load(stock, *known, day=dt.date(2026, 10, 31))
    _load_and_turn(desk, stock, *_records(statutDiffusionEtablissement="P"))
    _turn(desk, LATE)
    for table in ("etablissements", "periodes_etablissements", "pro_localisations"):
        assert desk.one(f"SELECT count(*) AS n FROM {table} t WHERE t::text ~ 'ZORGLUB'")["n"] == 0
