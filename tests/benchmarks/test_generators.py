"""N generators at two seconds a call, beside a bare loop of `requests`.

Reviewer processes with all they do (relay, RabbitMQ, claims, validation, ledger) and a process
that only posts take turns on one llmock; ramp and end are not counted. -k picks a size.

Then 200 generators below a limit of 600 requests a minute: calls that were in vain, and the time
beside the shortest that the limit allows; and replicas that share such a limit.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks.figures import Figures
from tests.benchmarks.review_runs import Sample, added, reviewing
from tests.benchmarks.sizes import pick
from tests.integration import conftest as integration
from tests.integration.reviewer import conftest as reviewer
from tests.integration.reviewer.llmock_server import GOOD_REPLY, Llmock, llmock_server

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

pytestmark = pytest.mark.slow

LATENCY_SECONDS = 2.0
_GOALS = {10: ">= 0.97", 50: ">= 0.95", 100: ">= 0.80", 200: ">= 0.80"}
SECONDS = float(os.environ.get("SIRENADE_BENCH_SECONDS", pick(quick="8", normal="16")))
# Calls below a limit; the bucket of the first minute holds the first of them.
CALLS, PER_MINUTE = pick(quick=(140, 120), normal=(1000, 600))

engine = integration.engine
register = reviewer.register

_ONE_PENDING = "SELECT 1 FROM avis WHERE outcome = 'pending' LIMIT 1"

_BARE = """
import sys, threading, time, requests
from requests.adapters import HTTPAdapter
url, body, count, seconds = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3]), float(sys.argv[4])
session = requests.Session()
session.trust_env = False
session.mount("http://", HTTPAdapter(pool_maxsize=count))
done, lock, begin = [], threading.Lock(), time.monotonic()
def loop():
    while time.monotonic() < begin + seconds + 4:
        session.post(url, data=body, headers={"Content-Type": "application/json"}).json()
        done.append(time.monotonic())
