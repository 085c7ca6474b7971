"""The periods of an establishment: INSEE sends the newest first, the rows count from the oldest."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from shared.sirene.mapping.mapper import map_record
from shared.sirene.values import MappingError

Record = dict[str, Any]
RecordWith = Callable[..., Record]


def _with_periods(record_with: RecordWith, *changes: Record) -> Record:
    """A record with a period for each of the changes, newest first."""
    record = record_with()
    first = record["periodesEtablissement"][0]
    return {**record, "periodesEtablissement": [{**first, **change} for change in changes]}


def test_every_recorded_period_is_mapped(recorded_etablissements: list[Record]) -> None:
    for record in recorded_etablissements:
        periodes = map_record(record).periodes
        sent = record["periodesEtablissement"]
        assert [periode.rang for periode in periodes] == list(range(len(sent)))
        assert [
            None if periode.date_debut is None else periode.date_debut.isoformat()
            for periode in reversed(periodes)
        ] == [period["dateDebut"] for period in sent]
        assert {periode.siret for periode in periodes} == {record["siret"]}
        for periode, period in zip(reversed(periodes), sent, strict=True):
            assert (
                periode.activite_principale,
                periode.enseigne1,
                periode.changement_etat_administratif,
                periode.caractere_employeur,
            ) == tuple(
                period.get(key)
                for key in (
                    "activitePrincipaleEtablissement",
                    "enseigne1Etablissement",
                    "changementEtatAdministratifEtablissement",
                    "caractereEmployeurEtablissement",
                )
            )


def test_a_new_period_appends_and_leaves_the_others_their_place(record_with: RecordWith) -> None:
    old = ({"dateFin": None, "dateDebut": "2008-01-01"}, {"dateFin": "2007-12-31"})
    before = map_record(_with_periods(record_with, *old)).periodes
    newer = ({"dateFin": None, "dateDebut": "2020-01-01"}, {**old[0], "dateFin": "2019-12-31"})
    after = map_record(_with_periods(record_with, *newer, old[1])).periodes
    assert [p.rang for p in after] == [0, 1, 2]
    assert after[0] == before[0]
    assert after[1].date_debut == before[1].date_debut


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1900-01-01", dt.date(1900, 1, 1)),
        ("0001-01-01", dt.date(1, 1, 1)),
        ("7490-12-31", dt.date(7490, 12, 31)),
        ("0000-01-01", None),
        ("10001-01-01", None),
        ("2008-01-01T00:00:00", dt.date(2008, 1, 1)),
        (None, None),
    ],
)
def test_a_dirty_date_survives_in_the_history(
    record_with: RecordWith, text: str | None, stored: dt.date | None
) -> None:
    record = _with_periods(record_with, {"dateFin": None, "dateDebut": text})
    assert map_record(record).periodes[0].date_debut == stored


def test_the_oldest_may_have_neither_state_nor_activity(record_with: RecordWith) -> None:
    nothing = dict.fromkeys(
        (
            "etatAdministratifEtablissement",
            "activitePrincipaleEtablissement",
            "nomenclatureActivitePrincipaleEtablissement",
        )
    )
    record = _with_periods(record_with, {"dateFin": None}, {"dateFin": "2007-12-31", **nothing})
    oldest, current = map_record(record).periodes
    assert (oldest.etat_administratif, oldest.activite_principale) == (None, None)
    assert current.etat_administratif is not None


def test_a_masked_name_of_the_past_is_no_name(record_with: RecordWith) -> None:
    masked = {"dateFin": "2007-12-31", "enseigne1Etablissement": "[ND]"}
    record = _with_periods(record_with, {"dateFin": None}, masked)
    assert map_record(record).periodes[0].enseigne1 is None


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("bad_date", {"dateDebut": "SECRET"}),
        ("bad_date", {"dateDebut": "2023-02-30"}),
        ("bad_type", {"changementEnseigneEtablissement": "SECRET"}),
        ("bad_type", {"enseigne1Etablissement": ["SECRET"]}),
    ],
)
def test_a_fault_of_the_past_is_a_fault_of_the_record(
    record_with: RecordWith, code: str, change: Record
) -> None:
    record = _with_periods(record_with, {"dateFin": None}, {"dateFin": "2007-12-31", **change})
    with pytest.raises(MappingError) as raised:
        map_record(record)
    assert raised.value.code == code
    assert "SECRET" not in str(raised.value)
