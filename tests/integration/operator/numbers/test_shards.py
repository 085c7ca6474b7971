"""The numbers of the whole are sums over all databases, by one query to each."""

import json
from typing import Any

import pytest
from sqlalchemy import event

from services.operator.numbers.stats import read_stats
from shared.db.shards import connected
from shared.imports.progress import read_progress
from tests.integration.commands import Sirenade
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

pytestmark = pytest.mark.parametrize("shard_urls", [2], indirect=True)


@pytest.fixture
def imported(desk: Desk, records: Records) -> None:
    """Forty establishments, one of them closed and two that cannot be written."""
    slice_ = [records.record(n, etat="F" if n == 1 else "A") for n in range(1, 39)]
    bad = [records.record(n, treated="no date at all") for n in (50, 51)]
    desk.import_(*slice_, *bad, departement=None)


@pytest.mark.usefixtures("imported")
def test_stats_add_up_what_is_in_the_shards(sirenade: Sirenade, desk: Desk) -> None:
    found = json.loads(sirenade("stats", "--json").out)
    assert found["items"]["inserted"] == 38
    assert found["items"]["missing"] == found["items"]["failed"] == 2
    assert found["failed_items"] == {"open": 2, "resolved": 0, "no_longer_due": 0}
    assert found["batches"]["complete"] == 1
    sizes = desk.execute("SELECT pg_database_size(current_database()) AS bytes")
    assert found["sizes"]["database_bytes"] == pytest.approx(
        sum(row["bytes"] for row in sizes), abs=len(sizes) * 6 * 2**20
    )
    assert "open: 2" in sirenade("stats").out


@pytest.mark.usefixtures("imported")
def test_status_shows_the_avis_of_all_shards(sirenade: Sirenade, desk: Desk) -> None:
    answer = sirenade("status", "--once")
    assert "avis 0 of 37" in answer.err
    assert "failed items 2" in answer.err
    with connected(desk.shards) as (control, *shards):
        progress = read_progress(control, shards=shards)
    assert (progress.avis_due, progress.failed_items, progress.received) == (37, 2, 40)


def test_each_database_is_asked_once(desk: Desk) -> None:
    asked: list[Any] = []
    for shard in desk.shards:
        event.listen(shard, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    with connected(desk.shards) as (control, *shards):
        read_stats(control, shards)
    assert len(asked) == len(desk.shards)
