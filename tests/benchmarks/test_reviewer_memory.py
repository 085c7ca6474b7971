"""The memory of one reviewer process over 50 000 texts from a chat server that answers at once."""

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.test_generators import Sample, reviewing
from tests.integration import conftest as integration
from tests.integration.reviewer import conftest as reviewer
from tests.integration.reviewer.llmock_server import GOOD_REPLY, llmock_server

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

pytestmark = pytest.mark.slow

TEXTS = int(os.environ.get("SIRENADE_BENCH_TEXTS", "50000"))
_ESTABLISHMENTS = 1500
_MOST_MB = 200

engine = integration.engine
register = reviewer.register

# Its text is forgotten, too, or the avis would be settled without a call.
_DUE_AGAIN = """
    UPDATE avis SET outcome = 'pending', text = NULL, label = NULL, digital_source_type = NULL,
      accepted_facts_hash = NULL, accepted_at = NULL, published_at = NULL, claim_token = NULL
    WHERE outcome = 'accepted'
"""


@pytest.mark.timeout(3000)
def test_memory_over_a_long_run(
    register: "Register", database_url: str, rabbitmq_url: str, tmp_path: Path
) -> None:
    register.add(range(1, _ESTABLISHMENTS + 1), apart=True)
    samples: list[Sample] = []
    started = time.monotonic()
    with (
        llmock_server() as llmock,
        reviewing(
            llmock, tmp_path, generators=100, database_url=database_url, rabbitmq_url=rabbitmq_url
        ) as read,
    ):
        llmock.expect(GOOD_REPLY)
        while not samples or samples[-1].answered < TEXTS:
            time.sleep(1)
            found = read()
            if found is not None:
                assert found.rss_mb < _MOST_MB
                samples.append(found)
            [left] = register.rows("SELECT count(*) AS n FROM avis WHERE outcome = 'pending'")
            if left["n"] < _ESTABLISHMENTS // 2:
                register.execute(_DUE_AGAIN)
    quarters = [
        [each.rss_mb for each in samples if TEXTS * n / 4 <= each.answered < TEXTS * (n + 1) / 4]
        for n in range(4)
    ]
    medians = [statistics.median(quarter) for quarter in quarters]
    print(  # noqa: T201  # the benchmark is its figures
        f"\n{TEXTS} texts in {time.monotonic() - started:.0f} s, RSS MB by quarter "
        f"{' '.join(f'{median:.1f}' for median in medians)}, last / second "
        f"{medians[3] / medians[1]:.3f}"
    )
    assert medians[3] <= 1.05 * medians[1]
