"""Whatever changes what a page shows, the log has the page in the same transaction."""

import datetime as dt
import re
import signal
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from services.writer.erasure import oppositions
from services.writer.turns.turns import turn_next
from shared.db.tables import metadata
from shared.imports.absences import close_extra_pages, record_absence, record_presence
from shared.sirene.records import Etablissement, PeriodeEtablissement, UniteLegale
from tests.conditions import wait_until
from tests.integration.shown_pages import noted, watched
from tests.integration.writer.desk import FETCHED_AT, Desk, ShardUrls
from tests.integration.writer.gates import held_gate, put_gate, start_victim, victims, waiting
from tests.integration.writer.records import Record, Records
from tests.integration.writer.register import records_of
from tests.integration.writer.scene import SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of

ON_TWO_SHARDS = True

LATER = FETCHED_AT + dt.timedelta(hours=1)
_NEXT = "2026-02-01T00:00:00"
_SIREN = "000000001"
_FIRST, _SECOND = f"{_SIREN}00001", f"{_SIREN}00002"
Change = Callable[[Record], None]


def both(records: Records, *, treated: str = _NEXT) -> list[Record]:
    """Return two establishments of one unit."""
    made = [records.record(number, siren=_SIREN, treated=treated) for number in (1, 2)]
    for record in made:
        record["periodesEtablissement"][0]["enseigne1Etablissement"] = f"AU {record['nic']}"
    return made


def _of_period(**values: object) -> Change:
    return lambda record: record["periodesEtablissement"][0].update(values)


def _of_address(**values: object) -> Change:
    return lambda record: record["adresseEtablissement"].update(values)


def _of_unite(**values: object) -> Change:
    return lambda record: record["uniteLegale"].update(values)


def _of_record(**values: object) -> Change:
    return lambda record: record.update(values)


_OF_ONE: dict[str, tuple[Change, str]] = {
    "closing": (_of_period(etatAdministratifEtablissement="F"), "closed"),
    "sign": (_of_period(enseigne1Etablissement="NEUF"), "changed"),
    "second sign": (_of_period(enseigne2Etablissement="NEUF"), "changed"),
    "activity": (_of_period(activitePrincipaleEtablissement="56.10A"), "changed"),
    "street alone": (_of_address(libelleVoieEtablissement="NEUVE"), "changed"),
    "place alone": (_of_address(coordonneeLambertAbscisseEtablissement="417000.5"), "changed"),
    "headcount": (_of_record(trancheEffectifsEtablissement="21"), "changed"),
    "commune": (
        _of_address(codeCommuneEtablissement="24322", libelleCommuneEtablissement="PERIGUEUX"),
        "changed",
    ),
    "partial diffusion": (_of_record(statutDiffusionEtablissement="P"), "erased"),
}
_OF_UNITE: dict[str, tuple[Change, str]] = {
    "name": (_of_unite(denominationUniteLegale="NEUVE"), "changed"),
    "legal form": (_of_unite(categorieJuridiqueUniteLegale="5710"), "changed"),
    "its headcount": (_of_unite(trancheEffectifsUniteLegale="42"), "changed"),
    "its partial diffusion": (_of_unite(statutDiffusionUniteLegale="P"), "erased"),
}


def test_a_new_page_is_opened(desk: Desk, records: Records) -> None:
    with watched(*desk.shards) as found:
        desk.import_(*both(records), records.record(3, etat="F"), records.record(4, activite=None))
    assert found == {_FIRST: "opened", _SECOND: "opened"}


@pytest.mark.parametrize("what", _OF_ONE)
def test_a_change_of_an_establishment_is_that_of_its_page(
    what: str, desk: Desk, records: Records
) -> None:
    make, kind = _OF_ONE[what]
    desk.import_(*both(records, treated="2026-01-01T00:00:00"))
    first, second = both(records)
    make(first)
    with watched(*desk.shards) as found:
        desk.import_(first, second, fetched_at=LATER)
    assert found == {_FIRST: kind}


