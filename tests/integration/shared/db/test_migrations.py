from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from deploy.local.postgres import RunningPostgres
from shared.db import migrate
from shared.db.engine import make_engine
from shared.db.migrate import UnknownRevision, upgrade
from shared.db.revision import current_revision, head_revision
from shared.db.tables import metadata
from tests.integration.shared.db.definitions import definitions

_DIGEST = """CREATE FUNCTION avis_text_digest(text) RETURNS bytea
    LANGUAGE sql IMMUTABLE AS 'SELECT CAST(NULL AS bytea)'"""


def test_the_migrations_make_exactly_the_tables_of_the_models(database_url: str) -> None:
    engine = make_engine(database_url, application_name="test")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_migrations_make_exactly_the_constraints_and_indexes_of_the_models(
    postgres: RunningPostgres, database_url: str
) -> None:
    """Alembic does not compare checks and conditions of indexes."""
    modelled = postgres.create_database("modelled")
    engine = make_engine(modelled, application_name="test")
    with engine.begin() as connection:
        # The models name this function and do not hold it.
        connection.execute(text(_DIGEST))
    metadata.create_all(engine)
    engine.dispose()
    assert definitions(database_url) == definitions(modelled)
    postgres.drop_database("modelled")


def test_the_revision_that_services_expect_is_the_head_of_the_migrations(
    postgres: RunningPostgres,
) -> None:
    scripts = ScriptDirectory(str(Path(migrate.__file__).with_name("migrations")))
    assert head_revision() == scripts.get_current_head()
    empty = postgres.create_database("empty")
    engine = make_engine(empty, application_name="test")
    with engine.connect() as connection:
        assert current_revision(connection) is None
    engine.dispose()
    postgres.drop_database("empty")


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
