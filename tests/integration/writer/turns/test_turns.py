"""A period ahead is stored, and takes effect on its day: in the row, the page and the text."""

import datetime as dt
from typing import Any

import pytest

from services.writer.turns.turns import Turns, turn_next
from shared.clock import Clock
from shared.sirene.pages import facts_of, page_of
from shared.sirene.records import Etablissement, UniteLegale
from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept
from tests.integration.writer.register import records_of

ON_TWO_SHARDS = True

TODAY = dt.date(2026, 11, 30)
FETCHED_AT = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
NEW_YEAR = dt.date(2027, 1, 1)
CREATED, ALSO_CREATED, CLOSES, RECODED = (
    "94000000300010",
    "94000004500010",
    "94000100100010",
    "94000110000010",
)
Row = tuple[str | None, str | None, dt.date | None]
OPENED = dt.date(2015, 3, 2)


def _import(desk: Desk, fetched_at: dt.datetime = FETCHED_AT) -> None:
    desk.import_(*records_of("dates_to_come"), fetched_at=fetched_at, departement=None)


def _turn(desk: Desk, on: dt.date) -> int:
    turned = 0
    for shard in desk.shards:
        while some := turn_next(shard, on=on, sole_traders=False):
            turned += some
    return turned


def rows(desk: Desk) -> dict[str, Row]:
    found = desk.execute("""
        SELECT siret, etat_administratif, activite_principale, date_debut FROM etablissements
        ORDER BY siret
    """)
    return {row.pop("siret"): tuple(row.values()) for row in found}


def open_pages(desk: Desk) -> list[str]:
    found = desk.execute("SELECT siret FROM pro_localisations WHERE status = 'open' ORDER BY siret")
    return [row["siret"] for row in found]


def due(desk: Desk) -> list[str]:
    found = desk.execute("SELECT siret FROM avis WHERE outcome = 'pending' ORDER BY siret")
    return [row["siret"] for row in found]


def told_since(desk: Desk, siret: str) -> dt.date | None:
    """Return the date since which a text says that the establishment exists."""
    row = desk.one("SELECT * FROM etablissements WHERE siret = :siret", siret=siret)
    place = Etablissement.from_row(row)
    unit = UniteLegale.from_row(
        desk.one("SELECT * FROM unites_legales WHERE siren = :siren", siren=place.siren)
    )
    page = page_of(place, unit)
    assert page is not None
    return facts_of(place, unit, page).date_creation


def days(desk: Desk) -> dict[str, dt.date]:
    found = desk.execute("SELECT siret, day FROM turns ORDER BY siret")
    return {row["siret"]: row["day"] for row in found}


BEFORE: dict[str, Row] = {
    CREATED: (None, None, None),
    ALSO_CREATED: (None, None, None),
    CLOSES: ("A", "43.22A", OPENED),
    RECODED: ("A", "43.22A", OPENED),
}
AFTER: dict[str, Row] = {
    CREATED: ("A", "43.22A", dt.date(2027, 1, 15)),
    ALSO_CREATED: ("A", "43.22A", dt.date(2027, 1, 15)),
    CLOSES: ("F", "43.22A", dt.date(2026, 12, 31)),
    RECODED: ("A", "43.22G", NEW_YEAR),
}


def test_nothing_that_lies_ahead_counts_before_its_day(desk: Desk) -> None:
    _import(desk)
    assert rows(desk) == BEFORE
    assert open_pages(desk) == due(desk) == [CLOSES, RECODED]
    assert _turn(desk, TODAY) == 0
    assert rows(desk) == BEFORE
    assert days(desk) == {
        CREATED: dt.date(2027, 1, 15),
        ALSO_CREATED: dt.date(2027, 1, 15),
        CLOSES: dt.date(2026, 12, 31),
        RECODED: NEW_YEAR,
    }


def test_a_closing_closes_the_page_on_its_day(desk: Desk) -> None:
    _import(desk)
    accept(desk)
    assert _turn(desk, dt.date(2026, 12, 30)) == 0
    assert _turn(desk, dt.date(2026, 12, 31)) == 1
    assert rows(desk) == {**BEFORE, CLOSES: AFTER[CLOSES]}
    assert open_pages(desk) == [RECODED]


def test_a_period_gives_its_activity_from_its_day_on(desk: Desk) -> None:
    _import(desk)
    accept(desk)
    _turn(desk, NEW_YEAR)
    assert rows(desk) == {**AFTER, CREATED: BEFORE[CREATED], ALSO_CREATED: BEFORE[ALSO_CREATED]}
    (page,) = desk.execute("SELECT * FROM pro_localisations WHERE status = 'open'")
    assert (page["siret"], page["activite_principale"]) == (RECODED, "43.22G")


def test_a_creation_opens_the_page_and_orders_the_text_on_its_day(desk: Desk) -> None:
    _import(desk)
    accept(desk)
    _turn(desk, dt.date(2027, 1, 14))
    assert CREATED not in open_pages(desk)
    _turn(desk, dt.date(2027, 1, 15))
    assert rows(desk) == AFTER
    assert open_pages(desk) == [CREATED, ALSO_CREATED, RECODED]
    assert {CREATED, ALSO_CREATED} <= set(due(desk))
    assert told_since(desk, CREATED) == dt.date(2027, 1, 15)
    assert days(desk) == {}


