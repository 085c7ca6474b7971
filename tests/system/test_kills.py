"""The whole, over a real broker, killed in the middle: afterwards sets are compared, not counts."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from deploy.local.rabbitmq import RunningRabbitmq
from shared.progress import Progress
from tests.system.conftest import API, Insee, Processes, wait_for

ESTABLISHMENTS = 4000
ROWS_PER_PAGE = 100
REQUESTS_PER_MINUTE = 100
GENERATORS = 5
SERVICES = ("fetcher-1", "fetcher-2", "writer-1", "writer-2", "reviewer-1", "reviewer-2")
QUERY = "codeCommuneEtablissement:33*"


def column(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def is_due(record: dict[str, Any]) -> bool:
    """DESIGN's rule, read off INSEE's own record: open, diffusible, not a sole trader."""
    unite, periode = record["uniteLegale"], record["periodesEtablissement"][0]
    return (
        periode["etatAdministratifEtablissement"] == "A"
        and periode["activitePrincipaleEtablissement"] is not None
        and record["statutDiffusionEtablissement"] == "O"
        and unite["statutDiffusionUniteLegale"] == "O"
        and unite["categorieJuridiqueUniteLegale"] != "1000"
    )


@pytest.mark.timeout(400)
def test_killing_every_part_in_mid_import_loses_and_doubles_nothing(
    engine: Engine,
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    start_insee: Callable[..., Insee],
    make_processes: Callable[..., Processes],
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
) -> None:
    insee = start_insee(establishments=ESTABLISHMENTS, requests_per_minute=REQUESTS_PER_MINUTE)
    processes = make_processes(
        broker_url=private_rabbitmq_url,
        insee_url=insee.root + API,
        insee_requests_per_minute=REQUESTS_PER_MINUTE,
        insee_rows_per_page=ROWS_PER_PAGE,
        reviewer_generators=GENERATORS,
    )
    for name in SERVICES:
        processes.start(name)
    request_import("33")

    def kill_once_received(name: str, share: float) -> None:
        wait_for(
            lambda: progress().received >= ESTABLISHMENTS * share,
            seconds=90,
            what=f"{share:.0%} of the rows, to kill {name}",
        )
        if name == "rabbitmq":
            private_rabbitmq.kill()
            private_rabbitmq.restart()
        else:
            processes.kill(name)
            processes.start(name)

    kill_once_received("fetcher-1", 0.1)
    kill_once_received("writer-1", 0.2)
    kill_once_received("reviewer-1", 0.3)
    kill_once_received("rabbitmq", 0.4)
    kill_once_received("fetcher-2", 0.6)
    kill_once_received("writer-2", 0.7)
    kill_once_received("reviewer-2", 0.8)
    wait_for(
        lambda: (now := progress()).runs_open == 0 and now.avis_pending == 0,
        seconds=150,
        what="the end of the import and of its texts",
    )

    records = {record["siret"]: record for record in insee.every_record(QUERY)}
    assert len(records) == ESTABLISHMENTS
    stored = column(engine, "SELECT siret FROM etablissements")
    assert set(stored) == records.keys()
    units = column(engine, "SELECT siren FROM unites_legales")
    assert set(units) == {record["siren"] for record in records.values()}
    assert_counters_are_real(engine, progress())
    due = {siret for siret, record in records.items() if is_due(record)}
    accepted = column(engine, "SELECT siret FROM avis WHERE outcome = 'accepted'")
    assert sorted(accepted) == sorted(due)
    assert_nothing_paid_twice(engine, kills=2)
    assert insee.quota()["http_429"] == 0
    assert_no_secret_in_any_log(processes)


def assert_counters_are_real(engine: Engine, progress: Progress) -> None:
    assert progress.received == ESTABLISHMENTS
    assert progress.inserted == ESTABLISHMENTS
    assert (progress.expected, progress.missing, progress.failed_rows) == (ESTABLISHMENTS, 0, 0)
    [batch] = column(
        engine,
        """SELECT jsonb_build_object('status', status, 'received', received_distinct,
             'stored', stored, 'missing', missing_sirets, 'surplus', surplus_sirets)
           FROM import_batches""",
    )
    assert batch == {
        "status": "complete",
        "received": ESTABLISHMENTS,
        "stored": ESTABLISHMENTS,
        "missing": [],
        "surplus": [],
    }


def assert_nothing_paid_twice(engine: Engine, *, kills: int) -> None:
    """At most the texts in the making at a kill are made again; the template's cost no money."""
    [doubled] = column(
        engine,
        """SELECT count(*) FROM (SELECT avis_id FROM avis_attempts WHERE accepted
           GROUP BY avis_id HAVING count(*) > 1) twice""",
    )
    assert doubled <= kills * GENERATORS


def assert_no_secret_in_any_log(processes: Processes) -> None:
    for name in SERVICES:
        log = processes.log(name)
        assert "the-key-that-no-log-may-hold" not in log
        assert "Traceback" not in log
