"""Withdrawn data is in no column of any table, and no replay brings it back."""

import copy
import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import text

from services.writer.erasure.erase import erase
from services.writer.erasure.letter_records import Silenced
from services.writer.slices.statements import PROBE_KEYS
from services.writer.store import SliceStatus
from shared import wire
from shared.db.neighbours import neighbourhood
from shared.messages import WriteSlice
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.records import Record, Records
from tests.integration.writer.scene import (
    BYSTANDER,
    LATER,
    LEGAL,
    NATURAL,
    PUBLIC_OF_LEGAL,
    SIREN,
    STREET,
    WORDS,
    Scene,
)
from tests.integration.writer.whole_database import places_of

MakeScene = Callable[[Record], Scene]


@pytest.fixture
def scene_of(desk: Desk, records: Records) -> MakeScene:
    def make(unite: Record) -> Scene:
        scene = Scene(desk, records, unite)
        scene.fill()
        return scene

    return make


@pytest.fixture
def stored(scene_of: MakeScene) -> Scene:
    return scene_of(NATURAL)


@pytest.fixture
def erased(stored: Scene) -> Scene:
    """Return the person after the flip to partial diffusion: one record of it has arrived."""
    stored.turn(stored.masked(1))
    return stored


_FILLED = {
    "avis.display_name",
    "avis.json_ld",
    "avis.text",
    "avis_attempts.facts",
    "avis_attempts.text",
    "avis_orders.reason",
    "avis_orders.text",
    "dead_letters.body",
    "etablissements.enseigne1",
    "etablissements.libelle_voie",
    "failed_items.message",
    "failed_items.payload",
    "page_redirects.slug",
    "pro_localisations.nom",
    "pro_localisations.slug",
    "search_entries.nom",
    "search_entries.terms",
    "search_lexemes.lexeme",
    "search_prefixes.lexemes",
    "sources.verbatim",
    "unites_legales.nom",
    "unites_legales.prenom1",
}


def test_a_person_who_turns_partial_is_in_no_column_any_more(stored: Scene) -> None:
    desk = stored.desk
    assert set(places_of(desk.engine, *WORDS)) >= _FILLED, "the search finds what there is"
    stored.turn(stored.masked(1))
    assert places_of(desk.engine, *WORDS) == []
    assert stored.letter_sirens("of both") == [BYSTANDER]
    assert places_of(desk.engine, "AU PASSANT") != []
    kept = desk.execute("SELECT siret FROM etablissements WHERE siren = :siren", siren=SIREN)
    assert len(kept) == 2, "the numbers stay"
    (tombstone,) = desk.execute("SELECT siren, reason FROM erasures WHERE siret IS NULL")
    assert dict(tombstone) == {"siren": SIREN, "reason": "partial_diffusion"}


def test_the_fingerprints_of_erased_texts_go_with_them(stored: Scene) -> None:
    left = """
        SELECT coalesce(avis.siren = :siren, true) AS theirs
        FROM avis_simhashes LEFT JOIN avis ON avis.id = avis_id
    """
    desk = stored.desk
    assert {row["theirs"] for row in desk.execute(left, siren=SIREN)} == {True, False}
    stored.turn(stored.masked(1))
    assert {row["theirs"] for row in desk.execute(left, siren=SIREN)} == {False}


def test_what_was_asked_for_by_the_file_keeps_no_hash_of_erased_facts(stored: Scene) -> None:
    hashed = """
        SELECT avis.siren = :siren AS theirs
        FROM review_batch_lines l JOIN avis ON avis.id = avis_id
        WHERE l.facts_hash <> ''
    """
    desk = stored.desk
    assert {row["theirs"] for row in desk.execute(hashed, siren=SIREN)} == {True, False}
    stored.turn(stored.masked(1))
    assert {row["theirs"] for row in desk.execute(hashed, siren=SIREN)} == {False}
    lines = desk.execute("SELECT count(*) AS n FROM review_batch_lines")
    assert lines[0]["n"] > 1, "each still counts for its batch"


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


def test_an_establishment_that_turns_partial_loses_its_own_records_only(stored: Scene) -> None:
    desk = stored.desk
    desk.import_(stored.clear(4, enseigne="AU ZEPHYR"), sole_traders=True)
    stored.archive(stored.body(stored.clear(4, enseigne="AU ZEPHYR"), stored.clear(1)), "of two")
    stored.turn(stored.masked(4, unite="O"))
    assert places_of(desk.engine, "ZEPHYR") == []
    assert "etablissements.enseigne1" in places_of(desk.engine, "CHEZ ZORGLUB")
    assert stored.letter_sirens("of two") == [SIREN]
    late = stored.clear(4, enseigne="AU ZEPHYR")
    desk.execute("DELETE FROM etablissements WHERE siret = :siret", siret=late["siret"])
    desk.import_(late)
    assert places_of(desk.engine, "ZEPHYR") == [], "its tombstone holds without its row"


