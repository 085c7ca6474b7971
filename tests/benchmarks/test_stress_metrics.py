"""Ten million recordings: memory stays flat and no value is lost.

The brief counted in memory and asked for 10 000 recordings at once; these are its numbers, and a
thousand times as many from 16 threads and from 4 processes. Run it by itself: make stress-metrics.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from shared.metrics import ROW_OUTCOMES, Metrics
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick

AT_ONCE = 10_000
RECORDINGS = pick(quick=1_000_000, normal=10_000_000)
THREADS = 16
PROCESSES = 4
# Seconds between two samples of memory while they record.
SAMPLES = 40
ACTOR = "write_slice"
ROOT = Path(__file__).parents[2]
MODULE = "tests.benchmarks.test_stress_metrics"


def rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def record(metrics: Metrics, number: int) -> None:
    """Record as a writer does: a counter, a histogram, a gauge, by turns."""
    match number % 4:
        case 0 | 1:
            metrics.rows_written.labels(outcome=ROW_OUTCOMES[number % 3]).inc()
        case 2:
            metrics.message_wait_seconds.labels(actor=ACTOR).observe(number % 100)
        case _:
            gauge = metrics.messages_in_progress.labels(actor=ACTOR)
            gauge.inc()
            gauge.dec()


def recorded(metrics: Metrics) -> dict[str, float]:
    """Return the totals that `record` has left."""
    value = metrics.registry.get_sample_value
    return {
        "rows": sum(
            value("sirenade_rows_written_total", {"outcome": each}) or 0 for each in ROW_OUTCOMES
        ),
        "waits": value("sirenade_message_wait_seconds_count", {"actor": ACTOR}) or 0,
        "waited": value("sirenade_message_wait_seconds_sum", {"actor": ACTOR}) or 0,
        "in progress": value("sirenade_messages_in_progress", {"actor": ACTOR}) or 0,
    }


def expected(count: int) -> dict[str, float]:
    """Record the numbers below `count`, a multiple of 100."""
    waits = count // 4
    hundred = sum(number % 100 for number in range(100) if number % 4 == 2)
    return {
        "rows": count // 2,
        "waits": waits,
        "waited": count // 100 * hundred,
        "in progress": 0,
    }


def from_threads(metrics: Metrics, count: int, threads: int) -> None:
    def record_part(part: int) -> None:
        for number in range(part, count, threads):
            record(metrics, number)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(record_part, range(threads)))


def sampled(work: Callable[[], None], seconds: float) -> list[int]:
    """Run the work, and sample this process's memory meanwhile."""
    samples = [rss_bytes()]
    done = threading.Event()

    def look() -> None:
        while not done.wait(seconds):
            samples.append(rss_bytes())

    looking = threading.Thread(target=look)
    looking.start()
    work()
    done.set()
    looking.join()
    return [*samples, rss_bytes()]


def assert_flat(samples: list[int]) -> float:
    """The last quarter against the second, as everywhere; their ratio."""
    quarter = len(samples) // 4
    second = statistics.median(samples[quarter : 2 * quarter])
    last = statistics.median(samples[-quarter:])
    assert last <= 1.05 * second, f"{second / 2**20:.1f} → {last / 2**20:.1f} MiB"
    return last / second


def one_process(recordings: int) -> None:
    """Print as JSON what is there in the end, and the memory on the way."""
    metrics = Metrics(of={"writer"})
    metrics.declare_actor(ACTOR)
    samples = []
    for part in range(SAMPLES):
        for number in range(part, recordings, SAMPLES):
            record(metrics, number)
        samples.append(rss_bytes())
    json.dump({"recorded": recorded(metrics), "samples": samples}, sys.stdout)


@pytest.mark.slow
def test_ten_thousand_recordings_at_once_are_all_there() -> None:
    metrics = Metrics(of={"writer"})
    metrics.declare_actor(ACTOR)
    before = rss_bytes()
    barrier = threading.Barrier(THREADS)

    def record_at_once(part: int) -> None:
        barrier.wait()
        for number in range(part, AT_ONCE, THREADS):
            record(metrics, number)

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(record_at_once, range(THREADS)))
    seconds = time.perf_counter() - started
    assert recorded(metrics) == expected(AT_ONCE)
    grown = (rss_bytes() - before) / 2**20
    print(f"\n{AT_ONCE} at once: {seconds * 1e6 / AT_ONCE:.1f} µs each, +{grown:.1f} MiB")  # noqa: T201  # a benchmark's result


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_million_recordings_from_threads_leave_memory_flat(figures: Figures) -> None:
    metrics = Metrics(of={"writer"})
    metrics.declare_actor(ACTOR)
    started, used = time.perf_counter(), time.process_time()
    samples = sampled(lambda: from_threads(metrics, RECORDINGS, THREADS), seconds=0.5)
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    assert recorded(metrics) == expected(RECORDINGS)
    ratio = assert_flat(samples)
    size = len(generate_latest(metrics.registry))
    figures.add("metrics.recording", cpu * 1e6 / RECORDINGS, unit="CPU µs")
    figures.add("metrics.growth, threads", ratio, unit="× the second quarter", goal="<= 1.05")
    print(  # noqa: T201  # a benchmark's result
        f"\n{RECORDINGS:,} from {THREADS} threads: {cpu * 1e6 / RECORDINGS:.2f} CPU µs each,"
        f" {seconds:.0f} s; RSS {samples[0] / 2**20:.1f} → {samples[-1] / 2**20:.1f} MiB"
        f" (last quarter / second {ratio:.3f}); /metrics {size} bytes"
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_million_recordings_from_processes_leave_each_ones_memory_flat(
    figures: Figures,
) -> None:
    """Each process has its own registry and page, as each replica: Prometheus adds them up."""
    share = RECORDINGS // PROCESSES
    running = [
        subprocess.Popen(
            [sys.executable, "-m", MODULE, str(share)], cwd=ROOT, stdout=subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    results = [json.loads(process.communicate(timeout=800)[0]) for process in running]
    assert [each["recorded"] for each in results] == [expected(share)] * PROCESSES
    ratios = [assert_flat(each["samples"]) for each in results]
    figures.add(
        "metrics.growth, processes", max(ratios), unit="× the second quarter", goal="<= 1.05"
    )
    sizes = ", ".join(
        f"{each['samples'][0] / 2**20:.1f} → {each['samples'][-1] / 2**20:.1f}" for each in results
    )
    print(  # noqa: T201  # a benchmark's result
        f"\n{RECORDINGS:,} from {PROCESSES} processes: RSS {sizes} MiB;"
        f" last quarter / second at worst {max(ratios):.3f}"
    )


if __name__ == "__main__":
    one_process(int(sys.argv[1]))
