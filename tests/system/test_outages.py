"""Servers that are ill for a while: everything pauses, blames nothing, and goes on by itself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import Engine

from shared.imports.progress import Progress
from tests.servers.rabbitmq import RunningRabbitmq
from tests.system import durable
from tests.system.conftest import (
    Insee,
    Processes,
    StartServices,
    assert_the_end_state_is_whole,
    column,
    wait_for,
    wait_for_the_end,
)
from tests.system.durable import DurablePostgres

ESTABLISHMENTS = 3000
REQUESTS_PER_MINUTE = 100
GENERATORS = 5
SERVICES = ("fetcher", "writer", "reviewer")
# Bytes that one process may log in a second of outage.
LOG_BYTES_PER_SECOND = 1000

durable_postgres = durable.durable_postgres
database_url = durable.database_url

StartImport = Callable[[str], tuple[Insee, Processes]]


@pytest.fixture
def start_import(
    start_services: StartServices,
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
) -> StartImport:
    """All three services over a broker, in the midst of an import."""

    def start(broker_url: str) -> tuple[Insee, Processes]:
        insee, processes = start_services(
            *SERVICES,
            broker_url=broker_url,
            establishments=ESTABLISHMENTS,
            requests_per_minute=REQUESTS_PER_MINUTE,
            insee_rows_per_page=100,
            reviewer_generators=GENERATORS,
            # The product's own: a page is not fetched again because its slices had to wait.
            fetcher_stall_seconds=60,
        )
        request_import("33")
        some = ESTABLISHMENTS // 5
        wait_for(lambda: progress().received >= some, seconds=60, what=f"{some} rows")
        return insee, processes

    return start


@contextmanager
def calm_processes(processes: Processes) -> Iterator[None]:
    """During an outage no process may end, grow, or flood its log."""

    def log_bytes(name: str) -> int:
        return (processes.logs / f"{name}.log").stat().st_size

    def resident_bytes(name: str) -> int:
        size: int = psutil.Process(processes.running[name].pid).memory_info().rss
        return size

    logs = {name: log_bytes(name) for name in SERVICES}
    sizes = {name: resident_bytes(name) for name in SERVICES}
    begun_seconds = time.monotonic()
    yield
    seconds = time.monotonic() - begun_seconds
    for name in SERVICES:
        assert processes.running[name].poll() is None, f"{name} ended"
        assert resident_bytes(name) < sizes[name] + 30 * 2**20, f"{name} grows"
        written = log_bytes(name) - logs[name]
        assert written < LOG_BYTES_PER_SECOND * seconds, f"{name} wrote {written} bytes of log"


def assert_it_goes_on_and_blamed_nothing(
    engine: Engine, insee: Insee, progress: Callable[[], Progress], *, seconds: float
) -> None:
    wait_for_the_end(progress, seconds=seconds)
    assert_the_end_state_is_whole(engine, insee, progress(), kills=1, generators=GENERATORS)
    assert column(engine, "SELECT code FROM failed_items") == []
    assert column(engine, "SELECT reason FROM dead_letters") == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_database_that_takes_no_writes_pauses_the_import_and_blames_no_row(
    durable_postgres: DurablePostgres,
    rabbitmq_url: str,
    start_import: StartImport,
    engine: Engine,
    progress: Callable[[], Progress],
) -> None:
    insee, processes = start_import(rabbitmq_url)

    set_read_only(durable_postgres, read_only=True)
    with calm_processes(processes):
        requests, received = insee.quota()["requests"], progress().received
        time.sleep(45)  # the length of the outage
        # Work in hand may have ended just before.
        assert progress().received <= received + 400
        assert insee.quota()["requests"] <= requests + 4
    set_read_only(durable_postgres, read_only=False)

    assert_it_goes_on_and_blamed_nothing(engine, insee, progress, seconds=90)
    # The count, the pages, and again those whose answer could not be saved.
    [requests] = column(engine, "SELECT count(*) FROM insee_requests")
    assert requests <= 1 + ESTABLISHMENTS // 100 + 4


def set_read_only(postgres: DurablePostgres, *, read_only: bool) -> None:
    """The sessions that are open keep it, too."""
    with postgres.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        value = "on" if read_only else "off"
        cursor.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        cursor.execute("SELECT pg_reload_conf()")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_database_that_is_gone_for_a_while_is_waited_for(
    durable_postgres: DurablePostgres,
    rabbitmq_url: str,
    start_import: StartImport,
    engine: Engine,
    progress: Callable[[], Progress],
) -> None:
    insee, processes = start_import(rabbitmq_url)

    durable_postgres.server.stop()
    with calm_processes(processes):
        time.sleep(20)  # the length of the outage
    durable_postgres.start_again()

    assert_it_goes_on_and_blamed_nothing(engine, insee, progress, seconds=90)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_memory_alarm_of_rabbitmq_holds_the_import_until_it_is_over(
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    start_import: StartImport,
    engine: Engine,
    progress: Callable[[], Progress],
) -> None:
    insee, processes = start_import(private_rabbitmq_url)

    private_rabbitmq.ctl("set_vm_memory_high_watermark", "0.00001")
    try:
        with calm_processes(processes):
            requests = insee.quota()["requests"]
            time.sleep(75)  # longer than a publisher waits for an alarm to end
            received = progress().received
            assert received < ESTABLISHMENTS
            # One more GET for each page in hand.
            assert insee.quota()["requests"] <= requests + 4
    finally:
        private_rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "512MiB")

    assert_it_goes_on_and_blamed_nothing(engine, insee, progress, seconds=120)
