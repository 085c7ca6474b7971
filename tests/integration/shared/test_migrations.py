from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from shared.db.engine import make_engine
from shared.db.migrate import current_revision, head_revision, upgrade
from shared.db.tables import metadata


def test_the_migrations_make_exactly_the_tables_of_the_models(database_url: str) -> None:
    engine = make_engine(database_url, application_name="test")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url) == head_revision()
    engine = make_engine(database_url, application_name="test")
    with engine.connect() as connection:
        assert current_revision(connection) == head_revision()
    engine.dispose()
