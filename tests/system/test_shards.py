"""The whole over two databases and real processes, writers and reviewer killed on the way."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from services.operator.reconciling import reconcile
from shared.db.engine import make_engine
from shared.db.shards import connected
from shared.progress import Progress, read_progress
from shared.sharding import route
from tests.system.conftest import API, Insee, Processes, column, is_due, wait_for

ESTABLISHMENTS = 1500
REQUESTS_PER_MINUTE = 240


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("shard_urls", [2], indirect=True)
def test_a_register_in_two_databases_is_whole_after_kills(
    engine: Engine,
    shard_urls: tuple[str, ...],
    rabbitmq_url: str,
    start_insee: Callable[..., Insee],
    make_processes: Callable[..., Processes],
    request_import: Callable[..., None],
) -> None:
    insee = start_insee(establishments=ESTABLISHMENTS, requests_per_minute=REQUESTS_PER_MINUTE)
    processes = make_processes(
        broker_url=rabbitmq_url,
        insee_url=insee.root + API,
        insee_requests_per_minute=REQUESTS_PER_MINUTE,
        insee_rows_per_page=50,
        shard_database_urls=",".join(shard_urls),
    )
    for name in ("fetcher-1", "writer-1", "writer-2", "reviewer-1"):
        processes.start(name)
    request_import("33")
    second = make_engine(shard_urls[1], application_name="test-system")
    shards = (engine, second)

    def progress() -> Progress:
        with connected(shards) as (control, *others):
            return read_progress(control, shards=others)

    for share, name in (
        (0.2, "writer-1"),
        (0.4, "writer-2"),
        (0.5, "reviewer-1"),
        (0.6, "writer-1"),
    ):
        wait_for(
            lambda share=share: progress().received >= ESTABLISHMENTS * share,  # type: ignore[misc]
            seconds=90,
            what=f"{share:.0%} of the rows",
        )
        processes.kill(name)
        processes.start(name)
    wait_for(
        lambda: (now := progress()).runs_open == 0 and now.avis_pending == 0,
        seconds=120,
        what="the end of the import and of its texts",
    )

    records = insee.every_record("codeCommuneEtablissement:33*")
    for number, shard in enumerate(shards):
        mine = {record["siret"] for record in records if route(record["siren"], 2) == number}
        assert mine
        assert set(column(shard, "SELECT siret FROM etablissements")) == mine
        accepted = column(shard, "SELECT siret FROM avis WHERE outcome = 'accepted'")
        due = sorted(r["siret"] for r in records if r["siret"] in mine and is_due(r))
        assert sorted(accepted) == due
    assert column(engine, "SELECT status FROM import_runs") == ["complete"]
    with connected(shards) as (control, *others):
        found = reconcile(control, others)
    assert found.agrees, found
    second.dispose()
