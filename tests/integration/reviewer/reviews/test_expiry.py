"""Reviews and tombstones that go when their site keeps the review no longer."""

from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from tests.integration.reviewer.conftest import Register
from tests.integration.reviewer.reviews.conftest import (
    REVIEW,
    Reviews,
    places_of,
    review,
    sirenade,
    synthese,
)


def test_a_review_goes_when_its_site_keeps_it_no_longer(
    register: Register, reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW, review(2))
    reviewer.work([synthese(register)["id"]])
    assert sirenade(reviews.database_url, "expire").stdout == "0 reviews deleted\n"
    register.execute("UPDATE sources SET retention_days = 1 WHERE review_id = '1'")
    assert sirenade(reviews.database_url, "expire").stdout == "1 reviews deleted\n"
    assert places_of("atelier soigné", engine) == set()
    assert synthese(register)["outcome"] == "pending"


def test_a_tombstone_holds_no_content_and_goes_when_the_site_keeps_the_review_no_longer(
    register: Register, reviews: Reviews
) -> None:
    register.add(range(1, 2))
    reviews.import_({**REVIEW, "retention_days": 3000})
    sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    rows = register.rows("SELECT * FROM withdrawn_reviews ORDER BY keep_until")
    assert {len(bytes(row[name])) for row in rows for name in ("digest", "url_digest")} == {16}
    assert {str(row["keep_until"]) for row in rows} == {"2034-05-20"}
    sirenade(reviews.database_url, "expire")
    assert len(register.rows("SELECT 1 FROM withdrawn_reviews")) == 2
    register.execute("UPDATE withdrawn_reviews SET keep_until = now()::date - 2")
    sirenade(reviews.database_url, "expire")
    assert register.rows("SELECT 1 FROM withdrawn_reviews") == []
