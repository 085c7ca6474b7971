"""Connections to a server that hangs, and to one that is gone without a word."""

import io
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import OperationalError

from shared.db.connections import deadlines
from shared.db.connections.deadlines import lift_limit
from shared.db.connections.parameters import LOST_AFTER_SECONDS
from shared.db.engine import make_engine
from shared.db.outages import Blame, blamed
from tests.proxy import Proxy, proxy_before


@pytest.fixture
def proxy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setattr(deadlines, "GRACE_SECONDS", 0.5)
    url = make_url(database_url)
    with proxy_before(url.host or "127.0.0.1", url.port or 5432) as proxy:
        yield proxy


@pytest.fixture
def engine(database_url: str, proxy: Proxy) -> Iterator[Engine]:
    url = make_url(database_url).set(host="127.0.0.1", port=proxy.port)
    through = url.render_as_string(hide_password=False)
    engine = make_engine(through, application_name="tests", statement_timeout_seconds=1)
    yield engine
    engine.dispose()


def _execute(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))


def _commit(connection: Connection) -> None:
    connection.commit()


def _copy(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.copy_expert("COPY leases FROM STDIN", io.StringIO(""))


def _freeze_before(work: Callable[[Connection], None], engine: Engine, proxy: Proxy) -> None:
    with engine.connect() as connection:
        connection.execute(text("CREATE TEMP TABLE held ()"))
        proxy.frozen.set()
        work(connection)


@pytest.mark.parametrize("work", [_execute, _commit, _copy], ids=["statement", "commit", "COPY"])
def test_a_server_that_hangs_is_given_up_as_an_outage(
    proxy: Proxy, engine: Engine, work: Callable[[Connection], None]
) -> None:
    begun = time.monotonic()
    with pytest.raises(Exception, match="closed") as raised:
        _freeze_before(work, engine, proxy)
    assert time.monotonic() - begun < 5
    assert blamed(raised.value) is Blame.SERVER
    proxy.frozen.clear()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_statement_in_time_is_left_alone_and_a_slow_one_is_the_server_s_to_end(
    engine: Engine,
) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_sleep(0.9)"))
        with pytest.raises(OperationalError) as raised:
            connection.execute(text("SELECT pg_sleep(5)"))
    assert blamed(raised.value) is Blame.MOMENT


def test_work_without_a_limit_has_none_here_either_until_it_ends(engine: Engine) -> None:
    with engine.begin() as connection:
        lift_limit(connection)
        connection.execute(text("SELECT pg_sleep(2.5)"))
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.execute(text("SELECT pg_sleep(2.5)"))


def test_both_ends_notice_within_a_minute_that_the_other_is_gone(database_url: str) -> None:
    engine = make_engine(database_url, application_name="tests")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        own = socket.socket(fileno=driver.fileno())
        try:
            idle, interval, count, unsent = (
                own.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            )
        finally:
            own.detach()
        assert idle + interval * count == LOST_AFTER_SECONDS == unsent / 1000 <= 60
        shown = {
            name: connection.scalar(text(f"SHOW {name}"))
            for name in ("tcp_keepalives_idle", "tcp_keepalives_count", "tcp_user_timeout")
        }
    engine.dispose()
    assert shown == {
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "60000",
    }
