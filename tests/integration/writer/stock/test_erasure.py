"""Withdrawn data is in no column of any table after a stock file either."""

import datetime as dt

import pytest

from services.writer.erasure.oppositions import forget
from tests.integration.writer.scene import SIREN, WORDS, Scene
from tests.integration.writer.stock.conftest import Stock
from tests.integration.writer.whole_database import places_of

_AUGUST = dt.date(2026, 8, 1)


def test_a_stock_file_that_masks_a_person_erases_them(person: Scene, stock: Stock) -> None:
    person.desk.import_(person.clear(1), person.clear(2), person.bystander(), sole_traders=True)
    assert places_of(person.desk.engine, *WORDS)
    for _ in range(2):
        stock.load(
            *stock.write(person.masked(1), person.masked(2), person.bystander()),
            file_date=dt.date(2026, 9, 1),
            pages=False,
        )
        assert places_of(person.desk.engine, *WORDS) == []
    assert places_of(person.desk.engine, "AU PASSANT") != []


def test_an_older_stock_file_brings_nobody_back(person: Scene, stock: Stock) -> None:
    person.desk.import_(person.clear(1), sole_traders=True)
    person.turn(person.masked(1))
    # The file adds an establishment that the register does not have.
    stock.load(*stock.write(person.clear(1), person.clear(2)), file_date=_AUGUST)
    assert person.desk.number("etablissements") == 2
    assert places_of(person.desk.engine, *WORDS) == []


@pytest.mark.parametrize("way", ["swap", "merge"])
def test_an_opposition_holds_against_a_newer_stock_file(
    way: str, person: Scene, stock: Stock
) -> None:
    if way == "merge":
        person.desk.import_(person.clear(1), person.bystander(), sole_traders=True)
    forget(person.desk.engine, SIREN, reason="demande", force=True)
    newer = person.clear(1, treated="2026-07-01T00:00:00")
    paths = stock.write(newer, person.bystander())
    loads = stock.load(*paths, file_date=_AUGUST)
    assert {load.way for load in loads} == {way}
    assert places_of(person.desk.engine, *WORDS) == []
    assert places_of(person.desk.engine, "AU PASSANT") != []
