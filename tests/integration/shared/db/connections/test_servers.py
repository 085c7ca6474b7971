"""A URL of several PostgreSQL servers: a primary and the standby that follows it."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from deploy.local import processes
from deploy.local.postgres import SUPERUSER, RunningPostgres, start_postgres
from shared.db.connections import servers, timelines
from shared.db.engine import make_engine
from shared.db.outages import Blame, blamed
from tests.conditions import wait_until
from tests.servers.postgres_standby import hung, promote, start_standby, url_of

MakeEngine = Callable[..., Engine]


class Pair:
    """A primary and its standby, both private; each may end before its test does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.primary = start_postgres(folder / "one", name="one", end_with_parent=True)
        self.standby = start_standby(self.primary, folder / "two")

    @property
    def both(self) -> tuple[RunningPostgres, RunningPostgres]:
        return self.primary, self.standby

    def end(self) -> None:
        for server in self.both:
            processes.kill_all(processes.with_children(server.pid))
            processes.reap(server.process)


@pytest.fixture
def pair(servers_directory: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    pair = Pair(servers_directory / request.node.name[:40])
    yield pair
    pair.end()


@pytest.fixture
def new_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Forget, as a new process does, which timelines were seen."""

    def forget() -> None:
        fresh = timelines._Seen()
        monkeypatch.setattr(timelines, "seen", fresh)
        monkeypatch.setattr(servers, "seen", fresh)

    return forget


@pytest.fixture
def make() -> Iterator[MakeEngine]:
    made = []

    def make_one(url: str) -> Engine:
        made.append(engine := make_engine(url, application_name="tests"))
        return engine

    yield make_one
    for engine in made:
        engine.dispose()


def _port(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT inet_server_port()")) or 0)


@pytest.mark.timeout(120)
def test_both_spellings_lead_to_the_server_that_takes_writes(pair: Pair, make: MakeEngine) -> None:
    login = f"{SUPERUSER}:{quote(pair.primary.password, safe='')}"
    ports = f"{pair.standby.port},{pair.primary.port}"
    urls = [
        url_of(pair.both, SUPERUSER),
        url_of(pair.both[::-1], SUPERUSER, "?target_session_attrs=read-write"),
        f"postgresql://{login}@/{SUPERUSER}?host=127.0.0.1,127.0.0.1&port={ports}",
        # The name of a node is gone with the node, as in containers.
        f"postgresql://{login}@gone.invalid:1,127.0.0.1:{pair.primary.port}/{SUPERUSER}",
    ]
    for url in urls:
        for _ in range(3):
            engine = make(url)
            assert _port(engine) == pair.primary.port
            engine.dispose()
    standby = make(url_of(pair.both, SUPERUSER, "?target_session_attrs=standby"))
    assert _port(standby) == pair.standby.port


@pytest.mark.timeout(120)
def test_work_goes_on_at_the_promoted_standby_also_where_the_old_primary_hangs(
    pair: Pair, make: MakeEngine
) -> None:
    engine = make(url_of(pair.both, SUPERUSER))
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        with hung(pair.primary):
            promote(pair.standby)
            begun = time.monotonic()
            with pytest.raises(Exception, match="closed") as lost:
                connection.execute(text("SELECT 2"))
            assert blamed(lost.value) is Blame.SERVER
            connection.invalidate()
            assert _port(engine) == pair.standby.port
            assert time.monotonic() - begun < 20


@pytest.mark.timeout(180)
def test_an_old_primary_that_takes_writes_again_is_refused(
    pair: Pair, make: MakeEngine, new_process: Callable[[], None]
) -> None:
    first = make(url_of(pair.both, SUPERUSER))
    assert _port(first) == pair.primary.port
    pair.primary.kill()
    promote(pair.standby)
    wait_until(lambda: _reaches(first, pair.standby.port))
    pair.primary = start_postgres(pair.folder / "one", name="one", end_with_parent=True)
    for _ in range(6):  # in random order
        first.dispose()
        assert _port(first) == pair.standby.port
    new_process()
    for _ in range(6):
        assert _port(make(url_of(pair.both, SUPERUSER))) == pair.standby.port
    alone = make(url_of([pair.primary], SUPERUSER))
    with pytest.raises(psycopg2.OperationalError, match="old primary, stop it") as refused:
        alone.raw_connection()
    assert blamed(refused.value) is Blame.SERVER
    os.kill(pair.standby.pid, signal.SIGINT)
    processes.wait_until_gone([pair.standby.pid], seconds=30)
    first.dispose()
    with pytest.raises(psycopg2.OperationalError, match="timeline 1, and timeline 2 was seen"):
        first.raw_connection()


def _reaches(engine: Engine, port: int) -> bool:
    with contextlib.suppress(OperationalError, psycopg2.OperationalError):
        return _port(engine) == port
    return False
