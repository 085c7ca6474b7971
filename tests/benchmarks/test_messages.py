"""Messages a second of our broker, beside stock dramatiq and Celery on the same node.

Each in processes of its own, by turns: one thread that publishes, eight that consume a no-op.
Ours are quorum queues, theirs the classic ones that they declare; all messages are persistent.
Then the node is killed while they publish.
"""

import json
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import dramatiq
import pika
import pytest

from deploy.local.errors import LocalServerError
from tests.benchmarks.figures import Figures
from tests.benchmarks.message_timing import BEGUN
from tests.benchmarks.sizes import pick
from tests.benchmarks.writer_runs import cpu_seconds
from tests.environments import python_of
from tests.servers.rabbitmq import RunningRabbitmq

_ROOT = Path(__file__).parents[2]

MESSAGES = pick(quick=400, normal=3000)
ROUNDS = pick(quick=1, normal=3)
# Enough that the node dies in the middle.
MESSAGES_AT_A_KILL = 8000
_SECONDS = 120

OURS = "ours"
CONFIRMED = (OURS, "dramatiq confirmed", "celery confirmed")
_GOALS = {"dramatiq confirmed": ">= 0.80", "celery confirmed": ">= 1"}
# Dramatiq and Celery with and without confirms; quick: as they are by default.
KILLED = pick(
    quick=(OURS, "dramatiq", "celery"),
    normal=(OURS, "dramatiq", "celery", "dramatiq confirmed", "celery confirmed"),
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@dataclass(frozen=True)
class Cost:
    messages_per_second: float
    client_us: float
    """CPU for each message, of the process that publishes or consumes."""
    node_us: float
    """The same of RabbitMQ."""


@pytest.fixture(scope="module")
def celery_python() -> Path:
    return python_of("celery")


Start = Callable[[str, str, str, int], "subprocess.Popen[str]"]


@pytest.fixture
def start(celery_python: Path) -> Iterator[Start]:
    """Start a process that publishes or consumes: `kind`, `url`, `what`, `count`."""
    started = []

    def run(kind: str, url: str, what: str, count: int) -> "subprocess.Popen[str]":
        python, module = (
            (str(celery_python), "celery_side")
            if kind.startswith("celery")
            else (sys.executable, "dramatiq_side")
        )
        process = subprocess.Popen(
            [
                python,
                "-m",
                f"tests.benchmarks.{module}",
                kind,
                url,
                _queue_of(kind),
                what,
                str(count),
            ],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _found(process: "subprocess.Popen[str]") -> dict[str, float]:
    """Return what the process prints at its end."""
    out, err = process.communicate(timeout=_SECONDS)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    assert lines, err[-2000:]
    found: dict[str, float] = json.loads(lines[-1])
    return found


def _numbers_in(url: str, queue: str) -> set[int]:
    """Empty the queue and return its messages. Celery's task ids are the numbers."""
    numbers = set()
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        while (received := channel.basic_get(queue, auto_ack=True))[0] is not None:
            _, properties, body = received
            number = properties.correlation_id or dramatiq.Message.decode(body).args[0]
            numbers.add(int(number))
    return numbers


def _queue_of(kind: str) -> str:
    return f"bench-{kind.partition(' ')[0]}"


def _cost(node: RunningRabbitmq, process: "subprocess.Popen[str]") -> Cost:
    before = cpu_seconds(node.pid)
    found = _found(process)
    node_us = (cpu_seconds(node.pid) - before) / MESSAGES * 1e6
    per_second = found["messages"] / found["seconds"]
    return Cost(per_second, found["cpu_seconds"] / found["messages"] * 1e6, node_us)


def test_messages_per_second_beside_dramatiq_and_celery(
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    start: Start,
    figures: Figures,
) -> None:
    costs: dict[tuple[str, str], list[Cost]] = defaultdict(list)
    for _ in range(ROUNDS):
        for kind in CONFIRMED:
            for what in ("publish", "consume"):
                process = start(kind, private_rabbitmq_url, what, MESSAGES)
                cost = _cost(private_rabbitmq, process)
                costs[what, kind].append(cost)
                print(  # noqa: T201  a benchmark's result
                    f"\n{what}, {kind}: {cost.messages_per_second:.0f} messages/s, CPU µs each"
                    f" {cost.client_us:.0f}, and RabbitMQ's {cost.node_us:.0f}",
                    end="",
                )
    for what in ("publish", "consume"):
        _report(figures, what, {kind: _median(costs[what, kind]) for kind in CONFIRMED})


def _median(costs: list[Cost]) -> Cost:
    columns = zip(*(astuple(cost) for cost in costs), strict=True)
    return Cost(*(statistics.median(column) for column in columns))


def _report(figures: Figures, what: str, costs: dict[str, Cost]) -> None:
    ours = costs[OURS]
    note = ", ".join(f"{kind} {cost.messages_per_second:.0f}/s" for kind, cost in costs.items())
    for kind, cost in costs.items():
        if kind != OURS:
            ratio = ours.messages_per_second / cost.messages_per_second
            name, goal = f"messages.{what}, ours beside {kind}", _GOALS[kind]
            figures.add(name, ratio, unit="of theirs", goal=goal, note=note)
        figures.add(
            f"messages.{what}, {kind}, CPU",
            cost.client_us,
            unit="CPU µs/message",
            note=f"and RabbitMQ's {cost.node_us:.0f}",
        )


@pytest.mark.parametrize("kind", KILLED)
def test_messages_lost_when_the_node_is_killed_while_publishing(
    kind: str,
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    start: Start,
    figures: Figures,
) -> None:
    publisher = start(kind, private_rabbitmq_url, "publish", MESSAGES_AT_A_KILL)
    assert publisher.stdout is not None
    assert publisher.stdout.readline().strip() == BEGUN
    private_rabbitmq.kill()
    published = int(_found(publisher)["messages"])
    assert published < MESSAGES_AT_A_KILL, "the node died too late"
    try:
        private_rabbitmq.restart()
    except LocalServerError:
        # RabbitMQ 3.10 cannot always read a classic queue of a killed node again.
        assert kind != OURS
        print(f"\n{kind}: the node does not start again")  # noqa: T201  a benchmark's result
        return
    lost = set(range(published)) - _numbers_in(private_rabbitmq_url, _queue_of(kind))
    print(f"\n{kind}: {len(lost)} of {published} lost")  # noqa: T201  a benchmark's result
    goal = "== 0" if kind == OURS else None
    note = f"of {published} for which its call had returned"
    figures.add(f"messages.lost at a kill, {kind}", len(lost), goal=goal, note=note)
