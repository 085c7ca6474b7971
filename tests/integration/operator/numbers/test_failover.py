"""A promotion whose standby was behind: one database has lost what another one knows of."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.integration.commands import Sirenade
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records


def _runs(desk: Desk) -> list[dict[str, Any]]:
    columns = "id, kind, departements, sirets, status"
    return [dict(row) for row in desk.execute(f"SELECT {columns} FROM import_runs ORDER BY id")]


def _lose_all(shard: Engine) -> int:
    """Let a database go back to before the import; return how many establishments went."""
    with shard.begin() as connection:
        [lost] = connection.execute(text("SELECT count(*) FROM etablissements")).scalars()
        for table in ("shard_receipts", "avis", "periodes_etablissements", "etablissements"):
            connection.execute(text(f"DELETE FROM {table}"))
    return int(lost)


@pytest.mark.parametrize("shard_urls", [2], indirect=True)
def test_what_a_shard_lost_is_ordered_again_and_the_counters_agree(
    sirenade: Sirenade, desk: Desk, records: Records
) -> None:
    slice_ = [records.record(number) for number in range(1, 21)]
    desk.import_(*slice_, departement="33")
    assert sirenade("reconcile").status == 0
    lost = _lose_all(desk.shards[1])
    assert 0 < lost < 20
    assert sirenade("reconcile").status == 1
    answer = sirenade("reconcile", "--after-failover")
    assert answer.status == 0
    assert f"lost: {lost} establishments of 1 batches" in answer.out
    [_, ordered] = _runs(desk)
    assert (ordered["departements"], ordered["status"]) == (["33"], "pending")
    again = sirenade("reconcile", "--after-failover")
    assert "no database lost rows" in again.out
    assert len(_runs(desk)) == 2
    desk.import_(*slice_, departement="33")
    assert "zero difference" in sirenade("reconcile").out


def test_numbers_of_the_lost_time_are_not_given_again(
    sirenade: Sirenade, desk: Desk, records: Records
) -> None:
    desk.import_(records.record(1), departement=None)
    before = max(run["id"] for run in _runs(desk))
    answer = sirenade("reconcile", "--after-failover")
    assert answer.status == 0
    assert "no database lost rows that another one knows of" in answer.out
    assert desk.run() > before + 999_999
