"""The generators of one reviewer: which avis they get, and how their texts end."""

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.pool import QueuePool

from deploy.local.postgres import RunningPostgres
from services.reviewer.notices import template
from services.reviewer.notices.template import GeneratedText
from services.reviewer.texts.author import Author
from services.reviewer.validation import validate
from shared.clock import Clock
from shared.metrics import Metrics
from shared.sirene.facts import Facts

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register
from tests.integration.reviewer.reviewers import MakeReviewer


def test_three_reviewers_at_once_write_every_due_avis_exactly_once(
    register: "Register", make_reviewer: MakeReviewer
) -> None:
    """Each reviewer gets every message, as after a redelivery."""
    ids = register.add(range(1, 121))
    called: list[str] = []

    def generate(facts: Facts, year: int) -> GeneratedText:
        called.append(facts.siret)
        return template.generate(facts, year)

    reviewers = [make_reviewer(generate) for _ in range(3)]
    messages = [ids[start : start + 10] for start in range(0, len(ids), 10)]
    with ThreadPoolExecutor() as actors:
        for future in [
            actors.submit(reviewer.work, message) for message in messages for reviewer in reviewers
        ]:
            future.result()
    assert len(called) == len(set(called)) == len(ids)
    rows = register.rows("SELECT outcome FROM avis")
    assert {row["outcome"] for row in rows} == {"accepted"}
    assert len(register.rows("SELECT 1 FROM avis_attempts")) == len(ids)


def test_a_label_is_dated_as_on_a_calendar_in_paris(
    register: "Register", make_reviewer: MakeReviewer
) -> None:
    [avis_id] = register.add(range(1, 2))
    register.execute("UPDATE etablissements SET fetched_at = '2026-07-31 23:00:00+00'")
    half_past_one = dt.datetime(2026, 8, 14, 23, 30, tzinfo=dt.UTC)
    replace(make_reviewer(), clock=Clock(now=lambda: half_past_one)).work([avis_id])
    assert register.avis(avis_id)["label"].startswith(
        "Notice générée automatiquement le 15 août 2026 à partir du répertoire Sirene "
        "(Insee, août 2026)."
    )


def test_a_bad_text_is_rejected_and_never_published(
    register: "Register", make_reviewer: MakeReviewer, author: Author, metrics: Metrics
) -> None:
    [avis_id] = register.add(range(1, 2))

    def write_praise(facts: Facts, year: int) -> GeneratedText:
        praise = "Je recommande vivement cette entreprise, la meilleure de Bordeaux : 5 étoiles !"
        return replace(template.generate(facts, year), text=praise)

    strict = replace(author, validate=validate)
    make_reviewer(write_praise, author=strict).work([avis_id])
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"], row["label"]) == ("rejected", None, None)
    [attempt] = register.rows("SELECT * FROM avis_attempts")
    assert {"recommendation", "first_person", "name_missing"} <= set(attempt["reasons"])
    assert not attempt["accepted"]
    [failed] = register.rows("SELECT * FROM failed_items")
    assert (failed["key"], failed["resolved_at"]) == (str(avis_id), None)
    counted = metrics.registry.get_sample_value(
        "sirenade_avis_rejections_total", {"reason": "recommendation"}
    )
    assert counted == 1


def test_a_generator_that_breaks_on_one_avis_writes_the_others(
    register: "Register", make_reviewer: MakeReviewer
) -> None:
    ids = register.add(range(1, 11))

    def generate(facts: Facts, year: int) -> GeneratedText:
        if facts.siren == register.siren(4):
            raise KeyError(facts.nom)
        return template.generate(facts, year)

    make_reviewer(generate).work(ids)
    rejected = register.rows("SELECT id FROM avis WHERE outcome <> 'accepted'")
    assert [row["id"] for row in rejected] == [ids[3]]
    [failed] = register.rows("SELECT code, message FROM failed_items")
    assert (failed["code"], failed["message"]) == ("generator_failed", "generator_failed: KeyError")


def test_no_connection_is_held_while_a_text_is_made(
    register: "Register", make_reviewer: MakeReviewer
) -> None:
    ids = register.add(range(1, 6))
    held: list[int] = []
    reviewer = make_reviewer()
    pool = reviewer.engine.pool
    assert isinstance(pool, QueuePool)

    def generate(facts: Facts, year: int) -> GeneratedText:
        held.append(pool.checkedout())
        return template.generate(facts, year)

    replace(reviewer, author=replace(reviewer.author, generate=generate)).work(ids)
    assert held == [0] * 5


def test_a_stopping_reviewer_finishes_what_it_began_and_returns_the_rest(
    register: "Register", make_reviewer: MakeReviewer, clock: Clock
) -> None:
    ids = register.add(range(1, 21))
    register.execute("UPDATE avis SET published_at = now()")
    begun: list[str] = []

    def generate(facts: Facts, year: int) -> GeneratedText:
        begun.append(facts.siren)
        clock.stopping.set()
        return template.generate(facts, year)

    make_reviewer(generate, generators=2).work(ids)
    assert 1 <= len(begun) <= 2
    rows = register.rows("SELECT * FROM avis WHERE outcome = 'pending'")
    assert len(rows) == 20 - len(begun)
    assert all(row["published_at"] is row["lease_until"] is None for row in rows)
    assert {row["attempts"] for row in rows} == {0}


def test_texts_that_would_outlive_their_lease_are_not_begun(
    register: "Register", make_reviewer: MakeReviewer
) -> None:
    ids = register.add(range(1, 11))

    def generate(facts: Facts, year: int) -> GeneratedText:
        time.sleep(0.3)
        return template.generate(facts, year)

    reviewer = make_reviewer(generate, generators=1, lease_seconds=2)
    reviewer.work(ids)
    accepted = len(register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted'"))
    assert 1 <= accepted < 10
    attempts = register.rows("SELECT accepted FROM avis_attempts")
    assert [row["accepted"] for row in attempts] == [True] * accepted


def test_a_text_is_not_generated_again_because_the_database_went_away(
    register: "Register", make_reviewer: MakeReviewer, postgres: RunningPostgres
) -> None:
    [avis_id] = register.add(range(1, 2))
    reviewer = make_reviewer()
    name = reviewer.engine.url.database
    called: list[str] = []

    def allow_connections(answer: str) -> None:
        with postgres.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {answer}")
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )

    def generate(facts: Facts, year: int) -> GeneratedText:
        called.append(facts.siren)
        allow_connections("false")
        threading.Timer(1.5, allow_connections, ["true"]).start()
        return template.generate(facts, year)

    replace(reviewer, author=replace(reviewer.author, generate=generate)).work([avis_id])
    assert len(called) == 1
    assert register.avis(avis_id)["outcome"] == "accepted"


def test_a_message_with_unknown_ids_is_done(
    register: "Register", make_reviewer: MakeReviewer
) -> None:
    ids = register.add(range(1, 2))
    make_reviewer().work([*ids, 999_999])
    assert register.avis(ids[0])["outcome"] == "accepted"
