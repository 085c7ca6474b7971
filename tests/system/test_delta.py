"""A delta over real processes, killed in the middle: its watermark comes last, and comes."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine

from shared.delta import request_delta
from shared.progress import Progress
from tests.system.conftest import API, Insee, Processes, column, wait_for

SINCE = "2026-02-01T00:00:00.000"
UNTIL = "2026-08-05T00:05:52.648"
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
    start_insee: Callable[..., Insee],
    make_processes: Callable[..., Processes],
    progress: Callable[[], Progress],
) -> None:
    insee = start_insee(establishments=1500, requests_per_minute=240)
    processes = make_processes(
        broker_url=rabbitmq_url,
        insee_url=insee.root + API,
        insee_requests_per_minute=240,
        insee_rows_per_page=20,
    )
    for name in ("fetcher-1", "writer-1"):
        processes.start(name)
    with engine.begin() as connection:
        request_delta(connection, since=datetime.fromisoformat(SINCE), overlap_hours=0)

    def reached(share: float) -> bool:
        assert column(engine, PROMISED_TOO_EARLY) == []
        now = progress()
        return now.received >= share * (now.expected or 10**9)

    for share, name in ((0.15, "fetcher-1"), (0.4, "writer-1"), (0.6, "fetcher-1")):
        wait_for(lambda share=share: reached(share), seconds=90, what=f"{share:.0%} of the rows")  # type: ignore[misc]
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
        *insee.every_record(
            f"dateDernierTraitementUniteLegale:{window} AND etablissementSiege:true"
        ),
    ]
    stored = set(column(engine, "SELECT siret FROM etablissements"))
    assert stored == {record["siret"] for record in wanted}
    assert progress().missing == 0
    assert insee.quota()["http_429"] == 0