@pytest.mark.parametrize("what", _OF_UNITE)
def test_a_change_of_a_unit_is_that_of_all_its_pages(
    what: str, desk: Desk, records: Records
) -> None:
    make, kind = _OF_UNITE[what]
    desk.import_(*both(records, treated="2026-01-01T00:00:00"))
    first, _ = both(records)
    make(first)
    with watched(*desk.shards) as found:
        desk.import_(first, fetched_at=LATER)
    assert found == {_FIRST: kind, _SECOND: kind}


def test_a_closed_page_that_opens_again_is_opened(desk: Desk, records: Records) -> None:
    desk.import_(records.record(1, etat="A"))
    desk.import_(records.record(1, etat="F", treated=_NEXT))
    with watched(*desk.shards) as found:
        desk.import_(records.record(1, treated="2026-03-01T00:00:00"))
    assert list(found.values()) == ["opened"]


def test_nothing_is_noted_where_nothing_that_is_shown_changes(desk: Desk, records: Records) -> None:
    desk.import_(*both(records, treated="2026-01-01T00:00:00"), records.record(9, treated=None))
    again = both(records, treated="2026-01-01T00:00:00")
    treated = both(records)
    with watched(*desk.shards) as found:
        # The same slice; a later date of treatment; a stamp that is renewed; a refused old record.
        desk.import_(*again, fetched_at=LATER)
        desk.import_(*treated, fetched_at=LATER)
        desk.import_(records.record(9, treated=None), fetched_at=LATER)
        old = records.record(1, siren=_SIREN, treated="2025-01-01T00:00:00", enseigne="ALT")
        desk.import_(old, fetched_at=LATER)
    assert found == {}


def test_a_refresh_notes_what_it_mends(desk: Desk, records: Records) -> None:
    sent = both(records)
    desk.import_(*sent)
    desk.execute(
        "UPDATE etablissements SET libelle_voie = 'FAUSSE' WHERE siret = :siret", siret=_SECOND
    )
    batch = desk.batch()
    message = desk.message(sent, batch=batch, fetch_id=desk.fetch(batch), fetched_at=LATER)
    with watched(*desk.shards) as found:
        desk.write(replace(message, refresh=True))
    assert found == {_SECOND: "changed"}


def test_a_past_that_insee_corrects_is_noted(desk: Desk, records: Records) -> None:
    def with_past(sign: str, treated: str) -> Record:
        record = both(records, treated=treated)[0]
        past = {"dateDebut": "2001-01-01", "dateFin": "2010-12-31", "enseigne1Etablissement": sign}
        record["periodesEtablissement"].append(record["periodesEtablissement"][0] | past)
        return record

    desk.import_(with_past("ALT", "2026-01-01T00:00:00"))
    with watched(*desk.shards) as found:
        desk.import_(with_past("NEUF", _NEXT))
    assert found == {_FIRST: "changed"}
    desk.execute(
        "DELETE FROM periodes_etablissements WHERE siret = :siret AND rang = 0", siret=_FIRST
    )
    batch = desk.batch()
    sent = [with_past("NEUF", _NEXT)]
    message = desk.message(sent, batch=batch, fetch_id=desk.fetch(batch), fetched_at=LATER)
    with watched(*desk.shards) as found:
        desk.write(replace(message, refresh=True))
    assert found == {_FIRST: "changed"}


def test_an_opposition_is_noted_with_numbers_alone(person: Scene) -> None:
    person.fill()
    desk = person.desk
    home = desk.home_of({"siret": f"{SIREN}00001"})
    with watched(*desk.shards) as found:
        oppositions.forget(home, SIREN, reason="asked")
    assert found == {f"{SIREN}00001": "erased", f"{SIREN}00002": "erased"}
    assert [each for each in places_of(home, *WORDS) if each.startswith("page_changes")] == []
    columns = set(metadata.tables["page_changes"].columns.keys())
    assert columns == {"xid", "pro_localisation_id", "siret", "kind", "changed_at"}
    oppositions.withdraw(home, SIREN)
    with watched(*desk.shards) as found:
        person.turn(person.clear(1, treated="2026-03-01T00:00:00"))
    assert set(found.values()) == {"changed"}


