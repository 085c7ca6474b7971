"""The day as it runs by itself: the operator orders the delta, and the register is current."""

from datetime import datetime

import pytest
from sqlalchemy import Engine

from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import set_watermark
from tests.system.conftest import StartServices, column, wait_for

SINCE = "2026-07-20T00:00:00"
UNTIL = "2026-08-05T00:05:52.648"


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_scheduled_delta_brings_the_register_up_to_date_and_is_ordered_once(
    engine: Engine,
    rabbitmq_url: str,
    start_services: StartServices,
) -> None:
    with engine.begin() as connection:
        for collection in COLLECTIONS:
            set_watermark(connection, collection, datetime.fromisoformat(SINCE))
    insee, processes = start_services(
        *("operator-1", "operator-2", "fetcher-1", "writer-1"),
        broker_url=rabbitmq_url,
        establishments=1500,
        requests_per_minute=240,
    )

    def reached() -> list[datetime]:
        return column(engine, "SELECT DISTINCT treated_until FROM watermarks")

    wait_for(
        lambda: reached() == [datetime.fromisoformat(UNTIL)], seconds=120, what="the watermarks"
    )
    assert column(engine, "SELECT kind || ' ' || status FROM import_runs") == ["delta complete"]
    results = column(engine, "SELECT result FROM job_slots WHERE job = 'delta'")
    assert results == [
        f"run {run} is ordered" for run in column(engine, "SELECT id FROM import_runs")
    ]
    assert insee.quota()["http_429"] == 0
    for name in ("operator-1", "operator-2"):
        assert processes.terminate(name, seconds=30) == 0
