"""A service that runs is seen; one that does not is named, with the way to start it."""

from sqlalchemy import Engine, text

from shared.db.leases.heartbeats import Heartbeat, find_silent, read_processes
from shared.imports.orders import order_import
from shared.imports.progress import read_progress
from shared.imports.scope import Scope
from shared.terminal.progress_view import one_line


def _execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_a_service_that_beats_is_not_named_and_one_that_ended_is(engine: Engine) -> None:
    heart = Heartbeat(engine, "fetcher", "1.2")
    heart.beat()
    heart.beat()
    with engine.connect() as connection:
        (process,) = read_processes(connection)
        assert (process.service, process.version, process.runs) == ("fetcher", "1.2", True)
        assert find_silent(connection, ["fetcher"]) == []
        (sentence,) = find_silent(connection, ["fetcher", "writer"])
    assert sentence == (
        "no writer has been seen: start one with .venv/bin/python -m services.writer run"
    )
    heart.end()
    with engine.connect() as connection:
        assert len(find_silent(connection, ["fetcher"])) == 1


def test_a_killed_service_is_named_after_two_minutes_and_forgotten_after_a_day(
    engine: Engine,
) -> None:
    Heartbeat(engine, "fetcher", "").beat()
    _execute(engine, "UPDATE service_heartbeats SET beat_at = now() - interval '119 s'")
    with engine.connect() as connection:
        assert find_silent(connection, ["fetcher"]) == []
    _execute(engine, "UPDATE service_heartbeats SET beat_at = now() - interval '125 s'")
    with engine.connect() as connection:
        (sentence,) = find_silent(connection, ["fetcher"])
    assert sentence.startswith("no fetcher has been seen for 0:02:05: start one with")
    _execute(engine, "UPDATE service_heartbeats SET beat_at = now() - interval '25 h'")
    Heartbeat(engine, "writer", "").beat()
    with engine.connect() as connection:
        assert [each.service for each in read_processes(connection)] == ["writer"]


def test_only_services_with_work_are_missed(engine: Engine) -> None:
    with engine.begin() as connection:
        assert read_progress(connection).silent == []
        order_import(connection, Scope(departements=["33"]))
        progress = read_progress(connection)
    assert [line.split()[1] for line in progress.silent] == ["fetcher", "writer"]
    assert "no fetcher has been seen" in one_line(progress)
    _execute(engine, "UPDATE import_runs SET halted_at = now(), halted_by = 'a',"
                     " halted_because = 'b'")  # fmt: skip
    with engine.begin() as connection:
        assert read_progress(connection).silent == []
