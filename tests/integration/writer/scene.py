"""A unit that withdraws its data, and the words that must then be in no table."""

import datetime as dt
import json
from typing import Any

import dramatiq

from services.writer.dead_letters import archive
from shared import wire
from shared.broker import DeadLetter
from shared.db.neighbours import neighbourhood
from shared.messages import WRITE_QUEUE, WriteSlice
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.index_pages import index_pages
from tests.integration.writer.records import Record, Records

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
    """A unit with two establishments, and everything that is kept of it beside the register."""

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
        """Return the record as INSEE masks it."""
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
        """Import the records as a later GET brings them."""
        self.desk.import_(*masked, fetched_at=LATER, sole_traders=True)

    def bystander(self) -> Record:
        return self.records.record(7, siren=BYSTANDER, enseigne="AU PASSANT")

    def body(self, *records: Record) -> bytes:
        """Return a slice as the bytes in RabbitMQ."""
        message = WriteSlice(1, 1, 1, 0, FETCHED_AT.isoformat(), json.dumps(records))
        envelope: dramatiq.Message[Any] = dramatiq.Message(
            message.QUEUE, message.ACTOR, (), message.to_wire(), {}
        )
        return wire.encode(envelope.asdict())

    def archive(self, body: bytes, message_id: str) -> None:
        letter = DeadLetter(WRITE_QUEUE, "rejected", body, WriteSlice.ACTOR, message_id)
        with self.desk.engine.begin() as connection:
            archive(connection, letter)

    def letter_sirens(self, message_id: str) -> list[str]:
        row = self.desk.one(
            "SELECT body, sirens FROM dead_letters WHERE message_id = :id", id=message_id
        )
        sent = wire.decode(bytes(row["body"]))["kwargs"]
        sirens = sorted({record["siren"] for record in json.loads(sent["records"])})
        assert sirens == row["sirens"]
        return sirens

    def fill(self) -> None:
        desk = self.desk
        desk.import_(self.clear(1), self.clear(2), self.bystander(), sole_traders=True)
        moved = self.clear(2, treated="2026-01-02T00:00:00", activite="56.10A", commune="24322")
        desk.import_(moved, sole_traders=True)
        broken = self.clear(3)
        broken["dateCreationEtablissement"] = "never"
        desk.import_(broken)
        desk.execute(
            """
            UPDATE avis SET outcome = 'accepted', accepted_facts_hash = facts_hash, text = :text,
              label = 'l', model = 'm', prompt_version = 'v', accepted_at = now(),
              display_name = :text, json_ld = jsonb_build_object('about', CAST(:text AS text))
            WHERE siren = :siren
            """,
            siren=SIREN,
            text=TEXT,
        )
        desk.execute(
            """
            INSERT INTO avis_attempts (avis_id, siren, model, prompt_version, facts_hash, text,
              facts, accepted, reasons, latency_seconds)
            SELECT id, siren, 'm', 'v', facts_hash, text, json_ld, true, '{}', 1 FROM avis
            WHERE siren = :siren
            """,
            siren=SIREN,
        )
        desk.execute(
            """
            INSERT INTO avis_orders (siret, siren, kind, verb, ordered_by, reason, text, override)
            SELECT siret, siren, kind, 'edit', 'o', text, text, false FROM avis
            WHERE siren = :siren
            """,
            siren=SIREN,
        )
        desk.execute(
            """
            INSERT INTO sources (digest, siret, siren, url, licence, author_label, published_on,
              verbatim, site, review_id, experienced_on, verification, verification_description,
              counterpart, publication_days, retention_days, author_contact, doubt_url)
            SELECT decode(md5(siret), 'hex'), siret, siren, 'https://avis.example/1', 'l', 'a',
              '2026-01-01', :text, 's', siret, '2026-01-01', 'none', NULL, false, 1, 900, true,
              'https://avis.example/2'
            FROM etablissements WHERE siren = :siren
            """,
            siren=SIREN,
            text=TEXT,
        )
        # It has the bystander's texts too.
        desk.execute(f"""
            INSERT INTO avis_simhashes (place, avis_id, simhash)
            SELECT {neighbourhood("p")}, avis.id, 42
            FROM avis JOIN pro_localisations p ON p.id = avis.pro_localisation_id
            ON CONFLICT DO NOTHING
        """)
        # The file asks for the bystander's too.
        desk.execute("""
            INSERT INTO review_batch_lines (avis_id, claim_token, provider, batch_id, reasons,
              facts_hash)
            SELECT id, gen_random_uuid(), 'batcher', 1, '{}', facts_hash FROM avis
        """)
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
        index_pages(desk.shards)
