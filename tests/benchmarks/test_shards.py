"""A slice with a second commit in another database, beside slices of one database."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest

from shared.db.engine import make_engine
from shared.messages import RECORDS_PER_SLICE
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

_SLICES = pick(quick=6, normal=20)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.parametrize("shard_urls", [2], indirect=True),
]


@pytest.fixture
def desk(shard_urls: tuple[str, ...]) -> Iterator[Desk]:
    engines = [make_engine(url, application_name="benchmark") for url in shard_urls]
    yield Desk(engines[0], engines)
    for engine in engines:
        engine.dispose()


def _seconds(desk: Desk, slices: list[list[Any]], shard: int) -> float:
    """Take the quickest half of each slice's times: the machine's neighbours are in the others."""
    batch = desk.batch(departement=None)
    fetch_id = desk.fetch(batch, slices=1_000_000)
    spent = []
    for number, records in enumerate(slices):
        message = desk.message(records, batch=batch, fetch_id=fetch_id, number=number)
        part = next(each for each in desk.parts(message) if each.shard == shard)
        started = time.perf_counter()
        desk.write_part(part)
        spent.append(time.perf_counter() - started)
    quickest = sorted(spent)[: len(spent) // 2]
    return sum(quickest) / len(quickest)


def test_a_slice_in_a_shard_elsewhere(desk: Desk, figures: Figures) -> None:
    records = Records()
    by_shard: list[list[Any]] = [[], []]
    for number in itertools.count(1):
        record = records.record(number, siren=f"{number:09d}")
        by_shard[desk.shard_of(record)].append(record)
        if min(map(len, by_shard)) >= _SLICES * RECORDS_PER_SLICE:
            break
    for kind in ("new", "unchanged"):
        here, elsewhere = (
            _seconds(
                desk,
                [
                    by_shard[shard][start : start + RECORDS_PER_SLICE]
                    for start in range(0, _SLICES * RECORDS_PER_SLICE, RECORDS_PER_SLICE)
                ],
                shard,
            )
            for shard in (0, 1)
        )
        print(  # noqa: T201  a benchmark's result
            f"\n{kind}: {here * 1000:.1f} ms a slice in one database, {elsewhere * 1000:.1f} ms "
            f"in another than its counters: × {elsewhere / here:.2f}"
        )
        figures.add(f"shards.{kind}", elsewhere / here, unit="× the time in one database")
