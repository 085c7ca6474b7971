"""Several pages of an establishment in a database of release 1.0.0 become one, and no euro is lost.

Such a database closed a page and opened another where the activity or the commune changed.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from deploy.local.postgres import RunningPostgres
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from shared.db.neighbours import neighbourhood

_DUMP = Path(__file__).parents[3] / "fixtures" / "releases" / "1.0.0.sql.gz"
# A page for each of three activities: the first closed in March, the second in June, the third is
# open. The establishment of `only_closed` has the first two.
_PAGES = text("""
    INSERT INTO pro_localisations OVERRIDING SYSTEM VALUE
    SELECT id, :siret, left(:siret, 9), activite, '33063',
      CASE WHEN closed IS NULL THEN 'x-' || :siret ELSE name || '-' || :siret || '-' || id END,
      upper(name), activite, 'Bordeaux', CASE WHEN closed IS NULL THEN 'open' ELSE 'closed' END,
      '2026-01-01', closed
    FROM (VALUES (CAST(:first AS bigint), 'x', '10.71C', CAST('2026-03-01' AS timestamptz)),
        (:first + 1, 'y', '56.10A', '2026-06-01'), (:first + 2, 'x', '47.24Z', NULL))
      AS page (id, name, activite, closed)
    WHERE NOT (:only_closed AND closed IS NULL)
""")
_AVIS = text("""
    INSERT INTO avis (id, pro_localisation_id, siret, siren, kind, outcome, facts_hash, text)
    OVERRIDING SYSTEM VALUE
    SELECT id, id, siret, siren, 'notice', 'accepted', 'f', 'Le texte ' || id
    FROM pro_localisations WHERE id >= 9000
""")
_ATTEMPTS = text("""
    INSERT INTO avis_attempts (avis_id, siren, model, prompt_version, facts_hash, text, accepted,
      reasons, latency_seconds, cost_eur)
    SELECT id, siren, 'm', 'p', 'f', 't', true, '{}', 1, 0.25 FROM avis WHERE id >= 9000
""")
_LINES = text("""
    INSERT INTO review_batch_lines (avis_id, claim_token, provider, reasons)
    SELECT id, gen_random_uuid(), 'p', '{}' FROM avis WHERE id >= 9000
""")
_SIMHASHES = text(f"""
    INSERT INTO avis_simhashes SELECT id, id, {neighbourhood("p")}
    FROM pro_localisations p WHERE id >= 9000
""")


@pytest.fixture
def merged(postgres: RunningPostgres) -> Iterator[Engine]:
    url = postgres.create_database("merged")
    engine = make_engine(url, application_name="test")
    with engine.begin() as connection:
        connection.exec_driver_sql(gzip.decompress(_DUMP.read_bytes()).decode())
        connection.execute(text("SET search_path = public"))
        for siret, first, only_closed in (
            ("93800000700010", 9000, False),
            ("93800010600010", 9100, True),
        ):
            connection.execute(_PAGES, {"siret": siret, "first": first, "only_closed": only_closed})
        for statement in (_AVIS, _ATTEMPTS, _LINES, _SIMHASHES):
            connection.execute(statement)
    upgrade(url)
    yield engine
    engine.dispose()
    postgres.drop_database("merged")


def _rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_the_open_page_stays_else_the_one_that_closed_last(merged: Engine) -> None:
    assert _rows(
        merged, "SELECT id, slug, status FROM pro_localisations WHERE id >= 9000 ORDER BY id"
    ) == [
        (9002, "x-93800000700010", "open"),
        (9101, "y-93800010600010", "closed"),
    ]
    assert _rows(merged, "SELECT slug, siret, to_siret FROM page_redirects ORDER BY slug") == [
        ("x-93800000700010-9000", "93800000700010", None),
        ("x-93800010600010", "93800010600010", None),
        ("x-93800010600010-9100", "93800010600010", None),
        ("y-93800000700010", "93800000700010", None),
        ("y-93800000700010-9001", "93800000700010", None),
        ("y-93800010600010-9101", "93800010600010", None),
    ]


def test_texts_go_with_their_pages_and_what_was_paid_stays(merged: Engine) -> None:
    assert _rows(
        merged, "SELECT id, pro_localisation_id, text FROM avis WHERE id >= 9000 ORDER BY id"
    ) == [(9002, 9002, "Le texte 9002"), (9101, 9101, "Le texte 9101")]
    spent = "SELECT avis_id, sum(cost_eur) FROM avis_attempts WHERE avis_id >= 9000 GROUP BY 1"
    assert sorted(_rows(merged, spent)) == [(9002, 0.75), (9101, 0.5)]
    lines = "SELECT avis_id, count(*) FROM review_batch_lines WHERE avis_id >= 9000 GROUP BY 1"
    assert sorted(_rows(merged, lines)) == [(9002, 3), (9101, 2)]
    kept = "SELECT avis_id FROM avis_simhashes WHERE avis_id >= 9000 ORDER BY 1"
    assert _rows(merged, kept) == [(9002,), (9101,)]
