"""A person whom INSEE purges is in no column any more, though the record is open to all."""

import copy
import datetime as dt
from typing import Any

import pytest

from shared.db.neighbours import neighbourhood
from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, pages, redirects
from tests.integration.writer.records import Record, Records
from tests.integration.writer.scene import (
    BYSTANDER,
    LATER,
    NAMES,
    NATURAL,
    SIREN,
    Scene,
)
from tests.integration.writer.whole_database import places_of

_WORDS = NAMES
_SIGN = "LE FOURNIL"


@pytest.fixture
def scene(desk: Desk, records: Records) -> Scene:
    """Return a person with a sign over both doors, which the page did not have from the first."""
    scene = Scene(desk, records, NATURAL)
    desk.import_(scene.clear(2, enseigne=None), sole_traders=True, fetched_at=LATER - _DAY)
    scene.clear = _signed(scene)  # type: ignore[method-assign]  # the sign of this scene
    scene.fill()
    # The texts of the time before the sign name the person.
    old = "text = 'Hermeline Zorglub est boulangère.'"
    of_old = "WHERE siren = :siren AND right(siret, 5) = '00002'"
    desk.execute(
        f"UPDATE avis_attempts SET {old}, facts_hash = repeat('0', 64)"
        f" WHERE avis_id IN (SELECT id FROM avis {of_old})",
        siren=SIREN,
    )
    desk.execute(
        f"UPDATE avis SET {old}, accepted_facts_hash = repeat('0', 64) {of_old}", siren=SIREN
    )
    assert any("zorglub" in slug for slug, *_ in redirects(desk))
    return scene


_DAY = dt.timedelta(days=1)


def _signed(scene: Scene) -> Any:
    clear = scene.clear

    def with_sign(number: int, **more: Any) -> Record:
        record = clear(number, **{"enseigne": _SIGN, **more})
        record["periodesEtablissement"][1]["enseigne1Etablissement"] = _SIGN
        return record

    return with_sign


def _purged(scene: Scene, number: int, **more: Any) -> Record:
    record = scene.clear(number, **{"treated": "2026-02-01T00:00:00", **more})
    named = [key for key in NATURAL if key.startswith(("nom", "prenom", "sexe"))]
    record["uniteLegale"] |= dict.fromkeys(named)
    return record


def test_a_purged_person_is_in_no_column_any_more_and_the_sign_stays(scene: Scene) -> None:
    desk = scene.desk
    assert set(places_of(desk.engine, *_WORDS)) >= {
        "avis.text",
        "avis_attempts.text",
        "dead_letters.body",
        "failed_items.payload",
        "page_redirects.slug",
        "unites_legales.nom",
    }
    scene.turn(_purged(scene, 1))
    assert places_of(desk.engine, *_WORDS) == []
    assert {page["nom"] for page in pages(desk) if page["siren"] == SIREN} == {_SIGN}
    assert scene.letter_sirens("of both") == [BYSTANDER]
    assert places_of(desk.engine, "AU PASSANT") != []
    kept = "SELECT count(*) FROM avis_attempts WHERE siren = :siren"
    assert desk.one(kept, siren=SIREN) != {"count": 0}, "what they cost stays"
    assert desk.number("erasures") == 0, "nothing is hidden"


def test_a_raw_record_that_comes_after_the_purge_is_not_kept(scene: Scene) -> None:
    scene.turn(_purged(scene, 1), _purged(scene, 2))
    broken = scene.clear(3)
    broken["dateCreationEtablissement"] = "never"
    scene.desk.import_(broken)
    scene.archive(scene.body(scene.clear(1), scene.bystander()), "late")
    assert places_of(scene.desk.engine, *_WORDS) == []
    assert scene.letter_sirens("late") == [BYSTANDER]


def test_a_text_about_the_present_facts_stays_with_its_fingerprint(scene: Scene) -> None:
    desk = scene.desk
    scene.turn(_purged(scene, 1), _purged(scene, 2))
    desk.execute("UPDATE avis SET outcome = 'pending' WHERE siren = :siren", siren=SIREN)
    accept(desk, "Le Fournil est une boulangerie.")
    desk.execute(f"""
        INSERT INTO avis_simhashes (place, avis_id, simhash)
        SELECT {neighbourhood("p")}, avis.id, 42
        FROM avis JOIN pro_localisations p ON p.id = avis.pro_localisation_id
        ON CONFLICT DO NOTHING
    """)
    kept = "SELECT id, outcome, text FROM avis WHERE siren = :siren ORDER BY id"
    before, simhashes = desk.execute(kept, siren=SIREN), desk.number("avis_simhashes")
    again = _purged(scene, 1, treated="2026-03-01T00:00:00")
    again["nombrePeriodesEtablissement"] = 9
    desk.import_(again, fetched_at=LATER + _DAY, sole_traders=True)
    assert desk.execute(kept, siren=SIREN) == before
    assert {row["text"] for row in before} == {"Le Fournil est une boulangerie."}
    assert desk.number("avis_simhashes") == simhashes


@pytest.mark.parametrize("how", ["purged", "masked", "masked alone"])
def test_a_page_that_closed_before_loses_the_name_it_had(
    desk: Desk, records: Records, how: str
) -> None:
    scene = Scene(desk, records, NATURAL)
    named = scene.clear(1, enseigne=None)
    other = scene.clear(2, enseigne="CHEZ ZORGLUB")
    desk.import_(named, other, sole_traders=True)
    accept(desk, "Hermeline Zorglub est boulangère.")
    moved, closed = (
        scene.clear(1, enseigne="CHEZ ZORGLUB", treated=f"2026-01-0{day}T00:00:00", etat=etat)
        for day, etat in ((2, "A"), (3, "F"))
    )
    for hours, record in enumerate((moved, closed), start=1):
        desk.import_(record, fetched_at=LATER + dt.timedelta(hours=hours), sole_traders=True)
    page = next(page for page in pages(desk) if page["siret"] == named["siret"])
    assert (page["status"], page["nom"]) == ("closed", "CHEZ ZORGLUB")
    assert redirects(desk)

    last = copy.deepcopy(closed)
    if how == "purged":
        last = _purged(scene, 1, enseigne=None, etat="F", treated="2026-02-01T00:00:00")
    elif how == "masked":
        # The record of the other establishment brings the P.
        last = scene.masked(2)
    else:
        last = scene.masked(1, unite="O")
        last["periodesEtablissement"] = closed["periodesEtablissement"]
    later = LATER + dt.timedelta(days=2)
    desk.import_(last, fetched_at=later, sole_traders=True)
    page = next(page for page in pages(desk) if page["siret"] == named["siret"])
    assert (page["status"], page["nom"], "zorglub" in page["slug"]) == ("closed", None, False)
    of_page = [slug for slug, siret, _ in redirects(desk) if siret == named["siret"]]
    assert of_page == []
    if how == "masked":
        assert places_of(desk.engine, *_WORDS) == []
    assert avis_of_siret(desk, named["siret"])["text"] is None


def avis_of_siret(desk: Desk, siret: str) -> dict[str, Any]:
    return desk.one("SELECT * FROM avis WHERE siret = :siret", siret=siret)
