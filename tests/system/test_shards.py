"""The whole over two databases and real processes, writers and reviewer killed on the way."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from services.operator.numbers.reconcile import reconcile
from shared.db.engine import make_engine
from shared.db.shards import connected
from shared.imports.progress import Progress, read_progress
from shared.sharding import route
from tests.system.conftest import StartServices, column, is_due, wait_for, wait_for_the_end

ESTABLISHMENTS = 1500
REQUESTS_PER_MINUTE = 240


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("shard_urls", [2], indirect=True)
def test_a_register_in_two_databases_is_whole_after_kills(
    engine: Engine,
    shard_urls: tuple[str, ...],
    rabbitmq_url: str,
    start_services: StartServices,
    request_import: Callable[..., None],
) -> None:
    insee, processes = start_services(
        *("fetcher-1", "writer-1", "writer-2", "reviewer-1"),
        broker_url=rabbitmq_url,
        establishments=ESTABLISHMENTS,
        requests_per_minute=REQUESTS_PER_MINUTE,
        insee_rows_per_page=50,
        shard_database_urls=",".join(shard_urls),
    )
    request_import("33")
    second = make_engine(shard_urls[1], application_name="test-system")
    shards = (engine, second)

    def progress() -> Progress:
        with connected(shards) as (control, *others):
            return read_progress(control, shards=others)

    def kill_once_received(name: str, share: float) -> None:
        wait_for(
            lambda: progress().received >= ESTABLISHMENTS * share,
            seconds=90,
            what=f"{share:.0%} of the rows, to kill {name}",
        )
        processes.kill(name)
        processes.start(name)

    kill_once_received("writer-1", 0.2)
    kill_once_received("writer-2", 0.4)
    kill_once_received("reviewer-1", 0.5)
    kill_once_received("writer-1", 0.6)
    wait_for_the_end(progress, seconds=120)

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