def test_days_that_nobody_turned_are_made_up_for(desk: Desk) -> None:
    _import(desk)
    assert _turn(desk, dt.date(2027, 3, 1)) == 4
    assert rows(desk) == AFTER
    assert _turn(desk, dt.date(2027, 3, 1)) == 0


def test_the_same_record_fetched_before_and_after_its_day_gives_the_same_rows(desk: Desk) -> None:
    _import(desk, fetched_at=dt.datetime(2027, 2, 1, tzinfo=dt.UTC))
    assert rows(desk) == AFTER
    desk.execute("TRUNCATE etablissements, unites_legales, periodes_etablissements, turns")
    desk.execute("TRUNCATE pro_localisations, avis")
    _import(desk)
    _turn(desk, dt.date(2027, 2, 1))
    assert rows(desk) == AFTER
    _import(desk, fetched_at=dt.datetime(2027, 2, 1, tzinfo=dt.UTC))
    _import(desk)
    assert rows(desk) == AFTER


def test_the_day_begins_in_france(desk: Desk) -> None:
    _import(desk, fetched_at=dt.datetime(2026, 12, 30, 22, 59, tzinfo=dt.UTC))
    assert rows(desk)[CLOSES] == BEFORE[CLOSES]
    now = dt.datetime(2026, 12, 30, 22, 59, tzinfo=dt.UTC)
    Turns(desk.shards, Clock(now=lambda: now), sole_traders=False).step()
    assert rows(desk)[CLOSES] == BEFORE[CLOSES]
    after = dt.datetime(2026, 12, 30, 23, 0, tzinfo=dt.UTC)
    Turns(desk.shards, Clock(now=lambda: after), sole_traders=False).step()
    assert rows(desk)[CLOSES] == AFTER[CLOSES]


def test_a_closing_that_insee_takes_back_never_takes_effect(desk: Desk) -> None:
    _import(desk)
    (record,) = [each for each in records_of("dates_to_come") if each["siret"] == CLOSES]
    record["dateDernierTraitementEtablissement"] = "2026-12-05T10:00:00.000"
    record["periodesEtablissement"] = [{**record["periodesEtablissement"][1], "dateFin": None}]
    later = dt.datetime(2026, 12, 6, 12, tzinfo=dt.UTC)
    desk.import_(record, fetched_at=later, departement=None)
    _turn(desk, dt.date(2026, 12, 31))
    assert rows(desk)[CLOSES] == BEFORE[CLOSES]
    assert CLOSES in open_pages(desk)


@pytest.mark.parametrize("absurd", ["0001-01-01", "7490-01-15"])
def test_a_year_that_cannot_be_says_nothing(desk: Desk, absurd: str) -> None:
    record: dict[str, Any] = records_of("dates_to_come")[0]
    record["dateCreationEtablissement"] = absurd
    record["periodesEtablissement"][0]["dateDebut"] = absurd
    desk.import_(record, fetched_at=FETCHED_AT, departement=None)
    assert open_pages(desk) == [CREATED]
    assert told_since(desk, CREATED) is None
    assert days(desk) == {}


def test_a_row_of_the_first_release_that_shows_a_day_ahead_is_put_right(desk: Desk) -> None:
    """Release 1.0.0 stored the newest period as that of today; the migration makes it due."""
    _import(desk, fetched_at=dt.datetime(2027, 2, 1, tzinfo=dt.UTC))
    assert rows(desk) == AFTER
    for siret in AFTER:
        desk.execute("INSERT INTO turns VALUES (:siret, :day)", siret=siret, day=TODAY)
    assert _turn(desk, TODAY) == 4
    assert rows(desk) == BEFORE
    assert open_pages(desk) == [CLOSES, RECODED]
    _turn(desk, dt.date(2027, 2, 1))
    assert rows(desk) == AFTER


@pytest.mark.parametrize(
    ("window", "listed"),
    [
        ({"etat_administratif": "A"}, [CREATED, ALSO_CREATED, RECODED]),
        ({"etat_administratif": "F"}, [CLOSES]),
        ({"activite_principale": "43.22A"}, [CREATED, ALSO_CREATED, CLOSES]),
        ({"activite_principale": "43.22G"}, [RECODED]),
    ],
)
def test_a_batch_is_compared_by_the_periods_by_which_insee_lists(
    desk: Desk, window: dict[str, Any], listed: list[str]
) -> None:
    _import(desk)
    records = [each for each in records_of("dates_to_come") if each["siret"] in listed]
    desk.import_(*records, fetched_at=FETCHED_AT, **window)
    (batch,) = desk.execute("SELECT * FROM import_batches ORDER BY id DESC LIMIT 1")
    assert (batch["status"], batch["surplus_sirets"]) == ("complete", [])
    desk.import_(*records[1:], fetched_at=FETCHED_AT, **window)
    (batch,) = desk.execute("SELECT * FROM import_batches ORDER BY id DESC LIMIT 1")
    assert batch["surplus_sirets"] == listed[:1]
