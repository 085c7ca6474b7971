"""A refresh puts right rows whose content was altered or lost, although their digest is equal."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from services.writer.store import SliceResult
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.records import Record, Records
from tests.integration.writer.register import records_of

ON_TWO_SHARDS = True

_DAY = dt.timedelta(days=1)
_TABLES = {
    "unites_legales": "siren",
    "etablissements": "siret",
    "periodes_etablissements": "siret, rang",
    "pro_localisations": "siret",
}


def _refresh(desk: Desk, *records: Record) -> SliceResult:
    batch = desk.batch()
    fetched_at = FETCHED_AT + _DAY
    message = desk.message(records, batch=batch, fetch_id=desk.fetch(batch), fetched_at=fetched_at)
    return desk.write(replace(message, refresh=True))


def _rows(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """Return the contents; a page that comes back has a new id."""
    kept = "to_jsonb(t) - '{id,fetched_at,updated_at,opened_at,closed_at}'::text[] AS kept"
    return {
        table: [
            row["kept"]
            for row in desk.execute(f"SELECT {kept}, {key} FROM {table} t ORDER BY {key}")
        ]
        for table, key in _TABLES.items()
    }


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE unites_legales SET denomination = 'FAUX'",
        "UPDATE unites_legales SET date_dernier_traitement = NULL",
        "UPDATE unites_legales SET statut_diffusion = 'P'",
        "UPDATE etablissements SET enseigne1 = 'FAUX'",
        "UPDATE etablissements SET date_dernier_traitement = '2090-01-01'",
        "UPDATE etablissements SET departement = '24', etat_administratif = 'F'",
        "UPDATE etablissements SET statut_diffusion = 'P'",
        "DELETE FROM periodes_etablissements",
        "UPDATE periodes_etablissements SET enseigne1 = 'FAUX'",
        """INSERT INTO periodes_etablissements (siret, siren, rang)
           SELECT siret, siren, 90 FROM etablissements""",
        "DELETE FROM avis; DELETE FROM pro_localisations",
        "UPDATE pro_localisations SET nom = 'FAUX', libelle_commune = 'FAUX'",
        "UPDATE pro_localisations SET status = 'closed', closed_at = now()",
        "UPDATE pro_localisations SET slug = siret || '-faux'",
    ],
)
def test_what_was_altered_or_lost_is_as_it_came(desk: Desk, records: Records, harm: str) -> None:
    sent = [records.record(number, enseigne=f"N {number}") for number in range(1, 5)]
    desk.import_(*sent)
    before = _rows(desk)
    for part in harm.split(";"):
        desk.execute(part)
    assert _rows(desk) != before

    _refresh(desk, *sent)

    assert _rows(desk) == before
    assert desk.number("erasures") == 0


def test_an_extra_page_of_a_closed_establishment_is_closed(desk: Desk, records: Records) -> None:
    shut = records.record(1, etat="F")
    desk.import_(shut)
    assert desk.number("pro_localisations") == 0
    desk.execute(
        """INSERT INTO pro_localisations (siret, siren, activite_principale, code_commune, slug,
             status) SELECT siret, siren, '10.71C', '33063', 'faux', 'open' FROM etablissements"""
    )
    _refresh(desk, shut)
    assert desk.one("SELECT status FROM pro_localisations")["status"] == "closed"


def test_a_lost_establishment_of_an_altered_unit_brings_both(desk: Desk, records: Records) -> None:
    sent = records.record(1)
    desk.import_(sent)
    before = _rows(desk)
    desk.execute("DELETE FROM etablissements")
    desk.execute("UPDATE unites_legales SET denomination = 'FAUX'")
    assert _refresh(desk, sent).inserted == 1
    after = _rows(desk)
    assert after["unites_legales"] == before["unites_legales"]
    assert after["pro_localisations"] == before["pro_localisations"]


def test_rows_that_are_right_are_not_written(desk: Desk, records: Records) -> None:
    sent = [records.record(number) for number in range(1, 4)]
    desk.import_(*sent)
    stamps = "SELECT xmin::text AS at FROM {} ORDER BY at"
    before = [desk.execute(stamps.format(table)) for table in _TABLES]
    # The unit is locked, which its xmin does not tell.
    result = _refresh(desk, *sent)
    assert (result.updated, result.unchanged) == (0, 3)
    assert [desk.execute(stamps.format(table)) for table in _TABLES] == before


def test_a_refreshed_p_leaves_the_other_establishments_what_its_get_showed(
    desk: Desk, records: Records
) -> None:
    """An equal content keeps its stamp: the siblings are no older than the P."""
    siren = "000000018"
    unite = {"statutDiffusionUniteLegale": "P"}
    one, other = (records.record(number, siren=siren, unite=unite) for number in (1, 2))
    desk.import_(one, other)
    before = _rows(desk)
    assert before["etablissements"][1]["libelle_voie"] is not None
    _refresh(desk, one)
    assert _rows(desk) == before


def test_every_recorded_establishment_is_as_it_came(desk: Desk, records: Records) -> None:
    desk.import_(*records.recorded)
    before = _rows(desk)
    for name in ("enseigne1", "libelle_voie"):
        desk.execute(f"UPDATE etablissements SET {name} = NULL")
    desk.execute("DELETE FROM periodes_etablissements")
    _refresh(desk, *records.recorded)
    assert _rows(desk) == before


def test_a_purged_unit_stays_purged(desk: Desk) -> None:
    desk.import_(*records_of("purged_before"))
    desk.import_(*records_of("purged_after"), fetched_at=FETCHED_AT + _DAY / 2)
    before = _rows(desk)
    desk.execute("UPDATE unites_legales SET nom = 'FAUX'")
    _refresh(desk, *records_of("purged_after"))
    assert _rows(desk) == before
