"""What a person withdrew is in no column of any table, and nothing that is replayed returns it."""

import copy
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest

from services.writer.archiving import archive
from services.writer.store import SliceStatus
from shared.broker import DeadLetter
from shared.broker.encoding import CompactEncoder
from shared.db.places import place_of
from shared.messages import WRITE_QUEUE, WriteSlice
from tests.integration.writer.conftest import FETCHED_AT, Desk, Record, Records
from tests.integration.writer.searching import places_of

LATER = FETCHED_AT + dt.timedelta(hours=1)
SIREN = "000000018"
BYSTANDER = "000000026"
STREET = "DES CRAPAUDS"
NAMES = ("ZORGLUB", "HERMELINE")
TEXT = "Une boulangerie zinzoline, rue des Crapauds."
WORDS = (*NAMES, STREET, "CRAPAUDS", "zinzoline", "33990")
PUBLIC_OF_LEGAL = "FOURNIL RÉUNI"

NATURAL = {
    "categorieJuridiqueUniteLegale": "1000",
    "denominationUniteLegale": None,
    "nomUniteLegale": "ZORGLUB",
    "prenom1UniteLegale": "HERMELINE",
    "prenomUsuelUniteLegale": "HERMELINE",
    "sexeUniteLegale": "F",
}
LEGAL = {"denominationUniteLegale": PUBLIC_OF_LEGAL}


class Scene:
    """A unit with two establishments, and all that is kept of it besides the register."""

    def __init__(self, desk: Desk, records: Records, unite: Record) -> None:
        self.desk = desk
        self.records = records
        self.unite = unite
        self.is_person = unite is NATURAL

    def clear(self, number: int, *, treated: str = "2026-01-01T00:00:00", **more: Any) -> Record:
        sign = "CHEZ ZORGLUB" if self.is_person else "LE FOURNIL"
        record = self.records.record(
            number,
            siren=SIREN,
            enseigne=more.pop("enseigne", sign),
            treated=treated,
            unite=self.unite,
            **more,
        )
        record["adresseEtablissement"] |= {
            "numeroVoieEtablissement": "12",
            "libelleVoieEtablissement": STREET,
            "codePostalEtablissement": "33990",
        }
        past = {"dateFin": "2020-12-31", "enseigne1Etablissement": f"ANCIEN {sign}"}
        record["periodesEtablissement"].append(record["periodesEtablissement"][0] | past)
        return record

    def masked(
        self,
        number: int,
        *,
        unite: str = "P",
        etablissement: str = "P",
        treated: str = "2026-02-01T00:00:00",
    ) -> Record:
        """The record as INSEE would mask it."""
        record = self.clear(number, treated=treated)
        record["statutDiffusionEtablissement"] = etablissement
        record["uniteLegale"]["statutDiffusionUniteLegale"] = unite
        if unite == "P" and self.is_person:
            hidden = {k: "[ND]" for k in NATURAL if k.startswith(("nom", "prenom", "sexe"))}
            record["uniteLegale"] |= hidden | {"denominationUniteLegale": "[ND]"}
        if etablissement == "P":
            record["adresseEtablissement"] |= {
                "numeroVoieEtablissement": "[ND]",
                "libelleVoieEtablissement": "[ND]",
                "codePostalEtablissement": "[ND]",
            }
            for period in record["periodesEtablissement"] if self.is_person else ():
                period["enseigne1Etablissement"] = "[ND]"
        return record

    def turn(self, *masked: Record) -> None:
        """Import them as a later GET brings them."""
        self.desk.import_(*masked, fetched_at=LATER, sole_traders=True)

    def bystander(self) -> Record:
        return self.records.record(7, siren=BYSTANDER, enseigne="AU PASSANT")

    def body(self, *records: Record) -> bytes:
        """A slice as it lies in RabbitMQ."""
        message = WriteSlice(1, 1, 1, 0, FETCHED_AT.isoformat(), json.dumps(records))
        envelope: dramatiq.Message[Any] = dramatiq.Message(
            message.QUEUE, message.ACTOR, (), message.to_wire(), {}
        )
        return CompactEncoder().encode(envelope.asdict())

    def archive(self, body: bytes, message_id: str) -> None:
        letter = DeadLetter(WRITE_QUEUE, "rejected", body, WriteSlice.ACTOR, message_id)
        with self.desk.engine.begin() as connection:
            archive(connection, letter)

    def letter_sirens(self, message_id: str) -> list[str]:
        row = self.desk.one(
            "SELECT body, sirens FROM dead_letters WHERE message_id = :id", id=message_id
        )
        wire = CompactEncoder().decode(bytes(row["body"]))["kwargs"]
        sirens = sorted({record["siren"] for record in json.loads(wire["records"])})
        assert sirens == row["sirens"]
        return sirens

    def fill(self) -> None:
        desk = self.desk
        desk.import_(self.clear(1), self.clear(2), self.bystander(), sole_traders=True)
        moved = self.clear(2, treated="2026-01-02T00:00:00", activite="56.10A")
        desk.import_(moved, sole_traders=True)
        broken = self.clear(3)
        broken["dateCreationEtablissement"] = "never"
        desk.import_(broken)
        desk.execute(
            """
            UPDATE avis SET outcome = 'accepted', accepted_facts_hash = facts_hash, text = :text,
              label = 'l', model = 'm', prompt_version = 'v', accepted_at = now()
            WHERE siren = :siren
            """,
            siren=SIREN,
            text=TEXT,
        )
        desk.execute(
            """
            INSERT INTO avis_attempts (avis_id, siren, model, prompt_version, facts_hash, text,
              accepted, reasons, latency_seconds)
            SELECT id, siren, 'm', 'v', facts_hash, text, true, '{}', 1 FROM avis
            WHERE siren = :siren
            """,
            siren=SIREN,
        )
        # Of the bystander's texts too.
        desk.execute(f"""
            INSERT INTO avis_simhashes (place, avis_id, simhash)
            SELECT {place_of("p")}, avis.id, 42
            FROM avis JOIN pro_localisations p ON p.id = avis.pro_localisation_id
            ON CONFLICT DO NOTHING
        """)  # noqa: S608  the schema's names
        desk.execute(
            """
            INSERT INTO failed_items (kind, key, siren, code, message)
            SELECT 'review', id::text, siren, 'rating', 'rating: zinzoline' FROM avis
            WHERE siren = :siren
            """,
            siren=SIREN,
        )
        self.archive(self.body(self.clear(1), self.bystander()), "of both")
        self.archive(self.body(self.bystander()), "of the bystander")


