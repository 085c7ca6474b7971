"""Connections that were lost while nobody used them."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text

from shared.db.connections import idle
from shared.db.engine import make_engine
from tests.integration.conftest import WaitFor

_PID = text("SELECT pg_backend_pid()")
_END = text("SELECT pg_terminate_backend(:pid)")
_GONE = text("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = :pid)")


@pytest.fixture
def other(database_url: str) -> Iterator[Engine]:
    """Make an engine that ends sessions of the first one."""
    engine = make_engine(database_url, application_name="other")
    yield engine
    engine.dispose()


def _pid(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(_PID) or 0)


def _is_gone(engine: Engine, pid: int) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(_GONE, {"pid": pid}))


def test_a_session_that_was_ended_is_replaced_before_the_next_work(
    engine: Engine, other: Engine, wait_for: WaitFor
) -> None:
    for _ in range(3):
        ended = _pid(engine)
        with other.begin() as connection:
            assert connection.scalar(_END, {"pid": ended})
        wait_for(partial(_is_gone, other, ended))
        assert _pid(engine) != ended


def test_a_session_that_was_idle_for_long_is_asked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    ping = engine.dialect.do_ping

    def ask(connection: Any) -> bool:
        asked.append(connection)
        return bool(ping(connection))

    monkeypatch.setattr(engine.dialect, "do_ping", ask)
    first = _pid(engine)
    assert _pid(engine) == first
    assert asked == []
    monkeypatch.setattr(idle, "_TRUSTED_SECONDS", 0.0)
    assert _pid(engine) == first
    assert len(asked) == 1


def test_a_word_of_the_server_is_no_end(engine: Engine) -> None:
    first = _pid(engine)
    with engine.connect() as connection:
        connection.execute(text("LISTEN words"))
        connection.commit()
    with engine.connect() as connection:
        connection.execute(text("NOTIFY words"))
        connection.commit()
    assert _pid(engine) == first
