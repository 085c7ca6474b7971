"""Files of reviews that are imported, a reviewer for their syntheses, and where words are kept."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, RowMapping, text

from services.reviewer.actors import ShardReviewer
from services.reviewer.texts.author import Author
from shared.clock import Clock
from shared.db.tables import metadata
from shared.metrics import Metrics
from tests.integration.reviewer.conftest import Register
from tests.integration.reviewer.reviewers import Finished, run_command
from tests.unit.reviewer.reviews.reviews import TERMS

SIRET = "00000000100011"
REVIEW: dict[str, Any] = {
    **TERMS,
    "format": 2,
    "siret": SIRET,
    "review_id": "1",
    "url": "https://avis.example/1",
    "licence": "CC BY 4.0",
    "author_label": "Marie D.",
    "published_on": "2026-03-03",
    "experienced_on": "2026-03-01",
    "updated_on": None,
    "verbatim": "Un atelier soigné.",
}


def review(number: int, **values: Any) -> dict[str, Any]:
    url = f"https://avis.example/{number}"
    return {
        **REVIEW,
        "review_id": str(number),
        "url": url,
        "verbatim": f"Numéro {number}.",
        **values,
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


@pytest.fixture
def quoted(register: Register, reviews: Reviews, reviewer: ShardReviewer) -> None:
    """Make two reviews that a synthese quotes, and the words of the first wherever they may be."""
    register.add(range(1, 2))
    reviews.import_(REVIEW, review(2))
    synthese_id = synthese(register)["id"]
    reviewer.work([synthese_id])
    register.execute(f"""
        INSERT INTO failed_items (kind, key, siren, code, message)
        VALUES ('review', '{synthese_id}', '000000001', 'wrong_count', 'Un atelier soigné.')
    """)
    register.execute(f"""
        INSERT INTO avis_orders (siret, siren, kind, verb, ordered_by, reason, override)
        VALUES ('{SIRET}', '000000001', 'synthese', 'hold', 'A', '« Un atelier soigné » ?', false)
    """)


def places_of(words: str, engine: Engine) -> set[str]:
    """Return the tables with a row that holds these words."""
    with engine.connect() as connection:
        return {
            table.name
            for table in metadata.sorted_tables
            if connection.scalar(
                text(f"SELECT 1 FROM {table.name} t WHERE t::text LIKE :words LIMIT 1"),
                {"words": f"%{words}%"},
            )
        }


def synthese(register: Register) -> RowMapping:
    [row] = register.rows("SELECT * FROM avis WHERE kind = 'synthese'")
    return row
