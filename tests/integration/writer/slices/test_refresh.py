"""A refresh stores what INSEE says now, whatever stands; an opposition holds."""

import datetime as dt
from dataclasses import replace
from typing import Any

from services.writer.erasure.oppositions import forget
from services.writer.store import SliceStatus
from shared.messages import WriteSlice
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.records import Record, Records
from tests.integration.writer.register import records_of

ON_TWO_SHARDS = True

_SIREN = "000000018"
_DAY = dt.timedelta(days=1)


def _person(
    records: Records, treated: str | None, statut: str = "O", name: str = "DUPRE"
) -> Record:
    shown = statut == "O"
    return records.record(
        1,
        siren=_SIREN,
        treated=treated,
        statut=statut,
        enseigne="CHEZ DUPRE" if shown else None,
        unite={
            "categorieJuridiqueUniteLegale": "1000",
            "denominationUniteLegale": None,
            "nomUniteLegale": name if shown else "[ND]",
            "statutDiffusionUniteLegale": statut,
        },
    )


def _refresh(desk: Desk, *records: Record, at: dt.datetime) -> WriteSlice:
    batch = desk.batch()
    message = desk.message(records, batch=batch, fetch_id=desk.fetch(batch), fetched_at=at)
    message = replace(message, refresh=True)
    assert desk.write(message, sole_traders=True).status is SliceStatus.WRITTEN
    return message


def _unite(desk: Desk, siren: str = _SIREN) -> dict[str, Any]:
    return desk.one("SELECT * FROM unites_legales WHERE siren = :siren", siren=siren)


def _etablissement(desk: Desk, siret: str) -> dict[str, Any]:
    return desk.one("SELECT * FROM etablissements WHERE siret = :siret", siret=siret)


def test_a_purged_unit_is_stored_without_its_dates(desk: Desk) -> None:
    (before,), (after,) = records_of("purged_before"), records_of("purged_after")
    desk.import_(before)
    _refresh(desk, after, at=FETCHED_AT + _DAY)
    unite = _unite(desk, after["siren"])
    assert (unite["etat_administratif"], unite["date_dernier_traitement"]) == ("C", None)
    assert unite["fetched_at"] == FETCHED_AT + _DAY
    row = _etablissement(desk, after["siret"])
    assert (row["etat_administratif"], row["date_dernier_traitement"]) == ("F", None)


def test_a_date_of_2099_and_an_older_date_both_yield(desk: Desk, records: Records) -> None:
    desk.import_(_person(records, "2099-01-01T00:00:00", name="FIRST"))
    _refresh(desk, _person(records, "2026-02-01T00:00:00", name="SECOND"), at=FETCHED_AT + _DAY)
    assert _unite(desk)["nom"] == "SECOND"
    _refresh(desk, _person(records, "2026-01-01T00:00:00", name="THIRD"), at=FETCHED_AT + 2 * _DAY)
    assert _unite(desk)["nom"] == "THIRD"
    row = _etablissement(desk, f"{_SIREN}00001")
    assert row["date_dernier_traitement"] == dt.datetime(2026, 1, 1)  # noqa: DTZ001  as INSEE's own


def test_a_unit_that_a_p_without_a_date_hid_is_shown_again(desk: Desk, records: Records) -> None:
    shown = _person(records, "2026-01-01T00:00:00")
    desk.import_(shown, sole_traders=True)
    desk.import_(_person(records, None, "P"), fetched_at=FETCHED_AT + _DAY, sole_traders=True)
    desk.import_(shown, fetched_at=FETCHED_AT + 2 * _DAY, sole_traders=True)
    assert _unite(desk)["nom"] is None, "without a refresh the P hides it"
    message = _refresh(desk, shown, at=FETCHED_AT + 3 * _DAY)
    unite, row = _unite(desk), _etablissement(desk, shown["siret"])
    assert (unite["nom"], unite["statut_diffusion"], unite["buried"]) == ("DUPRE", "O", None)
    assert (row["enseigne1"], row["statut_diffusion"], row["buried"]) == ("CHEZ DUPRE", "O", None)
    assert desk.number("erasures") == 0
    assert desk.write(message, sole_traders=True).status is SliceStatus.ALREADY_WRITTEN
    assert (_unite(desk), _etablissement(desk, shown["siret"])) == (unite, row)
    again = desk.import_(shown, fetched_at=FETCHED_AT + 4 * _DAY, sole_traders=True)
    assert again.unchanged == 1


def test_a_p_of_a_later_get_holds(desk: Desk, records: Records) -> None:
    desk.import_(_person(records, None, "P"), fetched_at=FETCHED_AT + _DAY)
    _refresh(desk, _person(records, "2026-01-01T00:00:00"), at=FETCHED_AT)
    assert _unite(desk)["nom"] is None


def test_an_opposed_unit_stays_hidden(desk: Desk, records: Records) -> None:
    shown = _person(records, "2026-01-01T00:00:00")
    desk.import_(shown)
    forget(desk.home_of(shown), _SIREN, reason="asked")
    _refresh(desk, shown, at=FETCHED_AT + _DAY)
    assert _unite(desk)["nom"] is None
    assert _etablissement(desk, shown["siret"])["enseigne1"] is None


def test_a_refreshed_p_hides_as_ever(desk: Desk, records: Records) -> None:
    desk.import_(_person(records, "2026-02-01T00:00:00"), sole_traders=True)
    _refresh(desk, _person(records, "2026-01-01T00:00:00", "P"), at=FETCHED_AT + _DAY)
    assert (_unite(desk)["nom"], _unite(desk)["statut_diffusion"]) == (None, "P")
    assert _etablissement(desk, f"{_SIREN}00001")["enseigne1"] is None
