"""PostgreSQL's own log and statistics: what they would show, and how a migration prevents it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from deploy.local.postgres import RunningPostgres
from services.operator.__main__ import app
from shared.db import server_copies
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from tests.integration.commands import sirenade_of

_ROLE, _PASSWORD = "plain_owner", "plain"


def _set(postgres: RunningPostgres, url: str, **settings: str) -> None:
    """Give the database settings of its own, as a careless server has them."""
    name = url.rpartition("/")[2]
    with postgres.connect() as connection, connection.cursor() as cursor:
        for setting, value in settings.items():
            cursor.execute(f"ALTER DATABASE {name} SET {setting} = '{value}'")


@pytest.fixture
def owners_url(postgres: RunningPostgres, database_url: str) -> Iterator[str]:
    """Return the URL of the database for its owner, who is no superuser."""
    name = database_url.rpartition("/")[2]
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {_ROLE} LOGIN PASSWORD '{_PASSWORD}'")
        cursor.execute(f"ALTER DATABASE {name} OWNER TO {_ROLE}")
    with postgres.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE %%I OWNER TO %%I', tablename, %s) FROM pg_tables"
            " WHERE schemaname = 'public'",
            (_ROLE,),
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
    yield f"postgresql://{_ROLE}:{_PASSWORD}@127.0.0.1:{postgres.port}/{name}"
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
    with postgres.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute(f"REASSIGN OWNED BY {_ROLE} TO CURRENT_USER")
        cursor.execute(f"DROP OWNED BY {_ROLE}")
        cursor.execute(f"DROP ROLE {_ROLE}")


def test_the_servers_of_demo_and_tests_copy_no_rows(database_url: str) -> None:
    assert server_copies.find_at(database_url) == []


def test_a_migration_silences_the_log_for_its_database(
    postgres: RunningPostgres, database_url: str
) -> None:
    loud = {"log_error_verbosity": "default", "log_min_error_statement": "error"}
    _set(postgres, database_url, **loud)
    told = server_copies.find_at(database_url)
    assert [each for each in told if "quotes people's rows" in each] != []
    upgrade(database_url)
    told = server_copies.find_at(database_url)
    assert [each for each in told if "quotes people's rows" in each] == []
    assert [each for each in told if "killed session" in each] != [], "the server's is not known"


def test_statements_that_are_logged_for_their_time_are_named(
    postgres: RunningPostgres, database_url: str
) -> None:
    _set(postgres, database_url, log_min_duration_statement="500", log_statement="mod")
    told = " ".join(server_copies.find_at(database_url))
    assert "log_min_duration_statement is 500" in told
    assert "log_statement = 'none'" in told


def test_an_owner_without_the_right_migrates_and_is_told(
    postgres: RunningPostgres,
    owners_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _set(postgres, owners_url, log_error_verbosity="default")
    monkeypatch.setenv("SIRENADE_DATABASE_URL", owners_url)
    status, out, err = sirenade_of(app, monkeypatch, capsys)("migrate")
    assert (status, "the schema is at revision" in out) == (0, True)
    assert "ALTER SYSTEM SET log_error_verbosity = 'terse'" in err


@pytest.fixture
def with_statistics(database_url: str) -> Iterator[Engine]:
    """Return a database of which an earlier release let statistics be made."""
    engine = make_engine(database_url, application_name="test")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE unites_legales ALTER nom SET STATISTICS -1")
        connection.exec_driver_sql(
            "INSERT INTO unites_legales (siren, statut_diffusion, nom, content_hash, fetched_at)"
            " SELECT i, 'O', 'ZORGLUB', '', now() FROM generate_series(1, 100) i"
        )
        connection.exec_driver_sql("ANALYZE unites_legales")
        connection.exec_driver_sql("ALTER TABLE unites_legales ALTER nom SET STATISTICS 0")
    yield engine
    engine.dispose()


def test_a_migration_deletes_statistics_of_the_time_before(
    database_url: str, with_statistics: Engine
) -> None:
    del with_statistics
    (told,) = server_copies.find_at(database_url)
    assert "unites_legales.nom" in told
    upgrade(database_url)
    assert server_copies.find_at(database_url) == []


def test_an_owner_who_cannot_delete_statistics_is_told(
    with_statistics: Engine, owners_url: str
) -> None:
    upgrade(owners_url)
    with with_statistics.connect() as connection:
        may = connection.exec_driver_sql("SHOW server_version_num").scalar_one() >= "180000"
    told = [each for each in server_copies.find_at(owners_url) if "statistics" in each]
    assert bool(told) != may
    if told:
        with with_statistics.begin() as connection:
            connection.exec_driver_sql(server_copies.CLEAR_AS_SUPERUSER)
        assert server_copies.find_at(owners_url) == []
