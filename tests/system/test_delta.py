"""A delta over real processes, killed in the middle: its watermark comes last, and comes."""

import os
import statistics
from collections.abc import Callable
from datetime import datetime
from functools import partial

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import Engine

from shared.imports.orders import order_delta
from shared.imports.progress import Progress
from shared.imports.watermarks import set_watermark
from tests.system.conftest import StartServices, column, wait_for

SINCE = "2026-02-01T00:00:00.000"
UNTIL = "2026-08-05T00:05:52.648"
WARM_UP_ROWS = 20_000
MASS_DAY_ROWS = int(os.environ.get("SIRENADE_MASS_DAY_ROWS", "210000"))
# In one statement, so in one snapshot: a collection said to be complete that has a walk open.
PROMISED_TOO_EARLY = """
    SELECT w.collection FROM watermarks w WHERE EXISTS (
      SELECT FROM import_batches b WHERE b.collection = w.collection AND b.status <> 'complete')
    UNION ALL
    SELECT collection FROM watermarks WHERE NOT EXISTS (SELECT FROM import_batches)
"""


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_delta_whose_fetcher_and_writer_are_killed_goes_on_and_is_whole(
    engine: Engine,
    rabbitmq_url: str,
    start_services: StartServices,
    progress: Callable[[], Progress],
) -> None:
    insee, processes = start_services(
        *("fetcher-1", "writer-1"),
        broker_url=rabbitmq_url,
        establishments=1500,
        requests_per_minute=240,
        insee_rows_per_page=20,
    )
    with engine.begin() as connection:
        order_delta(connection, since=datetime.fromisoformat(SINCE), overlap_hours=0)

    def reached(share: float) -> bool:
        assert column(engine, PROMISED_TOO_EARLY) == []
        now = progress()
        return now.received >= share * (now.expected or 10**9)

    for share, name in ((0.15, "fetcher-1"), (0.4, "writer-1"), (0.6, "fetcher-1")):
        wait_for(partial(reached, share), seconds=90, what=f"{share:.0%} of the rows")
        processes.kill(name)
        processes.start(name)

    def is_settled() -> bool:
        assert column(engine, PROMISED_TOO_EARLY) == []
        return len(column(engine, "SELECT collection FROM watermarks")) == 2

    wait_for(is_settled, seconds=120, what="the watermarks")
    assert column(engine, "SELECT DISTINCT treated_until FROM watermarks") == [
        datetime.fromisoformat(UNTIL)
    ]
    window = f"[{SINCE} TO {UNTIL}]"
    wanted = [
        *insee.every_record(f"dateDernierTraitementEtablissement:{window}"),
        *insee.every_record(f"dateDernierTraitementUniteLegale:{window}"),
    ]
    stored = set(column(engine, "SELECT siret FROM etablissements"))
    assert stored == {record["siret"] for record in wanted}
    assert progress().missing == 0
    assert insee.quota()["http_429"] == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_mass_day_is_brought_in_flat_memory(
    engine: Engine,
    rabbitmq_url: str,
    start_services: StartServices,
    progress: Callable[[], Progress],
) -> None:
    """More rows under one window than one walk may have; prints the peaks of both processes.

    SIRENADE_MASS_DAY_ROWS=1000000 makes it a day of a million.
    """
    _, processes = start_services(
        *("fetcher-1", "writer-1"),
        broker_url=rabbitmq_url,
        establishments=MASS_DAY_ROWS,
        requests_per_minute=6000,
        insee_timeout_seconds=60,
    )
    measured = {name: psutil.Process(each.pid) for name, each in processes.running.items()}
    with engine.begin() as connection:
        set_watermark(connection, "etablissements", datetime.fromisoformat("1980-01-01"))
        # Units are up to date: the simulator takes a minute to look through them.
        set_watermark(connection, "unites_legales", datetime.fromisoformat(UNTIL))
        order_delta(connection)

    rss_bytes: dict[str, list[int]] = {name: [] for name in measured}

    def is_over() -> bool:
        now = progress()
        if now.received > WARM_UP_ROWS:
            for name, process in measured.items():
                rss_bytes[name].append(process.memory_info().rss)
        return now.expected is not None and now.runs_open == 0

    wait_for(is_over, seconds=3500, what="the mass day")
    batches = column(engine, "SELECT expected FROM import_batches ORDER BY id")
    assert len(batches) > 1
    assert max(batches) <= 200_000 < sum(batches)
    [stored] = column(engine, "SELECT count(*) FROM etablissements")
    assert stored == sum(batches)
    assert progress().missing == 0
    for name, samples in rss_bytes.items():
        quarter = len(samples) // 4
        second = statistics.median(samples[quarter : 2 * quarter])
        last = statistics.median(samples[3 * quarter :])
        print(  # noqa: T201  # the measurement is the output
            f"{name}: peak {max(samples) / 2**20:.0f} MiB, second quarter {second / 2**20:.0f}, "
            f"last {last / 2**20:.0f}, {sum(batches)} rows in {len(batches)} walks"
        )
        assert last <= 1.1 * second
