"""Two reviewer processes beside one, on template texts of one place and of places far apart.

One process and two take turns on the same establishments, in the order 1, 2, 2, 1, so that a load
that comes or goes meets both. In one place most texts read like a neighbour's.
"""

import os
import statistics
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.figures import Figures
from tests.benchmarks.review_runs import reviewing
from tests.benchmarks.sizes import pick
from tests.integration import conftest as integration
from tests.integration.reviewer import conftest as reviewer

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

pytestmark = pytest.mark.slow

TEXTS = pick(quick=300, normal=800, full=5000)
# Processes that start, and those that have little left, are no measure.
_FROM, _TO = 0.15, 0.85
_TURNS = (1, 2, 2, 1)

engine = integration.engine
register = reviewer.register

_DUE_AGAIN = """
    UPDATE avis SET outcome = 'pending', accepted_facts_hash = NULL, text = NULL, label = NULL,
      published_at = NULL, claim_token = NULL, lease_until = NULL
"""
_ACCEPTED = """
    SELECT count(*), (SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock') AS waiting
    FROM avis WHERE outcome = 'accepted'
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("apart", [False, True], ids=["one place", "places apart"])
def test_two_reviewers_beside_one(
    register: "Register",
    database_url: str,
    rabbitmq_url: str,
    tmp_path: Path,
    figures: Figures,
    *,
    apart: bool,
) -> None:
    register.add(range(1, TEXTS + 1), apart=apart)
    seconds: dict[int, float] = defaultdict(float)
    waiting: dict[int, float] = defaultdict(float)
    for turn, processes in enumerate(_TURNS):
        register.execute("DELETE FROM avis_simhashes")
        register.execute("DELETE FROM avis_attempts")
        register.execute(_DUE_AGAIN)
        with ExitStack() as stack:
            for number in range(processes):
                folder = tmp_path / f"{turn}-{number}"
                folder.mkdir()
                stack.enter_context(
                    reviewing(
                        None,
                        folder,
                        generators=10,
                        database_url=database_url,
                        rabbitmq_url=rabbitmq_url,
                    )
                )
            a_text, waits = _watch(register)
            seconds[processes] += a_text / _TURNS.count(processes)
            waiting[processes] += waits / _TURNS.count(processes)
    [near] = register.rows(
        "SELECT count(*) FROM avis_attempts WHERE accepted AND cardinality(reasons) > 0"
    )
    where = "places apart" if apart else "one place"
    ratio = seconds[1] / seconds[2]
    print(  # noqa: T201  # the benchmark is its figures
        f"\n{where}: {1 / seconds[1]:.0f} texts/s by one reviewer, {1 / seconds[2]:.0f} by two: "
        f"{ratio:.2f} times as many; {near['count'] / TEXTS:.2f} kept near; "
        f"{waiting[1]:.2f} and {waiting[2]:.2f} sessions wait for a lock; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    figures.add(f"reviewers.two beside one, {where}", ratio, unit="×", goal=">= 1.8")
    figures.add(f"reviewers.waiting for locks, {where}", waiting[2], unit="sessions")
    figures.add(f"reviewers.one, {where}", 1 / seconds[1], unit="texts/s")


def _watch(register: "Register") -> tuple[float, float]:
    """Return seconds for a text and mean number of waiting sessions, between the run's marks."""
    marks: list[tuple[float, int, int]] = []
    deadline = time.monotonic() + 400
    while not marks or marks[-1][1] < _TO * TEXTS:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        [now] = register.rows(_ACCEPTED)
        if now["count"] >= _FROM * TEXTS:
            marks.append((time.monotonic(), now["count"], now["waiting"]))
    (begun, before, _), (ended, after, _) = marks[0], marks[-1]
    return (ended - begun) / (after - before), statistics.mean(each[2] for each in marks)
