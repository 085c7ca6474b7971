"""Each job does its work, and says what it did."""

from datetime import timedelta

from sqlalchemy import Engine

from shared.days import FRANCE
from shared.db.engine import make_engine
from tests.integration.operator.clockwork import NOON, Operator, jobs, load_register
from tests.integration.writer.desk import Desk


def test_a_delta_is_ordered_unless_one_is_under_way(engine: Engine, desk: Desk) -> None:
    load_register(engine)
    operator = Operator(engine, jobs(delta_wait_minutes=30)["delta"])
    operator.turn()
    run = desk.one("SELECT *, wait_until - created_at AS wait FROM import_runs")
    assert (run["kind"], run["status"], run["wait"]) == ("delta", "pending", timedelta(minutes=30))
    operator.turn(later=timedelta(days=1))
    assert desk.number("import_runs") == 1
    results = [row["result"] for row in desk.execute("SELECT result FROM job_slots ORDER BY slot")]
    assert results == [
        f"run {run['id']} is ordered",
        f"the delta of run {run['id']} is still under way: no second one is ordered",
    ]
    desk.execute("UPDATE import_runs SET status = 'complete'")
    operator.turn(later=timedelta(days=1))
    assert desk.number("import_runs") == 2


def test_where_the_register_was_never_loaded_the_delta_says_so_and_fails_nothing(
    engine: Engine, desk: Desk
) -> None:
    Operator(engine, jobs()["delta"]).turn()
    slot = desk.one("SELECT status, result FROM job_slots")
    assert slot["status"] == "done"
    assert "load the register" in slot["result"]
    assert desk.number("import_runs") == 0


def test_where_nothing_says_how_old_the_register_is_the_delta_found_a_fault(
    engine: Engine, desk: Desk
) -> None:
    desk.run()
    desk.execute("UPDATE import_runs SET status = 'complete'")
    Operator(engine, jobs()["delta"]).turn()
    slot = desk.one("SELECT status, result, is_fault FROM job_slots")
    assert (slot["status"], slot["is_fault"]) == ("done", True)
    assert "./sirenade delta --since 20" in slot["result"]


def test_the_purge_forgets_old_slots_with_what_was_resolved(engine: Engine, desk: Desk) -> None:
    desk.execute(
        """
        INSERT INTO failed_items (kind, key, code, message, resolved_at)
        SELECT 'write', n::text, 'c', 'm', now() - make_interval(days => n)
        FROM unnest(ARRAY[29, 31]) n
        """
    )
    desk.execute(
        """
        INSERT INTO job_slots (job, slot, status, started_at)
        VALUES ('retry', 'old', 'done', now() - interval '31 days')
        """
    )
    Operator(engine, jobs()["purge"]).turn()
    assert desk.one("SELECT key FROM failed_items") == {"key": "29"}
    told = "deleted: 1 resolved items, 0 reports of readers, 0 page changes, 0 lines of the console"
    assert desk.one("SELECT result FROM job_slots") == {"result": told}


def test_reviews_that_their_site_keeps_no_longer_go_each_day(engine: Engine, desk: Desk) -> None:
    desk.execute(
        """
        INSERT INTO sources (digest, siret, siren, url, licence, author_label, published_on,
          experienced_on, verbatim, site, review_id, verification, counterpart, publication_days,
          retention_days, author_contact, doubt_url)
        SELECT n::text::bytea, '00000000100011', '000000001', 'https://a.example/' || n, 'l', 'A',
          now()::date - n, now()::date - n, 'v', 's', n::text, 'none', false, 1, 30, false, 'd'
        FROM unnest(ARRAY[29, 31, 32]) n
        """
    )
    Operator(engine, jobs()["reviews"]).turn()
    assert desk.one("SELECT review_id FROM sources") == {"review_id": "29"}
    told = "2 reviews deleted that their sites keep no longer"
    assert desk.one("SELECT result FROM job_slots") == {"result": told}


def test_each_day_ends_with_its_statement(engine: Engine, desk: Desk) -> None:
    Operator(engine, jobs()["statement"]).turn()
    assert desk.one("SELECT result FROM job_slots")["result"].startswith("no batch ended on 20")
    desk.execute("DELETE FROM job_slots")
    run = desk.run()
    desk.execute(
        """
        INSERT INTO import_batches (run_id, number, query, departement, status, expected,
          received_distinct, missing_sirets, completed_at)
        VALUES (:run, 1, 'q', '33', 'complete', 3, 3, ARRAY['00000000100001'],
          now() - interval '1 day')
        """,
        run=run,
    )
    Operator(engine, jobs()["statement"]).turn()
    result = desk.one("SELECT status, result, is_fault FROM job_slots")
    assert (result["status"], result["is_fault"]) == ("done", True)
    assert "expected 3, received 3, stored 2, failed items open 0, missing 1" in result["result"]


def test_counters_are_counted_anew_on_sundays_and_what_differs_is_told(
    engine: Engine, desk: Desk, database_url: str
) -> None:
    readers = [make_engine(database_url, application_name="tests-reader", pool_size=1)]
    job = jobs(readers=readers)["reconcile"]
    assert job.schedule.next(NOON).astimezone(FRANCE).strftime("%a %H:%M") == "Sun 02:10"
    run = desk.run()
    batch = desk.execute(
        """
        INSERT INTO import_batches (run_id, number, query, status, inserted)
        VALUES (:run, 1, 'q', 'running', 0) RETURNING id
        """,
        run=run,
    )
    operator = Operator(engine, job)
    operator.turn()
    results = "SELECT result FROM job_slots ORDER BY slot DESC LIMIT 1"
    assert desk.one(results)["result"] == "zero difference, 1 batches compared"
    desk.execute("UPDATE import_batches SET received = 5 WHERE id = :id", id=batch[0]["id"])
    operator.turn(later=timedelta(days=7))
    assert desk.one(results)["result"].startswith("the counters are wrong: ")
    assert desk.one("SELECT count(*) AS n FROM job_slots WHERE is_fault")["n"] == 1
    readers[0].dispose()
