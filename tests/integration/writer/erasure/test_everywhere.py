"""After `forget` a person is nowhere: in no table, dump, statistic, log or file of the server."""

import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from sqlalchemy import Engine, text

from deploy.local.postgres import RunningPostgres
from deploy.local.postgres_binaries import binaries_for
from deploy.local.processes import server_account
from services.writer.erasure.staged import StagedRows, clear_staged
from services.writer.stock import command
from shared.db.personal_columns import STAGING
from tests.integration.commands import Sirenade
from tests.integration.writer.desk import Desk
from tests.integration.writer.scene import LATER, SIREN, WORDS, Scene
from tests.integration.writer.slow_copy import SLOW, end_copy
from tests.integration.writer.stock import stoppable_load
from tests.integration.writer.stock.conftest import Stock
from tests.integration.writer.whole_database import places_of
from tests.system.conftest import ROOT, wait_for

_WORDS = (*WORDS, "zorglub", "hermeline")
_NAME = "ZORGLUB"
_IS_STAGED = "SELECT count(*) AS n FROM stock_loads WHERE status = 'staged'"
_STATISTICS = text("""
    SELECT tablename || '.' || attname FROM pg_stats s
    WHERE schemaname = 'public' AND CAST(s.* AS text) ~* :words
""")
LeaveStaged = Callable[..., None]


@pytest.fixture
def stock(database_url: str, tmp_path: Path) -> Stock:
    return Stock(database_url, tmp_path)


@pytest.fixture
def leave_staged(database_url: str, desk: Desk) -> Iterator[LeaveStaged]:
    """Stages the files in a process that is killed with -9 before it stores them."""
    started: list[subprocess.Popen[bytes]] = []

    def leave(*places: str) -> None:
        for place in places:
            command = [sys.executable, "-m", stoppable_load.__name__, database_url, "--hold", place]
            process = subprocess.Popen(command, cwd=ROOT)
            started.append(process)
            before = desk.one(_IS_STAGED)["n"]
            wait_for(
                lambda: desk.one(_IS_STAGED)["n"] > before,  # noqa: B023  called in this turn
                seconds=40,
                what="the staged rows",
            )
            process.kill()
            process.wait(timeout=10)
            wait_for(lambda: _is_gone(desk), seconds=20, what="its sessions to end")

    yield leave
    for process in started:
        process.kill()
        process.wait(timeout=10)


def _is_gone(desk: Desk) -> bool:
    sessions = desk.one(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'sirenade-stock'"
        " AND datname = current_database()"
    )
    return bool(sessions["n"] == 0)


def _found(shown: str) -> list[str]:
    return [line for line in shown.splitlines() if any(word in line for word in _WORDS)]


def _statistics_of(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("ANALYZE")
        return list(connection.scalars(_STATISTICS, {"words": "|".join(_WORDS)}))


def _fail_with_rows(engine: Engine) -> None:
    """Let statements of the person's rows fail in each way in which a server quotes them."""
    for failing in (
        "INSERT INTO page_redirects (slug, siret) VALUES (%(name)s, '1')",
        "SELECT %(name)s, 1 / 0",
        "DO $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = 'of ZORGLUB', HINT = 'ZORGLUB'; END $$",
    ):
        with suppress(psycopg2.Error), _cursor(engine) as cursor:
            cursor.execute(failing, {"name": _NAME} if "%(name)s" in failing else None)
    with suppress(psycopg2.Error), _cursor(engine) as cursor:
        cursor.copy_expert("COPY unites_legales (siren, nom) FROM STDIN", StringIO(f"1\t{_NAME}\n"))
    with _cursor(engine) as cursor:
        cursor.execute(f"CREATE TABLE slow (nom text CHECK ({SLOW}))")
        cursor.connection.commit()
        with ThreadPoolExecutor() as threads:
            ended = threads.submit(end_copy, engine)
            with suppress(psycopg2.Error):
                cursor.copy_expert("COPY slow FROM STDIN", StringIO(f"{_NAME}\n"))
            ended.result()


@contextmanager
def _cursor(engine: Engine) -> Iterator[Any]:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        yield driver.cursor()
        connection.invalidate()


def _files_with_words(folder: Path) -> list[str]:
    words = [word.encode() for word in _WORDS if len(word) > 5]
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(word in path.read_bytes() for word in words)
    ]


