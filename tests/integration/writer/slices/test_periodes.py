"""The history is stored with its establishment, replaced with it, and hidden with it."""

import datetime as dt
from typing import Any

from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True

LATER = "2026-02-01T00:00:00"


def _with_past(record: dict[str, Any], *past: dict[str, Any]) -> dict[str, Any]:
    """The record with these periods before its present one, newest first."""
    current = record["periodesEtablissement"][0]
    periods = [current, *({**current, **period} for period in past)]
    return {**record, "periodesEtablissement": periods}


def _history(desk: Desk) -> list[tuple[Any, ...]]:
    rows = desk.execute("""
        SELECT siret, rang, date_fin::text, etat_administratif, enseigne1, activite_principale
        FROM periodes_etablissements ORDER BY siret, rang
    """)
    return [tuple(row.values()) for row in rows]


def _marks(desk: Desk) -> list[dict[str, Any]]:
    rows = desk.execute("""
        SELECT rang, xmin::text, ctid::text FROM periodes_etablissements ORDER BY siret, rang
    """)
    return [dict(row) for row in rows]


def test_all_recorded_periods_are_stored(desk: Desk, records: Records) -> None:
    desk.import_(*records.recorded, departement=None)
    newest = {record["siret"]: record for record in records.recorded}
    stored = desk.execute("""
        SELECT siret, count(*) AS n, max(rang) AS last, count(*) FILTER (WHERE date_fin IS NULL)
          AS current FROM periodes_etablissements GROUP BY siret
    """)
    assert {row["siret"]: row["n"] for row in stored} == {
        siret: len(record["periodesEtablissement"]) for siret, record in newest.items()
    }
    assert all(row["last"] == row["n"] - 1 for row in stored)
    words = desk.one("SELECT count(*) AS n FROM periodes_etablissements p WHERE p::text ~ 'ND]'")
    assert words == {"n": 0}


def test_dirty_dates_and_an_empty_oldest_period_survive(desk: Desk, records: Records) -> None:
    past = (
        {"dateDebut": "1900-01-01", "dateFin": "7490-12-31"},
        {
            "dateDebut": "0001-01-01",
            "dateFin": "1899-12-31",
            "etatAdministratifEtablissement": None,
            "activitePrincipaleEtablissement": None,
        },
    )
    assert desk.import_(_with_past(records.record(), *past)).inserted == 1
    rows = desk.execute("""
        SELECT date_debut::text, date_fin::text, etat_administratif FROM periodes_etablissements
        ORDER BY rang LIMIT 2
    """)
    assert [tuple(row.values()) for row in rows] == [
        ("0001-01-01", "1899-12-31", None),
        ("1900-01-01", "7490-12-31", "A"),
    ]


def test_an_unchanged_record_leaves_its_history_untouched(desk: Desk, records: Records) -> None:
    record = _with_past(records.record(), {"dateFin": "2019-12-31"})
    other = _with_past(records.record(2), {"dateFin": "2019-12-31"})
    desk.import_(record, other)
    before = _marks(desk)
    changed = {**other, "dateDernierTraitementEtablissement": LATER}
    result = desk.import_(record, changed, fetched_at=dt.datetime(2026, 9, 1, tzinfo=dt.UTC))
    assert (result.unchanged, result.updated) == (1, 1)
    assert _marks(desk) == before, "not even of the changed one: its periods are the same"


def test_a_new_period_appends_and_the_former_one_ends(desk: Desk, records: Records) -> None:
    old = _with_past(records.record(activite="10.71C"), {"dateFin": "2019-12-31"})
    desk.import_(old)
    new = records.record(activite="56.10A", treated=LATER)
    ended = {**old["periodesEtablissement"][0], "dateFin": "2025-12-31"}
    new["periodesEtablissement"] += [ended, old["periodesEtablissement"][1]]
    before = _marks(desk)
    desk.import_(new)
    assert [row[1:] for row in _history(desk)] == [
        (0, "2019-12-31", "A", None, "10.71C"),
        (1, "2025-12-31", "A", None, "10.71C"),
        (2, None, "A", None, "56.10A"),
    ]
    assert _marks(desk)[0] == before[0], "the oldest has not changed"


