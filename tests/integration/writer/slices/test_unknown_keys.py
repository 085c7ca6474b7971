"""Keys that INSEE adds are named once, counted always, and fail nothing."""

from concurrent.futures import ThreadPoolExecutor

from structlog.testing import capture_logs

from services.writer.slices.unknown_keys import Drift
from tests.integration.writer.desk import Desk


def test_a_new_key_is_told_once_by_a_process_and_noted_once_by_all(desk: Desk) -> None:
    first, second = Drift(desk.engine), Drift(desk.engine)
    with capture_logs() as logs:
        first.note({"unite.nouvelleCle"}, batch_id=1)
        first.note({"unite.nouvelleCle", "periode.autre"}, batch_id=2)
        second.note({"unite.nouvelleCle"}, batch_id=3)
    assert [(each["field"], each["batch"]) for each in logs] == [
        ("unite.nouvelleCle", 1),
        ("periode.autre", 2),
        ("unite.nouvelleCle", 3),
    ]
    rows = desk.execute("SELECT key, batch_id FROM schema_drift ORDER BY batch_id")
    assert [tuple(row.values()) for row in rows] == [("unite.nouvelleCle", 1), ("periode.autre", 2)]


def test_replicas_that_see_a_key_at_once_agree(desk: Desk) -> None:
    keys = {f"unite.cle{number}" for number in range(50)}
    with ThreadPoolExecutor(4) as pool:
        for future in [
            pool.submit(Drift(desk.engine).note, keys, batch_id=number) for number in range(4)
        ]:
            future.result(30)
    assert desk.number("schema_drift") == 50


def test_keys_without_end_are_not_told_without_end(desk: Desk) -> None:
    drift = Drift(desk.engine)
    with capture_logs() as logs:
        drift.note({f"unite.{number}" for number in range(1500)}, batch_id=1)
        drift.note({"unite.one_more"}, batch_id=2)
    assert len(logs) == desk.number("schema_drift") == 1000
