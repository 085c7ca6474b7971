"""A slice of a cancelled run is dropped with a receipt and counted; nothing of it is stored."""

from services.operator.numbers.reconcile import reconcile
from services.writer.store import SliceStatus
from shared.imports import halts
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records


def _cancel(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        halts.cancel(connection, 1, by="Ada", reason="the wrong place")


def test_a_slice_of_a_cancelled_run_is_dropped_and_counted_once(
    desk: Desk, records: Records
) -> None:
    batch = desk.batch()
    fetch_id = desk.fetch(batch, slices=2)
    first = desk.message([records.record(1), records.record(2)], batch=batch, fetch_id=fetch_id)
    late = desk.message([records.record(3)], batch=batch, fetch_id=fetch_id, number=1)
    desk.write(first)
    _cancel(desk)
    assert desk.write(late).status is SliceStatus.CANCELLED
    assert desk.write(late).status is SliceStatus.CANCELLED
    counters = "SELECT status, received, inserted, dropped FROM import_batches"
    assert desk.execute(counters) == [
        {"status": "cancelled", "received": 2, "inserted": 2, "dropped": 1}
    ]
    assert desk.execute("SELECT count(*) AS n FROM etablissements") == [{"n": 2}]
    with desk.engine.connect() as connection:
        assert reconcile(connection).agrees


def test_the_last_slice_of_a_cancelled_batch_does_not_complete_it(
    desk: Desk, records: Records
) -> None:
    batch = desk.batch()
    fetch_id = desk.fetch(batch)
    _cancel(desk)
    result = desk.write(desk.message([records.record(1)], batch=batch, fetch_id=fetch_id))
    assert not result.batch_completed
    assert desk.execute("SELECT status FROM import_runs") == [{"status": "cancelled"}]
