"""The whole, over a real broker, killed in the middle: afterwards sets are compared, not counts."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from shared.imports.progress import Progress
from tests.servers.rabbitmq import RunningRabbitmq
from tests.system.conftest import (
    Processes,
    StartServices,
    assert_the_end_state_is_whole,
    wait_for,
    wait_for_the_end,
)

ESTABLISHMENTS = 2400
ROWS_PER_PAGE = 60
REQUESTS_PER_MINUTE = 150
GENERATORS = 5
SERVICES = ("fetcher-1", "fetcher-2", "writer-1", "writer-2", "reviewer-1", "reviewer-2")


@pytest.mark.timeout(400)
def test_killing_every_part_in_mid_import_loses_and_doubles_nothing(
    engine: Engine,
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    start_services: StartServices,
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
) -> None:
    insee, processes = start_services(
        *SERVICES,
        broker_url=private_rabbitmq_url,
        establishments=ESTABLISHMENTS,
        requests_per_minute=REQUESTS_PER_MINUTE,
        insee_rows_per_page=ROWS_PER_PAGE,
        reviewer_generators=GENERATORS,
    )
    request_import("33")

    def kill_once_received(name: str, share: float) -> None:
        wait_for(
            lambda: progress().received >= ESTABLISHMENTS * share,
            seconds=90,
            what=f"{share:.0%} of the rows, to kill {name}",
        )
        if name == "rabbitmq":
            private_rabbitmq.kill()
            private_rabbitmq.restart()
        else:
            processes.kill(name)
            processes.start(name)

    kill_once_received("fetcher-1", 0.1)
    kill_once_received("writer-1", 0.2)
    kill_once_received("reviewer-1", 0.3)
    kill_once_received("rabbitmq", 0.4)
    kill_once_received("fetcher-2", 0.6)
    kill_once_received("writer-2", 0.7)
    kill_once_received("reviewer-2", 0.8)
    wait_for_the_end(progress, seconds=150)

    assert_the_end_state_is_whole(engine, insee, progress(), kills=2, generators=GENERATORS)
    assert_no_secret_in_any_log(processes)


def assert_no_secret_in_any_log(processes: Processes) -> None:
    for name in SERVICES:
        log = processes.log(name)
        assert "the-key-that-no-log-may-hold" not in log
        assert "Traceback" not in log
