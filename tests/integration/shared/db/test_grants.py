"""Roles made in a database, their privileges renewed by each migration."""

import pytest
from sqlalchemy import Engine, create_engine, text

from deploy.local.postgres import RunningPostgres
from shared.db.engine import make_engine
from shared.db.grants import apply_roles, is_superuser, prefix_of
from shared.db.migrate import upgrade
from shared.errors import UserError
from shared.roles.privileges import FUNCTIONS, PRIVILEGES
from tests.role_logins import OWNERS, PRIVILEGES_OF_ALL, RoleLogins, do, listed


def test_every_relation_and_function_of_the_schema_is_in_the_table(database_url: str) -> None:
    relations = listed(
        database_url,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'v')",
    )
    functions = listed(
        database_url,
        "SELECT proname || '(' || oidvectortypes(proargtypes) || ')' FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace",
    )
    assert {table for tables in PRIVILEGES.values() for table in tables} == set(relations)
    assert set(FUNCTIONS) == set(functions)


def test_making_the_roles_again_changes_nothing(role_logins: RoleLogins) -> None:
    [url] = role_logins.urls
    before = listed(url, PRIVILEGES_OF_ALL)
    assert len(before) > 300
    assert role_logins.apply() == []
    assert listed(url, PRIVILEGES_OF_ALL) == before
    assert listed(url, OWNERS) == [f"{role_logins.prefix}migrate"]


@pytest.mark.parametrize("as_whom", ["owner", "superuser"])
def test_a_migration_gives_the_roles_their_privileges_and_takes_others(
    role_logins: RoleLogins, as_whom: str
) -> None:
    [url] = role_logins.urls
    before = listed(url, PRIVILEGES_OF_ALL)
    writer = f"{role_logins.prefix}writer"
    do(
        url,
        f"REVOKE ALL ON etablissements FROM {writer}",
        f"GRANT DELETE ON review_budget TO {writer}",
        "UPDATE alembic_version SET version_num = version_num",
    )
    assert listed(url, PRIVILEGES_OF_ALL) != before
    upgrade(role_logins.url("migrate") if as_whom == "owner" else url)
    assert listed(url, PRIVILEGES_OF_ALL) == before


@pytest.mark.one_role
def test_what_a_superuser_migrates_is_the_owners(
    postgres: RunningPostgres, role_logins: RoleLogins
) -> None:
    [url] = role_logins.urls
    empty = postgres.create_database(f"{role_logins.prefix}empty")
    try:
        engine = create_engine(empty)
        with engine.begin() as connection:
            assert apply_roles(connection, role_logins.prefix, {}) == []
        engine.dispose()
        upgrade(empty)
        assert listed(empty, OWNERS) == [f"{role_logins.prefix}migrate"]
        assert listed(empty, PRIVILEGES_OF_ALL) == listed(url, PRIVILEGES_OF_ALL)
    finally:
        postgres.drop_database(f"{role_logins.prefix}empty")


def test_no_other_role_migrates(role_logins: RoleLogins) -> None:
    with pytest.raises(UserError, match=f"belongs to {role_logins.prefix}migrate"):
        upgrade(role_logins.url("operator"))


@pytest.mark.one_role
def test_a_database_without_roles_stays_without(database_url: str) -> None:
    engine = make_engine(database_url, application_name="test")
    with engine.connect() as connection:
        assert prefix_of(connection) is None
        assert is_superuser(connection)
    upgrade(database_url)
    engine.dispose()
    assert listed(database_url, PRIVILEGES_OF_ALL) == []


def test_a_superuser_is_no_role_of_a_service(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE risky_writer SUPERUSER"))
        with pytest.raises(UserError, match="risky_writer is a superuser"):
            apply_roles(connection, "risky_", {})
        connection.rollback()


def test_no_password_is_sent_in_clear(role_logins: RoleLogins) -> None:
    stored = listed(
        role_logins.urls[0],
        f"SELECT rolpassword FROM pg_authid WHERE rolname LIKE '{role_logins.prefix}%'",
    )
    assert len(stored) == len(PRIVILEGES)
    assert all(each.startswith("SCRAM-SHA-256$") for each in stored)


@pytest.mark.one_role
def test_the_twin_of_an_interrupted_load_keeps_the_privileges_of_its_table(
    role_logins: RoleLogins,
) -> None:
    [url] = role_logins.urls
    owner = role_logins.url("migrate")
    do(owner, "CREATE TABLE stock_etablissements (LIKE etablissements)")
    upgrade(owner)
    granted = listed(url, PRIVILEGES_OF_ALL)
    of_table = [line for line in granted if line.startswith(("etablissements ", "etablissements."))]
    assert of_table
    assert {f"stock_{line}" for line in of_table} <= set(granted)
