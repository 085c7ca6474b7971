"""Withdrawals and expiries killed with -9: nothing lost, and no word of a withdrawn review left."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from tests.conditions import wait_until
from tests.integration.reviewer.conftest import Register
from tests.integration.reviewer.reviewers import run_command
from tests.integration.reviewer.reviews.conftest import (
    REVIEW,
    Reviews,
    places_of,
    review,
    sirenade,
    synthese,
)

ROOT = Path(__file__).parents[4]
WORDS = "atelier soigné"
PLACES = 40
KILLS = 4
_STOP = 77
# A statement that changed the table waits there, in the middle of its transaction.
_STOP_AT = f"""
    CREATE FUNCTION stop_here() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock({_STOP}); RETURN NULL; END $$;
    CREATE TRIGGER stop_here AFTER %s ON %s FOR EACH STATEMENT EXECUTE FUNCTION stop_here()
"""
_GO_ON_AT = "DROP TRIGGER stop_here ON %s; DROP FUNCTION stop_here()"
_SLOW = """
    CREATE FUNCTION go_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END $$;
    CREATE TRIGGER go_slowly AFTER DELETE ON sources FOR EACH STATEMENT EXECUTE FUNCTION go_slowly()
"""
_STOPPED = f"""
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = {_STOP} AND NOT granted
"""
_AT_WORK = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name IN ('sirenade-reviews', 'withdrawals')
"""
# It tells each address whose withdrawal is committed.
_WITHDRAWALS = """
import datetime as dt, sys
from shared.db.engine import make_engine
from shared.db.quotations import withdraw

engine = make_engine(sys.argv[1], application_name="withdrawals")
for url in sys.argv[2:]:
    with engine.begin() as connection:
        withdraw(connection, url, dt.date.today())
    print(url, flush=True)
"""


@pytest.mark.parametrize(
    "ending", [("withdraw", REVIEW["url"]), ("expire",)], ids=["withdrawal", "expiry"]
)
@pytest.mark.usefixtures("quoted")
def test_an_ending_killed_at_any_statement_leaves_all_as_it_was_and_a_second_takes_all_away(
    register: Register,
    reviews: Reviews,
    reviewer: ShardReviewer,
    engine: Engine,
    ending: tuple[str, ...],
) -> None:
    if ending == ("expire",):
        register.execute("UPDATE sources SET retention_days = 1 WHERE review_id = '1'")
    before = places_of(WORDS, engine)
    for change, table in (
        ("DELETE", "sources"),
        ("INSERT OR DELETE", "withdrawn_reviews"),
        ("UPDATE", "avis_attempts"),
        ("DELETE", "avis_orders"),
        ("UPDATE", "failed_items"),
        ("UPDATE", "avis"),
        ("INSERT", "avis"),
    ):
        register.execute(_STOP_AT % (change, table))
        _killed_when_stopped(register, reviews.database_url, ending)
        register.execute(_GO_ON_AT % table)
        assert places_of(WORDS, engine) == before, (change, table)
        assert register.rows("SELECT 1 FROM withdrawn_reviews") == []
        assert synthese(register)["outcome"] == "accepted"
    assert sirenade(reviews.database_url, *ending).stdout == "1 reviews deleted\n"
    assert places_of(WORDS, engine) == set()
    reviewer.work([synthese(register)["id"]])
    assert "Numéro 2." in synthese(register)["text"], "the other review is lost to nobody"
    assert places_of(WORDS, engine) == set()


def _killed_when_stopped(register: Register, database_url: str, ending: Iterable[str]) -> None:
    with register.engine.connect() as holder:
        holder.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_STOP})")
        # A fork has imported all that a new process would import for seconds.
        command = (database_url, "reviews", *ending)
        process = get_context("fork").Process(target=run_command, args=command)
        process.start()
        try:
            wait_until(lambda: register.rows(_STOPPED) != [], seconds=60)
        finally:
            process.kill()
            process.join()
    _wait_for_the_end(register)


def test_withdrawals_killed_at_random_beside_a_reviewer_show_no_withdrawn_word(
    register: Register, reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, PLACES + 1))
    numbers = range(1, PLACES + 1)
    withdrawn = [_of_place(number, "Accueil") for number in numbers]
    kept = [_of_place(number, "Travail") for number in numbers]
    reviews.import_(*withdrawn, *kept)
    ids = [row["id"] for row in register.rows("SELECT id FROM avis WHERE kind = 'synthese'")]
    reviewer.work(ids)
    register.execute(_SLOW)
    left = {str(line["url"]): str(line["verbatim"]) for line in withdrawn}
    drawn = random.Random(5)
    for _ in range(KILLS):
        enough = _stored(register) - 2
        process = _start("-c", _WITHDRAWALS, reviews.database_url, *left)

        def has_withdrawn(enough: int = enough) -> bool:
            reviewer.work(ids)
            return _stored(register) < enough

        told = _killed_when(process, has_withdrawn, after_seconds=drawn.uniform(0, 0.1))
        _wait_for_the_end(register)
        assert _shown_without_a_source(register) == []
        for url in told.split():
            assert places_of(left.pop(url), engine) == set()
    assert left, "the kills came in the middle"
    _start("-c", _WITHDRAWALS, reviews.database_url, *left).communicate(timeout=60)
    reviewer.work(ids)
    assert [places_of(str(line["verbatim"]), engine) for line in withdrawn] == [set()] * PLACES
    for line in kept:
        assert {"sources", "avis"} <= places_of(str(line["verbatim"]), engine)
    again = reviews.import_(*withdrawn, *kept)
    assert f" {PLACES} kept already, {PLACES} refused" in again.stdout


def _of_place(number: int, topic: str) -> dict[str, object]:
    return review(
        number,
        siret=f"{Register.siren(number)}00011",
        review_id=f"{topic}-{number}",
        url=f"https://avis.example/{topic}/{number}",
        verbatim=f"{topic} soigné, numéro {number}.",
    )


def _stored(register: Register) -> int:
    return len(register.rows("SELECT 1 FROM sources"))


def _shown_without_a_source(register: Register) -> list[str]:
    """Return the words that a text or an attempt quotes though no review is stored with them."""
    rows = register.rows("""
        SELECT quoted FROM (
          SELECT text FROM avis WHERE kind = 'synthese'
          UNION ALL SELECT text FROM avis_attempts) AS texts,
          LATERAL (SELECT one[1] AS quoted
            FROM regexp_matches(text, '\\w+ soigné, numéro \\d+\\.', 'g') AS one) AS quotations
        WHERE quoted NOT IN (SELECT verbatim FROM sources)
    """)
    return [row["quoted"] for row in rows]


def _start(*arguments: str, **settings: str) -> "subprocess.Popen[str]":
    named = {f"SIRENADE_{name.upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **named},
        stdout=subprocess.PIPE,
        text=True,
    )


def _killed_when(
    process: "subprocess.Popen[str]", condition: Callable[[], bool], *, after_seconds: float = 0
) -> str:
    """Kill the process some time after the condition holds; return what it had printed."""
    try:
        wait_until(condition, seconds=60)
        time.sleep(after_seconds)
    finally:
        process.kill()
        printed, _ = process.communicate()
    return printed


def _wait_for_the_end(register: Register) -> None:
    """Wait until PostgreSQL has rolled back what a killed process had begun."""
    wait_until(lambda: register.rows(_AT_WORK) == [], seconds=60)
