"""Services under load lose their connections again and again, and grow no larger."""

import statistics
import time
from collections.abc import Callable

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import make_url

from shared.imports.progress import Progress
from tests.proxy import proxy_before
from tests.system.conftest import API, Insee, Processes, wait_for

SERVICES = ("fetcher", "writer", "reviewer")
LOSSES = 50
WARM_UP_LOSSES = 10
SECONDS_BETWEEN = 2.0


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.parametrize("lost", ["broker", "database"])
def test_a_service_that_loses_its_connections_fifty_times_is_no_larger(
    lost: str,
    database_url: str,
    rabbitmq_url: str,
    start_insee: Callable[..., Insee],
    make_processes: Callable[..., Processes],
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
) -> None:
    insee = start_insee(establishments=200_000, requests_per_minute=120)
    target = make_url(rabbitmq_url if lost == "broker" else database_url)
    assert target.host is not None
    assert target.port is not None
    with proxy_before(target.host, target.port) as proxy:
        through = target.set(port=proxy.port).render_as_string(hide_password=False)
        urls = {"broker_url": rabbitmq_url, "database_url": database_url, f"{lost}_url": through}
        processes = make_processes(insee_url=insee.root + API, insee_requests_per_minute=60, **urls)
        for name in SERVICES:
            processes.start(name)
        running = {name: psutil.Process(processes.running[name].pid) for name in SERVICES}
        request_import("33")
        wait_for(lambda: progress().received > 3000, seconds=120, what="3000 rows")
        rss_bytes: dict[str, list[int]] = {name: [] for name in SERVICES}
        for _ in range(LOSSES):
            proxy.cut()
            time.sleep(SECONDS_BETWEEN)  # some work is done between two losses
            for name, process in running.items():
                rss_bytes[name].append(process.memory_info().rss)
    assert progress().runs_open == 1, "the run was over before the measurement"
    for name, samples in rss_bytes.items():
        first = statistics.median(samples[WARM_UP_LOSSES : 2 * WARM_UP_LOSSES])
        last = statistics.median(samples[-WARM_UP_LOSSES:])
        assert last <= 1.05 * first, f"{name}: {first / 2**20:.1f} → {last / 2**20:.1f} MiB"
