"""A unit has one siège: the one that the unit names."""

import datetime as dt

from shared.sirene.pages import facts_of, page_of
from shared.sirene.records import Etablissement, UniteLegale
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.page_rows import accept
from tests.integration.writer.records import Record
from tests.integration.writer.register import records_of

LATER = FETCHED_AT + dt.timedelta(days=1)


def _sieges(desk: Desk) -> list[str]:
    """Return the sirets of which a text says that they are the siège."""
    found = []
    for row in desk.execute("SELECT * FROM etablissements ORDER BY siret"):
        (unit,) = desk.execute("SELECT * FROM unites_legales WHERE siren = :s", s=row["siren"])
        place, unite = Etablissement.from_row(row), UniteLegale.from_row(unit)
        page = page_of(place, unite)
        if page is not None and facts_of(place, unite, page).est_siege:
            found.append(place.siret)
    return found


def _due(desk: Desk) -> list[str]:
    rows = desk.execute("SELECT siret FROM avis WHERE outcome = 'pending' ORDER BY siret")
    return [row["siret"] for row in rows]


def _import(desk: Desk, *records: Record, fetched_at: dt.datetime = FETCHED_AT) -> None:
    desk.import_(*records, departement=None, fetched_at=fetched_at)


def test_a_siege_that_moves_leaves_one_siege_and_renews_both_texts(desk: Desk) -> None:
    before, after = records_of("siege_moved_before"), records_of("siege_moved_after")
    old, new = (record["siret"] for record in before)
    _import(desk, *before)
    accept(desk)
    assert _sieges(desk) == [old]
    _import(desk, *after, fetched_at=LATER)
    assert _sieges(desk) == [new]
    assert _due(desk) == [old, new]


def test_the_new_siege_alone_is_enough_for_both_texts(desk: Desk) -> None:
    """A delta brings only the record that INSEE dates anew."""
    before, (_, moved) = records_of("siege_moved_before"), records_of("siege_moved_after")
    old, new = (record["siret"] for record in before)
    _import(desk, *before)
    accept(desk)
    _import(desk, moved, fetched_at=LATER)
    assert _sieges(desk) == [new]
    assert _due(desk) == [old, new]


def test_without_the_units_word_the_flag_of_the_establishment_counts(desk: Desk) -> None:
    before = records_of("siege_moved_before")
    for record in before:
        record["uniteLegale"]["nicSiegeUniteLegale"] = None
    _import(desk, *before)
    assert _sieges(desk) == [before[0]["siret"]]
