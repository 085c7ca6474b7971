"""A stock file brings newer rows into a register in use, undoes no withdrawal, deletes nothing."""

import datetime as dt
import threading
from typing import Any

import pytest

from shared.errors import UserError
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.stock.conftest import Stock

pytestmark = pytest.mark.usefixtures("left_behind")


def _load(desk: Desk, siret_or_siren: str) -> dict[str, Any]:
    row: dict[str, Any] = desk.one(
        """SELECT e.*, u.denomination FROM etablissements e JOIN unites_legales u USING (siren)
           WHERE siret = :key OR siren = :key""",
        key=siret_or_siren,
    )
    return row


def _accept_all(desk: Desk) -> None:
    desk.execute("""
        UPDATE avis SET outcome = 'accepted', text = 'Un texte.', label = 'L', model = 'm',
          prompt_version = 'p', digital_source_type = 'algorithmicMedia',
          accepted_facts_hash = facts_hash, accepted_at = now() WHERE outcome = 'pending'
    """)


def test_older_rows_stay_out_and_newer_ones_come_in(
    desk: Desk, stock: Stock, records: Records
) -> None:
    desk.import_(
        records.record(1, enseigne="API", treated="2026-05-01T00:00:00"),
        records.record(2, enseigne="API", treated="2026-05-01T00:00:00"),
        records.record(3, enseigne="API", treated="2026-05-01T00:00:00"),
    )
    before = _load(desk, "000000003")
    loads = stock.load(
        *stock.write(
            records.record(1, enseigne="STOCK", treated="2026-04-01T00:00:00"),
            records.record(2, enseigne="STOCK", treated="2026-06-01T00:00:00"),
            records.record(3, enseigne="STOCK", treated="2026-05-01T00:00:00"),
            records.record(4, enseigne="STOCK", treated="2026-04-01T00:00:00"),
        )
    )
    assert [(load.way, load.inserted, load.updated) for load in loads] == [
        ("merge", 1, 1),
        ("merge", 1, 1),
    ]
    signs = [_load(desk, f"{n:09d}")["enseigne1"] for n in (1, 2, 3, 4)]
    assert signs == ["API", "STOCK", "API", "STOCK"]
    assert _load(desk, "000000003") == before, "an equal version is not even written"
    names = desk.execute("SELECT nom FROM pro_localisations ORDER BY siret")
    assert [row["nom"] for row in names] == ["API", "STOCK", "API", "STOCK"]


def test_without_a_treatment_date_a_difference_in_a_later_file_counts(
    desk: Desk, stock: Stock, records: Records
) -> None:
    desk.import_(
        records.record(1, enseigne="API", treated=None),
        fetched_at=dt.datetime(2026, 7, 1, tzinfo=dt.UTC),
    )
    paths = stock.write(
        records.record(1, enseigne="STOCK", treated=None),
        records.record(2, treated="2026-07-31T00:00:00"),
    )
    stock.load(*paths, file_date=dt.date(2026, 6, 1))
    assert _load(desk, "000000001")["enseigne1"] == "API"
    stock.load(*paths, file_date=dt.date(2026, 8, 1))
    assert _load(desk, "000000001")["enseigne1"] == "STOCK"


def test_a_column_that_the_file_lacks_keeps_what_is_stored_unless_the_row_withdraws(
    desk: Desk, stock: Stock, records: Records
) -> None:
    column = "denominationUsuelle2UniteLegale"
    told = {column: "DUPONT", "categorieJuridiqueUniteLegale": "1000"}
    for number in (1, 2):
        desk.import_(records.record(number, treated="2026-01-01T00:00:00", unite=told))
    desk.execute("UPDATE unites_legales SET denomination_usuelle2 = 'DUPONT'")
    later = [
        records.record(1, treated="2026-05-01T00:00:00", unite={"sigleUniteLegale": "DF"}),
        records.record(
            2,
            treated="2026-05-01T00:00:00",
            unite={"statutDiffusionUniteLegale": "P", "categorieJuridiqueUniteLegale": "1000"},
        ),
    ]
    stock.load(*stock.write(*later, drop=[column]))
    rows = desk.execute("SELECT sigle, denomination_usuelle2 AS usuelle FROM unites_legales")
    found = {row["sigle"]: row["usuelle"] for row in rows}
    assert found == {"DF": "DUPONT", None: None}


