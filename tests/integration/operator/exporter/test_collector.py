"""Totals at /metrics equal the database, and are absent where it does not answer."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Engine, event, text

from services.operator.exporter import families, queries
from services.operator.exporter.collector import DatabaseCollector, LogSizeCollector
from services.operator.monitoring.readings import Reader
from shared.db.engine import make_engine
from tests.integration.exported import exported
from tests.integration.operator.clockwork import load_register
from tests.integration.reviewer.conftest import Register
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

_ALL = (*families.WORK, *families.WHOLE)


@pytest.fixture
def other_url(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, application_name="test", statement_timeout_seconds=1)
    yield engine
    engine.dispose()


def test_an_empty_database_shows_zeros_and_no_date(engine: Engine) -> None:
    value = exported(engine)
    assert value("exporter_up", reading="work") == value("exporter_up", reading="whole") == 1
    assert value("import_rows", outcome="inserted") == 0
    assert value("import_batches", status="running") == 0
    assert value("import_today_rows") == value("import_waiting_pages") == 0
    assert value("avis", kind="notice", outcome="accepted") == 0
    assert value("failed_items_open", kind="review") == 0
    assert value("certificate_gap_establishments", side="missing") == 0
    assert value("unknown_codes", field="activite_principale") == 0
    # These are unknown, and zero would be a lie.
    assert value("freshness_age_seconds", collection="etablissements") is None
    assert value("import_last_order_timestamp_seconds") is None
    assert value("quota_limit_requests") is None
    assert 0 < (value("day_end_timestamp_seconds") or 0) - time.time() <= 25 * 3600


def test_codes_that_no_table_knows_are_counted_for_a_week(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO unknown_codes VALUES ('code_commune', '33998', now()),"
                " ('code_commune', '33999', now() - interval '8 days')"
            )
        )
    value = exported(engine)
    assert value("unknown_codes", field="code_commune") == 1


def test_turns_are_overdue_when_their_day_and_the_next_are_over(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO turns (siret, day)
                SELECT lpad(n::text, 14, '0'), (now() AT TIME ZONE 'Europe/Paris')::date - n
                FROM generate_series(-1, 3) AS n
            """)
        )
    assert exported(engine)("turns_overdue") == 2
    reading = Reader([engine], None).read()
    assert reading.turns_overdue == 2


def test_the_totals_are_those_of_the_import(engine: Engine) -> None:
    desk, records = Desk(engine), Records()
    desk.import_(
        *[records.record(number) for number in range(1, 4)], records.record(4, treated="x")
    )
    desk.batch()
    desk.execute(
        "UPDATE import_batches SET expected = 10 WHERE status = 'running';"
        "INSERT INTO quota (key_fingerprint, requests_per_minute, paused_until)"
        " VALUES ('key', 30, now() + interval '40 s');"
        "INSERT INTO insee_requests (key_fingerprint, granted_at)"
        " VALUES ('key', now()), ('key', now() - interval '2 h')"
    )
    value = exported(engine)
    rows = {name: value("import_rows", outcome=name) for name in ("inserted", "failed")}
    assert rows == {"inserted": 3, "failed": 1}
    assert value("import_batches", status="complete") == 1
    assert value("import_left_today_rows") == value("import_expected_rows") == 10
    assert value("failed_items_open", kind="write") == 1
    assert (value("quota_limit_requests"), value("quota_used_requests")) == (30, 1)
    assert 30 < (value("quota_pause_seconds") or 0) <= 40
    assert value("table_bytes", table="etablissements")


def test_the_rows_of_today_are_those_of_requests_since_midnight_that_count(engine: Engine) -> None:
    desk, records = Desk(engine), Records()
    desk.import_(*[records.record(number) for number in range(1, 4)])
    desk.execute(
        "INSERT INTO insee_requests (id, key_fingerprint, batch_id, page, granted_at)"
        " OVERRIDING SYSTEM VALUE SELECT fetch_id, 'key', batch_id, number, now() FROM import_pages"
    )
    assert exported(engine)("import_today_rows") == 3
    desk.execute("UPDATE insee_requests SET granted_at = now() - interval '25 h'")
    assert exported(engine)("import_today_rows") == 0


def test_a_register_that_nobody_can_refresh_is_told(engine: Engine) -> None:
    desk = Desk(engine)
    assert exported(engine)("freshness_unmeasured") == 0
    run = desk.run()
    desk.execute("UPDATE import_runs SET status = 'running'")
    assert exported(engine)("freshness_unmeasured") == 0
    desk.execute("UPDATE import_runs SET status = 'complete', departements = '{33}'")
    assert exported(engine)("freshness_unmeasured") == 1
    progress = Reader([engine], None).read().progress
    assert progress.stale_because is not None
    assert "./sirenade delta --since 20" in progress.stale_because
    # An import under way will tell.
    desk.execute(
        "INSERT INTO treatment_windows (run_id, collection, treated_until)"
        " VALUES (:run, 'etablissements', now())",
        run=run,
    )
    assert exported(engine)("freshness_unmeasured") == 0
    desk.execute("DELETE FROM treatment_windows")
    load_register(engine)
    assert exported(engine)("freshness_unmeasured") == 0
    assert Reader([engine], None).read().progress.stale_because is None


