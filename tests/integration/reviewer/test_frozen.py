"""A relay whose process is frozen: another one goes on, and the frozen one changes nothing more."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.reviewer.relay import Relay
from shared.clock import Clock
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from tests.integration.conftest import WaitFor

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

ROOT = Path(__file__).parents[3]
LEASE_SECONDS = 1.5


@pytest.fixture
def frozen(database_url: str, register: "Register") -> Iterator["subprocess.Popen[str]"]:
    """Freeze a relay that has the lease and has published its first message."""
    register.add(range(1, 61))
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.integration.reviewer.frozen_relay",
            database_url,
            str(LEASE_SECONDS),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "25\n"
    process.send_signal(signal.SIGSTOP)
    yield process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.communicate()


def test_a_frozen_relay_is_relieved_at_its_deadline_and_marks_nothing_when_it_wakes(
    register: "Register", frozen: "subprocess.Popen[str]", wait_for: WaitFor
) -> None:
    sent: list[int] = []

    def publish(message: ReviewAvis) -> None:
        sent.extend(message.avis_ids)

    relay = Relay(
        engine=register.engine,
        publish=publish,
        clock=Clock(),
        metrics=Metrics(),
        high_water=1000,
        stall_seconds=900,
        lease_seconds=LEASE_SECONDS,
    )
    relay.step()
    assert sent == [], "the lease is the other one's until its deadline"

    def published() -> bool:
        relay.step()
        return len(sent) == 60

    wait_for(published, seconds=20)
    before = register.rows("SELECT id, published_at FROM avis ORDER BY id")
    assert all(row["published_at"] for row in before)
    frozen.send_signal(signal.SIGCONT)
    out, _ = frozen.communicate("\n" * 3, timeout=30)
    assert out == "lost\n", "it publishes no second message"
    assert register.rows("SELECT id, published_at FROM avis ORDER BY id") == before