def test_a_unit_that_withdraws_in_the_file_is_erased_even_without_pages(
    desk: Desk, stock: Stock, records: Records
) -> None:
    person = {
        "categorieJuridiqueUniteLegale": "5499",
        "denominationUniteLegale": "DUPONT ET FILS",
    }
    desk.import_(records.record(1, enseigne="CHEZ DUPONT", unite=person))
    _accept_all(desk)
    gone = {"statutDiffusionUniteLegale": "P", "denominationUniteLegale": "[ND]"}
    # At an equal date P beats O.
    loads = stock.load(
        *stock.write(records.record(1, enseigne="[ND]", statut="P", unite=gone)), pages=False
    )
    assert [load.updated for load in loads] == [1, 1]
    assert _load(desk, "000000001")["denomination"] is None
    assert _load(desk, "000000001")["enseigne1"] is None
    avis = desk.one("SELECT outcome, text, facts_hash FROM avis")
    assert avis == {"outcome": "skipped_non_diffusible", "text": None, "facts_hash": ""}
    assert desk.number("erasures") == 2
    page = desk.one("SELECT nom, slug FROM pro_localisations")
    assert page["nom"] is None
    assert "dupont" not in page["slug"]


def test_an_older_file_does_not_bring_back_what_was_erased(
    desk: Desk, stock: Stock, records: Records
) -> None:
    gone = {"statutDiffusionUniteLegale": "P", "denominationUniteLegale": "[ND]"}
    clear = records.record(1, enseigne="CHEZ DUPONT", treated="2026-01-01T00:00:00")
    desk.import_(clear)
    desk.import_(
        records.record(1, enseigne="[ND]", statut="P", treated="2026-02-01T00:00:00", unite=gone)
    )
    stock.load(*stock.write(clear))
    assert (_load(desk, "000000001")["denomination"], _load(desk, "000000001")["enseigne1"]) == (
        None,
        None,
    )


def test_a_newer_row_of_somebody_opposed_comes_in_without_their_data(
    desk: Desk, stock: Stock, records: Records
) -> None:
    desk.import_(records.record(1, enseigne="CHEZ DUPONT"))
    desk.execute("INSERT INTO oppositions (siren, reason) VALUES ('000000001', 'demande')")
    stock.load(
        *stock.write(records.record(1, enseigne="CHEZ DUPONT", treated="2026-09-01T00:00:00"))
    )
    row = _load(desk, "000000001")
    assert (row["denomination"], row["enseigne1"]) == (None, None)
    assert desk.one("SELECT outcome FROM avis") == {"outcome": "skipped_opposition"}


def test_the_first_record_of_the_api_after_a_stock_makes_no_text_due_again(
    desk: Desk, stock: Stock, records: Records
) -> None:
    record = records.record(1, enseigne="LE FOURNIL")
    stock.load(*stock.write(record), file_date=dt.date(2026, 8, 1))
    assert desk.one("SELECT outcome FROM avis") == {"outcome": "pending"}
    _accept_all(desk)
    first = desk.import_(record)
    assert (first.updated, first.unchanged) == (1, 0)
    assert desk.one("SELECT outcome, text FROM avis") == {
        "outcome": "accepted",
        "text": "Un texte.",
    }
    again = desk.import_(record)
    assert (again.updated, again.unchanged) == (0, 1)


def test_rows_that_the_file_no_longer_has_are_counted_and_stay(
    desk: Desk, stock: Stock, records: Records
) -> None:
    everyone = [records.record(number) for number in range(1, 61)]
    desk.import_(*everyone)
    loads = stock.load(*stock.write(*everyone[1:]))
    assert [load.vanished for load in loads] == [1, 1]
    assert desk.number("etablissements") == 60


def test_a_file_with_far_fewer_rows_is_refused_unless_forced(
    desk: Desk, stock: Stock, records: Records
) -> None:
    everyone = [records.record(number) for number in range(1, 51)]
    desk.import_(*everyone)
    newer = records.record(1, enseigne="STOCK", treated="2026-09-01T00:00:00")
    etablissements, _ = stock.write(newer, *everyone[3:])
    with pytest.raises(UserError, match="48 rows, less than 98% of the 50 there were: nothing"):
        stock.load(etablissements)
    assert _load(desk, "000000001")["enseigne1"] is None
    assert desk.one("SELECT status FROM stock_loads") == {"status": "refused"}
    (load,) = stock.load(etablissements, force=True)
    assert (load.updated, load.vanished) == (1, 2)
    assert _load(desk, "000000001")["enseigne1"] == "STOCK"


