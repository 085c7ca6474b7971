"""Imported reviews, and the synthese that quotes them: written, renewed, taken back, erased."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, RowMapping

from services.reviewer.actors import ShardReviewer
from services.reviewer.texts.author import Author
from shared.clock import Clock
from shared.db.tables import unites_legales
from shared.metrics import Metrics
from tests.integration.reviewer.reviewers import Finished, run_command

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

SIRET = "00000000100011"
REVIEW = {
    "siret": SIRET,
    "url": "https://avis.example/1",
    "licence": "CC BY 4.0",
    "author_label": "Marie D.",
    "published_on": "2026-03-03",
    "experienced_on": "2026-03-01",
    "verification": "achat vérifié",
    "verbatim": "Un atelier soigné.",
}


def sirenade(database_url: str, *arguments: str) -> Finished:
    return run_command(database_url, "reviews", *arguments)


class Reviews:
    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.file = folder / "reviews.jsonl"

    def import_(self, *reviews: Any) -> Finished:
        lines = [each if isinstance(each, str) else json.dumps(each) for each in reviews]
        self.file.write_text("\n".join(lines), "utf-8")
        return sirenade(self.database_url, "import", str(self.file))


@pytest.fixture
def reviews(database_url: str, tmp_path: Path) -> Reviews:
    return Reviews(database_url, tmp_path)


@pytest.fixture
def reviewer(engine: Engine, author: Author, clock: Clock, metrics: Metrics) -> ShardReviewer:
    return ShardReviewer(
        engine=engine,
        generators=ThreadPoolExecutor(2),
        author=author,
        clock=clock,
        metrics=metrics,
        lease_seconds=60,
        sole_traders=False,
    )


def synthese(register: "Register") -> RowMapping:
    [row] = register.rows("SELECT * FROM avis WHERE kind = 'synthese'")
    return row


def test_an_imported_review_is_quoted_and_a_further_one_renews_the_text(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer
) -> None:
    register.add(range(1, 2))
    done = reviews.import_(REVIEW)
    assert (done.returncode, done.stdout) == (0, "1 new, 0 changed, 0 kept already, 0 refused\n")
    reviewer.work([synthese(register)["id"]])
    first = synthese(register)
    assert first["outcome"] == "accepted"
    assert "«\u00a0Un atelier soigné.\u00a0» (Marie D.," in first["text"]
    assert first["label"].startswith("Synthèse générée automatiquement")
    assert first["digital_source_type"] == "algorithmicMedia"

    assert reviews.import_(REVIEW).stdout == "0 new, 0 changed, 1 kept already, 0 refused\n"
    assert synthese(register)["outcome"] == "accepted", "nothing new: nothing is written again"

    reviews.import_({**REVIEW, "url": "https://avis.example/2", "verbatim": "Parfait."})
    reviewer.work([synthese(register)["id"]])
    assert synthese(register)["text"].startswith("2 avis")


def test_a_csv_with_a_byte_order_mark_is_read_too(
    register: "Register", database_url: str, tmp_path: Path
) -> None:
    register.add(range(1, 2))
    file = tmp_path / "reviews.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, REVIEW)
        writer.writeheader()
        writer.writerow({**REVIEW, "experienced_on": ""})
    assert sirenade(database_url, "import", str(file)).returncode == 0
    [source] = register.rows("SELECT * FROM sources")
    assert (source["verbatim"], source["experienced_on"]) == ("Un atelier soigné.", None)


def test_without_a_review_left_there_is_no_text_and_the_outcome_says_why(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    reviewer.work([synthese(register)["id"]])
    done = sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    assert done.stdout == "1 reviews deleted\n"
    reviewer.work([synthese(register)["id"]])
    left = synthese(register)
    assert (left["outcome"], left["text"]) == ("no_reviews", None)


def test_a_review_withdrawn_between_claim_and_store_discards_the_text(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    from services.reviewer.reviews.synthese import generate  # noqa: PLC0415
    from services.reviewer.reviews.validation import validate_synthese  # noqa: PLC0415
    from services.reviewer.store import claim, store  # noqa: PLC0415
    from services.reviewer.texts.attempts import attempt  # noqa: PLC0415
    from services.reviewer.texts.rulings import AvisResult  # noqa: PLC0415  # beside its only use

    register.add(range(1, 2))
    reviews.import_(REVIEW)
    ids = [synthese(register)["id"]]
    [claimed], _ = claim(
        engine, ids, lease_seconds=60, prompt_version="template-4", sole_traders=False
    )
    facts, sources = claimed.facts, claimed.sources
    assert sources is not None
    quotation = attempt(
        lambda: generate(facts, sources),
        lambda text: validate_synthese(text, facts, sources),
        reviewer.clock.monotonic_seconds,
    )
    register.execute("DELETE FROM sources")
    store(engine, [AvisResult(claim=claimed, attempts=(quotation,), label="")], sole_traders=False)
    left = synthese(register)
    assert (left["outcome"], left["text"]) == ("no_reviews", None)
    assert register.rows("SELECT * FROM avis_attempts") == []


def test_who_must_not_be_written_about_is_not_reviewed_either(
    register: "Register", reviews: Reviews
) -> None:
    register.add(range(1, 4))
    register.change(unites_legales, register.siren(1), statut_diffusion="P")
    register.oppose(register.siren(2))
    done = reviews.import_(
        *({**REVIEW, "siret": f"{register.siren(number)}00011"} for number in (1, 2, 3, 4))
    )
    assert done.returncode == 1
    assert done.stdout == "1 new, 0 changed, 0 kept already, 3 refused\n"
    assert [row["siret"] for row in register.rows("SELECT siret FROM sources")] == [
        f"{register.siren(3)}00011"
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2: is no JSON object"),
        ({**REVIEW, "siret": "12"}, "line 2: siret value error, is not a siret"),
        ({**REVIEW, "verbatim": " "}, "line 2: verbatim value error, is empty"),
        ({**REVIEW, "url": "javascript:alert(1)"}, "line 2: url url scheme should be"),
        ({**REVIEW, "published_on": "2999-01-01"}, "line 2: value error, published_on lies in"),
        ({**REVIEW, "experienced_on": "2026-04-01"}, "experienced_on is later"),
        ({**REVIEW, "stars": 5}, "line 2: stars extra inputs are not permitted"),
        ({k: v for k, v in REVIEW.items() if k != "licence"}, "line 2: licence field required"),
    ],
)
def test_a_bad_line_is_named_and_costs_only_itself(
    register: "Register", reviews: Reviews, line: Any, reason: str
) -> None:
    register.add(range(1, 2))
    done = reviews.import_(REVIEW, line)
    assert done.returncode == 1
    assert done.stdout == "1 new, 0 changed, 0 kept already, 1 refused\n"
    assert reason in done.stderr
    assert "soigné" not in done.stderr, "what somebody wrote is in no message"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.jsonl", None, "cannot read"),
        ("latin.jsonl", b'{"verbatim": "caf\xe9"}', "it is not UTF-8"),
        ("half.csv", b"siret,url\n", "lacks the columns author_label, licence"),
    ],
)
def test_a_file_that_is_none_is_one_clear_line(
    database_url: str, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = sirenade(database_url, "import", str(tmp_path / name))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
