"""Withdrawn data is in no column of any table after a stock file either."""

import datetime as dt

import pytest

from services.writer.erasure.oppositions import forget
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.page_rows import accept
from tests.integration.writer.records import Record, Records
from tests.integration.writer.register import records_of
from tests.integration.writer.scene import SIREN, WORDS, Scene
from tests.integration.writer.stock.conftest import Stock
from tests.integration.writer.whole_database import places_of

_AUGUST = dt.date(2026, 8, 1)


def _bystander(person: Scene, *, treated: str) -> Record:
    record = person.bystander()
    record["dateDernierTraitementEtablissement"] = treated
    record["uniteLegale"]["dateDernierTraitementUniteLegale"] = treated
    return record


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


@pytest.mark.parametrize("treated", [None, "1900-01-01T00:00:00", "2025-06-01T00:00:00"])
@pytest.mark.parametrize("clear", ["2026-01-01T00:00:00", "2099-01-01T00:00:00"])
def test_a_later_stock_file_masks_whatever_its_dates(
    person: Scene, stock: Stock, clear: str, treated: str | None
) -> None:
    shown = [person.clear(number, treated=clear) for number in (1, 2)]
    masked = [person.masked(number) for number in (1, 2)]
    for record in masked:
        record["dateDernierTraitementEtablissement"] = treated
        record["uniteLegale"]["dateDernierTraitementUniteLegale"] = treated
    moved = person.clear(2, treated=clear, enseigne="ANCIEN ZORGLUB")
    person.desk.import_(moved, fetched_at=FETCHED_AT - dt.timedelta(days=1), sole_traders=True)
    person.desk.import_(*shown, sole_traders=True)
    accept(person.desk, "Hermeline Zorglub tient une boulangerie zinzoline.")
    assert "avis.text" in places_of(person.desk.engine, *WORDS)
    # The latest treatment in a file tells how old the file is.
    paths = stock.write(*masked, _bystander(person, treated="2026-08-31T00:00:00"))
    stock.load(*paths, file_date=dt.date(2026, 9, 1))
    assert places_of(person.desk.engine, *WORDS) == []
    # The queue delivers an older GET after it.
    person.desk.import_(*shown, sole_traders=True)
    assert places_of(person.desk.engine, *WORDS) == []
    assert places_of(person.desk.engine, "AU PASSANT") != []


def test_a_stock_file_takes_the_name_of_a_purged_person_off_the_page(
    person: Scene, stock: Stock
) -> None:
    desk = person.desk
    before, after = records_of("purged_before"), records_of("purged_after")
    desk.import_(*before, sole_traders=True)
    accept(desk, "Paule Nomfictif est électricienne à Bordeaux.")
    assert "pro_localisations.slug" in places_of(desk.engine, "NOMFICTIF")
    paths = stock.write(*after, _bystander(person, treated="2026-11-29T00:00:00"))
    stock.load(*paths, file_date=dt.date(2026, 11, 30), sole_traders=True)
    assert places_of(desk.engine, "NOMFICTIF", "PAULE") == []


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


def test_a_row_of_an_unknown_status_hides_what_is_stored(
    desk: Desk, stock: Stock, records: Records
) -> None:
    person = {"categorieJuridiqueUniteLegale": "1000"}
    desk.import_(records.record(1, enseigne="SECRET", unite=person), sole_traders=True)
    odd = records.record(
        1, enseigne="SECRET", treated="2026-06-01T00:00:00", statut="V", unite=person
    )
    loads = stock.load(*stock.write(odd))
    assert [load.refused for load in loads] == [0, 0]
    row = desk.one("SELECT statut_diffusion, enseigne1, libelle_voie FROM etablissements")
    assert row == {"statut_diffusion": "P", "enseigne1": None, "libelle_voie": None}
    assert desk.one("SELECT nom FROM pro_localisations") == {"nom": None}
    assert desk.execute("SELECT field, code FROM unknown_codes") == [
        {"field": "statut_diffusion", "code": "V"}
    ]