def test_a_p_of_a_person_erases_and_a_bystander_stays(person: Scene) -> None:
    person.fill()
    with watched(*person.desk.shards) as found:
        person.turn(person.masked(1), person.masked(2))
    assert found == {f"{SIREN}00001": "erased", f"{SIREN}00002": "erased"}


def test_a_person_whose_name_insee_deletes_is_erased(desk: Desk) -> None:
    desk.import_(*records_of("purged_before"), departement=None)
    with watched(*desk.shards) as found:
        desk.import_(*records_of("purged_after"), fetched_at=LATER, departement=None)
    assert "erased" in found.values()


def test_a_day_ahead_is_noted_on_its_day(desk: Desk) -> None:
    on = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
    desk.import_(*records_of("dates_to_come"), fetched_at=on, departement=None)
    for day, kinds in (
        (dt.date(2026, 12, 30), []),
        (dt.date(2026, 12, 31), ["closed"]),
        (dt.date(2027, 1, 1), ["changed"]),
        (dt.date(2027, 1, 15), ["opened", "opened"]),
    ):
        with watched(*desk.shards) as found:
            for shard in desk.shards:
                turn_next(shard, on=day, sole_traders=False)
        assert list(found.values()) == kinds


def test_a_number_that_is_gone_and_comes_back_is_noted(desk: Desk, records: Records) -> None:
    desk.import_(*both(records), records.record(3))
    target = f"{_SIREN}00002"
    home = desk.home_of({"siret": _FIRST})
    with watched(*desk.shards) as found, home.begin() as connection:
        record_absence(connection, _FIRST, "unknown")
    assert found == {}
    with watched(*desk.shards) as found, home.begin() as connection:
        record_absence(connection, _FIRST, "withheld")
    assert found == {_FIRST: "closed"}
    with watched(*desk.shards) as found, home.begin() as connection:
        record_absence(connection, _FIRST, "moved", target=target)
    assert found == {_FIRST: "changed"}
    with watched(*desk.shards) as found, home.begin() as connection:
        record_presence(connection, _FIRST)
    assert found == {_FIRST: "changed"}
    with watched(*desk.shards) as found, home.begin() as connection:
        close_extra_pages(connection, [_SECOND], unlisted=[_SECOND])
    assert found == {_SECOND: "closed"}


def test_a_writer_killed_before_its_commit_leaves_no_change(
    desk: Desk, records: Records, shard_urls: ShardUrls
) -> None:
    desk.import_(*both(records))
    before = noted(*desk.shards)
    batch = desk.batch()
    sent = both(records, treated="2026-03-01T00:00:00")
    sent[0]["trancheEffectifsEtablissement"] = "21"
    message = desk.message(sent, batch=batch, fetch_id=desk.fetch(batch))
    put_gate(desk, "TRIGGER gate BEFORE UPDATE ON import_batches")
    with held_gate(desk):
        victim = start_victim(shard_urls, desk.parts(message))
        wait_until(lambda: waiting(desk, "victim") == 1)
        victim.send_signal(signal.SIGKILL)
        victim.wait(10)
    wait_until(lambda: victims(desk) == 0)
    assert noted(*desk.shards) == before
    with watched(*desk.shards) as found:
        desk.write(message)
    assert found == {_FIRST: "changed"}


@pytest.mark.parametrize(
    ("table", "record", "kept"),
    [
        ("etablissements", Etablissement, {"siret", "siren", "nic"}),
        ("unites_legales", UniteLegale, {"siren"}),
        (
            "periodes",
            PeriodeEtablissement,
            {"siret", "siren", "rang"}
            | {each.name for each in fields(PeriodeEtablissement) if "changement" in each.name},
        ),
    ],
)
def test_every_column_of_the_register_is_compared(
    table: str, record: type[Any], kept: set[str], desk: Desk
) -> None:
    """A new column is shown until somebody says that it is not."""
    [row] = desk.execute(f"SELECT prosrc FROM pg_proc WHERE proname = 'note_{table}' LIMIT 1")[:1]
    compared = set(re.findall(r"\bn\.(\w+)", row["prosrc"]))
    assert compared == {each.name for each in fields(record)} - kept - {"date_dernier_traitement"}