threads = [threading.Thread(target=loop) for _ in range(count)]
for thread in threads: thread.start()
for thread in threads: thread.join()
counted = sum(begin + 4 <= moment < begin + 4 + seconds for moment in done)
print(counted / seconds)
"""


@pytest.fixture(scope="module")
def rows() -> Iterator[list[str]]:
    rows: list[str] = []
    yield rows
    print(  # noqa: T201  # the benchmark is its table
        "\ngenerators  processes  of N / latency  bare / ideal  of bare  RSS MB  CPU ms/text  load"
    )
    print("\n".join(rows))  # noqa: T201  # the benchmark is its table


def bare(llmock: Llmock, generators: int) -> float:
    """Answers a second of threads that do nothing else."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 3000}]})
    url = f"{llmock.base_url}/chat/completions"
    command = [sys.executable, "-c", _BARE, url, body, str(generators), str(SECONDS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("generators", "processes"),
    pick(
        quick=[(10, 1), (50, 1), (200, 1)],
        normal=[(10, 1), (50, 1), (200, 1), (200, 2)],
        full=[(10, 1), (50, 1), (100, 1), (200, 1), (200, 2)],
    ),
)
def test_generators(
    generators: int,
    processes: int,
    register: "Register",
    database_url: str,
    rabbitmq_url: str,
    tmp_path: Path,
    rows: list[str],
    figures: Figures,
) -> None:
    ideal = generators / LATENCY_SECONDS
    # Neighbours of one trade and commune would all be written again: llmock has but one text.
    register.add(range(1, int(ideal * (SECONDS + 6)) + 6 * generators), apart=True)
    with ExitStack() as stack:
        llmock = stack.enter_context(
            llmock_server("--latency-ms", str(int(LATENCY_SECONDS * 1000)))
        )
        llmock.expect(GOOD_REPLY)
        bare_rate = bare(llmock, generators)
        reads = [
            stack.enter_context(
                reviewing(
                    llmock,
                    tmp_path,
                    generators=generators // processes,
                    database_url=database_url,
                    rabbitmq_url=rabbitmq_url,
                )
            )
            for _ in range(processes)
        ]
        samples: list[Sample] = []
        full_at = None
        while full_at is None or time.monotonic() < full_at + SECONDS:
            time.sleep(0.25)
            each = [one for one in (read() for read in reads) if one is not None]
            if len(each) < processes:
                continue
            found = added(each)
            samples.append(found)
            if full_at is None and found.inside >= generators:
                # One latency later the answers come at the full rate, too.
                full_at = found.at + LATENCY_SECONDS
            if full_at is None and not register.rows(_ONE_PENDING):
                pytest.fail(f"this machine is too busy: never {generators} calls at once")
    counted = [each for each in samples if each.at >= full_at]
    last = counted[-1]
    # Answers come in steps of a latency: a slope, not the difference of two ends.
    rate = statistics.linear_regression(
        [each.at for each in counted], [each.answered for each in counted]
    ).slope
    cpu_ms = 1000 * (last.cpu_seconds - counted[0].cpu_seconds) / (rate * (last.at - counted[0].at))
    rows.append(
        f"{generators:>10} {processes:>10} {rate / ideal:>15.3f} {bare_rate / ideal:>13.3f}"
        f" {rate / bare_rate:>8.3f} {last.rss_mb:>8.0f} {cpu_ms:>11.1f} {os.getloadavg()[0]:>6.1f}"
    )
    of = f"generators.{generators} in {processes} process{'es' if processes > 1 else ''}"
    bare_share = f"a bare loop of requests: {bare_rate / ideal:.3f}"
    figures.add(of, rate / ideal, unit="of ideal", goal=_GOALS[generators], note=bare_share)
    figures.add(f"{of}, CPU", cpu_ms, unit="CPU ms/text")
    if processes == 1:
        figures.add(f"{of}, RSS", last.rss_mb, unit="MiB", goal="<= 200")
    assert last.throttled == 0


@pytest.mark.timeout(600)
def test_limit(
    register: "Register",
    database_url: str,
    rabbitmq_url: str,
    tmp_path: Path,
    rows: list[str],
    figures: Figures,
) -> None:
    generators, per_minute, count = PER_MINUTE // 3, PER_MINUTE, CALLS
    register.add(range(1, count + 1), apart=True)
    # A year for each, so that llmock can tell calls apart that are not tries of one.
    register.execute(
        "UPDATE etablissements SET date_creation = date '1901-06-01'"
        " + make_interval(years => CAST(siren AS integer))"
    )
    with llmock_server("--latency-ms", "2000", "--rpm", str(per_minute)) as llmock:
        llmock.expect(GOOD_REPLY)
        with reviewing(
            llmock,
            tmp_path,
            generators=generators,
            database_url=database_url,
            rabbitmq_url=rabbitmq_url,
        ):
            while register.rows(_ONE_PENDING):
                time.sleep(0.5)
        records, verdict = llmock.records(), llmock.verdict()
    wall = max(each["ended_at"] for each in records) - min(each["started_at"] for each in records)
    # The bucket is full at first, and refills from then on.
    ideal = 60 * (count - per_minute) / per_minute + LATENCY_SECONDS
    throttled = sum(each["status"] == 429 for each in records)
    findings = sorted({each["code"] for each in verdict["findings"]})
    rows.append(
        f"limit: {len(records)} calls, 429 {throttled / len(records):.3f}, "
        f"wall / ideal {wall / ideal:.3f}, findings {findings}, load {os.getloadavg()[0]:.1f}"
    )
    figures.add(
        "generators.at a limit",
        ideal / wall,
        unit="of ideal",
        goal=">= 0.87",
        note=f"{generators} generators, {count} texts at {per_minute} a minute",
    )
    figures.add(
        "generators.at a limit, 429", throttled / len(records), unit="of calls", goal="<= 0.05"
    )
    texts = register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted' AND model = 'm'")
    assert len(texts) == count
    assert throttled <= 0.05 * len(records)
    assert verdict["passed"]


def most_in(records: list[dict[str, Any]], seconds: float) -> int:
    """Return the most requests in any interval of `seconds`."""
    begun = sorted(each["started_at"] for each in records)
    first, most = 0, 0
    for number, at in enumerate(begun):
        while begun[first] <= at - seconds:
            first += 1
        most = max(most, number - first + 1)
    return most


@pytest.mark.timeout(600)
@pytest.mark.parametrize("replicas", pick(quick=[2], normal=[4], full=[2, 4]))
def test_replicas_under_one_limit(
    replicas: int,
    register: "Register",
    database_url: str,
    rabbitmq_url: str,
    tmp_path: Path,
    rows: list[str],
    figures: Figures,
) -> None:
    """Together they ask for twice what the limit allows, and for longer than a minute."""
    per_minute, count = PER_MINUTE, CALLS * 9 // 10
    register.add(range(1, count + 1), apart=True)
    with ExitStack() as stack:
        llmock = stack.enter_context(
            llmock_server("--latency-ms", "2000", "--rpm", str(per_minute))
        )
        llmock.expect(GOOD_REPLY)
        for _ in range(replicas):
            stack.enter_context(
                reviewing(
                    llmock,
                    tmp_path,
                    generators=40 // replicas,
                    database_url=database_url,
                    rabbitmq_url=rabbitmq_url,
                    limit=f"requests_per_minute = {per_minute}\n",
                )
            )
        while register.rows(_ONE_PENDING):
            time.sleep(0.5)
        records = llmock.records()
    throttled = sum(each["status"] == 429 for each in records)
    most = most_in(records, 60)
    rows.append(
        f"{replicas} replicas: most in any 60 s {most} of {per_minute} ({most / per_minute:.3f}), "
        f"{len(records)} calls, 429 {throttled}, load {os.getloadavg()[0]:.1f}"
    )
    of = f"generators.{replicas} replicas, most in 60 s"
    figures.add(of, most / per_minute, unit="of the limit", goal="<= 1")
    texts = register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted' AND model = 'm'")
    assert len(texts) == count
    assert most <= per_minute
