"""Leases on a real PostgreSQL: a deadline, and tokens that fence off whoever missed it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from shared.db.leases import rows
from shared.db.leases.rows import Lease, LeaseLost, LeaseName
from tests.integration.conftest import WaitFor

LONG = 60.0
SHORT = 0.2


def take(engine: Engine, seconds: float = LONG) -> Lease | None:
    with engine.begin() as connection:
        return rows.take(connection, LeaseName.RELAY, seconds=seconds)


def taken(engine: Engine, seconds: float = LONG) -> Lease:
    lease = take(engine, seconds)
    assert lease is not None
    return lease


def write(engine: Engine, lease: Lease) -> None:
    with engine.begin() as connection:
        rows.require(connection, lease)


def test_one_process_has_the_lease_until_it_ends_or_is_released(
    engine: Engine, wait_for: WaitFor
) -> None:
    first = taken(engine, SHORT)
    assert take(engine) is None
    wait_for(lambda: (lease := take(engine)) is not None and lease.token > first.token)
    second = taken_now(engine)
    with engine.begin() as connection:
        rows.release(connection, second)
    assert taken(engine).token > second.token


def taken_now(engine: Engine) -> Lease:
    with engine.connect() as connection:
        return Lease(
            LeaseName.RELAY,
            connection.scalar(text("SELECT token FROM leases WHERE name = 'relay'")),
        )


def test_a_late_renewal_counts_where_nobody_took_the_lease(engine: Engine) -> None:
    lease = taken(engine, 0.0)
    with engine.begin() as connection:
        rows.renew(connection, lease, seconds=LONG)
    assert take(engine) is None


def test_whoever_lost_the_lease_neither_renews_nor_writes_nor_releases(engine: Engine) -> None:
    lost = taken(engine, 0.0)
    taken(engine)
    with pytest.raises(LeaseLost), engine.begin() as connection:
        rows.renew(connection, lost, seconds=LONG)
    with pytest.raises(LeaseLost):
        write(engine, lost)
    with engine.begin() as connection:
        rows.release(connection, lost)
    assert take(engine) is None


def test_nobody_takes_the_lease_before_a_transaction_that_writes_has_ended(
    engine: Engine,
) -> None:
    lease = taken(engine, 0.0)
    with engine.begin() as connection:
        rows.require(connection, lease)
        assert take(engine) is None
        with engine.begin() as other:
            rows.renew(other, lease, seconds=0.0)
    assert taken(engine).token > lease.token


def test_a_token_grows_where_a_backup_brought_an_older_row(engine: Engine) -> None:
    lease = taken(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE leases SET token = 0, held_until = '-infinity'"))
    assert taken(engine).token > lease.token


def test_many_that_take_it_at_once_have_it_once(engine: Engine) -> None:
    start = threading.Barrier(6)

    def race() -> Lease | None:
        start.wait()
        return take(engine)

    with ThreadPoolExecutor(6) as threads:
        found = [each.result() for each in [threads.submit(race) for _ in range(6)]]
    assert len([lease for lease in found if lease is not None]) == 1


def test_another_database_takes_the_highest_token_that_it_saw(engine: Engine) -> None:
    old, new = Lease(LeaseName.RELAY, 7), Lease(LeaseName.RELAY, 8)
    for lease in (old, new, new):
        with engine.begin() as connection:
            rows.pass_on(connection, lease)
    with pytest.raises(LeaseLost), engine.begin() as connection:
        rows.pass_on(connection, old)


def test_a_lease_that_is_held_off_is_taken_after_the_transaction(engine: Engine) -> None:
    with engine.begin() as connection:
        assert rows.hold_off(connection, LeaseName.RELAY)
        assert take(engine) is None
    taken(engine)
    with engine.begin() as connection:
        assert not rows.hold_off(connection, LeaseName.RELAY)
