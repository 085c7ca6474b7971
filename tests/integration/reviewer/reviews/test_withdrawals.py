"""Reviews that are withdrawn: their words are kept nowhere, and their files stay out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from services.reviewer.actors import ShardReviewer
from services.reviewer.reviews.synthese import generate
from services.reviewer.reviews.validation import validate_synthese
from services.reviewer.store import claim, store
from services.reviewer.texts.attempts import attempt
from services.reviewer.texts.rulings import AvisResult
from services.reviewer.validation import Verdict
from tests.conditions import wait_until
from tests.integration.reviewer.conftest import Register
from tests.integration.reviewer.reviews.conftest import (
    REVIEW,
    Reviews,
    places_of,
    review,
    sirenade,
    synthese,
)

_WAITING_FOR_A_TABLE = """
    SELECT FROM pg_locks WHERE NOT granted AND mode = 'ExclusiveLock' AND locktype = 'relation'
"""


def claimed_result(register: Register, reviewer: ShardReviewer, engine: Engine) -> AvisResult:
    """Return the synthese that a reviewer has written and not yet stored."""
    ids = [synthese(register)["id"]]
    [claimed], _ = claim(engine, ids, lease_seconds=60, prompt_version="", sole_traders=False)
    facts, sources = claimed.facts, claimed.sources
    assert sources is not None
    quotation = attempt(
        lambda: generate(facts, sources),
        lambda text: Verdict(validate_synthese(text, facts, sources)),
        reviewer.clock.monotonic_seconds,
    )
    return AvisResult(claim=claimed, attempts=(quotation,), label="")


def test_without_a_review_left_there_is_no_text_and_the_outcome_says_why(
    register: Register, reviews: Reviews, reviewer: ShardReviewer
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    reviewer.work([synthese(register)["id"]])
    done = sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    assert done.stdout == "1 reviews deleted\n"
    assert synthese(register)["text"] is None, "it is gone before the reviewer comes to it"
    reviewer.work([synthese(register)["id"]])
    left = synthese(register)
    assert (left["outcome"], left["text"]) == ("no_reviews", None)


@pytest.mark.usefixtures("quoted")
def test_a_withdrawn_review_is_in_no_table(
    register: Register, reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    assert places_of("atelier soigné", engine) == {
        "avis_orders",
        "sources",
        "avis",
        "avis_attempts",
        "failed_items",
    }
    sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    assert places_of("atelier soigné", engine) == set()
    [attempt] = register.rows("SELECT accepted, text FROM avis_attempts")
    assert attempt == {"accepted": True, "text": None}, "that there was one stays"
    reviewer.work([synthese(register)["id"]])
    assert "Numéro 2." in synthese(register)["text"]
    assert places_of("atelier soigné", engine) == set()


def test_a_withdrawn_review_does_not_come_back_with_its_file(
    register: Register, reviews: Reviews
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW, review(2))
    sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    other_address = review(1, url="https://avis.example/moved")
    other_id = review(3, url=REVIEW["url"])
    for again in (REVIEW, other_address, other_id):
        told = reviews.import_(again, review(2))
        assert told.returncode == 1
        assert "0 new, 0 changed, 1 kept already, 1 refused" in told.stdout
        assert "line 1: the review was withdrawn" in told.stderr
    assert [row["review_id"] for row in register.rows("SELECT review_id FROM sources")] == ["2"]
    done = sirenade(reviews.database_url, "withdraw", "--undo", REVIEW["url"])
    assert done.stdout == "it may be imported again\n"
    assert reviews.import_(REVIEW).stdout.startswith("1 new")


def test_a_review_may_be_withdrawn_before_it_is_ever_imported(
    register: Register, reviews: Reviews
) -> None:
    register.add(range(1, 2))
    done = sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    assert done.stdout == "0 reviews deleted\n"
    assert "the review was withdrawn" in reviews.import_(REVIEW).stderr


def test_a_withdrawal_waits_for_an_import_and_an_import_for_it(
    register: Register, reviews: Reviews, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    with engine.connect() as importing, ThreadPoolExecutor(1) as thread:
        importing.execute(text("SELECT 1 FROM withdrawn_reviews FOR SHARE"))
        withdrawing = thread.submit(sirenade, reviews.database_url, "withdraw", REVIEW["url"])
        wait_until(lambda: bool(register.rows(_WAITING_FOR_A_TABLE)), seconds=30)
        importing.rollback()
        assert withdrawing.result().stdout == "1 reviews deleted\n"


def test_a_text_that_comes_after_the_withdrawal_leaves_no_quotation_in_its_attempt(
    register: Register, reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW, review(2))
    late = claimed_result(register, reviewer, engine)
    sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    store(engine, [late], sole_traders=False)
    assert places_of("atelier soigné", engine) == set()
    assert synthese(register)["outcome"] == "pending"


def test_a_review_withdrawn_between_claim_and_store_discards_the_text(
    register: Register, reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    late = claimed_result(register, reviewer, engine)
    register.execute("DELETE FROM sources")
    store(engine, [late], sole_traders=False)
    left = synthese(register)
    assert (left["outcome"], left["text"]) == ("no_reviews", None)
    assert register.rows("SELECT * FROM avis_attempts") == []
