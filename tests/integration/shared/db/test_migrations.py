import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from deploy.local.postgres import RunningPostgres
from shared.db.engine import make_engine
from shared.db.migrate import UnknownRevision, current_revision, head_revision, upgrade
from shared.db.tables import metadata


def test_the_migrations_make_exactly_the_tables_of_the_models(database_url: str) -> None:
    engine = make_engine(database_url, application_name="test")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


_DEFINITIONS = text("""
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
""")


def test_the_migrations_make_exactly_the_constraints_and_indexes_of_the_models(
    postgres: RunningPostgres, database_url: str
) -> None:
    """What alembic does not compare: checks, conditions of indexes."""

    def definitions(url: str) -> set[str]:
        engine = make_engine(url, application_name="test")
        with engine.connect() as connection:
            found = set(connection.execute(_DEFINITIONS).scalars())
        engine.dispose()
        return {each for each in found if "alembic_version" not in each}

    modelled = postgres.create_database("modelled")
    engine = make_engine(modelled, application_name="test")
    metadata.create_all(engine)
    engine.dispose()
    assert definitions(database_url) == definitions(modelled)
    postgres.drop_database("modelled")


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url) == head_revision()
    engine = make_engine(database_url, application_name="test")
    with engine.connect() as connection:
        assert current_revision(connection) == head_revision()
    engine.dispose()


def test_a_schema_of_a_version_to_come_is_left_alone_and_named(database_url: str) -> None:
    engine = make_engine(database_url, application_name="test")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(UnknownRevision, match="9999"):
        upgrade(database_url)