MakeScene = Callable[[Record], Scene]


@pytest.fixture
def scene_of(desk: Desk, records: Records) -> MakeScene:
    def make(unite: Record) -> Scene:
        scene = Scene(desk, records, unite)
        scene.fill()
        return scene

    return make


@pytest.fixture
def person(scene_of: MakeScene) -> Scene:
    return scene_of(NATURAL)


@pytest.fixture
def erased(person: Scene) -> Scene:
    """The person after the flip to partial diffusion, of which one record has arrived."""
    person.turn(person.masked(1))
    return person


_FILLED = {
    "avis.text",
    "avis_attempts.text",
    "dead_letters.body",
    "etablissements.enseigne1",
    "etablissements.libelle_voie",
    "failed_items.message",
    "failed_items.payload",
    "pro_localisations.nom",
    "pro_localisations.slug",
    "unites_legales.nom",
    "unites_legales.prenom1",
}


def test_a_person_who_turns_partial_is_in_no_column_any_more(person: Scene) -> None:
    desk = person.desk
    assert set(places_of(desk.engine, *WORDS)) >= _FILLED, "the search finds what there is"
    person.turn(person.masked(1))
    assert places_of(desk.engine, *WORDS) == []
    assert person.letter_sirens("of both") == [BYSTANDER]
    assert places_of(desk.engine, "AU PASSANT") != []
    kept = desk.execute("SELECT siret FROM etablissements WHERE siren = :siren", siren=SIREN)
    assert len(kept) == 2, "the numbers stay"
    (tombstone,) = desk.execute("SELECT siren, reason FROM erasures WHERE siret IS NULL")
    assert dict(tombstone) == {"siren": SIREN, "reason": "partial_diffusion"}


def test_the_fingerprints_of_erased_texts_go_with_them(person: Scene) -> None:
    left = """
        SELECT coalesce(avis.siren = :siren, true) AS theirs
        FROM avis_simhashes LEFT JOIN avis ON avis.id = avis_id
    """
    desk = person.desk
    assert {row["theirs"] for row in desk.execute(left, siren=SIREN)} == {True, False}
    person.turn(person.masked(1))
    assert {row["theirs"] for row in desk.execute(left, siren=SIREN)} == {False}


def test_a_legal_person_that_turns_partial_keeps_its_public_name_only(scene_of: MakeScene) -> None:
    scene = scene_of(LEGAL)
    desk = scene.desk
    scene.turn(scene.masked(1))
    assert places_of(desk.engine, STREET, "zinzoline", "33990", "CRAPAUDS") == []
    assert desk.one("SELECT denomination FROM unites_legales WHERE siren = :s", s=SIREN) == {
        "denomination": PUBLIC_OF_LEGAL
    }
    assert places_of(desk.engine, PUBLIC_OF_LEGAL, "fournil-reuni") == [
        "unites_legales.denomination"
    ]


def test_an_establishment_that_turns_partial_loses_its_own_records_only(person: Scene) -> None:
    desk = person.desk
    desk.import_(person.clear(4, enseigne="AU ZEPHYR"), sole_traders=True)
    person.archive(person.body(person.clear(4, enseigne="AU ZEPHYR"), person.clear(1)), "of two")
    person.turn(person.masked(4, unite="O"))
    assert places_of(desk.engine, "ZEPHYR") == []
    assert "etablissements.enseigne1" in places_of(desk.engine, "CHEZ ZORGLUB")
    assert person.letter_sirens("of two") == [SIREN]
    late = person.clear(4, enseigne="AU ZEPHYR")
    desk.execute("DELETE FROM etablissements WHERE siret = :siret", siret=late["siret"])
    desk.import_(late)
    assert places_of(desk.engine, "ZEPHYR") == [], "its tombstone holds without its row"