@pytest.mark.one_role
def test_a_forgotten_person_is_nowhere(
    person: Scene,
    stock: Stock,
    leave_staged: LeaveStaged,
    sirenade: Sirenade,
    postgres: RunningPostgres,
    log_since: Callable[[], str],
) -> None:
    desk = person.desk
    person.fill()
    leave_staged(*stock.write(person.clear(1), person.clear(2), person.bystander()))
    assert {place.partition(".")[0] for place in places_of(desk.engine, *_WORDS)} >= {*STAGING}
    assert _statistics_of(desk.engine) == []
    _fail_with_rows(desk.engine)
    status, out, _ = sirenade("forget", SIREN)
    assert (status, all(table in out for table in STAGING)) == (0, True)
    assert places_of(desk.engine, *_WORDS) == []
    assert "stock_etablissements.enseigne1" in places_of(desk.engine, "AU PASSANT")
    assert _found(_dump(desk)) == []
    assert _statistics_of(desk.engine) == []
    assert "division by zero" in log_since()
    assert "terminating connection" in log_since()
    assert _found(log_since()) == []
    with desk.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in ("VACUUM FULL", "CHECKPOINT"):
            connection.exec_driver_sql(statement)
        oid = connection.exec_driver_sql(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).scalar_one()
    data = postgres.directory / "data"
    assert _files_with_words(data / "base" / str(oid)) == []
    assert _files_with_words(data / "global") == []
    stock.load(*map(str, sorted(stock.folder.glob("*.csv"))))
    assert places_of(desk.engine, *_WORDS) == []


def _dump(desk: Desk) -> str:
    url = desk.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    tool = binaries_for(server_account()) / "pg_dump"
    done = subprocess.run([str(tool), url], capture_output=True, text=True, check=True)
    assert "AU PASSANT" in done.stdout
    return done.stdout


def test_what_insee_masks_after_a_load_was_killed_is_cleared_by_a_writer(
    person: Scene, stock: Stock, leave_staged: LeaveStaged
) -> None:
    desk = person.desk
    desk.import_(person.clear(1), person.clear(2), person.bystander(), sole_traders=True)
    leave_staged(*stock.write(person.clear(1), person.clear(2), person.bystander()))
    assert clear_staged(desk.engine) == {}
    person.turn(person.masked(1), person.masked(2))
    StagedRows([desk.engine]).step()
    assert places_of(desk.engine, *_WORDS) == []
    assert "stock_etablissements.enseigne1" in places_of(desk.engine, "AU PASSANT")
    assert clear_staged(desk.engine) == {}


def test_a_unit_that_insee_showed_again_stays_in_what_is_staged(
    person: Scene, stock: Stock, leave_staged: LeaveStaged
) -> None:
    desk = person.desk
    desk.import_(person.clear(1), sole_traders=True)
    person.turn(person.masked(1))
    shown = person.clear(1, treated="2026-03-01T00:00:00")
    desk.import_(shown, fetched_at=LATER + dt.timedelta(days=1), sole_traders=True)
    leave_staged(*stock.write(shown, person.bystander()))
    assert clear_staged(desk.engine) == {}
    assert "stock_unites_legales.nom" in places_of(desk.engine, _NAME)


def test_rows_of_a_load_that_runs_are_left_to_it(
    person: Scene, stock: Stock, leave_staged: LeaveStaged, desk: Desk, database_url: str
) -> None:
    leave_staged(*stock.write(person.clear(1), person.bystander()))
    with command._exclusive(database_url):
        assert clear_staged(desk.engine, [SIREN]) == {}
