"""`./sirenade roles`: the printed SQL makes what `--apply` makes, and no password is told."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pika
import psycopg2
import pytest
from sqlalchemy import make_url

from deploy.local.postgres import RunningPostgres
from services.operator.__main__ import app
from shared.db.migrate import upgrade
from shared.roles.broker_users import BROKER_USERS
from shared.roles.privileges import ROLES
from tests.integration.commands import Sirenade, sirenade_of
from tests.role_logins import OWNERS, PRIVILEGES_OF_ALL, RoleLogins, listed
from tests.servers.rabbitmq_admin import RabbitmqServer

_ROOT = Path(__file__).resolve().parents[4]
_KILLED = """
import os, sys
from services.operator.__main__ import app
from services.operator.roles.management import ManagementApi
from shared.terminal.cli import run
ManagementApi.make = lambda *_: os.kill(os.getpid(), 9)
sys.argv = ["sirenade", "roles", "--apply"]
run(app, name="sirenade")
"""
_PASSWORD = "a-password-that-nobody-prints"


@pytest.fixture
def sirenade(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sirenade:
    return sirenade_of(app, monkeypatch, capsys)


@pytest.fixture
def made_by_command(shard_urls: tuple[str, ...]) -> Iterator[RoleLogins]:
    """Roles that the test makes."""
    logins = RoleLogins("bycommand_", *shard_urls)
    yield logins
    logins.drop()


@pytest.mark.one_role
def test_what_is_printed_makes_the_roles_and_migrate_the_rest(
    sirenade: Sirenade,
    made_by_command: RoleLogins,
    role_logins: RoleLogins,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIRENADE_ROLE_PREFIX", made_by_command.prefix)
    [url] = made_by_command.urls
    expected = [
        line.replace(role_logins.prefix, made_by_command.prefix)
        for line in listed(url, PRIVILEGES_OF_ALL)
    ]
    printed = sirenade("roles")
    assert printed.status == 0
    connection = psycopg2.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    for _ in range(2):
        with connection, connection.cursor() as cursor:
            cursor.execute(printed.out)
    connection.close()
    assert listed(url, OWNERS) == [f"{made_by_command.prefix}migrate"]
    upgrade(url)
    own = [line for line in listed(url, PRIVILEGES_OF_ALL) if made_by_command.prefix in line]
    assert sorted(own) == sorted(expected)


@pytest.mark.parametrize("shard_urls", [1, 2], indirect=True)
def test_roles_are_made_in_every_database_with_passwords_from_files(
    sirenade: Sirenade,
    made_by_command: RoleLogins,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", made_by_command.urls[0])
    monkeypatch.setenv("SIRENADE_SHARD_DATABASE_URLS", ",".join(made_by_command.urls))
    monkeypatch.setenv("SIRENADE_ROLE_PREFIX", made_by_command.prefix)
    (tmp_path / "password").write_text(f"{_PASSWORD}\n")
    for role in set(ROLES) - {"reader"}:
        name = f"SIRENADE_{role.upper()}_PASSWORD_FILE"
        monkeypatch.setenv(name, str(tmp_path / "password"))
    for _ in range(2):
        made = sirenade("roles", "--apply")
        assert made.status == 0, made.err
        assert _PASSWORD not in made.out + made.err
    assert "all were there" in made.out
    for url in made_by_command.urls:
        assert listed(url, OWNERS) == [f"{made_by_command.prefix}migrate"]
        login = make_url(url).set(
            username=f"{made_by_command.prefix}writer", password=_PASSWORD, drivername="postgresql"
        )
        psycopg2.connect(login.render_as_string(hide_password=False)).close()


def test_a_command_killed_between_both_servers_is_given_again(
    sirenade: Sirenade,
    made_by_command: RoleLogins,
    rabbitmq: RabbitmqServer,
    rabbitmq_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "password").write_text(f"{_PASSWORD}\n")
    [url] = made_by_command.urls
    for name, value in {
        "DATABASE_URL": url,
        "BROKER_URL": rabbitmq_url,
        "MONITOR_RABBITMQ_URL": rabbitmq.admin.base_url,
        "ROLE_PREFIX": made_by_command.prefix,
        **{f"{role.upper()}_PASSWORD_FILE": str(tmp_path / "password") for role in ROLES},
    }.items():
        monkeypatch.setenv(f"SIRENADE_{name}", value)
    killed = subprocess.run([sys.executable, "-c", _KILLED], cwd=_ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert listed(url, OWNERS) == [f"{made_by_command.prefix}migrate"]
    again = sirenade("roles", "--apply")
    assert again.status == 0, again.err
    assert "all were there" in again.out
    broker = urlsplit(rabbitmq_url)
    place = broker.netloc.rpartition("@")[2]
    for name in BROKER_USERS:
        login = f"{made_by_command.prefix}{name}:{_PASSWORD}@{place}"
        pika.BlockingConnection(pika.URLParameters(broker._replace(netloc=login).geturl())).close()


def test_a_role_without_a_password_is_named(
    sirenade: Sirenade, made_by_command: RoleLogins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", made_by_command.urls[0])
    monkeypatch.setenv("SIRENADE_ROLE_PREFIX", made_by_command.prefix)
    made = sirenade("roles", "--apply")
    assert "bycommand_reader has no password yet: SIRENADE_READER_PASSWORD_FILE" in made.out


def test_an_administrator_who_is_no_superuser_makes_them(
    sirenade: Sirenade,
    made_by_command: RoleLogins,
    postgres: RunningPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The administrator of a managed server makes roles and databases, and owns this one."""
    [url] = made_by_command.urls
    database = make_url(url).database
    with postgres.connect() as superuser, superuser.cursor() as cursor:
        cursor.execute("CREATE ROLE managing LOGIN CREATEROLE CREATEDB PASSWORD 'x'")
        cursor.execute("GRANT pg_monitor TO managing WITH ADMIN OPTION")
        cursor.execute(f"ALTER DATABASE {database} OWNER TO managing")
    with postgres.connect(str(database)) as superuser, superuser.cursor() as cursor:
        cursor.execute(
            """DO $$ DECLARE each regclass; named regprocedure; BEGIN
              FOR each IN SELECT oid FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
              LOOP EXECUTE format('ALTER TABLE %s OWNER TO managing', each); END LOOP;
              FOR named IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace
              LOOP EXECUTE format('ALTER FUNCTION %s OWNER TO managing', named); END LOOP;
            END $$"""
        )
    admin = make_url(url).set(username="managing", password="x")
    monkeypatch.setenv("SIRENADE_DATABASE_URL", admin.render_as_string(hide_password=False))
    monkeypatch.setenv("SIRENADE_ROLE_PREFIX", made_by_command.prefix)
    try:
        made = sirenade("roles", "--apply")
        assert made.status == 0, made.err
        assert listed(url, OWNERS) == [f"{made_by_command.prefix}migrate"]
        assert len(listed(url, PRIVILEGES_OF_ALL)) > 300
    finally:
        made_by_command.drop()
        with postgres.connect(str(database)) as superuser, superuser.cursor() as cursor:
            cursor.execute("REASSIGN OWNED BY managing TO CURRENT_USER")
            cursor.execute("DROP OWNED BY managing")
            cursor.execute("DROP ROLE managing")


def test_a_prefix_that_is_no_name_is_refused(
    sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRENADE_ROLE_PREFIX", "x; DROP TABLE avis;")
    answer = sirenade("roles")
    assert answer.status == 2
    assert "SIRENADE_ROLE_PREFIX" in answer.err
    assert answer.out == ""