def test_late_older_records_bring_nothing_back(erased: Scene) -> None:
    for treated in ("2026-01-01T00:00:00", "2026-02-01T00:00:00", None):
        for number in (1, 2, 9):
            late = erased.clear(number)
            late["dateDernierTraitementEtablissement"] = treated
            late["uniteLegale"]["dateDernierTraitementUniteLegale"] = treated
            erased.desk.import_(late, fetched_at=FETCHED_AT + dt.timedelta(days=1))
    assert places_of(erased.desk.engine, *WORDS) == []


def test_a_late_record_finds_the_stored_p_where_no_flip_was_ever_seen(
    desk: Desk, records: Records
) -> None:
    scene = Scene(desk, records, NATURAL)
    scene.turn(scene.masked(1))
    assert desk.number("erasures") == 0
    desk.import_(scene.clear(2), fetched_at=LATER + dt.timedelta(days=1))
    assert places_of(desk.engine, *WORDS) == []
    desk.import_(scene.clear(3))
    assert places_of(desk.engine, *WORDS) == []


def test_what_never_reached_the_register_is_erased_and_buried_as_well(
    desk: Desk, records: Records
) -> None:
    scene = Scene(desk, records, NATURAL)
    scene.archive(scene.body(scene.clear(1)), "alone")
    scene.turn(scene.masked(1))
    assert places_of(desk.engine, *WORDS) == []
    desk.execute("TRUNCATE unites_legales, etablissements, pro_localisations, avis")
    desk.import_(scene.clear(1))
    assert places_of(desk.engine, *WORDS) == []


def test_a_replayed_slice_brings_nothing_back(person: Scene) -> None:
    desk = person.desk
    batch = desk.batch()
    queued = desk.message([person.clear(1)], batch=batch, fetch_id=desk.fetch(batch))
    person.turn(person.masked(1))
    assert desk.write(queued).status is SliceStatus.WRITTEN, "it waited in the queue meanwhile"
    assert places_of(desk.engine, *WORDS) == []
    assert desk.write(queued).status is SliceStatus.ALREADY_WRITTEN
    assert places_of(desk.engine, *WORDS) == []


def test_a_record_that_fails_after_the_erasure_is_kept_without_its_payload(erased: Scene) -> None:
    broken = erased.clear(1)
    broken["dateCreationEtablissement"] = "never"
    nameless = copy.deepcopy(broken)
    del nameless["siret"], nameless["siren"]
    assert erased.desk.import_(broken, nameless).failed == 2
    assert places_of(erased.desk.engine, *WORDS) == []


def test_a_dead_letter_archived_after_the_erasure_comes_without_the_record(erased: Scene) -> None:
    erased.archive(erased.body(erased.clear(1), erased.bystander()), "late")
    assert erased.letter_sirens("late") == [BYSTANDER]
    whole = erased.body(erased.clear(1))
    erased.archive(whole[: len(whole) // 2], "torn")
    unknown = erased.clear(1)
    del unknown["siret"], unknown["siren"]
    erased.archive(erased.body(unknown), "nobody's")
    assert places_of(erased.desk.engine, *WORDS) == []


def test_a_replayed_dead_letter_writes_who_is_left_in_it(erased: Scene) -> None:
    desk = erased.desk
    row = desk.one("SELECT body FROM dead_letters WHERE message_id = 'of both'")
    wire = CompactEncoder().decode(bytes(row["body"]))["kwargs"]
    batch = desk.batch()
    fetch_id = desk.fetch(batch)
    message = WriteSlice.from_wire(wire | {"batch_id": batch, "fetch_id": fetch_id})
    assert desk.write(message).records == 1
    assert places_of(desk.engine, *WORDS) == []


def test_a_masked_record_that_cannot_be_written_erases_all_the_same(person: Scene) -> None:
    desk = person.desk
    broken = person.masked(1)
    broken["dateCreationEtablissement"] = "never"
    desk.import_(broken, fetched_at=FETCHED_AT - dt.timedelta(hours=1))
    assert places_of(desk.engine, *WORDS) != [], "a later GET saw the unit open to all"
    person.turn(broken)
    assert places_of(desk.engine, *WORDS) == []
    person.desk.import_(person.clear(1), person.clear(2))
    assert places_of(desk.engine, *WORDS) == []


def test_a_newer_clear_record_of_insee_brings_the_person_back(erased: Scene) -> None:
    again = erased.clear(1, treated="2026-03-01T00:00:00")
    erased.desk.import_(again)
    assert "unites_legales.nom" in places_of(erased.desk.engine, "ZORGLUB")
    assert places_of(erased.desk.engine, "zinzoline") == []
