"""Copies of a register: an empty one, and a complete one."""

from collections.abc import Iterator

import pytest

from deploy.local.postgres import RunningPostgres
from services.simulator.gateway.server import RunningServer
from shared.db.engine import make_engine
from tests.integration.fetcher.conftest import (
    Insee,
    MakeFetcher,
    StartInsee,
    build_fetcher,
    simulated,
)
from tests.integration.fetcher.register_copy import FIRST_DAY, Copy, both

ESTABLISHMENTS = 250


@pytest.fixture
def copy(start_insee: StartInsee, make_fetcher: MakeFetcher) -> Copy:
    """A copy into which nothing is imported yet."""
    insee = start_insee(establishments=ESTABLISHMENTS)
    return Copy(insee, make_fetcher(insee))


@pytest.fixture(scope="session")
def imported_template(postgres: RunningPostgres, migrated_template: str) -> str:
    """Import everything once; return the name of the database, to be cloned."""
    name = "delta_template"
    url = postgres.create_database(name, template=migrated_template)
    engine = make_engine(url, application_name="test-fetcher", pool_size=4)
    server = RunningServer(simulated(establishments=ESTABLISHMENTS))
    insee = Insee(server.root)
    copy = Copy(insee, build_fetcher(engine, insee))
    copy.import_everything()
    assert copy.watermarks() == both(FIRST_DAY)
    server.stop()
    engine.dispose()
    return name


@pytest.fixture
def full(
    postgres: RunningPostgres, imported_template: str, start_insee: StartInsee
) -> Iterator[Copy]:
    """A complete copy, whose watermarks stand at the first day."""
    url = postgres.create_database("delta", template=imported_template)
    engine = make_engine(url, application_name="test-fetcher", pool_size=8)
    insee = start_insee(establishments=ESTABLISHMENTS)
    yield Copy(insee, build_fetcher(engine, insee))
    engine.dispose()
    postgres.drop_database("delta")
