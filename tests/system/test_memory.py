"""Memory stays flat and labels stay few, however long it runs."""

import statistics
import time
import urllib.request
from collections.abc import Callable

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from deploy.local.processes import free_port
from shared.imports.progress import Progress
from tests.system.conftest import API, Insee, Processes, wait_for

WARM_UP_SECONDS = 20
MEASURED_SECONDS = 80
BACKLOG_ROWS = 10_000
SERVICES = ("fetcher", "writer", "reviewer")


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_each_process_is_no_larger_in_the_last_quarter_than_in_the_second(
    rabbitmq_url: str,
    start_insee: Callable[..., Insee],
    make_processes: Callable[..., Processes],
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
) -> None:
    insee = start_insee(establishments=200_000, requests_per_minute=120)
    ports = {name: free_port() for name in SERVICES}
    running = {}

    def start(name: str) -> None:
        processes = make_processes(
            broker_url=rabbitmq_url,
            insee_url=insee.root + API,
            insee_requests_per_minute=60,
            metrics_port=ports[name],
        )
        processes.start(name)
        running[name] = psutil.Process(processes.running[name].pid)

    start("fetcher")
    start("writer")
    request_import("33")
    wait_for(lambda: progress().received > BACKLOG_ROWS, seconds=120, what="a backlog of texts")
    # A reviewer with a backlog holds more texts at once: on a busy machine that happens later.
    start("reviewer")
    time.sleep(WARM_UP_SECONDS)  # allocator and caches fill: not a wait for a condition

    rss_bytes: dict[str, list[int]] = {name: [] for name in SERVICES}
    end_seconds = time.monotonic() + MEASURED_SECONDS
    while time.monotonic() < end_seconds:
        for name, process in running.items():
            rss_bytes[name].append(process.memory_info().rss)
        time.sleep(0.5)  # the interval of the samples

    assert progress().runs_open == 1, "the run was over before the measurement"
    for name, samples in rss_bytes.items():
        quarter = len(samples) // 4
        second = statistics.median(samples[quarter : 2 * quarter])
        last = statistics.median(samples[3 * quarter :])
        assert last <= 1.05 * second, f"{name}: {second / 2**20:.1f} → {last / 2**20:.1f} MiB"
        assert series_of(ports[name]) < 500


def series_of(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return sum(not line.startswith(b"#") for line in answer)
