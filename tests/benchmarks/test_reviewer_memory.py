"""The memory of one reviewer process over many texts from a chat server that answers at once."""

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.figures import Figures
from tests.benchmarks.review_runs import Sample, reviewing
from tests.benchmarks.sizes import SIZE, pick
from tests.integration import conftest as integration
from tests.integration.reviewer import conftest as reviewer
from tests.integration.reviewer.llmock_server import GOOD_REPLY, llmock_server

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

pytestmark = pytest.mark.slow

TEXTS = int(
    os.environ.get("SIRENADE_BENCH_TEXTS", pick(quick="3000", normal="20000", full="50000"))
)
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
    register: "Register",
    database_url: str,
    rabbitmq_url: str,
    tmp_path: Path,
    figures: Figures,
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
    growth = medians[3] / medians[1]
    print(  # noqa: T201  # the benchmark is its figures
        f"\n{TEXTS} texts in {time.monotonic() - started:.0f} s, RSS MB by quarter "
        f"{' '.join(f'{median:.1f}' for median in medians)}, last / second {growth:.3f}"
    )
    figures.add(
        "memory.growth of a reviewer",
        growth,
        unit="× the second quarter",
        goal="<= 1.05",
        note=f"{TEXTS} texts",
    )
    figures.add("memory.RSS of a reviewer", medians[3], unit="MiB", goal="<= 200")
    # A quick run is over before the process is warm.
    assert growth <= 1.05 or SIZE == "quick"
