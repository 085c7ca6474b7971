"""A database of each earlier release is migrated to this one, and loses no row."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy.local.postgres import RunningPostgres
from shared.db.engine import make_engine
from shared.db.migrate import RELEASE_HEAD, UnknownRevision, give_up_way_back, upgrade
from shared.db.revision import current_revision, head_revision, require_current
from shared.db.tables import metadata
from tests.integration.shared.db.definitions import definitions
from tests.integration.writer.desk import Desk
from tests.integration.writer.trade_sums import kept, real

_RELEASES = Path(__file__).parents[3] / "fixtures" / "releases"
_DUMPS = sorted(_RELEASES.glob("*.sql.gz"))
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


@pytest.fixture(params=_DUMPS, ids=lambda dump: dump.name)
def released(request: pytest.FixtureRequest, postgres: RunningPostgres) -> Iterator[str]:
    """The URL of a database as a release left it."""
    url = postgres.create_database("released")
    engine = make_engine(url, application_name="test")
    with engine.begin() as connection:
        connection.exec_driver_sql(gzip.decompress(request.param.read_bytes()).decode())
    engine.dispose()
    yield url
    postgres.drop_database("released")


def rows_by_table(url: str) -> dict[str, int]:
    engine = make_engine(url, application_name="test")
    with engine.connect() as connection:
        names = connection.execute(_TABLES).scalars().all()
        counts = {
            name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
            for name in names
        }
    engine.dispose()
    return counts


def test_a_release_is_migrated_to_the_tables_of_the_models_and_loses_no_row(
    released: str, database_url: str
) -> None:
    before = rows_by_table(released)
    assert all(before.values())
    assert upgrade(released) == head_revision()
    after = rows_by_table(released)
    assert {name: after[name] for name in before} == before
    assert set(after) - {"alembic_version"} == set(metadata.tables)
    assert give_up_way_back(released) is True
    assert definitions(released) == definitions(database_url)


def test_the_trades_of_a_released_register_are_counted(released: str) -> None:
    upgrade(released)
    engine = make_engine(released, application_name="test")
    desk = Desk(engine)
    assert desk.number("trade_counts") == len(real(desk)) > 0
    assert kept(desk) == real(desk)
    engine.dispose()


def test_the_code_of_the_release_finds_its_own_revision_until_the_way_back_is_given_up(
    released: str,
) -> None:
    """It starts only where `version_num` is its head, and its `migrate` then does nothing."""
    engine = make_engine(released, application_name="test")

    def read() -> tuple[str | None, str]:
        with engine.connect() as connection:
            shown = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return current_revision(connection), str(shown)

    for _ in range(2):
        assert upgrade(released) == head_revision()
        assert read() == (head_revision(), RELEASE_HEAD)
    with engine.connect() as connection:
        require_current(connection)
    assert give_up_way_back(released) is True
    assert give_up_way_back(released) is False
    assert read() == (head_revision(), head_revision())
    assert upgrade(released) == head_revision()
    assert read() == (head_revision(), head_revision())
    engine.dispose()


def test_a_schema_older_than_the_first_release_is_refused_in_one_line_and_left_alone(
    database_url: str,
) -> None:
    engine = make_engine(database_url, application_name="test")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0012'"))
    with pytest.raises(UnknownRevision, match=r"0012, older than release 1\.0\.0") as refused:
        upgrade(database_url)
    assert len(str(refused.value).splitlines()) == 1
    with engine.connect() as connection:
        assert current_revision(connection) == "0012"
    engine.dispose()
