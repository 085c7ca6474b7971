"""A stock load notes the pages that it opens and changes, and no other."""

import datetime as dt

import pytest

from tests.integration.shown_pages import shown, watched
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.stock.conftest import Stock

pytestmark = pytest.mark.usefixtures("left_behind")

_NOVEMBER = dt.date(2026, 11, 1)
_TRIGGERS = """
    SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
    WHERE starts_with(tgname, 'note_') ORDER BY tgrelid::regclass::text, tgname
"""


def test_a_first_load_opens_all_its_pages_and_keeps_the_triggers(
    stock: Stock, stock_files: dict[str, list[str]], desk: Desk
) -> None:
    triggers = desk.execute(_TRIGGERS)
    with watched(desk.engine) as found:
        loads = stock.load(*stock_files["csv"])
    assert {load.way for load in loads} == {"swap"}
    assert set(found.values()) == {"opened"}
    assert len(found) == desk.number("pro_localisations") > 100
    assert desk.execute(_TRIGGERS) == triggers
    first = min(found)
    with watched(desk.engine) as found:
        desk.execute(
            "UPDATE etablissements SET libelle_voie = 'X' WHERE siret = :siret", siret=first
        )
        desk.execute(
            "UPDATE unites_legales SET tranche_effectifs = '53' WHERE siren = :siren",
            siren=first[:9],
        )
    assert first in found


def test_the_same_load_again_notes_nothing(
    stock: Stock, stock_files: dict[str, list[str]], desk: Desk
) -> None:
    stock.load(*stock_files["csv"])
    with watched(desk.engine) as found:
        stock.load(*stock_files["csv"], force=True)
    assert found == {}


def test_a_merge_notes_what_it_changes(stock: Stock, desk: Desk, records: Records) -> None:
    desk.import_(*(records.record(number) for number in range(1, 6)), departement=None)
    later = "2026-02-01T00:00:00"
    named = {"denominationUniteLegale": "NEUVE"}
    sent = [
        records.record(1, treated=later),
        records.record(2, treated=later, etat="F"),
        records.record(3, treated=later, unite=named),
        records.record(4, treated=later, statut="P"),
        records.record(5, treated="2025-01-01T00:00:00", enseigne="ALT"),
        records.record(6, treated=later),
    ]
    paths = stock.write(*sent)
    with watched(desk.engine) as found:
        loads = stock.load(*paths, force=True, file_date=_NOVEMBER)
    assert {load.way for load in loads} == {"merge"}
    kinds = {int(siret[-5:]): kind for siret, kind in found.items()}
    assert {number: kinds[number] for number in (3, 4, 6)} == {
        3: "changed",
        4: "erased",
        6: "opened",
    }
    assert 5 not in kinds
    assert (
        "closed"
        in desk.one(
            "SELECT string_agg(kind, ' ') AS kinds FROM page_changes WHERE siret = :siret",
            siret=records.record(2)["siret"],
        )["kinds"]
    )


def test_processes_that_renew_pages_note_them(
    stock: Stock,
    stock_files: dict[str, list[str]],
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.writer.stock.pages._FEW", 0)
    with watched(desk.engine) as found:
        stock.load(*stock_files["csv"])
    assert found.keys() == shown(desk.engine).keys()