def test_a_second_load_of_the_same_file_changes_nothing_and_renews_no_page(
    desk: Desk, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    stock.load(*stock_files["csv"])
    stamps = desk.execute("SELECT siret, xmin::text, updated_at FROM etablissements ORDER BY 1")
    pages = desk.execute("SELECT id, xmin::text FROM pro_localisations ORDER BY 1")
    loads = stock.load(*stock_files["csv"])
    assert [(load.way, load.inserted, load.updated, load.vanished) for load in loads] == [
        ("merge", 0, 0, 0),
        ("merge", 0, 0, 0),
    ]
    after = desk.execute("SELECT siret, xmin::text, updated_at FROM etablissements ORDER BY 1")
    assert after == stamps
    assert desk.execute("SELECT id, xmin::text FROM pro_localisations ORDER BY 1") == pages


def test_units_that_come_after_their_establishments_bring_the_pages(
    desk: Desk, stock: Stock, records: Records
) -> None:
    units, etablissements = sorted(stock.write(records.record(1), records.record(2)), reverse=True)
    stock.load(etablissements)
    assert desk.number("pro_localisations") == 0
    stock.load(units)
    assert desk.number("pro_localisations") == 2


def test_pages_that_a_load_was_told_to_leave_come_with_the_next_one(
    desk: Desk, stock: Stock, records: Records
) -> None:
    first = [records.record(number) for number in range(1, 4)]
    stock.load(*stock.write(*first, name="july-"), file_date=dt.date(2026, 7, 1), pages=False)
    assert desk.number("pro_localisations") == 0
    paths = stock.write(*first, records.record(4), name="august-")
    stock.load(*paths, file_date=dt.date(2026, 8, 1))
    assert desk.number("pro_localisations") == 4
    assert {r["status"] for r in desk.execute("SELECT status FROM stock_loads")} == {"complete"}


def test_a_live_watermark_is_not_moved_back(desk: Desk, stock: Stock, records: Records) -> None:
    desk.execute("""
        INSERT INTO watermarks (collection, treated_until)
        VALUES ('etablissements', '2026-10-01'), ('unites_legales', '2025-10-01')
    """)
    stock.load(*stock.write(records.record(1, treated="2026-06-01T00:00:00")))
    rows = desk.execute("SELECT collection, treated_until::date::text FROM watermarks ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [
        ("etablissements", "2026-10-01"),
        ("unites_legales", "2026-06-01"),
    ]


def test_a_merge_waits_for_a_slice_that_is_being_written(
    desk: Desk, stock: Stock, records: Records
) -> None:
    """The writer holds a unit's row: the merge waits for it and sees its change."""
    desk.import_(records.record(1, enseigne="API", treated="2026-01-01T00:00:00"))
    paths = stock.write(records.record(1, enseigne="STOCK", treated="2026-05-01T00:00:00"))
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1 FROM unites_legales FOR NO KEY UPDATE")
        load = threading.Thread(target=stock.load, args=paths)
        load.start()
        load.join(timeout=2.0)
        assert load.is_alive()
        connection.exec_driver_sql(
            "UPDATE etablissements SET enseigne1 = 'PLUS TARD',"
            " date_dernier_traitement = '2026-06-01'"
        )
    load.join(timeout=30)
    assert not load.is_alive()
    assert _load(desk, "000000001")["enseigne1"] == "PLUS TARD"


def test_an_older_files_establishment_of_a_unit_that_withdrew_comes_in_without_its_data(
    desk: Desk, stock: Stock, records: Records
) -> None:
    person = {"categorieJuridiqueUniteLegale": "1000", "nomUniteLegale": "[ND]"}
    gone = {**person, "statutDiffusionUniteLegale": "P"}
    desk.import_(
        records.record(1, siren="000000007", enseigne="[ND]", statut="P", unite=gone),
        fetched_at=dt.datetime(2026, 8, 5, tzinfo=dt.UTC),
    )
    other = records.record(2, siren="000000007", enseigne="CHEZ DUPONT", unite=gone)
    stock.load(*stock.write(other), file_date=dt.date(2026, 8, 1))
    row = desk.one("SELECT * FROM etablissements WHERE siret = :siret", siret=other["siret"])
    assert (row["enseigne1"], row["libelle_voie"], row["code_commune"]) == (None, None, "33063")


def test_the_tombstone_of_one_establishment_holds_for_it_alone(
    desk: Desk, stock: Stock, records: Records
) -> None:
    one = records.record(1, siren="000000007", enseigne="UN", treated="2026-01-01T00:00:00")
    two = records.record(2, siren="000000007", enseigne="DEUX", treated="2026-01-01T00:00:00")
    desk.execute(
        """INSERT INTO erasures (siren, siret, date_dernier_traitement, fetched_at, reason)
           VALUES ('000000007', :siret, '2026-02-01', now(), 'partial_diffusion')""",
        siret=one["siret"],
    )
    for way in ("swap", "merge"):
        loads = stock.load(*stock.write(one, two), force=True)
        assert {load.way for load in loads} == {way}
        rows = desk.execute("SELECT statut_diffusion, libelle_voie FROM etablissements ORDER BY 1")
        assert [row["statut_diffusion"] for row in rows] == ["O", "P"]
        assert rows[0]["libelle_voie"] is not None
        assert rows[1]["libelle_voie"] is None
