"""A drill shows that the newest backup can be restored, and leaves nothing of it behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from deploy.local.postgres import RunningPostgres
from services.writer.restore import loader
from services.writer.restore.scratch import ScratchServer
from shared.db.engine import temporary_engine
from tests.conditions import wait_until
from tests.integration.commands import Sirenade
from tests.integration.exported import exported
from tests.integration.writer.restore.conftest import counts, loaded, url_of
from tests.integration.writer.scene import SIREN, Scene

_ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def scratch(engine: Engine, postgres: RunningPostgres) -> Iterator[list[str]]:
    """Return the names of scratch databases, as they are found when it is read."""
    yield names_of(engine)
    for name in names_of(engine):
        postgres.drop_database(name)


def names_of(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = text("SELECT datname FROM pg_database WHERE datname LIKE :name")
        name = f"{engine.url.database}\\_restore\\_drill\\_%"
        return list(connection.scalars(query, {"name": name}))


def test_a_backup_is_restored_counted_erased_again_and_dropped(
    back_up: Sirenade, sirenade: Sirenade, store: Path, person: Scene, engine: Engine
) -> None:
    del store
    person.fill()
    made = loaded(back_up())
    assert sirenade("forget", SIREN).status == 0
    before = counts(engine)
    answer = sirenade("drill", "--json")
    assert answer.status == 0, answer.err
    assert f"{made['rows']} rows" in loaded(answer)["result"].replace("\u202f", "").replace(
        " ", " "
    )
    assert " 0 erased again" not in loaded(answer)["result"]
    assert names_of(engine) == []
    [row] = person.desk.execute("SELECT * FROM restore_drills")
    assert (row["outcome"], row["rows"], row["backup_id"]) == ("passed", made["rows"], made["id"])
    # Nothing of the live database has changed but that row and the lease.
    changed = {name for name, rows in counts(engine).items() if rows != before[name]}
    assert changed <= {"restore_drills", "leases"}
    value = exported(engine)
    assert value("restore_drill_failed") == 0
    assert value("restore_drill_last_success_timestamp_seconds") is not None
    assert "passed" in sirenade("drill", "--list").out


def test_a_backup_that_is_damaged_fails_the_drill_and_leaves_nothing(
    back_up: Sirenade, sirenade: Sirenade, store: Path, person: Scene, engine: Engine
) -> None:
    person.fill()
    back_up()
    [table] = store.glob("backup=*/0/etablissements")
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    answer = sirenade("drill")
    assert answer.status != 0
    assert names_of(engine) == []
    [row] = person.desk.execute("SELECT outcome, result FROM restore_drills")
    assert row["outcome"] == "failed"
    assert "is damaged" in row["result"]
    assert exported(engine)("restore_drill_failed") == 1


def test_rows_that_are_missing_after_the_restore_fail_the_drill(
    back_up: Sirenade,
    sirenade: Sirenade,
    store: Path,
    person: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del store
    person.fill()
    back_up()
    monkeypatch.setattr(loader, "_ABANDON_LOADS", text("DELETE FROM etablissements"))
    assert sirenade("drill").status != 0
    [row] = person.desk.execute("SELECT outcome, result FROM restore_drills")
    assert row["outcome"] == "failed"
    assert row["result"].startswith("etablissements has 0 rows, the manifest says ")


def test_a_drill_that_was_killed_leaves_its_data_to_the_next_one_alone(
    back_up: Sirenade,
    sirenade: Sirenade,
    store: Path,
    person: Scene,
    engine: Engine,
    scratch: list[str],
) -> None:
    assert scratch == []
    person.fill()
    back_up()
    process = start_drill(engine, store)
    wait_until(lambda: names_of(engine) != [])
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    [left] = names_of(engine)
    with engine.connect() as connection:
        may = text("SELECT has_database_privilege('pg_monitor', :name, 'CONNECT')")
        wait_until(lambda: connection.scalar(may, {"name": left}) is False)
    assert person.desk.one("SELECT outcome FROM restore_drills")["outcome"] is None
    person.desk.execute("UPDATE restore_drills SET began_at = now() - interval '2 days'")
    assert exported(engine)("restore_drill_failed") == 1
    answer = sirenade("drill")
    assert answer.status == 0, answer.err
    assert names_of(engine) == []
    assert exported(engine)("restore_drill_failed") == 0


def test_a_drill_that_is_stopped_drops_what_it_made(
    back_up: Sirenade, store: Path, person: Scene, engine: Engine, scratch: list[str]
) -> None:
    assert scratch == []
    person.fill()
    back_up()
    process = start_drill(engine, store)
    wait_until(lambda: names_of(engine) != [])
    process.terminate()
    process.wait(30)
    assert names_of(engine) == []
    assert person.desk.one("SELECT outcome FROM restore_drills")["outcome"] == "failed"


def test_only_databases_of_drills_are_dropped(engine: Engine, postgres: RunningPostgres) -> None:
    url = url_of(engine)
    name = make_url(url).database
    other = f"{name}_restored"
    postgres.create_database(other)
    server = ScratchServer(url, url)
    made = server.make(1)
    assert make_url(made[0]).database == f"{name}_restore_drill_0"
    with temporary_engine(made[0], application_name="tests") as found, found.connect() as session:
        # A session does not keep it.
        assert session.scalar(text("SELECT 1")) == 1
        assert server.drop() == [f"{name}_restore_drill_0"]
        session.invalidate()
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM pg_database WHERE datname IN (:name, :other)")
        assert connection.scalar(query, {"name": name, "other": other}) == 2
    postgres.drop_database(other)


def start_drill(engine: Engine, store: Path) -> subprocess.Popen[bytes]:
    """Start a drill that comes to no end: each table that it copies takes its time."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.writer.restore.slow_drill"],
        cwd=_ROOT,
        env={
            **os.environ,
            "SIRENADE_DATABASE_URL": url_of(engine),
            "SIRENADE_ARCHIVE_URL": f"file://{store}",
        },
    )