def test_late_older_records_bring_nothing_back(erased: Scene) -> None:
    tomorrow, before = FETCHED_AT + dt.timedelta(days=1), FETCHED_AT + dt.timedelta(minutes=30)
    for treated, fetched_at in (
        ("2026-01-01T00:00:00", tomorrow),
        ("2026-02-01T00:00:00", tomorrow),
        ("2026-08-05T13:00:00", before),
        (None, before),
    ):
        for number in (1, 2, 9):
            late = erased.clear(number)
            late["dateDernierTraitementEtablissement"] = treated
            late["uniteLegale"]["dateDernierTraitementUniteLegale"] = treated
            erased.desk.import_(late, fetched_at=fetched_at)
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


def test_a_replayed_slice_brings_nothing_back(stored: Scene) -> None:
    desk = stored.desk
    batch = desk.batch()
    queued = desk.message([stored.clear(1)], batch=batch, fetch_id=desk.fetch(batch))
    stored.turn(stored.masked(1))
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
    sent = wire.decode(bytes(row["body"]))["kwargs"]
    batch = desk.batch()
    fetch_id = desk.fetch(batch)
    message = WriteSlice.from_wire(sent | {"batch_id": batch, "fetch_id": fetch_id})
    assert desk.write(message).records == 1
    assert places_of(desk.engine, *WORDS) == []


def test_a_masked_record_that_cannot_be_written_erases_all_the_same(stored: Scene) -> None:
    desk = stored.desk
    broken = stored.masked(1)
    broken["dateCreationEtablissement"] = "never"
    desk.import_(broken, fetched_at=FETCHED_AT - dt.timedelta(hours=1))
    assert places_of(desk.engine, *WORDS) != [], "a later GET saw the unit open to all"
    stored.turn(broken)
    assert places_of(desk.engine, *WORDS) == []
    stored.desk.import_(stored.clear(1), stored.clear(2))
    assert places_of(desk.engine, *WORDS) == []


def test_a_newer_clear_record_of_insee_brings_the_person_back(erased: Scene) -> None:
    again = erased.clear(1, treated="2026-03-01T00:00:00")
    erased.desk.import_(again, fetched_at=LATER + dt.timedelta(hours=1))
    assert "unites_legales.nom" in places_of(erased.desk.engine, "ZORGLUB")
    assert places_of(erased.desk.engine, "zinzoline") == []


_READ = text("SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables ORDER BY relname")
"""Rows that sequential scans of this connection have read."""


_MADE_OF_THEM = (
    """
    INSERT INTO pro_localisations (siret, siren, activite_principale, code_commune, slug, nom,
      status)
    SELECT siret, siren, '10.71C', '33063', siret, 'AU FOUR', 'open' FROM etablissements
    """,
    """
    INSERT INTO avis (pro_localisation_id, siret, siren, kind, outcome, facts_hash, text)
    SELECT id, siret, siren, 'notice', 'accepted', 'f', 'Un texte.' FROM pro_localisations
    """,
    """
    INSERT INTO avis_attempts (avis_id, siren, model, prompt_version, facts_hash, accepted, reasons,
      latency_seconds)
    SELECT id, siren, 'm', 'p', 'f', true, '{}', 1 FROM avis
    """,
    f"""
    INSERT INTO avis_simhashes (place, avis_id, simhash)
    SELECT {neighbourhood("p")}, avis.id, 0
    FROM avis JOIN pro_localisations p ON p.id = avis.pro_localisation_id
    """,
    """
    INSERT INTO avis_orders (siret, siren, kind, verb, ordered_by, reason, override)
    SELECT siret, siren, 'notice', 'hold', 'o', 'r', false FROM avis
    """,
    """
    INSERT INTO failed_items (kind, key, siren, payload, code, message)
    SELECT 'write', siret, siren, 'x', 'c', 'm' FROM etablissements
    """,
    """
    INSERT INTO review_batch_lines (avis_id, claim_token, provider, reasons, facts_hash)
    SELECT id, gen_random_uuid(), 'p', '{}', 'f' FROM avis
    """,
)


def test_an_erasure_reads_no_whole_table_of_the_register(desk: Desk) -> None:
    """A join read all periods when it was planned before the first ANALYZE: in a first import."""
    common = "siren, statut_diffusion, content_hash, fetched_at"
    values = "lpad(n::text, 9, '0'), 'P', '', now() FROM generate_series(1, 20000) n"
    desk.execute(f"INSERT INTO unites_legales ({common}) SELECT {values}")
    desk.execute(
        f"INSERT INTO etablissements (siret, nic, complement_adresse, {common})"
        f" SELECT lpad(n::text, 9, '0') || '00011', '00011', repeat('x', 300), {values}"
    )
    desk.execute(
        "INSERT INTO periodes_etablissements (siret, siren, rang, enseigne1)"
        " SELECT siret, siren, rang, 'AU FOUR' FROM etablissements, generate_series(0, 1) rang"
    )
    for insert in _MADE_OF_THEM:
        desk.execute(insert)
    withdrawn = frozenset(f"{number:09d}" for number in range(1, 41))
    with desk.engine.begin() as connection:
        connection.execute(PROBE_KEYS)
        before = connection.execute(_READ).all()
        erased = erase(connection, Silenced(withdrawn))
        assert connection.execute(_READ).all() == before
    assert erased["avis"] == erased["avis_simhashes"] == erased["avis_attempts"] == 40
    assert erased["review_batch_lines"] == erased["pro_localisations"] == 40
    assert erased["failed_items"] == erased["avis_orders"] == 40