def test_a_history_that_gets_shorter_loses_what_is_gone(desk: Desk, records: Records) -> None:
    desk.import_(
        _with_past(records.record(1), {"dateFin": "2019-12-31"}, {"dateFin": "2009-12-31"}),
        _with_past(records.record(2), {"dateFin": "2019-12-31"}),
    )
    desk.import_(_with_past(records.record(1, treated=LATER), {"dateFin": "2019-12-31"}))
    assert [row[:2] for row in _history(desk)] == [
        ("00000000100001", 0),
        ("00000000100001", 1),
        ("00000000200002", 0),
        ("00000000200002", 1),
    ]


def test_a_change_of_the_past_alone_counts_as_a_change(desk: Desk, records: Records) -> None:
    desk.import_(_with_past(records.record(), {"dateFin": "2019-12-31"}))
    corrected = _with_past(records.record(), {"dateFin": "2018-12-31"})
    assert desk.import_(corrected, fetched_at=dt.datetime(2026, 9, 1, tzinfo=dt.UTC)).updated == 1
    assert _history(desk)[0][2] == "2018-12-31"


def test_an_older_record_does_not_bring_its_history_back(desk: Desk, records: Records) -> None:
    desk.import_(records.record(treated=LATER))
    desk.import_(_with_past(records.record(enseigne="OLD"), {"dateFin": "2019-12-31"}))
    assert [row[1:5] for row in _history(desk)] == [(0, None, "A", None)]


def test_an_establishment_that_turns_partial_loses_the_names_of_its_past(
    desk: Desk, records: Records
) -> None:
    clear = _with_past(records.record(enseigne="ZORGLUB"), {"dateFin": "2019-12-31"})
    desk.import_(clear)
    assert "ZORGLUB" in str(_history(desk))
    masked = {"dateFin": "2019-12-31", "enseigne1Etablissement": "[ND]"}
    desk.import_(_with_past(records.record(statut="P", enseigne="[ND]", treated=LATER), masked))
    assert [row[4] for row in _history(desk)] == [None, None]
    desk.import_(clear)
    assert "ZORGLUB" not in str(_history(desk))


def test_an_opposed_unit_has_no_names_in_its_past(desk: Desk, records: Records) -> None:
    desk.execute("INSERT INTO oppositions (siren, reason) VALUES ('000000001', 'asked')")
    record = records.record(1, enseigne="ZORGLUB")
    record["periodesEtablissement"][0]["denominationUsuelleEtablissement"] = "ZORGLUB"
    desk.import_(
        _with_past(record, {"dateFin": "2019-12-31"}),
        _with_past(records.record(2, enseigne="OPEN"), {"dateFin": "2019-12-31"}),
    )
    found = desk.execute("SELECT p::text AS line FROM periodes_etablissements p ORDER BY p::text")
    assert len(found) == 4
    assert not any("ZORGLUB" in row["line"] for row in found)
    assert [row[4] for row in _history(desk)] == [None, None, "OPEN", "OPEN"]


def test_a_refused_period_fails_its_record_alone(desk: Desk, records: Records) -> None:
    desk.execute("""
        ALTER TABLE periodes_etablissements ADD CONSTRAINT refusal CHECK (enseigne1 <> 'BAD')
    """)
    slice_ = [
        _with_past(records.record(number, enseigne="BAD" if number == 3 else None))
        for number in range(8)
    ]
    result = desk.import_(*slice_, departement=None)
    assert (result.inserted, result.failed) == (7, 1)
    assert slice_[3]["siret"] not in desk.sirets()
    assert len(_history(desk)) == 7
