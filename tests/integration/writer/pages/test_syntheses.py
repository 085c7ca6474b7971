"""A synthese names its establishment, and is written again when the name or place changes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.reviews.importer import import_reviews
from services.reviewer.texts.author import Author
from services.reviewer.validation import validate
from shared.clock import Clock
from shared.metrics import Metrics
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.unit.reviewer.reviews.reviews import source as review

SIRET = "00000000100001"


@pytest.fixture
def reviewer(engine: Engine) -> Iterator[ShardReviewer]:
    clock = Clock()
    threads = ThreadPoolExecutor(2)
    yield ShardReviewer(
        engine=engine,
        generators=threads,
        author=Author(
            validate,
            clock,
        ),
        clock=clock,
        metrics=Metrics(),
        lease_seconds=60,
        sole_traders=False,
    )
    threads.shutdown()


@pytest.fixture
def reviewed(desk: Desk, records: Records, reviewer: ShardReviewer) -> Desk:
    """Return one establishment with an accepted notice and an accepted synthese."""
    desk.import_(records.record(enseigne="AU BON PAIN"))
    own = review(siret=SIRET, verbatim="Un atelier soigné.")
    assert import_reviews(desk.engine, [(1, own)]).new == 1
    work(desk, reviewer)
    assert "AU BON PAIN" in synthese(desk)["text"]
    return desk


def work(desk: Desk, reviewer: ShardReviewer) -> None:
    due = desk.execute("SELECT id FROM avis WHERE outcome = 'pending' ORDER BY id")
    reviewer.work([row["id"] for row in due])


def syntheses(desk: Desk) -> list[dict[str, Any]]:
    rows = desk.execute("""
        SELECT a.*, p.status FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
        WHERE kind = 'synthese' ORDER BY a.id
    """)
    return [dict(row) for row in rows]


def synthese(desk: Desk) -> dict[str, Any]:
    [row] = syntheses(desk)
    return row


def test_a_synthese_is_written_again_when_its_establishment_is_renamed(
    reviewed: Desk, records: Records, reviewer: ShardReviewer
) -> None:
    reviewed.import_(records.record(enseigne="LE FOURNIL", treated="2026-02-01T00:00:00"))
    assert synthese(reviewed)["outcome"] == "pending"
    work(reviewed, reviewer)
    row = synthese(reviewed)
    assert row["outcome"] == "accepted"
    assert "LE FOURNIL" in row["text"]
    assert "AU BON PAIN" not in row["text"]


def test_a_synthese_whose_facts_are_the_same_stays_as_it_is(
    reviewed: Desk, records: Records
) -> None:
    before = synthese(reviewed)
    stairs = records.record(enseigne="AU BON PAIN", treated="2026-02-01T00:00:00")
    stairs["adresseEtablissement"]["complementAdresseEtablissement"] = "ESCALIER B"
    assert reviewed.import_(stairs).updated == 1
    assert synthese(reviewed) == before


def test_a_name_that_comes_back_before_it_was_used_costs_no_text(
    reviewed: Desk, records: Records
) -> None:
    before = synthese(reviewed)
    reviewed.import_(records.record(enseigne="LE FOURNIL", treated="2026-02-01T00:00:00"))
    reviewed.import_(records.record(enseigne="AU BON PAIN", treated="2026-03-01T00:00:00"))
    after = synthese(reviewed)
    assert (after["outcome"], after["facts_hash"]) == ("accepted", before["facts_hash"])
    assert after["text"] == before["text"]


def test_a_synthese_stays_until_it_is_written_again_for_another_commune(
    reviewed: Desk, records: Records, reviewer: ShardReviewer
) -> None:
    before = synthese(reviewed)
    moved = records.record(enseigne="AU BON PAIN", commune="24322", treated="2026-02-01T00:00:00")
    reviewed.import_(moved)
    assert synthese(reviewed)["text"] == before["text"]
    work(reviewed, reviewer)
    after = synthese(reviewed)
    assert (after["id"], after["status"], after["outcome"]) == (before["id"], "open", "accepted")
    assert "à Périgueux" in after["text"]


def test_no_synthese_becomes_due_without_a_review(desk: Desk, records: Records) -> None:
    desk.import_(records.record())
    desk.import_(records.record(enseigne="LE FOURNIL", treated="2026-02-01T00:00:00"))
    assert syntheses(desk) == []


def test_one_whose_reviews_were_taken_back_is_left_alone(
    reviewed: Desk, records: Records, reviewer: ShardReviewer
) -> None:
    reviewed.execute("DELETE FROM sources")
    reviewed.execute("UPDATE avis SET outcome = 'pending' WHERE kind = 'synthese'")
    work(reviewed, reviewer)
    reviewed.import_(records.record(enseigne="LE FOURNIL", treated="2026-02-01T00:00:00"))
    row = synthese(reviewed)
    assert (row["outcome"], row["text"]) == ("no_reviews", None)


@pytest.mark.parametrize("state", ["A", "F"])
def test_a_unit_that_turns_out_a_sole_trader_s_keeps_no_review(
    reviewed: Desk, records: Records, reviewer: ShardReviewer, state: str
) -> None:
    turned = records.record(enseigne="AU BON PAIN", treated="2026-02-01T00:00:00", etat=state)
    turned["uniteLegale"]["categorieJuridiqueUniteLegale"] = "1000"
    reviewed.import_(turned)
    assert reviewed.execute("SELECT * FROM sources") == []
    assert synthese(reviewed)["text"] is None
    assert [
        row["text"]
        for row in reviewed.execute("""
        SELECT t.text FROM avis_attempts t JOIN avis a ON a.id = t.avis_id WHERE kind = 'synthese'
    """)
    ] == [None]
    work(reviewed, reviewer)
    assert synthese(reviewed)["text"] is None
