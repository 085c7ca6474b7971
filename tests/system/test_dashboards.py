"""Every panel has data after a run with all services, a real RabbitMQ and a real PostgreSQL."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine, text

from deploy.grafana.check import PrometheusApi, faults_of
from deploy.grafana.layout import DASHBOARDS
from deploy.local.processes import free_port
from shared.imports.orders import order_delta, order_import
from shared.imports.progress import Progress
from shared.imports.scope import Scope
from tests.integration.reviewer.llmock_server import GOOD_REPLY, llmock_server
from tests.servers.elasticsearch import EMULATORS, running_emulator
from tests.servers.rabbitmq import RunningRabbitmq, start_rabbitmq
from tests.system.conftest import API, Insee, Processes, wait_for
from tests.system.monitored import Target, exporter_of_postgres, prometheus_over

SERVICES = ("fetcher", "writer", "reviewer", "operator", "portal", "indexer")
DETAILED = "/metrics/detailed?family=queue_coarse_metrics&family=queue_consumer_count"
ROWS = 6000
PATIENCE_SECONDS = 120


@pytest.fixture
def rabbitmq_with_metrics(servers_directory: Path) -> Iterator[RunningRabbitmq]:
    node = start_rabbitmq(
        servers_directory / "rabbitmq-metrics", end_with_parent=True, with_metrics=True
    )
    yield node
    node.kill()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_panel_has_data_after_a_run(
    database_url: str,
    engine: Engine,
    tmp_path: Path,
    rabbitmq_with_metrics: RunningRabbitmq,
    start_insee: Callable[..., Insee],
    make_processes: Callable[..., Processes],
    progress: Callable[[], Progress],
) -> None:
    node = rabbitmq_with_metrics
    insee = start_insee(establishments=40_000, requests_per_minute=60)
    with ExitStack() as stack:
        llmock = stack.enter_context(llmock_server("--rpm", "400"))
        llmock.expect(GOOD_REPLY)
        providers = tmp_path / "providers.toml"
        providers.write_text(
            f'[[provider]]\nname = "llmock"\nbase_url = "{llmock.base_url}"\nmodel = "m"\n'
            "price = { input_eur_per_million = 0.5, output_eur_per_million = 1.5 }\n"
        )
        with engine.begin() as connection:
            connection.execute(text("UPDATE review_budget SET cap_eur = 20"))
            order_delta(connection, since=datetime.fromisoformat("2026-07-01"), overlap_hours=0)
        elasticsearch = stack.enter_context(running_emulator(EMULATORS[0], tmp_path))
        ports = {name: free_port() for name in (*SERVICES, "reviewer-2")}
        portal = free_port()
        for name, port in ports.items():
            make_processes(
                broker_url=node.url,
                insee_url=insee.root + API,
                insee_requests_per_minute=60,
                insee_timeout_seconds=30,
                fetcher_stall_seconds=60,
                avis_providers_file=providers,
                avis_hold_fallback_share=0.2,
                metrics_port=port,
                portal_port=portal,
                search_engine="elasticsearch",
                elasticsearch_url=elasticsearch,
                version="rehearsal",
                log_directory=tmp_path,
            ).start(name)
        targets: list[Target] = [
            (name.partition("-")[0], port, "/metrics") for name, port in ports.items()
        ]
        postgres = stack.enter_context(exporter_of_postgres(database_url, tmp_path / "pg.log"))
        targets += [
            ("postgres", postgres, "/metrics"),
            ("rabbitmq", node.ports.metrics, "/metrics"),
            ("rabbitmq-detailed", node.ports.metrics, DETAILED),
        ]
        url = stack.enter_context(prometheus_over(targets, tmp_path / "prometheus"))
        prometheus = PrometheusApi(url)
        with engine.begin() as connection:
            order_import(connection, Scope(departements=["33"]), row_limit=ROWS, per_day=35_000)
        base_url = f"http://127.0.0.1:{portal}"
        wait_for(lambda: _is_portal_open(base_url), seconds=60, what="the portal")

        def is_imported() -> bool:
            # The portal is at work at the same time as the others.
            _read_pages(engine, base_url)
            return progress().received >= ROWS

        wait_for(is_imported, seconds=240, what="the import")
        deadline_seconds = time.monotonic() + PATIENCE_SECONDS
        while (faults := _faults(prometheus)) and time.monotonic() < deadline_seconds:
            _read_pages(engine, base_url)
            time.sleep(5)  # a scrape's interval
        assert faults == []


def _is_portal_open(base_url: str) -> bool:
    try:
        return requests.get(f"{base_url}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


def _read_pages(engine: Engine, base_url: str) -> None:
    """Read some pages twice: once from their rows, once from the cache."""
    with engine.connect() as connection:
        slugs = connection.scalars(text("SELECT slug FROM pro_localisations LIMIT 5")).all()
    for path in ("/", *(f"/pages/{slug}" for slug in [*slugs, *slugs])):
        assert requests.get(base_url + path, timeout=30).status_code == HTTPStatus.OK


def _faults(prometheus: PrometheusApi) -> list[str]:
    return [
        f"{path.stem}: {fault}"
        for path in sorted(DASHBOARDS.glob("*.json"))
        for fault in faults_of(json.loads(path.read_text(encoding="utf-8")), prometheus)
    ]