def test_a_job_that_fails_twice_or_finds_a_fault_is_told_until_it_is_well(engine: Engine) -> None:
    desk = Desk(engine)
    desk.execute("INSERT INTO jobs (job, schedule, next_at) VALUES ('retry', '* * * * *', now())")

    def slot(name: str, status: str, attempts: int = 1, *, is_fault: bool = False) -> float | None:
        desk.execute(
            "INSERT INTO job_slots (job, slot, status, attempts, is_fault)"
            " VALUES ('retry', :slot, :status, :attempts, :is_fault)",
            slot=name,
            status=status,
            attempts=attempts,
            is_fault=is_fault,
        )
        return exported(engine)("job_fault", name="retry")

    assert exported(engine)("job_fault", name="retry") == 0
    assert slot("1", "done") == 0
    assert slot("2", "failed") == 0
    assert slot("3", "failed") == 1
    assert slot("4", "running") == 1
    assert slot("5", "done") == 0
    assert slot("6", "done", is_fault=True) == 1
    assert slot("7", "failed", attempts=2) == 1
    assert slot("8", "done") == 0


def test_texts_are_counted_by_kind_and_outcome(engine: Engine, register: Register) -> None:
    register.add(range(1, 4))
    value = exported(engine)
    assert value("avis", kind="notice", outcome="pending") == 3
    assert value("avis_oldest_published_timestamp_seconds") is None


def test_held_texts_are_told_by_kind_with_the_oldest(engine: Engine) -> None:
    register = Register(engine)
    ids = register.add(range(1, 5))
    value = exported(engine)
    assert (value("avis_held", kind="notice"), value("avis_oldest_held_timestamp_seconds")) == (
        0,
        None,
    )
    register.execute("UPDATE avis SET kind = 'synthese' WHERE id = :id", id=ids[3])
    register.execute(
        "UPDATE avis SET text = 'x', held_because = 'asked', held_at = to_timestamp(1000 * id)"
        " WHERE id <> :id",
        id=ids[0],
    )
    value = exported(engine)
    assert [value("avis_held", kind=kind) for kind in ("notice", "synthese")] == [2, 1]
    assert value("avis_oldest_held_timestamp_seconds") == 1000 * ids[1]
    reading = Reader([engine, engine], None).read()
    assert (reading.held_texts, reading.held_since_seconds) == (6, 1000 * ids[1])


def test_a_sweep_is_told_by_its_last_end_and_before_by_its_beginning(engine: Engine) -> None:
    register = Register(engine)
    value = exported(engine)
    assert (value("sweep_last_end_timestamp_seconds"), value("sweep_made_due_avis")) == (None, 0)
    for began_at in (1000, 2000):
        register.execute(
            "INSERT INTO context_sweeps (began_at, made_due) VALUES (to_timestamp(:began_at), 3)",
            began_at=began_at,
        )
    value = exported(engine)
    assert (value("sweep_last_end_timestamp_seconds"), value("sweep_made_due_avis")) == (1000, 6)
    register.execute("UPDATE context_sweeps SET ended_at = began_at + interval '500 s'")
    assert exported(engine)("sweep_last_end_timestamp_seconds") == 2500
    assert Reader([engine, engine], None).read().swept_at_seconds == 2500


def test_several_databases_are_added_up(engine: Engine) -> None:
    Desk(engine).execute("INSERT INTO dead_letters (queue, message_id, body) VALUES ('q', '1', '')")
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO failed_items (kind, key, code, message) VALUES ('write','k','c','m')")
        )
    value = exported(engine, engine, engine)
    assert value("failed_items_open", kind="write") == 2
    # These come from the control database alone.
    assert value("dead_letters_waiting") == 1
    assert value("avis_oldest_published_timestamp_seconds") is None


def test_a_database_that_is_away_makes_the_numbers_vanish(engine: Engine) -> None:
    gone = make_engine("postgresql://nobody:x@127.0.0.1:1/x", application_name="test")
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(engine, [engine, gone]))
    told = generate_latest(registry).decode()
    assert 'sirenade_exporter_up{reading="work"} 0.0' in told
    assert "sirenade_import_rows" not in told
    assert "sirenade_database_bytes" not in told


def test_a_reading_that_takes_too_long_ends_and_the_others_are_there(
    other_url: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = text("SELECT json_build_object() FROM pg_sleep(9)")
    monkeypatch.setattr(queries, "WHOLE", slow)
    started = time.monotonic()
    value = exported(other_url)
    assert value("exporter_up", reading="whole") == 0
    assert value("exporter_up", reading="work") == 1
    assert value("database_bytes") is None
    assert value("import_rows", outcome="inserted") == 0
    assert time.monotonic() - started < 8


def test_scrapes_in_quick_succession_read_once(engine: Engine) -> None:
    statements: list[str] = []
    event.listen(
        engine, "before_cursor_execute", lambda *args: statements.append(args[2]), named=False
    )
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(engine, [engine]))
    assert statements == [], "registering reads nothing"
    generate_latest(registry)
    after_one = len(statements)
    generate_latest(registry)
    assert len(statements) == after_one == 3


def test_every_family_has_its_number_in_a_query(engine: Engine) -> None:
    told: set[str] = set()
    with engine.connect() as connection:
        for query in (queries.CONTROL, queries.SHARD, queries.WHOLE):
            told |= connection.execute(query).scalar_one().keys()
    assert told == {family.name for family in _ALL}


def test_the_logs_are_as_large_as_their_files(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    registry.register(LogSizeCollector(tmp_path / "logs"))
    assert registry.get_sample_value("sirenade_log_bytes") is None
    (tmp_path / "logs" / "writer").mkdir(parents=True)
    (tmp_path / "logs" / "writer" / "one.jsonl").write_bytes(b"x" * 1000)
    (tmp_path / "logs" / "two.jsonl.gz").write_bytes(b"x" * 24)
    assert registry.get_sample_value("sirenade_log_bytes") == 1024
