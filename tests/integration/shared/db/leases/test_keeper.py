"""Whoever keeps a lease, on a real PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event, text

from shared.clock import Clock
from shared.db.leases.keeper import Keeper, fence, kept
from shared.db.leases.rows import LeaseLost, LeaseName, take
from tests.integration.conftest import WaitFor


def keeper(seconds: float = 60.0) -> Keeper:
    return Keeper(LeaseName.RELAY, Clock(), seconds)


def keeps(engine: Engine, one: Keeper) -> bool:
    with engine.connect() as connection:
        return one.keep(connection) is not None


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def count(*arguments: object) -> None:
        found.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", count)
    yield found
    event.remove(engine, "before_cursor_execute", count)


def test_a_kept_lease_costs_no_statement_but_for_its_renewal(engine: Engine) -> None:
    one, other = keeper(), keeper()
    assert keeps(engine, one)
    assert not keeps(engine, other)
    assert other.waits()
    assert not one.waits()
    with counted(engine) as statements:
        assert all(keeps(engine, one) for _ in range(5))
        assert not any(keeps(engine, other) for _ in range(5))
    assert statements == []


def test_a_lease_is_renewed_in_time(engine: Engine, wait_for: WaitFor) -> None:
    one, other = keeper(0.6), keeper(0.6)
    assert keeps(engine, one)
    turns = iter(range(1000))
    wait_for(lambda: keeps(engine, one) and not keeps(engine, other) and next(turns) > 60)


def test_whoever_stood_still_knows_that_another_had_the_lease(engine: Engine) -> None:
    one, other = keeper(0.0), keeper()
    with engine.connect() as connection:
        assert one.keep(connection)
        assert keeps(engine, other)
        with pytest.raises(LeaseLost):
            one.require(connection)


def test_an_ended_keeper_leaves_the_lease_to_others(engine: Engine) -> None:
    one, other = keeper(), keeper()
    assert keeps(engine, one)
    with engine.connect() as connection:
        one.end(connection)
    assert keeps(engine, other)


def test_a_thread_renews_the_lease_of_a_command(engine: Engine, wait_for: WaitFor) -> None:
    def deadline() -> object:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT held_until FROM leases WHERE name = 'stock'"))

    with kept(engine, LeaseName.STOCK, seconds=0.5) as lease:
        assert lease is not None
        first = deadline()
        wait_for(lambda: deadline() != first)
        with kept(engine, LeaseName.STOCK, seconds=0.5) as second:
            assert second is None
    with kept(engine, LeaseName.STOCK, seconds=0.5) as third:
        assert third is not None


def test_a_command_waits_for_the_deadline_of_one_that_was_killed(engine: Engine) -> None:
    with engine.begin() as connection:
        killed = take(connection, LeaseName.STOCK, seconds=1.0)
    assert killed is not None
    with kept(engine, LeaseName.STOCK, seconds=1.0) as lease:
        assert lease is not None
        assert lease.token > killed.token


def test_a_fenced_engine_begins_no_transaction_without_the_lease(engine: Engine) -> None:
    with engine.begin() as connection:
        lease = take(connection, LeaseName.STOCK, seconds=0.0)
    assert lease is not None
    fence(engine, lease)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE written ()"))
    with engine.connect() as connection, connection.begin():
        assert connection.scalar(text("SELECT count(*) > 0 FROM leases"))
    # Another process does it: this engine's own transactions keep the lease.
    with engine.connect() as connection:
        connection.connection.cursor().execute("UPDATE leases SET token = token + 1")
        connection.connection.commit()
    with pytest.raises(LeaseLost), engine.begin() as connection:
        connection.execute(text("DROP TABLE written"))
